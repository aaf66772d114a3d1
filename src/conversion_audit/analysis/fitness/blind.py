"""Days on which the goal was not recorded: no measure of what visitors did, so no rate contains them."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd

from conversion_audit.analysis.fitness.gaps import fault
from conversion_audit.analysis.fitness.waits import soonest_goal
from conversion_audit.engine import AnyTable, engine_of, statement
from conversion_audit.findings import Finding

LEAST_EXPECTED = 25.0
"""Sessions that were to reach the goal in a silent stretch: none of 25 comes by chance once in 70 billion times."""
COLUMNS = ["date", "sessions", "goal_sessions", "expected", "book_orders"]


def blind_days(
    sessions: AnyTable, marks: AnyTable, book_orders: AnyTable, goal: str, start: date, end: date
) -> pd.DataFrame:
    """
    Find whole days without the goal where it was certain to occur.

    A stretch of days without the goal is blind where the rates of the same weekdays outside it (with fewer than 21 days:
    that of all days) let at least 25 sessions expect it; days between two rare orders count among them, so a gap between
    orders is no outage. Where the shop's own books were given, a day on which they hold no order either is left alone:
    nobody bought, and that is a finding of chapter 04 and no gap. Nor are days blind that are too early for anybody.

    Parameters
    ----------
    sessions, marks, book_orders : table
        See `tables`; of the whole export, what is set aside is not counted.
    goal : str
        The main goal.
    start, end : date
        The period.

    Returns
    -------
    DataFrame
        One row per blind day: date, sessions (that are left out of every rate), goal_sessions (0), expected (sessions with
        the goal, at the weekday's rate outside the stretch), book_orders (NaN without books).
    """
    found = {"sessions": sessions, "marks": marks, "book_orders": book_orders}
    days = engine_of(sessions, marks, book_orders).query(
        statement(__file__, "goal_days"), found, goal=goal, start=start, end=end
    )
    days["date"] = pd.to_datetime(days["date"])
    if days.empty or not days["goal_sessions"].any():
        return days.assign(expected=np.nan)[COLUMNS].head(0)
    weekday = (days["date"].dt.day_of_week if len(days) >= 21 else days["sessions"] * 0).rename("weekday")
    silent = days["goal_sessions"] == 0
    stretch = (silent != silent.shift()).cumsum().rename("stretch")
    every = days.groupby(weekday)[["sessions", "goal_sessions"]].transform("sum")
    outside = every["sessions"] - days.groupby([stretch, weekday])["sessions"].transform("sum")
    usual = (every["goal_sessions"] / outside).where(outside > 0, 0.0)
    days["expected"] = usual * days["sessions"]
    certain = days.groupby(stretch)["expected"].transform("sum") >= LEAST_EXPECTED
    nobody_bought = days["book_orders"] == 0
    blind = silent & certain & ~nobody_bought
    if blind.any():
        blind &= days["date"] >= soonest_goal(sessions, marks, goal)
    return days.loc[blind, COLUMNS].reset_index(drop=True)


def left_out(days: pd.DataFrame, goal: str) -> list[Finding]:
    """Say which days no rate contains, and how many visits that is."""
    if days.empty:
        return []
    values = {
        "step": goal,
        "days": len(days),
        "sessions": int(days["sessions"].sum()),
        "expected": float(days["expected"].sum()),
        "first": days["date"].min().date(),
        "last": days["date"].max().date(),
    }
    window = {"since": str(values["first"]), "until": str(values["last"])}
    return [fault("blind_days", "medium", ("01", "04", "06"), values, **window)]
