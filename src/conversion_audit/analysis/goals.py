"""What counts as success: goals and KPIs with their interval, their target and their own past."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from conversion_audit.analysis.statistics import difference, repeat_effect, repeat_wilson, wilson
from conversion_audit.engine import AnyTable, Table, engine_of, statement
from conversion_audit.findings import Finding


def reach(marks: AnyTable, sessions: AnyTable, names: Sequence[str]) -> pd.DataFrame:
    """
    Return how many sessions and visitors show each name, and how often.

    Parameters
    ----------
    marks : table
        At least those of `sessions`; further ones do not count.
    sessions : table
        The sessions looked at: the base of every rate.
    names : sequence of str
        Names in `marks`.

    Returns
    -------
    DataFrame
        One row per name, in their order::

            name      completions  sessions  visitors  all_sessions  all_visitors  session_rate  session_low ...
            purchase           46        43        42          2556          2293        0.0168       0.0124

        with session_high, visitor_rate, visitor_low, visitor_high. Session intervals allow for repeated visits.
    """
    engine = engine_of(marks, sessions)
    named = pd.DataFrame({"name": list(names), "place": range(len(names))}).astype({"name": "string"})
    table = engine.query(
        statement(__file__, "goal_counts"), {"marks": marks, "sessions": sessions, "names": named}
    ).astype({"name": object})
    rate = table.sessions / table.all_sessions.where(table.all_sessions > 0)
    sums = table.hits_hits, table.hits_tries, table.tries_tries
    session_low, session_high = repeat_wilson(table.sessions, table.all_sessions, *sums)
    visitor_low, visitor_high = wilson(table.visitors, table.all_visitors)
    counts = ["completions", "sessions", "visitors", "all_sessions", "all_visitors"]
    return (
        table[["name", *counts]]
        .astype(dict.fromkeys(counts, int))
        .assign(
            session_rate=rate,
            session_low=session_low,
            session_high=session_high,
            visitor_rate=table.visitors / table.all_visitors.where(table.all_visitors > 0),
            visitor_low=visitor_low,
            visitor_high=visitor_high,
        )
    )


def order_goals(orders: AnyTable, marks: AnyTable, events: AnyTable, goals: Sequence[str]) -> Table:
    """
    Say of which goal each order is, so that it counts once.

    Parameters
    ----------
    orders : table
        See `tables.ORDERS`.
    marks, events : table
        At least those of the orders' sessions.
    goals : sequence of str
        The goals worth revenue.

    Returns
    -------
    Table
        The orders with ``goal``: the goal whose event is the order's, else one at the same instant, else the first
        (missing without goals).
    """
    named = pd.DataFrame({"name": list(goals), "place": range(len(goals))}).astype({"name": "string"})
    tables = {"orders": orders, "marks": marks, "events": events, "names": named}
    first = next(iter(goals), None)
    return engine_of(marks, orders, events).create(
        statement(__file__, "order_goals"), tables, name="order_goals", first=first
    )


def goal_table(
    marks: AnyTable,
    sessions: AnyTable,
    orders: AnyTable,
    values: Mapping[str, Any],
    targets: Mapping[str, float | None],
    *,
    history: AnyTable | None = None,
    past_sessions: AnyTable | None = None,
) -> pd.DataFrame:
    """
    Return each goal with its rate, worth, target and own past.

    Parameters
    ----------
    marks, sessions, orders : table
        Of the period; orders from `order_goals`.
    values : mapping
        Goal -> ``"revenue"`` (that of its orders), an amount, or None: what one completion is worth.
    targets : mapping
        Goal -> rate of sessions aimed at, or None.
    history, past_sessions : table, optional
        Marks at least of the period before, and its sessions.

    Returns
    -------
    DataFrame
        One row per goal: goal, completions, sessions, visitors, all_sessions, the rates of `reach`, revenue (NaN for a
        goal without value), target, meets ("yes", "no", "cannot say"; missing without target), past_rate, past_low,
        past_high, change_points and its interval (NaN without a past).
    """
    goals = list(values)
    table = reach(marks, sessions, goals)
    paid = _paid(orders, [goal for goal, value in values.items() if value == "revenue"])
    worth = [
        _worth(values[row.name], row.completions) for row in table[["name", "completions"]].itertuples(index=False)
    ]
    table = table.assign(
        completions=table.name.map(paid.orders).fillna(table.completions).astype(int),
        revenue=table.name.map(paid.revenue).fillna(pd.Series(worth, dtype=float)).astype(float),
    )
    table = table.assign(target=table.name.map(dict(targets)).astype(float))
    table["meets"] = [_meets(row.target, False, row.session_low, row.session_high) for row in table.itertuples()]
    past = reach(history, past_sessions, goals) if history is not None and past_sessions is not None else None
    return with_past(table, past).rename(columns={"name": "goal"})


def kpi_table(marks: AnyTable, kpis: Sequence[Mapping[str, Any]], *, past: AnyTable | None = None) -> pd.DataFrame:
    """
    Return each KPI: of the sessions or visitors with one thing, the share with, or without, another.

    Parameters
    ----------
    marks : table
        Of the period.
    kpis : sequence of mapping
        Each with name, of, reach or without, unit, and target as ``{"at": .65, "below": True}`` or None.
    past : table, optional
        Marks of the period before.

    Returns
    -------
    DataFrame
        One row per KPI: kpi, of, unit, numerator, denominator, rate, low, high, target, is_ceiling, meets, past_rate,
        past_low, past_high. NaN where nothing of the kind occurred. Intervals of sessions allow for repeated visits.
    """
    rows = [_kpi(marks, kpi) for kpi in kpis]
    columns = ["kpi", "of", "unit", "numerator", "denominator", "target", "is_ceiling", "effect"]
    table = pd.DataFrame(rows, columns=columns)
    effect = table.pop("effect").astype(float)
    low, high = wilson(table.numerator / effect, table.denominator / effect)
    table = table.assign(rate=_share(table.numerator, table.denominator), low=low, high=high)
    table["meets"] = [_meets(row.target, row.is_ceiling, row.low, row.high) for row in table.itertuples()]
    if past is None:
        return table.assign(past_rate=np.nan, past_low=np.nan, past_high=np.nan)
    before = kpi_table(past, kpis)
    return table.assign(past_rate=before.rate, past_low=before.low, past_high=before.high)


def with_past(table: pd.DataFrame, past: pd.DataFrame | None) -> pd.DataFrame:
    """Return the table with past_rate, past_low, past_high, and change_points of the session rate with its interval."""
    columns = ["past_rate", "past_low", "past_high", "change_points", "change_points_low", "change_points_high"]
    if past is None or not past.all_sessions.sum():
        return table.assign(**dict.fromkeys(columns, np.nan))
    now, before = (table.session_low, table.session_high), (past.session_low, past.session_high)
    low, high = difference(table.session_rate, now, past.session_rate, before)
    change = table.session_rate - past.session_rate
    values = [past.session_rate, past.session_low, past.session_high, change, low, high]
    return table.assign(**dict(zip(columns, values, strict=True)))


def findings(goals: pd.DataFrame, kpis: pd.DataFrame, main_goal: str) -> list[Finding]:
    """
    Return what the goals say: the main goal's rate, targets missed for sure, and changes larger than chance.

    Parameters
    ----------
    goals, kpis : DataFrame
        From `goal_table` and `kpi_table`.
    main_goal : str
        Always told, first.
    """
    found = [_rate_finding(row) for row in goals.to_dict("records") if row["goal"] == main_goal and row["all_sessions"]]
    found += [
        Finding(
            "goal",
            "01",
            "goals.target_missed",
            "medium",
            values=row | {"key": row["goal"]},
            next_step="goals.look_at_funnel",
        )
        for row in goals.to_dict("records")
        if row["meets"] == "no"
    ]
    found += [
        Finding(
            "goal",
            "01",
            "goals.kpi_missed",
            "medium",
            values=row | {"key": row["kpi"]},
            next_step="goals.look_at_funnel",
        )
        for row in kpis.to_dict("records")
        if row["meets"] == "no"
    ]
    moved = [row for row in goals.to_dict("records") if row["change_points_low"] > 0 or row["change_points_high"] < 0]
    found += [
        Finding(
            "goal",
            "01",
            "goals.rose" if row["change_points"] > 0 else "goals.fell",
            "low" if row["change_points"] > 0 else "medium",
            values=row | {"key": row["goal"]},
            next_step="goals.look_at_change",
        )
        for row in moved
    ]
    return found


def _rate_finding(row: Mapping[str, Any]) -> Finding:
    claim = "goals.rate" if pd.isna(row["revenue"]) else "goals.rate_and_value"
    return Finding("observation", "01", claim, "info", values=dict(row))


def _kpi(marks: AnyTable, kpi: Mapping[str, Any]) -> dict[str, Any]:
    other, unit, target = kpi.get("without") or kpi["reach"], kpi["unit"], kpi.get("target")
    sql = statement(__file__, "kpi_counts")
    counts = engine_of(marks).query(sql, {"marks": marks}, of=kpi["of"], other=other)
    sums = counts.hits_hits, counts.hits_tries, counts.tries_tries
    effect = repeat_effect(counts.sessions_done, counts.sessions, *sums).iloc[0] if unit == "session" else 1.0
    row = counts.iloc[0]
    base, done = int(row[f"{unit}s"]), int(row[f"{unit}s_done"])
    return {
        "kpi": kpi["name"],
        "of": kpi["of"],
        "unit": unit,
        "numerator": base - done if kpi.get("without") else done,
        "denominator": base,
        "target": target["at"] if target else np.nan,
        "is_ceiling": bool(target and target["below"]),
        "effect": effect,
    }


def _paid(orders: AnyTable, goals: Sequence[str]) -> pd.DataFrame:
    if not goals:
        return pd.DataFrame({"orders": [], "revenue": []}, dtype=float)
    found = engine_of(orders).query(statement(__file__, "revenue"), {"orders": orders})
    return found.astype({"name": object, "orders": float, "revenue": float}).set_index("name")


def _worth(value: Any, completions: int) -> float:
    return np.nan if value is None or value == "revenue" else float(value) * completions


def _share(part: pd.Series, whole: pd.Series) -> pd.Series:
    return part.astype(float) / whole.where(whole > 0).astype(float)


def _meets(target: float, is_ceiling: bool, low: float, high: float) -> str | None:
    if pd.isna(target) or pd.isna(low):
        return None
    if high <= target:
        return "yes" if is_ceiling else "no"
    if low >= target:
        return "no" if is_ceiling else "yes"
    return "cannot say"
