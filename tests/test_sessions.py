"""Sessions by the source's id or by inactivity, and the total order of events."""

import pandas as pd
import pytest
from conftest import table

from conversion_audit.intake.sessions import (
    add_sessions,
    numbered,
    owners,
)

KINDS = {"event_id": "string", "device_id": "string", "user_id": "string", "source_session": "string"}


def sessions_of(rows: pd.DataFrame, minutes: int = 30) -> dict[str, str]:
    rows = rows.assign(row_id=range(len(rows)), order_1=0, order_2=0, order_3=0, event="page_view", is_page=True)
    found = add_sessions(rows, timeout_seconds=minutes * 60).frame().set_index("row_id").sort_index()
    assert found["event_id"].tolist() == rows["event_id"].tolist()
    return dict(zip(found["event_id"], found["session_id"], strict=True))


def keyed(text: str, minutes: int = 30) -> dict[str, str]:
    rows = table(text, **KINDS)
    rows["time"] = pd.to_datetime("2026-03-01 " + rows.pop("at").astype(str))
    return sessions_of(rows, minutes)


def test_the_sources_session_id_counts_only_together_with_the_device():
    found = keyed("""
        event_id device_id user_id source_session at
        a        d1        -     17             10:00:00
        b        d2        -     17             10:00:00
        c        d1        -     17             23:59:00
    """)
    assert found["a"] == found["c"] != found["b"]


def test_a_gap_longer_than_the_timeout_starts_a_session_and_midnight_does_not():
    rows = table(
        """
        event_id device_id user_id source_session time
        a        d1        -     -              2026-03-01T23:50:00
        b        d1        -     -              2026-03-02T00:20:00
        c        d1        -     -              2026-03-02T00:50:01
        d        d2        -     -              2026-03-02T00:50:01
    """,
        **KINDS,
    )
    sessions = sessions_of(rows)
    assert sessions["a"] == sessions["b"]
    assert len({sessions["b"], sessions["c"], sessions["d"]}) == 3


def test_rows_without_device_belong_to_their_login_and_without_both_to_no_session():
    found = keyed("""
        event_id device_id user_id source_session at
        a        -         ann   -              10:00:00
        b        -         -     -              10:00:00
    """)
    assert found["a"] == "user ann/gap/1"
    assert pd.isna(found["b"])


def test_a_session_named_without_a_device_is_that_of_the_one_device_or_login_that_has_it():
    found = keyed("""
        event_id device_id user_id source_session at
        a        d1        -       17             10:00:00
        b        -         ann     17             10:01:00
        c        -         -       17             10:02:00
        d        -         ann     18             11:00:00
        e        -         -       18             11:01:00
        f        -         -       19             12:00:00
        g        -         -       19             12:01:00
    """)
    assert found["a"] == found["b"] == found["c"] == "d1/17"
    assert found["d"] == found["e"] == "user ann/18"
    assert found["f"] == found["g"] == "session 19/19"


def test_a_session_id_that_several_share_or_that_is_none_is_nobody_s_without_a_device():
    found = keyed("""
        event_id device_id user_id source_session at
        a        d1        -       17             10:00:00
        b        d2        -       17             10:00:00
        c        -         -       17             10:01:00
        d        -         ann     18             10:00:00
        e        -         bob     18             10:00:00
        f        -         -       18             10:01:00
        g        -         -       0              10:00:00
    """)
    assert (found["d"], found["e"]) == ("user ann/18", "user bob/18")
    assert all(pd.isna(found[name]) for name in "cfg")


@pytest.fixture
def ordered() -> pd.DataFrame:
    rows = table("""
        event_id session_id order_1 event     is_page seconds
        e1       s1         1       page_view True    0
        e2       s1         2       click     False   0
        e3       s1         2       click     False   0
        e4       s1         1       page_view True    9
        e5       s2         1       page_view True    5
        e6       -          1       page_view True    5
    """)
    rows["time"] = pd.Timestamp("2026-03-01 10:00") + pd.to_timedelta(rows.pop("seconds"), unit="s")
    visitors = pd.DataFrame({"session_id": ["s1", "s2"], "visitor_id": ["u:ann", "u:ann"], "user_id": ["ann", "ann"]})
    rows = rows.assign(row_id=rows["event_id"], order_2=0, order_3=0)
    shuffled = rows.sample(frac=1, random_state=3)
    return numbered(shuffled, owners(visitors).frame()).frame().set_index("row_id").sort_index()


def test_a_row_outside_sessions_has_no_place(ordered):
    assert ordered.loc["e6"].isna().all()
    assert not ordered.loc["e1":"e5", ["session_number", "event_number"]].isna().any(axis=None)


def test_events_are_ordered_by_time_then_source_order_then_id(ordered):
    ordered = ordered.drop("e6")
    assert ordered.event_number.to_dict() == {"e1": 1, "e2": 2, "e3": 3, "e4": 4, "e5": 1}
    assert ordered.visitor_event_number.to_dict() == {"e1": 1, "e2": 2, "e3": 3, "e5": 4, "e4": 5}


def test_events_of_one_moment_are_truly_tied(ordered):
    ordered = ordered.drop("e6")
    assert ordered.moment.to_dict() == {"e1": 1, "e2": 2, "e3": 2, "e4": 3, "e5": 1}


def test_next_event_and_next_page_are_known(ordered):
    assert ordered.drop("e6").next_event.fillna("-").to_dict() == {
        "e1": "click",
        "e2": "click",
        "e3": "page_view",
        "e4": "-",
        "e5": "-",
    }
    assert ordered.next_page_time["e1"] == pd.Timestamp("2026-03-01 10:00:09")
    assert pd.isna(ordered.next_page_time["e4"])
