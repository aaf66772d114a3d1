"""The funnel in every segment: one small aggregation for all columns together."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from conversion_audit.analysis.funnel import with_period
from conversion_audit.analysis.funnel_steps import design_effects
from conversion_audit.analysis.statistics import wilson
from conversion_audit.engine import AnyTable, Engine, Table, engine_of, grouping_sets, quoted, statement

UNKNOWN = "(not set)"


def by_segment(
    reached: AnyTable, marks: AnyTable, sessions: AnyTable, steps: Sequence[str], columns: Sequence[str]
) -> pd.DataFrame:
    """
    Return the funnel of every value of every column.

    A unit belongs to the segment of the session in which its chain began; a session to its own.

    Parameters
    ----------
    reached : table
        From `funnel.reached`, for sessions or visitors.
    marks : table
        Of the period; who shows a step at all is counted from it.
    sessions : table
        Of the period; holds the columns.
    steps : sequence of str
        The journey.
    columns : sequence of str
        Columns of `sessions`, e.g. ``["device", "channel"]``.

    Returns
    -------
    DataFrame
        One row per column, segment and step::

            column  segment  step_number  step         all_sessions  sessions  visitors  in_order  previous  step_rate
            device  desktop            1  view_item            1742       338       327       338       ...
            device  desktop            2  add_to_cart          1742       150       147       120       338      0.355

        `sessions` and `visitors` show the step at all, `in_order` counts the unit of `reached` (rates are of `rated`
        ones). step_low, step_high and total_rate with its interval follow; intervals allow for repeated visits. A
        missing value is the segment "(not set)". Rates are NaN where nobody could have gone on.
    """
    engine = engine_of(reached, marks, sessions)
    depths = engine.create(statement(__file__, "depths", stem="funnel_steps"), {"reached": reached}, name="depths")
    tables = {"depths": depths, "sessions": sessions, "marks": with_period(engine, marks), "steps": _steps(steps)}
    marked = engine.create(statement(__file__, "marked_sessions", stem="funnel_steps"), tables, name="marked")
    chains = _grouped(engine, depths, sessions, ["depth", "rated_depth"], columns)
    shown = _grouped(engine, marked, sessions, ["step_number"], columns)
    every = _grouped(engine, engine.view("SELECT session_id FROM s", {"s": sessions}), sessions, [], columns)
    table = _with_bases(_counted(_sizes(every), chains, shown, steps))
    placed = _placed(engine, sessions, columns)
    effects = design_effects(depths, placed, table.assign(segment=table.column + ": " + table.segment))
    engine.drop(depths, marked, placed)
    return _with_rates(table, effects)


def _placed(engine: Engine, sessions: AnyTable, columns: Sequence[str]) -> Table:
    """Sessions once for every column, their segment named for it and its value."""
    value = "COALESCE(CAST({} AS VARCHAR), $unknown)"
    parts = [
        f"SELECT session_id, visitor_id, $column{n} || ': ' || {value.format(quoted(column))} AS segment FROM s"
        for n, column in enumerate(columns)
    ]
    named = {f"column{n}": column for n, column in enumerate(columns)}
    return engine.create(" UNION ALL ".join(parts), {"s": sessions}, name="placed", unknown=UNKNOWN, **named)


def _grouped(
    engine: Engine, rows: AnyTable, sessions: AnyTable, keys: Sequence[str], columns: Sequence[str]
) -> pd.DataFrame:
    """Count rows, and their visitors, by `keys` in every value of every column."""
    texts = ", ".join(f"COALESCE(CAST(sessions.{quoted(c)} AS VARCHAR), $unknown) AS {quoted(c)}" for c in columns)
    own = "".join(f"rows.{quoted(key)}, " for key in keys)
    inner = f"SELECT {own}sessions.visitor_id, {texts} FROM rows JOIN sessions ON sessions.session_id = rows.session_id"
    named = ", ".join(quoted(c) for c in [*keys, *columns])
    sql = (
        f"SELECT {named}, COUNT(*) AS units, COUNT(DISTINCT visitor_id) AS visitors FROM ({inner}) AS placed"
        f" GROUP BY GROUPING SETS {grouping_sets([[*keys, c] for c in columns])}"
    )
    wide = engine.query(sql, {"rows": rows, "sessions": sessions}, unknown=UNKNOWN)
    long = wide.melt([*keys, "units", "visitors"], list(columns), "column", "segment")
    return long.dropna(subset=["segment"])


_KEY = ["column", "segment"]


def _sizes(every: pd.DataFrame) -> pd.DataFrame:
    ordered = every.assign(place=pd.factorize(every.column)[0]).sort_values(
        ["place", "units", "segment"], ascending=[True, False, True]
    )
    return ordered[[*_KEY, "units"]].rename(columns={"units": "all_sessions"}).reset_index(drop=True)


def _counted(sizes: pd.DataFrame, chains: pd.DataFrame, shown: pd.DataFrame, steps: Sequence[str]) -> pd.DataFrame:
    """One row per segment and step: who shows it at all, who came at least so far."""
    numbered = pd.DataFrame({"step_number": range(1, len(steps) + 1), "step": list(steps)})
    table = sizes.merge(numbered, how="cross").merge(
        shown.rename(columns={"units": "sessions"}), on=[*_KEY, "step_number"], how="left"
    )
    for name, depth in (("in_order", "depth"), ("rated", "rated_depth")):
        reached = chains.merge(numbered[["step_number"]], how="cross")
        reached = reached[reached[depth] >= reached.step_number].groupby([*_KEY, "step_number"]).units.sum()
        table = table.merge(reached.rename(name), on=[*_KEY, "step_number"], how="left")
    counts = ["sessions", "visitors", "in_order", "rated"]
    return table.fillna(dict.fromkeys(counts, 0)).astype(dict.fromkeys(counts, int))[
        [*_KEY, "step_number", "step", "all_sessions", *counts]
    ]


def _with_bases(table: pd.DataFrame) -> pd.DataFrame:
    groups = table.groupby(["column", "segment"], sort=False).rated
    return table.assign(previous=groups.shift(1), entrants=groups.transform("first"))


def _with_rates(table: pd.DataFrame, effects: pd.DataFrame) -> pd.DataFrame:
    previous, entrants = table.previous, table.entrants
    step, total = effects.step_effect, effects.total_effect
    step_low, step_high = wilson(table.rated / step, previous.fillna(0) / step)
    total_low, total_high = wilson(table.rated / total, entrants / total)
    return table.assign(
        of=table.step.shift(1).where(table.step_number > 1),
        step_rate=table.rated / previous.where(previous > 0),
        step_low=step_low,
        step_high=step_high,
        total_rate=table.rated / entrants.where(entrants > 0),
        total_low=total_low,
        total_high=total_high,
    )


def _steps(steps: Sequence[str]) -> pd.DataFrame:
    return pd.DataFrame({"name": list(steps), "step": range(1, len(steps) + 1)})
