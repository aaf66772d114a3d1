"""Bundles -> files for a spreadsheet: one workbook, one CSV for each table; nothing in them runs."""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from conversion_audit.report.formats import is_missing, period_text
from conversion_audit.report.words import heading, label, text, text_or

_LEADS = "=+-@|\t\r\n"
_ESCAPED = "'"
_ID = re.compile(r"[\w+=/.:@~-]+", re.ASCII)
_EXACT = 10**15  # a spreadsheet keeps 15 digits
_LONGEST_NAME, _LONGEST_CELL = 31, 32_000
_WRITTEN = datetime(2000, 1, 1)
_NUMBER_FORMATS = {
    "count": "#,##0",
    "number": "#,##0.00",
    "number1": "#,##0.0",
    "number2": "#,##0.00",
    "percent": "0.00%",
    "percent0": "0%",
    "percent1": "0.0%",
    "percent2": "0.00%",
    "points": "0.00%",
    "money": "#,##0.00",
    "money2": "#,##0.00",
    "duration": '#,##0.0" s"',
}
_DATES = {"date": 14, "time": 22}  # built in: written as the reader's own country does


def tables(chapters: Iterable[Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """
    Return every table that was shown: name -> the bundle's table, with its ``claim`` and ``chapter``.

    A table without a name is called after its chapter; a name used twice gets a number.
    """
    found: dict[str, dict[str, Any]] = {}
    for chapter in chapters:
        for bundle in chapter.get("bundles") or []:
            if not bundle.get("table"):
                continue
            name = bundle.get("name") or f"chapter_{chapter['number']}"
            unique, n = name, 1
            while unique in found:
                n += 1
                unique = f"{name}_{n}"
            found[unique] = {**bundle["table"], "claim": bundle.get("claim") or "", "chapter": str(chapter["number"])}
    return found


def save_tables(chapters: Iterable[Mapping[str, Any]], folder: Path) -> list[Path]:
    """
    Write one CSV for each table.

    Parameters
    ----------
    chapters : list of dict
        From `page.chapter`.
    folder : Path
        Made if absent.

    Returns
    -------
    list of Path
        ``<folder>/<name>.csv``, UTF-8 with its mark, so that a spreadsheet reads it as such.
    """
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, table in tables(chapters).items():
        path = folder / f"{name}.csv"
        path.write_bytes(csv_bytes(table["columns"], table["rows"]))
        written.append(path)
    return written


def save_lists(lists: Mapping[str, Any], folder: Path) -> list[Path]:
    """
    Write lists of visitors, one CSV each.

    Parameters
    ----------
    lists : mapping
        Name -> DataFrame. Names are those of the audiences.
    folder : Path
        Made if there is a list.

    Returns
    -------
    list of Path
        ``<folder>/<name>.csv``.
    """
    written = []
    for name, rows in lists.items():
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{path_name(name)}.csv"
        while path in written:
            path = path.with_stem(f"{path.stem}_2")
        path.write_bytes(
            csv_bytes(
                list(rows.columns),
                rows.map(lambda value: label(value) if isinstance(value, str) else value).to_numpy().tolist(),
            )
        )
        written.append(path)
    return written


def path_name(name: str) -> str:
    """Return a name as a file may be called everywhere: letters of every script, digits and underscores."""
    return re.sub(r"\W+", "_", name.lower())


def csv_bytes(columns: Sequence[str], rows: Iterable[Sequence[Any]], cell: Callable[[Any], Any] | None = None) -> bytes:
    """Return a table as CSV in which no text is a formula; numbers stay numbers, absent is empty; `cell` as `csv_cell`."""
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow([safe_text(column) for column in columns])
    writer.writerows([(cell or csv_cell)(value) for value in row] for row in rows)
    return b"\xef\xbb\xbf" + buffer.getvalue().encode("utf-8")


def csv_cell(value: Any) -> Any:
    """Return a value for a CSV: text that a spreadsheet would execute gets an apostrophe, genuine numbers none."""
    if is_missing(value):
        return ""
    if isinstance(value, (bool, int, float)):
        return value
    return safe_text(_flat(value))


def id_cell(value: Any) -> Any:
    """
    Return an id for an upload, where one more character makes it another id: as it is.

    What can call something when a person opens the list is no id: without brackets, quotes, pipes and spaces nothing can.
    """
    return value if isinstance(value, str) and _ID.fullmatch(value) else csv_cell(value)


def safe_text(value: Any) -> str:
    """
    Return text that no spreadsheet takes for a formula.

    The first character counts after compatibility forms are undone and space is cut: a full-width equals sign is one.
    """
    words = "".join(c for c in str(value) if c in "\t\r\n" or unicodedata.category(c) not in {"Cc", "Cs"})
    start = unicodedata.normalize("NFKC", words).lstrip("".join(chr(n) for n in (0x20, 0xA0, 0x200B, 0x2060, 0xFEFF)))
    return f"{_ESCAPED}{words}" if start[:1] and start[0] in _LEADS else words


def _flat(value: Any) -> str:
    if isinstance(value, Mapping):
        return "; ".join(f"{label(str(key))}: {label(part)}" for key, part in value.items())
    return ", ".join(str(part) for part in value) if isinstance(value, (list, tuple)) else str(value)


def save_workbook(chapters: Sequence[Mapping[str, Any]], path: Path, about: Mapping[str, Any] | None = None) -> Path:
    """
    Write every table as a sheet of one workbook: typed, filterable, with a list of sheets in front.

    Parameters
    ----------
    chapters : list of dict
        From `page.chapter`.
    path : Path
        ``audit.xlsx``; written beside and renamed.
    about : mapping, optional
        As `page.render` takes it: client and language are used.

    Returns
    -------
    Path
        The path. Texts are texts (no formula, no link), ids keep every digit, and the same tables give the same bytes.
    """
    import xlsxwriter

    from conversion_audit.report.page import voice_for
    from conversion_audit.report.voice import speaking, voice

    path.parent.mkdir(parents=True, exist_ok=True)
    buffer = io.BytesIO()
    options = {
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
        "nan_inf_to_errors": False,
        "in_memory": True,
    }
    with speaking(voice_for(about) if about else voice()), xlsxwriter.Workbook(buffer, options) as book:
        book.set_properties({"created": _WRITTEN, "title": str((about or {}).get("client") or "")})
        found = tables(chapters)
        sheets = _sheet_names(found)
        formats = _formats(book)
        _contents(book, formats, (chapters, found, sheets), about or {})
        for name, table in found.items():
            _sheet(book.add_worksheet(sheets[name]), formats, table)
    beside = path.with_name(path.name + ".part")
    beside.write_bytes(buffer.getvalue())
    beside.replace(path)
    return path


def _sheet_names(found: Iterable[str]) -> dict[str, str]:
    """At most 31 characters, unique whatever their case, and none that Excel keeps for itself."""
    used: dict[str, str] = {}
    for name in found:
        base = re.sub(r"[\[\]:*?/\\']", " ", name)[:_LONGEST_NAME] or "table"
        unique, n = base, 1
        while unique.lower() in {other.lower() for other in used.values()} | {"history", "contents"}:
            n += 1
            unique = f"{base[: _LONGEST_NAME - len(str(n)) - 1]}_{n}"
        used[name] = unique
    return used


def _formats(book: Any) -> dict[str, Any]:
    made = {kind: book.add_format({"num_format": form, "valign": "top"}) for kind, form in _NUMBER_FORMATS.items()}
    made |= {kind: book.add_format({"num_format": n, "valign": "top", "align": "left"}) for kind, n in _DATES.items()}
    return made | {
        "text": book.add_format({"num_format": "@", "valign": "top"}),
        "head": book.add_format({"bold": True, "bottom": 1, "text_wrap": True, "valign": "bottom"}),
        "chapter": book.add_format({"bold": True, "top": 1}),
        "title": book.add_format({"bold": True, "font_size": 14}),
    }


def _contents(book: Any, formats: Mapping[str, Any], of: tuple, about: Mapping[str, Any]) -> None:
    """Write the first sheet: whose numbers these are, and chapter by chapter which sheet says what."""
    chapters, found, sheets = of
    period = about.get("period") or {}
    whose = [str(about.get("client") or ""), period_text(period["start"], period["end"]) if period.get("end") else ""]
    sheet = book.add_worksheet("contents")
    sheet.set_column(0, 0, 32)
    sheet.set_column(1, 1, 110)
    sheet.write_string(0, 0, " · ".join(filter(None, whose)) or text("page.contents"), formats["title"])
    sheet.write_string(1, 0, text("page.workbook"))
    row, asked = 2, {str(one["number"]): one for one in chapters}
    for name, table in found.items():
        one = asked.pop(table["chapter"], None)
        if one:
            row += 1
            sheet.write_string(
                row, 0, text("page.chapter", {"number": str(one["number"]).lstrip("0") or "0"}), formats["chapter"]
            )
            question = text_or(f"chapters.{one.get('name')}", "") or str(one.get("question") or "")
            sheet.write_string(row, 1, question, formats["chapter"])
            row += 1
        sheet.write_url(row, 0, f"internal:'{sheets[name]}'!A1", string=sheets[name])
        sheet.write_string(row, 1, table["claim"][:_LONGEST_CELL])
        row += 1


def _sheet(sheet: Any, formats: Mapping[str, Any], table: Mapping[str, Any]) -> None:
    columns, rows = table["columns"], table["rows"]
    for place, column in enumerate(columns):
        sheet.write_string(0, place, heading(column), formats["head"])
        longest = max((len(str(row[place])) for row in rows[:200] if row[place] is not None), default=0)
        sheet.set_column(place, place, min(max(12, longest + 2, len(heading(column)) // 2), 48))
    for number, row in enumerate(rows, 1):
        for place, value in enumerate(row):
            column = columns[place]
            _write(sheet, number, place, value, table["kinds"][column], formats, table["labels"].get(column, {}))
    sheet.freeze_panes(1, 1)
    if rows:
        sheet.autofilter(0, 0, len(rows), len(columns) - 1)


def _write(
    sheet: Any, row: int, place: int, value: Any, kind: str, formats: Mapping[str, Any], labels: Mapping[str, str]
) -> None:
    if value is None or (isinstance(value, float) and is_missing(value)):
        return
    if kind in _DATES and (moment := _moment(value)):
        sheet.write_datetime(row, place, moment, formats[kind])
    elif isinstance(value, bool):
        sheet.write_boolean(row, place, value)
    elif isinstance(value, (int, float)) and abs(value) < _EXACT and kind not in {"id", "text"}:
        sheet.write_number(row, place, value, formats.get(kind, formats["number"]))
    else:
        words = labels.get(value, value) if isinstance(value, str) else _flat(value)
        sheet.write_string(row, place, words[:_LONGEST_CELL], formats["text"])


def _moment(value: Any) -> datetime | None:
    """Return a day or time for a spreadsheet, whose calendar begins in 1900 and knows no zones; None for what is none."""
    try:
        moment = datetime.fromisoformat(str(value)).replace(tzinfo=None)
    except ValueError:
        return None
    return moment if moment.year >= 1900 else None
