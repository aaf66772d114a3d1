"""What goes wrong with exports, and what becomes of it: refused, quarantined, set aside, or kept and said."""

from __future__ import annotations

import gzip
import hashlib
import json
import random

import duckdb
import pytest
from conftest import real_data
from inputs import (
    COLUMNS,
    HEADER,
    ROWS,
    add_up,
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
from conversion_audit.audit import open_audit
from conversion_audit.errors import MachineError
from conversion_audit.intake import room
from conversion_audit.intake.files import InputFile, open_files
from conversion_audit.recipes import fitness

NO_IDS = ("time", "device_id", "session_id", "event", "page", "order_id", "amount", "currency")
CSV = as_csv(clean())
LINES = CSV.decode().splitlines(keepends=True)


RARE = {"tabs", "pipes", "windows line ends", "json array", "json lines with a byte order mark", "a column of its own",
        "year 1", "2099", "too many fields", "milliseconds"}  # fmt: skip
"""Variants of what another case tries already."""


def everyday(cases: dict) -> list:
    """Return the labels, those of `RARE` for the long run of tests only."""
    return [pytest.param(one, marks=pytest.mark.slow) if one in RARE else one for one in cases]


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


LONG = {**clean()[40], "note": "x" * 300_000}
FULL = {
    "a first row longer than what is looked at": as_csv([LONG, *clean()[41:]]),
    "a first object longer than what is looked at": as_lines([LONG, *clean()[41:]]),
    "an array whose first object is as long": json.dumps([LONG, *clean()[41:]]).encode(),
    "sixty lines that are none first": b"{bad\n" * 60 + as_lines(clean()[40:]),
}


@pytest.mark.parametrize("label", FULL)
def test_a_file_is_never_taken_for_empty_by_its_first_rows(label, audit_home):
    text = config(more="timezone: UTC\naccept_bad: 50 %")
    audit = taken_in(audit_home, {"a.txt": as_csv(clean()[:40]), "b.txt": FULL[label]}, text)
    assert (fates(audit)["ok"], len(audit.orders)) == (ROWS, 20)
    assert "raw/b.txt: holds no rows" not in remarks(audit)


def test_rows_that_all_have_more_fields_than_the_header_are_counted_as_unreadable(audit_home, capsys):
    wide = as_csv(clean()[40:]).replace(b"\n", b",1,2\n").replace(b"money,1,2\n", b"money\n")
    written(audit_home, {"a.csv": as_csv(clean()[:40]), "b.csv": wide})
    code, printed = told(capsys)
    assert (code, "50.0% of rows cannot be read (40 of 80)" in printed) == (4, True)


def test_lines_that_end_as_on_old_macs_are_refused_by_name(audit_home, capsys):
    written(audit_home, {"a.csv": CSV, "b.csv": CSV.replace(b"\n", b"\r")})
    code, printed = told(capsys)
    assert (code, "raw/b.csv: has lines that end as on old Macs" in printed) == (4, True)


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


@pytest.mark.parametrize("label", everyday(SPOILT))
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


@pytest.mark.parametrize("label", everyday(DIALECTS))
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
    assert claims(audit)["reading.encoding"]["encoding"] == "cp1252"


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


def test_an_hour_that_comes_twice_is_told_apart_by_the_order_of_rows_else_it_is_the_first(audit_home):
    clocks = ["01:50:00", "02:10:00", "02:50:00", "02:05:00", "02:55:00", "03:05:00"]
    rows = changed(clean()[:6], {n: {"at": f"2026-10-25 {clock}"} for n, clock in enumerate(clocks)})
    more = config(more="timezone: Europe/Berlin")
    audit = taken_in(audit_home, as_csv(rows), more)
    times = audit.frame("events").sort_values("event_id")["time"]
    assert [f"{time:%H:%M}" for time in times] == ["23:50", "00:10", "00:50", "01:05", "01:55", "02:05"]
    said = "raw/events.csv: 4 times lie in the hour that the clock shows twice; {} of them are the second, by the order of rows"
    assert remarks(audit) == [said.format(2)]
    shuffled = [rows[n] for n in (5, 4, 3, 2, 1, 0)]
    audit = taken_in(audit_home, as_csv(shuffled), more)
    times = audit.frame("events").sort_values("event_id")["time"]
    assert [f"{time:%H:%M}" for time in times] == ["23:50", "00:10", "00:50", "00:05", "00:55", "02:05"]
    assert remarks(audit) == [said.format(0)]


def test_without_a_time_zone_utc_is_assumed_and_said(audit_home):
    audit = taken_in(audit_home, CSV, config(more=""))
    assert claims(audit)["zone_assumed"] == {"zone": "UTC"}
    audit = taken_in(audit_home, CSV, config(more="timezone: Europe/Berlin"))
    assert "zone_assumed" not in claims(audit)
    assert audit.frame("remarks").to_dict("records") == [
        {"topic": "zone", "key": "zone", "text": "Europe/Berlin", "values": '{"zone": "Europe/Berlin"}'}
    ]


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


def test_of_two_rows_with_one_id_the_one_that_names_the_order_is_kept(audit_home):
    poorer = [{**row, "order": "", "worth": "", "money": ""} for row in clean()]
    audit = taken_in(audit_home, {"a.csv": as_csv(poorer), "b.csv": as_csv(clean())})
    assert (fates(audit), len(audit.orders)) == ({"ok": ROWS, "duplicate": ROWS}, 20)
    assert audit.headline["revenue"] == 20 * 50


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
    found = claims(audit)
    assert (found["without_rate"]["foreign_orders"], found["without_rate"]["currencies"]) == (1, "USD")
    assert found["without_revenue"]["unpriced_orders"] == 1  # XX? is no currency
    audit = taken_in(audit_home, rows, config(more="timezone: UTC\nfx: {USD: 0.5}"))
    assert float(audit.frame("orders")["revenue"].sum()) == 925.0


def test_an_amount_that_is_none_leaves_the_order(audit_home):
    odd = {3: "NaN", 7: "inf", 11: "1e12", 15: "$1,200"}
    audit = taken_in(audit_home, as_csv(changed(clean(), {n: {"worth": text} for n, text in odd.items()})))
    assert fates(audit) == {"ok": ROWS}
    assert (len(audit.orders), float(audit.frame("orders")["revenue"].sum())) == (20, 800.0)
    assert claims(audit)["without_revenue"]["unpriced_orders"] == 4


# People, sessions, traffic.


def test_ids_that_stand_for_nobody_join_nobody(audit_home):
    words = ["null", "(not set)", "0", "undefined", "", "anonymous", "[object Object]", "NaN"]
    rows = [{**row, "user": words[n // 4 % 8]} for n, row in enumerate(clean())]
    audit = taken_in(audit_home, as_csv(rows), config(user_id="user"))
    assert fates(audit) == {"ok": ROWS}
    assert audit.frame("visits")["visitor_id"].nunique() == 20
    assert not audit.frame("events")["user_id"].notna().any()


@pytest.mark.parametrize("word", ["null", "(not set)", "undefined", "0"])
def test_row_ids_that_stand_for_nothing_make_no_two_rows_one(word, audit_home):
    audit = taken_in(audit_home, as_csv(changed(clean(), {n: {"id": word} for n in range(40)})))
    assert (fates(audit), len(audit.orders)) == ({"ok": ROWS}, 20)


def test_session_ids_that_stand_for_nothing_are_no_session(audit_home):
    rows = [{**row, "who": f"c{n // 40}", "session": "null"} for n, row in enumerate(clean())]
    audit = taken_in(audit_home, as_csv(rows))
    assert (fates(audit), len(audit.sessions)) == ({"ok": ROWS}, 20)
    mapped = tuple(name for name in COLUMNS if name != "device_id")
    audit = taken_in(audit_home, as_csv(changed(clean(), {n: {"session": "null"} for n in range(8)})), config(mapped))
    assert (fates(audit), len(audit.sessions)) == ({"ok": 72, "no_consent": 8}, 18)


def test_an_address_or_a_number_as_id_becomes_a_keyed_hash(audit_home):
    ids = ["jo%40example.com", "jo@example.com", "0170 555 12345", "(030) 901820-15", "4111 1111 1111 1111"]
    plain = ["20260302", "550e8400-e29b-41d4-a716-446655440000", "1712345678.1234567890"]
    given = {4 * n + k: {"who": one} for n, one in enumerate([*ids, *plain]) for k in range(4)}
    audit = taken_in(audit_home, as_csv(changed(clean(), given)))
    found = set(audit.frame("events")["device_id"])
    assert not found & set(ids)
    assert set(plain) <= found
    assert sum(one.startswith("h:") for one in found) == len(ids)


def test_orders_and_sessions_named_by_an_address_are_hashed_stay_apart_and_match_the_books(audit_home):
    jwt = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N"
    odd = {3: "jo@example.com", 7: "jo@example.com-2", 11: "+49 171 1234567", 15: jwt, 19: "4111 1111 1111 1111"}
    given = {n: {"order": one} for n, one in odd.items()}
    given |= {n: given.get(n, {}) | {"session": f"s{n // 4}-jo%2540example.com"} for n in range(20)}
    rows = [{**row, "bought": "0012"} for row in changed(clean(), given)]
    rows[3]["bought"] = "for jo@example.com"
    books = "order_id,created_at,total,currency\njo@example.com,2026-03-02,50.00,EUR\nA9,2026-03-02,50.00,EUR\n"
    source = "  - {kind: orders, files: raw/books.csv, decimal: '.'}\n"
    files = {"events.csv": as_csv(rows), "books.csv": books.encode()}
    audit = taken_in(audit_home, files, config(source=source, item_id="bought").replace("raw/*", "raw/events.csv"))
    orders, sessions, book = audit.frame("orders"), audit.frame("sessions"), audit.frame("book_orders")
    assert (len(orders), len(sessions)) == (20, 20)
    assert sum(orders["order_id"].str.startswith("h:")) == 5
    assert set(book["order_id"]) <= set(orders["order_id"])
    assert set(audit.frame("items")["item_id"].str[:2]) == {"00", "h:"}
    kept = "".join(audit.frame(name).to_csv() for name in ("events", "items", "orders", "sessions", "book_orders"))
    for piece in ("example.com", "1234567", "eyJ", "4111 1111"):
        assert piece not in kept


def test_addresses_and_cards_in_names_that_are_shown_are_masked_and_versions_stay(audit_home):
    shown = {"device": "kind", "browser": "with", "country": "land", "item_name": "bought"}
    odd = {
        "what": "login jo@example.com",
        "kind": "4111 1111 1111 1111",
        "with": "Chrome 120.0.0.0",
        "land": "jo@example.com",
    }
    rows = [{**row, **dict.fromkeys(shown.values(), "")} for row in clean()]
    audit = taken_in(audit_home, as_csv(changed(rows, {0: odd, 3: {"bought": "for jo@example.com"}})), config(**shown))
    event = audit.frame("events").set_index("event_id").loc["e0-0"]
    assert list(event[["event", "device", "browser", "country"]]) == [
        "login [email]",
        "[card]",
        "Chrome 120.0.0.0",
        "[email]",
    ]
    assert list(audit.frame("items")["name"]) == ["for [email]"]
    assert len(audit.orders) == 20


def test_rows_without_consent_count_in_totals_only(audit_home):
    rows = changed(clean(), {n: {"who": "", "session": ""} for n in range(8)})
    rows = [{**row, "kind": "mobile" if n < 40 else "desktop"} for n, row in enumerate(rows)]
    audit = taken_in(audit_home, as_csv(rows), config(device="kind"))
    assert fates(audit) == {"ok": 72, "no_consent": 8}
    assert (len(audit.sessions), len(audit.table("events")), len(audit.table("orders"))) == (18, ROWS, 20)
    found = claims(audit)["consent_orders"]
    assert (found["rate"], found["device"], found["device_rate"]) == (0.1, "mobile", 0.2)
    assert (found["orders"], found["revenue"], audit.headline["orders"]) == (2, 100, 18)


def test_one_session_id_of_two_devices_is_two_sessions(audit_home):
    audit = taken_in(audit_home, as_csv(changed(clean(), {n: {"session": "7"} for n in range(ROWS)})))
    assert len(audit.sessions) == 20
    assert fates(audit) == {"ok": ROWS}
    assert remarks(audit) == [
        "1 session ids occur with more than one device; a session is an id together with its device"
    ]
    assert claims(audit)["reading.same_session"]["ids"] == 1


def test_without_session_ids_silence_ends_a_session_and_other_gaps_are_shown(audit_home):
    times = ["23:50:00", "00:10:00", "00:30:00", "01:15:00"]  # 20, 20 and 45 minutes, over midnight
    days = ["2026-03-02", "2026-03-03", "2026-03-03", "2026-03-03"]
    rows = [{**row, "who": f"c{n // 4}", "at": f"{days[n % 4]} {times[n % 4]}"} for n, row in enumerate(clean())]
    mapped = tuple(name for name in ("event_id", *NO_IDS) if name != "session_id")
    audit = taken_in(audit_home, as_csv(without(rows, "session")), config(mapped))
    assert len(audit.sessions) == 40
    assert audit.frame("timeouts").to_dict("records") == [
        {"minutes": 15.0, "sessions": 80, "is_used": False},
        {"minutes": 30.0, "sessions": 40, "is_used": True},
        {"minutes": 60.0, "sessions": 20, "is_used": False},
    ]
    assert claims(audit)["session_gap"] == {"minutes": 30, "sessions": 40, "shorter": 80, "longer": 20}
    assert not len(taken_in(audit_home, CSV).frame("timeouts"))


def test_what_is_no_customer_is_set_aside_with_its_evidence(audit_home):
    first = clean()[0]
    huge = [{**first, "id": f"h{n}", "who": "huge", "session": "h"} for n in range(1200)]
    agent = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
    crawl = [{**first, "id": f"g{n}", "who": "crawl", "session": "g", "agent": agent} for n in range(3)]
    cards = [
        {
            **first,
            "id": f"k{n}",
            "who": "cards",
            "session": "k",
            "what": "add_payment_info",
            "at": f"2026-03-04 10:00:{n:02}",
        }
        for n in range(30)
    ]
    tests = [{**clean()[3], "id": "t", "who": "tests", "session": "t", "order": "TEST-1"}]
    staff = [{**first, "id": "s", "who": "staff", "session": "s", "where": "/staff"}]
    rows = [{"agent": "", **row} for row in (*clean(), *huge, *crawl, *cards, *tests, *staff)]
    text = config(more="timezone: UTC\ninternal: {office: {page: /staff}}", user_agent="agent")
    audit = taken_in(audit_home, as_csv([{name: row[name] for name in (*HEADER, "agent")} for row in rows]), text)
    assert fates(audit) == {"ok": ROWS, "bot": 1233, "test": 1, "internal": 1}
    aside = audit.frame("aside").sort_values("rule")[["reason", "rule", "evidence"]].fillna("").values.tolist()
    assert aside == [
        ["bot", "card_testing", "30"],
        ["bot", "many_events", "1200"],
        ["internal", "office", ""],
        ["test", "test_order", "TEST-1"],
        ["bot", "user_agent", agent],
    ]
    found = claims(audit)["set_aside"]
    assert (found["out"], found["sessions"]) == (5, 25)
    assert found["rate_without"] == 1.0 > found["rate_with"]


# What was not recorded.


@pytest.mark.slow
def test_ten_thousand_event_names_are_kept_and_the_largest_shown(audit_home):
    many = [
        {**clean()[0], "id": f"m{n}", "what": f"event {n}", "who": f"c{n % 20}", "session": ""} for n in range(10_000)
    ]
    audit = taken_in(audit_home, as_csv([*clean(), *many]))
    assert audit.frame("events")["event"].nunique() == 10_003
    assert len(audit.frame("event_days")) <= 201


def test_without_any_purchase_the_check_says_what_is_missing(audit_home, capsys):
    written(audit_home, as_csv([row for row in clean() if row["what"] == "page_view"]))
    code, printed = told(capsys)
    assert code == 1
    assert "The export holds no order in this period." in printed
    said = "The step “{}” never occurs in the export: {} says “{}”, and nothing in it is called that. (weakens {})"
    assert said.format("Purchase", "goals.purchase", "purchase", "01, 02, 03, 04, 05, 06") in printed
    assert said.format("Cart", "micro_conversions.cart", "add_to_cart", "02, 03, 04") in printed


def test_one_event_alone_is_no_error(audit_home, capsys):
    written(audit_home, as_csv(clean()[:1]))
    code, printed = told(capsys)
    assert (code, "Traceback" in printed) == (1, False)


def test_purchases_without_earlier_steps_are_a_gap_of_tracking(audit_home):
    rows = [row for n, row in enumerate(clean()) if row["what"] != "add_to_cart" or n < 20]
    found = claims(taken_in(audit_home, as_csv(rows)))
    told_of = {**found.get("goal_without_step", {}), **found.get("step_missed", {}), **found.get("step_rarer", {})}
    assert told_of["step"] == "cart"


def test_a_day_without_an_event_is_found(audit_home):
    rows = [
        {**row, "id": f"{row['id']}-{n}", "who": f"{row['who']}-{n}", "order": row["order"] and f"{row['order']}-{n}"}
        for n in range(20)
        for row in clean()
        if not (row["what"] == "purchase" and row["at"][:10] in ("2026-03-06", "2026-03-07", "2026-03-08"))
    ]
    audit = taken_in(audit_home, as_csv(rows))
    found = claims(audit)["event_interrupted"]
    assert (found["event"], str(found["since"])) == ("purchase", "2026-03-06")
    # Seven of ten days are left, and every visit of theirs bought: the three silent days are in no rate, and listed.
    assert [audit.headline[name] for name in ("sessions", "orders")] == [280, 280]
    blind = audit.frame("blind_days")
    assert [str(day)[:10] for day in blind["date"]] == ["2026-03-06", "2026-03-07", "2026-03-08"]
    assert (blind["sessions"].sum(), blind["expected"].sum()) == (120, 120)
    assert claims(audit)["blind_days"]["sessions"] == 120


def test_the_last_days_of_a_ga4_export_are_said_to_be_filling_and_its_zone_is_found(tmp_path, monkeypatch):
    from conftest import REPOSITORY

    from conversion_audit.demo import write_demo

    folder = tmp_path / "data" / "demo"
    write_demo(folder / "raw", sessions=150, weeks=2)
    text = (REPOSITORY / "data/demo/audit.yaml").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if not line.startswith(("period:", "timezone:"))]
    (folder / "audit.yaml").write_text("\n".join(lines), encoding="utf-8")
    monkeypatch.setenv("AUDIT_HOME", str(tmp_path))
    audit = open_audit("demo")
    add_up(audit)
    days = audit.frame("data_days")
    assert list(days["is_open"]) == [False] * (len(days) - 3) + [True] * 3
    assert "zone_assumed" not in claims(audit)
    assert "zone" in set(audit.frame("remarks")["topic"])


# Letters, addresses, JSON.


def test_one_page_in_two_unicode_forms_is_one_page(audit_home):
    forms = ["/caf\u00e9", "/cafe\u0301", "/ca\u200bf\u00e9", "/caf%C3%A9", "/\U0001f45f", "/a\u202eb"]
    audit = taken_in(audit_home, as_csv(changed(clean(), {4 * n: {"where": one} for n, one in enumerate(forms)})))
    found = audit.frame("events")["page"]
    assert (found == "/caf\u00e9").sum() == 4
    assert {"/\U0001f45f", "/ab"} <= set(found)


def test_a_very_long_address_and_odd_file_names_are_read(audit_home):
    rows = changed(clean(), {0: {"where": "/" + "x" * 65_000}})
    audit = taken_in(audit_home, {'it\'s "a" [1]; -- .csv': as_csv(rows)})
    assert fates(audit) == {"ok": ROWS}


def test_a_file_name_that_the_system_refuses_is_said_in_words(audit_home, capsys):
    name = "x" * 300 + ".csv"
    written(audit_home, CSV, config().replace("raw/*", f"raw/{name}"))
    code, printed = told(capsys)
    assert code == 4
    assert "Traceback" not in printed
    assert f"raw/{name}: cannot be looked for: File name too long" in printed
    assert "Give the file a shorter name, and correct `files` in audit.yaml." in printed


def test_ids_in_addresses_become_one_page(audit_home):
    audit = taken_in(audit_home, as_csv(changed(clean(), {4 * n: {"where": f"/order/{12345 + n}"} for n in range(20)})))
    assert (audit.frame("events")["page"] == "/order/:n").sum() == 20


def test_odd_json_lines_are_counted_one_by_one(audit_home):
    good = as_lines(clean()).decode().splitlines()
    deep = '{"id": "d", "x": ' + "[" * 1000 + "]" * 1000 + "}"
    double = good[5].replace('"id": "e1-1"', '"id": "other", "id": "e1-1"')
    data = "\n".join([*good[:5], double, *good[6:9], '{"id": "cut', deep, *good[9:]]) + "\n"
    audit = taken_in(audit_home, {"events.jsonl": data.encode()})
    assert rejected(audit) == [(10, "bad_json"), (11, "nested_too_deep")]
    assert fates(audit) == {"ok": ROWS, "bad_json": 1, "nested_too_deep": 1}
    assert "e1-1" in set(audit.frame("events")["event_id"])


def test_half_of_an_emoji_in_json_costs_no_row(audit_home):
    data = as_lines(clean()).replace(b'"/p/shoe"', b'"/p/shoe\\ud83d"', 1)
    audit = taken_in(audit_home, {"events.jsonl": data})
    assert (fates(audit), sum(audit.frame("events")["page"].str.startswith("/p/shoe"))) == ({"ok": ROWS}, 40)


def test_a_basket_that_is_no_json_is_the_name_of_an_item(audit_home):
    rows = [{**row, "basket": "shoe, red" if n == 3 else "[1" if n == 7 else ""} for n, row in enumerate(clean())]
    audit = taken_in(audit_home, as_csv(rows), config(items="basket"))
    assert (fates(audit), sorted(audit.frame("items")["name"])) == ({"ok": ROWS}, ["[1", "shoe, red"])


def test_formulas_and_scripts_are_only_text(audit_home):
    odd = ["=cmd|' /C calc'!A0", "<script>alert(1)</script>", "@SUM(1)", "javascript:alert(1)"]
    rows = [{**row, "title": odd[n % 4]} for n, row in enumerate(clean())]
    audit = taken_in(audit_home, as_csv(rows), config(page_title="title"))
    assert set(audit.frame("events")["page_title"]) == set(odd)


@pytest.mark.parametrize(
    ("wrong", "right", "message"),
    [
        ("micro_conversionz:", "micro_conversions:", "did you mean 'micro_conversions'?"),
        ("main_goal: purchas\n", "main_goal: purchase\n", "did you mean 'purchase'?"),
        ("accept_bad: lots\n", "journey:", "accept_bad"),
    ],
)
def test_a_mistake_in_the_config_is_named_by_line(wrong, right, message, audit_home, capsys):
    text = config().replace(right, wrong + (right if wrong.startswith("accept") else ""))
    written(audit_home, CSV, text)
    code, printed = told(capsys)
    line = 1 + text[: text.index(wrong)].count("\n")
    assert code == 2
    assert message in printed
    assert f"data/acme/audit.yaml:{line}" in printed


def test_an_export_too_big_for_the_disk_is_refused_before_it_is_read(tmp_path, monkeypatch):
    monkeypatch.setattr(room.os, "cpu_count", lambda: 2)

    def big(size: int, **kind: object) -> InputFile:
        return InputFile(
            tmp_path / "absent",
            "raw/a",
            str(kind.get("format", "ndjson")),
            gzipped=bool(kind.get("gzipped")),
            size=size,
            rows=kind.get("rows"),
        )

    files = [big(60 * 10**9), big(10**9, gzipped=True), big(10**8, format="parquet", rows=10**7)]
    assert room.needed_bytes(files) == pytest.approx(59.2e9, rel=1e-3)
    room.refuse_too_big(files, tmp_path / "acme" / "prepared", free=60 * 10**9, memory=32 * 10**9)
    with pytest.raises(MachineError) as refused:
        room.refuse_too_big(files, tmp_path / "acme" / "prepared", free=8 * 10**9, memory=32 * 10**9)
    assert refused.value.exit_code == 5
    assert str(refused.value) == (
        "data/acme/prepared: needs about 59.2 GB on disk, 8.0 GB are free\n"
        "    The export's 3 files hold about 71.0 GB of text: 240,000,000 rows, 39 minutes.\n"
        "    Free some space, or give fewer days: `files` in audit.yaml takes a pattern such as raw/events_202603*."
    )


def test_what_repeats_in_an_export_takes_no_room(tmp_path):
    def file(name: str, records: list[dict], **kind: object) -> InputFile:
        return InputFile(tmp_path / "absent", name, "ndjson", size=10**9, records=tuple(records), **kind)

    alike = [{"event": "view_item", "page": "/p/" + "shoe" * 200, "n": n} for n in range(50)]
    random = [{"page": hashlib.sha512(str(n).encode()).hexdigest()} for n in range(50)]
    needed = {name: room.needed_bytes([file(name, records)]) for name, records in (("a", alike), ("b", random))}
    assert needed["a"] < 0.6 * 10**9 < 1.5 * 10**9 < needed["b"] < 3 * 10**9
    packed = file("raw/a.gz", alike, gzipped=True)
    assert room.needed_bytes([packed]) == max(3.5 * 10**9, room.ROW_DISK * room.estimate([packed]).rows)


def test_a_machine_without_memory_to_sort_is_refused_with_the_estimate_and_the_alternative(tmp_path):
    files = [InputFile(tmp_path / "absent", "raw/a", "ndjson", size=3 * 10**8)]
    with pytest.raises(MachineError) as refused:
        room.refuse_too_big(files, tmp_path / "acme" / "prepared", free=10**12, memory=6 * 10**8)
    assert str(refused.value).startswith(
        "data/acme/prepared: needs 1.0 GB of memory, there are 0.6 GB\n    The export: about 1,000,000 rows, "
    )
    mend = "Give fewer days, run it on a machine with more, or on Spark: `engine` in audit.yaml."
    assert str(refused.value).endswith(mend)
    huge = [InputFile(tmp_path / "absent", "raw/a", "ndjson", size=60 * 10**9)]  # two hundred million rows
    with pytest.raises(MachineError, match=r"needs 10.0 GB of memory, there are 8.0 GB\n.*about 200,000,000 rows"):
        room.refuse_too_big(huge, tmp_path / "acme" / "prepared", free=10**12, memory=8 * 10**9)
    # A batch gives each client a small share: what the machine has is judged apart from what the rows need of it.
    room.refuse_too_big(files, tmp_path / "acme" / "prepared", free=10**12, memory=8 * 10**9, limit=256 * 10**6)


def test_a_parquet_file_says_itself_how_many_rows_it_has(tmp_path):
    # However well they are compressed: a size would say a few hundred of them.
    duckdb.sql("SELECT 'd1' AS who, 'view' AS what FROM range(200000)").write_parquet(str(tmp_path / "rows.parquet"))
    (file,) = open_files([tmp_path / "rows.parquet"], tmp_path, tmp_path / "scratch")
    assert (file.rows, room.estimate([file]).rows) == (200_000, 200_000)
    assert room.needed_bytes([file]) == 200_000 * room.ROW_DISK


def test_rows_time_and_disk_are_estimated_from_the_first_records(tmp_path):
    def file(name: str, size: int, records: list[dict]) -> InputFile:
        return InputFile(tmp_path / "absent", "raw/a", name, size=size, records=tuple(records))

    keyed = file("ndjson", 20_000_000, [{"event": "x" * 87}])
    plain = file("csv", 10_000_000, [{"event": "x" * 9, "time": "y" * 9}])
    assert room.estimate([keyed], cores=2) == room.Estimate(200_000, pytest.approx(2.0), 50_000_000)
    assert room.estimate([plain], cores=2).rows == 500_000
    assert room.estimate([keyed, plain], cores=2).words == "about 700,000 rows, 7 s, 0.2 GB of disk"
    assert room.estimate([], cores=2).words == "about 0 rows, 1 s, 0.0 MB of disk"


# Public collections of odd files and strings.


@pytest.mark.parametrize(
    "name",
    ["comma_in_quotes", "empty", "empty_crlf", "escaped_quotes", "json", "newlines", "newlines_crlf", "quotes_and_newlines",
     "simple", "simple_crlf", "utf8"],
)  # fmt: skip
def test_csv_files_of_the_spectrum_are_read_as_it_says(name, tmp_path):
    from exports import plain, rows_of

    lines = real_data(f"messy/csv_spectrum/{name}.csv").read_bytes()
    wanted = json.loads(real_data(f"messy/csv_spectrum_expected/{name}.json").read_text(encoding="utf-8"))
    first = next(iter(wanted[0]))
    (tmp_path / "rows.csv").write_bytes(lines)
    columns = {"time": "=2026-03-02 12:00:00", "event": "=view", "device_id": first}
    found = plain(rows_of("table", tmp_path, "rows.csv", scratch=tmp_path / "scratch", columns=columns))
    read = [{first: row.get("device_id"), **row.get("properties", {})} for row in found]
    assert read == [{key: value for key, value in row.items() if value} for row in wanted]


def test_naughty_strings_go_through_every_text_column(audit_home):
    naughty = [
        text for text in json.loads(real_data("messy/blns.json").read_text(encoding="utf-8")) if "\0" not in text
    ]
    texts = {
        name: f"t_{name}"
        for name in ("user_id", "page_title", "referrer", "search_term", "campaign", "browser", "error")
    }
    rows = []
    for n, text in enumerate(naughty):
        base = {
            **clean()[0],
            "id": f"n{n}",
            "session": text,
            "who": text or f"c{n}",
            "what": text or "view",
            "where": text,
        }
        rows.append({**base, **dict.fromkeys(texts.values(), text)})
    plain_rows = [{**row, **dict.fromkeys(texts.values(), "")} for row in clean()]
    audit = taken_in(audit_home, as_csv([*plain_rows, *rows]), config(more="timezone: UTC\naccept_bad: 100 %", **texts))
    assert sum(fates(audit).values()) == ROWS + len(naughty)
    assert len(audit.orders) == 20
    assert claims(audit)


def test_an_address_in_the_name_of_a_campaign_is_masked_wherever_it_is_read(audit_home):
    rows = [{**row, "src": "newsletter", "camp": "spring"} for row in clean()]
    rows[0] |= {"src": "jo.doe@example.com", "camp": "mail-jo.doe@example.com"}
    text = config(campaign="camp").replace('"campaign"', '"source": "src", "campaign"', 1)
    audit = taken_in(audit_home, as_csv(rows), text)
    visits = audit.frame("sessions").set_index("device_id")
    assert visits.loc["c0", ["source", "campaign"]].tolist() == ["[email]", "[email]"]
    assert visits.loc["c1", ["source", "campaign"]].tolist() == ["newsletter", "spring"]
    assert not audit.frame("events").astype("string").apply(lambda column: column.str.contains("@")).any(axis=None)
    assert audit.frame("masked").set_index("field")["values"]["sources"] == 2
