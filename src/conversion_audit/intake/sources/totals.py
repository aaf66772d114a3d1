"""Totals without visitors -> stage counts: one row per day, stage and segment."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from conversion_audit import config
from conversion_audit.engine import Engine
from conversion_audit.errors import DataError, Problem, listing
from conversion_audit.intake.files import InputFile
from conversion_audit.intake.remarks import Remark
from conversion_audit.intake.sources import casting, mapping
from conversion_audit.intake.sources.numbers import common_decimal, number
from conversion_audit.intake.sources.reading import Reading, gather
from conversion_audit.intake.sources.stored import Rows, united

_TOTAL = re.compile(r"((grand )?totals?|gesamt|summe|insgesamt)(\s*:.*)?", re.IGNORECASE | re.DOTALL)
"""What stands in a line that adds up others. Google Ads says which: "Total: Account", "Gesamt: Konto"."""

MOSTLY, FEWEST = 0.9, 3
"""Share of the lines two files have in common that are equal, and how many at least, where one says again what the other says."""

_ABSENT = {"-", "--", "\u2013", "\u2014"}


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
        See `tables.STAGE_COUNTS`. Lines of totals are left out, lines that an earlier file has, and counts that are no
        numbers; all are said.

    Raises
    ------
    DataError
        Where there is neither a stage column nor a column per stage, or no line's day can be read.
    """
    known = {name for file in files for name in file.columns}
    stages = {stage: column for stage, column in stages.items() if column in known}
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
    wanted = "r.file, r.line, r.time, r.reject, r.campaign, r.event, r.amount, r.properties, m.item_quantity AS number, m.time AS clock"
    frame = engine.query(
        f"SELECT {wanted} FROM r JOIN m ON m.file = r.file AND m.line = r.line ORDER BY r.file, r.line",
        {"r": rows, "m": texts},
    )
    made, notes = _stage_counts(frame, stages, source.decimal)
    held = engine.create('SELECT CAST(date AS DATE) AS date, stage, segment, "count", CAST(cost AS DECIMAL(18, 4)) AS cost FROM made',
                         {"made": made}, name="stage_counts")  # fmt: skip
    return Rows(held.name, engine, notes=(*rows.notes, *notes))


def together(engine: Engine, parts: Sequence[Rows]) -> Rows:
    """Return totals that were read by different columns as one table; of lines that were left out, one remark each."""
    made = united(engine, parts, "stage_counts")
    notes = [note for part in parts for note in part.notes]
    lines: Counter[str] = Counter()
    for note in notes:
        lines[note.key] += note.values["lines"] if note.key.startswith("totals_") else 0
    others = [note for note in notes if not note.key.startswith("totals_")]
    return Rows(made.name, engine, notes=(*others, *(Remark(key, lines=n) for key, n in lines.items() if n)))


def _stage_counts(
    frame: pd.DataFrame, stages: Mapping[str, str], decimal: str | None
) -> tuple[pd.DataFrame, list[Remark]]:
    others = [json.loads(text) for text in frame["properties"]]
    is_total = _says_total(frame, others)
    is_bad = ~is_total & frame["reject"].notna()
    if is_bad.any() and not (~is_total & ~is_bad).any():
        raise DataError(_no_day(frame[is_bad].iloc[0]))
    kept = frame.assign(others=others)[~is_total & ~is_bad]
    is_again = _is_again(kept)
    kept = kept[~is_again]
    long = _wide(kept, stages) if stages else _long(kept)
    long = long[[not _is_absent(text) for text in long["text"]]]
    marks = {file: decimal or common_decimal(part) for file, part in long.groupby("file")["text"]}
    numbers = [number(text, marks[file]) for text, file in zip(long["text"], long["file"], strict=True)]
    long = long.assign(count=pd.Series(numbers, index=long.index, dtype="float64"))
    is_number = long["count"].notna()
    notes = [
        Remark(key, lines=int(lines))
        for lines, key in (
            (is_total.sum(), "totals_left"),
            (is_again.sum(), "totals_again"),
            (is_bad.sum(), "totals_unreadable"),
            ((~is_number).sum(), "totals_no_number"),
        )
        if lines
    ]
    counts = long.loc[is_number, ["date", "stage", "segment", "count", "cost"]]
    # A wide row's cost is counted once, on its first stage that has a count.
    counts = counts.assign(cost=counts["cost"].where(~counts.index.duplicated()))
    counts = counts.astype({"date": "datetime64[us]", "cost": "float64", "segment": "string"})
    return counts.reset_index(drop=True), notes


def _is_again(lines: pd.DataFrame) -> pd.Series:
    """
    Whether a line stands in an earlier file too: a copy, or an export of the same tool whose days overlap.

    Two accounts may have an equal line by chance, so files overlap where hardly a line of the same day, segment and stage
    says anything else.
    """
    names = ["time", "campaign", "event"]
    shared, equal = (
        lines.groupby(columns, dropna=False)["file"].transform("min") < lines["file"]
        for columns in (names, [*names, "number", "amount", "properties"])
    )
    by_file = pd.DataFrame({"shared": shared, "equal": equal, "lines": 1}).groupby(lines["file"])
    sums = by_file.transform("sum")
    return equal & (sums["equal"] >= MOSTLY * sums["shared"]) & (sums["equal"] >= sums["lines"].clip(upper=FEWEST))


def _says_total(frame: pd.DataFrame, others: Sequence[Mapping[str, str]]) -> pd.Series:
    """Whether a line adds up others: the segment, the day or any column that nothing else uses says so."""
    named = zip(frame["campaign"], frame["clock"], others, strict=True)
    said = [any(_TOTAL.fullmatch(str(text).strip()) for text in (*texts, *rest.values())) for *texts, rest in named]
    return pd.Series(said, index=frame.index, dtype=bool)


def _is_absent(text: object) -> bool:
    return text is None or pd.isna(text) or str(text).strip() in _ABSENT


def _no_day(row: pd.Series) -> Problem:
    return Problem(
        "the day of no line can be read",
        f"{row['file']}:{row['line']}",
        str(row["clock"]),
        "Totals of unknown days belong to no period.",
        "Export days as 2026-03-02, or name another column: columns: {date: Day}.",
    )


def _long(kept: pd.DataFrame) -> pd.DataFrame:
    names = {"time": "date", "event": "stage", "campaign": "segment", "number": "text", "amount": "cost"}
    return kept[["file", *names]].rename(columns=names)


def _wide(kept: pd.DataFrame, stages: Mapping[str, str]) -> pd.DataFrame:
    """One row per stage."""
    parts = []
    for stage, column in stages.items():
        texts = pd.Series([others.get(column) for others in kept["others"]], index=kept.index, dtype="object")
        parts.append(_long(kept.assign(event=stage, number=texts)))
    return pd.concat(parts)
