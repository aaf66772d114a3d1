"""A diagnosis as findings: records that the report words, with every key a friction has."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd

from conversion_audit.analysis.friction.diagnosis import Diagnosis
from conversion_audit.analysis.friction.leak import smallest_falls
from conversion_audit.analysis.friction.verdict import LIKELY
from conversion_audit.findings import Finding

CHAPTER = "04"
HIGH_SHARE, MEDIUM_SHARE = 0.03, 0.01
_MOST_MIXES, _MOST_WATCHED = 3, 5
_WATCHED = {"too_few_orders", "too_small", "not_persistent", "by_chance", "not_step_specific"}


def findings(diagnosis: Diagnosis) -> list[Finding]:
    """
    Return what the diagnosis found.

    Frictions and incidents; unexplained gaps, lower; silent tags; traffic that goes on less often; what could not be
    said. Where nothing was found: that it is quiet, with the smallest loss that would have been seen, or that the data
    are too few, with the day on which there will be enough, or that their times tell nothing.
    """
    made = [_friction(diagnosis, row) for _, row in diagnosis.found.iterrows()]
    made += [_outage(row) for _, row in diagnosis.outages.iterrows()]
    made += _mixes(diagnosis) + _watched(diagnosis)
    if not len(diagnosis.found):
        seen = headline_leak(diagnosis.leaks)
        made.append(
            _timeless(diagnosis)
            if is_timeless(diagnosis)
            else _small(diagnosis)
            if seen is None
            else _quiet(diagnosis.about.iloc[0], seen)
        )
    return made


def _friction(diagnosis: Diagnosis, row: pd.Series) -> Finding:
    likely, segment = row.verdict == LIKELY, json.loads(row.segment)
    kind = ("incident" if row.is_incident else "friction") if likely else "unexplained"
    over = "_over" if likely and row.is_incident and _absent(row.until) else ""
    share = row.lost_orders / max(diagnosis.about.goals.iloc[0], 1)
    severity = "high" if share >= HIGH_SHARE else "medium" if share >= MEDIUM_SHARE else "low"
    return Finding(
        kind=kind,
        chapter=CHAPTER,
        claim=f"friction.{kind}{over}",
        severity=severity if likely else "low",
        verdict=row.verdict,
        values=_values(diagnosis, row),
        next_step=_next_step(row.mechanism, over),
        step=row.step,
        segment=segment,
        since=_absent(row.since),
        until=_absent(row.until),
        rate=row.step_rate,
        benchmark=row.benchmark_rate,
        sessions_at_risk=int(row.sessions_at_risk),
        lost_orders={"estimate": row.lost_orders, "low": row.lost_orders_low, "high": row.lost_orders_high},
        lost_orders_net={
            "estimate": (row.lost_orders_net_low + row.lost_orders_net_high) / 2,
            "low": row.lost_orders_net_low,
            "high": row.lost_orders_net_high,
        },
        revenue={"estimate": row.revenue_lost, "low": row.revenue_lost_low, "high": row.revenue_lost_high}
        if row.revenue_lost_high > 0
        else None,
        gates=tuple(_gates(diagnosis, row.finding)),
        mechanism=_mechanism(diagnosis, row),
        owner="checkout" if _absent(row.of) else "content",
    )


def _next_step(mechanism: str, over: str) -> str:
    """What is over can neither be watched nor tried out any more; a message that came with it can still be looked for."""
    return f"friction.next_{mechanism}{over}" if not over or mechanism == "error" else "friction.next_over"


def _values(diagnosis: Diagnosis, row: pd.Series) -> dict[str, Any]:
    names = [
        "of",
        "since_low",
        "since_high",
        "until_low",
        "until_high",
        "loss_share",
        "benchmark_low",
        "benchmark_high",
    ]
    names += ["benchmark_kind", "come_back_rate", "kept_share", "comparisons", "p", "message", "also", "mechanism"]
    names += ["visitors_at_risk"]
    values = {name: _absent(row[name]) for name in names}
    instead = diagnosis.instead[diagnosis.instead.finding == row.finding]
    return {
        **values,
        "goal_value": _absent(float(diagnosis.about.goal_value.iloc[0])),
        "start": diagnosis.about.start.iloc[0],
        "end": diagnosis.about.end.iloc[0],
        "instead": instead[["what", "rate", "rate_elsewhere", "sessions", "of"]].to_dict("records"),
        "benchmarks": diagnosis.benchmarks[diagnosis.benchmarks.finding == row.finding]
        .drop(columns="finding")
        .to_dict("records"),
    }


def _absent(value: Any) -> Any:
    return None if value is None or (isinstance(value, float) and np.isnan(value)) else value


def _gates(diagnosis: Diagnosis, number: int) -> list[dict[str, Any]]:
    rows = diagnosis.gates[diagnosis.gates.finding == number]
    return [{"gate": r.gate, "passed": bool(r.passed), **json.loads(r.value)} for r in rows.itertuples()]


def _mechanism(diagnosis: Diagnosis, row: pd.Series) -> dict[str, Any]:
    rows = diagnosis.mechanisms[diagnosis.mechanisms.finding == row.finding]
    numbers = {name: json.loads(value) for name, value in zip(rows["name"], rows["value"], strict=True)}
    return {"kind": row.mechanism, "message": _absent(row.message), **numbers}


def _outage(row: pd.Series) -> Finding:
    segment = {row.column: row.level} if row.column else {}
    since, until = _absent(row.since), _absent(row.until)
    span = ("_over" if since else "_until") if until else "_since" if since else ""
    return Finding(
        kind="tracking",
        chapter=CHAPTER,
        claim=("friction.tracking" if row.usual_rate > 0 else "friction.tracking_goal") + span,
        severity="high" if row.missing_rate > 0.5 else "medium",
        values={
            "missing": row.missing,
            "sessions": row.sessions,
            "missing_rate": row.missing_rate,
            "usual_rate": row.usual_rate,
        },
        voids=("02", "04", "06"),
        next_step="friction.next_tracking_over" if until else "friction.next_tracking",
        step=row.step,
        segment=segment,
        since=since,
        until=until,
        owner="tracking",
    )


def _mixes(diagnosis: Diagnosis) -> list[Finding]:
    mixes = diagnosis.refused[diagnosis.refused.reason == "traffic"].sort_values("lost_orders", ascending=False)
    return [_told(row, "mix", "friction.mix") for _, row in mixes.head(_MOST_MIXES).iterrows()]


def _watched(diagnosis: Diagnosis) -> list[Finding]:
    watched = diagnosis.refused[diagnosis.refused.reason.isin(_WATCHED)].sort_values("lost_orders", ascending=False)
    return [_told(row, "observation", "friction.cannot_say") for _, row in watched.head(_MOST_WATCHED).iterrows()]


def _told(row: pd.Series, kind: str, claim: str) -> Finding:
    return Finding(
        kind=kind,
        chapter=CHAPTER,
        claim=claim,
        severity="info",
        verdict="mix" if kind == "mix" else "cannot say",
        values={"reason": row.reason, "lost": row.lost_orders},
        step=row.step,
        segment=json.loads(row.segment),
        since=_absent(row.since),
        until=_absent(row.until),
        rate=row.step_rate,
        benchmark=row.benchmark_rate,
        sessions_at_risk=int(row.sessions_at_risk),
    )


def _quiet(about: pd.Series, seen: pd.Series) -> Finding:
    values = {"comparisons": int(about.comparisons), "sessions": int(about.sessions)}
    values |= {"loss": seen.smallest_loss_share, "leak_step": seen.step, "leak_level": seen.level}
    return Finding("strength", CHAPTER, "friction.quiet", "info", "quiet", values)


def is_timeless(diagnosis: Diagnosis) -> bool:
    """Whether most sessions were left out for a machine's pace: so many are no bots, their times have no time of day."""
    about = diagnosis.about.iloc[0]
    return bool(about.machine_sessions > about.sessions)


def _timeless(diagnosis: Diagnosis) -> Finding:
    about = diagnosis.about.iloc[0]
    values = {"machines": int(about.machine_sessions), "sessions": int(about.machine_sessions + about.sessions)}
    return Finding(
        kind="observation",
        chapter=CHAPTER,
        claim="friction.timeless",
        severity="info",
        verdict="cannot say",
        values=values,
        next_step="friction.next_timeless",
        owner="tracking",
    )


def headline_leak(leaks: pd.DataFrame) -> pd.Series | None:
    """Return the place that most orders pass: what the claim of a quiet shop speaks of; None where nothing is visible."""
    known = leaks.dropna(subset=["smallest_loss_share"])
    if known.empty:
        return None
    last = known.sort_values(["orders_after_passing", "smallest_loss_share"], ascending=[False, True])
    busiest = last[last.level == last.level.iloc[0]]
    return busiest.sort_values("smallest_loss_share").iloc[0]


def enough_data(diagnosis: Diagnosis) -> dict[str, Any]:
    """
    Return when there will be enough sessions to see a loss of a quarter at the busiest segment's typical step.

    Returns
    -------
    dict
        sessions (now), sessions_needed and on (ISO date), at the pace of the period; None where no pace would do.
    """
    about, leaks = diagnosis.about.iloc[0], diagnosis.leaks
    known = leaks[leaks.sessions > 0].dropna(subset=["sessions_needed"])
    answer: dict[str, Any] = {"sessions": int(about.sessions), "sessions_needed": None, "on": None, "loss": 0.25}
    if known.empty or not about.days:
        return answer
    level = known.groupby("level").sessions.max().idxmax()
    typical = known[known.level == level]
    growth = float((typical.sessions_needed / typical.sessions).median())
    days = max(0.0, (growth - 1) * about.days)
    answer["sessions_needed"] = round(growth * about.sessions)
    if days < 20 * 365:
        answer["on"] = (pd.Timestamp(about.end) + pd.Timedelta(days=int(np.ceil(days)))).date().isoformat()
    return answer


def _small(diagnosis: Diagnosis) -> Finding:
    answer = enough_data(diagnosis)
    falls = smallest_falls(diagnosis.steps).dropna(subset=["smallest_fall_share"])
    best = falls.sort_values("smallest_fall_share").head(1)
    answer |= {
        "visible_step": best.step.iloc[0] if len(best) else None,
        "visible_fall": best.smallest_fall_share.iloc[0] if len(best) else None,
    }
    return Finding(
        kind="observation",
        chapter=CHAPTER,
        claim="friction.too_small_shop" if answer["on"] else "friction.too_small_shop_undated",
        severity="info",
        verdict="cannot say",
        values=answer,
    )
