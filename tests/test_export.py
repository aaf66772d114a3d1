"""The workbook and the CSV files: typed, exact, and nothing in them runs."""

from __future__ import annotations

import csv
import io
import re
import zipfile

import pandas as pd
import pytest

from conversion_audit.report.export import csv_bytes, csv_cell, id_cell, save_tables, save_workbook, tables
from conversion_audit.report.show import bundles_of

FORMULAS = [
    "=1+1",
    "+1+1",
    "-1+1",
    "@SUM(1)",
    "\t=1",
    "\r=1",
    "\n=1",
    "  =cmd|' /C calc'!A0",
    "｜calc",
    "＝1+1",
    "＋1",
    "－1",
    "＠SUM(1)",
    "\u00a0=1",
    "\ufeff=1",
    '=HYPERLINK("http://x","y")',
]


def chapter_with(frame: pd.DataFrame, name: str = "rows", number: str = "01") -> dict:
    return {"number": number, "question": "?", "status": "ok", "bundles": bundles_of(frame, name=name, claim="A claim")}


def sheet_xml(path, number: int = 2) -> str:
    with zipfile.ZipFile(path) as book:
        return book.read(f"xl/worksheets/sheet{number}.xml").decode()


@pytest.mark.parametrize("words", FORMULAS)
def test_text_that_a_spreadsheet_would_execute_gets_an_apostrophe(words):
    assert csv_cell(words).startswith("'")


@pytest.mark.parametrize("words", ["+Ab3/xyz=", "-1234567", "=", "GA1.2.3", "a@b.example", "0012"])
def test_an_id_for_an_upload_stays_the_id_it_is(words):
    assert id_cell(words) == words


@pytest.mark.parametrize("words", ["=cmd|' /C calc'!A0", "=HYPERLINK(1)", "@SUM(A1)", "+a b", '="x"', "\t=1", "＝1"])
def test_what_could_call_something_is_no_id(words):
    assert id_cell(words).startswith("'")


@pytest.mark.parametrize("value", [-3, -0.5, 12, 1e-9])
def test_genuine_numbers_stay_numbers(value):
    assert csv_cell(value) == value


@pytest.mark.parametrize("words", ["plain", "a=b", "3-4", "é", "'=1", "100 %"])
def test_harmless_text_stays_as_it_is(words):
    assert csv_cell(words) == words


def test_a_csv_reads_back_with_absent_values_empty():
    raw = csv_bytes(["step", "rate"], [["a,b", 0.5], ['say "x"\nnow', None], ["c", float("nan")]])
    assert list(csv.reader(io.StringIO(raw.decode("utf-8-sig"), newline=""))) == [
        ["step", "rate"],
        ["a,b", "0.5"],
        ['say "x"\nnow', ""],
        ["c", ""],
    ]


def test_ids_survive_the_workbook_to_the_last_digit(tmp_path):
    frame = pd.DataFrame({"order_id": ["1234567890123456789", "007"], "orders": [1, 2]})
    path = save_workbook([chapter_with(frame)], tmp_path / "audit.xlsx")
    with zipfile.ZipFile(path) as book:
        assert "1234567890123456789" in book.read("xl/sharedStrings.xml").decode()
    assert 't="s"' in sheet_xml(path)


def test_a_number_too_long_for_a_spreadsheet_is_written_as_text(tmp_path):
    path = save_workbook([chapter_with(pd.DataFrame({"n": [1234567890123456789]}))], tmp_path / "audit.xlsx")
    with zipfile.ZipFile(path) as book:
        assert "1234567890123456789" in book.read("xl/sharedStrings.xml").decode()


def test_days_and_times_are_dates_and_durations_in_a_spreadsheet(tmp_path):
    frame = pd.DataFrame({"date": ["2026-03-02T00:00:00", "2026-03-03", "soon"], "median_seconds": [76.4, 3.0, 1.0]})
    path = save_workbook([chapter_with(frame)], tmp_path / "audit.xlsx")
    assert re.search(r'<c r="A2" s="\d+"><v>46083</v>', sheet_xml(path)) and "<v>46084</v>" in sheet_xml(path)
    with zipfile.ZipFile(path) as book:
        shared, styles = book.read("xl/sharedStrings.xml").decode(), book.read("xl/styles.xml").decode()
    assert "soon" in shared and "2026-03" not in shared
    assert "#,##0.0&quot; s&quot;" in styles  # a number of seconds without its unit is any number


def test_the_first_sheet_names_client_and_period_and_each_chapters_sheets(tmp_path):
    about = {"client": "Acme", "period": {"start": "2026-03-02", "end": "2026-04-26"}}
    chapters = [
        chapter_with(pd.DataFrame({"n": [1]}), f"rows_{n}", f"0{n}") | {"question": f"Why {n}?"} for n in (0, 1)
    ]
    path = save_workbook(
        [*chapters, {"number": "02", "question": "Empty?", "bundles": []}], tmp_path / "audit.xlsx", about
    )
    with zipfile.ZipFile(path) as book:
        shared = re.findall(r"<t[^>]*>([^<]*)</t>", book.read("xl/sharedStrings.xml").decode())
    first = shared[: shared.index("N") if "N" in shared else None]
    assert first[0] == "Acme · 2 March – 26 April 2026"
    assert first[2:8] == ["Chapter 0", "Why 0?", "rows_0", "A claim", "Chapter 1", "Why 1?"] and "Empty?" not in shared


def test_no_cell_of_the_workbook_is_a_formula_or_a_link(tmp_path):
    frame = pd.DataFrame({"=column": [*FORMULAS, "http://example.org"]})
    path = save_workbook([chapter_with(frame)], tmp_path / "audit.xlsx")
    xml = sheet_xml(path)
    assert "<f>" not in xml and "<hyperlink" not in xml
    assert re.search(r"<autoFilter", xml)


def test_the_same_tables_give_the_same_bytes(tmp_path):
    frame = pd.DataFrame({"step": ["a"], "step_rate": [0.5]})
    first, second = (save_workbook([chapter_with(frame)], tmp_path / f"{n}.xlsx").read_bytes() for n in "ab")
    assert first == second


def test_sheets_have_short_unique_names_and_every_table_its_csv(tmp_path):
    long = "a_name_that_is_much_longer_than_a_sheet_may_be_called"
    frame = pd.DataFrame({"n": [1]})
    chapters = [chapter_with(frame, long), chapter_with(frame, long.upper()), chapter_with(frame, "")]
    assert list(tables(chapters)) == [long, f"{long}_2", "chapter_01"]
    save_workbook(chapters, tmp_path / "audit.xlsx")
    assert [path.name for path in save_tables(chapters, tmp_path / "tables")] == [
        f"{long}.csv",
        f"{long}_2.csv",
        "chapter_01.csv",
    ]


def test_a_report_without_tables_still_has_a_workbook(tmp_path):
    assert save_workbook([{"number": "00", "bundles": []}], tmp_path / "audit.xlsx").is_file()
    assert save_tables([], tmp_path / "tables") == []


def test_what_is_missing_is_an_empty_cell_whatever_stands_for_it():
    assert [csv_cell(value) for value in (None, float("nan"), pd.NA, pd.NaT)] == [""] * 4
