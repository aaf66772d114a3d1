"""How we will know: the test each candidate needs at this client's traffic, and what to do where there is too little of it."""

from __future__ import annotations

from math import ceil, sqrt
from statistics import NormalDist

import numpy as np
import pandas as pd

from conversion_audit.analysis.statistics import minimum_effect, sample_size

ALPHA, POWER = 0.05, 0.8
MOST_WEEKS = 8
FORMULA = "n = (z_a sqrt(2 p1 (1 - p1)) + z_b sqrt(p1 (1 - p1) + p2 (1 - p2)))^2 / (p2 - p1)^2"
TEST, BEFORE_AFTER, NEITHER, NO_RATE = "split test", "before and after", "too few", "no rate"
COLUMNS = [
    "finding", "step", "segment", "unit", "rate", "target_rate", "aimed_points", "visitors_a_week", "per_arm",
    "per_arm_arcsine", "weeks", "smallest_points", "smallest_before_after_points", "design", "alpha", "power",
]  # fmt: skip


def design_table(plan: pd.DataFrame, *, inflation: float = 1.0, weeks: int = MOST_WEEKS) -> pd.DataFrame:
    """
    Return the test that would show each candidate's gap closed; what is over has nothing left to close.

    Parameters
    ----------
    plan : DataFrame
        From `plan.plan`; its `days` are those in which `visitors_at_risk` came.
    inflation : float
        Design effect, where a visitor counts more than once.
    weeks : int
        The longest test worth waiting for.

    Returns
    -------
    DataFrame
        One row per candidate that is not over, in order: finding, step, segment, unit (visitor), rate, target_rate,
        aimed_points, visitors_a_week (those at the step: tests divide visitors, never sessions), per_arm (Miller's formula,
        see `FORMULA`), per_arm_arcsine (the other usual formula, to compare with other calculators), weeks (two arms),
        smallest_points (what `weeks` of traffic would show), smallest_before_after_points (the same without a test: so many weeks before and after), design: ``split test``,
        ``before and after`` (beside an untouched sibling step), ``too few``, or ``no rate``. NaN where there is no rate.

    References
    ----------
    evanmiller.org sample size calculator; Cohen 1988.
    """
    rows = [_row(row, inflation, weeks) for row in plan.to_dict("records") if not row["is_over"]]
    return pd.DataFrame(rows, columns=COLUMNS)


def before_after_effect(rate: float, before: float, after: float, siblings: float, inflation: float = 1.0) -> float:
    """
    Return the smallest change that a before and after beside a sibling would show; NaN without visitors.

    (z_a + z_b) sqrt(inflation p (1 - p) (1/before + 1/after + 2/siblings)), siblings on each side; none: left out.
    """
    if not (0 < rate < 1 and before > 0 and after > 0):
        return float("nan")
    z = NormalDist().inv_cdf(1 - ALPHA / 2) + NormalDist().inv_cdf(POWER)
    parts = 1 / before + 1 / after + (2 / siblings if siblings > 0 else 0)
    return z * sqrt(inflation * rate * (1 - rate) * parts)


def _row(row: dict, inflation: float, most: int) -> dict:
    known = {key: row[key] for key in ("finding", "step", "segment", "rate", "target_rate")}
    rate, target = known["rate"], known["target_rate"]
    about = known | {"unit": "visitor", "alpha": ALPHA, "power": POWER}
    at_risk = row["visitors_at_risk"]  # none where only totals are known
    if not (pd.notna(at_risk) and at_risk > 0 and 0 < rate < target < 1):
        return dict.fromkeys(COLUMNS, np.nan) | about | {"design": NO_RATE}
    a_week = float(row["visitors_at_risk"]) / row["days"] * 7
    gap = target - rate
    per_arm = sample_size(rate, gap, ALPHA, POWER, inflation=inflation)
    arcsine = sample_size(rate, gap, ALPHA, POWER, "arcsine", inflation)
    weeks = 2 * per_arm / a_week
    whole = a_week * most
    plain = before_after_effect(rate, whole, whole, 0, inflation)
    design = TEST if weeks <= most else BEFORE_AFTER if plain <= gap else NEITHER
    return about | {
        "aimed_points": gap,
        "visitors_a_week": a_week,
        "per_arm": ceil(per_arm),
        "per_arm_arcsine": ceil(arcsine),
        "weeks": max(1, ceil(weeks)),
        "smallest_points": minimum_effect(rate, whole / 2, ALPHA, POWER, inflation=inflation),
        "smallest_before_after_points": plain,
        "design": design,
    }
