from __future__ import annotations

import gzip
import json
import subprocess
import sys

import duckdb
import pytest
from conftest import real_data
from exports import FIXTURES, expected, opened, plain, rows_of

from conversion_audit.errors import ConfigError, DataError
from conversion_audit.intake.files import InputFile
from conversion_audit.intake.sources import mapping, recognise

FOLDER = FIXTURES / "table"


def write(folder, name: str, text: str | bytes):
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


@pytest.fixture
def scratch(tmp_path):
    return tmp_path / "scratch"


def read(tmp_path, text: str | bytes, **options):
    """Rows of one CSV file, with its columns guessed unless given."""
    name = options.pop("name", "rows.csv")
    write(tmp_path, name, text)
    return rows_of("table", tmp_path, name, scratch=tmp_path / "scratch", **options)


def refusal(tmp_path, text: str | bytes, **options) -> str:
    with pytest.raises(DataError) as error:
        read(tmp_path, text, **options)
    return str(error.value)


def test_one_row_an_event_is_read_as_it_stands_beside_it(scratch):
    found = rows_of("table", FOLDER, "events.csv", scratch=scratch, timezone="Europe/Berlin")
    assert plain(found) == expected("table", "expected_events.json")
    assert found.notes == (
        "events.csv: a line cannot be read: line 9 (wrong_field_count)",
        "events.csv: the time column holds seconds (1) and milliseconds (1); each row was converted by its own",
        "events.csv: 1 times lie in the hour that the clock shows twice; 0 of them are the second, by the order of rows",
    )


def test_one_row_a_session_becomes_its_start_and_one_event_a_step(scratch):
    columns = {"session_id": "session_id", "visitor_id": "visitor_id", "time": "start_time", "device": "device"}
    steps = {"view_item": "product_viewed", "add_to_cart": "in_cart", "purchase": "bought_at"}
    found = rows_of("table", FOLDER, "sessions.csv", scratch=scratch, columns=columns, steps=steps)
    assert plain(found) == expected("table", "expected_sessions.json")


def test_a_list_of_events_inside_a_session_gives_one_row_each(scratch):
    assert plain(rows_of("table", FOLDER, "nested.jsonl", scratch=scratch)) == expected("table", "expected_nested.json")


def test_the_otto_sample_is_read_without_a_mapping(scratch):
    path = real_data("otto_sample/test/resources/train.jsonl")
    rows = rows_of("table", path.parent, path.name, scratch=scratch)
    found = rows.engine.query(
        "SELECT event, count(*) AS rows, count(DISTINCT source_session) AS sessions FROM rows GROUP BY event ORDER BY rows DESC",
        {"rows": rows},
    )
    assert [tuple(row) for row in found.itertuples(index=False)] == [
        ("clicks", 800, 20),
        ("carts", 52, 7),
        ("orders", 10, 3),
    ]


def test_parquet_keeps_ids_and_times(tmp_path, scratch):
    with duckdb.connect() as connection:
        connection.execute(f"""
            COPY (SELECT TIMESTAMP '2026-03-02 12:00:00' AS time, 'purchase' AS event, '0012' AS visitor_id, 1234.567 AS revenue)
            TO '{tmp_path / "rows.parquet"}' (FORMAT parquet)
        """)
    assert plain(rows_of("table", tmp_path, "rows.parquet", scratch=scratch, timezone="Europe/Berlin")) == [
        {"file": "rows.parquet", "line": 1, "device_id": "0012", "time": "2026-03-02 11:00:00", "event": "purchase",
         "amount": 1234.567, "is_purchase": True},
    ]  # fmt: skip


def test_parquet_times_with_a_zone_are_read_as_they_are_also_inside_objects(tmp_path, scratch):
    with duckdb.connect() as connection:
        connection.execute(f"""
            COPY (SELECT TIMESTAMPTZ '2026-03-02 12:00:00+02' AS time, 'view' AS event, '1' AS visitor_id,
                         {{'seen': TIMESTAMPTZ '2026-03-02 12:00:00+02'}} AS more)
            TO '{tmp_path / "rows.parquet"}' (FORMAT parquet)
        """)
    [row] = plain(rows_of("table", tmp_path, "rows.parquet", scratch=scratch, timezone="Europe/Berlin"))
    assert row["time"] == "2026-03-02 10:00:00"
    assert "2026-03-02 10:00:00" in row["properties"]["more"]


def test_objects_that_only_later_rows_of_parquet_have_are_found(tmp_path, scratch):
    with duckdb.connect() as connection:
        connection.execute(f"""
            COPY (SELECT TIMESTAMP '2026-03-02' + to_minutes(n) AS time, 'view' AS event, 'v' || n AS visitor_id,
                         CASE WHEN n = 20 THEN [{{'sku': 's1', 'price': 2.5}}] END AS products
                  FROM range(21) r(n))
            TO '{tmp_path / "rows.parquet"}' (FORMAT parquet)
        """)
    for columns in ({}, {"time": "time", "event": "event", "device_id": "visitor_id", "item_id": "products.sku"}):
        found = plain(rows_of("table", tmp_path, "rows.parquet", scratch=scratch, columns=columns))
        assert [row["items"][0]["item_id"] for row in found if "items" in row] == ["s1"]


@pytest.mark.parametrize("written", ["1.234", "1,234"])
def test_amounts_that_are_texts_in_parquet_are_not_guessed_either(tmp_path, scratch, written):
    with duckdb.connect() as connection:
        connection.execute(f"""
            COPY (SELECT '2026-03-02' AS time, 'purchase' AS event, '1' AS visitor_id, '{written}' AS revenue)
            TO '{tmp_path / "rows.parquet"}' (FORMAT parquet)
        """)
    with pytest.raises(DataError, match="amount: the decimal mark of amounts cannot be told"):
        rows_of("table", tmp_path, "rows.parquet", scratch=scratch)
    [row] = plain(rows_of("table", tmp_path, "rows.parquet", scratch=scratch, decimal=written[1]))
    assert row["amount"] == 1.234


def test_files_may_have_their_columns_in_another_order_and_more_of_them(tmp_path, scratch):
    write(tmp_path, "a.csv", "time,event,visitor_id\n2026-03-02 12:00:00,view,1\n")
    write(tmp_path, "b.csv", "visitor_id,extra,time,event\n2,x,2026-03-03 12:00:00,view\n")
    found = plain(rows_of("table", tmp_path, "a.csv", "b.csv", scratch=scratch))
    assert [(row["device_id"], row["time"], row.get("properties")) for row in found] == [
        ("1", "2026-03-02 12:00:00", None),
        ("2", "2026-03-03 12:00:00", {"extra": "x"}),
    ]


def test_a_file_without_a_needed_column_is_named(tmp_path, scratch):
    write(tmp_path, "a.csv", "time,event,visitor_id\n2026-03-02 12:00:00,view,1\n")
    write(tmp_path, "b.csv", "time,visitor_id\n2026-03-03 12:00:00,2\n")
    with pytest.raises(DataError) as error:
        rows_of("table", tmp_path, "a.csv", "b.csv", scratch=scratch)
    assert str(error.value) == (
        "b.csv: has no column 'event'\n    Columns found: time, visitor_id.\n    Export it as the other files."
    )


def test_further_columns_are_looked_up_in_a_joined_file(tmp_path, scratch):
    write(
        tmp_path,
        "views.csv",
        "sid,ts,url\ns1,2026-03-02 10:00:00,/a\ns2,2026-03-02 10:00:05,/b\ns9,2026-03-02 10:00:06,/c\n",
    )
    write(tmp_path, "sessions.csv", "sid,cookie,kind\ns1,c1,mobile\ns2,c2,desktop\ns2,c3,tablet\n")
    columns = {"session": "sid", "time": "ts", "page": "url", "device_id": "cookie", "device": "kind"}
    found = plain(
        rows_of(
            "table",
            tmp_path,
            "views.csv",
            "sessions.csv",
            scratch=scratch,
            columns=columns,
            join={"sessions.csv": "sid"},
        )
    )
    assert [(row["page_url"], row["event"], row.get("device_id"), row.get("device")) for row in found] == [
        ("/a", "page_view", "c1", "mobile"),
        ("/b", "page_view", "c2", "desktop"),
        ("/c", "page_view", None, None),
    ]


@pytest.mark.parametrize(
    ("heading", "value"),
    [
        ("session source,session medium,session campaign", "news,email,spring"),
        ("sessionSource,sessionMedium,sessionCampaignName", "news,email,spring"),
        ("Session source / medium,Session campaign", "news / email,spring"),
        ("sourceMedium,Medium,Campaign", "news / email,email,spring"),
    ],
)
def test_a_session_s_source_is_known_by_its_usual_headings_also_together_with_its_medium(tmp_path, heading, value):
    [row] = plain(read(tmp_path, f"time,event,visitor_id,{heading}\n2026-03-02 10:00:00,view,a,{value}\n"))
    assert [row.get(name) for name in ("source", "medium", "campaign")] == ["news", "email", "spring"]


@pytest.mark.parametrize("known", [("medium",), ("source",), ("campaign",), ("medium", "campaign"), ("channel",)])
def test_a_medium_without_a_source_is_read_as_any_part_of_where_a_session_came_from(tmp_path, known):
    [row] = plain(
        read(tmp_path, f"time,event,visitor_id,{','.join(known)}\n2026-03-02 10:00:00,view,a,{','.join(known)}\n")
    )
    assert {name: row.get(name) for name in known} == {name: name for name in known}


@pytest.mark.parametrize(
    "headings",
    [
        "Time,Event Name,Distinct ID,Current URL,Initial Referrer,UTM Medium,Order ID,Order Total",
        "timestamp,event,anonymous_id,context_page_url,context_page_referrer,context_campaign_medium,order_no,purchase_revenue",
        "$time,event,distinct_id,$current_url,$initial_referrer,utm_medium,orderId,total_amount",
    ],
)
def test_the_headings_of_tools_that_flatten_their_events_are_known(tmp_path, headings):
    values = "2026-03-02 10:00:00,purchase,a,https://shop.example/x,https://search.example,email,o1,19.90"
    [row] = plain(read(tmp_path, f"{headings}\n{values}\n"))
    assert (row["event"], row["device_id"], row["order_id"], row["amount"]) == ("purchase", "a", "o1", 19.9)
    assert (row["page_url"], row["referrer"]) == ("https://shop.example/x", "https://search.example")
    assert row["medium"] == "email"


@pytest.mark.parametrize(
    ("heading", "day", "clock"),
    [
        ("date,time", "2026-03-02", "10:01:02"),
        ("time,timestamp", "10:01:02", "2026-03-02"),
        ("Datum,Uhrzeit", "02.03.2026", "10:01:02"),
        ("Datum,Uhrzeit", "2026-03-02 00:00:00", "10:01:02 Uhr"),
        ("date,time", "20260302", "10:01:02"),
        ("Date,Time", "03/02/2026", "10:01:02 AM"),
        ("Datum,Uhrzeit", "02.03.26", "10:01:02"),
        ("date,server_time", "2026-03-02", "11:01:02+01:00"),
    ],
)
def test_day_and_time_of_day_in_two_columns_are_one_time(tmp_path, heading, day, clock):
    rows = f"{day},{clock},view,a\n" + (f"03/13/2026,{clock},view,a\n" if "/" in day else "")
    found = plain(read(tmp_path, f"{heading},event,visitor_id\n{rows}"))
    assert found[0]["time"] == "2026-03-02 10:01:02"
    assert "properties" not in found[0]


def test_a_day_alone_is_the_time_where_rows_name_who_came(tmp_path):
    [row] = plain(read(tmp_path, "date,event,visitor_id\n2026-03-02,view,a\n"))
    assert row["time"] == "2026-03-02 00:00:00"
    write(tmp_path, "totals.csv", "date,page,views\n2026-03-02,/a,30\n")
    assert list(recognise(opened(tmp_path, "totals.csv", scratch=tmp_path / "scratch"))) == [""]


def test_a_row_without_its_time_of_day_is_at_midnight_and_a_column_of_both_stays_the_time(tmp_path):
    columns = {"time": "day", "time_of_day": "clock", "event": "event", "visitor_id": "who"}
    text = "day,clock,event,who\n2026-03-02,09:00,view,a\n2026-03-03,,view,a\n,09:00,view,a\n"
    found = plain(read(tmp_path, text, columns=columns))
    assert [row.get("time") for row in found] == ["2026-03-02 09:00:00", "2026-03-03 00:00:00", None]
    [row] = plain(read(tmp_path, "date,time,event,visitor_id\n2026-03-02,2026-03-02 09:00,view,a\n"))
    assert row["time"] == "2026-03-02 09:00:00"


WHERE_BOTH = "Write both under `columns` of this source in audit.yaml: columns: {{time: {}, time_of_day: {}}}."


@pytest.mark.parametrize(
    ("columns", "told"),
    [
        (
            {"time": ["day", "clock"]},
            "rows.csv: time: day is a day and clock a time of day\n"
            "    Of several columns the first that is filled counts: every event would be at midnight.\n"
            "    " + WHERE_BOTH.format("day", "clock"),
        ),
        (
            {"time": "clock"},
            "rows.csv: time: clock holds times of day only (seen: '09:00')\n"
            "    Without its day no event can be placed.\n    " + WHERE_BOTH.format("DAY-COLUMN", "clock"),
        ),
        (
            {"time_of_day": "clock"},
            "rows.csv: time_of_day: clock has no day\n    " + WHERE_BOTH.format("DAY-COLUMN", "clock"),
        ),
        (
            {"time": "day", "time_of_day": "both"},
            "rows.csv: time_of_day: both holds no times of day such as 14:05 or 14:05:00 (seen: '2026-03-02 09:00')\n"
            "    Map such a column, or leave time_of_day out where `time` holds both.",
        ),
        (
            {"time": "both", "time_of_day": "clock"},
            "rows.csv: time: both holds no plain days (seen: '2026-03-02 09:00')\n"
            "    time_of_day is written behind it.\n"
            "    Leave time_of_day out where `time` holds both, else map a column of days to `time`.",
        ),
    ],
)
def test_a_time_of_day_that_no_time_can_be_made_of_is_refused(tmp_path, columns, told):
    text = "day,clock,both,event,who\n2026-03-02,09:00,2026-03-02 09:00,view,a\n"
    assert refusal(tmp_path, text, columns={**columns, "event": "event", "visitor_id": "who"}) == told


def test_a_constant_names_the_event_of_every_row(tmp_path):
    found = read(
        tmp_path, "id,at,who\n7,2026-03-02 10:00:00,c1\n",
        columns={"order_id": "id", "time": "at", "device_id": "who", "event": "=purchase"},
    )  # fmt: skip
    assert [(row["event"], row["order_id"], row["is_purchase"]) for row in plain(found)] == [("purchase", "7", True)]


def test_a_wrong_column_is_refused_with_the_columns_found_and_the_closest(tmp_path):
    message = refusal(tmp_path, "Tme,Evnt,who\n1,2,3\n", columns={"time": "Time", "event": "Event", "device_id": "who"})
    assert message == (
        "- rows.csv: no column 'Time' for 'time'; did you mean 'Tme'?\n    Columns found: Tme, Evnt, who.\n"
        "    Correct `columns` of this source in audit.yaml, or export the column.\n"
        "- rows.csv: no column 'Event' for 'event'; did you mean 'Evnt'?\n    Columns found: Tme, Evnt, who.\n"
        "    Correct `columns` of this source in audit.yaml, or export the column."
    )


def test_rows_need_a_visitor_or_a_session(tmp_path):
    assert refusal(tmp_path, "time,event\n2026-03-02 10:00:00,view\n") == (
        "rows.csv: rows need a visitor or a session\n    Columns found: time, event.\n"
        "    Name one under `columns` of this source in audit.yaml, e.g. columns: {device_id: Visitor ID}."
    )


def test_an_unknown_target_is_a_mistake_of_the_config(tmp_path):
    write(tmp_path, "rows.csv", "time,event,who\n2026-03-02 10:00:00,view,1\n")
    with pytest.raises(ConfigError, match=r"columns: rows have no 'evnt'; did you mean 'event'\?"):
        rows_of("table", tmp_path, "rows.csv", scratch=tmp_path / "scratch", columns={"evnt": "event"})


@pytest.mark.parametrize(
    ("written", "utc"),
    [
        ("1772449260", "2026-03-02 11:01:00"),
        ("1772449260.250", "2026-03-02 11:01:00.250000"),
        ("1772449260123", "2026-03-02 11:01:00.123000"),
        ("1772449260123456", "2026-03-02 11:01:00.123456"),
        ("1772449260123456789", "2026-03-02 11:01:00.123456"),
        ("2026-03-02T12:01:00+01:00", "2026-03-02 11:01:00"),
        ("2026-03-02 12:01:00 +0100", "2026-03-02 11:01:00"),
        ("2026-03-02 11:01:00 UTC", "2026-03-02 11:01:00"),
        ("2026-03-02 12:01:00", "2026-03-02 11:01:00"),
        ("2026-03-02 12:01", "2026-03-02 11:01:00"),
        ("02.03.2026 12:01", "2026-03-02 11:01:00"),
        ("13/03/2026 12:01", "2026-03-13 11:01:00"),
        ("2.3.26", "2026-03-01 23:00:00"),
        ("02.03.26 12:01", "2026-03-02 11:01:00"),
        ("13/03/26 12:01", "2026-03-13 11:01:00"),
        ("3/13/26 12:01 PM", "2026-03-13 11:01:00"),
        ("3/13/2026 12:01 PM", "2026-03-13 11:01:00"),
        ("2026-07-02 12:01:00", "2026-07-02 10:01:00"),
        ("2026-03-29 02:30:00", "2026-03-29 01:30:00"),
        ("2026-10-25 02:30:00", "2026-10-25 00:30:00"),
        ("2026-10-25 03:30:00", "2026-10-25 02:30:00"),
        ("2026-03-02T12:01:00z", "2026-03-02 12:01:00"),
        ("2026-03-02 01:30:00 PM", "2026-03-02 12:30:00"),
        ("2026-03-02 12:30 AM", "2026-03-01 23:30:00"),
        ("2026-03-02 12:01:00.5 America/New_York", "2026-03-02 17:01:00.500000"),
        ("2026-10-25 02:30:00 CEST", "2026-10-25 00:30:00"),
        ("2026-10-25 02:30:00 CET", "2026-10-25 01:30:00"),
        ("2026-03-02 12:01:00 PDT", "2026-03-02 19:01:00"),
    ],
)
def test_times_become_utc(tmp_path, written, utc):
    [row] = plain(read(tmp_path, f"time,event,visitor_id\n{written},view,1\n", timezone="Europe/Berlin"))
    assert row["time"] == utc


def test_a_time_that_cannot_be_read_is_quarantined_with_its_value(tmp_path):
    found = plain(read(tmp_path, "time,event,visitor_id\n2026-03-02 12:00:00,view,1\nbald,view,1\n"))
    assert found[1] == {
        "file": "rows.csv", "line": 2, "device_id": "1", "event": "view",
        "reject": "cast_failed", "reject_column": "time", "reject_value": "bald",
    }  # fmt: skip


def test_spaces_around_values_say_nothing(tmp_path):
    text = "time, event , visitor_id, order_id, revenue, note\n2026-03-02 12:00:00, purchase  , 7, A1, 49.50, \n"
    [row] = plain(read(tmp_path, text + "2026-03-02 12:01:00, view, 7,  ,   , x\n"))[:1]
    assert (row["event"], row["device_id"], row["order_id"], row["amount"]) == ("purchase", "7", "A1", 49.5)
    assert row["is_purchase"]


@pytest.mark.parametrize("mark", [" ", "\u00a0", "\u202f", "'", "\u2019"])
def test_any_sign_between_thousands_is_left_out_of_amounts(tmp_path, mark):
    text = (
        f"time;event;visitor_id;revenue\n2026-03-02;purchase;1;1{mark}234,50\n2026-03-02;refund;1;\u2212{mark}20,00\n"
    )
    assert [row["amount"] for row in plain(read(tmp_path, text))] == [1234.5, -20]


@pytest.mark.parametrize("written", ["2026-03-02 12:00:00 BST", "2026-03-02 12:00:00 noon", "2026-03-02 13:00:00 XM"])
def test_letters_behind_a_time_that_may_mean_anything_are_not_left_out(tmp_path, written):
    found = plain(read(tmp_path, f"time,event,visitor_id\n{written},view,1\n", timezone="Europe/London"))
    assert (found[0]["reject"], found[0]["reject_value"]) == ("cast_failed", written)


def test_a_time_that_a_spreadsheet_has_rounded_is_none(tmp_path):
    text = "time,event,visitor_id\n1772449260000000,view,1\n1.77245E+15,view,1\n"
    assert [row.get("reject_value") for row in plain(read(tmp_path, text))] == [None, "1.77245E+15"]


def test_a_type_that_changes_late_is_quarantined_in_its_row_only(tmp_path):
    lines = ["time,event,visitor_id"] + ["1772449260,view,1"] * 30_000 + ["soon,view,1"]
    rows = read(tmp_path, "\n".join(lines) + "\n")
    bad = rows.engine.query("SELECT line, reject FROM rows WHERE reject IS NOT NULL", {"rows": rows})
    assert bad.to_dict("records") == [{"line": 30_001, "reject": "cast_failed"}]


def test_numbers_that_are_no_times_are_refused(tmp_path):
    assert refusal(tmp_path, "time,event,visitor_id\n123,view,1\n") == (
        "rows.csv:time: the unit of times cannot be told (seen: '123')\n"
        "    As seconds, milliseconds, microseconds or nanoseconds since 1970 no row lies between 2005 and 2100.\n"
        "    Map another column to `time`, or export times as 2026-03-02 14:05:00."
    )


def test_a_lonely_old_number_takes_its_file_s_unit(tmp_path):
    found = plain(read(tmp_path, "time,event,visitor_id\n1772449260000,view,1\n86400000,view,1\n"))
    assert [row["time"] for row in found] == ["2026-03-02 11:01:00", "1970-01-02 00:00:00"]


def test_day_and_month_are_not_guessed(tmp_path):
    assert refusal(tmp_path, "time,event,visitor_id\n03/04/2026,view,1\n") == (
        "rows.csv:time: day and month cannot be told apart (seen: '03/04/2026')\n"
        "    No value, or one of each kind, shows which of the two numbers is the month.\n"
        "    Export times as 2026-03-02 14:05:00."
    )


@pytest.mark.parametrize(
    ("amounts", "declared", "found"),
    [
        (["1234.5", "1,234.50"], None, [1234.5, 1234.5]),
        (["1234,5", "1.234,50", "1.234"], None, [1234.5, 1234.5, 1234]),
        (["12.50", "1.234"], None, [12.5, 1.234]),
        (["1.234"], ",", [1234]),
        (["1,234"], ".", [1234]),
        (["1 234.50", "1'234.50"], None, [1234.5, 1234.5]),
        (["1,234,567"], None, [1234567]),
        (["-5.00"], None, [-5]),
        (["59", "0"], None, [59, 0]),
    ],
)
def test_amounts_are_read_by_the_mark_that_their_column_shows(tmp_path, amounts, declared, found):
    lines = ["time;event;visitor_id;amount", *(f"2026-03-02;purchase;1;{amount}" for amount in amounts)]
    rows = plain(read(tmp_path, "\n".join(lines) + "\n", decimal=declared))
    assert [row.get("amount", 0) for row in rows] == found


@pytest.mark.parametrize("written", ["$1,200", "NaN", "inf", "1e12", "999999999999", "free"])
def test_an_amount_that_is_no_number_stays_as_text_and_the_row_stays(tmp_path, written):
    [row] = plain(read(tmp_path, f'time,event,visitor_id,amount\n2026-03-02,purchase,1,"{written}"\n'))
    assert (row.get("amount"), row["amount_text"], row.get("reject")) == (None, written, None)


@pytest.mark.parametrize("written", ["1.234", "1,234"])
def test_an_ambiguous_decimal_mark_is_asked_for(tmp_path, written):
    assert refusal(tmp_path, f"time;event;visitor_id;amount\n2026-03-02;purchase;1;{written}\n") == (
        f"amount: the decimal mark of amounts cannot be told (seen: '{written}')\n"
        "    1.234 may be a thousand or one and a bit: it is never guessed.\n"
        '    Write `decimal: ","` or `decimal: "."` on this source in audit.yaml.'
    )


def test_two_decimal_marks_in_one_column_are_refused(tmp_path):
    message = refusal(
        tmp_path, "time;event;visitor_id;amount\n2026-03-02;purchase;1;12,5\n2026-03-02;purchase;1;12.5\n"
    )
    assert message.startswith("amount: amounts are written in two ways: 1 with a decimal point, 1 with a comma")


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found(tmp_path, delimiter):
    text = "time,event,visitor_id\n2026-03-02,view,0012\n".replace(",", delimiter)
    assert [row["device_id"] for row in plain(read(tmp_path, text))] == ["0012"]


def test_ids_stay_text_to_the_letter(tmp_path):
    ids = [
        "0012",
        "1e5",
        "1712345678.1234567890",
        "1712345678.1234567891",
        "12345678901234567890",
        "NA",
        "null",
        "true",
    ]
    text = "time,event,visitor_id\n" + "".join(f"2026-03-02,view,{one}\n" for one in ids)
    assert [row["device_id"] for row in plain(read(tmp_path, text))] == ids


def test_bad_lines_are_named_by_line_and_reason_and_the_rest_is_kept(tmp_path):
    huge = b"x" * (5 << 20)
    text = (
        b'time,event,visitor_id\n2026-03-02,a,1\n2026-03-02,\xc3\xa4,1\n2026-03-02,\xe4,1\n2026-03-02,"open,1\n'
        b'2026-03-02,n\x00l,1\n2026-03-02,"two\nlines",1\n2026-03-02,'
        + huge
        + b",1\n2026-03-02,b,1\n2026-03-02,b,1,2\n2026-03-02,c"
    )
    found = plain(read(tmp_path, text))
    assert [(row["line"], row.get("event"), row.get("reject")) for row in found] == [
        (2, "a", None),
        (3, "ä", None),
        (4, None, "bad_encoding"),
        (5, None, "bad_quoting"),
        (6, None, "nul_byte"),
        (7, "two\nlines", None),
        (9, None, "field_too_long"),
        (10, "b", None),
        (11, None, "wrong_field_count"),
        (12, None, "truncated_last_row"),
    ]


def test_an_empty_byte_alone_is_found(tmp_path):
    found = plain(read(tmp_path, b"time,event,visitor_id\n2026-03-02,a\x00b,1\n2026-03-02,c,1\n"))
    assert [(row["line"], row.get("reject")) for row in found] == [(2, "nul_byte"), (3, None)]


def test_a_truncated_csv_archive_keeps_its_complete_lines_when_asked(tmp_path, scratch):
    lines = ["time,event,visitor_id", *(f"2026-03-02,view{n * 7919 % 104729:x},{n}" for n in range(5000))]
    packed = gzip.compress("\n".join(lines).encode())
    write(tmp_path, "rows.csv.gz", packed[: len(packed) // 2])
    with pytest.raises(DataError, match="the compressed file is truncated"):
        rows_of("table", tmp_path, "rows.csv.gz", scratch=scratch)
    kept = rows_of("table", tmp_path, "rows.csv.gz", scratch=scratch, salvage=True)
    assert 0 < len(kept) < 5000
    assert kept.notes[0] == "rows.csv.gz: truncated; its complete lines were kept because of `salvage: true`"


@pytest.mark.parametrize(
    ("encoding", "said"), [("cp1252", "cp1252"), ("utf-16", "utf-16"), ("utf-16-le", "utf-16-le"), ("utf-8-sig", None)]
)
def test_other_encodings_are_read_and_said(tmp_path, encoding, said):
    rows = read(tmp_path, "time,event,visitor_id\n2026-03-02,Größe,1\n".encode(encoding))
    assert [row["event"] for row in plain(rows)] == ["Größe"]
    assert rows.notes == ((f"rows.csv: read as {said}",) if said else ())


def test_a_declared_encoding_is_used(tmp_path):
    rows = read(tmp_path, "time,event,visitor_id\n2026-03-02,Größe,1\n".encode("cp850"), encoding="cp850")
    assert [row["event"] for row in plain(rows)] == ["Größe"]


def test_repeated_columns_are_numbered_and_said(tmp_path):
    rows = read(tmp_path, "time,event,visitor_id,note,note\n2026-03-02,view,1,a,b\n")
    assert plain(rows)[0]["properties"] == {"note": "a", "note_2": "b"}
    assert rows.notes == ("rows.csv: repeated or unnamed columns were numbered: time, event, visitor_id, note, note_2",)


def test_columns_that_differ_in_capitals_are_one_among_files_and_two_within_one(tmp_path, scratch):
    write(tmp_path, "a.csv", "time,event,visitor_id,note\n2026-03-02,view,1,x\n")
    write(tmp_path, "b.csv", "Time,EVENT,Visitor_ID,Note,note\n2026-03-03,view,2,y,z\n")
    rows = rows_of("table", tmp_path, "a.csv", "b.csv", scratch=scratch)
    found = [(row["device_id"], row["properties"]) for row in plain(rows)]
    assert found == [("1", {"note": "x"}), ("2", {"note": "y", "note_2": "z"})]
    assert rows.notes == ("b.csv: repeated or unnamed columns were numbered: Time, EVENT, Visitor_ID, Note, note_2",)


def test_keys_of_json_that_differ_in_capitals_are_refused_by_name(tmp_path):
    record = {"time": "2026-03-02T12:00:00Z", "event": "view", "visitor_id": "1", "note": "a", "Note": "b"}
    message = refusal(tmp_path, json.dumps(record) + "\n", name="rows.jsonl")
    assert message.startswith("rows.jsonl: the keys 'note' and 'Note' differ only in capitals\n")


def test_hostile_names_of_files_and_columns_are_only_names(tmp_path):
    name = """it's "a" [1]*?; -- .csv"""
    text = 'time,event,visitor_id,"a""b\'; DROP TABLE x; --"\n2026-03-02,view,1,\'; DROP TABLE rows\n'
    [row] = plain(read(tmp_path, text, name=name))
    assert (row["file"], row["properties"]) == (name, {"a\"b'; DROP TABLE x; --": "'; DROP TABLE rows"})


def test_json_lines_keep_numbers_and_nested_values_as_properties(tmp_path):
    record = {"time": "2026-03-02T12:00:00Z", "event": "view", "visitor_id": "0012", "n": 1.5, "deep": {"a": [1, None]}}
    [row] = plain(read(tmp_path, json.dumps(record) + "\n", name="rows.jsonl"))
    assert (row["device_id"], row["properties"]) == ("0012", {"n": "1.5", "deep": '{"a":[1,null]}'})


def test_a_json_array_is_read_like_lines(tmp_path):
    records = [
        {"time": "2026-03-02T12:00:00Z", "event": "view", "visitor_id": 7},
        {"time": 1772449260, "event": "buy", "visitor_id": "8"},
    ]
    found = plain(read(tmp_path, json.dumps(records, indent=1), name="rows.json"))
    assert [(row["device_id"], row["event"], row["line"]) for row in found] == [("7", "view", 1), ("8", "buy", 2)]


LATE = [
    {"time": f"2026-03-02T12:{n:02}:00Z", "event": "view", "visitor_id": str(n), "order_id": None, "items": []}
    for n in range(58)
] + [
    {"time": "2026-03-02T13:00:00Z", "event": "purchase", "visitor_id": "7", "order_id": "A1", "revenue": 49.5,
     "coupon": "SPRING", "items": [{"sku": "s1", "price": 20.5}]},
]  # fmt: skip


@pytest.mark.parametrize("layout", ["lines", "array", "one value a line"])
def test_keys_that_only_later_records_have_are_found(tmp_path, layout):
    text = "".join(json.dumps(row) + "\n" for row in LATE)
    text = text if layout == "lines" else json.dumps(LATE, indent=None if layout == "array" else 1)
    found = plain(read(tmp_path, text, name="rows.json"))
    assert (found[-1]["order_id"], found[-1]["amount"], found[-1]["items"][0]["price"]) == ("A1", 49.5, "20.5")
    assert found[-1]["properties"] == {"coupon": "SPRING"}
    assert len(found) == 59


def test_a_field_that_only_later_records_have_can_be_mapped(tmp_path):
    rows = [{**row, "items": [{"sku": "s"}] if n < 58 else row["items"]} for n, row in enumerate(LATE)]
    columns = {"time": "time", "event": "event", "device_id": "visitor_id", "amount": "revenue"}
    columns |= {"item_id": "items.sku", "item_price": "items.price"}
    text = "".join(json.dumps(row) + "\n" for row in rows)
    found = plain(read(tmp_path, text, name="rows.json", columns=columns))
    assert found[-1]["items"] == [
        {"item_id": "s1", "price": "20.5"} | dict.fromkeys(("name", "category", "brand", "quantity"))
    ]


@pytest.mark.parametrize(
    ("field", "found"),
    [("items.prize", "no field 'items.prize' for 'item_price'; did you mean 'price'?\n    Fields found there: "),
     ("items.price.net", "no field 'items.price.net' for 'item_price'\n    Fields found there: none, it holds no objects."),
     ("event.price", "no field 'event.price' for 'item_price'\n    Fields found there: none, it holds no objects.")],
)  # fmt: skip
def test_a_field_that_is_nowhere_is_refused_by_name(tmp_path, field, found):
    columns = {"time": "time", "event": "event", "device_id": "visitor_id", "item_price": field}
    text = "".join(json.dumps(row) + "\n" for row in LATE)
    assert refusal(tmp_path, text, name="rows.json", columns=columns).startswith(f"rows.json: {found}")


def test_what_the_first_file_lacks_is_guessed_from_the_others(tmp_path, scratch):
    write(tmp_path, "a.csv", "time,event,visitor_id\n2026-03-02,view,1\n")
    write(tmp_path, "b.csv", "time,event,visitor_id,order_id,revenue\n2026-03-03,purchase,1,A1,49.50\n")
    found = plain(rows_of("table", tmp_path, "a.csv", "b.csv", scratch=scratch))
    assert [(row.get("order_id"), row.get("amount")) for row in found] == [(None, None), ("A1", 49.5)]


def test_odd_json_lines_are_counted_one_by_one(tmp_path):
    good = '{"time":1772449260,"event":"view","visitor_id":"1"}'
    deep = '{"time":1772449260,"event":"deep","visitor_id":"1","x":' + "[" * 1000 + "]" * 1000 + "}"
    double = '{"time":1772449260,"event":"first","event":"last","visitor_id":"1"}'
    text = "\ufeff" + "\n".join([good, deep, double, "[1]", '{"time":17', good, '{"cut'])
    found = plain(read(tmp_path, text, name="rows.jsonl"))
    assert [(row["line"], row.get("event"), row.get("reject")) for row in found] == [
        (1, "view", None), (2, None, "nested_too_deep"), (3, "last", None), (4, None, "bad_json"), (5, None, "bad_json"),
        (6, "view", None), (7, None, "truncated_last_row"),
    ]  # fmt: skip


def test_a_header_without_rows_beside_a_full_file_is_no_error(tmp_path, scratch):
    write(tmp_path, "a.csv", "time,event,visitor_id\n")
    write(tmp_path, "b.csv", "time,event,visitor_id\n2026-03-02,view,1\n")
    write(tmp_path, "c.csv", "")
    found = plain(rows_of("table", tmp_path, "a.csv", "b.csv", "c.csv", scratch=scratch))
    assert [(row["file"], row["line"]) for row in found] == [("b.csv", 1)]


def test_the_kind_is_told_from_the_columns(tmp_path, scratch):
    [(file, reason)] = recognise(opened(FOLDER, "events.csv", scratch=scratch))["table"]
    assert reason == (
        "its columns look like time (Zeit), event (Ereignis), device_id (Besucher ID), source_session (Sitzung), "
        "page_url (Seite), amount (Umsatz)"
    )
    assert (file.delimiter, file.skip) == (";", 1)


LITTLE_DISK = """
import pathlib, resource, signal, sys
from conversion_audit.engine import Engine
from conversion_audit.intake.sources.stored import Store
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
store = Store.begun(Engine(), pathlib.Path(sys.argv[1]), {"n": "int"})
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
try:
    store.add("SELECT CAST(hash(i) >> 1 AS BIGINT) AS n FROM range(200000) t(i)")
except OSError as error:
    print(error.strerror, len(list(store.folder.iterdir())))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no such limits here")
def test_a_disk_that_takes_no_more_is_not_the_exports_fault(tmp_path):
    done = subprocess.run([sys.executable, "-c", LITTLE_DISK, str(tmp_path)], capture_output=True, text=True)
    assert done.stdout == "File too large 0\n", done.stderr


def test_a_german_log_with_order_numbers_is_a_table_of_events_not_an_order_book(tmp_path):
    head = "Datum;Besucher-ID;Sitzung;Ereignis;Seite;Bestellnummer;Umsatz;Währung"
    text = f"{head}\n01.09.2026;B1;S1;Kauf;/danke;A-1;1.234,56;EUR\n"
    (tmp_path / "log.csv").write_text(text, encoding="cp1252")
    assert list(recognise(opened(tmp_path, "log.csv", scratch=tmp_path))) == ["table"]


@pytest.mark.parametrize("event", [{}, {"event": ["=visit"]}])
def test_sessions_with_steps_may_name_their_landing_page(tmp_path, event):
    write(tmp_path, "s.csv", "id,start,landing,bought\nS1,2026-03-02 10:00:00,/,1\nS2,2026-03-02 11:00:00,/p/1,0\n")
    columns = {"time": ["start"], "source_session": ["id"], "page_url": ["landing"], **event}
    found = rows_of("table", tmp_path, "s.csv", scratch=tmp_path / "x", columns=columns, steps={"purchase": "bought"})
    told = [(row["source_session"], row["event"], row["page_url"]) for row in plain(found, "source_session, order_1")]
    assert told == [("S1", "session_start", "/"), ("S1", "purchase", "/"), ("S2", "session_start", "/p/1")]


def test_a_row_keeps_its_line_where_others_are_looked_up(tmp_path, scratch):
    many = 30_000
    rows = "".join(f"s{n * 7919 % 1000},2026-03-02 10:00:00,/{n}\n" for n in range(many))
    write(tmp_path, "views.csv", "sid,ts,url\n" + rows)
    write(tmp_path, "sessions.csv", "sid,cookie\n" + "".join(f"s{n},c{n}\n" for n in range(1000)))
    columns = {"session": "sid", "time": "ts", "page": "url", "device_id": "cookie"}
    found = rows_of(
        "table", tmp_path, "views.csv", "sessions.csv", scratch=scratch, columns=columns, join={"sessions.csv": "sid"}
    )
    assert found.frame().sort_values("line").page_url.tolist() == [f"/{n}" for n in range(many)]


def test_an_hour_that_comes_twice_is_told_apart_in_each_session_where_the_file_runs_by_session(tmp_path, scratch):
    clocks = {
        "s1": ["02:50:00", "02:05:00"],
        "s2": ["01:58:00", "02:40:00"],
        "s3": ["02:55:00", "02:01:00", "03:01:00"],
    }
    rows = [f"{one},{one},2026-10-25 {clock},view" for one, several in clocks.items() for clock in several]
    found = read(tmp_path, "\n".join(["session_id,visitor_id,time,event", *rows, ""]), timezone="Europe/Berlin")
    times = found.frame().sort_values("line").time
    assert [f"{time:%H:%M}" for time in times] == ["00:50", "01:05", "23:58", "00:40", "00:55", "01:01", "02:01"]
    newest_first = [*reversed(rows), "s4,s4,2026-10-25 12:00:00,view", "s4,s4,2026-10-25 11:00:00,view"]
    (tmp_path / "b").mkdir()
    text = "\n".join(["session_id,visitor_id,time,event", *newest_first, ""])
    times = read(tmp_path / "b", text, timezone="Europe/Berlin").frame().sort_values("line").time
    assert [f"{time:%H:%M}" for time in times][:3] == ["02:01", "00:01", "00:55"], (
        "its sessions do not run in the order of time"
    )


def test_german_words_for_direct_are_it(tmp_path):
    [row] = plain(read(tmp_path, "time,event,visitor_id,source,medium\n2026-03-02 10:00:00,view,a,(direkt),(keine)\n"))
    assert (row["source"], row["medium"]) == ("(direct)", "(none)")


def test_the_tables_of_segments_warehouse_have_ids(tmp_path):
    [row] = plain(
        read(
            tmp_path, "id,anonymous_id,received_at,timestamp,event\nm1,a,2026-03-02 10:00:09,2026-03-02 10:00:00,view\n"
        )
    )
    assert (row["event_id"], row["time"]) == ("m1", "2026-03-02 10:00:00")


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("visitor,time,event,page", {"device_id": "visitor", "time": "time", "event": "event", "page_url": "page"}),
        ("VisitorID,eventtime,EventName,pageurl", {"device_id": "VisitorID", "time": "eventtime", "event": "EventName", "page_url": "pageurl"}),
        ("sessionid,started_at,orderid,grand_total", {"source_session": "sessionid", "time": "started_at", "order_id": "orderid", "amount": "grand_total"}),
        ("StockCode,InvoiceNo,user", {"item_id": "StockCode", "order_id": "InvoiceNo", "user_id": "user"}),
    ],
)  # fmt: skip
def test_usual_columns_are_known_however_their_words_are_joined(tmp_path, header, expected):
    file = InputFile(tmp_path / "a.csv", "raw/a.csv", "csv", columns=tuple(header.split(",")))
    assert {target: names[0] for target, names in mapping.guess(file).items()} == expected
