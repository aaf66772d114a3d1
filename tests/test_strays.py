"""Rows outside the sessions of their source, and the visits in which they fall."""

import pandas as pd
from conftest import table
from test_sessions import KINDS

from conversion_audit.intake import strays
from conversion_audit.intake.sessions import add_sessions, timeouts


def placed(text: str, goals=("Sold*",), pages=True):
    rows = table(text, **KINDS)
    rows["time"] = pd.to_datetime("2026-03-01 " + rows.pop("at").astype(str))
    rows = rows.assign(row_id=range(len(rows)), order_1=0, order_2=0, order_3=0, is_purchase=False)
    rows["event"] = rows.event_id.str.rstrip("0123456789")
    rows["is_page"] = pages & rows.event.eq("page")
    outside, keyed = strays.strays(rows), add_sessions(rows, timeout_seconds=1800)
    found = strays.homes(keyed, outside, goals, timeout_seconds=1800)
    sessions = strays.at_home(keyed, found).frame().set_index("row_id").sort_index()
    assert sessions["event_id"].tolist() == rows["event_id"].tolist()
    gaps = timeouts(rows, outside, timeout_seconds=1800).set_index("minutes")["sessions"].get(30.0, 0)
    return dict(zip(sessions["event_id"], sessions["session_id"], strict=True)), strays.counts(found), gaps


def test_a_row_outside_the_sessions_of_its_source_is_part_of_the_visit_in_which_it_falls():
    found, counts, gaps = placed("""
        event_id device_id user_id source_session at
        before   d1        -     -              09:40:00
        page1    d1        -     17             10:00:00
        between  d1        -     -              10:10:00
        page2    d1        -     17             10:20:00
        edge     d1        -     -              10:50:00
        late     d1        -     -              10:50:01
        page3    d1        -     18             12:00:00
    """)
    assert {found[name] for name in ("before", "between", "edge", "page2")} == {found["page1"]}
    assert pd.isna(found["late"]), "nothing of it shows a visit"
    assert found["page3"] != found["page1"]
    assert counts == {"rows": 4, "joined": 3, "sessions": 0, "outside": 1}
    assert gaps == 0, "the source has sessions: no gap of ours made those that it lacks"


def test_outside_every_visit_what_shows_a_page_or_a_goal_is_one_of_its_own():
    found, counts, _ = placed("""
        event_id device_id user_id source_session at
        page1    d1        -     17             10:00:00
        mail     d1        -     -              13:00:00
        push     d1        -     -              15:00:00
        page2    d1        -     -              15:05:00
        sold     d1        -     -              18:00:00
    """)
    assert pd.isna(found["mail"])
    assert found["push"] == found["page2"]
    assert len({found[name] for name in ("page1", "page2", "sold")}) == 3
    assert counts == {"rows": 4, "joined": 0, "sessions": 2, "outside": 1}


def test_where_an_export_has_no_pages_any_event_may_be_a_visit():
    text = """
        event_id device_id user_id source_session at
        start    d1        -     17             10:00:00
        open     d1        -     -              13:00:00
    """
    found, counts, _ = placed(text, pages=False)
    assert found["open"] == "d1/gap/1"
    assert (counts["sessions"], counts["outside"]) == (1, 0)


def test_what_a_server_says_of_a_login_is_part_of_the_visit_of_that_login_on_whatever_device():
    found, counts, gaps = placed("""
        event_id device_id user_id source_session at
        page1    d1        -     -              10:00:00
        login    d1        ann   -              10:05:00
        page2    d2        ann   -              14:00:00
        sold     -         ann   -              10:07:00
        renewed  -         ann   -              03:00:00
        bob      -         bob   -              10:07:00
    """)
    assert found["sold"] == found["page1"] == found["login"]
    assert pd.isna(found["renewed"])
    assert found["bob"] == "user bob/gap/1", "there is nothing else of bob that this could be outside of"
    assert counts == {"rows": 2, "joined": 1, "sessions": 0, "outside": 1}
    assert gaps == 3


def test_the_device_says_more_than_the_login_and_the_visit_before_more_than_the_next():
    found, _, _ = placed("""
        event_id device_id user_id source_session at
        page1    d1        ann   17             10:00:00
        page2    d2        ann   3              10:10:00
        stray    d1        ann   -              10:12:00
        page3    d1        ann   18             10:13:00
    """)
    assert found["stray"] == found["page1"]


def test_nobody_s_visit_is_found_through_a_login_on_many_devices():
    many = "\n".join(f"page{n} d{n} till {n} 10:00:00" for n in range(21))
    found, counts, _ = placed(f"event_id device_id user_id source_session at\n{many}\nsold - till - 10:01:00")
    assert (found["sold"], counts["joined"]) == ("user till/gap/1", 0)


def test_what_is_said_of_them_names_only_what_there_is():
    homes = pd.DataFrame({"row_id": [1, 2, 3], "session_id": ["s1", None, "own"], "is_joined": [True, False, False]})
    told = [strays.remarks(homes.iloc[:n], timeout_seconds=1800) for n in range(4)]
    assert [[one.key for one in some] for some in told] == [[], ["strays"], ["strays_out"], ["strays_left"]]
    assert told[3][0].values == {"minutes": 30, "rows": 3, "joined": 1, "sessions": 1, "outside": 1}
