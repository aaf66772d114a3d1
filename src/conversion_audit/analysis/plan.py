"""Findings -> a plan: what to do first, for whom, by which number it is judged, and what would change the order."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from conversion_audit.findings import SEVERITIES, Finding, declared_worth

MONTH = 365.25 / 12
EFFORT_DAYS = {"S": 1.0, "M": 3.0, "L": 10.0}
USUAL_EFFORT = "M"
CANDIDATES = ("friction", "incident", "unexplained", "tracking", "service", "opportunity", "own")
WITH_DAYS = ("incident", "unexplained")
COLUMNS = [
    "place", "finding", "kind", "step", "of", "segment", "since", "until", "owner", "effort", "effort_days", "status",
    "verdict", "severity", "gates_passed", "gates", "sessions_at_risk", "visitors_at_risk", "rate", "target_rate",
    "guardrails", "days", "unit", "value_low", "value", "value_high", "value_per_day", "is_first", "is_over",
    "place_best", "place_worst", "holds_until_days", "next_finding",
]  # fmt: skip


def plan(
    findings: Iterable[Finding | Mapping[str, Any]],
    steps: Sequence[str],
    days: int,
    *,
    review: Mapping[str, Mapping[str, Any]] | None = None,
    margin: float | None = None,
) -> pd.DataFrame:
    """
    Rank what was found by what it is worth for the effort.

    Worth is what the finding cost in the period, for a month at the same traffic: revenue, times the margin where it is
    known; completions at what they are declared to be worth; else orders. What began within the period and goes on cost
    that in its own days. The lower end of its interval is divided by days of effort (S 1, M 3, L 10; M where nobody said).
    Silent tags that spoil other conclusions come first. Incidents and gaps that are over cost nothing any more and come
    last: they are to be kept from coming back. Findings done, rejected or hidden are left out.

    Parameters
    ----------
    findings : iterable of Finding or mapping
        Of the audit; own ones of the review included where they are given.
    steps : sequence of str
        The journey: what comes after a finding's step must not fall.
    days : int
        Days of the period that were counted.
    review : mapping, optional
        Finding -> effort, owner, status, hide.
    margin : float, optional
        Share of revenue that remains.

    Returns
    -------
    DataFrame
        One row per candidate, in order: place (1..), finding, kind, step, of, segment (JSON), since, until, owner, effort,
        effort_days, status, verdict, gates_passed of gates, sessions_at_risk and their visitors_at_risk, rate and target_rate
        (of its own step), guardrails (JSON list), days (in which that many were at risk, and it cost what it did: its own
        where it goes on, else the period's), unit (margin, revenue, value, orders), value_low, value, value_high (a month),
        value_per_day (its lower end), is_first, is_over, and what would change the order: place_best and place_worst (its
        own worth at either end, its effort one size up or down), holds_until_days (effort at which the next one,
        next_finding, would overtake). NaN where a finding has no price.
    """
    review = review or {}
    records = [one.record() if isinstance(one, Finding) else dict(one) for one in findings]
    chosen = [one | _words(review.get(one["id"], {})) for one in records if one["kind"] in CANDIDATES]
    chosen = [one for one in chosen if one.get("status") not in ("done", "rejected") and not _hidden(one)]
    table = pd.DataFrame([_row(one, list(steps), days, margin) for one in chosen], columns=COLUMNS)
    if table.empty:
        return table
    group = np.select([table.is_first, table.is_over, table.value_low.notna()], [0, 3, 1], 2)
    rank = table.severity.map(SEVERITIES.index)
    table = table.assign(_group=group, _rank=rank, _score=-table.value_per_day.fillna(0))
    table = table.sort_values(["_group", "_score", "_rank", "finding"], ignore_index=True)
    table = table.drop(columns=["_group", "_rank", "_score"]).assign(place=range(1, len(table) + 1))
    return _with_order(table)


def strengths(findings: Iterable[Finding | Mapping[str, Any]]) -> list[Any]:
    """Return what works, to be left alone."""
    return [one for one in findings if (one["kind"] if isinstance(one, Mapping) else one.kind) == "strength"]


def by_owner(table: pd.DataFrame) -> pd.DataFrame:
    """
    Return the plan team by team, each with its own number and target.

    Returns
    -------
    DataFrame
        One row per candidate, teams in the order of their first one: owner, place, finding, step, segment, rate,
        target_rate, sessions_at_risk, effort, unit, value_low, value_high.
    """
    columns = ["owner", "place", "finding", "step", "segment", "rate", "target_rate", "sessions_at_risk", "effort"]
    columns += ["unit", "value_low", "value_high"]
    first = table.groupby("owner").place.transform("min")
    return table.assign(_first=first).sort_values(["_first", "place"], ignore_index=True)[columns]


def _words(edit: Mapping[str, Any]) -> dict[str, Any]:
    return {
        key: edit[key] for key in ("effort", "owner", "status", "hide", "done_on", "title", "note") if edit.get(key)
    }


def _hidden(one: Mapping[str, Any]) -> bool:
    return str(one.get("hide") or "").strip().lower() not in {"", "no", "false", "none", "null"}


def _row(one: Mapping[str, Any], steps: list[str], days: int, margin: float | None) -> dict[str, Any]:
    effort = one.get("effort") if one.get("effort") in EFFORT_DAYS else USUAL_EFFORT
    is_over = one["kind"] in WITH_DAYS and bool(one.get("until")) and _ended(one)
    lasted = max(days, 1) if is_over else _days(one, days)
    unit, worth = _worth(one, lasted, margin)
    gates = one.get("gates") or ()
    values = one.get("values") or {}
    row = {key: one.get(key) for key in ("kind", "step", "since", "until", "status", "verdict", "sessions_at_risk")}
    return row | {
        "finding": one["id"],
        "of": values.get("of"),
        "visitors_at_risk": values.get("visitors_at_risk"),
        "segment": json.dumps(one.get("segment") or {}, sort_keys=True, ensure_ascii=False),
        "owner": one.get("owner") or "content",
        "effort": effort,
        "effort_days": EFFORT_DAYS[effort],
        "severity": one.get("severity") or "info",
        "gates_passed": sum(bool(gate.get("passed")) for gate in gates),
        "gates": len(gates),
        "rate": _number(one.get("rate")),
        "target_rate": _number(one.get("benchmark")),
        "guardrails": json.dumps(_guardrails(one.get("step"), steps)),
        "days": lasted,
        "unit": unit,
        **worth,
        "value_per_day": worth["value_low"] / EFFORT_DAYS[effort],
        "is_first": one["kind"] == "tracking" and one.get("severity") == "high",
        "is_over": is_over,
    }


def _ended(one: Mapping[str, Any]) -> bool:
    """An incident whose last day is the period's last day may still go on."""
    last = (one.get("values") or {}).get("end")
    return last is None or str(one["until"]) < str(last)


def _days(one: Mapping[str, Any], days: int) -> int:
    """From its first day on, where that is within the period; all days of the period else."""
    last = one.get("until") or (one.get("values") or {}).get("end")
    if not (one.get("since") and last):
        return max(days, 1)
    return (pd.Timestamp(last) - pd.Timestamp(one["since"])).days + 1


def _worth(one: Mapping[str, Any], days: int, margin: float | None) -> tuple[str | None, dict[str, float]]:
    names = {"value_low": "low", "value": "estimate", "value_high": "high"}
    declared = declared_worth(one) is not None  # a margin is of revenue
    for unit, key, factor in (
        ("margin", "revenue", None if declared else margin),
        ("value" if declared else "revenue", "revenue", 1.0),
        ("orders", "lost_orders", 1.0),
    ):
        cost = one.get(key)
        if cost and cost.get("high") and factor is not None:
            month = MONTH / days * float(factor)
            return unit, {name: max(0.0, float(cost[part])) * month for name, part in names.items()}
    return None, dict.fromkeys(names, np.nan)


def _guardrails(step: str | None, steps: list[str]) -> list[str]:
    """What must not fall while this is mended: the steps that follow, and the goal; nothing where it is the goal that is to rise."""
    return steps[steps.index(step) + 1 :] if step in steps else steps[-1:]


def _number(value: Any) -> float:
    return float("nan") if value is None else float(value)


def _with_order(table: pd.DataFrame) -> pd.DataFrame:
    """How far each candidate could move, and what effort would let the next one overtake."""
    valued = table[table.value_low.notna() & ~table.is_first & ~table.is_over]
    best, worst = table.place.copy(), table.place.copy()
    holds, after = pd.Series(np.nan, table.index), pd.Series(None, table.index, dtype=object)
    sizes = list(EFFORT_DAYS.values())
    start = int(valued.place.min()) if len(valued) else 1
    for n, (index, row) in enumerate(valued.iterrows()):
        others = valued.value_per_day.drop(index).to_numpy()
        size = sizes.index(row.effort_days)
        least = row.value_low / sizes[min(size + 1, len(sizes) - 1)]
        most = row.value_high / sizes[max(size - 1, 0)]
        best[index] = start + int((others > most).sum())
        worst[index] = start + int((others > least).sum())
        if n + 1 < len(valued):
            following = valued.iloc[n + 1]
            after[index] = following.finding
            holds[index] = row.value_low / following.value_per_day if following.value_per_day > 0 else np.nan
    return table.assign(place_best=best, place_worst=worst, holds_until_days=holds, next_finding=after)
