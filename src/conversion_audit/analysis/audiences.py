"""Whom to address: lists of visitors, each with its rule, its size, what it may be worth, its purpose and its end."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

import pandas as pd

from conversion_audit.analysis import segments
from conversion_audit.analysis.statistics import wilson
from conversion_audit.engine import AnyTable, Table, engine_of, statement

LEAST = 10  # people: a smaller list would point at persons
DAYS_VALID = {"stopped_at": 14, "cart_leavers": 14, "research": 30, "due_back": 60}
PURPOSE = {"stopped_at": "remind", "cart_leavers": "remind", "research": "advise", "due_back": "win_back"}
CART_WORDS = ("cart", "basket", "bag", "warenkorb", "panier", "carrito", "carrello", "winkelwagen")
LEAST_GAPS = 20
_COLUMNS = [
    "name", "kind", "step", "people", "later_rate", "later_low", "later_high", "of", "later_buyers", "early_visitors",
    "expected_orders", "expected_value", "purpose", "expires", "last_seen",
]  # fmt: skip


def members(people: AnyTable, sessions: AnyTable, history: AnyTable, steps: Sequence[str], goal: str) -> Table:
    """
    Return who belongs to which audience.

    ``stopped_at`` a step: it is the furthest they reached, and they did not buy. ``cart_leavers``: reached the cart step
    or further, and did not buy. ``research``: several visits, no further than the first step. ``due_back``: bought, and
    longer ago than half of those who bought again took; absent with fewer than 20 repeat purchases.

    Parameters
    ----------
    people : table
        From `segments.people`.
    sessions : table
        Sessions of the period.
    history : table
        Marks of the whole export.
    steps : sequence of str
        The journey.
    goal : str
        Name of the main goal.

    Returns
    -------
    Table
        One row per audience and visitor: kind, step (the step it is about, or missing), visitor_id, last_seen.
    """
    engine = engine_of(people, sessions, history)
    journey = [step for step in steps if step != goal]
    places = pd.DataFrame({"step": pd.Series(journey, dtype="string"), "place": range(1, len(journey) + 1)})
    tables = {"people": people, "sessions": sessions, "history": history, "steps": places}
    tables |= {
        name: engine.create(statement(__file__, name), tables, name=name, goal=goal)
        for name in ("last_purchases", "ends")
    }
    days = due_days(history, goal)
    return engine.create(
        statement(__file__, "members"), tables, name="members", cart=cart_place(journey), due_days=days
    )


def due_days(history: AnyTable, goal: str) -> float:
    """Return after how many days half of those who bought again had done so; 0 with too few to say."""
    row = engine_of(history).query(statement(__file__, "gaps"), {"history": history}, goal=goal).iloc[0]
    return float(row.days) if row.pairs >= LEAST_GAPS else 0.0


def cart_place(journey: Sequence[str]) -> int:
    """Return the place of the cart in the journey: the step named for it, else the second."""
    named = (n for n, step in enumerate(journey, 1) if any(word in step.lower() for word in CART_WORDS))
    return next(named, min(2, max(1, len(journey))))


def audience_table(
    marks: AnyTable,
    sessions: AnyTable,
    intents: AnyTable,
    history: AnyTable,
    steps: Sequence[str],
    goal: str,
    as_of: date,
    value: float = float("nan"),
) -> pd.DataFrame:
    """
    Return the audiences worth addressing.

    Parameters
    ----------
    marks, sessions, intents : table
        Of the period; intents from `intent.session_intents`.
    history : table
        Marks of the whole export.
    steps : sequence of str
        The journey.
    goal : str
        Name of the main goal.
    as_of : date
        Last day of the period: what expires is counted from it.
    value : float
        What one completion of the goal is worth; NaN where it is not known.

    Returns
    -------
    DataFrame
        One row per audience of at least ten people, the most valuable first::

            name                  kind        step      people  later_rate  expected_orders  expected_value  purpose  expires
            stopped_at_checkout   stopped_at  checkout     310       0.061             18.9           1210.  remind   ...

        `later_rate`: of visitors who were in it at the middle of the period, the share who bought in the second half; it
        is what happens anyway, not what a message adds. NaN where nobody was. `expected_value` is people x rate x
        `value`.
    """
    engine = engine_of(marks, sessions, history)
    named = segments.people(marks, sessions, intents, steps, goal)
    listed = members(named, sessions, history, steps, goal)
    sizes = engine.query(statement(__file__, "sizes"), {"members": listed}, least=LEAST)
    table = sizes.merge(_later(marks, sessions, intents, steps, goal), on=["kind", "step"], how="left")
    low, high = wilson(table.later_buyers.fillna(0), table.early_visitors.fillna(0))
    rate = table.later_buyers / table.early_visitors
    return table.assign(
        name=[_name(kind, step) for kind, step in zip(table.kind, table.step, strict=True)],
        later_rate=rate,
        later_low=low,
        later_high=high,
        of="visitors of the first half of the period",
        expected_orders=table.people * rate,
        expected_value=table.people * rate * value,
        purpose=table.kind.map(PURPOSE),
        expires=[pd.Timestamp(as_of + timedelta(days=DAYS_VALID[kind])) for kind in table.kind],
    ).sort_values(["expected_value", "people", "name"], ascending=[False, False, True], ignore_index=True)[_COLUMNS]


def audience_list(listed: AnyTable, row: Mapping[str, Any], key: bytes) -> pd.DataFrame:
    """
    Return one audience as a list that may be handed over: ids hashed with the client's key.

    Parameters
    ----------
    listed : table
        From `members`.
    row : mapping
        One row of `audience_table`.
    key : bytes
        The client's key: without it nobody can try ids against the list.

    Returns
    -------
    DataFrame
        One row per visitor, in the order of the hash::

            visitor        audience             last_seen   purpose  expires     consent
            5f0c...        stopped_at_checkout  2026-04-20  remind   2026-05-10  not known

        Empty for fewer than ten people. `consent`: an export of analytics does not say who agreed to be addressed.
    """
    step = row["step"] if isinstance(row["step"], str) else None
    found = engine_of(listed).query(statement(__file__, "chosen"), {"members": listed}, kind=row["kind"], step=step)
    found = found if len(found) >= LEAST else found.head(0)
    hashed = [hmac.new(key, visitor.encode(), hashlib.sha256).hexdigest() for visitor in found.visitor_id]
    return pd.DataFrame(
        {
            "visitor": pd.Series(hashed, dtype="string"),
            "audience": row["name"],
            "last_seen": pd.to_datetime(found.last_seen).dt.date,
            "purpose": row["purpose"],
            "expires": pd.Timestamp(row["expires"]).date(),
            "consent": "not known",
        }
    ).sort_values("visitor", ignore_index=True)


def raw_ids(listed: AnyTable, row: Mapping[str, Any], sessions: AnyTable) -> pd.DataFrame:
    """
    Return the ids of one audience as exported, for the client's own machine only; never part of a run.

    Returns
    -------
    DataFrame
        One row per user_id and device_id. Rows without consent have no id and are not here.
    """
    step = row["step"] if isinstance(row["step"], str) else None
    found = {"members": listed, "sessions": sessions}
    return engine_of(listed, sessions).query(statement(__file__, "raw"), found, kind=row["kind"], step=step)


def recipe(row: Mapping[str, Any], rules: Mapping[str, Any], steps: Sequence[str], goal: str, due: float = 0.0) -> dict:
    """
    Return what the sentences need that tell how to rebuild an audience in GA4 or Mixpanel.

    Parameters
    ----------
    row : mapping
        One row of `audience_table`.
    rules : mapping
        Name -> rule of the config.
    steps : sequence of str
        The journey.
    goal : str
        Name of the main goal.
    due : float
        From `due_days`.

    Returns
    -------
    dict
        kind, name, step, people, days, include, exclude, goal, due_days: conditions in words such as
        ``event = add_to_cart`` or ``page = /cart*``.
    """
    journey = [step for step in steps if step != goal]
    step = row["step"] if isinstance(row["step"], str) else None
    after = journey[journey.index(step) + 1 :] if step in journey else []
    beyond = [*after, goal] if row["kind"] in ("stopped_at", "research") else [goal]
    return {
        "kind": row["kind"],
        "name": row["name"],
        "step": step,
        "people": int(row["people"]),
        "days": DAYS_VALID[row["kind"]],
        "include": condition(step or goal, rules),
        "exclude": ", ".join(condition(name, rules) for name in beyond),
        "goal": condition(goal, rules),
        "due_days": round(due),
    }


def claim(table: pd.DataFrame) -> tuple[str, dict]:
    """Return the key and the record of the sentence about `audience_table`."""
    if not len(table):
        return "audiences.none", {}
    return "audiences.headline", {"count": len(table), "people": int(table.people.max())}


def condition(name: str, rules: Mapping[str, Any]) -> str:
    """Return the rule of a step in the words ad tools use: ``event = add_to_cart``, ``page = /cart*``."""
    rule = rules.get(name)
    if rule is None:
        return f"event = {name}"
    parts = [("event", rule.event), ("page", rule.page), ("page type", rule.page_type), ("page title", rule.title)]
    parts += [(key, values) for key, values in rule.where.items()]
    return " and ".join(f"{key} = {' or '.join(values)}" for key, values in parts if values) or f"event = {name}"


def _later(marks: AnyTable, sessions: AnyTable, intents: AnyTable, steps: Sequence[str], goal: str) -> pd.DataFrame:
    """Audiences as they stood in the middle of the period, and who bought after it."""
    engine = engine_of(marks, sessions)
    before, earlier, after, labelled = segments.halves(marks, sessions, intents)
    named = segments.people(earlier, before, labelled, steps, goal)
    listed = members(named, before, earlier, steps, goal)
    return engine.query(statement(__file__, "later"), {"members": listed, "later_marks": after}, goal=goal)


def _name(kind: str, step: Any) -> str:
    return f"{kind}_{step}" if kind == "stopped_at" else kind
