"""The plan: surely worth most for a day of work first, and what would change that."""

from __future__ import annotations

import json

import inputs
import pandas as pd
import pytest
from conftest import table

from conversion_audit import recipes
from conversion_audit.analysis import plan, plan_claims, testing
from conversion_audit.audit import open_audit
from conversion_audit.report import text

STEPS = ["product_view", "add_to_cart", "checkout", "payment", "purchase"]


def finding(name: str, low: float, high: float, **more) -> dict:
    middle = (low + high) / 2
    return {
        "id": name, "kind": "friction", "step": "checkout", "segment": {"device": "mobile"}, "severity": "medium",
        "verdict": "likely friction", "rate": 0.5, "benchmark": 0.6, "sessions_at_risk": 1000, "owner": "checkout",
        "values": {"of": "add_to_cart", "end": "2026-04-26"}, "since": None, "until": None, "gates": [{"passed": True}],
        "revenue": {"low": low, "estimate": middle, "high": high}, "lost_orders": {"low": 1, "estimate": 2, "high": 3},
    } | more  # fmt: skip


FOUND = [
    finding("F-aaaa", 3000, 9000),
    finding("F-bbbb", 2000, 2500),
    finding("F-cccc", 6000, 7000, kind="incident", since="2026-04-01", until="2026-04-10"),
    finding("F-dddd", 0, 0, kind="tracking", severity="high", revenue=None, lost_orders=None, step="payment"),
    finding("F-eeee", 0, 0, kind="service", revenue=None, lost_orders=None, owner="customer_service", step=None),
    finding("F-ffff", 9000, 9999, kind="mix"),
    {"id": "F-gggg", "kind": "strength"},
]


def test_the_plan_ranks_by_the_lower_bound_for_a_day_of_work():
    found = plan.plan(FOUND, STEPS, days=30, review={"F-bbbb": {"effort": "S"}})
    expected = table("""
        place finding effort is_first is_over place_best place_worst
            1  F-dddd      M     True   False          1           1
            2  F-bbbb      S    False   False          2           3
            3  F-aaaa      M    False   False          2           3
            4  F-eeee      M    False   False          4           4
            5  F-cccc      M    False    True          5           5
    """)
    pd.testing.assert_frame_equal(found[list(expected)], expected, check_dtype=False)
    assert found.next_finding.dropna().to_dict() == {1: "F-aaaa"}


def test_worth_is_a_month_and_the_margin_where_it_is_known():
    plain = plan.plan(FOUND[:1], STEPS, days=30).iloc[0]
    with_margin = plan.plan(FOUND[:1], STEPS, days=30, margin=0.4).iloc[0]
    assert (plain.unit, with_margin.unit) == ("revenue", "margin")
    assert round(plain.value_low, 1) == round(3000 * 365.25 / 12 / 30, 1)
    assert round(with_margin.value_high, 1) == round(9000 * 0.4 * 365.25 / 12 / 30, 1)
    no_money = plan.plan([finding("F-hhhh", 0, 0, revenue=None)], STEPS, days=30).iloc[0]
    assert (no_money.unit, round(no_money.value_low, 2)) == ("orders", 1.01)


def test_a_declared_worth_is_no_revenue_and_has_no_margin():
    lead = FOUND[0] | {"values": (FOUND[0].get("values") or {}) | {"goal_value": 40.0}}
    row = plan.plan([lead], STEPS, days=30, margin=0.4).iloc[0]
    assert row.unit == "value"
    assert row.value_high == pytest.approx(plan.plan(FOUND[:1], STEPS, days=30).value_high[0])
    planned = plan.plan([lead], STEPS, days=30, margin=0.4)
    assert plan_claims.worth(planned, 0.4, 40.0) == ("plan.worth_value", {"margin": 0.4, "declared": 40.0})
    assert plan_claims.headline(planned, {})[0] == "plan.headline_value"
    assert {"value_a_month_low", "value_a_month_high"} <= set(plan_claims.ranked(planned, {}))


def test_what_began_within_the_period_and_goes_on_cost_that_in_its_own_days():
    more = {"since": "2026-04-20", "values": {"end": "2026-04-26", "visitors_at_risk": 700}}
    for kind in ("incident", "unexplained"):
        found = plan.plan([finding("F-jjjj", 700, 1400, kind=kind, **more)], STEPS, days=56)
        assert (found.days[0], found.is_over[0]) == (7, False)
        assert found.value[0] == 1050 / 7 * plan.MONTH
        assert testing.design_table(found).visitors_a_week[0] == 700


def test_whatever_ended_within_the_period_is_over():
    found = plan.plan([FOUND[2] | {"kind": "unexplained"}, FOUND[1]], STEPS, days=30)
    assert found.finding.tolist() == ["F-bbbb", "F-cccc"]
    assert found.is_over.tolist() == [False, True]
    assert found.days.tolist() == [30, 30]  # what is over is told by what it cost in all the period


def test_the_effort_at_which_the_next_task_overtakes_is_the_ratio_of_their_worth():
    found = plan.plan(FOUND[:2], STEPS, days=30)
    assert found.finding.tolist() == ["F-aaaa", "F-bbbb"]
    assert round(found.holds_until_days[0], 3) == 4.5  # 3 days x 3000 / 2000


def test_what_is_done_rejected_or_hidden_is_no_task():
    review = {"F-aaaa": {"status": "done"}, "F-bbbb": {"hide": "known"}, "F-dddd": {"status": "rejected"}}
    left = plan.plan(FOUND, STEPS, days=30, review=review).finding.tolist()
    assert left == ["F-eeee", "F-cccc"]
    assert len(plan.plan(FOUND, STEPS, days=30, review={"F-aaaa": {"hide": "no"}})) == 5


def test_a_task_may_not_harm_the_steps_behind_it():
    found = plan.plan(FOUND[:1], STEPS, days=30).iloc[0]
    assert json.loads(found.guardrails) == ["payment", "purchase"]


def test_each_team_has_its_own_page():
    teams = plan_claims.teams(plan.by_owner(plan.plan(FOUND, STEPS, days=30)))
    assert [owner for owner, _ in teams] == ["checkout", "customer_service"]
    assert all(rows.place.is_monotonic_increasing for _, rows in teams)


def test_what_works_is_said():
    assert [one["id"] for one in plan.strengths(FOUND)] == ["F-gggg"]


def test_nothing_found_is_an_empty_plan_and_a_sentence():
    empty = plan.plan([], STEPS, days=30)
    assert len(empty) == 0 and list(empty) == plan.COLUMNS
    assert plan_claims.headline(empty, {}) == ("plan.headline_none", {})
    assert plan_claims.teams(plan.by_owner(empty)) == []


def test_ties_go_by_reference_and_the_input_stays_as_it_was():
    twins = [finding("F-zzzz", 100, 200), finding("F-yyyy", 100, 200)]
    before = json.dumps(twins)
    assert plan.plan(twins, STEPS, days=30).finding.tolist() == ["F-yyyy", "F-zzzz"]
    assert json.dumps(twins) == before


def test_the_first_sentence_names_the_first_task_that_has_a_price():
    key, record = plan_claims.headline(plan.plan(FOUND, STEPS, days=30), {"F-aaaa": "Mend the address form."})
    assert key == "plan.headline"
    assert (record["task"], record["n"], record["valued"]) == ("Mend the address form.", 5, 3)
    said = text(key, record | {"unit": "revenue"})
    assert "The first of these is worth" in said, "the first of all is the silent measurement F-dddd"
    unpriced = plan.plan([FOUND[3], FOUND[4]], STEPS, days=30)
    key, record = plan_claims.headline(unpriced, {})
    assert (key, record["task"]) == ("plan.headline_unpriced", unpriced.finding.iloc[0])


def test_new_visitors_are_named_where_the_plan_says_who():
    assert plan_claims.places('{"is_new": "false", "device": "mobile"}') == ["is_new_false", "mobile"]
    assert plan_claims.places("{}") == ["everyone"]


def test_a_price_of_what_is_over_is_none_of_what_is_left_to_do():
    over, unpriced = FOUND[2], FOUND[4]
    key, record = plan_claims.headline(plan.plan([over, unpriced], STEPS, days=30), {})
    assert (key, record["task"], record["valued"]) == ("plan.headline_over", "F-eeee", 1)
    assert plan_claims.headline(plan.plan([unpriced], STEPS, days=30), {})[0] == "plan.headline_unpriced"
    assert plan_claims.headline(plan.plan([over], STEPS, days=30), {})[0] == "plan.headline_past"


@pytest.mark.parametrize(
    ("blind", "period", "days"),
    [
        (range(0), "", 28),
        (range(4, 9), "", 23),
        (range(0), "\nperiod: {start: 2026-03-02, end: 2026-04-26}", 28),
        (range(4, 9), "\nperiod: {start: 2026-03-02, end: 2026-03-15}", 9),
    ],
)
def test_a_month_is_reckoned_from_the_days_that_were_counted(blind, period, days, audit_home):
    rows = []
    for n in range(28 * 20):
        at, who = pd.Timestamp("2026-03-02 09:00") + pd.Timedelta(days=n // 20, minutes=n % 20), f"c{n}"
        row = {"id": f"e{n}", "at": str(at), "who": who, "session": who, "what": "page_view", "where": "/p/a"}
        rows.append(row | {"order": "", "worth": "", "money": ""})
        if n % 2 and n // 20 not in blind:
            bought = {"id": f"b{n}", "at": str(at + pd.Timedelta(minutes=1)), "what": "purchase", "order": f"A{n}"}
            rows.append(row | bought | {"worth": "50.00", "money": "EUR"})
    inputs.written(audit_home, inputs.as_csv(rows), inputs.config(more=f"timezone: UTC{period}"))
    assert recipes.plan.days_counted(open_audit("acme")) == days


def test_an_order_without_a_known_amount_is_not_worth_nothing(audit_home):
    rows = [{**row, "money": row["money"] and "JPY"} if n < 40 else row for n, row in enumerate(inputs.clean())]
    audit = inputs.taken_in(audit_home, inputs.as_csv(rows))
    assert (audit.headline["orders"], audit.headline["revenue"]) == (20, 500)
    assert recipes.plan.worth(audit) == 50
