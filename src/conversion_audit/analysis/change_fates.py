"""What became of the last plan: whether each finding's rate moved, against siblings that nobody touched, when, and what it is worth."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from conversion_audit.analysis.cells import STEP, by_day, within
from conversion_audit.analysis.statistics import wilson
from conversion_audit.findings import declared_worth

FEWEST_SIBLINGS, FEWEST_AT_RISK = 200, 30
MONTH = 365.25 / 12
KINDS = ("friction", "incident", "unexplained")
FIXED, IMPROVED, UNMOVED, WORSE, CANNOT_SAY = "fixed", "improved", "unmoved", "worse", "cannot say"
OVER, NEW = "over", "new"
COLUMNS = [
    "finding", "kind", "step", "of", "segment", "status", "done_on", "before_at_risk", "before_rate", "before_low",
    "before_high", "after_at_risk", "after_rate", "after_low", "after_high", "siblings_at_risk", "siblings_before_rate",
    "siblings_after_rate", "expected_rate", "moved", "moved_low", "moved_high", "moved_on", "moved_on_low",
    "moved_on_high", "until", "value_a_month", "value_a_month_low", "value_a_month_high", "goal_value", "fate",
]  # fmt: skip


def fates(
    then: Sequence[Mapping[str, Any]],
    now: Sequence[Mapping[str, Any]],
    before: pd.DataFrame,
    after: pd.DataFrame,
    review: Mapping[str, Mapping[str, Any]] | None = None,
    *,
    confidence: float = 0.95,
) -> pd.DataFrame:
    """
    Follow each friction of two runs from one period to the next.

    What moved is a difference in differences, on the scale of log odds: the segment's rate at the step, after less before,
    less the same of untouched siblings (sessions at the same step that are in no finding's segment). `moved` is the after
    rate less the rate that the siblings let expect.

    Parameters
    ----------
    then, now : sequence of mapping
        Findings of both runs, as records; frictions, incidents and unexplained gaps are followed.
    before, after : DataFrame
        From `cells.cells`, of both runs; no day in both.
    review : mapping, optional
        Finding -> status and done_on, as in review.yaml.
    confidence : float
        Of the intervals.

    Returns
    -------
    DataFrame
        One row per finding: those of the last plan, then those that are new (what was over before `after` began is not);
        none where there are no cells after. `fate` is fixed (as good as its benchmark), improved, unmoved, worse, cannot
        say, over (an incident that had ended by itself and did not come back), or new. moved_on: the day from which the
        rates differ most, with the days that the data do not speak against (ISO; None where nothing moved); after_* and
        moved are counted from that day on. until: the last day of an incident that had ended by itself, else None.
        value_a_month: what the move is worth at the after period's traffic, from the finding's own price, in revenue, or at
        goal_value where that is what a completion is declared to be worth; NaN for what had ended by itself. siblings_* are
        NaN where there are none.
    """
    review, then = review or {}, then if len(after) else ()
    old = [one for one in then if _followed(one, before)]
    new = [one for one in now if _lasts(one, after) and not any(_same(one, other) for other in old)]
    touched = [(one["step"], one.get("segment") or {}) for one in [*old, *new]]
    rows = [_fate(one, before, after, touched, review.get(one["id"], {}), False, confidence) for one in old]
    rows += [_fate(one, before, after, touched, review.get(one["id"], {}), True, confidence) for one in new]
    return pd.DataFrame(rows, columns=COLUMNS)


def _followed(finding: Mapping[str, Any], cells: pd.DataFrame) -> bool:
    known = set(cells.columns)
    return finding["kind"] in KINDS and bool(finding.get("step")) and set(finding.get("segment") or {}) <= known


def _lasts(finding: Mapping[str, Any], after: pd.DataFrame) -> bool:
    """Into the days after: what was over before them may only have been found later."""
    last = pd.Timestamp(finding.get("until") or after.date.max())
    return _followed(finding, after) and bool(last >= after.date.min())


def _same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return one["id"] == other["id"] or (
        one["step"] == other["step"]
        and (one.get("segment") or {}) == (other.get("segment") or {})
        and one.get("since") == other.get("since")
    )


def _fate(finding, before, after, touched, review, is_new: bool, confidence: float) -> dict[str, Any]:
    step, segment = finding["step"], finding.get("segment") or {}
    if is_new and finding.get("since"):  # it may have begun in the last days before
        before = before[before.date < pd.Timestamp(finding["since"])]
    inside = [within(cells, STEP, step, segment) for cells in (before, after)]
    others = [_siblings(cells, step, touched) for cells in (before, after)]
    place = 1 if is_new else 0
    inside[place] = _during(inside[place], finding)
    others[place] = _during(others[place], finding)
    moved = difference(*inside, *others, confidence)
    joined = pd.concat([within(before, STEP, step, segment), within(after, STEP, step, segment)])
    when = _known_day(finding, is_new)
    if when is None:
        direction = "fell" if is_new or moved["moved_high"] < 0 else "rose"
        when = turning_day(by_day(joined), direction) if _is_clear(moved) else {}
        day = when.get("moved_on")
        later = [rows[rows.date >= pd.Timestamp(day)] for rows in (inside[1], others[1])] if day else []
        if later and later[0].at_risk.sum() >= FEWEST_AT_RISK:  # what is told since a day is counted since that day
            inside[1], others[1] = later
            moved = difference(*inside, *others, confidence)
    return {
        "finding": finding["id"],
        "kind": finding["kind"],
        "step": step,
        "of": inside[1].of.iloc[0] if len(inside[1]) else None,
        "segment": json.dumps(segment, sort_keys=True, ensure_ascii=False),
        "status": review.get("status"),
        "done_on": review.get("done_on"),
        **moved,
        **when,
        "until": finding["until"] if _ended(finding) else None,
        **_worth(finding, moved, inside[1]),
        "fate": NEW if is_new else _word(moved, finding),
    }


def _known_day(finding: Mapping[str, Any], is_new: bool) -> dict[str, Any] | None:
    """Incidents carry their own dates: a new one began, an old one ended."""
    values, edge = finding.get("values") or {}, finding.get("since" if is_new else "until")
    if not edge or (not is_new and not _ended(finding)):
        return None
    name, later = ("since", 0) if is_new else ("until", 1)
    days = (edge, values.get(f"{name}_low") or edge, values.get(f"{name}_high") or edge)
    moved = [(pd.Timestamp(day) + pd.Timedelta(days=later)).date().isoformat() for day in days]
    return dict(zip(("moved_on", "moved_on_low", "moved_on_high"), moved, strict=True))


def _ended(finding: Mapping[str, Any]) -> bool:
    """Before its own period did."""
    end = (finding.get("values") or {}).get("end")
    return bool(finding.get("until")) and (end is None or str(finding["until"]) < str(end))


def _during(rows: pd.DataFrame, finding: Mapping[str, Any]) -> pd.DataFrame:
    since, until = finding.get("since"), finding.get("until")
    rows = rows[rows.date >= pd.Timestamp(since)] if since else rows
    return rows[rows.date <= pd.Timestamp(until)] if until else rows


def _siblings(cells: pd.DataFrame, step: str, touched: Sequence[tuple[str, Mapping[str, str]]]) -> pd.DataFrame:
    """Sessions at the step that are in no finding's segment there."""
    rows = within(cells, STEP, step)
    for other, segment in touched:
        if other == step and len(rows):
            if not segment:
                return rows.iloc[:0]
            inside = np.ones(len(rows), bool)
            for column, value in segment.items():
                inside &= (rows[column] == value).to_numpy() if column in rows else False
            rows = rows[~inside]
    return rows


def difference(
    inside_before: pd.DataFrame,
    inside_after: pd.DataFrame,
    others_before: pd.DataFrame,
    others_after: pd.DataFrame,
    confidence: float = 0.95,
) -> dict[str, float]:
    """
    Return how far a segment's rate moved beyond what its siblings did.

    Parameters
    ----------
    inside_before, inside_after, others_before, others_after : DataFrame
        Cells of one step.

    Returns
    -------
    dict
        before_*, after_* (at_risk, rate, low, high), siblings_at_risk, siblings_before_rate, siblings_after_rate,
        expected_rate, moved, moved_low, moved_high. Without 200 siblings on both sides it is the plain difference, and
        siblings_* are NaN.
    """
    from statistics import NormalDist

    z = NormalDist().inv_cdf(0.5 + confidence / 2)
    sides = [_odds(rows) for rows in (inside_before, inside_after, others_before, others_after)]
    (n_b, y_b, l_b, v_b), (n_a, y_a, l_a, v_a), (m_b, x_b, s_b, w_b), (m_a, x_a, s_a, w_a) = sides
    known = min(m_b, m_a) >= FEWEST_SIBLINGS
    drift, extra = (s_a - s_b, w_a + w_b) if known else (0.0, 0.0)
    enough = min(n_b, n_a) >= FEWEST_AT_RISK
    gap, spread = l_a - (l_b + drift), z * np.sqrt(v_b + v_a + extra)
    rate = _expit(l_a)
    found = {"expected_rate": _expit(l_b + drift), "moved": rate - _expit(l_a - gap),
             "moved_low": rate - _expit(l_a - (gap - spread)), "moved_high": rate - _expit(l_a - (gap + spread))}  # fmt: skip
    if not enough:
        found = dict.fromkeys(found, np.nan)
    siblings = (m_b + m_a, x_b / m_b, x_a / m_a) if known else (np.nan,) * 3
    names = ("siblings_at_risk", "siblings_before_rate", "siblings_after_rate")
    return _rates("before", y_b, n_b) | _rates("after", y_a, n_a) | dict(zip(names, siblings, strict=True)) | found


def _odds(rows: pd.DataFrame) -> tuple[float, float, float, float]:
    """Sessions, passes, log odds, and its variance with visitors who come back."""
    n, y = float(rows.at_risk.sum()), float(rows.passed.sum())
    p = (y + 0.5) / (n + 1)
    inflation = float(rows.inflation.max()) if len(rows) else 1.0
    return n, y, float(np.log(p / (1 - p))), inflation / (max(n, 1) * p * (1 - p))


def _rates(side: str, y: float, n: float) -> dict[str, float]:
    low, high = wilson(y, n)
    rate = y / n if n else np.nan
    return {f"{side}_at_risk": int(n), f"{side}_rate": rate, f"{side}_low": float(low), f"{side}_high": float(high)}


def turning_day(days: pd.DataFrame, direction: str) -> dict[str, Any]:
    """
    Return the day from which a rate is another one, by the largest likelihood of two levels, and the days nearly as likely.

    Parameters
    ----------
    days : DataFrame
        date, at_risk, passed; in order.
    direction : str
        ``rose`` or ``fell``.

    Returns
    -------
    dict
        moved_on, moved_on_low, moved_on_high as ISO dates; None where there are fewer than four days.
    """
    names = ("moved_on", "moved_on_low", "moved_on_high")
    if len(days) < 4:
        return dict.fromkeys(names)
    n, y = days.at_risk.to_numpy(float), days.passed.to_numpy(float)
    n_b, y_b = np.cumsum(n)[1:-2], np.cumsum(y)[1:-2]
    n_a, y_a = n.sum() - n_b, y.sum() - y_b
    gain = _likelihood(y_b, n_b) + _likelihood(y_a, n_a)
    right = (y_a / n_a > y_b / n_b) if direction == "rose" else (y_a / n_a < y_b / n_b)
    gain = np.where(right, gain, -np.inf)
    if not np.isfinite(gain).any():
        return dict.fromkeys(names)
    best = int(gain.argmax())
    near = np.flatnonzero(2 * (gain[best] - gain) < 3.84)
    return {
        name: days.date.iloc[place + 2].date().isoformat()
        for name, place in zip(names, (best, near[0], near[-1]), strict=True)
    }


def _likelihood(y: np.ndarray, n: np.ndarray) -> np.ndarray:
    p = np.clip(y / np.maximum(n, 1), 1e-9, 1 - 1e-9)
    return y * np.log(p) + (n - y) * np.log(1 - p)


def _is_clear(moved: Mapping[str, float]) -> bool:
    return bool(moved["moved_low"] > 0 or moved["moved_high"] < 0)


def _worth(finding: Mapping[str, Any], moved: Mapping[str, float], after: pd.DataFrame) -> dict[str, float]:
    """A month's worth of the move: sessions that now pass, each worth what the finding's lost ones were. What had ended by
    itself cost nothing any more."""
    names = ("value_a_month", "value_a_month_low", "value_a_month_high", "goal_value")
    revenue, benchmark, rate = finding.get("revenue"), finding.get("benchmark"), finding.get("rate")
    declared = declared_worth(finding)
    days = after.date.nunique()
    if not (revenue and days) or _ended(finding) or benchmark is None or rate is None or not benchmark > rate:
        return dict.fromkeys(names, np.nan)
    each = revenue["estimate"] / (finding["sessions_at_risk"] * (benchmark - rate))
    month = each * moved["after_at_risk"] / days * MONTH
    worth = [month * moved[k] for k in ("moved", "moved_low", "moved_high")]
    return dict(zip(names, (*worth, np.nan if declared is None else declared), strict=True))


def _word(moved: Mapping[str, float], finding: Mapping[str, Any]) -> str:
    if np.isnan(moved["moved"]):
        return CANNOT_SAY
    if moved["moved_high"] < 0:
        return WORSE
    benchmark = finding.get("benchmark")
    if moved["moved_low"] > 0:
        if _ended(finding):
            return OVER
        return FIXED if benchmark is None or moved["after_high"] >= benchmark else IMPROVED
    gap = (benchmark - finding["rate"]) if benchmark and finding.get("rate") is not None else np.nan
    # A move of half the gap would have been seen: then nothing moved. Else the data are too few to say.
    return UNMOVED if moved["moved_high"] < 0.6 * gap else CANNOT_SAY


def _expit(value: float) -> float:
    return float(1 / (1 + np.exp(-value)))
