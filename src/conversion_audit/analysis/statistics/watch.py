"""A value watched over time: the sums that tell a lasting shift from a bad day."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike


def cusum(values: ArrayLike, target: float, slack: float, threshold: float) -> pd.DataFrame:
    """
    Return the running sums of deviations beyond `slack`, upwards and downwards, never below 0.

    Parameters
    ----------
    values : array-like
        In order of time; a missing value leaves the sums as they are.
    target : float
        Where the value should be.
    slack : float
        Deviation that is forgiven each time, in the values' unit.
    threshold : float
        A sum above it is a signal.

    Returns
    -------
    DataFrame
        One row per value: upper, lower (sums), is_signal.

    References
    ----------
    Page 1954; NIST Engineering Statistics Handbook 6.3.2.3.
    """
    upper = lower = 0.0
    rows = []
    for deviation in np.asarray(values, float) - target:
        if not np.isnan(deviation):
            upper = max(0.0, upper + deviation - slack)
            lower = max(0.0, lower - deviation - slack)
        rows.append((upper, lower))
    sums = pd.DataFrame(rows, columns=["upper", "lower"], dtype=float)
    return sums.assign(is_signal=(sums.upper > threshold) | (sums.lower > threshold))
