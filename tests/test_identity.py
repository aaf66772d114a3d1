"""Who a session belongs to."""

import pandas as pd
from conftest import table
from pandas.testing import assert_frame_equal

from conversion_audit.intake.identity import MOST_DEVICES, session_visitors
from conversion_audit.intake.sessions import logins


def visitors(text: str) -> dict[str, str]:
    logins = table(text, session_id="string", device_id="string", login="string")
    found = session_visitors(logins).frame()
    return dict(zip(found.session_id, found.visitor_id, strict=True))


def test_the_only_login_of_a_device_owns_its_earlier_and_later_sessions():
    found = visitors("""
        session_id device_id login start
        a          d1        -     2026-03-01
        b          d1        ann   2026-03-02
        c          d1        -     2026-03-03
        d          d2        -     2026-03-03
    """)
    assert found == {"a": "u:ann", "b": "u:ann", "c": "u:ann", "d": "d:d2"}


def test_on_a_shared_device_the_last_login_before_decides_else_the_next_one():
    found = visitors("""
        session_id device_id login start
        a          d1        -     2026-03-01
        b          d1        ann   2026-03-02
        c          d1        -     2026-03-03
        d          d1        bob   2026-03-04
        e          d1        -     2026-03-05
    """)
    assert found == {"a": "u:ann", "b": "u:ann", "c": "u:ann", "d": "u:bob", "e": "u:bob"}


def test_one_login_on_two_devices_is_one_visitor():
    found = visitors("""
        session_id device_id login start
        a          d1        ann   2026-03-01
        b          d2        ann   2026-03-02
        c          d2        -     2026-03-03
    """)
    assert set(found.values()) == {"u:ann"}


def test_a_login_on_too_many_devices_joins_nobody():
    rows = [
        {"session_id": f"s{n}", "device_id": f"d{n}", "login": "till", "start": pd.Timestamp("2026-03-01")}
        for n in range(MOST_DEVICES + 1)
    ]
    rows += [rows[0] | {"session_id": name, "device_id": None} for name in ("x", "y")]
    found = session_visitors(pd.DataFrame(rows)).frame()
    assert set(found.visitor_id) == {*(f"d:d{n}" for n in range(MOST_DEVICES + 1)), "s:x", "s:y"}


def test_a_session_with_a_login_and_no_device_is_the_login():
    assert visitors("""
        session_id device_id login start
        a          -         ann   2026-03-01
    """) == {"a": "u:ann"}


def test_the_input_stays_as_it_was():
    logins = table("session_id device_id login start\na d1 ann 2026-03-01")
    before = logins.copy()
    session_visitors(logins)
    assert_frame_equal(logins, before)


def test_of_two_logins_at_one_instant_the_order_of_events_says_which_came_first():
    rows = pd.DataFrame({
        "session_id": "s", "device_id": "d", "user_id": ["bob", "ann", None], "time": pd.Timestamp("2026-03-01"),
        "order_1": [2, 1, 0], "order_2": 0, "order_3": 0, "event_id": ["a", "b", "c"],
    })  # fmt: skip
    for keyed in (rows, rows.sort_values("order_1", ignore_index=True)):
        assert logins(keyed).frame()["login"].tolist() == ["ann"]
