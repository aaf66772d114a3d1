"""How many people a test needs, and the smallest difference a number of people can show."""

from __future__ import annotations

from math import asin, sqrt
from statistics import NormalDist
from typing import Literal

Formula = Literal["miller", "arcsine"]


def sample_size(
    rate: float,
    difference: float,
    alpha: float = 0.05,
    power: float = 0.8,
    formula: Formula = "miller",
    inflation: float = 1.0,
) -> float:
    """
    Return the visitors each of two variants needs to see a difference.

    Parameters
    ----------
    rate : float
        Rate without the change.
    difference : float
        In points of rate; negative for a fall.
    alpha, power : float
        Two-sided.
    formula : {"miller", "arcsine"}
        Say which beside the number: they differ by several per cent.
    inflation : float
        Design effect, where units repeat within visitors.

    Returns
    -------
    float
        Not rounded. NaN where the other rate leaves 0..1, infinity for no difference.

    References
    ----------
    "miller": evanmiller.org sample size calculator; "arcsine": Cohen 1988.
    """
    other = rate + difference
    if not (0 <= rate <= 1 and 0 <= other <= 1):
        return float("nan")
    if difference == 0:
        return float("inf")
    z_alpha, z_power = NormalDist().inv_cdf(1 - alpha / 2), NormalDist().inv_cdf(power)
    if formula == "arcsine":
        effect = 2 * asin(sqrt(other)) - 2 * asin(sqrt(rate))
        return inflation * 2 * ((z_alpha + z_power) / effect) ** 2
    spread = z_alpha * sqrt(2 * rate * (1 - rate)) + z_power * sqrt(rate * (1 - rate) + other * (1 - other))
    return inflation * (spread / difference) ** 2


def minimum_effect(
    rate: float,
    per_arm: float,
    alpha: float = 0.05,
    power: float = 0.8,
    formula: Formula = "miller",
    inflation: float = 1.0,
) -> float:
    """
    Return the smallest rise in rate that `per_arm` visitors in each variant would show; NaN where none would.

    Solves `sample_size` for the difference by halving.
    """
    if not (0 < rate < 1 and per_arm > 0):
        return float("nan")
    low, high = 0.0, 1 - rate
    if sample_size(rate, high, alpha, power, formula, inflation) > per_arm:
        return float("nan")
    for _ in range(80):
        middle = (low + high) / 2
        enough = middle > 0 and sample_size(rate, middle, alpha, power, formula, inflation) <= per_arm
        low, high = (low, middle) if enough else (middle, high)
    return high
