"""Whom to address: lists with a rule, a size, a worth, a purpose and an end, and no person in sight."""

from __future__ import annotations

from datetime import date

import inputs
import pandas as pd
import pytest
from conftest import table
from pandas.testing import assert_frame_equal
from worlds_intent import GOAL, INTENTS, STEPS, World, shop

from conversion_audit.analysis import acquisition, audiences, segments
from conversion_audit.analysis.acquisition import room_table
from conversion_audit.analysis.intent import session_intents
from conversion_audit.audit import open_audit
from conversion_audit.config import Rule
from conversion_audit.recipes import intent
from conversion_audit.report.export import save_lists

AS_OF = date(2026, 4, 26)


@pytest.mark.parametrize(("value", "worth"), [("revenue", 50.0), ("40", 40.0)])
def test_an_audience_is_worth_what_a_completion_is(value, worth, audit_home, monkeypatch):
    config = inputs.config().replace("value: revenue", f"value: {value}")
    audit, asked = inputs.taken_in(audit_home, inputs.as_csv(inputs.clean()), config), []
    monkeypatch.setattr(intent.audiences, "audience_table", lambda *given: asked.append(given[-1]))
    intent._audiences(audit)
    assert asked == [worth]


@pytest.fixture(scope="module")
def made():
    marks, sessions, _ = shop(World(sessions=6_000), 4)
    marks = marks.merge(sessions[["session_id", "start"]]).assign(time=lambda m: m.start)
    intents = session_intents(marks, sessions, STEPS, GOAL, INTENTS)
    rows = audiences.audience_table(marks, sessions, intents, marks, STEPS, GOAL, AS_OF, 50.0)
    named = segments.people(marks, sessions, intents, STEPS, GOAL)
    listed = audiences.members(named, sessions, marks, STEPS, GOAL)
    return marks, sessions.assign(user_id=None), rows, listed


def test_every_audience_has_a_size_a_worth_a_purpose_and_an_end(made):
    _, _, rows, _ = made
    assert {"stopped_at_product_view", "stopped_at_add_to_cart", "cart_leavers", "research"} <= set(rows.name)
    assert (rows.people >= 10).all() and rows.purpose.notna().all() and (rows.expires > pd.Timestamp(AS_OF)).all()
    known = rows.dropna(subset=["later_rate"])
    assert (known.expected_value == known.people * known.later_rate * 50.0).all()
    assert rows.name.is_unique


def test_nobody_who_bought_is_told_that_they_left_something(made):
    marks, _, _, listed = made
    buyers = set(marks[marks.name == GOAL].visitor_id)
    people = listed.frame()
    assert not buyers & set(people[people.kind != "due_back"].visitor_id)
    assert set(people[people.kind == "due_back"].visitor_id) <= buyers


def test_a_list_holds_hashed_ids_and_nothing_a_spreadsheet_would_run(made):
    _, _, rows, listed = made
    row = rows[rows.name == "cart_leavers"].iloc[0]
    result = audiences.audience_list(listed, row, b"secret")
    assert len(result) == row.people
    assert result.visitor.str.fullmatch("[0-9a-f]{64}").all() and result.visitor.is_monotonic_increasing
    assert not result.astype(str).apply(lambda column: column.str.match(r"\s*[=+\-@\t\r]")).any().any()
    assert set(result.visitor) != set(audiences.audience_list(listed, row, b"other").visitor)
    assert list(result.columns) == ["visitor", "audience", "last_seen", "purpose", "expires", "consent"]


def test_a_list_is_written_so_that_a_spreadsheet_runs_nothing(made, tmp_path):
    _, _, rows, listed = made
    row = {**rows[rows.name == "cart_leavers"].iloc[0], "name": "=cmd|' /C calc'!A0"}
    rows_of_it = audiences.audience_list(listed, row, b"secret")
    (path,) = save_lists({row["name"]: rows_of_it}, tmp_path / "audiences")
    lines = path.read_text(encoding="utf-8-sig").splitlines()
    assert path.name == "_cmd_c_calc_a0.csv" and len(lines) == row["people"] + 1
    assert all(",'=cmd" in line for line in lines[1:])


def test_lists_never_overwrite_each_other(tmp_path):
    names = ["stopped_at_корзина", "stopped_at_оплата", "a b", "a-b"]
    written = save_lists({name: pd.DataFrame({"visitor": [name]}) for name in names}, tmp_path)
    assert [path.name for path in written] == [
        "stopped_at_корзина.csv",
        "stopped_at_оплата.csv",
        "a_b.csv",
        "a_b_2.csv",
    ]
    assert [pd.read_csv(path).visitor[0] for path in written] == names


def test_a_list_of_fewer_than_ten_people_is_empty(made):
    _, _, rows, listed = made
    row = rows.iloc[0]
    few = listed.frame().query("kind == @row.kind and step == @row.step").head(9)
    assert len(audiences.audience_list(few, row, b"secret")) == 0


def test_raw_ids_are_those_of_the_export(made):
    _, sessions, rows, listed = made
    row = rows[rows.name == "cart_leavers"].iloc[0]
    ids = audiences.raw_ids(listed, row, sessions)
    assert len(ids) == row.people and set(ids.device_id) <= set(sessions.device_id)


MARKS = """
    visitor_id  session_id  time        name
    v1          s1          2026-01-01  purchase
    v1          s2          2026-01-11  purchase
    v2          s3          2026-01-01  purchase
    v2          s4          2026-01-31  purchase
    v3          s5          2026-01-01  add_to_cart
"""


def test_buyers_are_due_back_only_with_enough_repeat_purchases_to_say_when(monkeypatch):
    marks = table(MARKS)
    assert audiences.due_days(marks, GOAL) == 0.0
    monkeypatch.setattr(audiences, "LEAST_GAPS", 2)
    assert audiences.due_days(marks, GOAL) == 20.0
    assert audiences.due_days(marks.head(0), GOAL) == 0.0


def test_who_is_due_back_is_of_the_sessions_asked_for(audit_home):
    rows = []
    for n in range(120):  # every other visitor on mobile; one in three buys again twelve days later
        for again in range(1 + (n % 3 == 0)):
            at = pd.Timestamp("2026-03-02 09:00") + pd.Timedelta(days=n % 10 + 12 * again, minutes=n)
            order = {"order": f"A{n}-{again}", "worth": "50.00", "money": "EUR"}
            row = {"id": f"e{n}-{again}", "at": str(at), "who": f"c{n}", "session": f"s{n}-{again}", "what": "purchase"}
            rows.append(row | order | {"where": "/done", "kind": "mobile" if n % 2 else "desktop"})
    last = {"id": "x", "at": "2026-04-26 09:00", "who": "x", "session": "x", "what": "page_view", "where": "/"}
    rows.append(last | {"order": "", "worth": "", "money": "", "kind": "mobile"})
    inputs.written(audit_home, inputs.as_csv(rows), inputs.config(device="kind"))
    for where, people in ((None, 120), ("device=mobile", 60)):
        audit = open_audit("acme", where=where)
        due = audit.table("audience_members").frame().query("kind == 'due_back'")
        assert len(due) == due.visitor_id.nunique() == people
        assert audit.frame("audiences").set_index("name").people["due_back"] == people


@pytest.mark.parametrize(
    ("journey", "place"),
    [(["view", "add_to_cart", "pay"], 2), (["view", "list", "basket"], 3), (["view", "form"], 2), (["view"], 1)],
)
def test_the_cart_is_the_step_named_for_it_else_the_second(journey, place):
    assert audiences.cart_place(journey) == place


def test_a_recipe_names_the_conditions_of_an_ad_tool():
    rules = {
        "add_to_cart": Rule(event=["add_to_cart"]),
        "checkout": Rule(page=["/checkout*", "/kasse*"]),
        "purchase": Rule(event=["purchase"], where={"type": ["online"]}),
    }
    row = {"kind": "stopped_at", "step": "add_to_cart", "name": "stopped_at_add_to_cart", "people": 40}
    told = audiences.recipe(row, rules, STEPS, GOAL)
    assert told["include"] == "event = add_to_cart"
    assert told["exclude"] == "page = /checkout* or /kasse*, event = purchase and type = online"
    back = audiences.recipe({**row, "kind": "due_back", "step": float("nan")}, rules, STEPS, GOAL, due=16.4)
    assert (back["include"], back["due_days"]) == ("event = purchase and type = online", 16)


def test_no_visitors_give_no_audiences():
    marks, sessions, _ = shop(World(sessions=50), 4)
    intents = session_intents(marks.head(0), sessions.head(0), STEPS, GOAL, INTENTS)
    assert (
        len(audiences.audience_table(marks.head(0), sessions.head(0), intents, marks.head(0), STEPS, GOAL, AS_OF)) == 0
    )


def test_room_is_value_less_cost_of_sessions_that_could_buy():
    intents = table(
        """
        session_id  class  is_buyer  chance
        s1          C      1         1.0
        s2          C      0         1.0
        s3          A      0         0.5
        s4          X      0         0.0
        """
    )
    sessions = table(
        """
        session_id  channel
        s1          Paid_Search
        s2          Paid_Search
        s3          Paid_Search
        s4          Email
        """
    )
    values = pd.DataFrame(
        {"channel": ["Paid_Search", "Email"], "revenue": [100.0, 0.0], "channel_value": [40.0, 0.0]}
    )  # a margin of 40 %
    values = values.assign(channel_value_low=[10.0, 0.0], channel_value_high=[90.0, 60.0])
    before = intents.copy()
    expected = table(
        """
        channel      sessions  able_sessions  revenue  cost  able_value  able_cost  room_value  room_value_low  room_value_high
        Paid_Search  3         2.5            100      30    16          12         4           -8              24
        Email        1         -              0        5     -           -          -           -               -
        """
    )
    result = room_table(intents, sessions, values, {"paid search": 30, "email": 5, "tv": 9})
    assert_frame_equal(result[expected.columns], expected, check_dtype=False)
    assert room_table(intents, sessions, values, {"email": 5}, known=False).able_sessions.isna().all()
    assert len(room_table(intents, sessions, values, {})) == 0
    assert room_table(intents, sessions.assign(channel="Affiliates"), values, {"affiliate": 5}).cost.tolist() == [5]
    assert_frame_equal(intents, before)


def _room(values, cost):
    intents = pd.DataFrame({"session_id": ["s1", "s2"], "class": ["C", "C"], "is_buyer": [1, 0], "chance": [1.0, 1.0]})
    sessions = pd.DataFrame({"session_id": ["s1", "s2"], "channel": ["Email", "Email"]})
    values = pd.DataFrame({"channel": ["Email"], "revenue": [0.0], "channel_value": [values]})
    values = values.assign(channel_value_low=values.channel_value * 0.9, channel_value_high=values.channel_value * 1.1)
    return room_table(intents, sessions, values, {"email": cost})


def test_a_lead_of_a_declared_worth_gives_its_channel_room_without_any_revenue():
    key, record = acquisition.claim(_room(40.0, 10))
    assert (key, record["able_value"], record["room_value"]) == ("audiences.room_headline", 20, 15)
    assert acquisition.read(0.5, 40.0) == ("audiences.room_read_declared", {"declared": 40.0})


def test_no_room_is_told_as_none_and_a_worth_nobody_knows_as_not_known():
    key, record = acquisition.claim(_room(40.0, 50))
    assert (key, record["over"]) == ("audiences.room_gone", 5)
    assert acquisition.claim(_room(40.0, 38))[0] == acquisition.claim(_room(40.0, 42))[0] == "audiences.room_unsure"
    worthless = _room(0.0, 10)
    assert worthless.room_value.isna().all() and acquisition.claim(worthless) == ("audiences.room_unknown", {})
    assert acquisition.claim(worthless.head(0)) == ("audiences.room_none", {})
