"""Friction, part by part, on tables small enough to check by hand, and one small shop as a whole."""

from __future__ import annotations

import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import worlds
from conftest import table
from pandas.testing import assert_frame_equal

from conversion_audit.analysis import friction, friction_claims
from conversion_audit.analysis.friction import cells, dates, drafts, model, price, tracking
from conversion_audit.analysis.friction.reading import read
from conversion_audit.findings import Finding
from conversion_audit.recipes import friction as recipe
from conversion_audit.report.wording import claim_of, cost_of, next_step_of

STEPS = ["view", "cart", "buy"]


def shop(sessions: str, marks: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Sessions and marks from short tables: `after` in seconds of the first of March."""
    frame = table(sessions)
    frame["start"] = pd.Timestamp("2026-03-01") + pd.to_timedelta(frame["after"], unit="s")
    frame["date"] = frame.start.dt.normalize()
    frame["bucket"] = [f"{k:02x}" for k in range(len(frame))]
    marked = table(marks)
    start = frame.set_index("session_id").start
    marked["time"] = start.loc[marked.session_id].to_numpy() + pd.to_timedelta(marked["at"], unit="s")
    marked["event_number"] = marked.groupby("session_id").cumcount() + 1
    return frame, marked.drop(columns="at").assign(detail="/page")


@pytest.fixture
def four_sessions():
    return shop(
        """
        session_id visitor_id after device channel orders revenue
        a          v1         0     mobile paid    1      20
        b          v1         500   mobile paid    0      0
        c          v2         0     desktop email  0      0
        d          v3         90000 desktop email  0      0
        """,
        """
        session_id at name
        a          1  view
        a          9  cart
        a          12 oops
        a          30 buy
        b          2  cart
        b          5  oops
        c          4  view
        """,
    )


def test_depth_is_the_deepest_step_seen_and_a_skipped_step_breaks_nothing(four_sessions):
    sessions, marks = four_sessions
    attempts = read(marks, sessions, STEPS, ["device"], ["channel"], ["oops"])
    assert attempts.depth.tolist() == [3, 2, 1, 0]
    assert attempts.at_risk(1).tolist() == [True, True, True, False]
    assert attempts.passed(0).tolist() == [True, True, True, False]
    assert attempts.days == 2 and attempts.day.tolist() == [0, 0, 0, 1]
    assert attempts.entered(2).tolist() == [9, 2, 4, 0]
    assert attempts.left(2).tolist()[:2] == [30, np.inf]
    assert attempts.troubles[["n", "message"]].to_numpy().tolist() == [[0, "oops"], [1, "oops"]]


def test_reading_leaves_its_tables_unchanged(four_sessions):
    sessions, marks = four_sessions
    before = sessions.copy(), marks.copy()
    friction.diagnose(marks, sessions, STEPS, ["device"], ["channel"], negatives=["oops"])
    assert_frame_equal(sessions, before[0])
    assert_frame_equal(marks, before[1])


def test_sessions_at_a_machines_pace_are_left_out_and_so_is_their_visitor():
    sessions, marks = shop(
        """
        session_id visitor_id after events seconds
        a          robot      0     40     12
        b          robot      500   50     20
        c          robot      900   3      60
        d          person     0     40     300
        """,
        """
        session_id at name
        d          1  view
        """,
    )
    attempts = read(marks, sessions, STEPS, [], [])
    assert len(attempts) == 1 and attempts.machines == 3


def test_a_suspect_of_events_is_read_where_the_tested_step_is_entered(four_sessions):
    sessions, marks = four_sessions
    events = marks[["session_id", "event_number", "time"]].assign(
        page=["/v", "/c", "/c", "/b", "/c", "/c", "/v"],
        error=None,
        properties=['{"form": "old"}', '{"form": "new"}', "{}", "{}", '{"form": "old"}', "{}", "{}"],
    )
    events["error"] = events.error.astype("string")
    attempts = read(marks, sessions, STEPS, ["properties.form"], [], events=events)
    form = attempts.suspects[0]
    levels = np.array([*form.levels, None], object)
    assert form.name == "properties.form"
    assert levels[form.at(0)].tolist() == [None] * 4
    assert levels[form.at(2)].tolist()[:2] == ["new", "old"]


def test_a_friction_of_one_form_is_found_where_only_the_entering_event_names_the_form():
    world = worlds.world(18, 40_000)
    marks = world.marks
    chosen = (marks["name"] == "payment").to_numpy()
    random = np.random.default_rng(6)
    form = np.where(random.random(chosen.sum()) < 0.4, "new", "old")
    paid = marks.session_id[chosen].to_numpy()[form == "new"]
    lost = set(paid[random.random(len(paid)) < 0.35])
    marks = marks[~(marks.session_id.isin(lost) & (marks["name"] == "purchase"))]
    events = world.marks[chosen][["session_id", "event_number", "time"]].assign(
        event="add_payment_info", page="/pay", page_type="checkout", properties=[f'{{"form": "{f}"}}' for f in form]
    )
    events["error"] = pd.array([None] * len(events), dtype="string")
    suspects = ["device", "browser", "os", "country", "properties.form"]
    diagnosis = friction.diagnose(marks, world.sessions, worlds.STEPS, suspects, worlds.ADJUSTERS, events=events)
    found = diagnosis.found[["step", "segment", "verdict"]].to_numpy().tolist()
    assert found == [["purchase", '{"properties.form": "new"}', "likely friction"]]


def test_candidates_of_the_same_sessions_are_one_under_the_shortest_name():
    world = worlds.world(1, 4000)
    one = world.sessions.assign(os=np.where(world.sessions.device == "tablet", "TabletOS", "Other"))
    attempts = read(world.marks, one, worlds.STEPS, ["device", "os"], [])
    found = cells.find_candidates(attempts)
    tablet = [c for c in found if c.parts == (("device", "tablet"),)]
    assert (("os", "TabletOS"),) in tablet[0].also
    assert not any(c.parts == (("os", "TabletOS"),) for c in found)
    assert found[0].parts == ()


def test_a_segment_has_the_shortest_name_of_its_sessions_at_the_step():
    world = worlds.world(18, 40_000, [worlds.Planted("payment", {"device": "mobile"}, 0.5)])
    events = world.marks[["session_id", "event_number", "time"]].assign(
        event=world.marks["name"],
        page="/",
        page_type=np.where(world.marks["name"].isin(worlds.STEPS[3:]), "checkout", "shop"),
        properties="{}",
        error=pd.array([None] * len(world.marks), dtype="string"),
    )
    suspects = ["device", "page_type"]
    diagnosis = friction.diagnose(world.marks, world.sessions, worlds.STEPS, suspects, worlds.ADJUSTERS, events=events)
    assert diagnosis.found[["step", "segment"]].to_numpy().tolist() == [["payment", '{"device": "mobile"}']]


def test_a_saturated_fit_gives_back_the_rates_and_their_standard_errors():
    n, y = np.array([200.0, 400.0]), np.array([50.0, 300.0])
    beta, covariance = model.fit_counts(np.array([[1.0, 0.0], [1.0, 1.0]]), n, y)
    assert model.expit(np.array([beta[0], beta.sum()])) == pytest.approx([0.25, 0.75], abs=1e-4)
    assert covariance[0, 0] == pytest.approx(1 / 50 + 1 / 150, rel=1e-3)
    assert covariance[1, 1] == pytest.approx(1 / 50 + 1 / 150 + 1 / 300 + 1 / 100, rel=1e-3)


@pytest.fixture(scope="module")
def broken():
    planted = [
        worlds.Planted("payment", {"device": "mobile"}, 0.35),
        worlds.Planted("checkout", {"country": "DE"}, 0.5, 20, 40, "silent"),
    ]
    world = worlds.world(11, 30_000, planted, decoy=True)
    asked = (world.marks, world.sessions, worlds.STEPS, worlds.SUSPECTS, worlds.ADJUSTERS)
    return world, friction.diagnose(*asked, negatives=worlds.NEGATIVES)


def test_a_gap_scored_without_refitting_is_near_the_refitted_one():
    world = worlds.world(5, 20_000)
    attempts = read(world.marks, world.sessions, worlds.STEPS, worlds.SUSPECTS, worlds.ADJUSTERS)
    candidates = cells.find_candidates(attempts)
    masked = np.zeros((6, len(attempts)), bool)
    one = cells.step_cells(attempts, candidates, masked, steps=[1])[0]
    state = drafts.evaluate(attempts, one, candidates, [])
    safari = [c.parts for c in candidates].index((("browser", "Safari"),))
    column = [one.rows_in(safari, candidates)]
    refitted = model.fit_step(one, column, attempts.visitor[one.who])
    assert state.gap[safari] == pytest.approx(refitted.beta[-1], abs=0.02)
    spread = np.sqrt(refitted.covariance[-1, -1] * refitted.inflation)
    assert 1 / np.sqrt(state.information[safari]) == pytest.approx(spread, rel=0.05)


def test_what_was_planted_is_found_named_dated_and_priced(broken):
    world, diagnosis = broken
    found = diagnosis.found.set_index("step")
    assert set(found.index) == {"payment", "checkout"}
    assert json.loads(found.segment["payment"]) == {"device": "mobile"}
    assert found.mechanism["payment"] == "error" and found.message["payment"] == "form_error"
    assert json.loads(found.segment["checkout"]) == {"country": "DE"}
    assert found.since["checkout"] == "2026-03-22" and found.until["checkout"] == "2026-04-10"
    assert (found.since_low["checkout"], found.since_high["checkout"]) <= ("2026-03-22", "2026-03-24")
    for step, lost in zip(["payment", "checkout"], world.lost, strict=True):
        assert found.lost_orders_low[step] <= lost <= found.lost_orders_high[step]
    assert (found.verdict == "likely friction").all()


def test_what_was_lost_of_a_goal_that_is_no_order_has_no_price(broken):
    world, diagnosis = broken
    asked = (worlds.STEPS, worlds.SUSPECTS, worlds.ADJUSTERS)
    elsewhere = ~world.sessions.session_id.isin(world.marks[world.marks["name"] == "purchase"].session_id)
    sold = world.sessions.assign(
        orders=world.sessions.orders.where(~elsewhere, 1), revenue=world.sessions.revenue.where(~elsewhere, 1000.0)
    )
    other, lead = (
        friction.diagnose(world.marks, sold, *asked, negatives=worlds.NEGATIVES, earns=earns) for earns in (True, False)
    )
    assert_frame_equal(other.found, diagnosis.found)  # what is bought on the way past the goal is not the goal's worth
    assert (lead.found.lost_orders == diagnosis.found.lost_orders).all() and (lead.found.revenue_lost == 0).all()
    assert {one.revenue for one in friction.findings(lead) if one.kind in ("friction", "incident")} == {None}


def test_an_order_without_an_amount_does_not_make_a_lost_one_cheaper(broken):
    world, diagnosis = broken
    known = np.arange(len(world.sessions)) % 2 == 0
    sold = world.sessions.assign(revenue=world.sessions.revenue.where(known, 0.0))
    asked = (worlds.STEPS, worlds.SUSPECTS, worlds.ADJUSTERS)
    found = (
        friction.diagnose(world.marks, sold, *asked, negatives=worlds.NEGATIVES).found.set_index("step").loc["payment"]
    )
    mobile = sold[(sold.device == "mobile") & (sold.orders > 0) & (sold.revenue > 0)]
    assert found.lost_orders == diagnosis.found.set_index("step").lost_orders["payment"]
    assert found.revenue_lost == pytest.approx(found.lost_orders * (mobile.revenue / mobile.orders).mean())


def test_orders_that_a_silent_tag_did_not_record_are_not_taken_for_orders_not_placed():
    planted, outage = (
        [worlds.Planted("payment", {"device": "mobile"}, 0.3)],
        [("purchase", {"device": "mobile"}, 20, 44)],
    )
    asked = (worlds.STEPS, worlds.SUSPECTS, worlds.ADJUSTERS)
    for outages in ([], outage):
        world = worlds.world(6, 30_000, planted, outages=outages)
        diagnosis = friction.diagnose(world.marks, world.sessions, *asked, negatives=worlds.NEGATIVES)
        assert len(diagnosis.outages) == len(outages)
        (row,) = diagnosis.found.query("step == 'payment'").itertuples()
        assert row.lost_orders == pytest.approx(world.lost[0], rel=0.1)
        assert row.lost_orders_low < world.lost[0] < row.lost_orders_high


def test_what_was_lost_of_a_goal_with_a_declared_worth_costs_as_much_each(broken):
    world, diagnosis = broken
    asked = (worlds.STEPS, worlds.SUSPECTS, worlds.ADJUSTERS)
    lead = friction.diagnose(
        world.marks, world.sessions, *asked, negatives=worlds.NEGATIVES, earns=False, goal_value=40.0
    )
    for end in ("", "_low", "_high"):
        assert (lead.found[f"lost_orders{end}"] == diagnosis.found[f"lost_orders{end}"]).all()
        assert lead.found[f"revenue_lost{end}"].tolist() == pytest.approx(
            (lead.found[f"lost_orders{end}"] * 40).tolist()
        )
    first = next(one for one in friction.findings(lead) if one.kind in ("friction", "incident"))
    assert first.values["goal_value"] == 40
    assert cost_of(first.record()).endswith("lost in this period, each completion at €40.00")
    assert "value_lost" in friction_claims.prices(lead) and "revenue_lost" in friction_claims.prices(diagnosis)
    assert [*friction_claims.prices(diagnosis)][:3] == ["step", "segment", "lost_orders"]  # what the figure draws first


@pytest.mark.parametrize(("value", "earns", "each"), [("revenue", True, None), (40, False, 40.0), (None, False, None)])
def test_a_client_whose_goal_is_worth_no_orders_has_no_revenue_to_lose(value, earns, each, monkeypatch):
    asked = {}
    monkeypatch.setattr(recipe.friction, "diagnose", lambda *_, **more: asked.update(more))
    config = SimpleNamespace(goals={"lead": SimpleNamespace(value=value)}, main_goal="lead", steps=["lead"], suspects=[],
                             adjusters=[], micro_conversions={}, seed=1)  # fmt: skip
    recipe._diagnosed(SimpleNamespace(config=config, marks=None, sessions=None, events=None))
    assert (asked["earns"], asked["goal_value"]) == (earns, each)


def test_the_headline_costs_what_its_own_places_cost():
    weak = [worlds.Planted("shipping", {"device": "desktop"}, 0.085, how="silent"),
            worlds.Planted("checkout", {"os": "iOS"}, 0.11, how="silent")]  # fmt: skip
    world = worlds.world(8, 40_000, [worlds.Planted("payment", {"device": "mobile"}, 0.3), *weak])
    asked = (world.marks, world.sessions, worlds.STEPS, worlds.SUSPECTS, worlds.ADJUSTERS)
    diagnosis = friction.diagnose(*asked, negatives=worlds.NEGATIVES)
    assert diagnosis.found.verdict.tolist() == ["likely friction", "unexplained gap"]
    first, joint = diagnosis.found.iloc[0], diagnosis.joint.iloc[0]
    assert (joint.findings, joint.lost_orders) == (1, first.lost_orders)
    ends = {"low": first.lost_orders_low, "high": first.lost_orders_high}
    money = {"money_low": first.revenue_lost_low, "money_high": first.revenue_lost_high}
    assert joint.revenue_lost == first.revenue_lost > 0
    assert friction_claims.headline(diagnosis) == ("friction.headline_money", {"count": 1} | ends | money)
    declared = replace(diagnosis, about=diagnosis.about.assign(goal_value=40.0))
    worth = {"goal_value": 40.0}
    assert friction_claims.headline(declared) == ("friction.headline_value", {"count": 1} | ends | money | worth)
    unpriced = replace(diagnosis, found=diagnosis.found.assign(revenue_lost_high=0.0))
    assert friction_claims.headline(unpriced) == ("friction.headline", {"count": 1} | ends)


def test_two_incidents_of_the_same_people_at_the_same_step_are_two():
    planted = [worlds.Planted("payment", {}, 0.6, first, last, "silent") for first, last in ((8, 15), (35, 43))]
    world = worlds.world(5, 30_000, planted)
    asked = (world.marks, world.sessions, worlds.STEPS, worlds.SUSPECTS, worlds.ADJUSTERS)
    diagnosis = friction.diagnose(*asked, negatives=worlds.NEGATIVES)
    found = diagnosis.found.sort_values("since")
    assert found.since.tolist() == ["2026-03-10", "2026-04-06"] and found.until.tolist() == ["2026-03-16", "2026-04-13"]
    assert (found.verdict == "likely friction").all() and (found.step == "payment").all()
    # Each is worth about its own lost orders, and no half of them.
    assert found.lost_orders.to_numpy() == pytest.approx(world.lost, rel=0.15)
    told = {(one.claim, one.next_step) for one in friction.findings(diagnosis) if one.kind == "incident"}
    assert told == {("friction.incident_over", "friction.next_over")}, "nobody can watch or try out what is over"


def test_a_finding_counts_the_visitors_who_stood_before_its_own_step(broken):
    world, diagnosis = broken
    step = worlds.STEPS.index("payment")
    there = world.marks[world.marks.name.isin(worlds.STEPS[step - 1 :])].session_id
    mobile = world.sessions[(world.sessions.device == "mobile") & world.sessions.session_id.isin(there)]
    row = diagnosis.found.set_index("step").loc["payment"]
    assert (row.sessions_at_risk, row.visitors_at_risk) == (len(mobile), mobile.visitor_id.nunique())
    (one,) = (one for one in friction.findings(diagnosis) if one.kind == "friction")
    assert one.values["visitors_at_risk"] == row.visitors_at_risk


def test_every_finding_carries_its_eight_gates_in_order(broken):
    _, diagnosis = broken
    order = ["tracking", "machines", "enough", "mix", "step_specific", "persistent", "mechanism", "verdict"]
    for _, gates in diagnosis.gates.groupby("finding"):
        assert gates.gate.tolist() == order
        assert gates.passed[gates.gate != "mechanism"].all()


def test_a_finding_holds_every_key_of_a_friction(broken):
    _, diagnosis = broken
    made = [one for one in friction.findings(diagnosis) if one.kind in ("friction", "incident")]
    assert {one.kind for one in made} == {"friction", "incident"}
    for one in made:
        record = one.record()
        keys = ("step", "segment", "rate", "benchmark", "sessions_at_risk", "lost_orders", "lost_orders_net", "revenue")
        assert all(record[key] is not None for key in (*keys, "gates", "mechanism", "next_step"))
        assert record["lost_orders"]["low"] <= record["lost_orders"]["estimate"] <= record["lost_orders"]["high"]
        assert record["lost_orders_net"]["high"] <= record["lost_orders"]["high"]
        assert 0 <= record["rate"] < record["benchmark"] <= 1
    assert [one.since for one in made if one.kind == "incident"] == ["2026-03-22"]


def test_three_benchmarks_are_shown_and_one_is_headlined(broken):
    _, diagnosis = broken
    for number, rows in diagnosis.benchmarks.groupby("finding"):
        assert rows.kind.tolist() == ["siblings", "own_past", "stretch"]
        row = diagnosis.found[diagnosis.found.finding == number].iloc[0]
        assert rows[rows.is_headline].kind.tolist() == [row.benchmark_kind]
        assert rows[rows.kind == "stretch"].benchmark_rate.iloc[0] >= row.benchmark_rate


def test_the_same_seed_gives_the_same_diagnosis_whatever_the_order_of_rows(broken):
    world, diagnosis = broken
    shuffled = world.marks.sample(frac=1, random_state=1), world.sessions.sample(frac=1, random_state=2)
    again = friction.diagnose(
        *shuffled, worlds.STEPS, worlds.SUSPECTS, worlds.ADJUSTERS, negatives=worlds.NEGATIVES
    ).to_tables()
    for name, kept in diagnosis.to_tables().items():
        assert_frame_equal(kept, again[name], obj=name)


def test_a_diagnosis_can_be_kept_and_taken_up_again(broken):
    _, diagnosis = broken
    again = friction.Diagnosis.from_tables(diagnosis.to_tables())
    assert [one.id for one in friction.findings(again)] == [one.id for one in friction.findings(diagnosis)]


def test_cells_hold_every_session_at_risk_once(broken):
    world, diagnosis = broken
    by_step = diagnosis.cells.groupby("step").at_risk.sum()
    assert by_step["product_view"] == len(world.sessions)
    sessions = diagnosis.steps[diagnosis.steps.unit == "session"].set_index("step")
    assert (by_step == sessions.at_risk.reindex(by_step.index)).all()
    passed = diagnosis.cells.groupby("step").passed.sum()
    assert (passed == sessions.passed.reindex(passed.index)).all()


def test_a_silent_tag_is_tracking_and_its_days_are_left_out():
    world = worlds.world(12, 20_000, outages=[("shipping", {"device": "mobile"}, 10, 20)])
    diagnosis = friction.diagnose(world.marks, world.sessions, worlds.STEPS, worlds.SUSPECTS, worlds.ADJUSTERS)
    row = diagnosis.outages.iloc[0]
    assert (row.step, row.column, row.level) == ("shipping", "device", "mobile")
    assert (row.since, row.until) == ("2026-03-12", "2026-03-21")
    assert diagnosis.found.empty
    left_out = diagnosis.steps.set_index(["step", "unit"]).left_out_sessions
    assert left_out["shipping", "session"] > 0 and left_out["checkout", "session"] == 0
    told = friction.findings(diagnosis)[0]
    assert (told.kind, told.claim) == ("tracking", "friction.tracking_over"), "days that are over are told as such"
    assert " from 12 Mar 2026 to 21 Mar 2026 “" in claim_of(told.record())
    assert next_step_of(told.record()).startswith("The step is recorded again.")


def test_a_quiet_shop_is_told_what_would_have_been_seen():
    world = worlds.world(13, 20_000)
    diagnosis = friction.diagnose(world.marks, world.sessions, worlds.STEPS, worlds.SUSPECTS, worlds.ADJUSTERS)
    quiet = [one for one in friction.findings(diagnosis) if one.claim == "friction.quiet"]
    assert len(quiet) == 1
    assert 0.05 < quiet[0].values["loss"] < 0.6
    assert quiet[0].values["comparisons"] > 300


def test_days_without_times_of_day_are_told_instead_of_too_few_sessions():
    world = worlds.world(14, 300)
    sessions = world.sessions.assign(events=12, seconds=[0.0] * 200 + [600.0] * 100)
    diagnosis = friction.diagnose(world.marks, sessions, worlds.STEPS, worlds.SUSPECTS, worlds.ADJUSTERS)
    answer = friction.findings(diagnosis)[-1]
    assert (answer.claim, answer.next_step) == ("friction.timeless", "friction.next_timeless")
    assert answer.values["machines"] >= 200 and answer.values["sessions"] == 300
    assert friction_claims.headline(diagnosis) == ("friction.headline_timeless", {})


def test_three_hundred_sessions_get_no_verdict_but_a_date():
    world = worlds.world(14, 300)
    diagnosis = friction.diagnose(world.marks, world.sessions, worlds.STEPS, worlds.SUSPECTS, worlds.ADJUSTERS)
    assert diagnosis.found.empty
    answer = friction.findings(diagnosis)[-1]
    assert answer.claim == "friction.too_small_shop"
    assert answer.values["sessions"] == 300 < answer.values["sessions_needed"]
    assert answer.values["on"] > "2026-04-26"
    assert answer.values["visible_step"] == "product_view"
    assert 0.1 < answer.values["visible_fall"] < 0.4


@pytest.mark.parametrize("count", [0, 1, 3])
def test_hardly_any_sessions_are_no_error(count):
    world = worlds.world(15, 50)
    sessions = world.sessions.head(count)
    marks = world.marks[world.marks.session_id.isin(sessions.session_id)]
    diagnosis = friction.diagnose(marks, sessions, worlds.STEPS, worlds.SUSPECTS, worlds.ADJUSTERS)
    assert diagnosis.found.empty and diagnosis.refused.empty
    assert all(isinstance(one, Finding) for one in friction.findings(diagnosis))


def test_a_journey_nobody_walks_is_no_error():
    world = worlds.world(16, 2000)
    diagnosis = friction.diagnose(world.marks, world.sessions, ["nowhere", "purchase"], ["device"], ["channel"])
    assert diagnosis.found.empty


def test_a_window_is_found_where_it_is():
    random = np.random.default_rng(1)
    rate = np.where((np.arange(30) >= 12) & (np.arange(30) < 17), 0.5, 0.8)
    n = np.full(30, 300.0)
    y = random.binomial(300, rate).astype(float)
    starts, ends = dates.edges(n, y, n * y.sum() / n.sum(), 12, 17, 1.0)
    assert starts[0] <= 12 <= starts[1] and ends[0] <= 17 <= ends[1]
    assert starts[1] - starts[0] <= 1 and ends[1] - ends[0] <= 1


def test_the_chance_of_the_best_window_grows_with_days_and_falls_with_depth():
    p = dates.window_p(np.array([-6.0, -5.0, -4.0, -1.0, 2.0]), 56)
    assert (np.diff(p) >= 0).all() and p[-1] == p[-2] == 1
    assert p[2] == pytest.approx(1.41 * 64 * np.exp(-8) / np.sqrt(2 * np.pi))
    assert dates.window_p(np.array([-4.0]), 28) < dates.window_p(np.array([-4.0]), 56)


def test_only_findings_near_the_cut_are_shrunk():
    assert price.kept_share(-9, 3.5) == 1
    assert price.kept_share(-5.5, 3.5) > 0.95
    assert 0.5 <= price.kept_share(-3.6, 3.5) < 0.8
    assert price.kept_share(-3.5, 3.5) == 0.5


def test_who_orders_within_seven_days_has_come_back():
    sessions, marks = shop(
        """
        session_id visitor_id after   orders revenue
        a          v1         0       0      0
        b          v1         86400   1      10
        c          v2         0       0      0
        d          v2         864000  1      10
        e          v3         0       0      0
        """,
        """
        session_id at name
        a          1  view
        b          1  buy
        c          1  view
        d          1  buy
        e          1  view
        """,
    )
    attempts = read(marks, sessions, STEPS, [], [])
    one = cells.step_cells(attempts, cells.find_candidates(attempts), np.zeros((3, 5), bool), steps=[1])[0]
    stopped = np.isin(one.who, [0, 2, 4])
    assert price.come_back_rate(attempts, one, stopped) == pytest.approx(1 / 3)


def test_orders_that_stop_altogether_for_days_are_tracking():
    world = worlds.world(17, 20_000, outages=[("purchase", {}, 30, 34)])
    attempts = read(world.marks, world.sessions, worlds.STEPS, worlds.SUSPECTS, [])
    outages, masked = tracking.find_outages(attempts, cells.find_candidates(attempts))
    assert [(worlds.STEPS[one.step], one.candidate.parts, one.since, one.until) for one in outages] == [
        ("purchase", (), 30, 34)
    ]
    assert masked[5].sum() == ((attempts.day >= 30) & (attempts.day < 34)).sum()


def test_a_map_without_a_single_place_says_so():
    cells = pd.DataFrame({"verdict": [""], "step_rate": [np.nan]})
    for empty in (cells, cells.head(0)):
        assert friction_claims.map_claim(empty) == ("friction.map_empty", {"certain": 0, "cells": 0})
    assert friction_claims.map_claim(cells.assign(step_rate=0.5))[0] == "friction.map_none"
