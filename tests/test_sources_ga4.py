from __future__ import annotations

import csv
import gzip
import json

import duckdb
import pytest
from exports import FIXTURES, expected, opened, plain, rows_of

from conversion_audit.config import Source
from conversion_audit.engine import Engine
from conversion_audit.errors import DataError
from conversion_audit.intake.sources import ga4, recognise

FOLDER = FIXTURES / "ga4"
LINES = [line for line in (FOLDER / "events.ndjson").read_text(encoding="utf-8").splitlines() if line.strip()]
WHOLE = [line for line in LINES if line.endswith("}")]


def without_lines(rows: list[dict]) -> list[dict]:
    return [{name: value for name, value in row.items() if name not in ("file", "line")} for row in rows]


@pytest.fixture
def scratch(tmp_path):
    return tmp_path / "scratch"


def test_every_row_of_the_fixture_is_read_as_it_stands_beside_it(scratch):
    assert plain(rows_of("ga4", FOLDER, "events.ndjson", scratch=scratch)) == expected("ga4", "expected.json")


def test_the_kind_is_told_from_the_rows_whatever_the_file_is_called(tmp_path, scratch):
    (tmp_path / "what.ever").write_text("\n".join(LINES), encoding="utf-8")
    found = recognise(opened(tmp_path, "what.ever", scratch=scratch))
    assert {kind: reason for kind, [(_, reason)] in found.items()} == {
        "ga4": "its rows have event_date, event_name, event_params, event_timestamp, user_pseudo_id"
    }


def test_gzip_gives_the_same_rows(tmp_path, scratch):
    (tmp_path / "events.ndjson").write_bytes(gzip.compress("\n".join(WHOLE).encode()))
    found = plain(rows_of("ga4", tmp_path, "events.ndjson", scratch=scratch))
    assert without_lines(found) == without_lines(expected("ga4", "expected.json")[:-1])


def test_parquet_gives_the_same_rows(tmp_path, scratch):
    (tmp_path / "in.ndjson").write_text("\n".join(WHOLE), encoding="utf-8")
    with duckdb.connect() as connection:
        rows = connection.execute(
            "CREATE TABLE rows AS SELECT * FROM read_json($path, format = 'newline_delimited', columns = $columns)",
            {"path": str(tmp_path / "in.ndjson"), "columns": parquet_types()},
        )
        rows.execute(f"COPY rows TO '{tmp_path / 'events.parquet'}' (FORMAT parquet)")
    found = plain(rows_of("ga4", tmp_path, "events.parquet", scratch=scratch))
    assert without_lines(found) == without_lines(expected("ga4", "expected.json")[:-1])


def parquet_types() -> dict[str, str]:
    """The export's own types, without the columns that older exports lack."""
    value = "STRUCT(string_value VARCHAR, int_value BIGINT, float_value DOUBLE, double_value DOUBLE)"
    parameters = f'STRUCT("key" VARCHAR, "value" {value})[]'
    texts = ("event_date", "event_name", "user_id", "user_pseudo_id", "stream_id", "platform", "event_timestamp")
    return {
        **dict.fromkeys(texts, "VARCHAR"),
        **dict.fromkeys(
            ("event_bundle_sequence_id", "batch_event_index", "batch_page_id", "batch_ordering_id"), "BIGINT"
        ),
        "event_params": parameters,
        "user_properties": parameters,
        "privacy_info": "STRUCT(analytics_storage VARCHAR)",
        "device": 'STRUCT(category VARCHAR, operating_system VARCHAR, "language" VARCHAR, '
        "web_info STRUCT(browser VARCHAR, browser_version VARCHAR))",
        "geo": "STRUCT(country VARCHAR, region VARCHAR)",
        "app_info": "STRUCT(version VARCHAR)",
        "traffic_source": 'STRUCT("name" VARCHAR, medium VARCHAR, source VARCHAR)',
        "collected_traffic_source": "STRUCT(manual_source VARCHAR, manual_medium VARCHAR, manual_campaign_name VARCHAR, gclid VARCHAR)",
        "session_traffic_source_last_click": "STRUCT(manual_campaign STRUCT(source VARCHAR), cross_channel_campaign "
        "STRUCT(source VARCHAR, medium VARCHAR, campaign_name VARCHAR, default_channel_group VARCHAR))",
        "ecommerce": "STRUCT(transaction_id VARCHAR, purchase_revenue DOUBLE)",
        "items": "STRUCT(item_id VARCHAR, item_name VARCHAR, item_category VARCHAR, price DOUBLE, quantity BIGINT)[]",
    }


def test_bigquery_s_wrapped_lists_are_unwrapped(tmp_path, scratch):
    with duckdb.connect() as connection:
        connection.execute(f"""
            COPY (SELECT 'page_view' AS event_name, 1772449200000000 AS event_timestamp, '1.1' AS user_pseudo_id,
                         {{'list': [{{'element': {{'key': 'page_location', 'value': {{'string_value': 'https://a.example/'}}}}}}]}} AS event_params)
            TO '{tmp_path / "events.parquet"}' (FORMAT parquet)
        """)
    [row] = plain(rows_of("ga4", tmp_path, "events.parquet", scratch=scratch))
    assert row["page_url"] == "https://a.example/"


def test_a_flat_csv_export_gives_the_same_as_the_nested_one(tmp_path, scratch):
    rows = [
        ["event_date", "event_timestamp", "event_name", "user_pseudo_id", "device.category", "geo_country", "ga_session_id",
         "event_params.page_location", "transaction_id", "value", "currency", "items", "theme"],
        ["20260302", "1772449260000000", "purchase", "1712345678.1234567890", "mobile", "Germany", "1772449200",
         "https://shop.example/done", "0012", "59.9", "EUR", '[{"item_id":"SKU-1","price":"29.95"}]', "dark"],
    ]  # fmt: skip
    with (tmp_path / "flat.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(rows)
    assert plain(rows_of("ga4", tmp_path, "flat.csv", scratch=scratch)) == [
        {
            "file": "flat.csv", "line": 1, "device_id": "1712345678.1234567890", "source_session": "1772449200",
            "time": "2026-03-02 11:01:00", "local_date": "2026-03-02", "event": "purchase",
            "page_url": "https://shop.example/done", "device": "mobile", "country": "Germany", "order_id": "0012",
            "amount": 59.9, "currency": "EUR", "is_purchase": True, "properties": {"value": "59.9", "theme": "dark"},
            "items": [{"item_id": "SKU-1", "name": None, "category": None, "brand": None, "price": "29.95", "quantity": None}],
        }
    ]  # fmt: skip


def test_a_shop_s_own_page_views_are_named_in_its_config(tmp_path, scratch):
    row = {"event_timestamp": "1772449260000000", "user_pseudo_id": "1.1", "event_params": []}
    names = ["virtual_page_view", "page_view", "scroll"]
    text = "\n".join(json.dumps(row | {"event_name": name}) for name in names)
    (tmp_path / "events.ndjson").write_text(text, encoding="utf-8")
    found = rows_of("ga4", tmp_path, "events.ndjson", scratch=scratch, page_events=["virtual_page_view"])
    assert [row.get("is_page", False) for row in plain(found)] == [True, True, False]


@pytest.mark.parametrize("bad", ["", '{"event_name": "view", "cut\n'])
def test_a_flat_table_as_json_lines_keeps_its_parameters_also_those_that_come_late(tmp_path, scratch, bad):
    row = {
        "event_date": "20260302", "event_timestamp": 1772449260000000, "event_name": "purchase", "user_pseudo_id": "1.1",
        "device": {"category": "mobile"}, "geo_country": "Germany", "ga_session_id": 1772449200,
        "page_location": "https://shop.example/done", "transaction_id": "0012", "value": 59.9,
        "items": [{"item_id": "SKU-1", "price": 29.95}],
    }  # fmt: skip
    first = [json.dumps({key: row[key] for key in list(row)[:4]} | {"event_name": "scroll"})] * 60
    text = "\n".join([*first, json.dumps(row | {"theme": "dark"})]) + "\n" + bad
    (tmp_path / "flat.json").write_text(text, encoding="utf-8")
    found = plain(rows_of("ga4", tmp_path, "flat.json", scratch=scratch))
    assert len(found) == 61 + bool(bad)
    assert found[60] | {"items": None} == {
        "file": "flat.json", "line": 61, "device_id": "1.1", "source_session": "1772449200", "time": "2026-03-02 11:01:00",
        "local_date": "2026-03-02", "event": "purchase", "page_url": "https://shop.example/done", "device": "mobile",
        "country": "Germany", "order_id": "0012", "amount": 59.9, "is_purchase": True,
        "properties": {"value": "59.9", "theme": "dark"}, "items": None,
    }  # fmt: skip
    assert [item["item_id"] for item in found[60]["items"]] == ["SKU-1"]


@pytest.mark.parametrize("format", ["csv", "parquet"])
@pytest.mark.parametrize(
    "names",
    [
        ("session_source", "session_medium", "session_campaign"),
        ("session_source", "session_medium", "session_campaign_name"),
        *(
            tuple(f"session_traffic_source_last_click{mark}{part}" for part in ("source", "medium", "campaign"))
            for mark in "._"
        ),
        tuple(
            f"session_traffic_source_last_click_manual_campaign_{part}"
            for part in ("source", "medium", "campaign_name")
        ),
    ],
)
def test_a_flat_table_names_the_session_s_source_in_any_usual_way(tmp_path, scratch, names, format):
    head = ["event_timestamp", "event_name", "user_pseudo_id", "ga_session_id", "page_location", "gclid", *names]
    values = ["1772449260000000", "page_view", "1.1", "7", "https://a.example/", "", "news", "email", "spring"]
    with (tmp_path / "flat.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([head, values])
    if format == "parquet":
        with duckdb.connect() as connection:
            connection.execute(f"COPY (FROM '{tmp_path / 'flat.csv'}') TO '{tmp_path / 'flat.parquet'}'")
    [row] = plain(rows_of("ga4", tmp_path, f"flat.{format}", scratch=scratch))
    assert [row.get(name) for name in ("source", "medium", "campaign")] == ["news", "email", "spring"]
    assert (row["source_session"], row["page_url"]) == ("7", "https://a.example/")


def test_flat_parquet_files_with_other_columns_each_keep_their_own(tmp_path, scratch):
    head = "'page_view' AS event_name, 1772449260000000 AS event_timestamp, '1.1' AS user_pseudo_id"
    for name, more in (("a", ""), ("b", ", 'https://a.example/' AS page_location")):
        duckdb.execute(f"COPY (SELECT {head}{more}) TO '{tmp_path / name}.parquet'")
    found = plain(rows_of("ga4", tmp_path, "a.parquet", "b.parquet", scratch=scratch))
    assert [row.get("page_url") for row in found] == [None, "https://a.example/"]


def test_a_csv_may_hold_event_params_as_json(tmp_path, scratch):
    params = json.dumps([{"key": "page_title", "value": {"string_value": "Hats"}}]).replace('"', '""')
    text = f'event_name,event_timestamp,user_pseudo_id,event_params\npage_view,1772449260000000,1.1,"{params}"\n'
    (tmp_path / "nested.csv").write_text(text, encoding="utf-8")
    [row] = plain(rows_of("ga4", tmp_path, "nested.csv", scratch=scratch))
    assert row["page_title"] == "Hats"


def test_a_time_that_a_spreadsheet_has_rounded_is_none(tmp_path, scratch):
    text = (
        "event_date,event_timestamp,event_name,user_pseudo_id\n20260302,{},page_view,1.1\n20260302,{},page_view,1.1\n"
    )
    (tmp_path / "flat.csv").write_text(text.format("1772449260000000", "1.77245E+15"), encoding="utf-8")
    found = plain(rows_of("ga4", tmp_path, "flat.csv", scratch=scratch))
    assert [(row.get("reject"), row.get("reject_value")) for row in found] == [
        (None, None),
        ("cast_failed", "1.77245E+15"),
    ]


def test_a_row_of_another_shape_is_named_with_its_column(tmp_path, scratch):
    lines = [WHOLE[1], '{"event_name":"x","event_timestamp":"1772449200000000","event_params":"none"}']
    (tmp_path / "events.ndjson").write_text("\n".join(lines) + "\n", encoding="utf-8")
    table = rows_of("ga4", tmp_path, "events.ndjson", scratch=scratch)
    assert plain(table)[1] == {
        "file": "events.ndjson", "line": 2, "reject": "wrong_shape", "reject_column": "event_params", "reject_value": lines[1],
    }  # fmt: skip
    assert table.notes == ("events.ndjson: a line cannot be read: line 2 (wrong_shape)",)


@pytest.mark.parametrize(
    "column", ["'jo@example.com' AS event_params", "['jo@example.com'] AS event_params", "'jo@example.com' AS device"]
)
def test_parquet_of_another_shape_is_refused_without_the_value_that_is_there(column, tmp_path, scratch):
    with duckdb.connect() as connection:
        row = (
            f"SELECT '20260302' AS event_date, 'x' AS event_name, 1 AS event_timestamp, 'a' AS user_pseudo_id, {column}"
        )
        connection.execute(f"COPY ({row}) TO '{tmp_path / 'events.parquet'}' (FORMAT parquet)")
    with pytest.raises(DataError) as refused:
        rows_of("ga4", tmp_path, "events.parquet", scratch=scratch)
    assert "events.parquet: is damaged" in str(refused.value)
    assert "jo@" not in str(refused.value)


def test_daily_and_intraday_rows_of_one_event_have_one_id(tmp_path, scratch):
    for name in ("events_20260302.ndjson", "events_intraday_20260302.ndjson"):
        (tmp_path / name).write_text(WHOLE[1] + "\n", encoding="utf-8")
    found = plain(
        rows_of("ga4", tmp_path, "events_20260302.ndjson", "events_intraday_20260302.ndjson", scratch=scratch)
    )
    assert [(row["file"], row["line"]) for row in found] == [
        ("events_20260302.ndjson", 1),
        ("events_intraday_20260302.ndjson", 1),
    ]
    assert found[0]["event_id"] == found[1]["event_id"]


def test_a_truncated_archive_is_refused_with_what_was_seen_and_salvaged_only_when_asked(tmp_path, scratch):
    # Incompressible padding, so that half of the bytes hold some whole lines.
    lines = [WHOLE[1].replace("Start", f"Start {n:05} {n * 7919 % 104729:x}") for n in range(400)]
    whole = gzip.compress("\n".join(lines).encode() + b"\n")
    (tmp_path / "events.json.gz").write_bytes(whole[: len(whole) * 2 // 3])
    with pytest.raises(DataError) as error:
        rows_of("ga4", tmp_path, "events.json.gz", scratch=scratch)
    message = str(error.value)
    assert message.startswith("events.json.gz: ends in the middle: the compressed file is truncated (seen: '")
    assert message.endswith(
        "complete lines before the end')\n    What is missing cannot be counted.\n    Copy or export it again; "
        "or set `salvage: true` on this source to keep the complete lines."
    )
    kept = rows_of("ga4", tmp_path, "events.json.gz", scratch=scratch, salvage=True)
    assert 0 < len(kept) < 400
    assert kept.notes == ("events.json.gz: truncated; its complete lines were kept because of `salvage: true`",)


def test_two_files_are_numbered_apart_and_one_bad_file_does_not_disturb_the_other(tmp_path, scratch):
    (tmp_path / "a.ndjson").write_text("\n".join(WHOLE[:3]) + "\n", encoding="utf-8")
    (tmp_path / "b.ndjson").write_text(WHOLE[3] + "\n\nbroken\n" + WHOLE[4] + "\n", encoding="utf-8")
    found = plain(rows_of("ga4", tmp_path, "a.ndjson", "b.ndjson", scratch=scratch))
    assert [(row["file"], row["line"], row.get("reject")) for row in found] == [
        ("a.ndjson", 1, None), ("a.ndjson", 2, None), ("a.ndjson", 3, None),
        ("b.ndjson", 1, None), ("b.ndjson", 3, "bad_json"), ("b.ndjson", 4, None),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("params", "scope", "expected_source"),
    [
        ({"ga_session_number": "2"}, {}, None),
        ({"ga_session_number": "1"}, {}, "first"),
        ({"ga_session_number": "1", "source": "param"}, {}, "param"),
        ({}, {"collected_traffic_source": {"manual_source": "collected"}}, "collected"),
        ({}, {"collected_traffic_source": {"manual_source": "collected", "gclid": "x"}}, "google"),
        ({}, {"session_traffic_source_last_click": {"manual_campaign": {"source": "click"}}}, "click"),
        ({"source": "param"}, {"session_traffic_source_last_click": {"manual_campaign": {"source": "(not set)"}}}, "param"),
    ],
)  # fmt: skip
def test_the_traffic_source_is_the_session_s_not_the_visitor_s_first(tmp_path, scratch, params, scope, expected_source):
    row = {
        "event_name": "session_start", "event_timestamp": "1772449200000000", "user_pseudo_id": "1.1",
        "event_params": [{"key": key, "value": {"string_value": value}} for key, value in params.items()],
        "traffic_source": {"source": "first", "medium": "organic"}, **scope,
    }  # fmt: skip
    (tmp_path / "events.ndjson").write_text(json.dumps(row) + "\n", encoding="utf-8")
    [found] = plain(rows_of("ga4", tmp_path, "events.ndjson", scratch=scratch))
    assert found.get("source") == expected_source


def test_reading_leaves_the_engine_s_settings_as_they_were(tmp_path):
    engine = Engine([FOLDER, tmp_path], tmp_path)
    files = opened(FOLDER, "events.ndjson", scratch=tmp_path)
    ga4.read(engine, Source(kind="ga4", files="events.ndjson"), files, timezone=None, scratch=tmp_path)
    setting = engine.query("SELECT current_setting('preserve_insertion_order') AS kept").kept[0]
    assert not setting


def test_personal_data_in_the_names_of_events_are_masked_and_the_other_names_stay(tmp_path, scratch):
    first, second = (json.loads(line) for line in WHOLE[:2])
    first |= {
        "event_name": "signup jo@example.com",
        "device": {"category": "4111 1111 1111 1111", "web_info": {"browser": "Chrome"}},
    }
    (tmp_path / "events.ndjson").write_text("\n".join(map(json.dumps, (first, second))), encoding="utf-8")
    found = plain(rows_of("ga4", tmp_path, "events.ndjson", scratch=scratch))
    assert [row["event"] for row in found] == ["signup [email]", second["event_name"]]
    assert (found[0]["device"], found[0]["browser"]) == ("[card]", "Chrome")
