"""Findings -> sentences: the claim, what it costs, and what to do next."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from conversion_audit.errors import ConfigError
from conversion_audit.findings import declared_worth, levels
from conversion_audit.report.formats import formatted, is_missing
from conversion_audit.report.words import has_text, label, text, text_or

_FIELDS = ("step", "since", "until", "rate", "benchmark", "sessions_at_risk", "verdict", "owner", "kind", "severity")
_ENDS = (".", "!", "?", "…")
_SEVERAL = re.compile(r"[.!?…] (?=[A-ZÄÖÜ0-9“„])")
_INTERVALS = {"lost_orders": "lost_orders", "lost_orders_net": "lost_orders_net", "revenue": "revenue"}


def record_of(finding: Mapping[str, Any]) -> dict[str, Any]:
    """
    Return what a finding's sentences may use: its values over its own fields.

    Intervals become ``revenue_low``, ``revenue_high``, ``revenue_estimate`` (the same for lost_orders and
    lost_orders_net); ``segment`` becomes one phrase.
    """
    record = {name: finding.get(name) for name in _FIELDS}
    for name, stem in _INTERVALS.items():
        for part in ("low", "high", "estimate"):
            record[f"{stem}_{part}"] = (finding.get(name) or {}).get(part)
    record["segment"] = segment_words(finding.get("segment"))
    return record | dict(finding.get("values") or {})


def segment_words(segment: Mapping[str, Any] | str | None) -> str:
    """Return a segment as one phrase: ``mobile, Safari``; everyone where there is none."""
    if isinstance(segment, str):
        return label(segment)
    return ", ".join(map(label, levels(segment or {}))) or text_or("page.everyone", "everyone")


def claim_of(finding: Mapping[str, Any]) -> str:
    """Return a finding's claim: the consultant's title where there is one, else its sentence."""
    said = (
        finding.get("title")
        or _sentence(finding.get("claim"), finding)
        or text("page.finding", record_of(finding) | {"kind": text_or(f"page.kind.{finding.get('kind')}", "")})
    )
    return said[:1].upper() + said[1:] if said.startswith(text_or("page.everyone", "everyone")) else said


def as_title(said: str) -> str:
    """Return a claim as a heading: one sentence without its full stop, several each with theirs."""
    return as_sentence(said) if _SEVERAL.search(said) else said.removesuffix(".")


def as_sentence(said: str) -> str:
    """Return a claim as a sentence among others: with a full stop, where nothing else ends it."""
    return said if said.endswith(_ENDS) else f"{said}."


def next_step_of(finding: Mapping[str, Any]) -> str | None:
    """Return what to do next, where the finding says so."""
    return _sentence(finding.get("next_step"), finding)


def _sentence(key: str | None, finding: Mapping[str, Any]) -> str | None:
    """A key is worded; anything else was written by the consultant and stands as it is."""
    if not key:
        return None
    if not has_text(key):
        return key if " " in key.strip() else None
    try:
        return text(key, record_of(finding))
    except ConfigError:
        # One sentence that lacks a value must not cost the client the report.
        return None


def cost_of(finding: Mapping[str, Any]) -> str | None:
    """Return what a finding costs as an interval, in money where there is money, else in orders; None where it has none."""
    for name, kind in (("revenue", "cost"), ("lost_orders", "count")):
        cost = finding.get(name) or {}
        low, high = cost.get("low"), cost.get("high")
        if not is_missing(low) and not is_missing(high) and high > 0:
            record = {"low": formatted(max(low, 0), kind), "high": formatted(high, kind)}
            each = declared_worth(finding)
            if name == "revenue" and each is not None:
                return text("page.cost_value", record | {"goal_value": each})
            return text(f"page.cost_{name}", record)
    return None
