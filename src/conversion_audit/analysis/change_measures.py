"""Every step, goal and KPI against the run before: how it moved, and how much of that is other people having come."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from conversion_audit.analysis.cells import EVENT
from conversion_audit.analysis.statistics import kitagawa, newcombe, wilson, with_half

REPLICATES = 400
RATE, MIX, BOTH, STILL = "rate", "mix", "both", "still"


def measure_changes(
    before: pd.DataFrame, after: pd.DataFrame, adjusters: Sequence[str], *, confidence: float = 0.95, seed: int = 1
) -> pd.DataFrame:
    """
    Compare every measure of two periods.

    Parameters
    ----------
    before, after : DataFrame
        From `cells.cells`, of two runs. A measure that only one of them has is left out.
    adjusters : sequence of str
        Columns of the cells that say who came: their combinations make the mix.
    confidence : float
        Of all intervals.
    seed : int
        For resampling.

    Returns
    -------
    DataFrame
        One row per measure, in the order of `after`: kind, name, of, before_passed, before_at_risk, before_rate,
        before_low, before_high, the same with after, change with change_low and change_high, mix and rate with theirs
        (they add up to the change), and moved: ``rate`` (the same people were served otherwise), ``mix`` (other people
        came), ``both``, or ``still`` (no change beyond chance). Rates are NaN where nobody was at risk.

    References
    ----------
    Kitagawa 1955; Newcombe 1998b.
    """
    after = after[after["kind"] != EVENT]
    rows = []
    for (kind, name), mine in after.groupby(["kind", "name"], sort=False):
        past = before[(before["kind"] == kind) & (before["name"] == name)]
        if len(past):
            random = np.random.default_rng([seed, len(rows)])
            rows.append({"kind": kind, "name": name, "of": mine.of.iloc[0],
                         **_counts(past, mine, confidence), **_parts(past, mine, adjusters, confidence, random)})  # fmt: skip
    table = pd.DataFrame(rows)
    return table.assign(moved=[_moved(row) for row in table.to_dict("records")]) if len(table) else table


def bars(change: pd.Series) -> pd.DataFrame:
    """
    Return one measure's change as the four bars of a waterfall.

    Returns
    -------
    DataFrame
        part (before, mix, rate, after), kind (start, part, part, end), effect, low, high.
    """
    rows = [
        ("before", "start", change.before_rate, change.before_low, change.before_high),
        ("mix", "part", change["mix"], change.mix_low, change.mix_high),
        ("rate", "part", change["rate"], change.rate_low, change.rate_high),
        ("after", "end", change.after_rate, change.after_low, change.after_high),
    ]
    return pd.DataFrame(rows, columns=["part", "kind", "effect", "low", "high"])


def _counts(past: pd.DataFrame, now: pd.DataFrame, confidence: float) -> dict[str, float]:
    found, scaled = {}, {}
    for side, rows in (("before", past), ("after", now)):
        y, n, inflation = int(rows.passed.sum()), int(rows.at_risk.sum()), float(rows.inflation.max())
        low, high = wilson(y / inflation, n / inflation, confidence)
        scaled[side] = (y / inflation, n / inflation)
        found |= {f"{side}_passed": y, f"{side}_at_risk": n, f"{side}_rate": y / n if n else np.nan,
                  f"{side}_low": float(low), f"{side}_high": float(high)}  # fmt: skip
    low, high = newcombe(*scaled["after"], *scaled["before"], confidence)
    change = found["after_rate"] - found["before_rate"]
    return found | {"change": change, "change_low": float(low), "change_high": float(high)}


def _parts(past, now, adjusters: Sequence[str], confidence: float, random: np.random.Generator) -> dict[str, float]:
    y_b, n_b, y_a, n_a = _aligned(past, now, adjusters)
    parts = kitagawa(y_a, n_a, y_b, n_b)
    drawn_b = _drawn(y_b, n_b, past.inflation.max(), random)
    drawn_a = _drawn(y_a, n_a, now.inflation.max(), random)
    resampled = kitagawa(drawn_a[0], drawn_a[1], drawn_b[0], drawn_b[1])
    tails = [(1 - confidence) / 2, (1 + confidence) / 2]
    found = {}
    for name in ("mix", "rate"):
        values = getattr(resampled, name)
        low, high = np.nanquantile(values, tails) if np.isfinite(values).any() else (np.nan, np.nan)
        found |= {name: float(getattr(parts, name)), f"{name}_low": float(low), f"{name}_high": float(high)}
    return found


def _aligned(past: pd.DataFrame, now: pd.DataFrame, adjusters: Sequence[str]) -> tuple[np.ndarray, ...]:
    keys = [column for column in adjusters if column in past and column in now]
    if not keys:
        return tuple(np.array([float(rows[c].sum())]) for rows in (past, now) for c in ("passed", "at_risk"))
    sums = [rows.groupby(keys)[["passed", "at_risk"]].sum() for rows in (past, now)]
    both = pd.concat([sums[0].add_suffix("_b"), sums[1].add_suffix("_a")], axis=1).fillna(0.0).sort_index()
    return tuple(both[c].to_numpy(float) for c in ("passed_b", "at_risk_b", "passed_a", "at_risk_a"))


def _drawn(y: np.ndarray, n: np.ndarray, inflation: float, random: np.random.Generator) -> tuple:
    """Counts drawn anew: who came, and who of them passed; fewer effective ones where visitors come back."""
    yes = random.poisson(y / inflation, (REPLICATES, len(y)))
    no = random.poisson((n - y) / inflation, (REPLICATES, len(y)))
    return with_half(yes, yes + no, n, random)


def _moved(row: dict) -> str:
    by_mix = row["mix_low"] > 0 or row["mix_high"] < 0
    by_rate = row["rate_low"] > 0 or row["rate_high"] < 0
    if by_mix and by_rate:
        # What is a tenth of the other is no second reason.
        small = abs(row["mix"]) < 0.1 * abs(row["rate"]), abs(row["rate"]) < 0.1 * abs(row["mix"])
        return RATE if small[0] else MIX if small[1] else BOTH
    if row["change_low"] <= 0 <= row["change_high"]:
        return STILL
    return RATE if by_rate else MIX if by_mix else STILL
