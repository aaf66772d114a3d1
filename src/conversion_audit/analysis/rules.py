"""The config's rules -> marks: which event matches which micro-conversion, goal, step or intent evidence."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import product

import pandas as pd

from conversion_audit.config import Config
from conversion_audit.engine import AnyTable, Table, engine_of, like, statement
from conversion_audit.schema import Intent, Rule

SHOP = {"product": 3, "category": 2, "search": 2}
"""Page types that are shopping evidence by their name, and how strong it is."""

REPEAT = "repeat_purchase"
_TEXTS = ("event", "page", "page_type", "title", "landing_page", "referrer", "campaign", "channel", "search_term")
_COLUMNS = [*_TEXTS, "seconds", "property", "at_least", "place", "name", "rule_id", "conditions"]
_SESSION_EVIDENCE = {
    "landing_pages": ("landing_page", 3),
    "campaigns": ("campaign", 2),
    "referrers": ("referrer", 2),
    "channels": ("channel", 1),
}
_SESSION_WHERE = {"hours": "hour", "devices": "device", "countries": "country"}


def rule_table(
    rules: Mapping[str, Rule], intents: Mapping[str, Intent], journey: Sequence[str]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """
    Write rules out as two tables that SQL joins.

    Parameters
    ----------
    rules : mapping
        Name -> rule: micro-conversions, goals, and every step that is neither.
    intents : mapping
        Name -> intent; each becomes ``evidence:<intent>:<strength>`` rules.
    journey : sequence of str
        Steps that are shopping evidence, the main goal excluded.

    Returns
    -------
    rules, conditions : DataFrame
        One row per combination of values; and one row per rule and `where` value (rule_id, key, value).
    """
    rows: list[dict] = []
    conditions: list[dict] = []
    for name, rule, place in [*_named(rules), *_evidence(intents), *_shopping(rules, journey)]:
        if rule.rule:
            continue
        values = [[like(v) for v in getattr(rule, column)] or [None] for column in _TEXTS]
        for combination in product(*values):
            rule_id = len(rows)
            rows.append(
                dict(zip(_TEXTS, combination, strict=True))
                | {"seconds": rule.seconds, "property": rule.property, "at_least": rule.at_least}
                | {"place": place, "name": name, "rule_id": rule_id, "conditions": len(rule.where)}
            )
            conditions += [
                {"rule_id": rule_id, "key": key, "value": like(v)} for key, wanted in rule.where.items() for v in wanted
            ]
    kinds = dict.fromkeys((*_TEXTS, "property", "place", "name"), "string")
    frame = pd.DataFrame(rows, columns=_COLUMNS).astype(kinds | {"seconds": "float64", "at_least": "float64"})
    return frame, pd.DataFrame(conditions, columns=["rule_id", "key", "value"])


def marks(
    events: AnyTable, sessions: AnyTable, orders: AnyTable, rules: pd.DataFrame, conditions: pd.DataFrame
) -> Table:
    """
    Match every rule against events.

    Parameters
    ----------
    events, sessions, orders : table
        See `tables.EVENTS`, `tables.SESSIONS`, `tables.ORDERS`.
    rules, conditions : DataFrame
        See `rule_table`.

    Returns
    -------
    Table
        One row per event and rule it matches (see `tables.MARKS`), with ``repeat_purchase`` at every order of a visitor
        after the first::

            session_id  visitor_id  event_number  moment  ...              name   detail
                  d1/7        d:d1             1       1      evidence:shop:3     /p/hat
                  d1/7        d:d1             1       1         product_view     /p/hat

    Notes
    -----
    Patterns are compared once per distinct (event, page), not once per row.
    """
    engine = engine_of(events)
    found = {"events": events, "sessions": sessions, "orders": orders, "rules": rules, "conditions": conditions}
    found["combinations"] = engine.create(statement(__file__, "combinations"), found, name="combinations")
    found["candidates"] = engine.create(statement(__file__, "candidates"), found, name="candidates")
    found["landings"] = engine.create(statement(__file__, "landings"), found, name="landings")
    return engine.create(statement(__file__, "marks"), found, name="marks")


def bounces(
    events: AnyTable, sessions: AnyTable, marks: AnyTable, acting: Sequence[str], arriving: Sequence[str] = ()
) -> Table:
    """
    Say of every session whether it bounced.

    A session bounced where the source says so; where the source says nothing: one page at most, nothing done, and nothing
    arrived at but the landing itself. An export without any page view cannot say who saw one page only, and a session that
    no row places anywhere, as a server's payment, whether it left.

    Parameters
    ----------
    events, sessions, marks : table
        See `tables.EVENTS`, `tables.SESSIONS`, `tables.MARKS`.
    acting, arriving : sequence of str
        Names in `marks` that are something done, and such that are a place reached: those count after the landing and
        elsewhere than on its page, for tools that export a product's page as an event of its own.

    Returns
    -------
    Table
        One row per session: session_id, is_bounce, null where it cannot be told.
    """
    counting = pd.DataFrame({"name": pd.Series([*acting, *arriving], dtype="string")})
    counting["is_place"] = [False] * len(acting) + [True] * len(arriving)
    found = {"events": events, "sessions": sessions, "marks": marks, "counting": counting}
    found["landings"] = engine_of(events).create(statement(__file__, "landings"), found, name="landings")
    return engine_of(sessions).create(statement(__file__, "bounces"), found, name="bounces")


def bounce_marks(events: AnyTable, bounces: AnyTable, name: str) -> Table:
    """Return one mark per bounced session, at its first event, under `name`."""
    found = {"events": events, "bounces": bounces}
    return engine_of(events).create(statement(__file__, "bounce_marks"), found, name="bounced", rule=name)


def named_rules(config: Config) -> dict[str, Rule]:
    """Return every name of the config that marks can carry, with its rule."""
    names = [*config.steps, *config.after_purchase, *(s for i in config.intents.values() for s in i.success)]
    names += [name for kpi in config.kpis.values() for name in (kpi.of, kpi.reach, kpi.without) if name]
    names += config.funnel.exclude
    every = [*config.micro_conversions, *config.goals, *names]
    return {name: config.definition(name) for name in dict.fromkeys(every) if name != REPEAT} | config.ineligible


def _named(rules: Mapping[str, Rule]) -> Iterator[tuple[str, Rule, str | None]]:
    yield from ((name, rule, None) for name, rule in rules.items())


def _evidence(intents: Mapping[str, Intent]) -> Iterator[tuple[str, Rule, str | None]]:
    for name, intent in intents.items():

        def evidence(
            strength: int, place: str | None = None, *, name: str = name, **match
        ) -> tuple[str, Rule, str | None]:
            return f"evidence:{name}:{strength}", Rule(**match), place

        if intent.events:
            yield evidence(3, event=intent.events)
        for key, column in (("pages", "page"), ("page_types", "page_type"), ("titles", "title")):
            if getattr(intent, key):
                yield evidence(3, "landing", **{column: getattr(intent, key)})
                yield evidence(2, "later", **{column: getattr(intent, key)})
        if intent.search_terms:
            yield evidence(2, search_term=intent.search_terms)
        if intent.hints:
            yield evidence(1, page=intent.hints)
        for key, (column, strength) in _SESSION_EVIDENCE.items():
            if getattr(intent, key):
                yield evidence(strength, "first", **{column: getattr(intent, key)})
        for key, column in _SESSION_WHERE.items():
            if getattr(intent, key):
                yield evidence(1, "first", where={column: getattr(intent, key)})
        if intent.visit_number:
            yield evidence(1, "first", where={"visit_number": [str(intent.visit_number)]})


def _shopping(rules: Mapping[str, Rule], journey: Sequence[str]) -> Iterator[tuple[str, Rule, str | None]]:
    for page_type, strength in SHOP.items():
        yield f"evidence:shop:{strength}", Rule(page_type=[page_type]), None
    for step in journey:
        yield "evidence:shop:3", rules[step], None
