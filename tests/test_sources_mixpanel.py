from __future__ import annotations

import json

from exports import FIXTURES, expected, opened, plain, rows_of

from conversion_audit.intake.sources import recognise

FOLDER = FIXTURES / "mixpanel"


def test_every_row_of_the_fixture_is_read_as_it_stands_beside_it(tmp_path):
    assert plain(rows_of("mixpanel", FOLDER, "export.jsonl", scratch=tmp_path)) == expected("mixpanel", "expected.json")


def test_seconds_and_milliseconds_in_one_file_are_told_apart_and_said(tmp_path):
    assert rows_of("mixpanel", FOLDER, "export.jsonl", scratch=tmp_path).notes == (
        "export.jsonl: a line cannot be read: line 7 (truncated_last_row)"
        if not (FOLDER / "export.jsonl").read_bytes().endswith(b"\n")
        else "export.jsonl: a line cannot be read: line 7 (bad_json)",
        "export.jsonl: the time column holds seconds (3) and milliseconds (2); each row was converted by its own",
    )


def test_the_kind_is_told_from_the_rows(tmp_path):
    found = recognise(opened(FOLDER, "export.jsonl", scratch=tmp_path))
    assert {kind: reason for kind, [(_, reason)] in found.items()} == {
        "mixpanel": "its rows have event and properties.distinct_id, properties.time"
    }


def test_what_was_paid_back_is_an_amount_of_its_own(tmp_path):
    refund = {"time": 1772449200, "distinct_id": "d1", "order_id": "A1", "refund_amount": 20.5}
    line = json.dumps({"event": "Order Refunded", "properties": refund})
    (tmp_path / "export.jsonl").write_text(line + "\n", encoding="utf-8")
    (row,) = plain(rows_of("mixpanel", tmp_path, "export.jsonl", scratch=tmp_path / "scratch"))
    assert (row["is_refund"], row["amount"]) == (True, -20.5)
