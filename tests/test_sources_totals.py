from __future__ import annotations

import pytest
from exports import FIXTURES, expected, opened, plain, rows_of

from conversion_audit.errors import DataError
from conversion_audit.intake.sources import recognise
from conversion_audit.intake.sources.totals import whole_number
from conversion_audit.tables import OUTCOMES, STAGE_COUNTS, check


@pytest.mark.parametrize(
    ("kind", "name", "beside", "order", "contract"),
    [
        ("stage_counts", "ads.csv", "expected_ads.json", "date, segment, stage", STAGE_COUNTS),
        ("stage_counts", "mails.csv", "expected_mails.json", "date, stage", STAGE_COUNTS),
        ("ga4_report", "traffic.csv", "expected.json", "segment, stage", STAGE_COUNTS),
        ("outcomes", "crm.csv", "expected.json", "lead_id, time", OUTCOMES),
    ],
)
def test_totals_are_read_as_they_stand_beside_them(tmp_path, kind, name, beside, order, contract):
    table = rows_of(kind, FIXTURES / kind, name, scratch=tmp_path)
    check(table, contract)
    assert plain(table, order) == expected(kind, beside)
    assert list(recognise(opened(FIXTURES / kind, name, scratch=tmp_path))) == [kind]


def test_what_a_report_forbids_is_said(tmp_path):
    assert rows_of("ga4_report", FIXTURES / "ga4_report", "traffic.csv", scratch=tmp_path).notes == (
        "lines of totals left out: 1",
        "some of the report's rows were merged into (other): its segments do not add up",
        "traffic.csv: thresholds hide small groups",
    )


def test_breakdowns_of_a_plausible_export_are_not_counted_twice(tmp_path):
    names = ("imported_visitors.csv", "imported_custom_events.csv", "imported_sources.csv")
    table = rows_of("plausible", FIXTURES / "plausible", *names, scratch=tmp_path)
    check(table, STAGE_COUNTS)
    assert plain(table, "date, stage") == expected("plausible", "expected.json")
    assert table.notes == ("files of breakdowns left out, because they count the same sessions again: 1",)
    assert list(recognise(opened(FIXTURES / "plausible", *names, scratch=tmp_path))) == ["plausible"]


def test_stages_may_be_named_by_hand(tmp_path):
    (tmp_path / "a.csv").write_text("when,seen,bought\n2026-03-02,10,1\n", encoding="utf-8")
    steps = {"impression": "seen", "paid": "bought"}
    table = rows_of("stage_counts", tmp_path, "a.csv", scratch=tmp_path / "s", columns={"date": "when"}, steps=steps)
    assert [(row["stage"], row["count"]) for row in plain(table, "stage")] == [("impression", 10), ("paid", 1)]


def test_totals_without_a_stage_are_refused_with_the_columns_found(tmp_path):
    (tmp_path / "a.csv").write_text("when,seen\n2026-03-02,10\n", encoding="utf-8")
    with pytest.raises(DataError) as error:
        rows_of("stage_counts", tmp_path, "a.csv", scratch=tmp_path / "s")
    assert str(error.value) == (
        "a.csv: no stages\n    Columns found: when, seen.\n"
        "    Name them: columns: {stage: Step, count: Number}, or steps: {impression: Impressions, click: Clicks}."
    )


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("12", 12),
        ("1,234", 1234),
        ("1.234.567", 1234567),
        ("3.0", 3),
        ("12,00", 12),
        ("2.5", None),
        ("many", None),
        (None, None),
        ("0", 0),
    ],
)
def test_counts_are_whole_numbers_with_or_without_marks(text, number):
    assert whole_number(text) == number
