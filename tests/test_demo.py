"""The demo clients: what the export looks like, and that what is planted is really there."""

from __future__ import annotations

import gzip
import json
import re
from datetime import date
from pathlib import Path

import duckdb
import pandas as pd
import pytest

import conversion_audit
from conversion_audit.config import read_config
from conversion_audit.demo import planted, write_demo

SOURCES = Path(conversion_audit.__file__).parent
STEPS = ["view_item", "add_to_cart", "begin_checkout", "add_shipping_info", "add_payment_info", "purchase"]
SESSIONS = """
    SELECT user_pseudo_id AS device_key, regexp_extract(event_params, 'ga_session_id.{25}([0-9]+)', 1) AS session,
        min(event_date) AS day, any_value(device.category) AS device, any_value(device.operating_system) AS os,
        any_value(device.web_info.browser) AS browser, any_value(geo.country) AS country,
        any_value(session_traffic_source_last_click.cross_channel_campaign.default_channel_group) AS channel,
        list(DISTINCT event_name) AS events, count(*) AS rows
    FROM rows WHERE user_pseudo_id IS NOT NULL GROUP BY 1, 2
"""


def read(folder: Path) -> duckdb.DuckDBPyConnection:
    """Return the export as table `rows`, one JSON object a row."""
    connection = duckdb.connect()
    files = str(folder / "events_*.json.gz")
    columns = dict.fromkeys(
        ("event_date", "event_timestamp", "event_name", "user_pseudo_id", "event_params"), "VARCHAR"
    )
    columns |= {f"batch_{name}": "VARCHAR" for name in ("page_id", "ordering_id", "event_index")}
    columns |= {
        "device": "STRUCT(category VARCHAR, operating_system VARCHAR, web_info STRUCT(browser VARCHAR))",
        "geo": "STRUCT(country VARCHAR)",
        "session_traffic_source_last_click": "STRUCT(cross_channel_campaign STRUCT(default_channel_group VARCHAR))",
        "ecommerce": "STRUCT(transaction_id VARCHAR)",
    }
    read_rows = (
        f"CREATE TABLE rows AS SELECT * FROM read_json('{files}', format='newline_delimited', columns={columns})"
    )
    connection.execute(read_rows)
    return connection


def sessions_of(connection: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    """Return one row per session, with a column per step."""
    sessions = connection.execute(SESSIONS).df()
    return sessions.assign(**{step: [step in events for events in sessions["events"]] for step in STEPS})


@pytest.fixture(scope="module")
def shop(tmp_path_factory) -> duckdb.DuckDBPyConnection:
    """The shop at full size."""
    folder = tmp_path_factory.mktemp("shop")
    write_demo(folder)
    return read(folder)


@pytest.fixture(scope="module")
def leads(tmp_path_factory) -> duckdb.DuckDBPyConnection:
    """The site for leads at full size."""
    folder = tmp_path_factory.mktemp("leads")
    write_demo(folder, shop="leads")
    return read(folder)


@pytest.fixture(scope="module")
def shop_sessions(shop) -> pd.DataFrame:
    return sessions_of(shop)


@pytest.fixture(scope="module")
def small(tmp_path_factory) -> list[dict]:
    """Every row of a small shop, as Python reads it."""
    return rows_of(write_demo(tmp_path_factory.mktemp("small"), sessions=800))


def rows_of(files: list[Path]) -> list[dict]:
    return [json.loads(line) for file in files for line in gzip.open(file, "rt", encoding="utf-8")]


def events_of(connection: duckdb.DuckDBPyConnection) -> set[str]:
    return {event for (event,) in connection.execute("SELECT DISTINCT event_name FROM rows").fetchall()}


def params(row: dict) -> dict:
    return {one["key"]: next(iter(one["value"].values())) for one in row["event_params"]}


def loss(sessions: pd.DataFrame, segment: dict[str, str], step: str) -> float:
    """Return the share of passes missing in a segment, against all other sessions that came as far."""
    came = sessions[sessions[STEPS[STEPS.index(step) - 1]]]
    inside = pd.concat([came[column] == level for column, level in segment.items()], axis=1).all(axis=1)
    return 1 - came.loc[inside, step].mean() / came.loc[~inside, step].mean()


def test_every_row_has_the_fields_and_nesting_of_the_export(small):
    for row in small:
        assert re.fullmatch(r"2026\d{4}", row["event_date"])
        assert re.fullmatch(r"\d{16}", row["event_timestamp"])
        assert {"batch_page_id", "batch_ordering_id", "batch_event_index"} <= row.keys()
        assert set(row["device"]) == {"category", "operating_system", "language", "web_info"}
        assert set(row["device"]["web_info"]) == {"browser", "hostname"}
        assert set(row["traffic_source"]) == {"name", "medium", "source"}
        assert set(row["session_traffic_source_last_click"]) == {"manual_campaign", "cross_channel_campaign"}
        assert all(len(one["value"]) == 1 for one in row["event_params"])
        assert params(row)["page_location"].startswith("https://www.northlight.example/")
        assert ("user_pseudo_id" in row) == (row["privacy_info"]["analytics_storage"] == "Yes")
        assert ("ga_session_id" in params(row)) == ("user_pseudo_id" in row)


def test_local_day_is_the_day_of_the_timestamp_in_berlin(small):
    rows = pd.DataFrame({"day": [row["event_date"] for row in small], "at": [row["event_timestamp"] for row in small]})
    local = pd.to_datetime(rows["at"].astype("int64"), unit="us", utc=True).dt.tz_convert("Europe/Berlin")
    assert (local.dt.strftime("%Y%m%d") == rows["day"]).all()


def test_purchases_carry_an_order_and_its_items(small):
    orders = [row for row in small if row["event_name"] == "purchase"]
    assert orders
    for row in orders:
        assert row["ecommerce"]["purchase_revenue"] == params(row)["value"] > 0
        assert {"item_id", "item_name", "item_category", "price", "quantity"} <= row["items"][0].keys()


def test_order_of_events_within_a_session_is_total(shop):
    tied = """
        SELECT count(*) FROM (SELECT 1 FROM rows WHERE user_pseudo_id IS NOT NULL GROUP BY user_pseudo_id,
            event_timestamp, batch_page_id, batch_ordering_id, batch_event_index HAVING count(*) > 1)
    """
    assert shop.execute(tied).fetchall() == [(0,)]


def test_shop_is_as_large_as_its_docstring_says(shop, shop_sessions):
    orders = shop.execute("SELECT count(DISTINCT ecommerce.transaction_id) FROM rows WHERE event_name = 'purchase'")
    assert len(shop_sessions) > 60_000
    assert 35_000 < shop_sessions["device_key"].nunique() < 40_000
    assert orders.fetchall()[0][0] > 1_600
    assert 0.025 < shop_sessions["purchase"].mean() < 0.031
    assert shop.execute("SELECT count(DISTINCT event_date) FROM rows").fetchall() == [(56,)]


def test_dirt_stays_small(shop):
    found = """
        SELECT avg(CASE WHEN user_pseudo_id IS NULL THEN 1 ELSE 0 END),
            count(*) FILTER (WHERE event_name = 'purchase') - count(DISTINCT ecommerce.transaction_id),
            count(*) FILTER (WHERE event_name = 'purchase' AND ecommerce.transaction_id IS NULL),
            count(*) FILTER (WHERE contains(event_params, '@example.org'))
        FROM rows
    """
    denied, repeated, nameless, addresses = shop.execute(found).fetchall()[0]
    assert 0.03 < denied < 0.05
    assert 10 < repeated < 60
    assert 0 < nameless < 20
    assert 0 < addresses < 1_000


@pytest.mark.parametrize(
    "friction", [one for one in planted() if one["kind"] == "friction"], ids=lambda one: one["name"]
)
def test_planted_friction_shows_in_a_plain_count(shop_sessions, friction):
    step = STEPS[["product_view", "add_to_cart", "checkout", "shipping", "payment", "purchase"].index(friction["step"])]
    assert loss(shop_sessions, friction["segment"], step) == pytest.approx(friction["loss"], abs=0.06)
    assert friction["expected_lost_orders"] > 40


def test_planted_incident_shows_on_its_days_only(shop_sessions):
    incident = next(one for one in planted() if one["kind"] == "incident")
    days = pd.to_datetime(shop_sessions["day"]).dt.date
    within = days.between(incident["first_day"], incident["last_day"])
    assert (incident["first_day"], incident["last_day"]) == (date(2026, 4, 8), date(2026, 4, 19))
    assert loss(shop_sessions[within], incident["segment"], "add_to_cart") == pytest.approx(incident["loss"], abs=0.1)
    assert loss(shop_sessions[~within], incident["segment"], "add_to_cart") == pytest.approx(0, abs=0.08)
    assert incident["expected_lost_orders"] > 40


def test_paid_social_grows_in_the_second_half(shop_sessions):
    late = shop_sessions["day"] >= "20260330"
    social = shop_sessions["channel"] == "Paid Social"
    assert social[late].mean() > 1.6 * social[~late].mean()


def test_harmless_error_costs_nothing(shop_sessions):
    errors = shop_sessions["events"].map(lambda events: "exception" in events)
    firefox = shop_sessions["browser"] == "Firefox"
    assert errors[firefox & shop_sessions["begin_checkout"]].mean() > 0.4
    assert loss(shop_sessions, {"browser": "Firefox"}, "add_shipping_info") == pytest.approx(0, abs=0.06)


def test_same_seed_gives_the_same_bytes_and_another_seed_others(tmp_path):
    first, again, other = (
        [file.read_bytes() for file in write_demo(tmp_path / name, sessions=400, seed=seed)]
        for name, seed in (("a", 1), ("b", 1), ("c", 2))
    )
    assert first == again
    assert first != other


def test_what_is_planted_is_read_by_nothing_but_the_generator():
    readers = [
        path.relative_to(SOURCES).as_posix()
        for path in sorted(SOURCES.rglob("*.py"))
        if path.relative_to(SOURCES).parts[0] != "demo"
        and re.search(r"\bplanted\b|demo\.(plans|walk|world|shop|leads)", path.read_text("utf-8"))
    ]
    assert readers == []


@pytest.mark.parametrize("client, export", [("demo", "shop"), ("demo-leads", "leads")])
def test_config_is_valid_and_names_only_events_that_occur(request, monkeypatch, client, export):
    monkeypatch.setenv("AUDIT_HOME", str(SOURCES.parents[1]))
    config = read_config(client)
    named = {event for rule in (config.micro_conversions | config.goals).values() for event in rule.event}
    assert config.main_goal == config.steps[-1]
    assert named - events_of(request.getfixturevalue(export)) == set()


def test_site_for_leads_has_forms_and_telephone_links_and_nothing_to_buy(leads, tmp_path):
    links = (
        "SELECT DISTINCT regexp_extract(event_params, 'link_url.{27}([a-z]+):', 1) FROM rows WHERE event_name = 'click'"
    )
    assert {"form_start", "form_submit", "generate_lead", "file_download", "click"} <= events_of(leads)
    assert events_of(leads).isdisjoint({"purchase", "add_to_cart", "view_item", "begin_checkout"})
    assert {link for (link,) in leads.execute(links).fetchall()} == {"tel", "mailto"}
    assert len(sessions_of(leads)) > 20_000
    rows = rows_of(write_demo(tmp_path, shop="leads", sessions=800))
    assert not any("ecommerce" in row or "items" in row or "currency" in params(row) for row in rows)


def test_planted_friction_of_the_site_for_leads_shows_in_a_plain_count(leads):
    begun = """
        SELECT device.web_info.browser = 'Safari' AS safari, max(CAST(event_name = 'form_step' AS INT)) AS passed
        FROM rows WHERE user_pseudo_id IS NOT NULL
        GROUP BY user_pseudo_id, regexp_extract(event_params, 'ga_session_id.{25}([0-9]+)', 1), safari
        HAVING bool_or(event_name = 'form_start' AND contains(event_params, '"quote"'))
    """
    rates = leads.execute(begun).df().groupby("safari")["passed"].mean()
    assert 1 - rates[True] / rates[False] == pytest.approx(planted(shop="leads")[0]["loss"], abs=0.06)


def test_later_period_follows_and_has_one_friction_less_and_a_new_incident():
    first, later = ({one["name"]: one for one in planted(variant=variant)} for variant in (None, "later"))
    assert set(first) - set(later) == {"safari_card_field", "size_picker_incident", "paid_social_growth"}
    assert set(later) - set(first) == {"mobile_cart_incident"}
    assert later["mobile_cart_incident"]["first_day"] == date(2026, 5, 18)
    assert later["mobile_cart_incident"]["expected_lost_orders"] > 40


def test_later_period_is_written_beside_the_first_and_some_visitors_return(tmp_path):
    first = write_demo(tmp_path, sessions=2_000)
    later = write_demo(tmp_path, sessions=2_000, variant="later")
    assert (first[-1].name, later[0].name) == ("events_20260426.json.gz", "events_20260427.json.gz")
    before, after = ({row.get("user_pseudo_id") for row in rows_of(files)} for files in (first, later))
    assert 0.05 < len(before & after) / len(after) < 0.3


@pytest.mark.slow
def test_later_period_has_planted_incident_in_a_plain_count(tmp_path):
    write_demo(tmp_path, variant="later")
    sessions = sessions_of(read(tmp_path))
    incident = next(one for one in planted(variant="later") if one["kind"] == "incident")
    within = pd.to_datetime(sessions["day"]).dt.date.between(incident["first_day"], incident["last_day"])
    assert loss(sessions[within], {"device": "mobile"}, "begin_checkout") == pytest.approx(incident["loss"], abs=0.1)
    assert loss(sessions, {"browser": "Safari"}, "add_payment_info") == pytest.approx(0, abs=0.06)
