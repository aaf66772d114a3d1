"""The funnel as a table: who came how far, in order and at all, step by step, with every rate on its base."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from conversion_audit.analysis.funnel import Unit, with_period
from conversion_audit.analysis.statistics import repeat_effect, wilson
from conversion_audit.engine import AnyTable, Engine, engine_of, statement


def options(settings: Mapping[str, Any], unit: Unit) -> dict[str, Any]:
    """Return the config's funnel settings as `reached` takes them for one unit."""
    shared = ("order", "entry", "step_window", "ties", "tolerance", "exclude")
    window = settings["session_window"] if unit == "session" else settings["visitor_window"]
    return {name: settings[name] for name in shared} | {"window": window, "in_range": settings["range"], "unit": unit}


def step_table(
    reached: AnyTable, steps: Sequence[str], *, unit: Unit = "session", sessions: AnyTable | None = None
) -> pd.DataFrame:
    """
    Return one row per step: how many reach it in order, and the share of those one step before and of all who enter.

    Parameters
    ----------
    reached : table
        From `funnel.reached`.
    steps : sequence of str
        The same steps.
    unit : str
        What `reached` counts.
    sessions : table, optional
        All sessions (session_id, visitor_id): the base of the first step. With it, intervals of sessions allow for
        visitors who come several times.

    Returns
    -------
    DataFrame
        ::

            step_number  step         sessions_in_order  rated  previous  step_rate  step_low  step_high  of ...
                      1  view_item                  430    430      2556      0.168     0.154      0.183  sessions
                      2  add_to_cart                145    145       430      0.337     0.294      0.383  view_item

        `rated` is the numerator of both rates and leaves out chains begun too late for their window to have passed;
        `previous` and `entrants` are the denominators, `of` and `total_of` their names. A rate is NaN where nobody
        could have gone on.

    References
    ----------
    Wilson 1927; the number of tries is divided by the design effect of repeated visits.
    """
    engine = engine_of(reached)
    depths = engine.create(statement(__file__, "depths"), {"reached": reached}, name="depths")
    counts = engine.query(statement(__file__, "depth_counts"), {"depths": depths})
    table = _cumulated(counts, steps, unit)
    everyone = _everyone(engine, sessions, unit)
    table = _with_rates(table, steps, unit, everyone)
    if unit == "visitor" or sessions is None:
        return _with_intervals(table, None)
    everywhere = engine.view("SELECT session_id, visitor_id, 'all' AS segment FROM s", {"s": sessions})
    return _with_intervals(table, design_effects(depths, everywhere, table.assign(segment="all")))


def occurrences(marks: AnyTable, steps: Sequence[str]) -> pd.DataFrame:
    """
    Return, for each step, how many sessions and visitors show it at all, and how many sessions begin with it.

    Returns
    -------
    DataFrame
        One row per step: step_number, step, sessions, visitors, direct_sessions (sessions whose first step this is).
    """
    engine = engine_of(marks)
    tables = {"marks": with_period(engine, marks), "steps": _numbered(steps)}
    shown = engine.query(statement(__file__, "occurrences"), tables)
    direct = engine.query(statement(__file__, "direct"), tables)
    table = shown.merge(direct, on="step_number", how="left").fillna({"direct_sessions": 0})
    table.insert(1, "step", list(steps))
    return table.astype({"direct_sessions": int})


def design_effects(depths: AnyTable, placed: AnyTable, table: pd.DataFrame) -> pd.DataFrame:
    """
    Return the variance of each rate over what independent sessions would have.

    Parameters
    ----------
    depths : table
        From the statement of that name.
    placed : table
        Sessions: session_id, visitor_id, segment.
    table : DataFrame
        Per segment and step: segment, step_number, rated, previous, entrants.

    Returns
    -------
    DataFrame
        step_effect and total_effect under the index of `table`: sum of squared visitor sums over sum of squares.
    """
    numbers = pd.DataFrame({"step": sorted(table.step_number.unique())})
    tables = {"depths": depths, "sessions": placed, "steps": numbers}
    found = engine_of(depths, placed).query(statement(__file__, "clusters"), tables)
    sums = table[["segment", "step_number"]].merge(found, on=["segment", "step_number"], how="left")
    sums = sums.set_index(table.index).fillna(0.0)
    step = repeat_effect(table.rated, table.previous, sums.hits_hits, sums.hits_tries, sums.tries_tries)
    total = repeat_effect(table.rated, table.entrants, sums.hits_hits, sums.hits_entrants, sums.entrants_entrants)
    return pd.DataFrame({"step_effect": step, "total_effect": total})


def funnel_table(
    marks: AnyTable, sessions: AnyTable, steps: Sequence[str], by_session: AnyTable, by_visitor: AnyTable
) -> pd.DataFrame:
    """
    Return the funnel for sessions and visitors side by side.

    Parameters
    ----------
    marks, sessions : table
        Of the period.
    steps : sequence of str
        The journey.
    by_session, by_visitor : table
        `funnel.reached` for each unit.

    Returns
    -------
    DataFrame
        One row per step: `occurrences`, `sessions_in_order` with its rates as in `step_table`, and
        visitors_in_order, visitor_rate, visitor_low, visitor_high (of the visitors who entered), too_late (visitors
        whose chain began too late to be judged).
    """
    shown = occurrences(marks, steps)
    own = step_table(by_session, steps, sessions=sessions)
    people = step_table(by_visitor, steps, unit="visitor")
    people = people.assign(too_late=people.visitors_in_order - people.rated).rename(
        columns={"rated": "rated_visitors", "entrants": "entered_visitors"}
        | {f"total_{name}": f"visitor_{name}" for name in ("rate", "low", "high")}
    )
    keep = ["visitors_in_order", "rated_visitors", "entered_visitors", "visitor_rate", "visitor_low", "visitor_high"]
    return shown.merge(own.drop(columns="step"), on="step_number").merge(
        people[["step_number", *keep, "too_late"]], on="step_number"
    )


def _cumulated(counts: pd.DataFrame, steps: Sequence[str], unit: Unit) -> pd.DataFrame:
    numbers = range(1, len(steps) + 1)
    return pd.DataFrame(
        {
            "step_number": list(numbers),
            "step": list(steps),
            f"{unit}s_in_order": [int(counts.units[counts.depth >= n].sum()) for n in numbers],
            "rated": [int(counts.units[counts.rated_depth >= n].sum()) for n in numbers],
            "tied": [int(counts.tied[counts.depth >= n].sum()) for n in numbers],
        }
    )


def _everyone(engine: Engine, sessions: AnyTable | None, unit: Unit) -> float:
    if sessions is None or unit == "visitor":
        return np.nan
    return float(engine.query("SELECT COUNT(*) AS n FROM sessions", {"sessions": sessions}).n[0])


def _with_rates(table: pd.DataFrame, steps: Sequence[str], unit: Unit, everyone: float) -> pd.DataFrame:
    previous = table.rated.shift(1).astype(float)
    previous.iloc[0] = everyone
    entrants = float(table.rated.iloc[0])
    return table.assign(
        previous=previous,
        step_rate=table.rated / previous.where(previous > 0),
        of=[f"{unit}s", *steps[:-1]],
        entrants=int(entrants),
        total_rate=table.rated / (entrants or np.nan),
        total_of=steps[0],
    )


def _with_intervals(table: pd.DataFrame, effects: pd.DataFrame | None) -> pd.DataFrame:
    step_effect = effects.step_effect if effects is not None else 1.0
    total_effect = effects.total_effect if effects is not None else 1.0
    hits, tries = table.rated, table.previous.fillna(0)
    step_low, step_high = wilson(hits / step_effect, tries / step_effect)
    total_low, total_high = wilson(hits / total_effect, table.entrants / total_effect)
    certain = (table.step_number == 1) & (table.entrants > 0)  # all who enter have entered
    table = table.assign(step_low=step_low, step_high=step_high)
    table = table.assign(total_low=np.where(certain, 1.0, total_low), total_high=np.where(certain, 1.0, total_high))
    first = [c for c in table if c.endswith("_in_order")]
    order = ["step_number", "step", *first, "rated", "tied", "previous", "step_rate", "step_low", "step_high", "of"]
    return table[[*order, "entrants", "total_rate", "total_low", "total_high", "total_of"]]


def _numbered(steps: Sequence[str]) -> pd.DataFrame:
    return pd.DataFrame({"name": list(steps), "step": range(1, len(steps) + 1)})
