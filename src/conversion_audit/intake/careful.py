"""A second, careful reading of one file that the fast reader refused: good rows copied, bad ones named by line."""

from __future__ import annotations

import csv
import io
import json
from collections import deque
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from conversion_audit.errors import DataError
from conversion_audit.intake import packed
from conversion_audit.intake.files import InputFile

LINE = "__line"
LONGEST = 1 << 20
DEEPEST = 100


class Bad(NamedTuple):
    """A row that cannot be kept."""

    line: int
    reason: str
    column: str | None
    value: str


class Mended(NamedTuple):
    """The readable copy of a file, with the line number in column ``__line``, and what is not in it."""

    file: InputFile
    bad: list[Bad]
    is_cut: bool


def mended(file: InputFile, scratch: Path, shape: dict[str, Any], *, salvage: bool) -> Mended:
    """
    Read a text file line by line and copy what can be read.

    Parameters
    ----------
    file : InputFile
        JSON lines or delimited text.
    scratch : Path
        Where the copy goes.
    shape : dict
        What a JSON object must look like (see `sources.reading`); not used for delimited text.
    salvage : bool
        Keep the complete lines of a truncated archive instead of refusing it.

    Returns
    -------
    Mended
        Every physical row is in the copy or in `bad`, blank lines in neither.
    """
    copy = scratch / f"{file.sha256[:16]}-{file.path.name.removesuffix('.gz')}.mended"
    bad: list[Bad] = []
    cut: list[int] = []
    lines = _lines(file, cut if salvage else None)
    good = _json_rows(lines, shape, bad) if file.format == "ndjson" else _csv_rows(lines, file, bad)
    # Half of a character, as from an emoji cut in two, becomes a question mark.
    with copy.open("w", encoding="utf-8", errors="replace", newline="") as target:
        target.writelines(good)
    columns = (LINE, *file.columns)
    return Mended(
        replace(file, path=copy, gzipped=False, columns=columns, delimiter=",", skip=0, has_header=True), bad, bool(cut)
    )


def _lines(file: InputFile, cut: list[int] | None) -> Iterator[tuple[int, bytes]]:
    """
    Yield physical lines with their numbers; without a final newline the last one is yielded as it is.

    A truncated archive is an error, unless there is a list that takes the number of its last complete line.
    """
    rest, number = b"", 0
    try:
        for chunk in packed.text_chunks(file.path, "utf-8", file.name):
            *whole, rest = (rest + chunk).split(b"\n")
            for line in whole:
                number += 1
                yield number, line + b"\n"
    except DataError:
        if cut is None:
            raise
        cut.append(number)
        return
    if rest:
        yield number + 1, rest


def _json_rows(lines: Iterator[tuple[int, bytes]], shape: dict[str, Any], bad: list[Bad]) -> Iterator[str]:
    for number, raw in lines:
        if not raw.strip():
            continue
        text, reason = _text(raw)
        value, reason = (None, reason) if reason else _object(text, raw)
        column = None if reason else misfit(value, shape)
        if reason or column:
            bad.append(Bad(number, reason or "wrong_shape", column, text.strip()[:200]))
            continue
        yield json.dumps({LINE: str(number), **value}, ensure_ascii=False) + "\n"


def _text(raw: bytes) -> tuple[str, str | None]:
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("utf-8", errors="replace"), "bad_encoding"
    return text, "nul_byte" if "\x00" in text else None


class _Number(str):
    """A JSON number kept as its own text."""


def _object(text: str, raw: bytes) -> tuple[Any, str | None]:
    if len(raw) > 16 * LONGEST:
        return None, "field_too_long"
    try:
        value = json.loads(text, parse_float=_Number, parse_int=_Number)
    except RecursionError:
        return None, "nested_too_deep"
    except ValueError:
        return None, "bad_json" if raw.endswith(b"\n") else "truncated_last_row"
    if not isinstance(value, dict):
        return None, "bad_json"
    return value, "nested_too_deep" if depth(value) > DEEPEST else None


def depth(value: Any) -> int:
    """Return how many objects and lists lie within one another, the value itself counted."""
    deepest, layer = 0, [value]
    while layer:
        deepest += 1
        layer = [
            child
            for node in layer
            if isinstance(node, (dict, list))
            for child in (node.values() if isinstance(node, dict) else node)
        ]
    return deepest


def misfit(value: dict, shape: dict[str, Any]) -> str | None:
    """Return the first key whose value has another shape than expected, or None."""
    return next((key for key, expected in shape.items() if not _fits(value.get(key), expected)), None)


def _fits(value: Any, expected: Any) -> bool:
    if value is None:
        return True
    if isinstance(expected, dict):
        return isinstance(value, dict) and all(_fits(value.get(key), inner) for key, inner in expected.items())
    if isinstance(expected, list):
        return isinstance(value, list) and all(_fits(child, expected[0]) for child in value)
    return True


def _csv_rows(lines: Iterator[tuple[int, bytes]], file: InputFile, bad: list[Bad]) -> Iterator[str]:
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n", quoting=csv.QUOTE_MINIMAL)

    def written(row: list[str]) -> str:
        writer.writerow(row)
        text = buffer.getvalue()
        buffer.seek(0)
        buffer.truncate()
        return text

    yield written([LINE, *file.columns])
    csv.field_size_limit(LONGEST << 6)
    if file.has_header:
        records = _records(lines, file.skip, file.delimiter, len(file.columns))
        next(records, None)
    else:
        records = ((number, raw, True) for number, raw in lines if raw.strip())
    for number, raw, is_closed in records:
        text, reason = _text(raw)
        row = (
            []
            if reason
            else _fields(raw, file.delimiter)
            if file.has_header
            else text.rstrip("\r\n").split(file.delimiter)
        )
        reason = reason or _fault(row, raw, is_closed, len(file.columns))
        if reason:
            bad.append(Bad(number, reason, None, text.strip()[:200]))
        else:
            yield written([str(number), *row])


def _fields(raw: bytes, delimiter: str) -> list[str]:
    text = raw.decode("utf-8", errors="replace")
    return next(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter), [])


def _fault(row: list[str], raw: bytes, is_closed: bool, width: int) -> str | None:
    if any(len(field) > LONGEST for field in row):
        return "field_too_long"
    if not raw.endswith(b"\n") and (len(row) < width or not is_closed):
        return "truncated_last_row"
    if not is_closed:
        return "bad_quoting"
    return None if len(row) == width else "wrong_field_count"


def _records(
    lines: Iterator[tuple[int, bytes]], skip: int, delimiter: str, width: int
) -> Iterator[tuple[int, bytes, bool]]:
    """
    Yield (first line, bytes, quotes are closed) of each record, the header first.

    A quoted field may run over lines. One that never closes would swallow what follows: after `LONGEST` bytes, at the
    end, or where what it swallowed does not make a row, its first line is given up and reading goes on with the next.
    """
    waiting: deque[tuple[int, bytes]] = deque()
    mark = delimiter.encode()

    def following() -> tuple[int, bytes] | None:
        return waiting.popleft() if waiting else next(lines, None)

    while (line := following()) is not None:
        number, raw = line
        if number <= skip or not raw.strip():
            continue
        taken = [line]
        while not _is_closed(raw, mark) and len(raw) <= LONGEST and (more := following()) is not None:
            taken.append(more)
            raw += more[1]
        is_row = _is_closed(raw, mark) and (len(taken) == 1 or len(_fields(raw, delimiter)) == width)
        if not is_row:
            waiting.extendleft(reversed(taken[1:]))
        yield number, raw if is_row else line[1], is_row


def _is_closed(raw: bytes, delimiter: bytes) -> bool:
    """Return whether every quoted field of these bytes ends in them."""
    if raw.count(b'"') % 2 == 0:
        return True
    # An odd number of quotes is closed where the odd one stands inside an unquoted field, as in 5" pipe.
    opens = any(field.startswith(b'"') for field in raw.rstrip(b"\r\n").split(delimiter))
    return not opens
