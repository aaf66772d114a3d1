"""Rates compared: many at once, within strata, between two mixes of traffic."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike


def bh(p: ArrayLike, q: float = 0.10) -> tuple[np.ndarray, np.ndarray]:
    """
    Return which p-values pass at false discovery rate `q`, and the adjusted p-values, in the order given.

    NaN neither passes nor counts as a comparison.

    References
    ----------
    Benjamini and Hochberg 1995.
    """
    p = np.asarray(p, float)
    adjusted = np.full(p.shape, np.nan)
    known = np.flatnonzero(~np.isnan(p))
    order = known[np.argsort(p[known], kind="stable")]
    count = len(order)
    if count:
        steps = p[order] * count / np.arange(1, count + 1)
        adjusted[order] = np.minimum(1.0, np.minimum.accumulate(steps[::-1])[::-1])
    return np.nan_to_num(adjusted, nan=2.0) <= q, adjusted


class MantelHaenszel(NamedTuple):
    """The common odds ratio of several two-by-two tables, its interval, and whether the tables agree."""

    odds_ratio: float
    low: float
    high: float
    statistic: float
    statistic_corrected: float
    p_value: float
    breslow_day: float
    breslow_day_p: float


def mantel_haenszel(tables: ArrayLike, confidence: float = 0.95) -> MantelHaenszel:
    """
    Return the odds ratio that two groups share across strata.

    Parameters
    ----------
    tables : array-like, shape (strata, 2, 2)
        Per stratum ``[[successes, failures] of group 1, [successes, failures] of group 2]``.
    confidence : float
        Two-sided.

    References
    ----------
    Mantel and Haenszel 1959; Breslow and Day 1980; on Simpson's paradox Bickel et al. 1975.
    """
    from statsmodels.stats.contingency_tables import StratifiedTable

    tables = np.asarray(tables, float)
    strata = StratifiedTable(np.moveaxis(tables, 0, 2))
    low, high = strata.oddsratio_pooled_confint(alpha=1 - confidence)
    plain, corrected = strata.test_null_odds(correction=False), strata.test_null_odds(correction=True)
    equal = strata.test_equal_odds() if len(tables) > 1 else None
    return MantelHaenszel(
        float(strata.oddsratio_pooled),
        float(low),
        float(high),
        float(plain.statistic),
        float(corrected.statistic),
        float(plain.pvalue),
        float(equal.statistic) if equal else np.nan,
        float(equal.pvalue) if equal else np.nan,
    )


def standardised(successes: ArrayLike, trials: ArrayLike, weights: ArrayLike) -> float:
    """Return the rate a group would show under the strata weights given; NaN if a weighted stratum is empty."""
    y, n, w = (np.asarray(x, float) for x in (successes, trials, weights))
    used = w > 0
    with np.errstate(divide="ignore", invalid="ignore"):
        return float(((y / n)[used] * w[used]).sum() / w[used].sum()) if used.any() else float("nan")


class Parts(NamedTuple):
    """A difference of two rates, taken apart without remainder."""

    gap: float
    mix: float
    rate: float


def kitagawa(y_a: ArrayLike, n_a: ArrayLike, y_b: ArrayLike, n_b: ArrayLike) -> Parts:
    """
    Take apart the gap of two overall rates, a minus b, into a part from the mix of cells and a part from their rates.

    mix = sum((w_a - w_b)(r_a + r_b)/2), rate = sum((r_a - r_b)(w_a + w_b)/2); they add up exactly. A cell that only one
    side has takes that side's rate on both, so it moves the mix part alone.

    Parameters
    ----------
    y_a, n_a, y_b, n_b : array-like
        Successes and trials per cell; further leading axes are replicates.

    Returns
    -------
    Parts
        NaN where a side has no trials.

    References
    ----------
    Kitagawa 1955.
    """
    y_a, n_a, y_b, n_b = (np.asarray(x, float) for x in (y_a, n_a, y_b, n_b))
    with np.errstate(divide="ignore", invalid="ignore"):
        w_a, w_b = n_a / n_a.sum(-1, keepdims=True), n_b / n_b.sum(-1, keepdims=True)
        r_a, r_b = y_a / n_a, y_b / n_b
    r_a, r_b = np.where(n_a > 0, r_a, r_b), np.where(n_b > 0, r_b, r_a)
    r_a, r_b = np.nan_to_num(r_a), np.nan_to_num(r_b)
    mix = ((w_a - w_b) * (r_a + r_b) / 2).sum(-1)
    rate = ((r_a - r_b) * (w_a + w_b) / 2).sum(-1)
    return Parts(mix + rate, mix, rate)


def with_half(
    successes: np.ndarray, trials: np.ndarray, sizes: np.ndarray, random: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """
    Add about half a success and half a failure to each resample, so that none of ten does not pass for surely none.

    Parameters
    ----------
    successes, trials : ndarray (replicates, cells)
        Resampled counts.
    sizes : ndarray (cells,)
        The trials that were resampled: what is added is spread over the cells as these are.
    random : Generator

    Returns
    -------
    successes, trials : ndarray (replicates, cells)

    References
    ----------
    Jeffreys' prior: both are drawn from a gamma distribution of shape 1/2.
    """
    share = sizes / max(sizes.sum(), 1.0)
    success, failure = random.gamma(0.5, size=(2, len(trials), 1)) * share
    return successes + success, trials + success + failure


def oaxaca(frame: pd.DataFrame, outcome: str, group: str, columns: list[str]) -> Parts:
    """
    Take apart the gap of two means by regression: mix = explained by `columns`, rate = unexplained (pooled, two-fold).

    Parameters
    ----------
    frame : DataFrame
        One row a unit; `group` holds two values, the larger mean comes first.

    References
    ----------
    Oaxaca 1973; Blinder 1973; Neumark 1988.
    """
    from statsmodels.stats.oaxaca import OaxacaBlinder

    model = OaxacaBlinder(frame[outcome], frame[[group, *columns]], group, hasconst=False)
    unexplained, explained, gap = model.two_fold().params
    return Parts(float(gap), float(explained), float(unexplained))
