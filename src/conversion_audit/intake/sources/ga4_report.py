"""
A report of Google Analytics 4, downloaded as CSV: totals by one dimension, under a preamble of ``#`` lines.

Follows "Share and export reports" and "About the (other) row" (support.google.com/analytics). What to know of it:

- There are no visitors in it; the first column is the segment, unless it is the day.
- The line that adds up the others is left out.
- Views are a stage only where the report names no sessions, which make them.
- "(other)" gathers what Google no longer tells apart, and thresholds hide small groups: segments cannot be trusted to add
  up, which is said where it happens.
"""

from __future__ import annotations

import re
from datetime import date, datetime
from pathlib import Path

from conversion_audit import config
from conversion_audit.engine import Engine, Table
from conversion_audit.intake import packed
from conversion_audit.intake.files import InputFile
from conversion_audit.intake.remarks import Remark
from conversion_audit.intake.sources import mapping
from conversion_audit.intake.sources.stored import Rows
from conversion_audit.intake.sources.totals import read_totals

KIND = "ga4_report"
TITLE = "Google Analytics 4, report as CSV"
GIVES = "stage_counts"
NEEDS = ("Sessions", "Event count")

METRICS = {
    "session": ("sessions", "sitzungen"),
    "engaged session": ("engaged_sessions", "sitzungen_mit_interaktionen"),
    "view": ("views", "aufrufe"),
    "product view": ("items_viewed", "item_views"),
    "added to cart": ("add_to_carts", "items_added_to_cart", "in_den_einkaufswagen"),
    "checkout": ("checkouts", "items_checked_out"),
    "key event": ("key_events", "conversions", "schluesselereignisse", "schlüsselereignisse"),
    "purchase": ("ecommerce_purchases", "transactions", "purchases", "kaeufe", "käufe", "items_purchased"),
}
_OTHERS = {
    "total_users",
    "active_users",
    "new_users",
    "event_count",
    "engagement_rate",
    "average_engagement_time",
    "total_revenue",
}
_DAYS = {"date", "datum", "day", "nth_day"}


def recognises(file: InputFile) -> str | None:
    """Return why this looks like a GA4 report, in words, or None."""
    plain = [mapping.plain(name) for name in file.columns]
    metrics = {name for names in METRICS.values() for name in names} | _OTHERS
    found = [name for name, word in zip(file.columns, plain, strict=True) if word in metrics]
    is_report = file.format == "csv" and len(found) > 1 and set(plain) & (_OTHERS | {"engaged_sessions", "key_events"})
    return f"its columns are metrics of a report: {', '.join(found[:4])}" if is_report else None


def read(
    engine: Engine, source: config.Source, files: list[InputFile], *, timezone: str | None, scratch: Path
) -> Table:
    """Read a GA4 report: see `totals.read_totals`. `decimal` and `steps` of `source` are used."""
    first = next((file for file in files if not file.is_empty), files[0])
    known = {mapping.plain(name): name for name in reversed(first.columns)}
    stages = {stage: next((known[name] for name in names if name in known), "") for stage, names in METRICS.items()}
    if stages["session"] or stages["engaged session"]:
        stages["view"] = ""
    dimension = "date" if mapping.plain(first.columns[0]) in _DAYS else "segment"
    columns = {dimension: [first.columns[0]]}
    table = read_totals(
        engine, source, files, columns, dict(source.steps) or {s: c for s, c in stages.items() if c}, scratch
    )
    return Rows(table.name, engine, notes=(*table.notes, *_limits(table, files)))


def period(file: InputFile) -> tuple[date, date] | None:
    """Return the first and the last day that the preamble names, or None."""
    found = [re.search(r"(?:start|end|beginn|ende)\D*(\d{8})$", line.strip()) for line in _preamble(file)]
    days = [datetime.strptime(match[1], "%Y%m%d").date() for match in found if match]
    return (min(days), max(days)) if len(days) > 1 else None


def _preamble(file: InputFile) -> list[str]:
    """The lines that start with ``#``, in small letters."""
    text = next(packed.text_chunks(file.path, "utf-8", file.name), b"")[:4000].decode("utf-8", "replace")
    return [line for line in text.lower().splitlines() if line.startswith("#")]


def _limits(table: Rows, files: list[InputFile]) -> list[Remark]:
    notes = []
    other = table.engine.query(
        "SELECT count(*) AS n FROM t WHERE lower(segment) IN ('(other)', '(sonstige)')", {"t": table}
    ).n[0]
    if other:
        notes.append(Remark("merged"))
    for file in files:
        head = _preamble(file)
        if any("sampl" in line or "stichprobe" in line for line in head):
            notes.append(Remark("sampled", file=file.name))
        if any("threshold" in line or "schwellenwert" in line for line in head):
            notes.append(Remark("thresholds", file=file.name))
    return notes
