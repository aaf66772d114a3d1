"""The first screen: the true conversion rate beside the naive one, three findings, and how far the data can be trusted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from conversion_audit.report.book import finding_view
from conversion_audit.report.formats import formatted, is_missing
from conversion_audit.report.wording import claim_of
from conversion_audit.report.words import label, text

FIRST, FATES, LAST = 3, 4, "06"
_COSTLY = ("friction", "incident", "service", "opportunity", "own")
_NEXT = ("unexplained", "mix", "goal", "tracking")
_CLOSED = ("rejected", "done")


def view(
    findings: Sequence[Mapping[str, Any]], about: Mapping[str, Any], chapters: Sequence[Mapping[str, Any]] = ()
) -> dict[str, Any]:
    """
    Return what the summary shows.

    Parameters
    ----------
    findings : list of dict
        Ranked.
    about : mapping
        As `page.render` takes it.
    chapters : list of dict
        As `page.render` takes them: what stops visitors in all, and what moved since the last audit, is said by its chapter.
    """
    head = about.get("headline") or {}
    whose = text("page.of_only" if about.get("only") else "page.of_all")
    first, of_totals = first_findings(findings), only_totals(findings)
    # Whether anybody is stopped is said by the chapter; where it is silent, here.
    stopped = next(iter(_said(chapters, "stopped")), "")
    strengths = [one for one in findings if one.get("kind") == "strength"]
    return {
        "lead": _lead(head, findings, whose),
        "nothing": ""
        if stopped and not of_totals
        else text("page.no_findings_totals" if of_totals else "page.no_findings"),
        "rates": _rates(head, whose),
        "facts": _facts(head),
        "stopped": stopped,
        "moved": [*_said(chapters, "since_last"), *_fates(chapters)],
        "first": [finding_view(one) for one in first],
        "rest": max(len(findings) - len(first) - len(strengths), 0),
        "works": [claim_of(one) for one in strengths[:3]],
        "trust": [formatted(note) for note in about.get("trust") or []] + _faults(findings, first),
        "questions": [formatted(question) for question in about.get("questions") or []],
    }


def _said(chapters: Sequence[Mapping[str, Any]], name: str) -> list[str]:
    """Return the sentences of this name, as their chapter shows them."""
    shown = (bundle for one in chapters for bundle in one.get("bundles") or [])
    return [formatted(one["text"]) for one in shown if one["kind"] == "text" and one.get("name") == name]


def _fates(chapters: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return what became of what was found before, what is worse or new first."""
    shown = [bundle for one in chapters if str(one["number"]) == LAST for bundle in one.get("bundles") or []]
    return [claim_of(one["finding"]) for one in shown if one["kind"] == "finding"][:FATES]


def first_findings(findings: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return the three to tell first: what stops visitors, in rank order; then what else needs someone; small ones last."""
    open_ones = [one for one in findings if one.get("status") not in _CLOSED]
    costly = [one for one in open_ones if one.get("kind") in _COSTLY]
    chosen = [one for one in costly if one.get("severity") != "low"]
    chosen += [one for one in open_ones if one.get("kind") in _NEXT and one.get("severity") in {"high", "medium"}]
    chosen += [one for one in costly if one.get("severity") == "low"]
    return chosen[:FIRST]


def only_totals(findings: Sequence[Mapping[str, Any]]) -> bool:
    """Return whether the export holds totals and no visits."""
    return any(one.get("claim") == "totals.only" for one in findings)


def _faults(findings: Sequence[Mapping[str, Any]], first: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return what weakens the numbers: findings on tracking, and those that void a chapter."""
    told = {one["id"] for one in first}
    faults = [one for one in findings if (one.get("kind") == "tracking" or one.get("voids")) and one["id"] not in told]
    return [claim_of(one) for one in faults[:4]]


def _lead(head: Mapping[str, Any], findings: Sequence[Mapping[str, Any]], whose: str) -> str:
    naive, true = head.get("naive_conversion_rate"), head.get("true_conversion_rate") or {}
    if is_missing(naive):
        return text("page.lead_totals" if only_totals(findings) else "page.lead_none")
    record = {
        "naive": formatted(naive, "percent2"),
        "goal": label(head.get("goal") or ""),
        "whose": whose,
        **{name: formatted(end, "percent2") for name, end in _ends(true).items()},
        "middle": formatted(true.get("estimate"), "percent2"),
    }
    if not is_missing(true.get("estimate")):
        same = record["middle"] == record["naive"]
        return text("page.lead_same" if same else "page.lead_true", record)
    if is_missing(true.get("lower")) or is_missing(true.get("upper")):
        return text("page.lead_naive", record)
    return text("page.lead_least" if true["upper"] >= 1 else "page.lead_bounds", record)


def _rates(head: Mapping[str, Any], whose: str) -> dict[str, Any] | None:
    """Return both rates in words, and where they lie on one scale (shares of its width)."""
    naive = head.get("naive_conversion_rate")
    if is_missing(naive):
        return None
    true = {name: _number(value) for name, value in (head.get("true_conversion_rate") or {}).items() if name != "gates"}
    middle, lower, upper = (true.get(name) for name in ("estimate", "lower", "upper"))
    bounded = lower is not None and upper is not None
    shown = {
        "naive": formatted(naive, "percent2"),
        "naive_note": text("page.naive_note", {"completions": _completions(head), "sessions": head.get("sessions")}),
        "true": text("page.true_unknown"),
        "true_note": text("page.true_unknown_note"),
        "is_range": False,
        "scale": None,
    }
    if not bounded:
        return shown
    is_open = middle is None and upper >= 1  # only those who converted show that they could: all of them did
    note = f"page.true_note_{'middle' if middle is not None else 'least' if is_open else 'bounds'}"
    bounds = _ends(true)
    values = (
        (formatted(middle, "percent2"),)
        if middle is not None
        else tuple(formatted(end, "percent2") for end in bounds.values())
    )
    return shown | {
        "true": text("page.true_least", {"low": values[0]}) if is_open else " – ".join(dict.fromkeys(values)),
        "true_note": text(note, {"expected": None, **true, **bounds, "completions": _completions(head)}),
        "is_range": middle is None and bounds["low"] != bounds["high"],
        "scale": _scale(float(naive), middle, lower, upper, bounds, whose),
    }


def _scale(
    naive: float, middle: float | None, lower: float, upper: float, bounds: Mapping[str, float], whose: str
) -> dict[str, Any]:
    most = min(max(naive, upper, bounds["high"], middle or 0) * 1.08, 1.0) or 1.0
    place = {
        name: f"{value / most * 100:.2f}" for name, value in (("naive", naive), ("lower", lower), ("upper", upper))
    }
    return {
        **place,
        "low": f"{bounds['low'] / most * 100:.2f}",
        "width": f"{(bounds['high'] - bounds['low']) / most * 100:.2f}",
        "band": f"{max(upper - lower, 0) / most * 100:.2f}",
        "middle": None if middle is None else f"{middle / most * 100:.2f}",
        "zero": formatted(0, "percent"),
        "most": formatted(most, "percent1"),
        "words": text(
            "page.scale",
            {
                "whose": whose,
                "naive": formatted(naive, "percent2"),
                "low": formatted(bounds["low"], "percent2"),
                "high": formatted(bounds["high"], "percent2"),
            },
        ),
    }


def _completions(head: Mapping[str, Any]) -> Any:
    """Return the sessions that reached the goal: the naive rate's numerator."""
    sessions, naive = head.get("sessions"), head.get("naive_conversion_rate")
    return None if is_missing(sessions) or is_missing(naive) else round(sessions * naive)


def _facts(head: Mapping[str, Any]) -> list[tuple[str, str]]:
    if not head.get("sessions"):
        return []
    bounce = (
        head["bounces"] / head["sessions"] if head.get("sessions") and not is_missing(head.get("bounces")) else None
    )
    orders = "orders" if head.get("orders") else "completions"
    cells = [
        ("sessions", head.get("sessions"), "count"),
        ("visitors", head.get("visitors"), "count"),
        (orders, head.get(orders), "count"),
        ("revenue", head.get("revenue") or None, "money"),
        ("bounce_rate", bounce, "percent1"),
    ]
    told = [(formatted(value, kind), text(f"page.fact_{name}")) for name, value, kind in cells if not is_missing(value)]
    if "bounces" in head and bounce is None:
        told.append((text("page.fact_untold"), text("page.fact_untold_bounce_rate")))
    return told


def _number(value: Any) -> float | None:
    return None if is_missing(value) else float(value)


def _ends(true: Mapping[str, Any]) -> dict[str, Any]:
    """Return the ends of the interval, which holds the rules' mistakes as well; without one the bounds."""
    known = {"low": _number(true.get("low")), "high": _number(true.get("high"))}
    other = {"low": true.get("lower"), "high": true.get("upper")}
    return {name: other[name] if end is None else end for name, end in known.items()}
