"""What can be said where the data leave a range: bounds, misread labels, unseen confounding."""

from __future__ import annotations

from math import sqrt
from statistics import NormalDist


def imbens_manski(
    low: float, high: float, low_se: float, high_se: float, confidence: float = 0.95
) -> tuple[float, float]:
    """
    Return an interval that covers the true value, not the whole range of bounds, with the confidence given.

    The critical value c solves Phi(c + (high - low) / larger SE) - Phi(-c) = confidence: two-sided where the bounds
    meet, one-sided where they lie far apart.

    Raises
    ------
    ValueError
        If `low` lies above `high`.

    References
    ----------
    Imbens and Manski 2004.
    """
    if low > high:
        raise ValueError(f"lower bound {low} lies above upper bound {high}")
    largest = max(low_se, high_se)
    if not largest > 0:
        return (low, high) if largest == 0 else (float("nan"), float("nan"))
    width, normal = (high - low) / largest, NormalDist()
    bottom, top = normal.inv_cdf(confidence), normal.inv_cdf(0.5 + confidence / 2)
    for _ in range(60):
        c = (bottom + top) / 2
        enough = normal.cdf(c + width) - normal.cdf(-c) >= confidence
        bottom, top = (bottom, c) if enough else (c, top)
    return low - top * low_se, high + top * high_se


def rogan_gladen(share: float, sensitivity: float, specificity: float) -> float:
    """
    Return the true share behind an apparent one, given how often the labels are right, held to 0..1.

    (share + specificity - 1) / (sensitivity + specificity - 1); NaN where the labels are no better than a coin.

    References
    ----------
    Rogan and Gladen 1978.
    """
    informative = sensitivity + specificity - 1
    return min(1.0, max(0.0, (share + specificity - 1) / informative)) if informative > 0 else float("nan")


def e_value(ratio: float) -> float:
    """
    Return how strongly an unseen cause would have to go with both sides to explain a risk ratio away.

    RR + sqrt(RR (RR - 1)), for a ratio below 1 of its inverse; 1 means nothing is needed. NaN for ratios that are not
    positive.

    References
    ----------
    VanderWeele and Ding 2017.
    """
    if not ratio > 0:
        return float("nan")
    ratio = max(ratio, 1 / ratio)
    return ratio + sqrt(ratio * (ratio - 1))
