"""What was changed on the site, on the chart and in numbers: before, after, and how much any day's before and after differ."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from conversion_audit.analysis.cells import GOAL, STEP, by_day, within
from conversion_audit.analysis.statistics import newcombe

DAYS = 14
FEWEST_DAYS = 7
FEWEST_PLACEBOS = 10


def marked_changes(
    cells: pd.DataFrame,
    changes: Sequence[Mapping[str, Any]],
    steps: Sequence[str],
    goal: str,
    *,
    days: int = DAYS,
    filling: Collection[pd.Timestamp] = (),
) -> pd.DataFrame:
    """
    Compare the days before and after each change, at every step and for the goal.

    Parameters
    ----------
    cells : DataFrame
        From `cells.cells`; of one run, or of two in a row joined.
    changes : sequence of mapping
        Each with on (a day) and what.
    steps : sequence of str
        The journey.
    goal : str
        The main goal.
    days : int
        Days compared on each side; fewer, at least 7, where there are no more.
    filling : collection of Timestamp
        Days that may still gain events: left out.

    Returns
    -------
    DataFrame
        One row per change and measure: on, what, kind, name, days, before_at_risk, before_passed, before_rate, after_at_risk,
        after_passed, after_rate, change, change_low, change_high, usual_change (19 of 20 other days' before and after
        differ by less; NaN with fewer than ten other days), stands_out (beyond chance, visitors who come back allowed for, and
        beyond that; never where that is not known). NaN where there are too few days on a side.
    """
    measures = [(GOAL, goal), *((STEP, step) for step in steps)]
    settled = cells[~cells["date"].isin(list(filling))]
    found = {one: within(settled, *one) for one in measures}
    series = {one: by_day(rows).set_index("date") for one, rows in found.items()}
    inflation = {one: float(rows.inflation.max()) if len(rows) else 1.0 for one, rows in found.items()}
    rows = []
    for change in changes:
        day = pd.Timestamp(change["on"])
        for kind, name in measures:
            rows.append({"on": day, "what": change["what"], "kind": kind, "name": name,
                         **_around(series[kind, name], day, days, inflation[kind, name])})  # fmt: skip
    return pd.DataFrame(rows)


def daily(
    cells: pd.DataFrame,
    kind: str,
    name: str,
    segment: Mapping[str, str] | None = None,
    *,
    until: pd.Timestamp | None = None,
    changes: Sequence[Mapping[str, Any]] = (),
    filling: Collection[pd.Timestamp] = (),
) -> pd.DataFrame:
    """
    Return a measure day by day for a chart.

    Parameters
    ----------
    until : Timestamp, optional
        Last day of the earlier period: its rate is what is expected; where there is none, the rate of all days.
    changes : sequence of mapping
        Each with on and what: marked.
    filling : collection of Timestamp
        Days that may still gain events: shown, but no part of what is expected and never an alarm.

    Returns
    -------
    DataFrame
        date, at_risk, passed, rate, expected_rate, expected_low, expected_high (three standard deviations of a day),
        is_alarm (outside), is_open (still filling), change (text or None).
    """
    rows = within(cells, kind, name, segment)
    days = by_day(rows)
    days = days[days.at_risk > 0].reset_index(drop=True)
    is_open = days.date.isin(list(filling))
    earlier = days[~is_open & (days.date <= until)] if until is not None else days[:0]
    base = earlier if len(earlier) else days[~is_open]
    expected = base.passed.sum() / base.at_risk.sum() if base.at_risk.sum() else np.nan
    inflation = float(rows.inflation.max()) if len(rows) else 1.0
    width = 3 * np.sqrt(inflation * expected * (1 - expected) / days.at_risk)
    words = pd.DataFrame([(pd.Timestamp(c["on"]), c["what"]) for c in changes], columns=["date", "change"])
    words = words.groupby("date").change.agg("; ".join)
    rate = days.passed / days.at_risk
    return days.assign(
        rate=rate,
        expected_rate=expected,
        expected_low=np.clip(expected - width, 0, 1),
        expected_high=np.clip(expected + width, 0, 1),
        is_alarm=((rate < expected - width) | (rate > expected + width)) & ~is_open,
        is_open=is_open,
        change=days.date.map(words).astype(object),
    )


def _around(series: pd.DataFrame, day: pd.Timestamp, days: int, inflation: float) -> dict[str, Any]:
    pair = _pair(series, day, days)
    names = ["days", "before_at_risk", "before_passed", "before_rate", "after_at_risk", "after_passed", "after_rate"]
    if pair is None:
        empty = [*names, "change", "change_low", "change_high", "usual_change"]
        return dict.fromkeys(empty, np.nan) | {"stands_out": False}
    length, n_b, y_b, n_a, y_a = pair
    low, high = newcombe(*(count / inflation for count in (y_a, n_a, y_b, n_b)))
    usual = _usual(series, day, length)
    change = y_a / n_a - y_b / n_b
    clear = bool(low > 0 or high < 0)
    values = [length, n_b, y_b, y_b / n_b, n_a, y_a, y_a / n_a]
    return dict(zip(names, values, strict=True)) | {
        "change": change,
        "change_low": float(low),
        "change_high": float(high),
        "usual_change": usual,
        "stands_out": clear and bool(abs(change) > usual),
    }


def _pair(series: pd.DataFrame, day: pd.Timestamp, days: int) -> tuple[int, int, int, int, int] | None:
    if not len(series):
        return None
    length = min(days, (day - series.index.min()).days, (series.index.max() - day).days + 1)
    if length < FEWEST_DAYS:
        return None
    span = pd.Timedelta(days=length)
    before = series[(series.index >= day - span) & (series.index < day)].sum()
    after = series[(series.index >= day) & (series.index < day + span)].sum()
    if not (before.at_risk and after.at_risk):
        return None
    return length, int(before.at_risk), int(before.passed), int(after.at_risk), int(after.passed)


def _usual(series: pd.DataFrame, day: pd.Timestamp, length: int) -> float:
    """What other days' before and after differ by, 19 times in 20; NaN where there are too few other days."""
    found = []
    for other in series.index:
        pair = _pair(series, other, length) if abs((other - day).days) >= length // 2 else None
        if pair and pair[0] == length:
            found.append(abs(pair[4] / pair[3] - pair[2] / pair[1]))
    return float(np.quantile(found, 0.95)) if len(found) >= FEWEST_PLACEBOS else float("nan")
