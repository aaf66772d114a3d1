"""Totals without visitors -> stage counts: one row per day, stage and segment."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from conversion_audit import config
from conversion_audit.engine import Engine
from conversion_audit.errors import DataError, Problem, listing
from conversion_audit.intake.files import InputFile
from conversion_audit.intake.remarks import Remark
from conversion_audit.intake.sources import casting, mapping
from conversion_audit.intake.sources.reading import Reading, gather
from conversion_audit.intake.sources.stored import Rows

_TOTAL = re.compile(r"(grand )?totals?|gesamt|summe|insgesamt", re.IGNORECASE)
_WHOLE = re.compile(r"\d{1,3}([.,'\u2019\u00a0\u202f ]\d{3})+|\d+([.,]0+)?")


def whole_number(text: object) -> int | None:
    """
    Return a count: digits, with or without marks between thousands.

    >>> whole_number("12.345"), whole_number("1,234,567"), whole_number("3.0"), whole_number("2.5")
    (12345, 1234567, 3, None)
    """
    plain = str(text).strip() if text is not None else ""
    if not _WHOLE.fullmatch(plain):
        return None
    return int(re.sub(r"\D", "", re.sub(r"[.,]0{1,2}$", "", plain)))


def read_totals(
    engine: Engine,
    source: config.Source,
    files: Sequence[InputFile],
    columns: Mapping[str, list[str]],
    stages: Mapping[str, str],
    scratch: Path,
) -> Rows:
    """
    Read totals, long (a column names the stage) or wide (a column per stage).

    Parameters
    ----------
    engine, source, files, scratch
        See `table.read`.
    columns : mapping
        date, segment, cost, and for long tables stage and count -> columns of the files.
    stages : mapping
        For wide tables: stage -> column.

    Returns
    -------
    Rows
        See `tables.STAGE_COUNTS`. Lines of totals are left out, and lines without a readable count too; both are said.

    Raises
    ------
    DataError
        Where there is neither a stage column nor a column per stage.
    """
    if not stages and not {"stage", "count"} <= set(columns):
        found = listing(tuple(dict.fromkeys(name for file in files for name in file.columns)), 20)
        mend = "Name them: columns: {stage: Step, count: Number}, or steps: {impression: Impressions, click: Clicks}."
        raise DataError(Problem("no stages", files[0].name, why=f"Columns found: {found}.", mend=mend))
    named = {"date": "time", "segment": "campaign", "cost": "amount", "stage": "event", "count": "item_quantity"}
    told = {named[target]: names for target, names in columns.items() if names}
    told.setdefault("event", ["=total"])
    plan = mapping.plan(told, {}, list(files), ())
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
    texts = engine.create('SELECT file, line, item_quantity, "time" FROM m', {"m": mapped}, name="texts")
    rows = casting.cast(mapped, casting.Settings("UTC", source.decimal))
    wanted = "r.time, r.reject, r.campaign, r.event, r.amount, r.properties, m.item_quantity AS number, m.time AS clock"
    frame = engine.query(
        f"SELECT {wanted} FROM r JOIN m ON m.file = r.file AND m.line = r.line ORDER BY r.file, r.line",
        {"r": rows, "m": texts},
    )
    made, notes = _stage_counts(frame, stages)
    held = engine.create('SELECT CAST(date AS DATE) AS date, stage, segment, "count", CAST(cost AS DECIMAL(18, 4)) AS cost FROM made',
                         {"made": made}, name="stage_counts")  # fmt: skip
    return Rows(held.name, engine, notes=(*rows.notes, *notes))


def _stage_counts(frame: pd.DataFrame, stages: Mapping[str, str]) -> tuple[pd.DataFrame, list[Remark]]:
    is_total = frame["campaign"].fillna("").str.fullmatch(_TOTAL) | frame["clock"].fillna("").str.fullmatch(_TOTAL)
    is_bad = ~is_total & frame["reject"].notna()
    kept = frame[~is_total & ~is_bad]
    long = pd.concat(
        [_wide(kept, stages) if stages else _long(kept), pd.DataFrame({"date": [], "cost": []}, dtype=object)]
    )
    is_number = long["count"].notna()
    notes = [
        Remark(key, lines=int(number))
        for number, key in (
            (is_total.sum(), "totals_left"),
            (is_bad.sum(), "totals_unreadable"),
            ((~is_number).sum(), "totals_no_number"),
        )
        if number
    ]
    counts = long[is_number]
    # A wide row's cost is counted once, on its first stage that has a count.
    counts = counts.assign(cost=counts["cost"].where(~counts.index.duplicated()))
    counts = counts.astype({"count": "int64", "date": "datetime64[us]", "cost": "float64", "segment": "string"})
    return counts.reset_index(drop=True), notes


def _long(kept: pd.DataFrame) -> pd.DataFrame:
    counts = pd.Series([whole_number(text) for text in kept["number"]], index=kept.index, dtype="object")
    return pd.DataFrame(
        {
            "date": kept["time"],
            "stage": kept["event"],
            "segment": kept["campaign"],
            "count": counts,
            "cost": kept["amount"],
        }
    )


def _wide(kept: pd.DataFrame, stages: Mapping[str, str]) -> pd.DataFrame:
    """One row per stage that the row has."""
    values = [json.loads(text) for text in kept["properties"]]
    parts = []
    for stage, column in stages.items():
        counts = [whole_number(value.get(column)) for value in values]
        is_absent = [value.get(column) is None for value in values]
        part = pd.DataFrame({"date": kept["time"], "stage": stage, "segment": kept["campaign"]})
        part = part.assign(count=pd.Series(counts, index=kept.index, dtype="object"), cost=kept["amount"])
        parts.append(part[[not absent for absent in is_absent]])
    return pd.concat(parts) if parts else _long(kept)
