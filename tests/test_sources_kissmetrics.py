from __future__ import annotations

from exports import FIXTURES, expected, opened, plain, rows_of

from conversion_audit.intake.sources import recognise

FOLDER = FIXTURES / "kissmetrics"


def test_json_lines_are_read_as_they_stand_beside_them(tmp_path):
    found = plain(rows_of("kissmetrics", FOLDER, "revision.json", scratch=tmp_path))
    assert found == expected("kissmetrics", "expected_json.json")


def test_csv_is_read_as_it_stands_beside_it(tmp_path):
    found = plain(rows_of("kissmetrics", FOLDER, "events.csv", scratch=tmp_path))
    assert found == expected("kissmetrics", "expected_csv.json")


def test_the_kind_is_told_from_the_rows(tmp_path):
    found = recognise(opened(FOLDER, "revision.json", "events.csv", scratch=tmp_path))
    assert {kind: len(files) for kind, files in found.items()} == {"kissmetrics": 2}
