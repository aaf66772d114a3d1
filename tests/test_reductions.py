"""The queries that reduce a GA4 export in BigQuery, and their results read back."""

from __future__ import annotations

import gzip
import json
import re
from datetime import date

import duckdb
import pytest
import sqlglot
from exports import FIXTURES, expected, plain, rows_of
from sqlglot import exp
from test_sources_ga4 import parquet_types

from conversion_audit import behind
from conversion_audit.config import read_config
from conversion_audit.errors import ConfigError
from conversion_audit.intake import reductions
from conversion_audit.intake.sources import ga4, stage_counts

FOLDER = FIXTURES / "ga4"
DAYS = date(2026, 3, 1), date(2026, 3, 31)
STEPS = [("view_item", "product_view"), ("purchase", "purchase")]


@pytest.fixture
def tables(tmp_path):
    """The fixture's rows as BigQuery holds them: nested, typed, with the suffix of each table's name."""
    lines = (FOLDER / "events.ndjson").read_text(encoding="utf-8").splitlines()
    path = tmp_path / "events.ndjson"
    path.write_text("\n".join(line for line in lines if line.strip().endswith("}")), encoding="utf-8")
    kinds = parquet_types()
    click = "STRUCT(source VARCHAR, medium VARCHAR, campaign_name VARCHAR"
    kinds["session_traffic_source_last_click"] = (
        f"STRUCT(manual_campaign {click}), cross_channel_campaign {click}, default_channel_group VARCHAR), "
        "google_ads_campaign STRUCT(campaign_name VARCHAR))"
    )
    kinds["ecommerce"] = "STRUCT(transaction_id VARCHAR, purchase_revenue DOUBLE, refund_value DOUBLE)"
    kinds["items"] = (
        "STRUCT(item_id VARCHAR, item_name VARCHAR, item_brand VARCHAR, item_category VARCHAR, price DOUBLE, quantity BIGINT)[]"
    )
    with duckdb.connect() as connection:
        connection.execute(
            "CREATE TABLE events AS SELECT *, event_date AS _TABLE_SUFFIX "
            "FROM read_json($path, format = 'newline_delimited', columns = $columns)",
            {"path": str(path), "columns": kinds},
        )
        yield connection


def in_duckdb(tree: exp.Expression) -> str:
    """BigQuery's words as DuckDB understands them: only for this test."""
    for table in tree.find_all(exp.Table):
        if table.name == "events_*":
            table.replace(exp.table_("events", alias="events"))
    text = tree.sql("duckdb")
    return re.sub(
        r"FROM UNNEST\((event_params|user_properties|items)\)", r"FROM (SELECT UNNEST(\1, max_depth := 2))", text
    )


def test_the_reduced_rows_are_read_back_as_those_of_the_whole_export(tables, tmp_path):
    query = in_duckdb(reductions.events("p.d", *DAYS, ["theme"]))
    tables.execute(f"COPY ({query}) TO '{tmp_path / 'events.csv'}' (HEADER, DELIMITER ',')")
    (tmp_path / "events.csv.gz").write_bytes(gzip.compress((tmp_path / "events.csv").read_bytes()))
    found = plain(rows_of("ga4", tmp_path, "events.csv.gz", scratch=tmp_path / "scratch"), "time, event, event_id")
    found = [row for row in found if "time" in row]
    whole = [row for row in expected("ga4", "expected.json") if "time" in row]
    whole.sort(key=lambda row: (row["time"], row["event"], row.get("event_id", "")))
    # Place in the file and whatever no rule asked for are not brought along.
    left_out = ("file", "line", "properties")
    assert [{k: v for k, v in row.items() if k not in left_out} for row in found] == [
        {k: v for k, v in row.items() if k not in left_out} for row in whole
    ]


def test_the_totals_are_read_back_as_stage_counts(tables, tmp_path):
    query = in_duckdb(reductions.stages("p.d", *DAYS, STEPS))
    tables.execute(f"COPY ({query}) TO '{tmp_path / 'stages.csv'}' (HEADER, DELIMITER ',')")
    rows = rows_of("stage_counts", tmp_path, "stages.csv", scratch=tmp_path / "scratch")
    found = rows.engine.query("SELECT stage, sum(count) AS n FROM t GROUP BY stage ORDER BY stage", {"t": rows})
    lines = (FOLDER / "events.ndjson").read_text(encoding="utf-8").splitlines()
    events = [json.loads(line) for line in lines if line.strip().endswith("}")]
    sessions = {
        (event["user_pseudo_id"], str(value))
        for event in events
        if event["event_name"] == "purchase" and event.get("user_pseudo_id")
        for value in [_of(event, "ga_session_id")]
        if value
    }
    assert dict(zip(found.stage, found.n, strict=True))["purchase"] == len(sessions) > 0


def _of(event: dict, key: str) -> str | None:
    found = [one["value"] for one in event.get("event_params", []) if one["key"] == key]
    return next((next(iter(value.values())) for value in found), None)


def test_the_columns_are_those_that_intake_reads():
    leaves = set(_leaves(ga4.SHAPE))
    query = reductions.events("p.d", *DAYS, ["video_current_time", "user.tier"])
    params = {
        one.alias for one in query.expressions if one.find(exp.Unnest) and one.alias not in ("items", "user_properties")
    }
    assert {name for name in query.named_selects if name not in params} - leaves == set()
    assert {"ga_session_id", "page_location", "transaction_id", "value", "video_current_time"} <= params
    assert "user_properties" in query.named_selects
    usual = {name for names in stage_counts._USUAL.values() for name in names}
    assert set(reductions.stages("p.d", *DAYS, STEPS).named_selects) <= usual


def _leaves(shape, path=()):
    for name, inner in shape.items():
        if isinstance(inner, dict):
            yield from _leaves(inner, (*path, name))
        else:
            yield "_".join((*path, name))


def test_only_the_tables_of_the_period_are_read_and_hostile_names_stay_names():
    query = reductions.events("my-project.analytics_1", *DAYS, ["it's `odd`"])
    text = query.sql("bigquery")
    assert "FROM `my-project`.`analytics_1`.`events_*` AS events" in text
    assert "_TABLE_SUFFIX BETWEEN '20260301' AND '20260331'" in text
    assert "key = 'it\\'s `odd`'" in text
    assert sqlglot.parse_one(text, read="bigquery").named_selects[-1] == "it's `odd`"


def test_the_client_s_script_parses_and_says_how_results_come_back(small_shop, monkeypatch):
    monkeypatch.setenv("AUDIT_HOME", str(small_shop))
    text = behind.reductions("demo", "bigquery", "p.d")
    first, second = [one for one in sqlglot.parse(text, read="bigquery") if one is not None]
    assert {"video_current_time"} <= set(first.named_selects)
    assert second.named_selects == ["date", "stage", "segment", "count"]
    assert all(
        words in text for words in ("not run here", "EXPORT DATA", "kind: ga4", "kind: stage_counts", "backend: spark")
    )
    steps = read_config("demo").steps
    assert all(f"'{step}' AS stage" in text for step in steps)


def test_a_client_without_ga4_has_no_reductions(audit_home):
    (audit_home / "data" / "acme").mkdir()
    (audit_home / "data" / "acme" / "audit.yaml").write_text(
        "client: Acme\ngoals: {purchase: {event: purchase}}\nmain_goal: purchase\njourney: [purchase]\n"
        "timezone: UTC\ncurrency: EUR\nsources: [{kind: mixpanel, files: raw/*}]\n",
        encoding="utf-8",
    )
    with pytest.raises(ConfigError) as refused:
        behind.reductions("acme", "bigquery")
    assert str(refused.value) == (
        "data/acme/audit.yaml: no table is named\n"
        "    Reductions are for GA4 exports in BigQuery.\n"
        "    Name a table: audit sql acme funnel --dialect bigquery"
    )
