"""A step's days against what the days before let expect of the same visitors."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from conversion_audit.analysis.cells import STEP

PRIOR_SESSIONS = 20.0


def expectations(baseline: pd.DataFrame, fresh: pd.DataFrame, step: str, adjusters: Sequence[str]) -> pd.DataFrame:
    """
    Return a step's cells of both, each with the passes that the baseline expects of its mix of adjusters and weekday.

    Returns
    -------
    DataFrame
        The cells, with expected and is_fresh.
    """
    rows = pd.concat([one[(one["kind"] == STEP) & (one["name"] == step)].assign(is_fresh=late)
                      for one, late in ((baseline, False), (fresh, True))], ignore_index=True)  # fmt: skip
    rows = rows.assign(weekday=rows.date.dt.day_of_week)
    keys = [*(column for column in adjusters if column in rows), "weekday"]
    past = rows[~rows.is_fresh]
    whole = past.passed.sum() / max(past.at_risk.sum(), 1)
    sums = past.groupby(keys)[["at_risk", "passed"]].sum()
    usual = (sums.passed + PRIOR_SESSIONS * whole) / (sums.at_risk + PRIOR_SESSIONS)
    rows = rows.merge(usual.rename("usual").reset_index(), how="left", on=keys)
    return rows.assign(expected=rows.at_risk * rows.usual.fillna(whole))


def wobble(expected: pd.DataFrame) -> float:
    """
    Return the variance, on the scale of log odds, by which a step's days differ beyond chance; from the baseline.

    Chance: that of visitors who come back, and decide alike.

    What so few days can say of it is allowed for: one standard error is added.
    """
    days = expected[~expected.is_fresh].groupby("date")[["at_risk", "passed", "expected"]].sum()
    days = days[days.at_risk > 0]
    if len(days) < 2:
        return 0.0
    rate = days.passed.sum() / days.at_risk.sum()
    scatter = np.mean(_deviation(days, _offset(days)) ** 2) * (1 + np.sqrt(2 / len(days)))
    return max(0.0, scatter - _inflation(expected)) / max(days.at_risk.mean() * rate * (1 - rate), 1e-9)


def deviations(
    expected: pd.DataFrame, column: str | None = None, level: str | None = None, *, between_days: float = 0.0
) -> pd.DataFrame:
    """
    Return a series' days against what the baseline expects of the same mix.

    Parameters
    ----------
    expected : DataFrame
        From `expectations`.
    column, level : str, optional
        The segment; everyone without.
    between_days : float
        From `wobble`.

    Returns
    -------
    DataFrame
        One row per fresh day: date, at_risk, passed, rate, expected_rate, deviation (in standard deviations of a day,
        visitors who come back allowed for), low and high (three of them around the expected rate).
    """
    rows = expected if column is None else expected[expected[column] == level]
    days = rows.groupby(["is_fresh", "date"], sort=True)[["at_risk", "passed", "expected"]].sum()
    days = days[days.at_risk > 0].reset_index()
    before, after = days[~days.is_fresh], days[days.is_fresh]
    offset = _offset(before)
    rate = _expit(_logit(after.expected / after.at_risk) + offset)
    spread = np.sqrt(_inflation(expected) + between_days * after.at_risk * rate * (1 - rate))
    width = 3 * spread * np.sqrt(rate * (1 - rate) / after.at_risk)
    return after[["date", "at_risk", "passed"]].assign(
        rate=after.passed / after.at_risk,
        expected_rate=rate,
        deviation=_deviation(after, offset) / spread,
        low=np.clip(rate - width, 0, 1),
        high=np.clip(rate + width, 0, 1),
    ).reset_index(drop=True)  # fmt: skip


def _inflation(expected: pd.DataFrame) -> float:
    """By how much visitors who come back inflate the variance of the step's counts."""
    return float(expected.inflation[~expected.is_fresh].max())


def _deviation(days: pd.DataFrame, offset: float) -> np.ndarray:
    """The day's place in its binomial distribution, as standard deviations of a normal one: right for small counts too."""
    from scipy.special import bdtr, bdtrc, ndtri

    n, y = days.at_risk.to_numpy(int), days.passed.to_numpy(int)
    rate = _expit(_logit(days.expected / days.at_risk) + offset).to_numpy()
    below = (np.where(y > 0, bdtr(np.maximum(y - 1, 0), n, rate), 0.0) + bdtr(y, n, rate)) / 2
    above = (np.where(y > 0, bdtrc(np.maximum(y - 1, 0), n, rate), 1.0) + bdtrc(y, n, rate)) / 2
    tiny = 1e-300
    return np.where(below < above, ndtri(np.maximum(below, tiny)), -ndtri(np.maximum(above, tiny)))


def _offset(days: pd.DataFrame) -> float:
    """By how much a series' log odds differ from what its mix alone would give."""
    n = days.at_risk.sum()
    return float(_logit(days.passed.sum() / n) - _logit(days.expected.sum() / n))


def _logit(rate):
    rate = np.clip(rate, 1e-6, 1 - 1e-6)
    return np.log(rate / (1 - rate))


def _expit(value):
    return 1 / (1 + np.exp(-value))
