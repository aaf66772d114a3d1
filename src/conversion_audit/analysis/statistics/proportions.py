"""Rates and their intervals: one rate, two rates, rates whose units repeat within visitors."""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike


def _z(confidence: float) -> float:
    return NormalDist().inv_cdf(0.5 + confidence / 2)


def _ratio(numerator: ArrayLike, denominator: ArrayLike) -> np.ndarray:
    numerator, denominator = np.asarray(numerator, float), np.asarray(denominator, float)
    return np.divide(
        numerator, denominator, out=np.full(np.broadcast(numerator, denominator).shape, np.nan), where=denominator > 0
    )


def wilson(successes: ArrayLike, trials: ArrayLike, confidence: float = 0.95) -> tuple[np.ndarray, np.ndarray]:
    """
    Return the Wilson score interval of a rate.

    Parameters
    ----------
    successes, trials : array-like
        Counts; scalars and Series work as well.
    confidence : float
        Two-sided.

    Returns
    -------
    (low, high)
        Arrays of the broadcast shape. NaN where there are no trials: unknown, not zero.

    References
    ----------
    Wilson 1927; Newcombe 1998, Table I.
    """
    z = _z(confidence)
    n = np.asarray(trials, float)
    p = _ratio(successes, trials)
    with np.errstate(divide="ignore", invalid="ignore"):
        middle = (p + z * z / (2 * n)) / (1 + z * z / n)
        half = z / (1 + z * z / n) * np.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    low, high = np.clip(middle - half, 0, 1), np.clip(middle + half, 0, 1)
    return np.where(p == 0, 0.0, low), np.where(p == 1, 1.0, high)


def clopper_pearson(successes: ArrayLike, trials: ArrayLike, confidence: float = 0.95) -> tuple[np.ndarray, np.ndarray]:
    """Return the exact (conservative) interval of a rate; NaN where there are no trials."""
    from scipy.special import betaincinv

    y, n = np.broadcast_arrays(np.asarray(successes, float), np.asarray(trials, float))
    tail = (1 - confidence) / 2
    with np.errstate(invalid="ignore"):
        low = np.where(y == 0, 0.0, betaincinv(np.maximum(y, 1e-12), n - y + 1, tail))
        high = np.where(y == n, 1.0, betaincinv(y + 1, np.maximum(n - y, 1e-12), 1 - tail))
    empty = n <= 0
    return np.where(empty, np.nan, low), np.where(empty, np.nan, high)


def jeffreys(successes: ArrayLike, trials: ArrayLike, confidence: float = 0.95) -> tuple[np.ndarray, np.ndarray]:
    """Return the equal-tailed Jeffreys interval of a rate, its lower end 0 at no success; NaN without trials."""
    from scipy.special import betaincinv

    y, n = np.broadcast_arrays(np.asarray(successes, float), np.asarray(trials, float))
    tail = (1 - confidence) / 2
    low = np.where(y == 0, 0.0, betaincinv(y + 0.5, n - y + 0.5, tail))
    high = np.where(y == n, 1.0, betaincinv(y + 0.5, n - y + 0.5, 1 - tail))
    empty = n <= 0
    return np.where(empty, np.nan, low), np.where(empty, np.nan, high)


def newcombe(
    y1: ArrayLike, n1: ArrayLike, y2: ArrayLike, n2: ArrayLike, confidence: float = 0.95
) -> tuple[np.ndarray, np.ndarray]:
    """
    Return the interval of the difference of two rates, first minus second, from their Wilson intervals.

    References
    ----------
    Newcombe 1998b, method 10.
    """
    return difference(_ratio(y1, n1), wilson(y1, n1, confidence), _ratio(y2, n2), wilson(y2, n2, confidence))


def difference(
    p1: ArrayLike, interval1: tuple[ArrayLike, ArrayLike], p2: ArrayLike, interval2: tuple[ArrayLike, ArrayLike]
) -> tuple[np.ndarray, np.ndarray]:
    """
    Return the interval of the difference of two rates, first minus second, from the interval of each.

    What widens those, as visitors who come back do, widens this one.

    References
    ----------
    Newcombe 1998b, method 10.
    """
    p1, (l1, u1) = np.asarray(p1, float), np.asarray(interval1, float)
    p2, (l2, u2) = np.asarray(p2, float), np.asarray(interval2, float)
    low = p1 - p2 - np.sqrt((p1 - l1) ** 2 + (u2 - p2) ** 2)
    high = p1 - p2 + np.sqrt((u1 - p1) ** 2 + (p2 - l2) ** 2)
    return low, high


def _sums(values: np.ndarray, groups: ArrayLike) -> np.ndarray:
    _, codes = np.unique(np.asarray(groups), return_inverse=True)
    return np.bincount(codes.ravel(), weights=values)


def cluster_se(values: ArrayLike, groups: ArrayLike) -> float:
    """
    Return the standard error of a mean whose rows repeat within groups (visitors).

    sqrt(sum of squared group sums of residuals * G/(G-1)) / N; NaN with fewer than two groups.
    """
    values = np.asarray(values, float)
    return ratio_se(values, np.ones_like(values), groups)


def ratio_se(numerator: ArrayLike, denominator: ArrayLike, groups: ArrayLike) -> float:
    """
    Return the standard error of sum(numerator) / sum(denominator), rows repeating within groups (visitors).

    NaN with fewer than two groups or an empty denominator.
    """
    top, bottom = np.asarray(numerator, float), np.asarray(denominator, float)
    total = bottom.sum()
    if total <= 0:
        return float("nan")
    sums = _sums(top - bottom * (top.sum() / total), groups)
    count = len(sums)
    return float(np.sqrt((sums**2).sum() * count / (count - 1)) / total) if count > 1 else float("nan")


def design_effect(residuals: ArrayLike, groups: ArrayLike) -> float:
    """
    Return by how much visitors who come back inflate a variance: sum of squared visitor sums over sum of squares.

    Near 1 for an ordinary shop, above 2 with heavy users; never below 1 here, 1 where nothing varies.
    """
    residuals = np.asarray(residuals, float)
    total = float((residuals**2).sum())
    return max(1.0, float((_sums(residuals, groups) ** 2).sum()) / total) if total > 0 else 1.0


VISITOR_SUMS = ("hits_hits", "hits_tries", "tries_tries")
"""What `repeat_effect` takes beside hits and tries, as statements name it: sums over visitors of these products."""


def repeat_effect(
    hits: pd.Series, tries: pd.Series, hits_hits: pd.Series, hits_tries: pd.Series, tries_tries: pd.Series
) -> pd.Series:
    """
    Return by how much visitors who come back inflate the variance of rates, from sums over visitors.

    Parameters
    ----------
    hits, tries : Series
        Of each rate.
    hits_hits, hits_tries, tries_tries : Series
        Sums over visitors of the products of each one's hits and tries.
    """
    rate = hits / tries.where(tries > 0)
    spread = hits_hits - 2 * rate * hits_tries + rate**2 * tries_tries
    plain = tries * rate * (1 - rate)
    return (spread / plain.where(plain > 0)).fillna(1.0).clip(lower=1.0)


def repeat_wilson(
    hits: pd.Series, tries: pd.Series, hits_hits: pd.Series, hits_tries: pd.Series, tries_tries: pd.Series
) -> tuple[np.ndarray, np.ndarray]:
    """Return the Wilson interval of rates of visits, as many as are left of them once repeated ones are allowed for."""
    effect = repeat_effect(hits, tries, hits_hits, hits_tries, tries_tries)
    return wilson(hits / effect, tries / effect)
