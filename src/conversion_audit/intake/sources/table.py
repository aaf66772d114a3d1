"""
Any table of rows: CSV, JSON lines or Parquet, with a column mapping; one row an event, or one row a session.

There is no vendor document; ``columns`` in audit.yaml says what is what: a name of `tables.ROWS` (or one of its usual
synonyms, see `SYNONYMS`) -> the file's column, or several of which the first filled one counts.

- ``time: Created at`` names a column; ``time: events.ts`` a field inside a column that holds objects or lists of objects
  (a list gives one row per element); ``event: "=purchase"`` is the text itself, the same in every row.
- Day and time of day in two columns: ``time: Datum, time_of_day: Uhrzeit``.
- One row a session: ``steps: {view_item: viewed, purchase: bought_at}`` turns each row into a ``session_start`` and one event
  for each step whose column is filled: with a time, at that time; with a flag or a count, at the session's start, in
  the order of ``steps``.
- Several files joined: ``join: {raw/sessions.csv: session_id}`` looks further columns up in those files by a column that
  both have; they give no rows of their own.
- Rows that name a session but no visitor count each session as a visitor of its own.
- Whatever is not mapped becomes a property of its own name.
"""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatch
from pathlib import Path

from conversion_audit import config
from conversion_audit.engine import Engine, Table, quoted
from conversion_audit.errors import DataError, Problem, closest, listing
from conversion_audit.intake.files import InputFile
from conversion_audit.intake.sources import casting, clock, mapping
from conversion_audit.intake.sources.columns import settled
from conversion_audit.intake.sources.reading import Reading, gather

KIND = "table"
TITLE = "Any table of rows, with a column mapping"
GIVES = "rows"
NEEDS = ("time", "event")


def recognises(file: InputFile) -> str | None:
    """Return why this looks like rows of events or sessions, in words, or None."""
    guess = mapping.guess(file)
    if "time" in guess and ({"event", "page_url"} & set(guess)):
        shown = [f"{target} ({names[0]})" for target, names in guess.items()]
        return f"its columns look like {listing(shown, 6)}"
    return None


def read(
    engine: Engine, source: config.Source, files: list[InputFile], *, timezone: str | None, scratch: Path
) -> Table:
    """
    Read a mapped table.

    Parameters
    ----------
    engine : Engine
        Where the rows are kept.
    source : Source
        `columns`, `steps`, `join`, `decimal`, `currency`, `page_events`, `salvage` are used; without `columns` they are
        guessed from their names.
    files : list of InputFile
        From `files.open_files`.
    timezone : str, optional
        Zone of times that name none.
    scratch : Path
        Where mended copies go.

    Returns
    -------
    Table
        See `tables.ROWS`.

    Raises
    ------
    ConfigError
        For a mapping to columns that rows do not have.
    DataError
        For columns that the files do not have, and for texts that could mean two things.
    """
    columns = mapping.typed_names(source.columns)
    wanted = {*source.steps.values(), *(name for names in columns.values() for name in names)}
    looked_up = [settled(engine, [file], wanted)[0] for file in files if join_key(source, file)]
    main = settled(engine, [file for file in files if not join_key(source, file)], wanted)
    columns = columns or mapping.guess(*main)
    extra = tuple(dict.fromkeys(name for file in looked_up for name in file.columns))
    problems = clock.problems(columns, main) or _missing(columns, source, main, extra)
    if problems:
        raise DataError(*problems)
    plan = mapping.plan(columns, source.steps, main, extra)
    reading = Reading(
        plan.select, plan.shape, scratch, source.salvage, from_text=plan.from_text, columns=casting.MAPPED,
        parameters=plan.parameters, rows_per_line="many" if plan.is_many else "one",
    )  # fmt: skip
    lookups = _lookups(engine, source, looked_up, scratch)
    if lookups:
        reading = _joined(reading, lookups)
    mapped = gather(engine, main, reading)
    amounts = columns.get("amount", [])
    settings = casting.Settings(
        timezone, source.decimal, source.currency, source.page_events, all(_is_number(file, amounts) for file in main)
    )
    return casting.cast(mapped, settings)


def _is_number(file: InputFile, names: Sequence[str]) -> bool:
    """Whether a file's own type says that its amounts are numbers: a text in Parquet may be written in any way."""
    texts = (isinstance(record.get(name), str) for record in file.records for name in names)
    return file.format == "parquet" and not any(texts)


def join_key(source: config.Source, file: InputFile) -> str | None:
    """Return the column by which a file is looked up; None for a file that gives rows of its own."""
    return next((str(key) for pattern, key in source.join.items() if fnmatch(file.name, pattern)), None)


def _missing(
    columns: dict[str, list[str]], source: config.Source, files: list[InputFile], extra: tuple[str, ...]
) -> list[Problem]:
    """Return what is mapped but nowhere, and files that lack what every row needs."""
    everywhere = tuple(dict.fromkeys((*(name for file in files for name in file.columns), *extra)))
    wanted = {**columns, **{step: [name] for step, name in source.steps.items()}}
    mend = "Correct `columns` of this source in audit.yaml, or export the column."
    problems = mapping.absent(wanted, everywhere, files, mend)
    if "time" not in columns or not ({"event", "page_url"} & set(columns) or source.steps):
        found = f"Columns found: {listing(everywhere, 20)}."
        mend = (
            "Name them under `columns` of this source in audit.yaml, e.g. columns: {time: Created at, event: Action}."
        )
        problems.append(Problem("rows need a time and an event (or a page)", files[0].name, why=found, mend=mend))
    elif not {"device_id", "user_id", "source_session"} & set(columns):
        found = f"Columns found: {listing(everywhere, 20)}."
        mend = "Name one under `columns` of this source in audit.yaml, e.g. columns: {device_id: Visitor ID}."
        problems.append(Problem("rows need a visitor or a session", files[0].name, why=found, mend=mend))
    for file in files:
        lacking = [t for t in ("time", "event") if t in columns and not _has(columns[t], (*file.columns, *extra))]
        if lacking and not problems and file.columns:
            named = ", ".join(columns[target][0] for target in lacking)
            why = f"Columns found: {listing(file.columns, 20)}."
            problems.append(
                Problem(f"has no column {named!r}", file.name, why=why, mend="Export it as the other files.")
            )
    return problems


def _has(names: list[str], columns: tuple[str, ...]) -> bool:
    return any(mapping.is_there(name, columns) for name in names)


def _lookups(engine: Engine, source: config.Source, files: list[InputFile], scratch: Path) -> list[tuple[Table, str]]:
    found = []
    for file in files:
        key = join_key(source, file) or ""
        if key not in file.columns:
            why = f"Columns found: {listing(file.columns, 20)}."
            raise DataError(Problem(f"no column {key!r} to join by{closest(key, file.columns)}", file.name, why=why))
        names = ", ".join(quoted(name) for name in file.columns)
        reading = Reading(
            f"SELECT {names}, __file, __line FROM raw", dict.fromkeys(file.columns, "text"), scratch, source.salvage,
            columns=dict.fromkeys((*file.columns, "reject", "reject_column", "reject_value"), "text"),
        )  # fmt: skip
        found.append((gather(engine, [file], reading), key))
    return found


def _joined(reading: Reading, lookups: list[tuple[Table, str]]) -> Reading:
    """
    Widen ``raw`` by what the looked-up files say of each row: the first row of each key counts.

    A join may turn the rows around, and their order is their line: they are numbered before, and put back.
    """
    raw = "(SELECT *, row_number() OVER () AS __row FROM raw)"
    for number, (table, key) in enumerate(lookups):
        one = (
            f"SELECT * EXCLUDE (file, line, reject, reject_column, reject_value) FROM {quoted(table.name)} "
            f"WHERE reject IS NULL QUALIFY row_number() OVER (PARTITION BY {quoted(key)} ORDER BY line) = 1"
        )
        raw = f"(SELECT * FROM {raw} l{number} LEFT JOIN ({one}) r{number} USING ({quoted(key)}))"
    ordered = f"(SELECT * EXCLUDE (__row) FROM {raw} rows ORDER BY __row)"
    return Reading(
        reading.rows.replace("FROM raw", f"FROM {ordered} raw"), reading.shape, reading.scratch, reading.salvage,
        reading.from_text, reading.columns, reading.rows_per_line, reading.parameters,
    )  # fmt: skip
