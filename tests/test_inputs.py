"""What goes wrong with exports, and what becomes of it: refused, quarantined, set aside, or kept and said."""

from __future__ import annotations

import gzip
import json
import random

import duckdb
import pytest
from inputs import (
    ROWS,
    as_csv,
    as_lines,
    changed,
    clean,
    config,
    fates,
    rejected,
    remarks,
    taken_in,
    without,
    written,
)

from conversion_audit import cli
from conversion_audit.recipes import fitness

NO_IDS = ("time", "device_id", "session_id", "event", "page", "order_id", "amount", "currency")
CSV = as_csv(clean())
LINES = CSV.decode().splitlines(keepends=True)


def claims(audit) -> dict[str, dict]:
    """Return chapter 00's findings: claim -> values."""
    return {finding.claim.removeprefix("fitness."): dict(finding.values) for finding in fitness.findings(audit)}


def told(capsys, *arguments: str) -> tuple[int, str]:
    """Return the exit code of `audit check acme` and all it printed."""
    code = cli.guarded(["check", "acme", *arguments])
    printed = capsys.readouterr()
    return code, printed.out + printed.err


def as_parquet(folder) -> bytes:
    (folder / "in.csv").write_bytes(CSV)
    duckdb.execute(
        "COPY (SELECT * FROM read_csv($1, all_varchar = true)) TO $2 (FORMAT parquet)",
        [str(folder / "in.csv"), str(folder / "out.parquet")],
    )
    return (folder / "out.parquet").read_bytes()


def test_the_clean_export_is_analysed_to_the_last_row(audit_home):
    audit = taken_in(audit_home, CSV)
    assert fates(audit) == {"ok": ROWS}
    assert (len(audit.orders), float(audit.sessions.frame()["revenue"].sum())) == (20, 1000.0)
    assert remarks(audit) == []


# Files that are no export: refused, exit 4, by name.

REFUSED = {
    "empty file": ({"events.csv": b""}, "raw/events.csv: is empty (0 bytes)"),
    "header only": ({"events.csv": LINES[0].encode()}, "raw/events.csv: has a header but no rows"),
    "truncated archive": ({"events.csv.gz": gzip.compress(CSV)[:-30]}, "raw/events.csv.gz: ends in the middle: the compressed file is truncated (seen: '78 complete lines before the e"),
    "foreign header": ({"events.csv": b"a,b,c\n1,2,3\n"}, "Columns found: a, b, c."),
    "column missing in one file": (
        {"a.csv": CSV, "b.csv": as_csv(without(clean(), "what"))},
        "raw/b.csv: has no column 'what'",
    ),
    "decimal mark unclear": (
        {"events.csv": as_csv(changed(clean(), {n: {"worth": "1,234"} for n in range(3, 80, 4)}))},
        "amount: the decimal mark of amounts cannot be told",
    ),
    "decimal marks mixed": (
        {"events.csv": as_csv(changed(clean(), {3: {"worth": "12,5"}}))},
        "amounts are written in two ways: 19 with a decimal point, 1 with a comma",
    ),
    "unit of times unclear": (
        {"events.csv": as_csv(changed(clean(), {n: {"at": "123"} for n in range(80)}))},
        "the unit of times cannot be told (seen: '123')",
    ),
    "workbook": ({"events.csv": b"PK\x03\x04....[Content_Types].xml"}, "raw/events.csv: is an Excel workbook"),
    "web page": ({"events.csv": b"<!DOCTYPE html><html>Sign in</html>"}, "raw/events.csv: is a web page, not an export"),
    "git-lfs pointer": ({"events.csv": b"version https://git-lfs.github.com/spec/v1\n"}, "raw/events.csv: is a git-lfs pointer"),
    "icloud placeholder": ({"events.csv": CSV, "x.csv.icloud": b"bplist00"}, "the file is still in iCloud"),
}  # fmt: skip


@pytest.mark.parametrize("label", REFUSED)
def test_what_cannot_carry_an_audit_is_refused_by_name(label, audit_home, capsys):
    files, message = REFUSED[label]
    written(audit_home, files)
    code, printed = told(capsys)
    assert code == 4
    assert message in printed
    assert "Traceback" not in printed
    assert not list((audit_home / "reports").iterdir())
    assert not list((audit_home / "data/acme/prepared").glob("*.parquet"))


@pytest.mark.parametrize("fault", ["footer", "page"])
def test_a_damaged_parquet_file_is_refused_by_name(fault, audit_home, tmp_path, capsys):
    data = bytearray(as_parquet(tmp_path))
    if fault == "footer":
        data = data[:-20]
    else:
        data[4:400] = b"\xff" * 396
    written(audit_home, {"events.parquet": bytes(data)})
    code, printed = told(capsys)
    assert (code, "raw/events.parquet: is a " in printed, "Parquet file" in printed) == (4, True, True)


def test_an_empty_file_beside_full_ones_is_said(audit_home):
    audit = taken_in(audit_home, {"a.csv": CSV, "b.csv": b"", "c.csv": LINES[0].encode()})
    assert fates(audit) == {"ok": ROWS}
    assert remarks(audit) == ["raw/b.csv: holds no rows", "raw/c.csv: holds no rows"]


def test_a_truncated_archive_keeps_its_complete_rows_only_when_asked(audit_home):
    packed = gzip.compress(CSV)[:-60]
    audit = taken_in(audit_home, {"events.csv.gz": packed}, config(source="    salvage: true\n"))
    assert 0 < fates(audit)["ok"] <= ROWS
    assert remarks(audit) == ["raw/events.csv.gz: truncated; its complete lines were kept because of `salvage: true`"]


# Rows that cannot be read: quarantined by line and reason, the others kept.

TENTH = LINES[10]
SPOILT = {
    "cut in the middle of a row": (CSV[:-12], ROWS - 1, "truncated_last_row", 81),
    "broken quotes": (CSV.replace(TENTH.encode(), TENTH.replace(",page_view", ',"page_view').replace(",add_to", ',"add_to').encode()), ROWS - 1, "bad_quoting", 11),
    "empty byte": (CSV.replace(TENTH.encode(), TENTH.replace("/p/shoe", "/p/\0").replace(",/,", ",/\0,").encode()), ROWS - 1, "nul_byte", 11),
    "field of five megabytes": (CSV.replace(TENTH.encode(), TENTH.replace(",c2,", "," + "c" * (5 << 20) + ",").encode()), ROWS - 1, "field_too_long", 11),
    "one line in another encoding": (CSV.replace(TENTH.encode(), TENTH.encode().replace(b",c2,", b",c\xe4,")).replace(b",c1,", ",cä,".encode(), 1), ROWS - 1, "bad_encoding", 11),
    "too many fields": (CSV.replace(TENTH.encode(), TENTH.rstrip().encode() + b",1,2\n"), ROWS - 1, "wrong_field_count", 11),
    "a time that is none": (as_csv(changed(clean(), {9: {"at": "bald"}})), ROWS - 1, "cast_failed", 10),
    "1970": (as_csv(changed(clean(), {9: {"at": "1970-01-01 00:00:00"}})), ROWS - 1, "time_out_of_range", 10),
    "year 1": (as_csv(changed(clean(), {9: {"at": "0001-01-01 00:00:00"}})), ROWS - 1, "time_out_of_range", 10),
    "2099": (as_csv(changed(clean(), {9: {"at": "2099-12-31 00:00:00"}})), ROWS - 1, "time_out_of_range", 10),
    "no event name": (as_csv(changed(clean(), {9: {"what": ""}})), ROWS - 1, "no_event", 10),
}  # fmt: skip


@pytest.mark.parametrize("label", SPOILT)
def test_a_row_that_cannot_be_read_is_quarantined_and_the_others_are_kept(label, audit_home):
    data, kept, reason, line = SPOILT[label]
    audit = taken_in(audit_home, data)
    assert fates(audit) == {"ok": kept, reason: ROWS - kept}
    assert rejected(audit) == [(line, reason)]


def test_above_one_percent_of_bad_rows_the_check_stops_and_says_how_to_go_on(audit_home, capsys):
    data = as_csv(changed(clean(), {9: {"at": "bald"}}))
    written(audit_home, data)
    code, printed = told(capsys)
    assert code == 4
    assert "1.2% of rows cannot be read (1 of 80); accepted: 1.0%" in printed
    assert "cast_failed 1" in printed
    assert "accept_bad: 2 %" in printed
    written(audit_home, data, config(more="timezone: UTC\naccept_bad: 2 %"))
    code, printed = told(capsys)
    assert code in (0, 1)
    assert "1 of 80 rows could not be read" in printed


# Readable, and read rightly: what the file is made of changes nothing.

DIALECTS = {
    "byte order mark": b"\xef\xbb\xbf" + CSV,
    "semicolons": as_csv(clean(), ";"),
    "tabs": as_csv(clean(), "\t"),
    "pipes": as_csv(clean(), "|"),
    "excel's sep line": b"sep=;\n" + as_csv(clean(), ";"),
    "windows line ends": CSV.replace(b"\n", b"\r\n"),
    "utf-16": CSV.decode().encode("utf-16"),
    "columns in another order": as_csv([dict(reversed(row.items())) for row in clean()]),
    "rows in another order": as_csv(random.Random(1).sample(clean(), ROWS)),
    "json lines": as_lines(clean()),
    "json lines with a byte order mark": b"\xef\xbb\xbf" + as_lines(clean()),
    "json array": json.dumps(clean()).encode(),
    "decimal comma with thousands": as_csv(changed(clean(), {n: {"worth": "1.050,00" if n == 3 else "50,00"} for n in range(3, 80, 4)}), ";"),
    "milliseconds": as_csv(changed(clean(), {n: {"at": f"{1772442000000 + 1000 * n}"} for n in range(80)})),
    "a column of its own": as_csv([{**row, "note": "x"} for row in clean()]),
}  # fmt: skip


@pytest.mark.parametrize("label", DIALECTS)
def test_how_a_file_is_written_changes_nothing(label, audit_home):
    audit = taken_in(audit_home, {"events.txt": DIALECTS[label]})
    more = 1000.0 if label == "decimal comma with thousands" else 0.0
    assert fates(audit) == {"ok": ROWS}
    assert (len(audit.sessions), len(audit.orders)) == (20, 20)
    assert float(audit.sessions.frame()["revenue"].sum()) == 1000.0 + more
    assert remarks(audit) == (["raw/events.txt: read as utf-16"] if label == "utf-16" else [])


def test_letters_of_an_old_encoding_are_read_and_said(audit_home):
    audit = taken_in(audit_home, as_csv(changed(clean(), {9: {"where": "/größe"}})).decode().encode("cp1252"))
    assert "/größe" in set(audit.frame("events")["page"])
    assert remarks(audit) == ["raw/events.csv: read as cp1252"]
    assert claims(audit)["reading"]["remark"] == "raw/events.csv: read as cp1252"


def test_two_units_in_one_time_column_are_converted_row_by_row_and_said(audit_home):
    rows = changed(clean(), {n: {"at": str((1772442000 + n) * (1000 if n < 30 else 1))} for n in range(80)})
    audit = taken_in(audit_home, as_csv(rows))
    assert fates(audit) == {"ok": ROWS}
    assert remarks(audit) == [
        "raw/events.csv: the time column holds seconds (50) and milliseconds (30); each row was converted by its own"
    ]


def test_more_columns_in_one_file_are_kept_beside(audit_home):
    rows = clean()
    audit = taken_in(
        audit_home, {"a.csv": as_csv(rows[:40]), "b.csv": as_csv([{**row, "note": "x"} for row in rows[40:]])}
    )
    found = audit.frame("events")["properties"]
    assert fates(audit) == {"ok": ROWS}
    assert sum('"note"' in text for text in found) == 40


def test_clocks_that_jump_are_followed(audit_home):
    rows = changed(
        clean(), {0: {"at": "2026-03-29 01:59:00"}, 1: {"at": "2026-03-29 02:30:00"}, 2: {"at": "2026-03-29 03:40:00"}}
    )
    audit = taken_in(audit_home, as_csv(rows), config(more="timezone: Europe/Berlin"))
    found = audit.frame("events").set_index("event_id")
    assert [f"{found.time[f'e0-{n}']:%H:%M}" for n in range(3)] == ["00:59", "01:30", "01:40"]
    assert [int(found.hour[f"e0-{n}"]) for n in range(3)] == [1, 3, 3]
    assert 0 not in set(found["hour"])


def test_without_a_time_zone_utc_is_assumed_and_said(audit_home):
    audit = taken_in(audit_home, CSV, config(more=""))
    assert claims(audit)["zone_assumed"] == {"zone": "UTC"}
    audit = taken_in(audit_home, CSV, config(more="timezone: Europe/Berlin"))
    assert "zone_assumed" not in claims(audit)
    assert audit.frame("remarks").to_dict("records") == [{"topic": "zone", "text": "Europe/Berlin"}]


def test_ids_that_look_like_numbers_stay_text(audit_home):
    ids = ["0012", "1e5", "1712345678.1234567890", "1712345678.1234567891", "9007199254740993", "12345678901234567890"]
    audit = taken_in(
        audit_home, as_csv(changed(clean(), {4 * n + 3: {"who": one, "order": one} for n, one in enumerate(ids)}))
    )
    assert set(ids) <= set(audit.frame("events")["device_id"].dropna())
    assert set(ids) <= set(audit.frame("orders")["order_id"])


# The same thing twice.


def test_an_equal_row_counts_once(audit_home):
    assert fates(taken_in(audit_home, as_csv([*clean(), *clean()[:8]]))) == {"ok": ROWS, "duplicate": 8}


def test_an_equal_row_without_an_id_counts_once(audit_home):
    rows = without(clean(), "id")
    audit = taken_in(audit_home, as_csv([*rows, *rows[:8]]), config(NO_IDS))
    assert fates(audit) == {"ok": ROWS, "duplicate": 8}
    assert len(audit.orders) == 20


@pytest.mark.parametrize("has_ids", [True, False])
def test_the_same_file_twice_is_set_aside_whole(has_ids, audit_home):
    data = CSV if has_ids else as_csv(without(clean(), "id"))
    audit = taken_in(audit_home, {"a.csv": data, "copy of a.csv": data}, config(*(() if has_ids else (NO_IDS,))))
    found = audit.ledger[["file", "reason", "rows"]].to_dict("records")
    assert found == [
        {"file": "raw/a.csv", "reason": "ok", "rows": ROWS},
        {"file": "raw/copy of a.csv", "reason": "duplicate", "rows": ROWS},
    ]


def test_files_that_overlap_are_told_apart_by_their_ids(audit_home):
    rows = clean()
    audit = taken_in(audit_home, {"a.csv": as_csv(rows[:50]), "b.csv": as_csv(rows[40:])})
    assert fates(audit) == {"ok": ROWS, "duplicate": 10}
    assert len(audit.orders) == 20


def test_files_that_overlap_without_ids_are_refused_unless_equal_rows_may_count_once(audit_home, capsys):
    rows = without(clean(), "id")
    files = {"a.csv": as_csv(rows[:50]), "b.csv": as_csv(rows[40:])}
    written(audit_home, files, config(NO_IDS))
    code, printed = told(capsys)
    assert code == 4
    assert "raw/b.csv: 10 of its 40 rows are also in raw/a.csv" in printed
    assert "write `dedup: exact` on this source in audit.yaml" in printed
    audit = taken_in(audit_home, files, config(NO_IDS, source="    dedup: exact\n"))
    assert fates(audit) == {"ok": ROWS, "duplicate": 10}


# Orders and money.


def test_a_reloaded_order_counts_once_with_its_first_amount(audit_home):
    rows = clean()
    again = [{**rows[3], "id": "x1"}, {**rows[7], "id": "x2", "worth": "70.00"}]
    audit = taken_in(audit_home, as_csv([*rows, *again]))
    assert (len(audit.orders), float(audit.frame("orders")["revenue"].sum())) == (20, 1000.0)
    found = claims(audit)
    assert found["differing_orders"]["differing_ids"] == "A1"
    assert found["repeated_orders"]["repeated_orders"] == 2


def test_orders_without_an_id_are_counted_apart_and_never_merged(audit_home):
    rows = changed(clean(), {3: {"order": ""}, 7: {"order": "(not set)"}, 11: {"order": "(not set)"}})
    audit = taken_in(audit_home, as_csv(rows))
    assert len(audit.orders) == 20
    assert claims(audit)["without_id"]["unnumbered_orders"] == 3


def test_a_refund_is_counted_beside_its_order(audit_home):
    back = {**clean()[3], "id": "r", "what": "refund", "worth": "-80.00", "at": "2026-03-05 10:00:00"}
    audit = taken_in(audit_home, as_csv([*clean(), back]))
    found = audit.frame("orders").set_index("order_id").loc["A0"]
    assert (len(audit.orders), float(found["revenue"]), float(found["refunded"])) == (20, 50.0, 80.0)


def test_currencies_are_never_added_without_a_rate(audit_home):
    rows = as_csv(changed(clean(), {3: {"money": "USD"}, 7: {"money": "eur"}, 11: {"money": ""}, 15: {"money": "XX?"}}))
    audit = taken_in(audit_home, rows)
    assert (len(audit.orders), float(audit.frame("orders")["revenue"].sum())) == (20, 900.0)
    assert claims(audit)["without_revenue"]["unpriced_orders"] == 2
    audit = taken_in(audit_home, rows, config(more="timezone: UTC\nfx: {USD: 0.5}"))
    assert float(audit.frame("orders")["revenue"].sum()) == 925.0


def test_an_amount_that_is_none_leaves_the_order(audit_home):
    odd = {3: "NaN", 7: "inf", 11: "1e12", 15: "$1,200"}
    audit = taken_in(audit_home, as_csv(changed(clean(), {n: {"worth": text} for n, text in odd.items()})))
    assert fates(audit) == {"ok": ROWS}
    assert (len(audit.orders), float(audit.frame("orders")["revenue"].sum())) == (20, 800.0)
    assert claims(audit)["without_revenue"]["unpriced_orders"] == 4
