"""What the checks found -> findings: one for each fault, with the chapters it weakens."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import pandas as pd

from conversion_audit.analysis.fitness import gaps, measures, reading
from conversion_audit.findings import Finding


@dataclass(frozen=True)
class Facts:
    """
    The tables of the checks, and what they are about.

    Attributes
    ----------
    days, silent_hours, event_days, quiet_hours, segments, steps, faults, books, consent, unknown, pages, aside, people, ties
        See the functions of `fitness`.
    masked : DataFrame
        field, values, masked: personal data found while the export was read.
    ledger : DataFrame
        See `tables.LEDGER`.
    names : sequence of str
        The journey, the goal last.
    used : mapping
        Event -> the rule of the config that uses it.
    start, end : date
        The period.
    kinds : sequence of str
        Kinds of the sources.
    has_page_types, has_orders : bool
        The config names page types; a goal is worth its orders' revenue.
    remarks : DataFrame, optional
        topic, key, text, values: what was remarked while the export was read. Topics: zone, zone_assumed, reading.
    timeouts : DataFrame, optional
        minutes, sessions, is_used: how many sessions each gap would give.
    written : mapping, optional
        Step -> where the config defines it, and the events and pages it names there.
    """

    days: pd.DataFrame
    silent_hours: pd.DataFrame
    event_days: pd.DataFrame
    quiet_hours: pd.DataFrame
    segments: pd.DataFrame
    steps: pd.DataFrame
    faults: pd.DataFrame
    books: pd.DataFrame
    consent: pd.DataFrame
    unknown: pd.DataFrame
    pages: pd.DataFrame
    aside: pd.DataFrame
    people: pd.DataFrame
    ties: pd.DataFrame
    masked: pd.DataFrame
    ledger: pd.DataFrame
    names: Sequence[str]
    used: Mapping[str, str]
    start: date
    end: date
    kinds: Sequence[str] = ()
    has_page_types: bool = False
    has_orders: bool = True
    events_seen: Sequence[str] = field(default_factory=tuple)
    remarks: pd.DataFrame | None = None
    timeouts: pd.DataFrame | None = None
    written: Mapping[str, tuple[str, Sequence[str]]] = field(default_factory=dict)


def findings(facts: Facts) -> list[Finding]:
    """
    Say what the checks found.

    Returns
    -------
    list of Finding
        Chapter 00; `voids` names the chapters whose conclusions a fault weakens. Nothing wrong: only observations.
    """
    journey = set(facts.names)
    return [
        *gaps.period(facts.days, facts.silent_hours, facts.start, facts.end),
        *gaps.filling(facts.days, facts.kinds),
        *gaps.clock(facts.quiet_hours),
        *reading.remarks(facts.remarks),
        *reading.session_gap(facts.timeouts),
        *gaps.events(facts.event_days, facts.used, journey),
        *gaps.segments(facts.segments, facts.used, journey),
        *gaps.steps(facts.steps, facts.names, facts.events_seen, facts.written),
        *measures.orders(facts.faults, facts.has_orders),
        *measures.books(facts.books),
        *measures.consent(facts.consent),
        *measures.unknown(facts.unknown),
        *measures.pages(facts.pages, facts.has_page_types),
        *measures.traffic(facts.aside, facts.kinds),
        *measures.privacy(facts.masked),
        *measures.people(facts.people),
        *measures.order_of_events(facts.ties),
        *measures.rows(facts.ledger),
    ]


def verdict(found: Sequence[Finding]) -> dict[str, Any]:
    """
    Say in one record whether the numbers can be trusted.

    Parameters
    ----------
    found : sequence of Finding
        See `findings`.

    Returns
    -------
    dict
        claim (key of the sentence), high, medium, low (faults that weaken a chapter, by severity) and chapters (numbers of
        those that a high or medium fault weakens) and weakened (how many).
    """
    faults = [one for one in found if one.voids]
    by = {severity: sum(one.severity == severity for one in faults) for severity in ("high", "medium", "low")}
    weak = sorted({int(chapter) for one in faults if one.severity in ("high", "medium") for chapter in one.voids})
    claim = "faults" if by["high"] else "reservations" if by["medium"] else "good"
    return {"claim": f"fitness.headline_{claim}", **by, "chapters": weak, "weakened": len(weak)}
