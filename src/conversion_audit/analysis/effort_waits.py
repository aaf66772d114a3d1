"""How long people who go on take for each step, by segment."""

from __future__ import annotations

import numpy as np
import pandas as pd

from conversion_audit.analysis.friction.attempts import Attempts

FEWEST = 60
SLOWER, SURE_Z = 1.25, 4.0
ENOUGH_STEPS = 3
"""Other steps that it takes to speak of what a segment usually takes more: fewer are each other's noise."""


def wait_table(attempts: Attempts) -> pd.DataFrame:
    """
    Return how long people who go on take for each step, by segment.

    Returns
    -------
    DataFrame
        One row per step and suspect value, everyone first (column ""): step, column, level, passed (went on, time known),
        median_seconds, p90_seconds, times_as_long (against everybody else, less what the segment usually takes more at its
        other steps where there are three or more; NaN with fewer than 60 on either side), z (of that difference), is_slow
        (at least 1.25 times and far beyond chance).
    """
    rows = []
    for step, name in enumerate(attempts.steps):
        who = np.flatnonzero(attempts.passed(step))
        waits = _waits(attempts, step, who)
        who, waits = who[~np.isnan(waits)], waits[~np.isnan(waits)]
        rows.append((name, "", "", *_spread(waits), np.nan, np.nan))
        for factor in attempts.suspects:
            codes = factor.at(step)[who]
            for level, text in enumerate(factor.levels):
                here, there = waits[codes == level], waits[codes != level]
                rows.append((name, factor.name, text, *_spread(here), *_gap(here, there)))
    columns = ["step", "column", "level", "passed", "median_seconds", "p90_seconds", "gap", "variance"]
    table = pd.DataFrame(rows, columns=columns)
    usual, usual_variance = _usual_gaps(table)
    gap = table.gap - usual
    with np.errstate(divide="ignore", invalid="ignore"):  # where all waits are alike there is no spread to measure with
        z = gap / np.sqrt(table.variance + usual_variance)
    slow = (gap >= np.log(SLOWER)) & (z >= SURE_Z)
    return table.assign(times_as_long=np.exp(gap), z=z, is_slow=slow)[
        ["step", "column", "level", "passed", "median_seconds", "p90_seconds", "times_as_long", "z", "is_slow"]
    ]


def _waits(attempts: Attempts, step: int, who: np.ndarray) -> np.ndarray:
    wait = attempts.left(step)[who] - attempts.entered(step)[who]
    return np.where(np.isfinite(wait) & (wait > 0), np.log(np.maximum(wait, 0.5)), np.nan)


def _spread(waits: np.ndarray) -> tuple[int, float, float]:
    if not len(waits):
        return 0, np.nan, np.nan
    middle, late = np.quantile(waits, [0.5, 0.9])
    return len(waits), float(np.exp(middle)), float(np.exp(late))


def _gap(here: np.ndarray, there: np.ndarray) -> tuple[float, float]:
    if min(len(here), len(there)) < FEWEST:
        return np.nan, np.nan
    return float(here.mean() - there.mean()), float(here.var() / len(here) + there.var() / len(there))


def _usual_gaps(table: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """
    Per row the median of the same segment's gaps at its other steps, and its variance: some people are slow everywhere.

    A median of n gaps varies about pi / 2 times as much as their mean. With too few other steps both are 0.
    """
    usual, variance = np.zeros(len(table)), np.zeros(len(table))
    for places in table.groupby(["column", "level"]).indices.values():
        known = places[table.gap.notna().to_numpy()[places]]
        for place in known:
            others = table.iloc[known[known != place]]
            if len(others) >= ENOUGH_STEPS:
                usual[place] = others.gap.median()
                variance[place] = np.pi / 2 * others.variance.mean() / len(others)
    return usual, variance
