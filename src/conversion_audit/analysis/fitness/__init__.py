"""
Can these numbers be trusted? Every check of chapter 00, and what each fault found means for later chapters.

The checks are functions from tables to one small table each; `findings` reads those tables and says what they void.
"""

from conversion_audit.analysis.fitness.blind import blind_days, left_out
from conversion_audit.analysis.fitness.calendar import (
    FILLING_DAYS,
    days,
    event_days,
    event_hours,
    quiet_hours,
    silent_hours,
)
from conversion_audit.analysis.fitness.claims import Facts, findings, verdict
from conversion_audit.analysis.fitness.counts import event_counts, ties
from conversion_audit.analysis.fitness.coverage import (
    aside_rules,
    consent,
    page_cover,
    set_aside,
    uncovered_pages,
    unknown,
)
from conversion_audit.analysis.fitness.orders import book_match, order_faults, source_totals, totals_findings
from conversion_audit.analysis.fitness.people import people
from conversion_audit.analysis.fitness.reading import remarks
from conversion_audit.analysis.fitness.records import (
    books_record,
    consent_record,
    days_record,
    events_record,
    for_everyone,
    hours_record,
    people_record,
    steps_record,
    timeouts_record,
    traffic_record,
)
from conversion_audit.analysis.fitness.tags import silent_segments, step_gaps, used_events
from conversion_audit.analysis.fitness.waits import soonest_events

__all__ = [
    "FILLING_DAYS",
    "Facts",
    "aside_rules",
    "blind_days",
    "book_match",
    "books_record",
    "consent",
    "consent_record",
    "days",
    "days_record",
    "event_counts",
    "event_days",
    "event_hours",
    "events_record",
    "findings",
    "for_everyone",
    "hours_record",
    "left_out",
    "order_faults",
    "page_cover",
    "people",
    "people_record",
    "quiet_hours",
    "remarks",
    "set_aside",
    "silent_hours",
    "silent_segments",
    "soonest_events",
    "source_totals",
    "step_gaps",
    "steps_record",
    "ties",
    "timeouts_record",
    "totals_findings",
    "traffic_record",
    "uncovered_pages",
    "unknown",
    "used_events",
    "verdict",
]
