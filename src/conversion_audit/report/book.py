"""A chapter's bundles -> blocks of the page: lead, paragraphs, figures with their tables, findings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from conversion_audit.report.formats import formatted, is_missing
from conversion_audit.report.markdown import markdown_html
from conversion_audit.report.tables import FEWER_ROWS, MOST_ROWS, card_html, image_html, table_html
from conversion_audit.report.wording import claim_of, cost_of, next_step_of, record_of
from conversion_audit.report.words import heading, in_column, label, text, text_or

BOARD_ROWS, BOARD_PICTURES, BOARD_FINDINGS = 8, 1, 3


def blocks(
    bundles: Sequence[Mapping[str, Any]], findings: Sequence[Mapping[str, Any]], number: str, board: bool
) -> tuple[list[dict[str, Any]], list[Mapping[str, Any]]]:
    """
    Return a chapter's blocks, and its findings.

    Parameters
    ----------
    bundles : list of dict
        As shown.
    findings : list of dict
        All findings of the report; those shown in the chapter, or belonging to it, are told there in this wording.
    number : str
        The chapter's.
    board : bool
        The short report: the lead, one figure (or one small table), three findings.
    """
    shown = [bundle["finding"]["id"] for bundle in bundles if bundle["kind"] == "finding"]
    here = [one for one in findings if one["id"] in shown or str(one.get("chapter")) == number]
    said = [bundle for bundle in bundles if bundle["kind"] != "finding" and not _is_empty(bundle)]
    told = [_block(bundle, board) for bundle in said if not _is_detail(bundle)]
    for lead in [block for block in told if block["kind"] == "text"][:1]:
        lead["kind"] = "lead"
    if board:
        told = _for_board(told)
        here = [one for one in here if not finding_view(one)["is_aside"]][:BOARD_FINDINGS]
    return told, here


def details(bundles: Sequence[Mapping[str, Any]]) -> list[dict[str, str]]:
    """Return what a chapter tells in one line each: the claim, and the sheet of the workbook that holds the table."""
    return [
        {
            "claim": formatted(bundle.get("claim") or heading(bundle.get("name") or "")),
            "sheet": (bundle.get("name") or "") if (bundle.get("table") or {}).get("rows") else "",
        }
        for bundle in bundles
        if _is_detail(bundle) and not _is_empty(bundle)
    ]


def _is_detail(bundle: Mapping[str, Any]) -> bool:
    """A table without rows has nothing to show but what its claim says."""
    return bool(bundle.get("detail")) or (bundle["kind"] == "table" and not bundle["table"]["rows"])


def findings_first(bundles: Sequence[Mapping[str, Any]]) -> bool:
    """Return whether a chapter shows its findings before any figure or table: then they are its answer."""
    kinds = [bundle["kind"] for bundle in bundles if bundle["kind"] in {"finding", "figure", "table"}]
    return kinds[:1] == ["finding"]


def _is_empty(bundle: Mapping[str, Any]) -> bool:
    """A table without rows and without anything said about it tells a client nothing."""
    return bundle["kind"] == "table" and not bundle["table"]["rows"] and not bundle.get("claim")


def _for_board(told: list[dict[str, Any]]) -> list[dict[str, Any]]:
    pictures = [block for block in told if block["kind"] == "figure"][:BOARD_PICTURES]
    pictures = pictures or [block for block in told if block["kind"] == "table"][:1]
    return [block for block in told if block["kind"] in {"lead", "markdown"} or block in pictures]


def _block(bundle: Mapping[str, Any], board: bool) -> dict[str, Any]:
    kind = bundle["kind"]
    if kind == "text":
        return {"kind": "text", "text": formatted(bundle["text"])}
    if kind == "markdown":
        return {"kind": "markdown", "html": Markup(markdown_html(bundle["text"]))}
    most = BOARD_ROWS if board else MOST_ROWS if kind == "figure" else FEWER_ROWS
    title = bundle.get("claim") or heading(bundle.get("name") or "") or text("page.table")
    twin = bundle.get("table")
    return {
        "kind": kind,
        "claim": formatted(bundle.get("claim") or ""),
        "read": formatted(bundle.get("read") or ""),
        "image": Markup(image_html(bundle)) if kind == "figure" else "",
        "is_wide": "svg_narrow" not in bundle,
        "table": Markup(table_html(twin, title, most, bundle.get("shown"))) if _is_shown(twin, kind, board) else "",
        "card": Markup(card_html(bundle["card"])) if bundle.get("card") and not board else "",
        "reference": "" if board else bundle.get("name") or "",
    }


def _is_shown(table: Mapping[str, Any] | None, kind: str, board: bool) -> bool:
    if kind == "figure":
        return bool(table and table["rows"]) and not board
    return table is not None


def without_repeats(views: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return findings in which a next step is not said again right after itself."""
    before = ["", *(view["next_step"] for view in views)]
    return [
        view | {"next_step": "" if view["next_step"] == said else view["next_step"]}
        for view, said in zip(views, before, strict=False)
    ]


def finding_view(finding: Mapping[str, Any]) -> dict[str, Any]:
    """Return a finding as the page shows it."""
    kind, severity = finding.get("kind") or "observation", finding.get("severity") or "info"
    record = record_of(finding)
    facts = [
        ("page.confidence", label(finding.get("verdict") or "")),
        ("page.where", record["segment"] if finding.get("segment") else ""),
        ("page.since", formatted(finding["since"], "date") if finding.get("since") else ""),
        ("page.until", formatted(finding["until"], "date") if finding.get("until") else ""),
        ("page.owner", in_column("owner", finding.get("owner") or "")),
        ("page.effort", formatted(finding.get("effort") or "")),
        ("page.status", label(finding["status"]) if finding.get("status") else ""),
    ]
    return {
        "id": finding["id"],
        "kind": text_or(f"page.kind.{kind}", kind),
        "severity": severity if severity in {"high", "medium", "low", "info"} else "info",
        "severity_word": text_or(f"page.severity.{severity}", severity),
        "is_strength": kind == "strength",
        "is_aside": _is_aside(finding, kind, severity),
        "claim": claim_of(finding),
        "cost": cost_of(finding) or "",
        "next_step": next_step_of(finding) or "",
        "facts": [(text(key), value) for key, value in facts if value and value != formatted(None)],
        "has_evidence": bool(finding.get("gates") or finding.get("segment") or finding.get("since")),
        "note": formatted(finding.get("note") or ""),
        "gates": [_gate(gate) for gate in finding.get("gates") or []],
        "anchor": finding["id"].replace(" ", "-"),
    }


def _is_aside(finding: Mapping[str, Any], kind: str, severity: str) -> bool:
    """What costs nothing that is known, and what nobody need act on, is told in one line."""
    return (
        severity in {"low", "info"}
        and kind not in {"strength", "own"}
        and not (finding.get("note") or cost_of(finding))
    )


def _gate(gate: Mapping[str, Any] | str) -> tuple[str, str]:
    """Return a check and how it went, in words."""
    if isinstance(gate, str):
        return label(gate), ""
    name = str(gate.get("name") or gate.get("gate") or "")
    result = gate.get("verdict", gate.get("passed", gate.get("result")))
    known = isinstance(result, bool)
    said = (
        text(f"page.check_{'passed' if result else 'failed'}") if known else "" if is_missing(result) else label(result)
    )
    value = gate.get("value")
    shown = "" if is_missing(value) else f" ({formatted(value, 'number')})" if isinstance(value, (int, float)) else ""
    told = in_column("gate", name)
    return told if told != name else name.replace("_", " ").capitalize(), f"{said}{shown}"
