"""Files -> one table of rows: read strictly and all at once; a file that resists is read again with care."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any, Literal

import duckdb
import pandas as pd

from conversion_audit.engine import Engine, quoted, statement
from conversion_audit.errors import DataError, Problem
from conversion_audit.intake import packed
from conversion_audit.intake.careful import LINE, Bad, mended
from conversion_audit.intake.files import InputFile
from conversion_audit.intake.privacy import mask
from conversion_audit.intake.remarks import Remark
from conversion_audit.intake.sources.stored import SQL_KINDS, Rows, Store
from conversion_audit.tables import ROWS

Shape = dict[str, Any]
SMALL = 64 << 20
TEXT = "text"
JSON_FORMATS = {"ndjson": "newline_delimited", "array": "array", "json": "unstructured"}
WHOLE: Shape = {"row": "json"}
"""The shape of a row that is read as one JSON object, whatever is in it."""

_RESISTS = (duckdb.InvalidInputException, duckdb.ConversionException, duckdb.IOException, duckdb.SerializationException)


@dataclass(frozen=True)
class Reading:
    """
    How one kind of export is read.

    Parameters
    ----------
    rows : str
        A SELECT from ``raw`` with columns named as in `tables.ROWS`; it passes ``__file`` and ``__line`` through.
    shape : dict
        The columns of ``raw``: name -> ``"text"``, a nested dict (object) or a list of one of these (array).
    scratch : Path
        Where mended copies go.
    salvage : bool
        Keep the complete lines of truncated archives.
    from_text : callable, optional
        Columns of delimited text -> a SELECT from ``text`` that gives them this shape; by default they have it.
    rows_per_line : {"one", "many"}
        Whether one line of a file may give many rows.
    columns : dict
        Columns of the table and their kinds, if not those of `tables.ROWS`.
    parameters : dict
        Further values for ``$name`` in `rows`.
    flat_without : str, optional
        JSON objects without this key are a table as delimited text is; by default they have the shape.
    """

    rows: str
    shape: Shape
    scratch: Path
    salvage: bool = False
    from_text: Callable[[tuple[str, ...]], str] | None = None
    columns: dict[str, str] | None = None
    rows_per_line: Literal["one", "many"] = "one"
    parameters: dict[str, Any] | None = None
    flat_without: str | None = None

    @property
    def kinds(self) -> dict[str, str]:
        """Columns of the table, without file and line, and their kinds."""
        return self.columns or {
            name: column.kind for name, column in ROWS.columns.items() if name not in ("file", "line")
        }


def gather(engine: Engine, files: Sequence[InputFile], reading: Reading) -> Rows:
    """
    Read the files of one source into one table.

    Returns
    -------
    Rows
        See `tables.ROWS`: every physical row once. Rows that no reader understands carry `reject`; `line` is the row's
        number among the file's rows, and the physical line in files that had to be read with care.

    Raises
    ------
    DataError
        For files that cannot be read at all.
    """
    kinds = reading.kinds
    store = Store.begun(engine, reading.scratch, {"__file": "int", "line": "int", **kinds})
    full = [file for file in files if not file.is_empty]
    numbers = {file.name: number for number, file in enumerate(full)}
    notes = [note for file in files for note in file.notes]
    with _in_order(engine, full):
        nul = [file for file in full if file.format == "csv" and _has_nul(file)]
        key = partial(_group, reading)
        for _, group in groupby(sorted((file for file in full if file not in nul), key=key), key=key):
            notes += _read(engine, store, sorted(group, key=lambda file: numbers[file.name]), reading, numbers)
        for file in nul:
            notes += _read_with_care(engine, store, file, reading, numbers)
    return _numbered(engine, store, full, kinds, tuple(notes))


def _has_nul(file: InputFile) -> bool:
    """An empty byte inside a text passes every fast reader in silence."""
    with suppress(DataError):
        return any(b"\x00" in chunk for chunk in packed.text_chunks(file.path, "utf-8", file.name))
    return False


def _group(reading: Reading, file: InputFile) -> tuple:
    """Files that are read in one statement; it names the columns of flat ones, so that these have the same."""
    columns = file.columns if _is_flat(file, reading) else ()
    return (file.format, file.gzipped, file.delimiter, file.skip, columns)


@contextmanager
def _in_order(engine: Engine, files: Sequence[InputFile]) -> Iterator[None]:
    """
    Within, rows are stored in the order of the files, so that a row's place is its line.

    Small files are read by one thread: with several, DuckDB may store a last line without a line break before others.
    """
    threads = int(engine.query("SELECT current_setting('threads') AS n").n[0])
    is_small = sum(file.size for file in files) < SMALL
    engine.query("SET preserve_insertion_order = true")
    engine.query(f"SET threads = {1 if is_small else threads}")
    try:
        yield
    finally:
        engine.query(f"SET threads = {threads}")
        engine.query("SET preserve_insertion_order = false")


def _read(
    engine: Engine, store: Store, files: list[InputFile], reading: Reading, numbers: dict[str, int]
) -> Iterator[Remark]:
    """Store the files' rows, all at once if they let themselves be read, and yield what is to be said of it."""
    try:
        _insert(engine, store, files, reading, numbers)
        return
    except _RESISTS as error:
        if len(files) == 1:
            yield from _read_with_care(engine, store, files[0], reading, numbers, error)
            return
    for file in files:
        yield from _read(engine, store, [file], reading, numbers)


def _read_with_care(
    engine: Engine,
    store: Store,
    file: InputFile,
    reading: Reading,
    numbers: dict[str, int],
    error: duckdb.Error | None = None,
) -> Iterator[Remark]:
    if error and file.format not in ("ndjson", "csv"):
        raise DataError(_unreadable(file, error)) from error
    shape = {} if _is_flat(file, reading) else reading.shape
    copy, bad, is_cut = mended(file, reading.scratch, shape, salvage=reading.salvage)
    try:
        _insert(engine, store, [copy], reading, numbers)
    except _RESISTS as again:
        raise DataError(_unreadable(file, again)) from again
    if bad:
        _reject(engine, store, bad, numbers[file.name], reading.rows_per_line)
        first = {"file": file.name, "line": bad[0].line, "reason": bad[0].reason}
        yield Remark("lines", lines=len(bad), **first) if len(bad) > 1 else Remark("line", **first)
    if is_cut:
        yield Remark("cut", file=file.name)


def _unreadable(file: InputFile, error: duckdb.Error) -> Problem:
    what = "is damaged" if file.format == "parquet" else "cannot be read"
    seen, _ = mask(str(error).replace(str(file.path), file.name).splitlines()[0])
    return Problem(
        f"{what}: {seen[:160]}",
        file.name,
        why="None of its rows can be counted.",
        mend="Copy or export it again.",
    )


def _insert(engine: Engine, store: Store, files: list[InputFile], reading: Reading, numbers: dict[str, int]) -> None:
    raw, values = _raw(engine, files, reading)
    select = f"""
        WITH raw AS ({raw}), read AS ({reading.rows})
        SELECT * EXCLUDE (__file, __line), $numbers[CAST(__file AS BIGINT) + 1] AS __file, TRY_CAST(__line AS BIGINT) AS line
        FROM read
    """
    # A list, not a join: a join may turn the rows around, and their order is their line.
    values |= {"numbers": [numbers[file.name] for file in files], **(reading.parameters or {})}
    store.add(select, **values)


def _raw(engine: Engine, files: list[InputFile], reading: Reading) -> tuple[str, dict[str, Any]]:
    first, shape = files[0], reading.shape
    values: dict[str, Any] = {"paths": [str(file.path) for file in files]}
    if first.format in JSON_FORMATS:
        values["format"] = JSON_FORMATS[first.format]
        values["compression"] = "gzip" if first.gzipped else "none"
        if shape == WHOLE:
            return statement(__file__, "objects", stem="reading.duckdb"), values
        lines = {LINE: "VARCHAR"} if LINE in first.columns else {}
        is_flat = _is_flat(first, reading)
        shape = dict.fromkeys(first.columns, TEXT) if is_flat else shape
        values["columns"] = lines | {name: sql_type(inner) for name, inner in shape.items()}
        sql = statement(__file__, "json", stem="reading.duckdb")
        sql = sql.replace(", NULL AS __line", "") if lines else sql
        return (f"WITH text AS ({sql}) {reading.from_text(first.columns)}" if is_flat else sql), values
    if first.format == "csv":
        values |= {"columns": dict.fromkeys(first.columns, "VARCHAR"), "delimiter": first.delimiter, "skip": first.skip}
        values |= {
            "compression": "gzip" if first.gzipped else "none",
            "header": first.has_header,
            "quote": '"' if first.has_header else "",
        }
        sql = statement(__file__, "csv", stem="reading.duckdb")
        sql = sql.replace(", NULL AS __line", "") if LINE in first.columns else sql
        return (f"WITH text AS ({sql}) {reading.from_text(first.columns)}" if reading.from_text else sql), values
    sql = statement(__file__, "parquet", stem="reading.duckdb")
    if shape == WHOLE or _is_flat(first, reading):
        texts = ", ".join(f"CAST({quoted(name)} AS VARCHAR) AS {quoted(name)}" for name in first.columns)
        return (
            f"WITH text AS (SELECT {texts}, __file, __line FROM ({sql}) found) {reading.from_text(first.columns)}",
            values,
        )
    described = engine.query(f"DESCRIBE {sql}", **values)
    kinds = dict(zip(described.column_name, described.column_type, strict=True))
    return f"SELECT {', '.join(_cast_columns(kinds, shape))}, __file, __line FROM ({sql}) found", values


def _is_flat(file: InputFile, reading: Reading) -> bool:
    """Whether a file is a table: delimited text, and objects without any of those that its kind is made of."""
    if file.format == "csv":
        return True
    if file.format in JSON_FORMATS:
        return reading.flat_without is not None and reading.flat_without not in file.columns
    nested = {name for name, inner in reading.shape.items() if inner != TEXT}
    return bool(reading.from_text and nested) and not nested & {name.lower() for name in file.columns}


def _cast_columns(kinds: dict[str, str], shape: Shape) -> Iterator[str]:
    """Yield each column of a Parquet file cast to the shape: absent ones are NULL, wrapped lists unwrapped."""
    by_lower = {name.lower(): name for name in kinds}
    for name, inner in shape.items():
        there = by_lower.get(name.lower())
        column = quoted(there) if there else "NULL"
        if there and isinstance(inner, list) and kinds[there].replace('"', "").startswith("STRUCT(list "):
            # BigQuery writes repeated fields as {"list": [{"element": ...}]} unless told otherwise.
            column = f'list_transform({column}."list", lambda wrapped: wrapped.element)'
        yield f"CAST({column} AS {sql_type(inner)}) AS {quoted(name)}"


def sql_type(shape: Any) -> str:
    """
    Return the SQL type of a shape.

    >>> sql_type([{"key": "text"}])
    'STRUCT("key" VARCHAR)[]'
    """
    if isinstance(shape, dict):
        return "STRUCT(" + ", ".join(f"{quoted(name)} {sql_type(inner)}" for name, inner in shape.items()) + ")"
    return f"{sql_type(shape[0])}[]" if isinstance(shape, list) else SQL_KINDS[shape]


def _reject(engine: Engine, store: Store, bad: list[Bad], number: int, rows_per_line: str) -> None:
    found = pd.DataFrame(bad, columns=["line", "reject", "reject_column", "reject_value"])
    found = found.astype({"reject_column": "string", "reject_value": "string"})
    if rows_per_line == "many":
        # Here a row's line is its place among many of one physical line: those that are not rows come after them.
        rows = engine.query(f"SELECT count(*) AS n FROM ({store.select}) r WHERE __file = $number", number=number).n[0]
        named = "line " + found["line"].astype(str) + ": " + found["reject_value"]
        found = found.assign(line=range(int(rows) + 1, int(rows) + 1 + len(found)), reject_value=named)
    store.add("SELECT $number AS __file, * FROM bad", {"bad": found}, number=number)


def _numbered(
    engine: Engine, store: Store, files: list[InputFile], kinds: dict[str, str], notes: tuple[Remark, ...]
) -> Rows:
    """The rows with their file's name; where the reader gave no line, the row's place in its file."""
    first = f"SELECT __file AS number, min(__place) AS first FROM ({store.select}) r WHERE line IS NULL GROUP BY 1"
    named = pd.DataFrame({"number": range(len(files)), "file": [file.name for file in files]})
    named = named.merge(engine.query(first), how="left", on="number").astype({"first": "Int64", "file": "string"})
    held = engine.create("SELECT number, file, first FROM named", {"named": named}, name="raw_files")
    place = ["f.file", "coalesce(r.line, r.__place - f.first + 1) AS line"]
    return store.completed(kinds, notes, also=place, joined=f"JOIN {quoted(held.name)} f ON f.number = r.__file")
