"""
Plausible, CSV export: daily totals in several files, usually zipped.

Follows "Export your website data" (plausible.io/docs/export-stats). What to know of it:

- There are no visitors in it, only counts: chapters about sessions cannot be written from it.
- ``imported_visitors`` gives the sessions of each day, ``imported_custom_events`` the events by name. Page views are no
  stage: a session makes them. The other files break the same sessions down once more and would count them twice: they are opened, and left out.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from conversion_audit import config
from conversion_audit.engine import Engine, Table
from conversion_audit.errors import DataError, Problem
from conversion_audit.intake.files import InputFile
from conversion_audit.intake.remarks import Remark
from conversion_audit.intake.sources.stored import Rows
from conversion_audit.intake.sources.totals import read_totals, together

KIND = "plausible"
TITLE = "Plausible, CSV export"
GIVES = "stage_counts"
NEEDS = ("date", "visitors")

_DAYS = {"date", "visitors", "pageviews", "bounces", "visits", "visit_duration"}
_EVENTS = {"date", "name", "visitors", "events"}
_SIGNS = (
    _DAYS,
    _EVENTS,
    {"date", "visitors", "visits", "visit_duration", "bounces"},
    {"date", "visitors", "pageviews"},
)


def recognises(file: InputFile) -> str | None:
    """Return why this looks like a Plausible export, in words, or None."""
    has = set(file.columns)
    return f"it has daily {', '.join(sorted(has - {'date'})[:4])}" if any(signs <= has for signs in _SIGNS) else None


def read(
    engine: Engine, source: config.Source, files: list[InputFile], *, timezone: str | None, scratch: Path
) -> Table:
    """
    Read a Plausible export: see `totals.read_totals`.

    Raises
    ------
    DataError
        Where neither the daily visitors nor the custom events are among the files.
    """
    days = [file for file in files if set(file.columns) == _DAYS]
    events = [file for file in files if set(file.columns) >= _EVENTS]
    if not days and not events:
        mend = "Add imported_visitors_*.csv or imported_custom_events_*.csv of the same export."
        raise DataError(Problem("only breakdowns, no daily visitors and no events", files[0].name, mend=mend))
    parts = []
    if days:
        stages = {"session": "visits"}
        parts.append(
            read_totals(engine, source, [replace(file, notes=()) for file in days], {"date": ["date"]}, stages, scratch)
        )
    if events:
        columns = {"date": ["date"], "stage": ["name"], "count": ["events"]}
        parts.append(read_totals(engine, source, events, columns, {}, scratch))
    made = together(engine, parts)
    left = len(files) - len(days) - len(events)
    notes = (Remark("breakdowns", files=left),) if left else ()
    return Rows(made.name, engine, notes=(*made.notes, *notes))
