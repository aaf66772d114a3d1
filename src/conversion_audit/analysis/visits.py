"""When visits come, where they land, and which campaign brought them: how each goes with the goal."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from conversion_audit.analysis.goals import reach
from conversion_audit.analysis.statistics import VISITOR_SUMS, difference, repeat_wilson
from conversion_audit.engine import AnyTable, Table, engine_of, quoted, statement


def hours(sessions: AnyTable, marks: AnyTable, goal: str) -> pd.DataFrame:
    """
    Return the hours of the week, in the client's time zone.

    Returns
    -------
    DataFrame
        One row per weekday (0 Monday) and hour that had visits: weekday, hour, sessions, goal_sessions, goal_rate with
        goal_low and goal_high; intervals allow for repeated visits.
    """
    tables = {"sessions": sessions, "marks": marks}
    table = engine_of(sessions, marks).query(statement(__file__, "hours"), tables, goal=goal)
    sums = [table.pop(name) for name in VISITOR_SUMS]
    low, high = repeat_wilson(table.goal_sessions, table.sessions, *sums)
    table = table.astype(dict.fromkeys(("weekday", "hour", "sessions", "goal_sessions"), int))
    return table.assign(goal_rate=table.goal_sessions / table.sessions, goal_low=low, goal_high=high)


def by_column(
    sessions: AnyTable, marks: AnyTable, column: str, *, step: str, goal: str, fewest: int = 1
) -> pd.DataFrame:
    """
    Return bounces, entries into the journey and goals by one column of sessions, e.g. landing_page or campaign.

    Parameters
    ----------
    sessions, marks : table
        Of the period.
    column : str
        Column of sessions.
    step, goal : str
        The journey's first step, and the goal.
    fewest : int
        Values with fewer sessions are one row ``(other)``.

    Returns
    -------
    DataFrame
        One row per value, most sessions first and ``(other)`` last: the column, sessions, visitors, bounces, bounce_rate, entered_sessions,
        entered_rate, goal_sessions, goal_rate, each rate with its interval, of `sessions`. Intervals allow for repeated
        visits.
    """
    engine = engine_of(sessions, marks)
    label = f"SELECT *, COALESCE(CAST({quoted(column)} AS VARCHAR), '(not set)') AS label FROM sessions"
    labelled = engine.create(label, {"sessions": sessions}, name="labelled")
    tables = {"labelled": labelled, "marks": marks}
    table = engine.query(statement(__file__, "groups"), tables, step=step, goal=goal, fewest=fewest)
    engine.drop(labelled)
    counts = ["sessions", "visitors", "bounces", "entered_sessions", "goal_sessions"]
    rates = table[["label", *counts]].astype(dict.fromkeys(counts, int))
    for count, rate in (("bounces", "bounce"), ("entered_sessions", "entered"), ("goal_sessions", "goal")):
        sums = (table[f"{count}_squared"], table[f"{count}_tries"], table.tries_tries)
        low, high = repeat_wilson(table[count], table.sessions, *sums)
        rates = rates.assign(
            **{f"{rate}_rate": table[count] / table.sessions, f"{rate}_low": low, f"{rate}_high": high}
        )
    if not engine.query("SELECT COUNT(is_bounce) AS known FROM sessions", {"sessions": sessions}).known[0]:
        unknown = ["bounces", "bounce_rate", "bounce_low", "bounce_high"]
        rates = rates.assign(**dict.fromkeys(unknown, float("nan")))
    return rates.rename(columns={"label": column})


def largest(sessions: AnyTable, column: str) -> list[str]:
    """Return the known values of a column of sessions as text, most sessions first."""
    label = f"SELECT CAST({quoted(column)} AS VARCHAR) AS label FROM sessions WHERE {quoted(column)} IS NOT NULL"
    sql = f"SELECT label, COUNT(*) AS n FROM ({label}) AS labels GROUP BY label ORDER BY COUNT(*) DESC, label"
    return list(engine_of(sessions).query(sql, {"sessions": sessions}).label)


def with_value(sessions: AnyTable, column: str, value: str) -> Table:
    """Return the sessions with one value in a column."""
    sql = f"SELECT * FROM sessions WHERE CAST({quoted(column)} AS VARCHAR) = $value"
    return engine_of(sessions).create(sql, {"sessions": sessions}, name="group", value=value)


def compare(marks: AnyTable, a: AnyTable, b: AnyTable, names: Sequence[str]) -> pd.DataFrame:
    """
    Return two groups of sessions side by side: who reaches what, a minus b.

    Parameters
    ----------
    marks : table
        Holding the marks of both groups.
    a, b : table
        Sessions of each group.
    names : sequence of str
        Steps or micro-conversions.

    Returns
    -------
    DataFrame
        One row per name: name, a_sessions, a_all, a_rate, a_low, a_high, the same for b, difference_points with
        difference_points_low and difference_points_high.

    References
    ----------
    Newcombe 1998b; each rate's interval allows for repeated visits.
    """
    mine, other = reach(marks, a, names), reach(marks, b, names)
    ours, theirs = ((rows.session_low, rows.session_high) for rows in (mine, other))
    low, high = difference(mine.session_rate, ours, other.session_rate, theirs)
    table = pd.DataFrame({"name": mine.name})
    for group, rows in (("a", mine), ("b", other)):
        table = table.assign(
            **{
                f"{group}_sessions": rows.sessions,
                f"{group}_all": rows.all_sessions,
                f"{group}_rate": rows.session_rate,
                f"{group}_low": rows.session_low,
                f"{group}_high": rows.session_high,
            }
        )
    return table.assign(
        difference_points=table.a_rate - table.b_rate, difference_points_low=low, difference_points_high=high
    )
