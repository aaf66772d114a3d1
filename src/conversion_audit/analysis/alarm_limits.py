"""How far a watched rate may stray before it alarms: one false alarm a year, whatever the number of series."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

FALSE_ALARMS_A_YEAR = 1.0
# Two sums a direction: a large slack sees a break within days, a small one a slow decline. A fall is what costs, so most
# of the budget is spent on falls.
FAST, SLOW = 1.5, 0.5
BUDGET = {("fell", FAST): 0.6, ("fell", SLOW): 0.2, ("rose", FAST): 0.15, ("rose", SLOW): 0.05}


@lru_cache
def thresholds(
    series: int, baseline_days: int, false_alarms: float = FALSE_ALARMS_A_YEAR
) -> dict[tuple[str, float], float]:
    """
    Return the sums at which a series alarms, for a budget of false alarms a year over all series.

    The baseline's own error, one standard error in the harmful direction, is taken off the slack.

    Returns
    -------
    dict
        (direction, slack) -> threshold, in standard deviations of a day.

    References
    ----------
    Brook and Evans 1972.
    """
    return {
        (direction, slack): _threshold(
            slack - 1 / np.sqrt(baseline_days), 365.0 * max(series, 1) / false_alarms / share
        )
        for (direction, slack), share in BUDGET.items()
    }


def _threshold(slack: float, wanted: float) -> float:
    low, high = 0.5, 30.0
    for _ in range(18):
        middle = (low + high) / 2
        low, high = (low, middle) if run_length(slack, middle) >= wanted else (middle, high)
    return float(high)


def run_length(slack: float, threshold: float, states: int = 60) -> float:
    """Return after how many days a sum of standard normal deviations beyond `slack` passes `threshold`, on average."""
    from scipy.special import ndtr

    width = threshold / (states - 0.5)
    places = np.arange(states) * width
    upper = ndtr(places[None, :] + width / 2 - places[:, None] + slack)
    lower = ndtr(places[None, :] - width / 2 - places[:, None] + slack)
    lower[:, 0] = 0.0
    days = float(np.linalg.solve(np.eye(states) - (upper - lower), np.ones(states))[0])
    # Beyond what the arithmetic can tell from never.
    return days if 0 < days < 1e12 else float("inf")
