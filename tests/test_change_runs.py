"""Two runs compared: what moved, why, since when, and what is no more than other people or other definitions."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from conftest import real_data

from conversion_audit.analysis import change_claims, change_definitions, change_fates, change_marks, change_measures
from conversion_audit.analysis.cells import cells
from conversion_audit.analysis.statistics import newcombe

STEPS = {"product_view": 0.6, "checkout": 0.6, "payment": 0.8, "purchase": 0.9}


def period(
    start: str, seed: int, *, days: int = 28, sessions: int = 1500, safari: float = 1.0, paid: float = 0.3, loss=None
):
    """Cells of a shop: Safari's payment at a factor of its rate; `loss`: (step, device, first, last, share lost)."""
    random, dates = np.random.default_rng(seed), pd.date_range(start, periods=days)
    levels = {"device": {"mobile": 0.6, "desktop": 0.4}, "browser": {"Chrome": 0.7, "Safari": 0.3},
              "channel": {"Organic": 1 - paid, "Paid": paid}}  # fmt: skip
    who = pd.MultiIndex.from_product([list(v) for v in levels.values()], names=list(levels)).to_frame(index=False)
    weight = np.prod([who[name].map(levels[name]) for name in levels], axis=0)
    parts = []
    for day in dates:
        left, of = random.multinomial(sessions, weight), None
        for step, rate in STEPS.items():
            chance = np.where(who.channel == "Paid", rate * 0.6, rate)
            chance = np.where((who.browser == "Safari") & (step == "payment"), chance * safari, chance)
            if loss and step == loss[0] and pd.Timestamp(loss[2]) <= day <= pd.Timestamp(loss[3]):
                chance = np.where(who.device == loss[1], chance * (1 - loss[4]), chance)
            passed = random.binomial(left, chance)
            parts.append(who.assign(kind="step", name=step, of=of, date=day, at_risk=left, passed=passed))
            left, of = passed, step
        parts.append(
            who.assign(kind="goal", name="purchase", of=None, date=day, at_risk=parts[-4].at_risk, passed=left)
        )
    return pd.concat(parts, ignore_index=True).assign(inflation=1.0)


SAFARI = {
    "id": "F-safa", "kind": "friction", "step": "payment", "segment": {"browser": "Safari"}, "since": None, "until": None,
    "rate": 0.5, "benchmark": 0.7, "sessions_at_risk": 3000, "revenue": {"low": 60000, "estimate": 72000, "high": 80000},
    "values": {"end": "2026-03-29"},
}  # fmt: skip
MOBILE = {
    "id": "F-mobi", "kind": "incident", "step": "checkout", "segment": {"device": "mobile"}, "since": "2026-04-08",
    "until": "2026-04-14", "rate": 0.4, "benchmark": 0.6, "sessions_at_risk": 3000, "revenue": None,
    "values": {"end": "2026-04-26", "since_low": "2026-04-08", "since_high": "2026-04-09"},
}  # fmt: skip
INCIDENT = ("checkout", "mobile", "2026-04-08", "2026-04-14", 0.35)


@pytest.fixture(scope="module")
def before() -> pd.DataFrame:
    return period("2026-03-02", 1, safari=0.7)


@pytest.fixture(scope="module")
def after() -> pd.DataFrame:
    return period("2026-03-30", 2, loss=INCIDENT)


def test_a_mended_friction_is_named_with_its_day_size_and_worth(before, after):
    found = change_fates.fates(
        [SAFARI], [MOBILE], before, after, {"F-safa": {"status": "done", "done_on": "2026-03-29"}}
    )
    row = found.iloc[0]
    assert (row.finding, row.fate, row.moved_on, row.done_on) == ("F-safa", "fixed", "2026-03-30", "2026-03-29")
    assert row.moved_low < 0.2 < row.moved_high and row.moved_low > 0.1
    assert row.siblings_before_rate == pytest.approx(row.siblings_after_rate, abs=0.03)
    each = 72000 / (3000 * 0.2)
    assert row.value_a_month == pytest.approx(each * row.after_at_risk / 28 * 365.25 / 12 * row.moved)
    assert np.isnan(row.goal_value), "its price is the orders' own"


def test_what_is_won_of_a_goal_with_a_declared_worth_is_told_at_it(before, after):
    lead = SAFARI | {"values": (SAFARI.get("values") or {}) | {"goal_value": 40.0}}
    (row,) = change_fates.fates([lead], [], before, after).itertuples()
    (priced,) = change_fates.fates([SAFARI], [], before, after).itertuples()
    assert (row.value_a_month, row.goal_value) == (priced.value_a_month, 40.0)


def test_what_is_told_since_a_day_is_counted_since_that_day(before):
    late = pd.concat([period("2026-03-30", 2, days=14, safari=0.7), period("2026-04-13", 3, days=14)])
    (row,) = change_fates.fates([SAFARI], [], before, late).itertuples()
    since = late[(late["name"] == "payment") & (late.browser == "Safari") & (late.date >= "2026-04-13")]
    assert (row.fate, row.moved_on) == ("fixed", "2026-04-13")
    assert (row.after_at_risk, row.after_rate) == (since.at_risk.sum(), since.passed.sum() / since.at_risk.sum())


def test_what_got_worse_has_the_day_of_its_fall():
    good, bad = period("2026-03-02", 1), period("2026-03-30", 2, days=14)
    worse = pd.concat([bad, period("2026-04-13", 3, days=14, safari=0.7)])
    (row,) = change_fates.fates([SAFARI], [], good, worse).itertuples()
    assert (row.fate, row.moved_on) == ("worse", "2026-04-13")


def test_a_new_incident_is_named_with_its_own_days(before, after):
    row = change_fates.fates([SAFARI], [MOBILE], before, after).iloc[1]
    assert (row.finding, row.fate, row.moved_on, row.moved_on_high) == ("F-mobi", "new", "2026-04-08", "2026-04-09")
    assert row.moved_high < -0.12
    assert row.before_at_risk > 4 * row.after_at_risk / 2


def test_what_was_over_before_the_new_days_is_not_new_and_what_had_begun_is_held_to_the_days_before_it(before, after):
    over = MOBILE | {"since": "2026-03-20", "until": "2026-03-26"}
    assert change_fates.fates([], [over], before, after).empty
    begun = MOBILE | {"since": "2026-03-27", "until": None}
    (row,) = change_fates.fates([], [begun], before, after).itertuples()
    held = before[(before["name"] == "checkout") & (before.device == "mobile") & (before.date < "2026-03-27")]
    assert (row.fate, row.before_at_risk) == ("new", held.at_risk.sum())
    assert change_fates.fates([SAFARI], [MOBILE], before, after.iloc[:0]).empty


def test_neither_is_put_down_to_other_people(before, after):
    measures = change_measures.measure_changes(before, after, ["channel"]).set_index(["kind", "name"])
    assert measures.moved["step", "payment"] == "rate" and measures.moved["step", "checkout"] == "rate"
    assert "mix" not in set(measures.moved)
    for row in measures.itertuples():
        assert row.mix + row.rate == pytest.approx(row.change)
        assert row.change_low < row.change < row.change_high


def test_other_people_are_named_as_such(before):
    paid = period("2026-03-30", 3, safari=0.7, paid=0.6)
    row = change_claims.goal_row(change_measures.measure_changes(before, paid, ["channel"]), "purchase")
    assert row.moved == "mix" and row.mix_high < 0
    assert (
        change_claims.goal_claim(change_measures.measure_changes(before, paid, ["channel"]), "purchase")[0]
        == "change.goal_mix"
    )


def test_nothing_moved_is_said(before):
    same = period("2026-03-30", 4, safari=0.7)
    assert (
        change_claims.goal_row(change_measures.measure_changes(before, same, ["channel"]), "purchase").moved == "still"
    )
    assert change_fates.fates([SAFARI], [SAFARI], before, same).fate.tolist() == ["unmoved"]
    few = period("2026-03-30", 5, safari=0.7, sessions=4)
    assert change_fates.fates([SAFARI], [SAFARI], before, few).fate.tolist() == ["cannot say"]


def test_worse_is_said(before):
    worse = period("2026-03-30", 6, safari=0.4)
    row = change_fates.fates([SAFARI], [], before, worse).iloc[0]
    assert row.fate == "worse" and row.moved_high < 0


def test_an_incident_that_ended_by_itself_is_over(after):
    later = period("2026-04-27", 7)
    priced = MOBILE | {"revenue": SAFARI["revenue"]}
    row = change_fates.fates([priced], [], after, later).iloc[0]
    assert (row.fate, row.moved_on) == ("over", "2026-04-15")
    assert np.isnan(row.value_a_month), "what had ended by itself cost nothing any more"


def test_a_friction_without_untouched_siblings_is_a_plain_before_and_after(before, after):
    everyone = SAFARI | {"segment": {}}
    row = change_fates.fates([everyone], [], before, after).iloc[0]
    assert np.isnan(row.siblings_at_risk)
    assert row.moved == pytest.approx(row.after_rate - row.before_rate, abs=0.005)


def test_the_turning_day_of_a_hand_made_series():
    days = pd.DataFrame({"date": pd.date_range("2026-03-01", periods=10), "at_risk": 100})
    days["passed"] = [50] * 6 + [80] * 4
    assert change_fates.turning_day(days, "rose")["moved_on"] == "2026-03-07"
    assert change_fates.turning_day(days, "fell")["moved_on"] is None
    assert change_fates.turning_day(days.head(3), "rose") == dict.fromkeys(
        ("moved_on", "moved_on_low", "moved_on_high")
    )


def test_what_cannot_be_followed_is_left_out_and_inputs_stay(before, after):
    other = SAFARI | {"id": "F-osos", "segment": {"os": "Android"}}
    kept = before.copy()
    assert change_fates.fates([other, {"id": "F-x", "kind": "strength"}], [], before, after).empty
    pd.testing.assert_frame_equal(before, kept)


def test_every_fate_has_its_sentence(before, after):
    from conversion_audit.report.voice import Voice, speaking
    from conversion_audit.report.wording import claim_of

    found = change_fates.fates([SAFARI, MOBILE], [], before, after)
    kinds = ("fixed", "improved", "unmoved", "worse", "over", "cannot say", "new")
    found = pd.concat([found.head(1).assign(fate=fate) for fate in kinds])
    for language in ("en", "de"):
        with speaking(Voice(language=language)):
            words = [claim_of(one.record()) for one in change_claims.findings(found)]
            assert len(set(words)) == 7 and all("Safari" in one for one in words)


def test_a_new_incident_that_is_over_is_not_told_as_going_on(before, after):
    from conversion_audit.report.wording import claim_of

    lasting = MOBILE | {"until": "2026-04-26"}  # the end of its period
    told = [change_claims.findings(change_fates.fates([], [one], before, after))[0] for one in (MOBILE, lasting)]
    over, going_on = (claim_of(one.record()) for one in told)
    assert "From 8 Apr 2026 to 14 Apr 2026" in over and "since" not in over
    assert "since 8 Apr 2026" in going_on


def test_a_change_of_the_site_stands_out_only_beyond_what_other_days_do():
    shop = pd.concat([period("2026-03-02", 8, days=28), period("2026-03-30", 9, days=28, loss=("checkout", "mobile", "2026-03-30", "2026-05-01", 0.4))])  # fmt: skip
    changes = [{"on": "2026-03-30", "what": "new banner"}, {"on": "2026-03-04", "what": "too early"}]
    found = change_marks.marked_changes(shop, changes, list(STEPS), "purchase")
    stands = found[found.what == "new banner"].set_index(["kind", "name"])
    assert bool(stands.stands_out["step", "checkout"]) and not bool(stands.stands_out["step", "payment"])
    assert stands.change_high["step", "checkout"] < 0
    assert found[found.what == "too early"].before_rate.isna().all()
    shown = change_claims.marks_shown(found)
    assert shown.what.unique().tolist() == ["new banner"]
    assert not shown.duplicated(["date", "what", "name", "kind"]).any()  # a step and the goal may have one name


def test_visitors_who_come_back_and_days_that_are_too_few_make_no_change_stand_out():
    dates = pd.date_range("2026-03-02", periods=56)
    passed = np.where(dates < "2026-03-30", 30, 36) + np.arange(56) % 2  # a rise of 6 points on the 29th day
    rows = pd.DataFrame({"kind": "step", "name": "pay", "of": "cart", "date": dates, "at_risk": 100, "passed": passed})
    change = [{"on": "2026-03-30", "what": "New form"}]

    def marked(cells):
        return change_marks.marked_changes(cells, change, ["pay"], "purchase").query("name == 'pay'").iloc[0]

    alone, returning = marked(rows.assign(inflation=1.0)), marked(rows.assign(inflation=4.0))
    assert (alone.stands_out, returning.stands_out) == (True, False)
    assert alone.usual_change == returning.usual_change < alone.change == returning.change == pytest.approx(0.06)
    assert (returning.change_low, returning.change_high) == pytest.approx(newcombe(511 / 4, 350, 427 / 4, 350))
    short = marked(rows[(rows.date >= "2026-03-16") & (rows.date < "2026-04-13")].assign(inflation=1.0))
    assert np.isnan(short.usual_change) and short.change_low > 0 and not short.stands_out


def test_days_carry_limits_and_the_words_of_changes(before, after):
    joined = pd.concat([before, after])
    days = change_marks.daily(joined, "step", "checkout", {"device": "mobile"}, until=before.date.max(),
                              changes=[{"on": "2026-04-08", "what": "a"}, {"on": "2026-04-08", "what": "b"}])  # fmt: skip
    assert len(days) == 56 and days.change.dropna().tolist() == ["a; b"]
    alarms = set(days.date[days.is_alarm].dt.strftime("%Y-%m-%d"))
    assert {"2026-04-09", "2026-04-10"} <= alarms and len(alarms) <= 8


def test_days_that_still_fill_are_no_part_of_the_trend(before):
    late = sorted(before.date.unique())[-3:]
    half = before.assign(passed=before.passed.where(~before.date.isin(late), 0))
    days = change_marks.daily(half, "goal", "purchase", filling=late)
    settled = days[~days.is_open]
    assert days.is_open.sum() == 3 and not days.is_alarm[days.is_open].any()
    assert days.expected_rate[0] == settled.passed.sum() / settled.at_risk.sum()
    assert change_marks.daily(half, "goal", "purchase").is_alarm.tail(3).all()
    changes = [{"on": str(late[0] - pd.Timedelta(days=8))[:10], "what": "new banner"}]
    found = change_marks.marked_changes(half, changes, list(STEPS), "purchase", filling=late)
    assert found.days.tolist() == [8.0] * len(found)


def test_definitions_that_count_otherwise_are_listed_and_words_are_not():
    old = {"goals": {"purchase": {"event": ["purchase"], "label": "Buy"}}, "journey": ["a", "b"], "language": "en"}
    new = {"goals": {"purchase": {"event": ["order"], "label": "Kauf"}}, "journey": ["a", "b"], "language": "de"}
    found = change_definitions.changed_definitions(old, new)
    assert found.to_dict("records") == [
        {"key": "goals.purchase.event", "part": "goals", "before": '["purchase"]', "after": '["order"]'}
    ]
    assert change_definitions.changed_definitions(old, old).empty


def test_data_that_changed_are_told_apart_from_visitors():
    rows = [{"status": "analysed", "reason": "ok", "rows": 90}, {"status": "set_aside", "reason": "bot", "rows": 10}]
    found = change_definitions.changed_data({"a": "1", "b": "2"}, {"b": "3", "c": "4"}, rows, rows[:1])
    assert found[["what", "reason", "before", "after"]].fillna("").values.tolist() == [
        ["files", "", 2, 2], ["files replaced", "", 0, 1], ["files removed", "", 0, 1],
        ["analysed", "ok", 90, 90], ["set_aside", "bot", 10, 0],
    ]  # fmt: skip


def test_nothing_to_compare_is_no_error(after):
    nothing = after.iloc[:0]
    assert len(change_measures.measure_changes(nothing, after, ["channel"])) == 0
    assert change_fates.fates([], [], nothing, after).empty
    assert change_marks.marked_changes(nothing, [], list(STEPS), "purchase").empty


def test_cells_count_steps_goals_and_kpis_of_a_hand_made_shop():
    sessions = pd.DataFrame({
        "session_id": ["s1", "s2", "s3"], "visitor_id": ["v1", "v1", "v2"], "device": ["mobile", "mobile", None],
        "date": pd.to_datetime(["2026-03-02", "2026-03-03", "2026-03-02"]),
        "start": pd.to_datetime(["2026-03-02 10:00", "2026-03-03 10:00", "2026-03-02 11:00"]),
    })  # fmt: skip
    marks = pd.DataFrame([("s1", "view"), ("s2", "view"), ("s2", "buy"), ("s3", "buy")], columns=["session_id", "name"])
    kpis = [{"name": "left", "of": "view", "without": "buy", "unit": "session"},
            {"name": "left_for_good", "of": "view", "without": "buy", "unit": "visitor"}]  # fmt: skip
    found = cells(marks, sessions, ["view", "buy"], ["buy"], kpis, ["device", "absent"])
    sums = found.groupby(["kind", "name"])[["at_risk", "passed"]].sum()
    counted = {key: tuple(row) for key, row in zip(sums.index, sums.to_numpy(), strict=True)}
    # A purchase without a view came at least as far as the view.
    assert counted == {("step", "view"): (3, 3), ("step", "buy"): (3, 2), ("goal", "buy"): (3, 2), ("kpi", "left"): (2, 1),
                       ("kpi", "left_for_good"): (1, 0), ("event", "view"): (3, 2), ("event", "buy"): (3, 2)}  # fmt: skip
    assert set(found[found.kind == "step"].device) == {"mobile", "(unknown)"}
    assert set(found[found["name"] == "left_for_good"].date) == {pd.Timestamp("2026-03-02")}
    assert cells(marks.iloc[:0], sessions.iloc[:0], ["view", "buy"], ["buy"], kpis, ["device"]).empty


@pytest.mark.slow
def test_two_demo_periods_name_the_mended_friction_and_the_new_incident(audit_home):
    from conversion_audit.audit import open_audit
    from conversion_audit.demo import planted
    from conversion_audit.demos import bring

    bring("shop", later=True)
    periods = {"before": ("2026-03-02", "2026-04-26"), "after": ("2026-04-27", "2026-06-21")}
    audits = {name: open_audit("demo", *days) for name, days in periods.items()}
    counted = {name: one.frame("cells") for name, one in audits.items()}
    told = {name: [f.record() for f in one.findings if f.chapter == "04"] for name, one in audits.items()}
    found = change_fates.fates(told["before"], told["after"], counted["before"], counted["after"])
    truth = {one["name"]: one for one in planted(variant="later")}["mobile_cart_incident"]
    fixed, new = found[found.fate == "fixed"].iloc[0], found[found.fate == "new"]
    assert (fixed.step, json.loads(fixed.segment), fixed.moved_on) == ("payment", {"browser": "Safari"}, "2026-04-27")
    assert fixed.moved_low < 0.30 < fixed.moved_high
    (incident,) = [row for row in new.itertuples() if row.kind == "incident"]
    assert (incident.step, json.loads(incident.segment)) == (truth["step"], truth["segment"])
    assert incident.moved_on == str(truth["first_day"]) and incident.moved_high < 0
    measures = change_measures.measure_changes(counted["before"], counted["after"], audits["after"].config.adjusters)
    assert set(measures.moved[measures["name"].isin(["payment", "checkout"])]) == {"rate"}
    assert "mix" not in set(measures.moved)


@pytest.mark.slow
def test_one_real_day_has_nothing_to_compare_with(audit_home):
    from conversion_audit import past
    from conversion_audit.audit import open_audit
    from conversion_audit.new import new_client

    new_client("one-day", [real_data("ga360_sample/ga_sample.parquet")])
    audit = open_audit("one-day")
    assert past.previous(audit) is None
    from conversion_audit.report import text

    said = text("change.nothing", {"days": 1})
    assert "nothing to compare with" in said and "send an export that reaches back" in said
