"""A finding as a ticket, ready to paste into a tracker; and the receipt for one that was done."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import date
from typing import Any

from conversion_audit.findings import declared_worth
from conversion_audit.report.formats import formatted, is_missing
from conversion_audit.report.wording import claim_of, next_step_of, segment_words
from conversion_audit.report.words import has_text, label, text

# What Markdown or a tracker would take for more than text; mentions and links would notify or lead somewhere.
_MARKDOWN = re.compile(r"([\\`*_\[\]<>#|~@$])")
_LINK = re.compile(r"(?i)\b(https?|ftp|javascript|data|mailto|www)(:|\.)")
_LONGEST = 500


def safe(value: Any) -> str:
    """Return text as one line of Markdown that says just that: no markup, no mention, no link, no list, no HTML."""
    line = " ".join(formatted(str(value)).split())[:_LONGEST]
    line = _MARKDOWN.sub(r"\\\1", line)
    line = _LINK.sub(lambda found: f"{found[1]}\u200b{found[2]}", line)
    return re.sub(r"^(\d+)([.)])(?=\s|$)", r"\1\\\2", re.sub(r"^([-=+])", r"\\\1", line))


def ticket(
    finding: Mapping[str, Any], planned: Mapping[str, Any] | None = None, test: Mapping[str, Any] | None = None
) -> str:
    """
    Return a finding as Markdown.

    Parameters
    ----------
    finding : mapping
        Its record, reviewed.
    planned : mapping, optional
        Its row of the plan: effort, owner, target_rate, guardrails.
    test : mapping, optional
        Its row of the tests: design, per_arm, weeks, smallest_before_after_points.

    Returns
    -------
    str
        Title, who, where, since, how to reproduce, evidence, acceptance, test length. Whatever the export holds is text.
    """
    about = _about(finding, planned or {})
    parts = [f"# {_title(finding, about)}"]
    if about["step"]:
        parts += [safe(claim_of(finding))]
        parts += [_section("who", safe(text("tickets.who_line", about))) if about["sessions"] else ""]
        parts += [_section("place", safe(label(about["step"]))), _section("since", _since(finding))]
        key = "reproduce_over" if about["is_over"] else "reproduce_line" if about["of"] else "reproduce_first"
        parts.append(_section("reproduce", safe(text(f"tickets.{key}", about))))
    parts += [_evidence(finding, about), _acceptance(finding, about)]
    parts += [_section("length", _length(test))] if test and test["design"] != "no rate" else []
    following = next_step_of(finding)
    parts += [_section("next", safe(following))] if following else []
    parts += [_section("note", safe(finding["note"]))] if finding.get("note") else []
    parts.append(safe(text("tickets.effort", {"effort": about["effort"], "owner": about["owner"]})))
    return "\n\n".join(part for part in parts if part) + "\n"


def receipt(fate: Mapping[str, Any], before: tuple[date, date], after: tuple[date, date]) -> str:
    """
    Return one page on a finding of an earlier audit: what it was, when it was done, what came of it.

    Parameters
    ----------
    fate : mapping
        Its row of `change_fates.fates`.
    before, after : (first day, last day)
        Of the two audits.
    """
    segment = json.loads(fate["segment"]) if isinstance(fate["segment"], str) else fate["segment"]
    record = dict(fate) | {
        "id": fate["finding"],
        "where": segment_words(segment),
        "start": before[0],
        "end": before[1],
        "after_start": after[0],
        "after_end": after[1],
    }
    lines = [f"# {safe(text('tickets.receipt_title', record))}", safe(text("tickets.receipt_found", record))]
    lines.append(safe(text("tickets.receipt_open" if is_missing(fate["done_on"]) else "tickets.receipt_done", record)))
    lines.append(safe(text("tickets.receipt_now", record)))
    if is_missing(fate["moved"]):
        lines.append(safe(text("tickets.receipt_cannot")))
    else:
        clear = fate["moved_low"] > 0 or fate["moved_high"] < 0
        lines.append(safe(text("tickets.receipt_moved" if clear else "tickets.receipt_unmoved", record)))
        if fate.get("fate") == "over":
            lines.append(safe(text("tickets.receipt_over")))
        elif clear and not is_missing(fate["value_a_month_low"]):
            worth = "worth" if is_missing(fate["goal_value"]) else "value"
            lines.append(safe(text(f"tickets.receipt_{worth}", record)))
    lines.append(safe(text("tickets.receipt_limit")))
    return "\n\n".join(lines) + "\n"


def _about(finding: Mapping[str, Any], planned: Mapping[str, Any]) -> dict[str, Any]:
    guardrails = planned.get("guardrails")
    names = json.loads(guardrails) if isinstance(guardrails, str) else []
    target = planned.get("target_rate", finding.get("benchmark"))
    values = finding.get("values") or {}
    return {
        "id": finding["id"],
        "step": finding.get("step"),
        "of": values.get("of"),
        "where": segment_words(finding.get("segment")),
        "sessions": finding.get("sessions_at_risk"),
        "rate": finding.get("rate"),
        "target_rate": target,
        "guardrails": ", ".join(label(name) for name in names),
        "effort": planned.get("effort") or finding.get("effort") or "M",
        "owner": planned.get("owner") or finding.get("owner") or "content",
        "verdict": finding.get("verdict"),
        "is_over": bool(planned.get("is_over")),
    }


def _title(finding: Mapping[str, Any], about: Mapping[str, Any]) -> str:
    words = f"{finding['id']}: {claim_of(finding)}"
    return safe(text("tickets.title", about) if about["step"] else words)


def _section(name: str, body: str) -> str:
    return f"## {safe(text(f'tickets.{name}'))}\n\n{body}"


def _since(finding: Mapping[str, Any]) -> str:
    since, until = finding.get("since"), finding.get("until")
    if not since:
        return safe(text("tickets.always"))
    return safe(text("tickets.since_line" if until else "tickets.since_open", {"since": since, "until": until}))


def _evidence(finding: Mapping[str, Any], about: Mapping[str, Any]) -> str:
    lines = []
    if not is_missing(about["rate"]) and not is_missing(about["target_rate"]):
        past = (finding.get("values") or {}).get("benchmark_kind") == "own_past"
        lines.append(text("tickets.evidence_past" if past else "tickets.evidence_line", about))
    message = (finding.get("mechanism") or {}).get("message")
    lines += [text("tickets.message", {"message": message})] if message else []
    each = declared_worth(finding)
    money = "cost_money" if each is None else "cost_value"
    for name, key in (("revenue", money), ("lost_orders", "cost_orders")):
        cost = finding.get(name) or {}
        if cost.get("high"):
            ends = {"low": max(cost.get("low") or 0, 0), "high": cost["high"], "goal_value": each}
            lines.append(text(f"tickets.{key}", ends))
    if finding.get("chapter") and finding["kind"] != "own":
        lines.append(text("tickets.chapter", {"chapter": str(finding["chapter"]).lstrip("0") or "0"}))
    lines += [text("tickets.verdict", about)] if about["verdict"] else []
    return _section("evidence", "\n".join(f"- {safe(line)}" for line in lines)) if lines else ""


def _acceptance(finding: Mapping[str, Any], about: Mapping[str, Any]) -> str:
    """A rate is to be reached; what has none is judged by what its own chapter can see."""
    if about["step"] and not is_missing(about["target_rate"]):
        ending = "over" if about["is_over"] else "line" if about["guardrails"] else "alone"
        return _section("accept", safe(text(f"tickets.accept_{ending}", about)))
    own = f"tickets.accept_{str(finding.get('claim')).partition('.')[0]}"
    return _section("accept", safe(text(own if has_text(own) else "tickets.accept_plain", finding.get("values") or {})))


def _length(test: Mapping[str, Any]) -> str:
    design = test["design"]
    record = {**test, "most": 8, "smallest": test.get("smallest_before_after_points")}
    key = {"split test": "length_test", "before and after": "length_before_after"}.get(design, "length_none")
    return safe(text(f"tickets.{key}", record))
