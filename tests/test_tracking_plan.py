"""The tracking plan: what fell silent first, then what is wrong, then what is missing."""

from __future__ import annotations

import pandas as pd

from conversion_audit.analysis import tracking_plan

EVENTS = pd.DataFrame(
    {
        "event": ["page_view"] * 6 + ["scroll", "Exception"],
        "error": [None] * 7 + ["boom"],
        "load_seconds": [1.5] + [None] * 7,
        "search_term": [None] * 8,
        "user_id": ["u1"] + [None] * 7,
        "device_id": ["d1"] * 8,
        "app_version": [None] * 8,
    }
).astype({"search_term": "string", "app_version": "string"})
ORDERS = pd.DataFrame(
    {"has_id": [True] * 9 + [False], "revenue": [10.0] * 10, "refunded": [0.0] * 10, "items": [1] * 4 + [0] * 6}
)
SESSIONS = pd.DataFrame({"channel": ["Paid Search"] * 4, "campaign": ["a", None, None, None]})
SILENT = {"kind": "tracking", "step": "payment", "values": {"sessions": 2310, "missing": 2100}}


def made(**more):
    given = {"seen": {"payment": 5, "checkout": 0, "newsletter": 0}, "steps": ["checkout", "payment"]} | more
    return tracking_plan.tracking_plan(
        EVENTS, ORDERS, SESSIONS, given["seen"], given["steps"], given.get("findings", ())
    )


def test_what_fell_silent_comes_first_then_wrong_then_missing():
    found = made(findings=[SILENT])
    assert found.what.tolist()[:5] == ["payment", "checkout", "order_id", "order_items", "campaign"]
    assert found.state.tolist()[:5] == ["silent", "missing", "wrong", "wrong", "wrong"]
    assert found.iloc[0][["seen", "of"]].tolist() == [210, 2310]
    assert found.what.iloc[-1] == "newsletter"


def test_what_is_there_is_measured_whatever_its_case():
    found = made().set_index("what").state
    assert found[["scroll_depth", "error_shown", "page_load_time", "order_amount"]].tolist() == ["measured"] * 4
    assert found[["element_visible", "search_term", "refund"]].tolist() == ["missing"] * 3


def test_an_error_and_a_refund_are_measured_whatever_their_event_is_called():
    orders, events = ORDERS.assign(refunded=[5.0] + [0.0] * 9), EVENTS.assign(event="fehler")
    found = tracking_plan.tracking_plan(events, orders, SESSIONS, {}, []).set_index("what")
    assert found.loc[["error_shown", "refund"], ["state", "seen"]].values.tolist() == [["measured", 1], ["measured", 1]]


def test_scrolling_and_visibility_are_asked_for_with_what_they_would_tell():
    found = made().set_index("what").unlocks
    assert (found["scroll_depth"], found["element_visible"]) == ("seen_below", "button_seen")


def test_what_is_needed_is_numbered_anew_and_holds_nothing_measured():
    found = tracking_plan.needed(made())
    assert found.priority.tolist() == list(range(1, len(found) + 1))
    assert "measured" not in set(found.state)


def test_a_site_without_orders_or_paid_traffic_is_not_asked_for_their_parts():
    found = tracking_plan.tracking_plan(EVENTS, ORDERS.iloc[:0], SESSIONS.iloc[:0], {}, [])
    assert not set(found.what) & {"order_id", "order_amount", "order_items", "campaign"}


def test_a_site_that_sells_nothing_is_not_asked_for_stock_and_refunds():
    asked = {
        sells: set(tracking_plan.tracking_plan(EVENTS, ORDERS.iloc[:0], SESSIONS, {}, [], sells=sells).what)
        for sells in (True, False)
    }
    assert asked[True] - asked[False] == {"out_of_stock", "refund"}


def test_every_conclusion_has_its_words():
    from conversion_audit.report.voice import Voice, speaking
    from conversion_audit.report.words import label

    for language in ("en", "de"):
        with speaking(Voice(language=language)):
            assert all(label(key) != key for key in made().unlocks)
