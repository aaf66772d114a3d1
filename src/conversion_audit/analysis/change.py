"""Why the rate moved between two periods: other people came, or the same people were served otherwise."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import numpy as np
import pandas as pd

from conversion_audit.analysis.statistics import kitagawa, with_half
from conversion_audit.engine import AnyTable, engine_of, quoted, statement

MOST_LEVELS, REPLICATES = 14, 500
Period = tuple[date | pd.Timestamp | str, date | pd.Timestamp | str]


def mix_and_rate(
    marks: AnyTable,
    sessions: AnyTable,
    goal: str,
    adjusters: Sequence[str],
    before: Period,
    after: Period,
    *,
    confidence: float = 0.95,
    seed: int = 1,
) -> pd.DataFrame:
    """
    Take apart the change of the goal's rate, without remainder.

    Parameters
    ----------
    marks, sessions : table
        See `tables.MARKS`, `tables.SESSIONS`.
    goal : str
        Its name in marks; a session counts once.
    adjusters : sequence of str
        Columns of sessions that say who came. Their combinations are the cells; rare values count as one.
    before, after : (first day, last day)
        Both included.
    confidence : float
        Of the intervals, by resampling visitors in 256 groups.
    seed : int

    Returns
    -------
    DataFrame
        The four bars of the change, in order::

              part   kind   effect      low     high  sessions  goals
            before  start   0.0410   0.0400   0.0420    50,000  2,050
               mix   part  -0.0040  -0.0043  -0.0037       NaN    NaN
              rate   part  -0.0001  -0.0015   0.0012       NaN    NaN
             after    end   0.0369   0.0359   0.0379    50,000  1,845

        `mix`: what the other mix of cells did, `rate`: what happened within cells. NaN where a period has no sessions, both
        also where no cell is in both periods.

    References
    ----------
    Kitagawa 1955.
    """
    cells, _ = _cells(marks, sessions, goal, adjusters, before, after)
    return _bars(cells, confidence, seed)


def bars_shown(bars: pd.DataFrame) -> pd.DataFrame:
    """Return the bars as a table: part, the rate before and after, what each part adds in points, counts where there are any."""
    is_rate = bars["kind"] != "part"
    shown = bars[["part"]].copy()
    for name, of in (("goal_rate", is_rate), ("effect_points", ~is_rate)):
        for ending, column in (("", "effect"), ("_low", "low"), ("_high", "high")):
            shown[f"{name}{ending}"] = bars[column].where(of)
    return shown.join(bars[[name for name in ("sessions", "goals") if name in bars]])


def mix_and_rate_by(
    marks: AnyTable,
    sessions: AnyTable,
    goal: str,
    adjusters: Sequence[str],
    before: Period,
    after: Period,
    *,
    confidence: float = 0.95,
    seed: int = 1,
) -> pd.DataFrame:
    """
    Return the same for each adjuster alone, and where the whole says the opposite of its parts (Simpson).

    Returns
    -------
    DataFrame
        One row per adjuster: adjuster, change (of the whole), mix, rate, rate_low, rate_high, is_reversed (the rate part
        has the other sign than the change, and its interval leaves out 0).
    """
    rows = []
    for adjuster in adjusters:
        cells, _ = _cells(marks, sessions, goal, [adjuster], before, after)
        bars = _bars(cells, confidence, seed).set_index("part")
        change = bars.effect["after"] - bars.effect["before"]
        rate, low, high = (bars.loc["rate", c] for c in ("effect", "low", "high"))
        is_reversed = bool(np.sign(rate) * np.sign(change) < 0 and not low <= 0 <= high)
        rows.append((adjuster, change, bars.effect["mix"], rate, low, high, is_reversed))
    columns = ["adjuster", "change", "mix", "rate", "rate_low", "rate_high", "is_reversed"]
    return pd.DataFrame(rows, columns=columns)


def cell_changes(
    marks: AnyTable, sessions: AnyTable, goal: str, adjusters: Sequence[str], before: Period, after: Period
) -> pd.DataFrame:
    """
    Return what each cell of adjusters added to the change.

    Returns
    -------
    DataFrame
        One row per cell, the largest contribution first: the adjusters, sessions_before, sessions_after, goals_before,
        goals_after, goal_rate_before, goal_rate_after (of the cell's sessions; NaN without any), mix and rate
        (contributions in points of the whole rate; they add up to the change).
    """
    cells, names = _cells(marks, sessions, goal, adjusters, before, after)
    (n_b, y_b), (n_a, y_a) = (v.sum(1) for v in cells)
    with np.errstate(divide="ignore", invalid="ignore"):
        r_b, r_a, w_b, w_a = y_b / n_b, y_a / n_a, n_b / n_b.sum(), n_a / n_a.sum()
    full_b, full_a = np.where(n_b > 0, r_b, r_a), np.where(n_a > 0, r_a, r_b)
    table = names.assign(
        sessions_before=n_b.astype(int), sessions_after=n_a.astype(int), goals_before=y_b.astype(int),
        goals_after=y_a.astype(int), goal_rate_before=r_b, goal_rate_after=r_a,
        mix=(w_a - w_b) * (full_a + full_b) / 2, rate=(full_a - full_b) * (w_a + w_b) / 2,
    )  # fmt: skip
    order = (table.mix + table.rate).abs().sort_values(ascending=False, kind="stable").index
    return table.loc[order].reset_index(drop=True)


def _cells(marks, sessions, goal, adjusters, before, after) -> tuple[np.ndarray, pd.DataFrame]:
    """Counts as an array period x (sessions, goals) x visitor group x cell, and the cells' values."""
    engine = engine_of(marks, sessions)
    listed = ", ".join(["session_id", *(f"CAST({quoted(c)} AS VARCHAR) AS {quoted(c)}" for c in adjusters)])
    known = engine.query(f"SELECT {listed} FROM sessions ORDER BY session_id", {"sessions": sessions})
    for column in adjusters:
        text = known[column].astype(object).where(known[column].notna(), "(unknown)")
        kept = text.value_counts().index[:MOST_LEVELS]
        known[column] = text.where(text.isin(kept), "(other)")
    # Without adjusters nobody is told apart: one cell.
    keyed, names = known[["session_id"]].assign(code=0), pd.DataFrame(index=[0])
    if adjusters:
        keyed["code"] = known.groupby(list(adjusters), sort=True).ngroup()
        names = known[list(adjusters)].drop_duplicates().sort_values(list(adjusters)).reset_index(drop=True)
    periods = pd.DataFrame(
        {
            "period": [0, 1],
            "first": pd.to_datetime([before[0], after[0]]),
            "last": pd.to_datetime([before[1], after[1]]),
        }
    )
    tables = {"marks": marks, "sessions": sessions, "keyed": keyed, "periods": periods}
    counted = engine.query(statement(__file__, "cells"), tables, goal=goal)
    cells = np.zeros((2, 2, 256, max(len(names), 1)))
    at = (
        counted.period.to_numpy(int),
        counted.bucket.map(lambda b: int(b, 16)).to_numpy(int),
        counted.code.to_numpy(int),
    )
    cells[at[0], 0, at[1], at[2]] = counted.sessions
    cells[at[0], 1, at[1], at[2]] = counted.goals
    return cells, names


def _bars(cells: np.ndarray, confidence: float, seed: int) -> pd.DataFrame:
    (n_b, y_b), (n_a, y_a) = cells.sum(2)
    parts = kitagawa(y_a, n_a, y_b, n_b)
    random = np.random.default_rng(seed)
    weights = random.poisson(1.0, (REPLICATES, 256)).astype(float)
    sides = [with_half(weights @ cells[p, 1], weights @ cells[p, 0], n, random) for p, n in ((1, n_a), (0, n_b))]
    drawn = [*sides[0], *sides[1]]
    resampled = kitagawa(*drawn)
    with np.errstate(divide="ignore", invalid="ignore"):
        rates = {"before": drawn[2].sum(1) / drawn[3].sum(1), "after": drawn[0].sum(1) / drawn[1].sum(1)}
    tail = (1 - confidence) / 2
    # Of two periods without a cell in common nobody can say what comparable people did: none is not "nothing moved".
    mix, rate = (parts.mix, parts.rate) if ((n_b > 0) & (n_a > 0)).any() else (np.nan, np.nan)
    effects = {"before": _share(y_b, n_b), "mix": mix, "rate": rate, "after": _share(y_a, n_a)}
    draws = {**rates, "mix": resampled.mix, "rate": resampled.rate}
    kinds = {"before": "start", "mix": "part", "rate": "part", "after": "end"}
    counts = {"before": (n_b.sum(), y_b.sum()), "after": (n_a.sum(), y_a.sum())}
    rows = []
    for part, effect in effects.items():
        low, high = np.quantile(draws[part], [tail, 1 - tail]) if np.isfinite(effect) else (np.nan, np.nan)
        rows.append((part, kinds[part], float(effect), low, high, *counts.get(part, (np.nan, np.nan))))
    return pd.DataFrame(rows, columns=["part", "kind", "effect", "low", "high", "sessions", "goals"])


def _share(y: np.ndarray, n: np.ndarray) -> float:
    return float(y.sum() / n.sum()) if n.sum() else float("nan")
