"""The manifest's headline."""

import pandas as pd
from conftest import table

from conversion_audit.analysis.headline import headline, step_counts, totals

SESSIONS = table("""
    session_id visitor_id device  is_bounce
    s1         v1         mobile  False
    s2         v1         desktop False
    s3         v2         mobile  True
    s4         v3         -       False
""")
MARKS = table("""
    session_id visitor_id event_number name     hour
    s1         v1         1            view     1
    s2         v1         1            cart     2
    s2         v1         2            purchase 3
    s4         v3         1            cart     1
    s4         v3         2            view     2
""")
MARKS["time"] = pd.Timestamp("2026-03-01") + pd.to_timedelta(MARKS.hour, unit="h")
MARKS["visitor_event_number"] = [1, 2, 3, 1, 2]
MARKS["moment"], MARKS["visitor_moment"] = MARKS.event_number, MARKS.visitor_event_number
ORDERS = pd.DataFrame({"order_id": ["A"], "revenue": [80.0]})
NOTHING = pd.DataFrame({"order_id": pd.Series(dtype="string"), "revenue": pd.Series(dtype=float)})


def test_totals_count_the_period():
    assert totals(SESSIONS, ORDERS, MARKS, "purchase", in_orders=True) == {
        "goal": "purchase", "sessions": 4, "visitors": 3, "bounces": 1, "orders": 1, "completions": 1, "revenue": 80.0,
        "naive_conversion_rate": 0.25,
    }  # fmt: skip


def test_a_site_without_orders_has_completions_and_no_revenue():
    found = totals(SESSIONS, NOTHING, MARKS, "cart", in_orders=False)
    assert (found["orders"], found["completions"], found["revenue"]) == (0, 2, None)


def test_no_sessions_give_no_rate():
    assert totals(SESSIONS.head(0), NOTHING, MARKS.head(0), "cart", in_orders=False)["naive_conversion_rate"] is None


def test_steps_are_counted_for_sessions_and_visitors_with_and_without_order():
    found = step_counts(MARKS, MARKS.assign(in_period=True), SESSIONS, ["view", "cart", "purchase"], window=86400)
    everyone = found[found.device.isna()].set_index("step").drop(columns="device")
    assert everyone.loc["view"].tolist() == [2, 2, 2, 2]
    assert everyone.loc["cart"].tolist() == [2, 0, 2, 1]
    assert everyone.loc["purchase"].tolist() == [1, 0, 1, 1]
    by_device = found.dropna(subset="device").set_index(["device", "step"]).sessions
    assert by_device["mobile", "view"] == 1
    assert by_device["unknown", "cart"] == 1
    assert by_device["desktop", "view"] == 0


def test_the_headline_holds_steps_of_all_devices_and_by_device():
    found = step_counts(MARKS, MARKS.assign(in_period=True), SESSIONS, ["view"], window=86400)
    made = headline({"sessions": 4}, {"estimate": None}, found)
    assert made["steps"] == [
        {"step": "view", "sessions": 2, "sessions_in_order": 2, "visitors": 2, "visitors_in_order": 2}
    ]
    assert set(made["steps_by_device"]) == {"mobile", "unknown"}
