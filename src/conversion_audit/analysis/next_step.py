"""After a step: how long until the next one, and what those did who did not go on."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from conversion_audit.analysis.statistics import cumulative_incidence, repeat_wilson, wilson
from conversion_audit.engine import AnyTable, engine_of, statement

POINTS = 60


def time_to_next(
    reached: AnyTable,
    sessions: AnyTable | None,
    steps: Sequence[str],
    *,
    window: float | None = None,
    until: pd.Timestamp | None = None,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """
    Return, for each step, the share that has gone on and the share that has left after so many seconds.

    Leaving competes with going on: who has left cannot go on, and is not counted as still to come.

    Parameters
    ----------
    reached : table
        From `funnel.reached`; for visitors give `window` and `until` and no sessions.
    sessions : table, optional
        Their last event is when they left.
    steps : sequence of str
        The journey.
    window, until : optional
        Seconds a visitor's chain may take, and the last time of the export: nobody is watched beyond.

    Returns
    -------
    curves, summary : DataFrame
        curves: step, seconds, next_share, exit_share (at most 60 points a step). summary: one row per step but the
        last: step, next_step, sessions (visitors), went_on, next_rate with its interval, median_seconds and
        slow_seconds of those who went on (half, nine in ten, were quicker; 0 for a next step that came first). NaN
        where nobody went on. Intervals of sessions allow for repeated visits.

    References
    ----------
    Aalen and Johansen 1978.
    """
    section = "waits" if sessions is not None else "visitor_waits"
    tables = {"reached": reached} | ({"sessions": sessions} if sessions is not None else {})
    asked = {"last": len(steps), "window": window, "until": until}
    waits = engine_of(reached).query(statement(__file__, section), tables, **asked)
    waits["seconds"] = waits.seconds.clip(lower=0)  # a step may come first where its order does not matter: no wait
    curves = [_curve(waits[waits.step_number == n], step) for n, step in enumerate(steps[:-1], 1)]
    rows = [_summary(waits[waits.step_number == n], steps, n) for n in range(1, len(steps))]
    summary = pd.DataFrame(rows, columns=["step", "next_step", "sessions", "went_on", "median_seconds", "slow_seconds"])
    went_on, came = summary.went_on.astype(float), summary.sessions.astype(float)
    if sessions is None:
        low, high = wilson(went_on, came)
    else:
        sums = engine_of(reached, sessions).query(statement(__file__, "returns"), tables, last=len(steps))
        sums = sums.set_index("step_number").reindex(range(1, len(steps))).fillna(0.0).reset_index(drop=True)
        low, high = repeat_wilson(went_on, came, sums.hits_hits, sums.hits_tries, sums.tries_tries)
    rate = summary.went_on / summary.sessions.where(summary.sessions > 0)
    curves = [curve for curve in curves if len(curve)]
    columns = ["step", "seconds", "next_share", "exit_share"]
    together = pd.concat(curves, ignore_index=True) if curves else pd.DataFrame(columns=columns)
    return together, summary.assign(next_rate=rate, next_low=low, next_high=high)


def instead(reached: AnyTable, events: AnyTable, steps: Sequence[str], *, most: int = 5) -> pd.DataFrame:
    """
    Return what sessions did next that stopped at a step.

    Parameters
    ----------
    reached : table
        From `funnel.reached` for sessions.
    events : table
        Of the period.
    steps : sequence of str
        The journey.
    most : int
        Answers per step; the others become ``(other)``.

    Returns
    -------
    DataFrame
        One row per step and next page: step, did (kind of page, else page; ``(exit)``: no further page), sessions,
        stopped (all that stopped there), did_share with its interval.
    """
    tables = {"reached": reached, "events": events}
    table = engine_of(reached, events).query(statement(__file__, "instead"), tables, last=len(steps))
    place = table.groupby("step_number").cumcount()
    table["did"] = table.did.where(place < most, "(other)")
    table = table.groupby(["step_number", "did"], as_index=False, sort=False).sessions.sum()
    stopped = table.groupby("step_number").sessions.transform("sum")
    low, high = wilson(table.sessions, stopped)
    table.insert(0, "step", [steps[n - 1] for n in table.step_number])
    share = table.sessions / stopped
    return table.drop(columns="step_number").assign(stopped=stopped, did_share=share, did_low=low, did_high=high)


def _curve(waits: pd.DataFrame, step: str) -> pd.DataFrame:
    if not len(waits):
        return pd.DataFrame()
    seconds = np.repeat(waits.seconds.to_numpy(float), waits.sessions)
    curve = cumulative_incidence(seconds, np.repeat(waits.ending.to_numpy(), waits.sessions))
    if len(curve) > POINTS:
        curve = curve.iloc[np.unique(np.linspace(0, len(curve) - 1, POINTS).astype(int))]
    return pd.DataFrame(
        {"step": step, "seconds": curve.time, "next_share": curve.next_rate, "exit_share": curve.exit_rate}
    )


def _summary(waits: pd.DataFrame, steps: Sequence[str], number: int) -> dict[str, object]:
    went = waits[waits.ending == 1]
    seconds = np.repeat(went.seconds.to_numpy(float), went.sessions)
    quantiles = np.quantile(seconds, [0.5, 0.9]) if len(seconds) else (np.nan, np.nan)
    return {
        "step": steps[number - 1],
        "next_step": steps[number],
        "sessions": int(waits.sessions.sum()),
        "went_on": int(went.sessions.sum()),
        "median_seconds": quantiles[0],
        "slow_seconds": quantiles[1],
    }
