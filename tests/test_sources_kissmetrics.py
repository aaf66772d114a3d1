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


def test_who_is_named_stays_on_the_device_so_that_a_visit_with_a_login_is_one(tmp_path):
    cookies = ["cKq2FJ0cOeDTf8x0RDGVmPCXHc8=", "aKq2FJ0cOeDTf8x0RDGVmPCXHc8="]
    rows = [("see", cookies[0], 0, ""), ("", cookies[0], 10, "cust-9"), ("buy", "cust-9", 20, "")]
    rows += [("", cookies[1], 900, "cust-9"), ("buy", "cust-9", 910, ""), ("buy", "cust-7", 920, "")]
    for name, part in (("1.csv", rows[2:]), ("2.csv", rows[:2])):
        lines = [f"{event},{person},{1772449200 + at},{alias}" for event, person, at, alias in part]
        (tmp_path / name).write_text("\n".join(["_n,_p,_t,_p2", *lines, ""]), encoding="utf-8")
    found = plain(rows_of("kissmetrics", tmp_path, "1.csv", "2.csv", scratch=tmp_path / "scratch"), "time")
    assert [row.get("device_id") for row in found] == [cookies[0]] * 3 + [cookies[1]] * 2 + [None]
    assert [row.get("user_id") for row in found] == [None, *["cust-9"] * 4, "cust-7"]


def test_what_was_billed_is_an_amount(tmp_path):
    text = "_n,_p,_t,Order ID,Billing Amount\nBilled,cust-9,1772449200,A1,49.90\n"
    (tmp_path / "events.csv").write_text(text, encoding="utf-8")
    (row,) = plain(rows_of("kissmetrics", tmp_path, "events.csv", scratch=tmp_path / "scratch"))
    assert row["amount"] == 49.9


def test_the_kind_is_told_from_the_rows(tmp_path):
    found = recognise(opened(FOLDER, "revision.json", "events.csv", scratch=tmp_path))
    assert {kind: len(files) for kind, files in found.items()} == {"kissmetrics": 2}
