"""The manifest's headline."""

import inputs
import pandas as pd
import pytest
from conftest import table

from conversion_audit.analysis.funnel import reached
from conversion_audit.analysis.funnel_steps import options
from conversion_audit.analysis.headline import headline, step_counts, totals
from conversion_audit.config import Funnel

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
ORDERS = pd.DataFrame({"order_id": ["A"], "revenue": [80.0], "goal": ["purchase"]})
NOTHING = ORDERS.head(0).astype({"order_id": "string", "goal": "string"})


def counted(steps: list[str], **settings: object) -> pd.DataFrame:
    """Return the steps as the headline counts them, with the funnel's settings as the config holds them."""
    asked = Funnel(**settings).model_dump()
    chains = [reached(MARKS, steps, **options(asked, unit)) for unit in ("session", "visitor")]
    return step_counts(MARKS, SESSIONS, steps, *chains)


def test_totals_count_the_period():
    assert totals(SESSIONS, ORDERS, MARKS, "purchase", in_orders=True) == {
        "goal": "purchase", "sessions": 4, "visitors": 3, "bounces": 1, "orders": 1, "completions": 1, "revenue": 80.0,
        "naive_conversion_rate": 0.25,
    }  # fmt: skip


def test_bounces_that_nobody_can_tell_are_unknown_and_not_none():
    unknown = SESSIONS.assign(is_bounce=pd.array([None] * len(SESSIONS), dtype="boolean"))
    assert totals(unknown, ORDERS, MARKS, "purchase", in_orders=True)["bounces"] is None
    assert totals(SESSIONS.head(0), ORDERS, MARKS, "purchase", in_orders=True)["bounces"] == 0


def test_a_site_without_orders_has_completions_and_no_revenue():
    found = totals(SESSIONS, NOTHING, MARKS, "cart", in_orders=False)
    assert (found["orders"], found["completions"], found["revenue"]) == (0, 2, None)


def test_orders_without_any_amount_have_an_unknown_revenue():
    unknown = ORDERS.assign(revenue=pd.Series([None], dtype="Float64"))
    found = totals(SESSIONS, unknown, MARKS, "purchase", in_orders=True)
    assert (found["orders"], found["completions"], found["revenue"]) == (1, 1, None)
    free = totals(SESSIONS, ORDERS.assign(revenue=0.0), MARKS, "purchase", in_orders=True)
    assert free["revenue"] == 0.0


def test_completions_are_orders_or_marks_and_the_rate_is_of_sessions():
    thrice = pd.concat([MARKS, MARKS[MARKS.name == "purchase"], MARKS[MARKS.name == "purchase"]])
    orders = pd.DataFrame(
        {"order_id": ["A", "B", "C"], "revenue": [80.0, 15.0, 5.0], "goal": 2 * ["purchase"] + ["rent"]}
    )
    for in_orders, completions in ((True, 2), (False, 3)):
        found = totals(SESSIONS, orders, thrice, "purchase", in_orders=in_orders)
        assert (found["completions"], found["naive_conversion_rate"]) == (completions, 0.25)
        assert (found["orders"], found["revenue"]) == (3, 100.0)


def test_no_sessions_give_no_rate():
    assert totals(SESSIONS.head(0), NOTHING, MARKS.head(0), "cart", in_orders=False)["naive_conversion_rate"] is None


def test_steps_are_counted_for_sessions_and_visitors_with_and_without_order():
    found = counted(["view", "cart", "purchase"])
    everyone = found[found.device.isna()].set_index("step").drop(columns="device")
    assert everyone.loc["view"].tolist() == [2, 2, 2, 2]
    assert everyone.loc["cart"].tolist() == [2, 0, 2, 1]
    assert everyone.loc["purchase"].tolist() == [1, 0, 1, 1]
    by_device = found.dropna(subset="device").set_index(["device", "step"]).sessions
    assert by_device["mobile", "view"] == 1
    assert by_device["unknown", "cart"] == 1
    assert by_device["desktop", "view"] == 0


@pytest.mark.parametrize(
    ("settings", "sessions", "visitors"),
    [
        ({}, 0, 1),
        ({"order": "any_order"}, 1, 2),  # s4 of v3: the cart, then the view
        ({"visitor_window": 1800.0}, 0, 0),  # v1 comes back with the cart after an hour
    ],
)
def test_steps_in_order_are_those_of_the_funnel_as_the_client_sets_it(settings, sessions, visitors):
    found = counted(["view", "cart"], **settings)
    last = found[found.device.isna()].set_index("step").loc["cart"]
    assert (last.sessions_in_order, last.visitors_in_order) == (sessions, visitors)


@pytest.mark.parametrize(
    ("order", "names"), [("sequential", ["view", "purchase"]), ("any_order", ["purchase", "view"])]
)
def test_a_chain_in_order_is_of_the_device_on_which_it_began(order, names):
    # v1 goes from mobile to desktop; v2 begins on mobile and ends in s4, which is after the period.
    log = table("""
        session_id visitor_id event_number moment visitor_event_number visitor_moment time                in_period
        s1         v1         1            1      1                    1              2026-03-01T01:00:00 True
        s2         v1         1            1      2                    2              2026-03-02T01:00:00 True
        s3         v2         1            1      1                    1              2026-03-01T01:00:00 True
        s4         v2         1            1      2                    2              2026-03-10T01:00:00 False
    """).assign(name=2 * names)
    steps = ["view", "purchase"]
    asked = Funnel(order=order).model_dump()
    chains = [reached(log, steps, **options(asked, unit)) for unit in ("session", "visitor")]
    known = SESSIONS[SESSIONS.session_id != "s4"]
    found = step_counts(log[log.in_period], known, steps, *chains).dropna(subset="device")
    in_order = found.pivot(index="device", columns="step", values="visitors_in_order")[steps]
    assert in_order.T.to_dict("list") == {"desktop": [0, 0], "mobile": [2, 2]}


def test_the_manifest_and_the_funnel_count_the_same_steps_in_order(audit_home):
    # From the product to the cart are 40 seconds, from the product to the order 80.
    audit = inputs.taken_in(
        audit_home, inputs.as_csv(inputs.clean()), inputs.config(more="timezone: UTC\nfunnel: {session_window: 1 min}")
    )
    funnel, steps = audit.frame("funnel"), pd.DataFrame(audit.headline["steps"])
    assert steps.sessions_in_order.tolist() == funnel.sessions_in_order.tolist() == [20, 20, 0]
    assert steps.visitors_in_order.tolist() == funnel.visitors_in_order.tolist() == [20, 20, 20]


def test_the_headline_holds_steps_of_all_devices_and_by_device():
    found = counted(["view"])
    made = headline({"sessions": 4}, {"estimate": None}, found)
    assert made["steps"] == [
        {"step": "view", "sessions": 2, "sessions_in_order": 2, "visitors": 2, "visitors_in_order": 2}
    ]
    assert set(made["steps_by_device"]) == {"mobile", "unknown"}
