"""The ladder of micro-conversions: who reaches each, when, on which visit, and how near it is to the goal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import get_close_matches

import numpy as np
import pandas as pd

from conversion_audit.analysis.goals import reach
from conversion_audit.analysis.statistics import VISITOR_SUMS, repeat_wilson, wilson
from conversion_audit.analysis.visits import compare
from conversion_audit.engine import AnyTable, engine_of, statement
from conversion_audit.findings import Finding

AUTOMATIC = frozenset({"page_view", "session_start", "first_visit", "user_engagement", "scroll", "screen_view",
                       "first_open", "app_remove", "os_update", "alias", "properties set"})  # fmt: skip
NARROW = 0.05
MOST_TOLD = 3


def ladder(
    marks: AnyTable,
    history: AnyTable,
    sessions: AnyTable,
    types: Mapping[str, str],
    goal: str,
    *,
    window: float,
    until: pd.Timestamp,
) -> pd.DataFrame:
    """
    Return the micro-conversions from first touch to goal.

    Parameters
    ----------
    marks, sessions : table
        Of the period.
    history : table
        Marks of the whole export with ``in_period``.
    types : mapping
        Name -> destination, time, action, negative or goal, in the order declared.
    goal : str
        The goal that closeness is measured to.
    window : float
        Seconds within which a visitor may still reach the goal.
    until : Timestamp
        Last time of the export, naive UTC: who got there later than `until` - `window` is not judged.

    Returns
    -------
    DataFrame
        One row per name, widest reach first and the goal last: name, type, sessions, all_sessions, reach_rate with
        reach_low and reach_high, completions, median_seconds (from the session's start), goal_sessions and
        closeness_rate with its interval (of the sessions with it, those that reach the goal afterwards; repeated visits
        are allowed for), rated_visitors, within_goal_visitors and within_rate with its interval (of the visitors with it,
        those who reach the goal within the window), and of its visitors the share first reaching it on visit 1, 2, 3 or later:
        first_visit_share, second_visit_share, later_visit_share. NaN where nobody had it; the goal has no closeness.
    """
    engine = engine_of(marks, history, sessions)
    names = list(types)
    named = {"names": _named(names), "marks": marks, "history": history, "sessions": sessions}
    found = engine.query(statement(__file__, "ladder"), named, goal=goal)
    asked = {"goal": goal, "window": float(window), "until": until}
    people = engine.query(statement(__file__, "visitor_ladder"), named, **asked).drop(columns="visitors")
    table = reach(marks, sessions, names).rename(columns=_reach)
    keep = ["name", "completions", "sessions", "visitors", "all_sessions", "reach_rate", "reach_low", "reach_high"]
    table = (
        table[keep].merge(found.drop(columns="sessions"), on="name", how="left").merge(people, on="name", how="left")
    )
    table.insert(1, "type", [types[name] for name in table.name])
    table = _visit_shares(_closeness(table, goal))
    table["place"] = (table.name == goal).astype(int)
    return (
        table.sort_values(["place", "sessions", "name"], ascending=[True, False, True])
        .drop(columns="place", errors="ignore")
        .reset_index(drop=True)
    )


def weekly(marks: AnyTable, sessions: AnyTable, names: Sequence[str], start: pd.Timestamp) -> pd.DataFrame:
    """
    Return reach by week of the period, for first and repeat visits.

    Returns
    -------
    DataFrame
        One row per name, week and kind of visit: name, week (its first day), visit (first, repeat), sessions,
        all_sessions, reach_rate, reach_low, reach_high; intervals allow for repeated visits.
    """
    tables = {"marks": marks, "sessions": sessions, "names": _named(names)}
    start = pd.Timestamp(start)
    table = engine_of(marks, sessions).query(statement(__file__, "weekly"), tables, start=start)
    low, high = repeat_wilson(table.sessions, table.all_sessions, *(table.pop(name) for name in VISITOR_SUMS))
    return table.assign(
        week=start + pd.to_timedelta(7 * table.week, unit="D"),
        reach_rate=table.sessions / table.all_sessions,
        reach_low=low,
        reach_high=high,
    )


def change(marks: AnyTable, sessions: AnyTable, weeks: pd.DataFrame) -> pd.DataFrame:
    """
    Return what moved within the period: reach in the later half of its weeks less that in the earlier.

    A middle week of an odd number belongs to neither half.

    Parameters
    ----------
    marks, sessions : table
        Of the period.
    weeks : DataFrame
        From `weekly`.

    Returns
    -------
    DataFrame
        One row per name: name, change_points, change_points_low, change_points_high; repeated visits are allowed for. None
        where there are not two weeks.
    """
    days = sorted(weeks.week.unique())
    half, engine = len(days) // 2, engine_of(marks, sessions)
    columns = ["name", "change_points", "change_points_low", "change_points_high"]
    if not half:
        return pd.DataFrame(columns=columns)
    sql = "SELECT * FROM sessions WHERE date >= CAST($first AS TIMESTAMP) AND date < CAST($until AS TIMESTAMP)"
    early, late = (
        engine.create(sql, {"sessions": sessions}, first=first, until=until)
        for first, until in ((days[0], days[half]), (days[-half], days[-1] + pd.Timedelta(days=7)))
    )
    found = compare(marks, late, early, list(dict.fromkeys(weeks.name)))
    engine.drop(early, late)
    return found.filter(regex="^name$|^difference").set_axis(columns, axis="columns")


def attention(
    rungs: pd.DataFrame,
    weeks: pd.DataFrame,
    moved: pd.DataFrame,
    *,
    steps: Sequence[str] = (),
    min_sessions: int = 30,
) -> pd.DataFrame:
    """
    Return which micro-conversions deserve attention now: reach, closeness to the goal, and change over the period.

    Parameters
    ----------
    rungs : DataFrame
        From `ladder`.
    weeks, moved : DataFrame
        From `weekly` and `change`.
    steps : sequence of str
        The journey: its later steps are reached by few and are near the goal by their nature.
    min_sessions : int
        Fewer sessions with it: too few to say.

    Returns
    -------
    DataFrame
        One row per micro-conversion: name, type, reach_rate, first_reach_rate and repeat_reach_rate (of first and of
        repeat visits), closeness_rate, change_points with its interval, attention and why::

            attention     why
            work on       close and falling; close but rarely reached; an error that spreads and goes with fewer goals
            watch         moving, but not close to the goal; too few to say
            leave alone   steady

        Close: of those with it, more than twice as many reach the goal as of all.
    """
    goal_rate = float(rungs[rungs.type == "goal"].reach_rate.max()) if (rungs.type == "goal").any() else np.nan
    table = rungs[rungs.type != "goal"][
        ["name", "type", "sessions", "reach_rate", "closeness_rate", "closeness_low", "closeness_high"]
    ].merge(moved, on="name", how="left")
    table = table.merge(_by_visit(weeks), on="name", how="left")
    judged = [_judgement(row, goal_rate, row.name in steps, min_sessions) for row in table.itertuples(index=False)]
    table["attention"] = [verdict for verdict, _ in judged]
    table["why"] = [why for _, why in judged]
    table["place"] = table.attention.map({"work on": 0, "watch": 1, "leave alone": 2})
    ordered = table.sort_values(["place", "sessions", "name"], ascending=[True, False, True])
    return ordered.drop(columns=["place", "closeness_low", "closeness_high"]).reset_index(drop=True)


def uncovered(events: AnyTable, marks: AnyTable, names: Sequence[str]) -> pd.DataFrame:
    """Return the events that no name covers, biggest first: event, events, sessions, is_automatic (not an act of a person)."""
    tables = {"events": events, "marks": marks, "names": _named(names)}
    table = engine_of(events, marks).query(statement(__file__, "uncovered"), tables)
    is_automatic = table.event.isin(AUTOMATIC) | (table.is_page == 1)
    return table.drop(columns="is_page").assign(is_automatic=is_automatic)


def never_seen(marks: AnyTable, names: Sequence[str], seen: Sequence[str]) -> pd.DataFrame:
    """Return the declared names that never occur, each with the closest of the export's events or pages: name, closest."""
    missing = engine_of(marks).query(statement(__file__, "never_seen"), {"marks": marks, "names": _named(names)}).name
    closest = [next(iter(get_close_matches(name, list(seen), n=1, cutoff=0.5)), None) for name in missing]
    return pd.DataFrame({"name": list(missing), "closest": closest}, dtype=object)


def findings(table: pd.DataFrame, missing: pd.DataFrame, loose: pd.DataFrame) -> list[Finding]:
    """
    Return what the ladder says: what to work on, what is declared and never seen, what is large and covered by nothing.

    Parameters
    ----------
    table, missing, loose : DataFrame
        From `attention`, `never_seen` and `uncovered`.
    """
    found = [
        Finding(
            "goal",
            "01",
            f"goals.attention_{row['why']}",
            "low",
            "watch",
            values=row | {"key": row["name"]},
            next_step="goals.look_at_rung",
            step=row["name"],
        )
        for row in table[table.attention == "work on"].head(MOST_TOLD).to_dict("records")
    ]
    found += [
        Finding(
            "tracking",
            "01",
            "goals.never_seen" if pd.isna(row["closest"]) else "goals.never_seen_closest",
            "low",
            values=row | {"key": row["name"]},
            next_step="goals.check_tracking",
            step=row["name"],
            owner="tracking",
        )
        for row in missing.to_dict("records")
    ]
    mine = loose[~loose.is_automatic]
    if len(mine):
        values = {"count": len(mine), **mine.iloc[0].to_dict()}
        found.append(Finding("observation", "01", "goals.uncovered", "info", values=values))
    return found


_reach = {"session_rate": "reach_rate", "session_low": "reach_low", "session_high": "reach_high"}


def _named(names: Sequence[str]) -> pd.DataFrame:
    return pd.DataFrame({"name": list(names), "place": range(len(names))}).astype({"name": "string"})


def _closeness(table: pd.DataFrame, goal: str) -> pd.DataFrame:
    own = table.name == goal
    had, there = table.sessions.mask(own, 0), table.goal_sessions.fillna(0).mask(own, 0)
    rated, later = table.rated_visitors.fillna(0).mask(own, 0), table.within_goal_visitors.fillna(0).mask(own, 0)
    low, high = repeat_wilson(there, had, *(table[name].mask(own, 0) for name in VISITOR_SUMS))
    within_low, within_high = wilson(later, rated)
    return table.drop(columns=list(VISITOR_SUMS)).assign(
        goal_sessions=there.astype(int),
        closeness_rate=there / had.where(had > 0),
        closeness_low=low,
        closeness_high=high,
        rated_visitors=rated.astype(int),
        within_goal_visitors=later.astype(int),
        within_rate=later / rated.where(rated > 0),
        within_low=within_low,
        within_high=within_high,
    )


def _visit_shares(table: pd.DataFrame) -> pd.DataFrame:
    visits = ["first_visit", "second_visit", "later_visit"]
    total = table[visits].sum(axis=1)
    shares = {f"{visit}_share": table[visit] / total.where(total > 0) for visit in visits}
    return table.drop(columns=visits).assign(**shares)


def _by_visit(weeks: pd.DataFrame) -> pd.DataFrame:
    sums = weeks.groupby(["name", "visit"])[["sessions", "all_sessions"]].sum()
    rates = (sums.sessions / sums.all_sessions.where(sums.all_sessions > 0)).unstack("visit")
    rates = rates.reindex(columns=["first", "repeat"])
    return rates.rename(columns={"first": "first_reach_rate", "repeat": "repeat_reach_rate"}).reset_index()


def _judgement(row, goal_rate: float, is_step: bool, min_sessions: int) -> tuple[str, str]:
    falling, rising = row.change_points_high < 0, row.change_points_low > 0
    if row.sessions < min_sessions:
        return "watch", "too_few"
    if row.type == "negative":
        return ("work on", "spreading") if rising and row.closeness_high < goal_rate else _drift(falling, rising)
    is_close = row.closeness_low > 2 * goal_rate
    if is_close and falling:
        return "work on", "close_falling"
    if is_close and not is_step and row.reach_rate < NARROW and row.closeness_rate < 0.5:
        return "work on", "close_narrow"
    return _drift(falling, rising)


def _drift(falling: bool, rising: bool) -> tuple[str, str]:
    return ("watch", "falling" if falling else "rising") if falling or rising else ("leave alone", "steady")
