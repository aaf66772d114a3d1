"""Every step watched day by day, so that the same thing does not happen twice: what fell, what went silent, what is stale."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

import numpy as np
import pandas as pd

from conversion_audit.analysis.alarm_limits import FALSE_ALARMS_A_YEAR, thresholds
from conversion_audit.analysis.cells import EVENT, OTHER, STEP, UNKNOWN
from conversion_audit.analysis.deviations import deviations, expectations, wobble
from conversion_audit.analysis.statistics import cusum, newcombe

FEWEST_DAYS = 14
FEWEST_A_DAY = 4.0
# Sessions of the baseline that did not pass: of fewer, nobody can say how often that happens.
FEWEST_FAILED = 10
SILENT_EXPECTED = 15.0
STALE_DAYS = 3
SAME_ALARM_DAYS = 7
OPEN_SHARE = 0.5
# How much likelier than "it goes on" it must be that all is as usual again.
SURELY_OVER = 1000
COLUMNS = [
    "kind", "name", "column", "level", "direction", "since", "noticed", "days", "at_risk", "passed", "rate",
    "expected_rate", "difference", "difference_low", "difference_high", "strength",
    "over",
]  # fmt: skip


def watch(
    baseline: pd.DataFrame,
    fresh: pd.DataFrame,
    suspects: Sequence[str],
    adjusters: Sequence[str],
    *,
    today: date | None = None,
    false_alarms: float = FALSE_ALARMS_A_YEAR,
) -> pd.DataFrame:
    """
    Hold every fresh day to what the baseline says, for all steps and all segments at once.

    Each step is watched for everyone and for each value of each suspect with enough traffic. A day's rate is compared with
    the baseline's for the same mix of adjusters and weekday; deviations beyond a slack add up, and a sum above its
    threshold is an alarm. Thresholds are set so that all series together give `false_alarms` a year where nothing happens,
    four fifths of them falls. Alarms of one step within a week are one: the clearest segment names it.

    Parameters
    ----------
    baseline, fresh : DataFrame
        From `cells.cells`: of the newest run, and of the days since. Days of the baseline are left out of `fresh`.
    suspects, adjusters : sequence of str
        Columns of the cells: where a step can break; who came.
    today : date, optional
        Data that end earlier than three days before are stale.
    false_alarms : float
        Budget a year over all series, both directions.

    Returns
    -------
    DataFrame
        One row per alarm, those that go on before those that are over, latest first::

            kind      name  column   level direction      since    noticed  rate  expected_rate
            step  shipping  device  mobile      fell 2026-05-18 2026-05-20  0.55           0.71

        kind is step, silent (an event that stopped: rate and at_risk count sessions since) or stale. `since` is the first
        day of the run of deviations. `difference` is the rate less the expected one, with its interval (95 %). `over` is the
        day since which a step goes as usual again; missing while it does not, or too few days say so.

    References
    ----------
    Page 1954; Brook and Evans 1972 for the thresholds.
    """
    fresh = fresh[fresh.date > baseline.date.max()] if len(baseline) else fresh
    last = fresh.date.max() if len(fresh) else baseline.date.max() if len(baseline) else pd.NaT
    found = [_stale(last, today)]
    fresh = fresh[~fresh.date.isin(open_days(baseline, fresh))]
    if len(fresh) and baseline.date.nunique() >= FEWEST_DAYS:
        found += [_steps(baseline, fresh, suspects, adjusters, false_alarms), silent(baseline, fresh)]
    found = [part for part in found if len(part)]
    if not found:
        return pd.DataFrame(columns=COLUMNS).astype({"over": "datetime64[us]"})
    table = pd.concat(found, ignore_index=True).reindex(columns=COLUMNS).astype({"over": "datetime64[us]"})
    order = table.sort_values(["noticed", "strength", "name"], ascending=[False, False, True])
    return order.sort_values("over", key=pd.notna, kind="stable", ignore_index=True)


def pressing(alarms: pd.DataFrame, until: date) -> pd.DataFrame:
    """Return the alarms that somebody must hear of: those that go on, and those that have been over for a week at most."""
    return alarms[alarms.over.isna() | ((pd.Timestamp(until) - alarms.over).dt.days < SAME_ALARM_DAYS)]


def open_days(baseline: pd.DataFrame, fresh: pd.DataFrame) -> list[pd.Timestamp]:
    """Return the fresh days that are still filling up: the last one, where it has less than half the usual sessions."""
    if not len(fresh):
        return []
    totals = _totals(pd.concat([baseline, fresh]))
    usual, last = totals.median(), fresh.date.max()
    return [last] if totals.get(last, 0) < OPEN_SHARE * usual else []


def watched(baseline: pd.DataFrame, suspects: Sequence[str]) -> pd.DataFrame:
    """
    Return the series that are watched: each step for everyone and for each value of each suspect with enough traffic.

    Returns
    -------
    DataFrame
        name, column, level (missing: everyone), a_day (sessions at risk), rate, can_rise: whether enough fail on a day for
        a rise to show; where nearly everybody passes only falls are watched.
    """
    steps, days = baseline[baseline.kind == STEP], max(baseline.date.nunique(), 1)
    parts = [
        steps.groupby("name", sort=False)[["at_risk", "passed"]].sum().reset_index().assign(column=None, level=None)
    ]
    for column in suspects:
        if column in steps:
            part = steps.groupby(["name", column], sort=True)[["at_risk", "passed"]].sum().reset_index()
            parts.append(part.rename(columns={column: "level"}).assign(column=column))
    table = pd.concat(parts, ignore_index=True)
    table = table.assign(a_day=table.at_risk / days, rate=table.passed / table.at_risk.where(table.at_risk > 0))
    failed = table.at_risk - table.passed
    table = table.assign(can_rise=failed / days >= FEWEST_A_DAY)
    enough = ((table.passed / days >= FEWEST_A_DAY) & (failed >= FEWEST_FAILED)).to_numpy()
    named = ~table.level.isin([OTHER, UNKNOWN]).to_numpy()
    columns = ["name", "column", "level", "a_day", "rate", "can_rise"]
    return table.loc[enough & named, columns].reset_index(drop=True)


def silent(baseline: pd.DataFrame, fresh: pd.DataFrame) -> pd.DataFrame:
    """
    Return the events that stopped: none on the last days, where so many were expected that chance cannot say so.

    What had stopped within the baseline in the same way is no news.
    """
    rows, totals, before = [], _totals(fresh), _totals(baseline)
    events = fresh[fresh.kind == EVENT]
    for name, past in baseline[baseline.kind == EVENT].groupby("name", sort=True):
        rate = past.passed.sum() / max(past.at_risk.sum(), 1)
        seen = events[events.name == name].groupby("date").passed.sum().reindex(totals.index, fill_value=0)
        last = seen[seen > 0].index.max()
        gone = totals[totals.index > last] if pd.notna(last) else totals
        scatter = max(1.0, float((past.passed - past.at_risk * rate).pow(2).mean() / max(past.passed.mean(), 1e-9)))
        old = before[before.index > past.date[past.passed > 0].max()].sum() * rate / scatter >= SILENT_EXPECTED
        if len(gone) and not old and rate * gone.sum() / scatter >= SILENT_EXPECTED:
            rows.append({"kind": "silent", "name": name, "since": gone.index[0], "noticed": gone.index[-1],
                         "days": len(gone), "at_risk": int(gone.sum()), "passed": 0, "rate": 0.0,
                         "expected_rate": rate, "direction": "fell", "strength": rate * gone.sum() / scatter})  # fmt: skip
    return pd.DataFrame(rows, columns=COLUMNS)


def _steps(baseline, fresh, suspects, adjusters, false_alarms) -> pd.DataFrame:
    series = watched(baseline, suspects)
    both = thresholds(len(series), int(baseline.date.nunique()), false_alarms)
    falls = {key: limit for key, limit in both.items() if key[0] == "fell"}
    rows = []
    for step, mine in series.groupby("name", sort=False):
        expected = expectations(baseline, fresh, step, adjusters)
        tau = wobble(expected)
        for _, one in mine.iterrows():
            segment = [None if pd.isna(value) else value for value in (one["column"], one["level"])]
            days = deviations(expected, *segment, between_days=tau)
            limits = both if one["can_rise"] else falls
            rows += [_told(one, days, *signal) for signal in signals(days.deviation.to_numpy(), limits)]
    return together(pd.DataFrame(rows, columns=COLUMNS))


def signals(deviations: np.ndarray, limits: Mapping[tuple[str, float], float]) -> list[tuple[int, int, str, float]]:
    """
    Return each signal of a series: first and last place of its run, direction, and how clear it is.

    Parameters
    ----------
    deviations : array
        In standard deviations, in order of days.
    limits : mapping
        From `alarm_limits.thresholds`. After a signal all sums begin anew.
    """
    found, start = [], 0
    while start < len(deviations):
        hits = [_first_hit(deviations[start:], *key, limit) for key, limit in limits.items()]
        hits = [hit for hit in hits if hit is not None]
        if not hits:
            break
        end, first, direction = min(hits)
        strength = abs(deviations[start + first : start + end + 1].sum()) / np.sqrt(end - first + 1)
        found.append((start + first, start + end, direction, float(strength)))
        start += end + 1
    return found


def usual_since(deviations: np.ndarray, first: int, last: int) -> int | None:
    """
    Return the place of the day since which a series goes as expected again after a signal, or None.

    From that day to the last one, deviations around nothing must be `SURELY_OVER` times likelier than deviations around
    the signal's own mean; of several such days it is the one for which most speaks.
    """
    fallen, after = deviations[first : last + 1].mean(), deviations[last + 1 :]
    if not len(after):
        return None
    evidence = np.cumsum((fallen**2 / 2 - fallen * after)[::-1])[::-1]
    best = int(evidence.argmax())
    return last + 1 + best if evidence[best] > np.log(SURELY_OVER) else None


def _first_hit(deviations: np.ndarray, direction: str, slack: float, limit: float) -> tuple[int, int, str] | None:
    """Place of the first signal and of the first day of its run."""
    sums = cusum(deviations, 0.0, slack, limit)
    side = (sums.lower if direction == "fell" else sums.upper).to_numpy()
    hits = np.flatnonzero(side > limit)
    if not len(hits):
        return None
    zeros = np.flatnonzero(side[: hits[0]] == 0)
    return int(hits[0]), int(zeros[-1]) + 1 if len(zeros) else 0, direction


def together(alarms: pd.DataFrame) -> pd.DataFrame:
    """Return one alarm for those of one step and direction that follow each other within a week; the clearest names it."""
    if not len(alarms):
        return alarms
    kept = []
    for _, mine in alarms.sort_values(["name", "direction", "noticed"]).groupby(["name", "direction"], sort=True):
        gap = mine.since.sub(mine.noticed.cummax().shift()).dt.days
        for _, one in mine.groupby((gap > SAME_ALARM_DAYS).cumsum()):
            first = one[one.noticed <= one.noticed.min() + pd.Timedelta(days=2)]
            best = first.sort_values(["strength", "at_risk"], ascending=False).iloc[0].copy()
            same = first[(first.column.isna() & pd.isna(best.column)) | (first.level == best.level)]
            best["since"], best["noticed"] = same.since.min(), same.noticed.min()
            newest = one.groupby(["column", "level"], dropna=False).tail(1)
            best["over"] = newest.over.max() if newest.over.notna().all() else pd.NaT
            kept.append(best)
    return pd.DataFrame(kept).reset_index(drop=True)


def _told(series: pd.Series, days: pd.DataFrame, first: int, last: int, direction: str, strength: float) -> dict:
    rows, usual = days.iloc[first : last + 1], usual_since(days.deviation.to_numpy(), first, last)
    n, y = rows.at_risk.sum(), rows.passed.sum()
    expected = float((rows.expected_rate * rows.at_risk).sum() / n)
    low, high = newcombe(y, n, expected * series["a_day"] * FEWEST_DAYS, series["a_day"] * FEWEST_DAYS)
    return {
        "kind": STEP,
        "name": series["name"],
        "column": series["column"],
        "level": series["level"],
        "direction": direction,
        "since": rows.date.iloc[0],
        "noticed": rows.date.iloc[-1],
        "days": len(rows),
        "at_risk": int(n),
        "passed": int(y),
        "rate": y / n,
        "expected_rate": expected,
        "difference": y / n - expected,
        "difference_low": float(low),
        "difference_high": float(high),
        "strength": strength,
        "over": pd.NaT if usual is None else days.date.iloc[usual],
    }


def _stale(last: pd.Timestamp, today: date | None) -> pd.DataFrame:
    if today is None or pd.isna(last) or (pd.Timestamp(today) - last).days <= STALE_DAYS:
        return pd.DataFrame(columns=COLUMNS)
    days = (pd.Timestamp(today) - last).days
    row = {"kind": "stale", "name": None, "since": last, "noticed": pd.Timestamp(today), "days": days, "strength": days}
    return pd.DataFrame([row], columns=COLUMNS)


def _totals(cells: pd.DataFrame) -> pd.Series:
    """Sessions a day."""
    first = cells[(cells.kind == STEP) & cells.of.isna()]
    return first.groupby("date").at_risk.sum().sort_index()
