"""What comes before the goal and what comes after it: tracking, review, return, the next purchase."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from conversion_audit.analysis.funnel import with_period
from conversion_audit.analysis.statistics import wilson
from conversion_audit.engine import AnyTable, engine_of, statement


def around_goal(history: AnyTable, events: AnyTable, goal: str, names: Sequence[str]) -> pd.DataFrame:
    """
    Return what visitors who reached the goal did before it, in its session, and after it, at any time.

    Parameters
    ----------
    history : table
        Marks of the whole export with ``in_period``; the first goal of the period counts.
    events : table
        Of the whole export: the time spent on a page.
    goal : str
        The goal.
    names : sequence of str
        What to look for: micro-conversions and steps after the goal.

    Returns
    -------
    DataFrame
        One row per time (before, after) and name, widest reach first: when_it_was, name, visitors, all_visitors (with the
        goal), reach_rate with its interval, times_per_visitor, median_seconds (from it to the goal, or from the goal
        to it), seconds_spent (on its pages, per visitor whose time there is known; NaN where nobody's is).
    """
    engine = engine_of(history, events)
    named = pd.DataFrame({"name": [name for name in names if name != goal]}, dtype="string")
    tables = {"history": with_period(engine, history), "events": events, "names": named}
    table = engine.query(statement(__file__, "around"), tables, goal=goal)
    low, high = wilson(table.visitors, table.all_visitors)
    return table.assign(
        reach_rate=table.visitors / table.all_visitors,
        reach_low=low,
        reach_high=high,
        times_per_visitor=table.times / table.visitors,
    ).drop(columns="times")
