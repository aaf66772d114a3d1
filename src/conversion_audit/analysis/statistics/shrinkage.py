"""Many small groups ranked without being fooled by the smallest: estimates pulled towards what they share."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike


def james_stein(values: ArrayLike, variance: float) -> tuple[np.ndarray, float]:
    """
    Return the values pulled towards their mean, and the factor kept of each deviation (never below 0).

    1 - (k - 3) variance / sum of squared deviations, for k values of equal variance; fewer than four stay as they are.

    References
    ----------
    Efron and Morris 1977.
    """
    values = np.asarray(values, float)
    mean = values.mean() if len(values) else np.nan
    spread = float(((values - mean) ** 2).sum())
    if len(values) < 4:
        return values.copy(), 1.0
    factor = max(0.0, 1 - (len(values) - 3) * variance / spread) if spread > 0 else 0.0
    return mean + factor * (values - mean), factor


def beta_prior(successes: ArrayLike, trials: ArrayLike) -> tuple[float, float]:
    """
    Return the beta distribution (alpha, beta) that the groups' true rates are drawn from, by maximum likelihood.

    alpha + beta is the weight of the prior in trials; it is held to 1e6 where the groups do not differ beyond chance.
    (NaN, NaN) with fewer than two groups.

    References
    ----------
    Robinson 2015, Introduction to Empirical Bayes.
    """
    from scipy.optimize import minimize
    from scipy.special import betaln

    y, n = np.asarray(successes, float), np.asarray(trials, float)
    y, n = y[n > 0], n[n > 0]
    if len(n) < 2:
        return float("nan"), float("nan")
    mean = min(max(y.sum() / n.sum(), 1e-6), 1 - 1e-6)

    def loss(point: np.ndarray) -> float:
        centre, size = 1 / (1 + np.exp(-point[0])), np.exp(min(point[1], np.log(1e6)))
        a, b = centre * size, (1 - centre) * size
        return -float((betaln(y + a, n - y + b) - betaln(a, b)).sum())

    start = np.array([np.log(mean / (1 - mean)), np.log(np.median(n) + 1)])
    best = minimize(loss, start, method="Nelder-Mead", options={"xatol": 1e-6, "fatol": 1e-9, "maxiter": 2000}).x
    centre, size = 1 / (1 + np.exp(-best[0])), np.exp(min(best[1], np.log(1e6)))
    return float(centre * size), float((1 - centre) * size)


def shrunken_rates(
    successes: ArrayLike, trials: ArrayLike, prior: tuple[float, float] | None = None, confidence: float = 0.95
) -> pd.DataFrame:
    """
    Return each group's rate pulled towards what the groups share, with its interval.

    Parameters
    ----------
    successes, trials : array-like
        Counts per group.
    prior : (alpha, beta), optional
        `beta_prior` of the same counts otherwise.
    confidence : float
        Two-sided, of the beta posterior.

    Returns
    -------
    DataFrame
        One row per group, in order: successes, trials, rate (raw), shrunken_rate, shrunken_low, shrunken_high. The
        last three are NaN where there is no prior.
    """
    from scipy.special import betaincinv

    y, n = np.asarray(successes, float), np.asarray(trials, float)
    a, b = prior or beta_prior(y, n)
    tail = (1 - confidence) / 2
    with np.errstate(divide="ignore", invalid="ignore"):
        raw = np.where(n > 0, y / n, np.nan)
    return pd.DataFrame(
        {
            "successes": y,
            "trials": n,
            "rate": raw,
            "shrunken_rate": (y + a) / (n + a + b),
            "shrunken_low": betaincinv(y + a, n - y + b, tail),
            "shrunken_high": betaincinv(y + a, n - y + b, 1 - tail),
        }
    )
