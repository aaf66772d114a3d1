"""What a file is, told from its first bytes: never from its name."""

from __future__ import annotations

import csv
import io
import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from conversion_audit.engine import quoted
from conversion_audit.errors import DataError, Problem
from conversion_audit.intake import preamble
from conversion_audit.intake.headerless import headerless
from conversion_audit.intake.packed import PEEK

ROWS = 50
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f]")
_DELIMITERS = ",;\t|"
_NO_ROWS = "It holds no rows that could be read."
_OTHER = "Only text (CSV, JSON) and Parquet are read."
_OR_LEAVE = "If it is not part of the export, take it out of the folder."
_WORKBOOK = (
    "is an Excel workbook",
    _OTHER,
    f"Open it and save the sheet as 'CSV UTF-8', or export CSV from the tool. {_OR_LEAVE}",
)
_HTML = (
    "is a web page, not an export",
    _NO_ROWS,
    "The download link had expired or asked for a login: export it again.",
)
_POINTER = ("is a git-lfs pointer, not the file itself", _NO_ROWS, "Run: git lfs pull")
_CLOUD = (
    "is only a placeholder: the file is still in iCloud",
    _NO_ROWS,
    "Download it in the Finder first, then copy it here.",
)
_PDF = ("is a PDF", _OTHER, f"Export the data as CSV or JSON lines instead. {_OR_LEAVE}")
_DATABASE = ("is a database file", _OTHER, f"Export the table as CSV or Parquet instead. {_OR_LEAVE}")
_PARQUET_CUT = (
    "is a Parquet file without its end: the copy is incomplete or damaged",
    _NO_ROWS,
    "Copy or export it again; a Parquet file cannot be read without its footer.",
)


class Shape(NamedTuple):
    """How a text file is laid out, and its first records."""

    format: str
    delimiter: str = ","
    skip: int = 0
    columns: tuple[str, ...] = ()
    records: tuple[dict, ...] = ()
    renamed: tuple[str, ...] = ()
    has_header: bool = True
    above: int = 0


def not_an_export(start: bytes, path: Path, name: str) -> Problem | None:
    """Return what the file is instead of an export, or None."""
    what = _foreign(start, path)
    return what and Problem(what[0], name, why=what[1], mend=what[2])


def _foreign(start: bytes, path: Path) -> tuple[str, str, str] | None:
    head = start[:1024].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if path.name.endswith(".icloud"):
        return _CLOUD
    if start[:2] == b"PK" and (b"[Content_Types].xml" in start or b"xl/" in start[:4000]):
        return _WORKBOOK
    if start[:4] == b"PAR1":
        with path.open("rb") as file:
            file.seek(-4, 2)
            return None if file.read(4) == b"PAR1" else _PARQUET_CUT
    if (
        path.suffix == ".parquet"
        and start[:1] not in (b"", b"{", b"[")
        and _CONTROL.search(start[:200].decode("latin-1"))
    ):
        return _PARQUET_CUT
    signs = {
        b"\xd0\xcf\x11\xe0": _WORKBOOK,
        b"version https://git-lfs": _POINTER,
        b"<!doctype html": _HTML,
        b"<html": _HTML,
        b"%pdf": _PDF,
        b"sqlite format 3": _DATABASE,
    }
    return next((what for sign, what in signs.items() if head.startswith(sign)), None)


def old_mac(text: str, name: str) -> Problem | None:
    """Return that a text has no line end of today but several of old Macs, or None."""
    if "\n" in text or text.strip().count("\r") < 2:
        return None
    why = "Line ends of this kind (CR alone) cannot be told from breaks inside a text."
    return Problem("has lines that end as on old Macs", name, why=why, mend="Save it again as 'CSV UTF-8'.")


def parquet(path: Path, name: str) -> tuple[tuple[str, ...], tuple[dict, ...], int]:
    """Return a Parquet file's top-level columns, first rows and number of rows, or raise DataError naming the damage."""
    import duckdb

    with duckdb.connect() as connection:
        try:
            # Bounded by the first row group that answers; nested values become plain Python.
            told = connection.execute("DESCRIBE SELECT * FROM read_parquet($path)", {"path": [str(path)]}).fetchall()
            columns = tuple(column[0] for column in told)
            select = ", ".join(f"CAST({quoted(name)} AS {_without_zone(kind)})" for name, kind, *_ in told)
            sql = f"SELECT {select} FROM read_parquet($path) LIMIT $n"
            cursor = connection.execute(sql, {"path": [str(path)], "n": 5})
            records = tuple(dict(zip(columns, row, strict=True)) for row in cursor.fetchall())
            counted = connection.execute("SELECT num_rows FROM parquet_file_metadata($path)", {"path": str(path)})
            return columns, records, int(counted.fetchone()[0])
        except duckdb.Error as error:
            what = f"is a damaged Parquet file: {str(error).splitlines()[0][:120]}"
            raise DataError(Problem(what, name, mend="Copy or export it again.")) from error


def _without_zone(kind: str) -> str:
    """A type of Parquet as it can be looked at: a time with its zone as text, at any depth."""
    return kind.replace("TIMESTAMP WITH TIME ZONE", "VARCHAR")


def encoding_of(start: bytes, declared: str | None, name: str) -> tuple[str, bool]:
    """Return the encoding and whether a byte order mark stands before the text."""
    if declared:
        try:
            start.decode(declared, errors="ignore")
        except LookupError as error:
            raise DataError(Problem("unknown encoding", name, declared, mend="Write e.g. cp1252 or utf-16.")) from error
        return declared.lower().replace("utf8", "utf-8").removesuffix("-sig"), start.startswith(b"\xef\xbb\xbf")
    for mark, encoding in ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16")):
        if start.startswith(mark):
            return encoding, True
    # Letters of UTF-16 have an empty byte each, always on the same side.
    for place, encoding in ((1, "utf-16-le"), (0, "utf-16-be")):
        side = start[place:200:2]
        if len(side) > 3 and side.count(0) > 0.6 * len(side):
            return encoding, False
    return ("utf-8" if is_mostly_utf8(start) else "cp1252"), False


def is_mostly_utf8(start: bytes) -> bool:
    """Return whether the bytes are UTF-8, or hold at least one line that only UTF-8 explains (a mixed file)."""
    if _decodes(start[: start.rfind(b"\n") + 1 or len(start)]):
        return True
    return any(not line.isascii() and _decodes(line) for line in start.splitlines()[:-1])


def _decodes(data: bytes) -> bool:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def decoded(start: bytes, encoding: str) -> str:
    """Return the first bytes as text, cut after the last whole line where there is one."""
    text = start.decode(encoding, errors="replace").removeprefix("\ufeff")
    end = text.rfind("\n")
    return text if len(start) < PEEK or end < 0 else text[: end + 1]


def shape_of(text: str, delimiter: str | None) -> Shape:
    """Return whether a text is JSON lines, a JSON array, delimited rows or something else."""
    body = text.lstrip()
    if body[:1] == "{":
        return _json_lines(body)
    if body[:1] == "[" and body[1:].lstrip()[:1] in "{]":
        return _json_array(body)
    if cut := headerless(text):
        rows = [line.split(cut.delimiter) for line in text.splitlines()[:ROWS] if line.strip()]
        records = tuple(dict(zip(cut.columns, row, strict=False)) for row in rows)
        return Shape("csv", cut.delimiter, 0, cut.columns, records, has_header=False)
    return _delimited(text, delimiter)


def _json_lines(text: str) -> Shape:
    found = [record for line in text.splitlines()[:ROWS] if isinstance(record := _parsed(line), dict)]
    if found:
        return Shape("ndjson", columns=_keys(found), records=tuple(found))
    records = _objects(text, 0)
    return Shape("json" if records else "ndjson", columns=_keys(records), records=tuple(records))


def _objects(text: str, place: int) -> list[dict]:
    """Return the first objects that stand one after another in a text, however they are laid out."""
    decoder, found = json.JSONDecoder(parse_float=str), []
    while len(found) < ROWS:
        place += len(text[place:]) - len(text[place:].lstrip(" \t\r\n,"))
        try:
            value, place = decoder.raw_decode(text, place)
        except (ValueError, RecursionError):
            break
        found.append(value)
    return [value for value in found if isinstance(value, dict)]


def _json_array(text: str) -> Shape:
    records = _objects(text, text.index("[") + 1)
    if not records and text.rstrip().endswith("]"):
        return Shape("empty")
    return Shape("array", columns=_keys(records), records=tuple(records))


def _parsed(text: str) -> Any:
    try:
        return json.loads(text, parse_float=str)
    except (ValueError, RecursionError):
        return None


def _keys(records: list[dict]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(key for record in records for key in record))


def _delimited(text: str, delimiter: str | None) -> Shape:
    skip, renamed = 0, []
    if (first := text.split("\n", 1)[0].strip()).lower().startswith("sep=") and len(first) == 5:
        delimiter, skip = delimiter or first[4], 1
    lines = text.split("\n")
    while skip < len(lines) and (not lines[skip].strip() or lines[skip].startswith("#")):
        skip += 1
    body = "\n".join(lines[skip:])
    marks = delimiter or _DELIMITERS
    delimiter = delimiter or _delimiter_of(body)
    above = 0
    if _evenness(body, delimiter)[1] < 0.5:  # the first line is not cut as the others are
        found = {mark: preamble.lines_above(lines[skip : skip + ROWS + preamble.MOST_LINES], mark) for mark in marks}
        delimiter = next((mark for mark, number in found.items() if number), delimiter)
        above = found.get(delimiter, 0)
        body = "\n".join(lines[skip + above :])
    rows = list(_rows(body, delimiter))
    if not rows:
        return Shape("empty")
    columns = unique(rows[0])
    if columns != tuple(name.strip() for name in rows[0]):
        renamed.append(", ".join(columns)[:160])
    # Where no row has as many fields as the header, they are rows all the same: counted, and then quarantined.
    whole = [row for row in rows[1:] if len(row) == len(columns)] or rows[1:]
    records = tuple(dict(zip(columns, row, strict=False)) for row in whole[:ROWS])
    return Shape("csv", delimiter, skip + above, columns, records, tuple(renamed), above=above)


def unique(names: list[str]) -> tuple[str, ...]:
    """
    Return column names without surrounding space; repeated ones numbered, unnamed ones called ``column_N``.

    Names that differ only in capitals are repeated ones: no table can hold both.

    >>> unique(["id", "ID", "id", "id_2", ""])
    ('id', 'ID_2', 'id_3', 'id_2_2', 'column_5')
    """
    seen: Counter[str] = Counter()
    found = []
    for place, name in enumerate((name.strip() for name in names), 1):
        name = name or f"column_{place}"
        seen[name.lower()] += 1
        while seen[name.lower()] > 1:
            name = f"{name}_{seen[name.lower()]}"
            seen[name.lower()] += 1
        found.append(name)
    return tuple(found)


def _delimiter_of(text: str) -> str:
    """Return the separator that cuts the first rows into the most columns of the same number."""
    best = max(_DELIMITERS, key=lambda candidate: _evenness(text, candidate))
    return best if _evenness(text, best) > (0, 0.0) else ","


def _evenness(text: str, delimiter: str) -> tuple[float, float]:
    widths = [len(row) for row in _rows(text, delimiter) if row][:ROWS]
    if not widths or widths[0] < 2:
        return 0, 0.0
    same = widths.count(widths[0]) / len(widths)
    return same * widths[0], same


def _rows(text: str, delimiter: str) -> Iterator[list[str]]:
    limit = csv.field_size_limit(1 << 24)
    try:
        for number, row in enumerate(csv.reader(io.StringIO(text.replace("\x00", "")), delimiter=delimiter)):
            if number > ROWS:
                return
            if row:
                yield row
    except csv.Error:
        return
    finally:
        csv.field_size_limit(limit)
