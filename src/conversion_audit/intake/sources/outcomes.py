"""
What became of leads, from a CRM: one row a lead and stage it reached, as CSV, JSON lines or Parquet.

There is no one vendor document: ``columns: {lead_id: .., stage: .., time: .., value: ..}``; usual names are found without it.
What to know of it:

- ``lead_id`` is what the site gave the lead: an order's id or the property ``lead_id`` of the goal's event.
- Stages are read as qualified, won, lost or churned by their usual words; others ("not qualified", "customer called") keep
  their own name.
- A lead that reached a stage twice reached it when it first did, and is worth the first value given there.
"""

from __future__ import annotations

from pathlib import Path

from conversion_audit import config
from conversion_audit.engine import Engine, Table, statement
from conversion_audit.errors import DataError, Problem, closest, listing
from conversion_audit.intake.files import InputFile
from conversion_audit.intake.remarks import Remark
from conversion_audit.intake.sources import casting, mapping
from conversion_audit.intake.sources.reading import Reading, gather
from conversion_audit.intake.sources.stored import Rows

KIND = "outcomes"
TITLE = "What became of leads, from a CRM"
GIVES = "outcomes"
NEEDS = ("lead_id", "stage")

_USUAL = {
    "lead_id": ("lead_id", "leadid", "lead", "lead_nr", "opportunity_id", "deal_id", "contact_id", "record_id"),
    "stage": ("stage", "status", "lead_status", "deal_stage", "stage_name", "phase", "outcome"),
    "time": ("time", "timestamp", "changed_at", "updated_at", "close_date", "closed_at", "date", "stage_date", "last_modified", "datum"),
    "value": ("value", "amount", "deal_value", "revenue", "wert", "betrag"),
    "currency": ("currency", "waehrung", "währung"),
}  # fmt: skip
_NAMES = {"lead_id": "order_id", "stage": "event", "value": "amount", "time": "time", "currency": "currency"}


def guess(file: InputFile) -> dict[str, list[str]]:
    """Return the usual columns of a CRM's export that a file has: target -> [column]."""
    known = {mapping.plain(name): name for name in reversed(file.columns)}
    found = {target: next((known[name] for name in usual if name in known), "") for target, usual in _USUAL.items()}
    return {target: [column] for target, column in found.items() if column}


def recognises(file: InputFile) -> str | None:
    """Return why this looks like a CRM's export of leads, in words, or None."""
    found = guess(file)
    return (
        f"it has a lead ({found['lead_id'][0]}) and its stage ({found['stage'][0]})"
        if {"lead_id", "stage"} <= set(found)
        else None
    )


def read(
    engine: Engine, source: config.Source, files: list[InputFile], *, timezone: str | None, scratch: Path
) -> Table:
    """
    Read outcomes.

    Parameters
    ----------
    engine, files, timezone, scratch
        See `table.read`.
    source : Source
        `columns`, `decimal`, `currency`, `salvage` are used.

    Returns
    -------
    Table
        See `tables.OUTCOMES`; further column currency.

    Raises
    ------
    DataError
        For a missing column, or texts that could mean two things.
    """
    columns = {name: list(names) for name, names in source.columns.items()} or guess(files[0])
    everywhere = tuple(dict.fromkeys(name for file in files for name in file.columns))
    lost = [
        (t, columns.get(t, [t])[0])
        for t in ("lead_id", "stage", *columns)
        if not mapping.is_there(columns.get(t, [t])[0], everywhere)
    ]
    if lost:
        why = f"Columns found: {listing(everywhere, 20)}."
        mend = "Name them under `columns` of this source: {lead_id: .., stage: .., time: .., value: ..}."
        raise DataError(*(Problem(f"no column {name!r} for {t!r}{closest(name, everywhere)}", files[0].name, why=why, mend=mend)
                          for t, name in dict(lost).items()))  # fmt: skip
    plan = mapping.plan({_NAMES.get(t, t): names for t, names in columns.items()}, {}, files, ())
    reading = Reading(
        plan.select,
        plan.shape,
        scratch,
        source.salvage,
        from_text=plan.from_text,
        columns=casting.MAPPED,
        parameters=plan.parameters,
    )
    mapped = gather(engine, files, reading)
    rows = casting.cast(mapped, casting.Settings(timezone, source.decimal, source.currency))
    made = engine.create(statement(__file__, "outcomes", stem="outcomes.duckdb"), {"rows": rows}, name="outcomes")
    bad = engine.query(
        "SELECT count(*) AS n FROM rows WHERE reject IS NOT NULL OR order_id IS NULL OR event IS NULL", {"rows": rows}
    ).n[0]
    notes = (Remark("leads", rows=int(bad)),) if bad else ()
    return Rows(made.name, engine, notes=(*rows.notes, *notes))
