"""Traffic that is no customer: known bots, implausible behaviour, the client's own staff, tests."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import pandas as pd

from conversion_audit.engine import AnyTable, Table, engine_of, like, quoted, statement
from conversion_audit.intake.values import distinct
from conversion_audit.schema import Rule

REASONS = ("bot", "internal", "test")
"""Why a session is set aside; where several apply, the first."""

MOST_EVENTS = 1000
"""Events in one session. Three hours of one event every ten seconds; Universal Analytics itself stopped at 500."""

MOST_EVENTS_A_DAY = 3000
"""Events of one visitor on one day: eight hours of one event every ten seconds."""

LEAST_PAGES = 10
LEAST_PAGE_SECONDS = 1.2
"""At least `LEAST_PAGES` pages, five different ones, in less than this on average: faster than a page can be seen."""

MOST_PAYMENTS = 10
MOST_PAYMENT_SECONDS = 20.0
MOST_PAYMENTS_A_DAY = 30
"""
Card testing: this many payment attempts in a session, one after the other within `MOST_PAYMENT_SECONDS` on average, or
`MOST_PAYMENTS_A_DAY` of one visitor, with fewer than one order for five attempts; or `MOST_PAYMENTS` orders in one session. A
person whose card is refused types it again three or four times, and needs longer.
"""

_TEXTS = ("event", "page", "page_type", "referrer", "campaign", "channel", "search_term")
_WHERE = (
    "hour",
    "device",
    "browser",
    "os",
    "country",
    "platform",
    "language",
    "host",
    "app_version",
    "device_id",
    "user_id",
)


def bots(user_agents: Iterable[str | None]) -> pd.DataFrame:
    """
    Say which user agents name themselves as crawlers.

    Parameters
    ----------
    user_agents : iterable of str
        Distinct user agents. Missing ones are left out.

    Returns
    -------
    DataFrame
        One row per user agent: user_agent, is_bot.

    References
    ----------
    The patterns of monperrus/crawler-user-agents (MIT).
    """
    from crawleruseragents import is_crawler

    known = distinct(user_agents)
    return pd.DataFrame({"user_agent": known, "is_bot": [is_crawler(agent) for agent in known]}).astype(
        {"user_agent": object, "is_bot": bool}
    )


def set_aside(events: AnyTable, rows: AnyTable, orders: AnyTable, internal: Mapping[str, Rule]) -> Table:
    """
    Find the sessions that are no customers'.

    Parameters
    ----------
    events : table
        See `tables.EVENTS`.
    rows : table
        event_id and user_agent of the same events.
    orders : table
        See `tables.ORDERS`.
    internal : mapping
        The config's rules for the client's own traffic; a rule whose name contains ``test`` marks tests. A session is
        internal when any of its events matches all that a rule asks for.

    Returns
    -------
    Table
        One row per session set aside::

            session_id  reason  rule         evidence
            d1/7        bot     user_agent   Googlebot/2.1
            d2/1        bot     many_events  20000
            d3/4        test    test_order   TEST-1

        `rule` is user_agent, many_events, many_events_a_day, no_dwell, card_testing, traffic_type, debug_mode, test_order
        or the name of a config rule; `evidence` is the count, seconds or text that met it.
    """
    engine = engine_of(events)
    found: dict[str, AnyTable] = {"events": events, "rows": rows, "orders": orders}
    agents = bots(engine.query(statement(__file__, "user_agents"), found)["user_agent"])
    found["bots"] = engine.hold(agents.loc[agents["is_bot"], ["user_agent"]].astype("string"), "bots")
    found["crawled"] = engine.create(statement(__file__, "crawled"), found, name="crawled")
    found["by_rule"] = _by_rules(events, internal)
    limits = {
        "most_events": MOST_EVENTS,
        "most_events_a_day": MOST_EVENTS_A_DAY,
        "least_pages": LEAST_PAGES,
        "least_page_seconds": LEAST_PAGE_SECONDS,
        "most_payments": MOST_PAYMENTS,
        "most_payment_seconds": MOST_PAYMENT_SECONDS,
        "most_payments_a_day": MOST_PAYMENTS_A_DAY,
    }
    found["facts"] = engine.create(statement(__file__, "facts"), found, name="traffic_facts")
    found["suspects"] = engine.create(statement(__file__, "suspects"), found, name="traffic_suspects", **limits)
    return engine.create(statement(__file__, "set_aside"), found, name="aside", **limits)


def _by_rules(events: AnyTable, internal: Mapping[str, Rule]) -> Table:
    """Sessions with an event that meets a rule: session_id, reason, rule, evidence."""
    engine = engine_of(events)
    found: dict[str, AnyTable] = {}
    for name, rule in internal.items():
        matches, tables = _condition(rule)
        reason = "test" if "test" in name.lower() else "internal"
        sql = f"{statement(__file__, 'by_rule')} AND {matches}"
        found[f"rule_{len(found)}"] = engine.create(
            sql, {"events": events, **tables}, reason=reason, rule=name, **_numbers(rule)
        )
    empty = statement(__file__, "no_rule")
    return engine.create(
        " UNION ALL ".join([empty, *(f"SELECT * FROM {name}" for name in found)]), found, name="by_rule"
    )


def _condition(rule: Rule) -> tuple[str, dict[str, pd.DataFrame]]:
    """What a rule asks of one event, as SQL over quoted columns, and its patterns as a table."""
    asked = [(f"e.{quoted(column)}", getattr(rule, column)) for column in _TEXTS]
    asked += [("e.page_title", rule.title), ("e.landing", rule.landing_page)]
    wheres = list(rule.where.items())
    asked += [
        (f"CAST(e.{quoted(key)} AS VARCHAR)" if key in _WHERE else f"property(e.properties, $where_{n})", wanted)
        for n, (key, wanted) in enumerate(wheres)
    ]
    asked = [(column, wanted) for column, wanted in asked if wanted]
    parts = [
        f"EXISTS (SELECT 1 FROM patterns p WHERE p.n = {n} AND lower({column}) LIKE p.pattern ESCAPE '\\')"
        for n, (column, _) in enumerate(asked)
    ]
    parts += ["e.page_seconds >= $seconds"] if rule.seconds is not None else []
    if rule.property is not None:
        has = "number(property(e.properties, $property)) >= $at_least"
        parts.append(has if rule.at_least is not None else "property(e.properties, $property) IS NOT NULL")
    patterns = [(n, like(text)) for n, (_, wanted) in enumerate(asked) for text in wanted]
    frame = pd.DataFrame(patterns, columns=["n", "pattern"]).astype({"n": "int64", "pattern": "string"})
    return " AND ".join(parts) or "FALSE", {"patterns": frame}


def _numbers(rule: Rule) -> dict[str, object]:
    keys = {f"where_{n}": key for n, key in enumerate(rule.where)}
    return {**keys, "seconds": rule.seconds, "property": rule.property, "at_least": rule.at_least}
