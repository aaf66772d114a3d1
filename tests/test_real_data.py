"""One real day of a real shop, from its export to the report, without an edited line: numbers published by others."""

from __future__ import annotations

import json

import pytest
from conftest import real_data

PER_DEVICE = {
    "desktop": (338, 150, 92, 41),
    "mobile": (83, 22, 7, 2),
    "tablet": (9, 4, 1, 0),
}


@pytest.fixture(scope="module")
def ga_store(tmp_path_factory):
    """Return the audit and the published run of Google's merchandise store, 1 August 2017."""
    export = real_data("ga360_sample/ga_sample.parquet")
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AUDIT_HOME", str(home))
        from conversion_audit.audit import open_audit
        from conversion_audit.new import new_client
        from conversion_audit.runner import run

        new_client("ga-store", [export])
        yield open_audit("ga-store"), run("ga-store")


@pytest.fixture(scope="module")
def headline(ga_store) -> dict:
    _, published = ga_store
    return json.loads((published.folder / "manifest.json").read_text(encoding="utf-8"))["headline"]


def test_every_chapter_is_complete(ga_store):
    _, published = ga_store
    assert published.status == "complete", published.chapters


def test_sessions_visitors_hits_and_bounces_are_googles(ga_store, headline):
    audit, _ = ga_store
    assert (headline["sessions"], headline["visitors"], headline["bounces"]) == (2556, 2293, 1238)
    assert len(audit.events) == 13_233
    assert audit.engine.query("SELECT count(*) AS n FROM s WHERE is_single_page", {"s": audit.sessions}).n[0] == 1243


def test_the_time_zone_is_found_from_the_rows_own_dates(ga_store):
    audit, _ = ga_store
    assert audit.config.timezone == "America/Los_Angeles"
    days = audit.engine.query("SELECT DISTINCT CAST(date AS VARCHAR) AS day FROM s", {"s": audit.sessions}).day
    assert list(days) == ["2017-08-01"]


def test_repeated_order_ids_are_one_order_and_the_differing_two_are_listed(ga_store, headline):
    audit, _ = ga_store
    assert (headline["orders"], headline["revenue"]) == (43, 8736.14)
    orders = audit.orders.frame()
    assert sorted(orders[orders.differs].order_id) == ["ORD201708012571", "ORD201708012585"]
    bought = audit.engine.query(
        "SELECT count(*) AS n, count(amount) AS amounts, sum(amount) AS amount FROM e WHERE order_id IS NOT NULL",
        {"e": audit.events},
    ).iloc[0]
    assert (bought.n, bought.amounts, round(bought.amount, 2)) == (92, 45, 8902.00)


def test_the_sources_own_totals_are_shown_beside(ga_store):
    audit, published = ga_store
    said = audit.frame("source_totals").iloc[0]
    assert (said.source_orders, round(said.source_revenue, 2)) == (45, 8890.00)
    report = (published.folder / "client" / "report.html").read_text(encoding="utf-8").replace("\xa0", " ")
    assert "45 orders worth US$8,890" in report


def test_steps_with_and_without_order(headline):
    assert [step["sessions"] for step in headline["steps"]] == [430, 176, 100, 43]
    assert [step["sessions_in_order"] for step in headline["steps"]] == [430, 145, 71, 29]


def test_steps_by_device(headline):
    found = {device: tuple(step["sessions"] for step in steps) for device, steps in headline["steps_by_device"].items()}
    assert found == PER_DEVICE


def test_checkout_steps_one_two_and_three(ga_store):
    audit, _ = ga_store
    sql = "SELECT event, count(DISTINCT session_id) AS sessions FROM e WHERE event LIKE '%checkout%' GROUP BY event ORDER BY sessions DESC"
    assert list(audit.engine.query(sql, {"e": audit.events}).sessions) == [100, 64, 45]


def test_purchase_sessions_by_channel_and_device(ga_store):
    audit, _ = ga_store
    sql = """SELECT channel, count(*) AS sessions, count(CASE WHEN orders > 0 THEN 1 END) AS bought
             FROM s WHERE channel IN ('Referral', 'Organic Search') GROUP BY channel ORDER BY channel"""
    found = audit.engine.query(sql, {"s": audit.sessions})
    assert found.values.tolist() == [["Organic Search", 1346, 6], ["Referral", 436, 27]]
    devices = audit.engine.query(
        "SELECT device, count(*) AS n FROM s GROUP BY device ORDER BY device", {"s": audit.sessions}
    )
    assert devices.values.tolist() == [["desktop", 1742], ["mobile", 725], ["tablet", 89]]


def test_buying_without_a_product_view_is_a_tracking_finding(ga_store):
    audit, _ = ga_store
    sql = "SELECT session_id FROM m WHERE name = 'purchase' EXCEPT SELECT session_id FROM m WHERE name = 'product_view'"
    assert len(audit.engine.query(sql, {"m": audit.marks})) == 10
    found = {one.step: one.values for one in audit.findings if one.claim == "fitness.goal_without_step"}["product_view"]
    assert (found["goal_sessions"], found["goal_without"]) == (43, 9), "one saw the product in an earlier session"


def test_one_day_names_no_middle_and_says_what_would_narrow_it(headline):
    rate = headline["true_conversion_rate"]
    assert rate["estimate"] is None
    assert rate["gates"]
    assert rate["lower"] <= rate["upper"]


def test_the_otto_sample_goes_from_its_file_to_the_funnel_without_an_edited_line(audit_home):
    from conversion_audit.audit import open_audit
    from conversion_audit.new import new_client

    new_client("otto", [real_data("otto_sample/test/resources/train.jsonl")])
    audit = open_audit("otto")
    assert [source.kind for source in audit.config.sources] == ["table"]
    sql = "SELECT event, count(*) AS n, count(DISTINCT session_id) AS sessions FROM e GROUP BY event ORDER BY n DESC"
    counts = audit.engine.query(sql, {"e": audit.events})
    assert counts.to_numpy().tolist() == [["clicks", 800, 20], ["carts", 52, 7], ["orders", 10, 3]]
    funnel = audit.frame("funnel")
    assert funnel[["step", "sessions"]].to_numpy().tolist() == [
        ["product_view", 20],
        ["add_to_cart", 7],
        ["purchase", 3],
    ]
    assert funnel.sessions_in_order.tolist() == [20, 7, 2]
