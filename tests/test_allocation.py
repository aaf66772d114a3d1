"""Money and people against value: shares with their range, and need where nobody says what it costs."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from conversion_audit.analysis import acquisition, allocation, change_fates, plan_claims
from conversion_audit.analysis.statistics import wilson
from conversion_audit.recipes import goals
from conversion_audit.schema import Period


def shop(counts: dict[str, tuple[int, int]]) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Sessions, marks and orders: channel -> (sessions, orders of 100 each), spread over visitor groups."""
    rows = [(channel, n < orders) for channel, (size, orders) in counts.items() for n in range(size)]
    sessions = pd.DataFrame(rows, columns=["channel", "buys"])
    sessions["session_id"] = [f"s{n}" for n in range(len(rows))]
    sessions["bucket"] = [f"{(n * 37) % 256:02x}" for n in range(len(rows))]
    bought = sessions[sessions.buys]
    orders = pd.DataFrame({"session_id": bought.session_id, "revenue": 100.0}).reset_index(drop=True)
    marks = pd.DataFrame({"session_id": bought.session_id, "name": "purchase"}).reset_index(drop=True)
    return sessions.drop(columns="buys"), marks, orders


COUNTS = {"Paid Search": (4000, 100), "Email": (2000, 300), "Organic Search": (6000, 200)}


def test_a_channel_with_more_of_the_spend_than_of_the_value_is_named_with_who_lacks_it():
    found = allocation.channel_allocation(*shop(COUNTS), "purchase", {"paid_search": 9000, "email": 1000}, margin=0.5)
    found = found.set_index("channel")
    assert found.channel_value.round().to_dict() == {"Paid Search": 5000, "Email": 15000, "Organic Search": 10000}
    assert found.cost_share.round(2)["Paid Search"] == 0.9 and found.value_share.round(2)["Paid Search"] == 0.25
    assert found.allocation.dropna().to_dict() == {"Paid Search": "above share", "Email": "below share"}
    low, high = wilson(100, 400)
    assert found.value_share_low["Paid Search"] == pytest.approx(low, abs=0.02)
    assert found.value_share_high["Paid Search"] == pytest.approx(high, abs=0.02)
    (one,) = allocation.findings(found.reset_index())
    assert (one.claim, one.values["channel"], one.values["instead"]) == (
        "allocation.over_instead",
        "Paid Search",
        "Email",
    )


def test_equal_shares_are_not_told_apart():
    counts = {"A": (1000, 100), "B": (1000, 102)}
    found = allocation.channel_allocation(*shop(counts), "purchase", {"a": 500, "b": 500})
    assert set(found.allocation) == {"even"} and allocation.findings(found) == []


def test_none_of_thirty_sessions_is_not_surely_less_than_its_share():
    counts = {"A": (300, 9), "B": (30, 0)}
    found = allocation.channel_allocation(*shop(counts), "purchase", {"a": 300, "b": 30}).set_index("channel")
    assert found.value_share_low["B"] < 0.01 and found.value_share_high["B"] > found.cost_share["B"]
    assert found.channel_value_high["B"] > 100
    assert found.allocation.to_dict() == {"A": "even", "B": "even"}


def test_a_margin_of_nothing_is_a_margin():
    assert allocation.channel_allocation(*shop(COUNTS), "purchase", {}, margin=0.0).channel_value.sum() == 0


def test_without_costs_there_is_value_and_no_verdict():
    found = allocation.channel_allocation(*shop(COUNTS), "purchase", {})
    assert found.allocation.isna().all() and found.channel_value.sum() == 60_000
    assert plan_claims.allocation_headline(found) == ("allocation.headline_need", {})
    assert allocation.findings(found) == []


def test_a_goal_without_revenue_has_its_fixed_worth():
    sessions, marks, orders = shop(COUNTS)
    found = allocation.channel_allocation(sessions, marks, orders.iloc[:0], "purchase", {}, goal_value=12.5)
    assert found.channel_value.sum() == 600 * 12.5


def test_a_declared_worth_is_of_every_completion_whatever_else_was_sold():
    sessions, marks, orders = shop(COUNTS)
    twice = pd.concat([marks, marks.head(1)])
    found = allocation.channel_allocation(sessions, twice, orders, "purchase", {}, margin=0.5, goal_value=40)
    assert found.channel_value.sum() == 601 * 40  # as chapter 01 has it
    assert plan_claims.channels_value(found, 0.5, 40) == ("allocation.value_goal", {"margin": 0.5})


def test_a_cost_that_no_channel_has_is_listed():
    found = allocation.channel_allocation(*shop(COUNTS), "purchase", {"tv": 10})
    assert allocation.unmatched({"tv": 10, "email": 1}, found.channel) == ["tv"]


MARCH, APRIL = ("2026-03-01", "2026-03-31"), ("2026-04-01", "2026-04-30")


@pytest.mark.parametrize(
    ("where", "asked", "held"),
    [({}, MARCH, {"paid_search", "email"}), ({"device": "mobile"}, MARCH, set()), ({"channel": "Email"}, MARCH, {"email"}),
     ({"channel": "Email", "device": "mobile"}, MARCH, set()), ({}, APRIL, set())],
)  # fmt: skip
def test_a_channel_s_cost_is_held_against_all_of_its_sessions_and_days_or_none(where, asked, held):
    costs = SimpleNamespace(channel={"paid_search": 9000, "email": 1000})
    config = SimpleNamespace(costs=costs, period=Period(start=MARCH[0], end=MARCH[1]))
    audit = SimpleNamespace(config=config, where=where, period=Period(start=asked[0], end=asked[1]))
    assert set(goals.channel_costs(audit)) == held
    config.period = None
    assert set(goals.channel_costs(audit)) == (held if asked == MARCH else {"paid_search", "email"})


def test_costs_of_other_sessions_are_not_said_to_be_undeclared():
    channels = allocation.channel_allocation(*shop(COUNTS), "purchase", {})
    costs = {"email": 1000}
    assert plan_claims.allocation_headline(channels, costs) == ("allocation.headline_other", {})
    no_room = pd.DataFrame({"room_value": []})
    assert acquisition.claim(no_room, costs) == ("audiences.room_other", {})


PLAN = pd.DataFrame(
    [("checkout", 6000.0, 8000.0, "margin", False), ("checkout", 100.0, 200.0, "margin", False),
     ("content", 1000.0, 2000.0, "margin", False), ("checkout", 5000.0, 9000.0, "margin", True),
     ("customer_service", np.nan, np.nan, None, False)],
    columns=["owner", "value_low", "value_high", "unit", "is_over"],
)  # fmt: skip


def test_teams_are_compared_with_what_is_lost_at_their_steps():
    people = {"checkout": "5 days", "content": "20 days", "customer service": "10 days", "crm": "10 days"}
    found = allocation.team_allocation(PLAN, people, day_rate=500).set_index("owner")
    assert found.team_cost.to_dict() == {"checkout": 2500, "content": 10000, "customer_service": 5000, "crm": 5000}
    assert found.allocation.to_dict() == {
        "checkout": "below share", "content": "above share", "customer_service": "no priced task", "crm": "nothing found"
    }  # fmt: skip
    assert found.largest_low["checkout"] == 6000
    assert found.tasks.to_dict() == {"checkout": 3, "content": 1, "customer_service": 1, "crm": 0}
    assert found.priced.to_dict() == {"checkout": 2, "content": 1, "customer_service": 0, "crm": 0}
    ends = found.loc["checkout", ["need_share_low", "need_share", "need_share_high"]].tolist()
    assert ends == sorted(ends) and ends[0] == pytest.approx(6100 / 8100)


def test_a_team_s_tools_count_however_its_name_is_written():
    people, tools = {"Customer Service": "2 days"}, {"Customer Service": 900, "Web Team": 50}
    found = allocation.team_allocation(PLAN, people, day_rate=500, tools=tools).set_index("owner")
    assert found.team_cost[["customer_service", "web_team"]].tolist() == [1900, 50]


def test_an_amount_stands_in_a_column_of_its_own_unit():
    found = plan_claims.teams_shown(allocation.team_allocation(PLAN, {}))
    assert "unit" not in found and found.margin_a_month_low.tolist() == [6000, 1000]
    orders = PLAN.assign(unit="orders", value_low=PLAN.value_low + 0.4)
    found = plan_claims.teams_shown(allocation.team_allocation(orders, {}))
    assert found.completions_a_month_low.tolist() == [6000, 1000] and "margin_a_month_low" not in found


def test_the_table_of_channels_says_what_it_compares_and_what_value_is():
    sessions, marks, orders = shop(COUNTS)
    priced = allocation.channel_allocation(sessions, marks, orders, "purchase", {"email": 1000}, margin=0.38)
    assert plan_claims.channels_claim(priced) == "allocation.channel_claim"
    assert plan_claims.channels_value(priced, 0.38) == ("allocation.value_margin", {"margin": 0.38})
    counted = allocation.channel_allocation(sessions, marks, orders.iloc[:0], "purchase", {})
    assert plan_claims.channels_claim(counted) == "allocation.channel_claim_counts"
    assert plan_claims.channels_value(counted, 0.38)[0] == "allocation.value_none"


def test_no_verdict_on_a_channel_or_team_is_the_word_of_a_fate():
    words = {allocation.OVER, allocation.UNDER, allocation.EVEN, allocation.NEED, allocation.NO_PRICE}
    assert words.isdisjoint({change_fates.OVER, change_fates.NEW, change_fates.FIXED, change_fates.UNMOVED})


def test_without_people_it_is_need_not_over_allocation():
    found = allocation.team_allocation(PLAN, {})
    assert set(found.allocation) == {"need"} and found.owner.tolist() == ["checkout", "content"]
    assert found.need_share.sum() == pytest.approx(1)


def test_no_sessions_no_channels_and_no_plan_no_teams():
    sessions, marks, orders = shop(COUNTS)
    empty = allocation.channel_allocation(sessions.iloc[:0], marks.iloc[:0], orders.iloc[:0], "purchase", {"email": 1})
    assert len(empty) == 0 and allocation.findings(empty) == []
    assert len(allocation.team_allocation(PLAN.iloc[:0], {})) == 0


def test_inputs_stay_as_they_were_and_the_same_seed_gives_the_same():
    tables = shop(COUNTS)
    before = [one.copy() for one in tables]
    first, second = (allocation.channel_allocation(*tables, "purchase", {"email": 1000}) for _ in range(2))
    pd.testing.assert_frame_equal(first, second)
    for one, other in zip(tables, before, strict=True):
        pd.testing.assert_frame_equal(one, other)
    assert np.isfinite(first.channel_value_low).all()
