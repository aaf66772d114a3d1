"""The watch: silent for a year of quiet days, awake within three days of a broken step."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest

from conversion_audit.analysis import watch
from conversion_audit.analysis.alarm_limits import BUDGET, run_length, thresholds
from conversion_audit.analysis.deviations import deviations, expectations
from conversion_audit.analysis.statistics import cusum

SUSPECTS, ADJUSTERS = ["device", "browser", "country"], ["channel"]
STEPS = {"product_view": 0.58, "add_to_cart": 0.15, "checkout": 0.62, "shipping": 0.8, "payment": 0.8, "purchase": 0.9}
LEVELS = {
    "device": {"mobile": 0.58, "desktop": 0.42},
    "browser": {"Chrome": 0.6, "Safari": 0.3, "Firefox": 0.1},
    "country": {"Germany": 0.7, "Austria": 0.2, "Netherlands": 0.1},
    "channel": {"Organic": 0.7, "Paid": 0.3},
}
NIST = [
    324.925, 324.675, 324.725, 324.350, 325.350, 325.225, 324.125, 324.525, 325.225, 324.600,
    324.625, 325.150, 328.325, 327.250, 327.825, 328.500, 326.675, 327.775, 326.875, 328.350,
]  # fmt: skip


def simulated(days, seed, *, start="2026-01-01", sessions=5000, fall=None, weights=None):
    """Cells of a shop that differs by weekday, channel and device, and wobbles a little from day to day."""
    random, dates = np.random.default_rng(seed), pd.date_range(start, periods=days)
    levels = LEVELS | (weights or {})
    who = pd.MultiIndex.from_product([list(v) for v in levels.values()], names=list(levels)).to_frame(index=False)
    weight = np.prod([who[name].map(levels[name]) for name in levels], axis=0)
    lean = who.channel.map({"Organic": 0.0, "Paid": -0.3}) + who.device.map({"mobile": -0.15, "desktop": 0.15})
    weekend = dates.day_of_week.to_numpy() >= 5
    busy = random.poisson(sessions * np.where(weekend, 1.15, 0.94))
    left, of = np.array([random.multinomial(n, weight) for n in busy]), None
    place = pd.DataFrame({"date": dates.repeat(len(who))}).join(pd.concat([who] * days, ignore_index=True))
    parts = []
    for step, rate in STEPS.items():
        daily = 0.05 * weekend + random.normal(0, 0.02, days)
        chance = 1 / (1 + np.exp(-(np.log(rate / (1 - rate)) + lean.to_numpy()[None, :] + daily[:, None])))
        if fall and step == fall["step"]:
            hit = (dates >= fall["since"])[:, None] & (who.device == fall["device"]).to_numpy()[None, :]
            chance = np.where(hit, chance * (1 - fall["loss"]), chance)
        passed = random.binomial(left, chance)
        counts = {"kind": "step", "name": step, "of": of, "at_risk": left.ravel(), "passed": passed.ravel()}
        parts.append(place.assign(**counts).query("at_risk > 0"))
        left, of = passed, step
    for name, usual in {"newsletter": 40, "return_filed": 90}.items():
        seen = {"kind": "event", "name": name, "date": dates, "at_risk": busy, "passed": random.poisson(usual, days)}
        parts.append(pd.DataFrame(seen))
    return pd.concat(parts, ignore_index=True).assign(inflation=1.0)


@pytest.fixture(scope="module")
def eight_weeks() -> pd.DataFrame:
    return simulated(56, seed=1)


def test_the_sums_are_those_of_the_nist_handbook():
    sums = cusum(NIST, 325, 0.3175, 4.1959)
    assert sums.upper[12:].tolist() == pytest.approx([3.01, 4.94, 7.45, 10.63, 11.99, 14.44, 16.0, 19.04], abs=0.006)
    assert int(np.flatnonzero(sums.is_signal)[0]) + 1 == 14


def test_run_lengths_are_those_of_the_tables():
    assert run_length(0.5, 4.0) == pytest.approx(336, rel=0.01)
    assert run_length(0.5, 5.0) == pytest.approx(930, rel=0.01)


def test_thresholds_grow_with_the_number_of_series_and_spend_one_alarm_a_year():
    few, many = thresholds(10, 56), thresholds(300, 56)
    assert all(few[key] < many[key] for key in BUDGET)
    year = sum(300 * 365 / run_length(slack - 1 / np.sqrt(56), many[side, slack]) for side, slack in BUDGET)
    assert year == pytest.approx(1.0, rel=0.02)


def test_a_fall_of_a_fifth_of_one_step_on_one_device_is_found_within_three_days(eight_weeks):
    broken = pd.Timestamp("2026-03-02")
    for seed, step in enumerate(["product_view", "checkout", "shipping", "payment"], 10):
        fall = {"step": step, "device": "mobile", "since": broken, "loss": 0.2}
        fresh = simulated(7, seed, start="2026-02-26", fall=fall)
        found = watch.watch(eight_weeks, fresh, SUSPECTS, ADJUSTERS)
        assert len(found) == 1
        found = found.iloc[0]
        assert (found["name"], found.column, found.level, found.direction) == (step, "device", "mobile", "fell")
        assert broken <= found.noticed < broken + pd.Timedelta(days=3)
        assert abs((found.since - broken).days) <= 1
        assert found.difference_low < found.difference < found.difference_high < 0


@pytest.mark.slow
def test_a_year_of_quiet_days_raises_at_most_two_alarms(eight_weeks):
    year = simulated(365, 2, start="2026-02-26")
    assert len(watch.watch(eight_weeks, year, SUSPECTS, ADJUSTERS)) <= 2


def test_other_traffic_is_no_alarm(eight_weeks):
    paid = simulated(14, 5, start="2026-02-26", weights={"channel": {"Organic": 0.4, "Paid": 0.6}})
    assert watch.watch(eight_weeks, paid, SUSPECTS, ADJUSTERS).empty


def test_a_step_that_nearly_everybody_passes_is_watched_for_falls():
    before, after = simulated(56, 1, sessions=2500), simulated(14, 2, start="2026-02-26", sessions=2500)
    random = np.random.default_rng(0)
    for cells, rate in ((before, 0.99), (after, 0.5)):
        mine = cells["name"] == "payment"
        cells.loc[mine, "passed"] = random.binomial(cells.loc[mine, "at_risk"], rate)
    before, after = (cells[cells["name"] != "purchase"] for cells in (before, after))
    series = watch.watched(before, SUSPECTS).query("name == 'payment' and column.isna()", engine="python")
    assert series.can_rise.tolist() == [False]
    (alarm,) = watch.watch(before, after, SUSPECTS, ADJUSTERS).query("name == 'payment'").itertuples()
    assert (alarm.direction, alarm.since) == ("fell", pd.Timestamp("2026-02-26"))


def test_visitors_who_come_back_are_no_alarm(eight_weeks):
    fresh = simulated(21, 2, start="2026-02-26")
    plain, twice = (
        deviations(expectations(eight_weeks.assign(inflation=n), fresh.assign(inflation=n), "payment", ADJUSTERS))
        for n in (1.0, 4.0)
    )
    np.testing.assert_allclose(twice.deviation, plain.deviation / 2)  # four times the variance
    np.testing.assert_allclose(twice.expected_rate - twice.low, 2 * (plain.expected_rate - plain.low))
    start = pd.Timestamp("2026-02-16")
    cells = [simulated(42, 100, start="2026-01-05", sessions=800), simulated(56, 500, start=start, sessions=800)]
    for one in cells:  # each comes three times a day, and does the same each time
        one.loc[one.kind == "step", ["at_risk", "passed"]] *= 3
        one.loc[one.kind == "step", "inflation"] = 3.0
    assert watch.watch(*cells, SUSPECTS, ADJUSTERS).query("kind == 'step'").empty
    assert len(watch.watch(*(one.assign(inflation=1.0) for one in cells), SUSPECTS, ADJUSTERS)) >= 5


def test_an_event_that_had_stopped_before_is_no_news(eight_weeks):
    after, stopped = simulated(21, 2, start="2026-02-26"), eight_weeks.copy()
    stopped.loc[(stopped["name"] == "newsletter") & (stopped.date >= "2026-01-29"), "passed"] = 0
    for cells, names in ((eight_weeks, ["newsletter"]), (stopped, [])):
        assert watch.silent(cells, after[after["name"] != "newsletter"]).name.tolist() == names


def test_an_event_that_stops_is_named_with_its_first_silent_day(eight_weeks):
    fresh = simulated(5, seed=6, start="2026-02-26")
    gone = (fresh["name"] == "newsletter") & (fresh.date >= "2026-03-01")
    fresh = fresh[~gone]
    found = watch.watch(eight_weeks, fresh, SUSPECTS, ADJUSTERS)
    assert found[["kind", "name", "since", "days"]].to_dict("records") == [
        {"kind": "silent", "name": "newsletter", "since": pd.Timestamp("2026-03-01"), "days": 2}
    ]


def test_data_that_ended_days_ago_are_stale(eight_weeks):
    nothing = eight_weeks.iloc[:0]
    found = watch.watch(eight_weeks, nothing, SUSPECTS, ADJUSTERS, today=date(2026, 3, 10))
    assert found[["kind", "days"]].to_dict("records") == [{"kind": "stale", "days": 13}]
    assert watch.watch(eight_weeks, nothing, SUSPECTS, ADJUSTERS, today=date(2026, 2, 27)).empty


def test_a_last_day_that_is_still_filling_up_is_left_out(eight_weeks):
    fresh = simulated(3, seed=7, start="2026-02-26")
    last = fresh.date == fresh.date.max()
    cut = fresh[~last | (fresh.at_risk % 5 == 0)].copy()
    assert watch.open_days(eight_weeks, cut) == [fresh.date.max()]
    assert watch.open_days(eight_weeks, fresh) == []


def test_too_little_past_says_nothing_about_steps(eight_weeks):
    short = eight_weeks[eight_weeks.date < "2026-01-10"]
    fall = {"step": "payment", "device": "mobile", "since": "2026-01-10", "loss": 0.5}
    fresh = simulated(5, seed=8, start="2026-01-10", fall=fall)
    assert watch.watch(short, fresh, SUSPECTS, ADJUSTERS).empty


def test_one_alarm_for_a_step_that_stays_broken(eight_weeks):
    fall = {"step": "checkout", "device": "mobile", "since": "2026-02-28", "loss": 0.3}
    fresh = simulated(20, seed=9, start="2026-02-26", fall=fall)
    before = fresh.copy()
    found = watch.watch(eight_weeks, fresh, SUSPECTS, ADJUSTERS)
    assert len(found) == 1
    pd.testing.assert_frame_equal(fresh, before)


def test_a_fall_that_was_mended_is_told_as_over_and_one_that_goes_on_is_not(eight_weeks):
    fall = {"step": "checkout", "device": "mobile", "since": "2026-02-28", "loss": 0.3}
    broken = simulated(7, seed=9, start="2026-02-26", fall=fall)
    mended = simulated(12, seed=12, start="2026-03-05")
    (goes_on,) = watch.watch(eight_weeks, broken, SUSPECTS, ADJUSTERS).itertuples()
    assert pd.isna(goes_on.over)
    healed = watch.watch(eight_weeks, pd.concat([broken, mended]), SUSPECTS, ADJUSTERS)
    (over,) = healed.itertuples()
    assert (over.name, over.since) == (goes_on.name, goes_on.since)
    assert abs((over.over - pd.Timestamp("2026-03-05")).days) <= 1
    assert len(watch.pressing(healed, date(2026, 3, 8))) == 1
    assert watch.pressing(healed, date(2026, 3, 16)).empty


def test_a_second_fall_after_the_first_was_mended_goes_on(eight_weeks):
    fall = {"step": "checkout", "device": "mobile", "since": "2026-02-28", "loss": 0.3}
    days = [simulated(5, seed=9, start="2026-02-26", fall=fall), simulated(3, seed=12, start="2026-03-03"),
            simulated(6, seed=13, start="2026-03-06", fall=fall)]  # fmt: skip
    alarms = watch.watch(eight_weeks, pd.concat(days), SUSPECTS, ADJUSTERS)
    assert alarms.over.isna().any()
    assert pd.isna(alarms.over.iloc[0])


@pytest.mark.parametrize(
    ("after", "since"),
    [
        ([], None),
        ([-3.0, -2.5, -3.5], None),
        ([0.1], None),
        ([0.1, -0.2], 5),
        ([-2.9, 0.1, -0.2, 0.3], 6),
        ([0, 0, 0, -3, -3], None),
    ],
)
def test_since_when_it_is_as_usual_is_said_only_where_little_else_is_likely(after, since):
    assert watch.usual_since(np.array([0.2, -0.1, -3.2, -2.8, -3.0, *after]), 2, 4) == since


def test_limits_of_a_chart_hold_the_expected_rate(eight_weeks):
    fresh = simulated(4, seed=11, start="2026-02-26")
    expected = expectations(eight_weeks, fresh, "payment", ADJUSTERS)
    days = deviations(expected, "device", "desktop")
    assert len(days) == 4
    assert ((days.low < days.expected_rate) & (days.expected_rate < days.high)).all()
    assert (days.rate == days.passed / days.at_risk).all()


def test_alarms_are_told_in_one_line_each_and_quiet_in_one():
    from conversion_audit.report.alerts import alert_lines
    from conversion_audit.report.voice import Voice, speaking

    row = dict.fromkeys(watch.COLUMNS) | {
        "kind": "step", "name": "checkout", "level": "mobile", "direction": "fell", "since": pd.Timestamp("2026-05-18"),
        "rate": 0.39, "expected_rate": 0.63, "at_risk": 166, "days": 3,
    }  # fmt: skip
    stale = dict.fromkeys(watch.COLUMNS) | {"kind": "stale", "since": pd.Timestamp("2026-05-18"), "days": 9}
    over = row | {"over": pd.Timestamp("2026-05-21")}
    with speaking(Voice(labels={"checkout": "Checkout begun"})):
        told = alert_lines(pd.DataFrame([row, stale, over]), 57, date(2026, 6, 21), 1.0)
        quiet = alert_lines(pd.DataFrame([row]).iloc[:0], 57, date(2026, 6, 21), 1.0)
    assert told == [
        "ALARM: “Checkout begun” fell for Mobile since 18 May 2026: 39.0% go on, 63.0% were to be expected "
        "(166\xa0sessions, 3\xa0days).",
        "ALARM: the data end on 18 May 2026, 9\xa0days ago. Is the export still running?",
        "OVER: “Checkout begun” fell for Mobile on 18 May 2026: 39.0% went on, 63.0% were to be expected "
        "(166\xa0sessions, 3\xa0days). Since 21 May 2026 it goes as usual again.",
        "57\xa0series watched until 21 Jun 2026; where nothing happens, about 1\xa0alarm a year in all.",
    ]
    assert quiet == ["All quiet until 21 Jun 2026: 57\xa0series watched."]


WATCHED = """client: Acme
currency: EUR
timezone: UTC
main_goal: purchase
sources:
  - kind: table
    files: raw/*
    columns: {event_id: id, time: at, device_id: who, session_id: session, event: what, order_id: order, amount: worth}
goals:
  purchase: {event: purchase, value: revenue}
micro_conversions:
  cart: {type: action, event: add_to_cart}
journey: [cart, purchase]
"""


@pytest.mark.slow
def test_a_client_without_a_run_is_watched_against_its_own_first_weeks(small_shop, monkeypatch):
    from conversion_audit.watching import watch_client

    monkeypatch.setenv("AUDIT_HOME", str(small_shop))
    seen = watch_client("demo", date(2026, 4, 27))
    assert seen.baseline.startswith("2026-03-02 to ")
    assert seen.exit_code == (1 if len(seen.alarms) else 0)
    assert len(seen.lines()) == max(1, len(seen.alarms) + 1)
    late = watch_client("demo", date(2026, 6, 1))
    assert late.exit_code == 1 and "stale" in set(late.alarms.kind)


def silent_shop(home, days):
    """Half of sixty sessions a day buy; on the days from the 47th to the 49th nobody's purchase is recorded."""
    folder = home / "data" / "acme"
    (folder / "raw").mkdir(parents=True)
    (folder / "audit.yaml").write_text(WATCHED, encoding="utf-8")
    lines = ["id,at,who,session,what,order,worth"]
    for day in range(days):
        for visit in range(60):
            bought = visit % 2 == 0 and day not in (46, 47, 48)
            at, key = pd.Timestamp("2026-03-02") + pd.Timedelta(days=day, minutes=10 * visit), f"{day}-{visit}"
            lines += [f"{key}-{n},{at + pd.Timedelta(seconds=n)},v{key},{key},{what}," + (f"{key},9" if n == 2 else ",")
                      for n, what in enumerate(["page_view", "add_to_cart", "purchase"]) if n < 2 or bought]  # fmt: skip
    (folder / "raw" / "export.csv").write_text("\n".join(lines), encoding="utf-8")


def test_days_on_which_the_goal_fell_silent_are_what_the_watch_is_for(audit_home):
    from conversion_audit.watching import watch_client

    silent_shop(audit_home, 49)
    seen = watch_client("acme", date(2026, 4, 20))
    assert seen.until == date(2026, 4, 19)
    assert set(seen.alarms["name"]) == {"purchase"}
    assert set(seen.alarms["kind"]) == {"silent", "step"}
    assert set(seen.alarms["since"]) == {pd.Timestamp("2026-04-17")}


@pytest.mark.parametrize(("days", "exit_code"), [(52, 1), (58, 0)])
def test_an_outage_that_is_over_is_told_as_over_and_presses_for_a_week(audit_home, days, exit_code):
    from conversion_audit.watching import watch_client

    silent_shop(audit_home, days)
    seen = watch_client("acme", date(2026, 4, 20))
    (outage,) = seen.answer()["alarms"]
    assert (outage["kind"], outage["since"], outage["over"]) == ("step", "2026-04-17", "2026-04-20")
    assert seen.lines()[0].startswith("OVER: ")
    assert seen.exit_code == exit_code
