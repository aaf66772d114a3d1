"""The config's rules against events."""

import pandas as pd
import pytest
from conftest import table

from conversion_audit.analysis.rules import bounces, marks, rule_table
from conversion_audit.intake import traffic
from conversion_audit.schema import Intent, Rule


@pytest.fixture
def events() -> pd.DataFrame:
    found = table(
        """
        event_id session_id event_number event       page      page_type is_page page_seconds properties
        e1       s1         1            page_view   /p/hat    product   True    50           {}
        e2       s1         2            add_to_cart /p/hat    product   False   -            {"size":"XL"}
        e3       s1         3            page_view   /returns  -         True    3            {}
        e4       s2         1            page_view   /returns  -         True    9            {}
        e5       s2         2            purchase    /thanks   -         False   -            {"percent":"75"}
    """,
        page_type="string",
    )
    found["visitor_id"] = "d:" + found.session_id
    found["time"] = pd.Timestamp("2026-03-01 10:00") + pd.to_timedelta(range(len(found)), unit="s")
    same = {"moment": "event_number", "visitor_event_number": "event_number", "visitor_moment": "event_number"}
    found = found.assign(**{new: found[old] for new, old in same.items()})
    absent = (
        "page_title",
        "referrer",
        "campaign",
        "channel",
        "search_term",
        "browser",
        "os",
        "country",
        "platform",
        "language",
        "host",
        "app_version",
        "device_id",
        "user_id",
    )
    return found.assign(hour=10, device="mobile", **{name: pd.Series([None] * 5, dtype="string") for name in absent})


@pytest.fixture
def sessions() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "session_id": ["s1", "s2"],
            "landing_page": ["/p/hat", "/returns"],
            "campaign": [None, "x"],
            "visit_number": [1, 2],
            "is_bounce": [None, True],
            "is_single_page": [False, True],
        }
    )


def matched(events, sessions, rules=None, intents=None, journey=(), orders=None) -> set[tuple]:
    orders = (
        orders
        if orders is not None
        else pd.DataFrame(
            {"event_id": ["e5"], "visitor_id": ["d:s2"], "time": [pd.Timestamp("2026-03-01")], "order_id": ["A"]}
        )
    )
    found = marks(events, sessions, orders, *rule_table(rules or {}, intents or {}, journey)).frame()
    return set(zip(found.session_id, found.event_number, found.name, strict=True))


@pytest.mark.parametrize("column", traffic._WHERE)
def test_a_column_that_marks_the_client_s_own_traffic_marks_a_step_too(column, events, sessions):
    written = 7 if column == "hour" else "Seven"
    told = events.assign(**{column: [written if name == "purchase" else events[column][0] for name in events.event]})
    found = matched(told, sessions, {"found": Rule(where={column: [str(written)]})})
    assert {mark for mark in found if mark[2] == "found"} == {("s2", 2, "found")}


def test_rules_match_by_event_page_time_and_property(events, sessions):
    rules = {
        "cart": Rule(event=["ADD_to_cart"]),
        "read": Rule(page=["/P/*"], seconds=45),
        "xl": Rule(event=["add_to_cart"], where={"size": ["xl", "xxl"], "device": ["mobile"]}),
        "small": Rule(event=["add_to_cart"], where={"size": ["xl"], "device": ["desktop"]}),
        "scrolled": Rule(property="percent", at_least=75),
        "both": Rule(event=["purchase"], page=["/p/*"]),
    }
    assert matched(events, sessions, rules) == {
        ("s1", 2, "cart"), ("s1", 1, "read"), ("s1", 2, "xl"), ("s2", 2, "scrolled"),
        ("s1", 1, "evidence:shop:3"),
    }  # fmt: skip


def test_a_page_is_reached_by_seeing_it_and_not_by_what_else_is_recorded_there(events, sessions):
    rules = {"product": Rule(page=["/p/*"]), "thanks": Rule(page=["/thanks"]), "bought": Rule(event=["purchase"])}
    place = {mark for mark in matched(events, sessions, rules) if "evidence" not in mark[2]}
    assert place == {("s1", 1, "product"), ("s2", 2, "thanks"), ("s2", 2, "bought")}, "/thanks is seen by nobody"
    unseen = events[~((events.session_id == "s1") & events.is_page)]
    seen = pd.concat([unseen, events[events.event_id == "e1"].assign(session_id="s2", event_id="e6", event_number=3)])
    found = {mark for mark in matched(seen, sessions, rules) if mark[2] == "product"}
    assert found == {("s2", 3, "product"), ("s1", 2, "product")}, "of s1 no view of it is recorded"
    elsewhere = pd.concat([seen, events[events.event_id == "e3"]])
    assert ("s1", 2, "product") in matched(elsewhere, sessions, rules), "nor where it saw another page"


def test_an_intents_page_is_strong_as_landing_and_weaker_later(events, sessions):
    found = matched(events, sessions, intents={"returns": Intent(pages=["/returns*"])})
    assert {mark for mark in found if "returns" in mark[2]} == {
        ("s2", 1, "evidence:returns:3"),
        ("s1", 3, "evidence:returns:2"),
    }


def test_a_page_that_nothing_views_is_an_intents_by_what_else_happens_there(events, sessions):
    found = matched(events, sessions, intents={"account": Intent(pages=["/thanks"])})
    assert {mark for mark in found if "account" in mark[2]} == {("s2", 2, "evidence:account:2")}
    landed = events.assign(event_number=[1, 2, 3, 2, 1])
    found = matched(landed, sessions, intents={"account": Intent(pages=["/thanks"])})
    assert {mark for mark in found if "account" in mark[2]} == {("s2", 1, "evidence:account:3")}


def test_journey_steps_are_shopping_evidence(events, sessions):
    found = matched(events, sessions, {"returns_page": Rule(page=["/returns"])}, journey=["returns_page"])
    assert ("s2", 1, "evidence:shop:3") in found


def test_every_order_after_a_visitors_first_is_a_repeat_purchase(events, sessions):
    times = pd.to_datetime(["2026-03-01", "2026-03-02"])
    orders = pd.DataFrame({"event_id": ["e2", "e5"], "visitor_id": ["v", "v"], "time": times, "order_id": ["A", "B"]})
    found = matched(events, sessions, orders=orders)
    assert [mark for mark in found if mark[2] == "repeat_purchase"] == [("s2", 2, "repeat_purchase")]


def test_no_rules_give_no_marks_but_shopping_evidence(events, sessions):
    assert {name for _, _, name in matched(events, sessions)} == {"evidence:shop:3"}


def test_a_session_bounced_as_the_source_says_else_without_second_page_or_action(events, sessions):
    nothing = pd.DataFrame({"session_id": pd.Series(dtype="string"), "name": pd.Series(dtype="string")})
    nothing["event_number"] = 1
    sessions = pd.concat(
        [
            sessions,
            pd.DataFrame({"session_id": ["s3", "s4", "s5"], "is_bounce": [None] * 3, "is_single_page": True}),
        ]
    )
    views = pd.DataFrame({"session_id": ["s3", "s4", "s5"], "page": ["/", "/", None], "is_page": [True, True, False]})
    events = pd.concat([events, views.assign(event_number=1)])
    acted = pd.DataFrame({"session_id": ["s4", "s3"], "name": ["cart", "product_view"], "event_number": 1})
    said = bounces(events, sessions, acted, ["cart"]).frame().set_index("session_id").is_bounce.sort_index()
    assert said[:4].tolist() == [False, True, True, False]
    assert pd.isna(said["s5"]), "no row says where it was"
    assert bounces(events, sessions, nothing, []).frame().is_bounce.sum() == 3


def test_without_any_page_view_nobody_can_tell_who_bounced_but_the_source(events, sessions):
    nothing = pd.DataFrame({"session_id": pd.Series(dtype="string"), "name": pd.Series(dtype="string")})
    nothing["event_number"] = 1
    sessions = sessions.assign(is_single_page=True)
    said = bounces(events.assign(is_page=False), sessions, nothing, []).frame().set_index("session_id").is_bounce
    flags = sessions.set_index("session_id").is_bounce
    assert said.isna().to_dict() == flags.isna().to_dict() and said.isna().any()


def test_a_place_reached_after_the_landing_is_no_bounce_but_the_landing_itself_is():
    found = table(
        """
        session_id event_number event         page    is_page
        elsewhere  1            page_view     /       True
        elsewhere  2            product_view  /p/hat  False
        landed     1            page_view     /p/hat  True
        landed     2            product_view  /p/hat  False
        alone      1            product_view  /p/hat  False
        twice      1            product_view  -       False
        twice      2            product_view  -       False
    """
    )
    marked = found[found.event == "product_view"].assign(name="product_view")
    visits = pd.DataFrame(
        {"session_id": ["elsewhere", "landed", "alone", "twice"], "landing_page": ["/", "/p/hat", None, None]}
    ).assign(is_bounce=pd.array([None] * 4, dtype="boolean"), is_single_page=True)
    said = bounces(found, visits, marked, [], ["product_view"]).frame().set_index("session_id").is_bounce
    assert said.to_dict() == {"elsewhere": False, "landed": True, "alone": True, "twice": False}
