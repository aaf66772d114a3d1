"""The few numbers that stand for the whole audit: what the manifest holds and other programs read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from conversion_audit.engine import AnyTable, engine_of, statement

COUNTS = ("sessions", "sessions_in_order", "visitors", "visitors_in_order")


def totals(sessions: AnyTable, orders: AnyTable, marks: AnyTable, goal: str, *, in_orders: bool) -> dict[str, Any]:
    """
    Count the period.

    Parameters
    ----------
    sessions, orders, marks : table
        See `tables`; of the period, what is set aside left out; orders from `goals.order_goals`.
    goal : str
        The main goal.
    in_orders : bool
        The goal is worth its revenue: it is completed by its orders. Else each of its marks completes it.

    Returns
    -------
    dict
        goal, sessions, visitors, bounces (None where they cannot be told), orders, completions, revenue (None where no
        order carries an amount), and naive_conversion_rate, the share of sessions with the goal (None without sessions).
    """
    found = {"sessions": sessions, "orders": orders, "marks": marks}
    row = engine_of(sessions).query(statement(__file__, "totals"), found, goal=goal).iloc[0]
    counts = {name: int(row[name]) for name in ("sessions", "visitors", "orders")}
    return {
        "goal": goal,
        **counts,
        "bounces": None if pd.isna(row.bounces) else int(row.bounces),
        "completions": int(row.goal_orders if in_orders else row.goal_marks),
        "revenue": None if pd.isna(row.revenue) else round(float(row.revenue), 2),
        "naive_conversion_rate": row.goal_sessions / row.sessions if row.sessions else None,
    }


def step_counts(
    marks: AnyTable, sessions: AnyTable, steps: Sequence[str], by_session: AnyTable, by_visitor: AnyTable
) -> pd.DataFrame:
    """
    Count sessions and visitors at each step, with the step at all and with all steps before it in order.

    Parameters
    ----------
    marks, sessions : table
        Of the period.
    steps : sequence of str
        The journey, the goal last.
    by_session, by_visitor : table
        `funnel.reached` for each unit: the chains that the funnel itself counts.

    Returns
    -------
    DataFrame
        One row per device and step, and one per step for all devices (device missing). What is in order is of the
        device on which its chain began::

             device          step  sessions  sessions_in_order  visitors  visitors_in_order
                NaN  product_view       430                430       411                411
            desktop  product_view       338                338       322                322
    """
    engine = engine_of(marks)
    named = pd.DataFrame({"step": range(1, len(steps) + 1), "name": list(steps)})
    shared = {"sessions": sessions, "steps": named}
    found = engine.query(statement(__file__, "with_step"), {"marks": marks, **shared})
    for unit, chains in (("sessions", by_session), ("visitors", by_visitor)):
        counts = engine.query(statement(__file__, "in_order"), {"reached": chains, **shared})
        found = found.merge(counts.rename(columns={"units": f"{unit}_in_order"}), on=["device", "step"], how="outer")
    devices = [None, *sorted(found.device.dropna().unique())]
    grid = pd.MultiIndex.from_product([devices, range(1, len(steps) + 1)], names=["device", "step"])
    whole = found.assign(device=found.device.astype(object).where(found.device.notna(), None))
    table = grid.to_frame(index=False).astype({"device": object})
    table = table.merge(whole.astype({"device": object}), on=["device", "step"], how="left")
    table["step"] = table["step"].map(dict(enumerate(steps, 1)))
    counts = list(COUNTS)
    return table[["device", "step", *counts]].fillna(dict.fromkeys(counts, 0)).astype(dict.fromkeys(counts, int))


def headline(totals: Mapping[str, Any], true_rate: Mapping[str, Any], steps: pd.DataFrame) -> dict[str, Any]:
    """
    Put the manifest's headline together.

    Parameters
    ----------
    totals : mapping
        See `totals`.
    true_rate : mapping
        lower, upper (bounds), estimate (None with `gates` saying why), low, high (interval), gates, expected (the
        estimate's denominator).
    steps : DataFrame
        See `step_counts`.

    Returns
    -------
    dict
        `totals`, ``true_conversion_rate``, ``steps`` and ``steps_by_device``.
    """
    per_step = ["step", *COUNTS]
    everyone = steps[steps.device.isna()][per_step].to_dict("records")
    by_device = {device: rows[per_step].to_dict("records") for device, rows in steps.groupby("device")}
    return {**totals, "true_conversion_rate": dict(true_rate), "steps": everyone, "steps_by_device": by_device}
