"""Traffic that is no customer: found by what it says and by what it does."""

from datetime import datetime, timedelta

import pandas as pd
import pytest

from conversion_audit.config import Rule
from conversion_audit.intake.traffic import bots, set_aside

NOON = datetime(2026, 3, 2, 12)
CHROME = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36"
)
GOOGLEBOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
TEXTS = ("referrer", "campaign", "channel", "search_term", "page_title", "page_type", "order_id")
MORE = ("device", "browser", "os", "country", "platform", "language", "host", "app_version", "device_id", "user_id")


def session(name, seconds, *, event="page_view", page=None, visitor=None, user_agent=CHROME, **columns):
    """One session with an event at each of the given seconds after noon, each on a page of its own."""
    rows = [
        {
            "event_id": f"{name}/{n}",
            "session_id": name,
            "visitor_id": visitor or name,
            "event_number": n + 1,
            "time": NOON + timedelta(seconds=second),
            "date": NOON.date(),
            "hour": 12,
            "event": event,
            "is_page": event == "page_view",
            "page": page or f"/p/{n}",
            "page_seconds": 10.0,
            "properties": "{}",
            "user_agent": user_agent,
            **dict.fromkeys((*TEXTS, *MORE)),
            **{key: value(n) if callable(value) else value for key, value in columns.items()},
        }
        for n, second in enumerate(seconds)
    ]
    return pd.DataFrame(rows).astype(dict.fromkeys((*TEXTS, *MORE), "string"))


def ordered(events):
    """The orders of purchase events."""
    bought = events.loc[events["event"] == "purchase", ["session_id", "order_id"]].drop_duplicates()
    return bought.assign(has_id=bought["order_id"].notna())


def found(*sessions, internal=None):
    events = pd.concat(sessions, ignore_index=True)
    events["date"] = pd.to_datetime(events["date"])
    before = events.copy()
    aside = set_aside(events, events[["event_id", "user_agent"]], ordered(events), internal or {}).frame()
    pd.testing.assert_frame_equal(events, before)
    return {row.session_id: (row.reason, row.rule, row.evidence) for row in aside.itertuples()}


def test_crawlers_name_themselves():
    named = bots([GOOGLEBOT, CHROME, None, CHROME])
    assert named.values.tolist() == [[GOOGLEBOT, True], [CHROME, False]]


def test_a_person_is_left_alone():
    assert found(session("a", range(0, 300, 15)), session("b", [0])) == {}


def test_a_known_bot_is_set_aside():
    assert found(session("a", [0, 60], user_agent=GOOGLEBOT)) == {"a": ("bot", "user_agent", GOOGLEBOT)}


def test_a_session_of_twenty_thousand_events_is_a_bot():
    assert found(session("a", range(20_000), event="scroll"), session("b", [0, 9])) == {
        "a": ("bot", "many_events", "20000")
    }


def test_one_visitor_with_thousands_of_events_a_day_is_a_bot_in_each_session():
    several = [session(f"s{n}", range(0, 9000, 10), event="scroll", visitor="v") for n in range(4)]
    assert found(*several, session("b", [0, 9])) == {f"s{n}": ("bot", "many_events_a_day", "3600") for n in range(4)}


def test_ten_pages_faster_than_they_can_be_seen_are_a_bot():
    assert found(session("a", [n * 0.5 for n in range(10)])) == {"a": ("bot", "no_dwell", "0.50")}


def test_a_page_that_reloads_itself_is_not_a_bot():
    assert found(session("a", [n * 0.5 for n in range(20)], page="/checkout")) == {}


def test_times_without_clock_are_no_evidence():
    assert found(session("a", [0] * 20)) == {}


def test_a_card_tester_is_a_bot_and_a_person_who_tries_four_times_is_not():
    attempts = {"event": "add_payment_info", "page": "/checkout"}
    assert found(session("a", range(0, 60, 5), **attempts), session("b", range(0, 160, 40), **attempts)) == {
        "a": ("bot", "card_testing", "12")
    }


def test_ten_orders_in_one_session_are_card_testing():
    orders = {"event": "purchase", "order_id": lambda n: f"T{n}"}
    assert found(session("a", range(0, 600, 60), **orders))["a"] == ("bot", "card_testing", "10")


def test_orders_that_are_looked_at_are_none_that_are_placed():
    assert found(session("a", range(0, 600, 60), page="/account/order", order_id=lambda n: f"T{n}")) == {}


@pytest.mark.parametrize(
    ("properties", "expected"),
    [
        ('{"traffic_type": "Internal"}', ("internal", "traffic_type", "internal")),
        ('{"traffic_type": "developer"}', ("test", "debug_mode", "developer")),
        ('{"debug_mode": "1"}', ("test", "debug_mode", "1")),
    ],
)
def test_what_ga4_marks_as_internal_or_debugging_is_set_aside(properties, expected):
    assert found(session("a", [0, 10], properties=properties)) == {"a": expected}


def test_a_session_that_placed_only_a_test_order_is_a_test():
    orders = {"event": "purchase", "order_id": "TEST-1"}
    assert found(session("a", [0], **orders), session("b", [0], event="purchase", order_id="T-1")) == {
        "a": ("test", "test_order", "TEST-1")
    }


def test_rules_of_the_config_mark_whole_sessions():
    internal = {
        "office": Rule(page=["/ADMIN*"]),
        "agency_tests": Rule(where={"country": ["Malta"], "tester": ["yes"]}),
        "landed": Rule(landing_page=["/staff"]),
    }
    rows = [
        session("a", [0, 10], page=None),
        session("b", [0, 10], page="/admin/orders"),
        session("c", [0, 10], country="Malta", properties='{"tester": "Yes"}'),
        session("d", [0, 10], country="Malta"),
        session("e", [0, 10], page="/staff"),
    ]
    assert found(*rows, internal=internal) == {
        "b": ("internal", "office", None),
        "c": ("test", "agency_tests", None),
        "e": ("internal", "landed", None),
    }


def test_a_session_has_one_reason_and_bots_come_first():
    both = session("a", range(20_000), event="scroll", properties='{"traffic_type": "internal"}')
    assert found(both) == {"a": ("bot", "many_events", "20000")}


def test_no_events_give_no_rows():
    empty = session("a", [0]).iloc[:0]
    assert len(set_aside(empty, empty[["event_id", "user_agent"]], ordered(empty), {})) == 0
