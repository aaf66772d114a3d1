"""Times until something happens, where not everyone has got there yet."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike


def kaplan_meier(durations: ArrayLike, observed: ArrayLike) -> pd.DataFrame:
    """
    Return the share still waiting after each time.

    Parameters
    ----------
    durations : array-like
        Time waited.
    observed : array-like of bool
        It happened then; otherwise watching ended.

    Returns
    -------
    DataFrame
        One row per time at which it happened::

              time  at_risk  events  survival_rate
               6.0       21       3         0.8571
               7.0       17       1         0.8067

    References
    ----------
    Kaplan and Meier 1958.
    """
    times, happened = np.asarray(durations, float), np.asarray(observed, bool)
    moments = np.unique(times[happened])
    at_risk = len(times) - np.searchsorted(np.sort(times), moments, "left")
    events = np.array([int((times[happened] == t).sum()) for t in moments], dtype=int)
    survival = np.cumprod(1 - events / at_risk) if len(moments) else np.array([], float)
    return pd.DataFrame({"time": moments, "at_risk": at_risk.astype(int), "events": events, "survival_rate": survival})


def median_time(durations: ArrayLike, observed: ArrayLike) -> float:
    """Return the first time at which at most half still wait; NaN if more than half wait to the end."""
    table = kaplan_meier(durations, observed)
    reached = table.time[table.survival_rate <= 0.5 + 1e-12]
    return float(reached.iloc[0]) if len(reached) else float("nan")


def cumulative_incidence(durations: ArrayLike, ends: ArrayLike) -> pd.DataFrame:
    """
    Return the share that went on, and the share that left instead, by each time (Aalen-Johansen).

    One minus Kaplan-Meier would count those who left as still to come and overstate the share that goes on.

    Parameters
    ----------
    durations : array-like
        Time until the end named in `ends`.
    ends : array-like of int
        1 went on, 2 left, 0 watching ended.

    Returns
    -------
    DataFrame
        One row per time at which someone went on or left: time, at_risk, next_rate, exit_rate.

    References
    ----------
    Aalen and Johansen 1978.
    """
    times, ends = np.asarray(durations, float), np.asarray(ends, int)
    moments, codes = np.unique(times, return_inverse=True)
    went = np.bincount(codes, weights=ends == 1, minlength=len(moments))
    left = np.bincount(codes, weights=ends == 2, minlength=len(moments))
    at_risk = len(times) - np.searchsorted(np.sort(times), moments, "left")
    stay = 1 - (went + left) / at_risk
    before = np.concatenate([[1.0], np.cumprod(stay)[:-1]]) if len(moments) else stay
    table = pd.DataFrame(
        {
            "time": moments,
            "at_risk": at_risk.astype(int),
            "next_rate": np.cumsum(before * went / at_risk),
            "exit_rate": np.cumsum(before * left / at_risk),
        }
    )
    return table[(went + left) > 0].reset_index(drop=True)


class LogRank(NamedTuple):
    """The test statistic (one degree of freedom) and its p-value."""

    statistic: float
    p_value: float


def logrank(durations_a: ArrayLike, observed_a: ArrayLike, durations_b: ArrayLike, observed_b: ArrayLike) -> LogRank:
    """
    Return whether two groups wait equally long.

    References
    ----------
    Mantel 1966.
    """
    a, b = np.asarray(durations_a, float), np.asarray(durations_b, float)
    seen_a, seen_b = np.asarray(observed_a, bool), np.asarray(observed_b, bool)
    excess = variance = 0.0
    for t in np.unique(np.concatenate([a[seen_a], b[seen_b]])):
        n_a, n_b = (a >= t).sum(), (b >= t).sum()
        d_a, d_b = (a[seen_a] == t).sum(), (b[seen_b] == t).sum()
        n, d = n_a + n_b, d_a + d_b
        excess += d_a - d * n_a / n
        if n > 1:
            variance += d * (n_a / n) * (n_b / n) * (n - d) / (n - 1)
    if variance == 0:
        return LogRank(float("nan"), float("nan"))
    from math import erfc, sqrt

    statistic = float(excess**2 / variance)
    return LogRank(statistic, erfc(sqrt(statistic / 2)))
