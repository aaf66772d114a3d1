"""Chapter 00's checks: what is missing, what was not recorded, what is not known, and which chapters that weakens."""

from datetime import date, datetime, timedelta

import numpy as np
import pandas as pd
import pytest
from conftest import table

from conversion_audit.analysis import fitness
from conversion_audit.analysis.fitness import gaps, measures
from conversion_audit.report.words import text

START = date(2026, 3, 2)
END = date(2026, 3, 29)
DAYS = pd.date_range(START, END)


def counted(rows, start=START, end=END):
    """Events counted from rows of (time, event, browser, how many)."""
    frame = pd.DataFrame(
        [
            {"time": pd.Timestamp(moment), "event": event, "browser": browser}
            for moment, event, browser, many in rows
            for _ in range(many)
        ],
        columns=["time", "event", "browser"],
    )
    times = pd.to_datetime(frame["time"])
    events = frame.assign(
        date=times.dt.normalize(),
        hour=times.dt.hour,
        device="mobile",
        session_id=[f"s{n}" for n in range(len(frame))],
        device_id="d",
        user_id=None,
        is_page=frame["event"] == "page_view",
        page=None,
        page_type=None,
    )
    kinds = {
        "event": "string",
        "browser": "string",
        "device": "string",
        "session_id": "string",
        "device_id": "string",
        "user_id": "string",
        "page": "string",
        "page_type": "string",
    }
    return fitness.event_counts(events.astype(kinds), start, end)


def steady(event="page_view", many=40, days=DAYS, hours=(9, 15), browser="Chrome"):
    return [(day + timedelta(hours=hour), event, browser, many) for day in days for hour in hours]


def test_every_day_is_there_with_what_its_weekday_usually_has():
    found = fitness.days(counted(steady()), START, END, filling=3)
    assert len(found) == 28
    assert found.iloc[0].to_dict() == {
        "date": pd.Timestamp(START),
        "events": 80,
        "usual_events": 80.0,
        "share": 1.0,
        "expected": 1.0,
        "is_missing": False,
        "is_low": False,
        "is_alarm": False,
        "is_open": False,
    }
    assert found["is_open"].tolist() == [False] * 25 + [True] * 3


def test_a_missing_and_a_low_day_are_told_apart():
    days = [day for day in DAYS if day not in (DAYS[9], DAYS[10])]
    found = fitness.days(counted([*steady(many=150, days=days), *steady(many=5, days=[DAYS[10]])]), START, END)
    assert found.index[found["is_missing"]].tolist() == [9]
    assert found.index[found["is_low"]].tolist() == [10]
    claims = [finding.claim for finding in gaps.period(found, fitness.silent_hours(counted([])), START, END)]
    assert claims == ["fitness.missing_days", "fitness.low_days"]


def test_days_without_one_of_a_few_visits_are_no_gap_and_no_wrong_time_zone():
    few = counted([*steady(many=5, days=DAYS[::2], hours=(9, 17)), *steady(many=2, days=[DAYS[5]], hours=(20,))])
    found, quiet = fitness.days(few, START, END), fitness.quiet_hours(few)
    assert (found["is_missing"].sum(), found["is_alarm"].any()) == (13, False)
    assert gaps.period(found, fitness.silent_hours(few), START, DAYS[-2].date()) == []
    assert (fitness.days_record(found)["claim"], fitness.days_record(found)["empty"]) == ("fitness.days_claim_few", 13)
    assert fitness.days_record(found[~found.is_missing].head(1))["claim"] == "fitness.days_claim_one"
    by_night = counted(steady(many=1, days=DAYS[:4], hours=[hour for hour in range(24) if not 10 <= hour < 16]))
    assert quiet["is_plausible"][0] and fitness.quiet_hours(by_night)["is_plausible"][0]


def test_a_period_without_any_event_is_one_finding():
    counts = counted([])
    found = fitness.days(counts, START, END)
    assert found["is_missing"].all() and found["usual_events"].isna().all()
    (finding,) = gaps.period(found, fitness.silent_hours(counts), START, END)
    assert (finding.claim, finding.severity, finding.voids) == ("fitness.no_events", "high", gaps.EVERY)


def test_a_period_longer_than_the_export_is_said():
    found = fitness.days(counted(steady(days=DAYS[:20])), START, END)
    (finding,) = gaps.period(found, fitness.silent_hours(counted([])), START, END)
    assert finding.claim == "fitness.shorter"
    assert finding.values["last"] == date(2026, 3, 21)


def test_silent_hours_are_one_stretch_and_nights_are_none():
    busy = [
        row
        for row in steady(many=150, hours=range(8, 22))
        if row[0] not in (DAYS[5] + timedelta(hours=10), DAYS[5] + timedelta(hours=11))
    ]
    found = fitness.silent_hours(counted(busy), "Europe/Berlin")
    assert found.to_dict("records") == [
        {"since": DAYS[5] + timedelta(hours=10), "hours": 2, "expected": 300.0, "edge": "", "whole_hour": 10}
    ]


def test_a_day_that_the_export_does_not_hold_whole_is_no_outage():
    busy = steady(many=150, hours=range(8, 22))
    cut = [row for row in busy if DAYS[0] + timedelta(hours=12) <= row[0] < DAYS[-1] + timedelta(hours=15)]
    found = fitness.days(counted(cut), START, END)
    begins, ends = gaps.period(found, fitness.silent_hours(counted(cut)), START, END)
    assert (begins.claim, begins.values["hour"], begins.kind) == ("fitness.day_begins", 12, "observation")
    assert (ends.claim, ends.values["hour"], ends.values["on"]) == ("fitness.day_ends", 15, DAYS[-1].date())


def test_events_end_when_the_last_is_recorded_not_where_the_next_were_to_be_expected():
    busy = steady(many=150, hours=range(8, 22))
    cut = [row for row in busy if row[0] < DAYS[-1]] + [(DAYS[-1], "page_view", "Chrome", 3)]
    (ends,) = gaps.period(fitness.days(counted(cut), START, END), fitness.silent_hours(counted(cut)), START, END)
    assert (ends.claim, ends.values["hour"]) == ("fitness.day_ends", 1), "the day has three events, of its first hour"


def test_the_hour_that_summer_time_leaves_out_is_not_silent():
    change = datetime(2026, 3, 29, 2)
    rows = [row for row in steady(many=300, hours=range(24)) if row[0] != change]
    assert fitness.silent_hours(counted(rows), "Europe/Berlin").empty
    assert len(fitness.silent_hours(counted(rows), "UTC")) == 1


@pytest.mark.parametrize(
    ("days", "pattern", "since", "until", "silent"),
    [
        (DAYS, "steady", pd.NaT, pd.NaT, 0),
        (DAYS[10:], "starts", DAYS[0], DAYS[9], 10),
        (DAYS[:20], "stops", DAYS[20], DAYS[27], 8),
        (DAYS.delete(range(12, 15)), "interrupted", DAYS[12], DAYS[14], 3),
    ],
)
def test_events_that_start_stop_or_fall_silent_are_found(days, pattern, since, until, silent):
    counts = counted([*steady(), *steady("purchase", 10, days)])
    row = fitness.event_days(counts, START, END, {"purchase"}).set_index("event").loc["purchase"]
    assert (row["pattern"], row["silent_days"], row["is_used"]) == (pattern, silent, True)
    assert row["silent_since"] is pd.NaT if since is pd.NaT else row["silent_since"] == since
    assert row["silent_until"] is pd.NaT if until is pd.NaT else row["silent_until"] == until


def trial(days_before):
    """Thirty visitors a day for four weeks; a third of them pay, so many days after their first visit."""
    dates = np.repeat(pd.date_range("2026-03-02", periods=28), 30)
    sessions = pd.DataFrame({"visitor_id": [f"v{n}" for n in range(len(dates))], "date": dates})
    paid = sessions[::3].assign(date=lambda rows: rows["date"] + pd.Timedelta(days=days_before))
    paid = paid[paid["date"] <= DAYS[-1]]
    rows = pd.concat([sessions.assign(event="page_view"), paid.assign(event="payment")], ignore_index=True)
    rows = rows.assign(session_id=[f"s{n}" for n in rows.index], set_aside=None).astype({"set_aside": "string"})
    marks = rows.loc[rows["event"] == "payment", ["session_id"]].assign(name="payment")
    return rows, marks


def test_payments_after_a_trial_leave_no_gap_at_the_beginning_of_an_export():
    rows, marks = trial(14)
    assert fitness.soonest_events(rows, {"payment", "never"}) == {"payment": DAYS[14]}
    assert fitness.blind_days(rows, marks, NO_BOOKS, "payment", START, END).empty


def test_one_who_paid_at_once_shows_that_all_could():
    rows, marks = trial(14)
    at_once = pd.DataFrame({"session_id": ["x"], "visitor_id": ["x"], "date": [DAYS[-1]], "event": ["payment"]})
    rows = pd.concat([rows, at_once.astype({"date": rows["date"].dtype})], ignore_index=True)
    marks = pd.concat([marks, pd.DataFrame({"session_id": ["x"], "name": ["payment"]})], ignore_index=True)
    assert fitness.soonest_events(rows, {"payment"}) == {"payment": DAYS[0]}
    assert len(fitness.blind_days(rows, marks, NO_BOOKS, "payment", START, END)) == 14


def test_events_of_nobody_can_occur_from_the_first_day():
    rows, _ = trial(14)
    nobody = rows.assign(visitor_id=pd.Series(pd.NA, index=rows.index, dtype="string"))
    assert fitness.soonest_events(nobody, {"payment"}) == {"payment": DAYS[0]}


def test_before_an_event_can_occur_its_absence_is_no_silence():
    counts = counted([*steady(), *steady("payment", 10, DAYS[14:])])
    row = fitness.event_days(counts, START, END, {"payment"}, {"payment": DAYS[14]}).set_index("event").loc["payment"]
    assert row["pattern"] == "steady"
    late = counted([*steady(), *steady("payment", 10, DAYS[20:])])
    row = fitness.event_days(late, START, END, {"payment"}, {"payment": DAYS[14]}).set_index("event").loc["payment"]
    assert (row["pattern"], row["silent_since"], row["silent_days"]) == ("starts", DAYS[14], 6)


def test_a_rare_event_is_not_called_silent():
    counts = counted([*steady(), *steady("purchase", 1, DAYS[::7], hours=(9,))])
    assert set(fitness.event_days(counts, START, END)["pattern"]) == {"steady"}


def test_a_day_without_an_order_in_a_busy_shop_is_a_tag_outage():
    counts = counted([*steady(), *steady("purchase", 20, DAYS.delete(17))])
    found = fitness.event_days(counts, START, END, {"purchase"})
    (finding,) = gaps.events(found, {"purchase": "purchase"}, {"purchase"})
    assert (finding.claim, finding.severity) == ("fitness.event_interrupted", "high")
    assert (finding.since, finding.until) == ("2026-03-19", "2026-03-19")
    assert finding.values["expected"] == pytest.approx(40.0)


def test_events_that_the_config_does_not_use_are_shown_but_no_finding():
    counts = counted([*steady(), *steady("promo", 20, DAYS[10:])])
    found = fitness.event_days(counts, START, END)
    assert found.set_index("event").loc["promo", "pattern"] == "starts"
    assert gaps.events(found, {}, set()) == []


def test_ten_thousand_event_names_cost_little_and_the_used_ones_stay():
    rows = [
        *steady(many=1000),
        *((DAYS[0], f"event_{n}", "Chrome", 1) for n in range(3000)),
        (DAYS[0], "rare", "Chrome", 1),
    ]
    found = fitness.event_days(counted(rows), START, END, {"rare"}, most=200)
    assert len(found) == 201
    assert found.iloc[-1]["event"] == "rare"


def test_night_at_noon_means_a_wrong_time_zone():
    by_day = counted(steady(hours=range(7, 23)))
    by_night = counted(steady(hours=[hour for hour in range(24) if not 10 <= hour < 16]))
    assert fitness.quiet_hours(by_day).iloc[0]["is_plausible"]
    wrong = fitness.quiet_hours(by_night)
    assert (wrong["from_hour"][0], wrong["is_plausible"][0]) == (10, False)
    (finding,) = gaps.clock(wrong)
    assert (finding.claim, finding.values["to_hour"]) == ("fitness.time_zone", 16)
    assert fitness.quiet_hours(counted([]))["is_plausible"][0]


def test_a_browser_that_never_sends_an_event_is_found():
    rows = [
        *steady(),
        *steady("pay", 5),
        *steady(browser="Safari"),
        *steady("pay", 5, browser="Firefox"),
        *steady(browser="Firefox"),
    ]
    found = fitness.silent_segments(counted(rows), {"pay", "page_view"})
    assert found[["event", "column", "value", "events"]].values.tolist() == [["pay", "browser", "Safari", 0]]
    assert found["expected"][0] == pytest.approx(560 / 5040 * 2240)
    (finding,) = gaps.segments(found, {"pay": "payment"}, {"payment"})
    assert (finding.segment, finding.step, finding.voids) == ({"browser": "Safari"}, "payment", ("02", "04"))


def test_used_events_keep_the_first_rule_and_leave_patterns_of_several_out():
    counts = counted([*steady("x"), *steady("Y1"), *steady("y2"), *steady("Z Done"), *steady("q_1")])
    rules = {"a": ["X", "y*", "never"], "b": ["x", "z*"], "c": ["q_1", "z done"]}
    assert fitness.used_events(counts, rules) == {"x": "a", "Z Done": "b", "q_1": "c"}


SESSIONS = table(
    """
    session_id  device   browser
    s1          desktop  Chrome
    s2          desktop  Chrome
    s3          mobile   Safari
    s4          mobile   Safari
    s5          mobile   -
    """
)
SESSIONS = SESSIONS.assign(visitor_id=SESSIONS.session_id, start=pd.Timestamp("2026-03-02 10:00"))
MARKS = pd.DataFrame(
    [
        ("s1", "view"),
        ("s1", "cart"),
        ("s1", "buy"),
        ("s1", "cart"),
        ("s2", "cart"),
        ("s3", "buy"),
        ("s4", "view"),
        ("s5", "buy"),
        ("s5", "view"),
    ],
    columns=["session_id", "name"],
)
MARKS = MARKS.assign(visitor_id=MARKS.session_id, time=pd.Timestamp("2026-03-02 10:01"))


def test_step_gaps_count_who_shows_a_later_step_only():
    found = fitness.for_everyone(fitness.step_gaps(SESSIONS, MARKS, ["view", "cart", "buy"], "buy"))
    counts = ["step", "sessions", "next_sessions", "later_sessions", "without", "goal_sessions", "goal_without"]
    assert found[counts].values.tolist() == [
        ["view", 3, 2, 4, 2, 3, 1],
        ["cart", 2, 3, 3, 2, 3, 2],
    ]
    assert found["without_rate"].tolist() == pytest.approx([0.5, 2 / 3])


def test_a_step_that_the_visitor_took_on_another_day_is_no_gap():
    trial = pd.DataFrame(
        {"session_id": ["s0"], "name": ["view"], "visitor_id": ["s3"], "time": pd.Timestamp("2026-02-20")}
    )
    later = trial.assign(visitor_id="s1", name="cart", time=pd.Timestamp("2026-03-20"))
    marks = pd.concat([MARKS, trial, later])
    found = fitness.for_everyone(fitness.step_gaps(SESSIONS, marks, ["view", "cart", "buy"], "buy"))
    assert found[["later_sessions", "without", "goal_without"]].values.tolist() == [[4, 1, 0], [3, 2, 2]]


def test_where_no_step_has_a_gap_nothing_is_told_of_what_gaps_are_due_to():
    found = fitness.for_everyone(fitness.step_gaps(SESSIONS, MARKS, ["view", "cart", "buy"], "buy"))
    gap, whole = fitness.steps_record(found), fitness.steps_record(found.assign(without=0))
    assert (gap["claim"], gap["step"]) == ("fitness.steps_claim", "cart")
    assert "tracking" in text(f"{gap['claim']}_read") and "tracking" not in text(f"{whole['claim']}_read")


def test_step_gaps_of_a_step_that_nothing_follows_are_not_known():
    found = fitness.step_gaps(SESSIONS, MARKS, ["view", "cart", "buy"], "buy").query("step == 'buy'")
    assert (found["later_sessions"] == 0).all() and found[["without_rate", "without_low"]].isna().all(axis=None)


def test_step_gaps_by_segment_add_up_to_everyone():
    found = fitness.step_gaps(SESSIONS, MARKS, ["view", "cart", "buy"], "buy")
    everyone = fitness.for_everyone(found).set_index("step")["later_sessions"]
    by_device = found[found["device"].notna()].groupby("step")["later_sessions"].sum()
    assert by_device[by_device > 0].to_dict() == everyone.to_dict()


def test_a_step_never_seen_names_the_closest_event():
    found = fitness.step_gaps(SESSIONS, MARKS, ["viewed_item", "buy"], "buy")
    claims = {
        finding.step: (finding.claim, finding.values.get("closest"))
        for finding in gaps.steps(found, ["viewed_item", "buy"], ["view_item"])
    }
    assert claims == {"viewed_item": ("fitness.step_never_closest", "view_item")}
    typed = {"viewed_item": ("goals.viewed_item", ["Bestelung"])}
    finding = gaps.steps(found, ["viewed_item", "buy"], ["view_item", "bestellung"], typed)[0]
    assert [finding.values[name] for name in ("place", "written", "closest")] == [
        "goals.viewed_item",
        "Bestelung",
        "bestellung",
    ]
    nothing = fitness.step_gaps(SESSIONS, MARKS.iloc[:0], ["view", "buy"], "buy")
    assert [finding.claim for finding in gaps.steps(nothing, ["view", "buy"], [])] == [
        "fitness.step_never",
        "fitness.step_never",
    ]


def test_a_step_never_seen_is_told_with_the_ten_most_frequent_events():
    nothing = fitness.step_gaps(SESSIONS, MARKS.iloc[:0], ["view", "buy"], "buy")
    found = gaps.steps(nothing, ["view", "buy"], [f"x{n}" for n in range(12)])
    assert {finding.values["events"] for finding in found} == {"x0, x1, x2, x3, x4, x5, x6, x7, x8, x9"}


def step_row(**values):
    row = {
        "sessions": 400,
        "next_sessions": 100,
        "later_sessions": 100,
        "without": 0,
        "goal_sessions": 40,
        "goal_without": 0,
    }
    row |= values
    row["without_rate"] = row["without"] / row["later_sessions"]
    frame = pd.DataFrame(
        [{"device": None, "browser": None, "step": "view", "without_low": 0.0, "without_high": 1.0, **row}]
    )
    return gaps.steps(pd.concat([frame, frame.assign(step="buy", sessions=40)]), ["view", "buy"], [])


@pytest.mark.parametrize(
    ("values", "claim", "severity"),
    [
        ({"sessions": 50, "without": 50}, "fitness.step_rarer", "high"),
        ({"goal_without": 10, "without": 20}, "fitness.goal_without_step", "medium"),
        ({"goal_without": 30, "without": 40}, "fitness.goal_without_step", "high"),
        ({"without": 12}, "fitness.step_missed", "low"),
        ({"without": 30}, "fitness.step_missed", "medium"),
    ],
)
def test_a_tag_that_misses_people_is_one_finding(values, claim, severity):
    (finding,) = step_row(**values)
    assert (finding.claim, finding.severity, finding.step) == (claim, severity, "view")


@pytest.mark.parametrize(
    "values", [{}, {"without": 4}, {"without": 5}, {"goal_without": 2, "without": 3}, {"sessions": 50}]
)
def test_a_few_short_cuts_are_no_finding(values):
    assert step_row(**values) == []


ORDERS = table(
    """
    order_id  event_id  has_id  revenue  refunded  repeats  differs
    A1        e1        True    10.0     0         0        False
    A2        e2        True    20.0     5         2        True
    event:9   e9        False   30.0     0         0        False
    A3        e3        True    -        0         0        False
    A4        e4        True    0.0      0         1        False
    """
)
PRICED = table("event_id amount currency\ne1 10 EUR\ne3 - CHF\ne7 5 -\n")


def test_order_faults_are_counted():
    assert fitness.order_faults(ORDERS, PRICED).iloc[0].to_dict() == {
        "orders": 5,
        "unnumbered_orders": 1,
        "repeated_orders": 2,
        "repeat_events": 3,
        "differing_orders": 1,
        "unpriced_orders": 1,
        "free_orders": 1,
        "refunded_orders": 1,
        "refunded_revenue": 5.0,
        "differing_ids": "A2",
        "foreign_orders": 0,
        "currencies": "",
    }


def test_order_faults_are_findings_by_their_share():
    found = {finding.claim: finding.severity for finding in measures.orders(fitness.order_faults(ORDERS, PRICED), True)}
    assert found == {
        "fitness.without_id": "high",
        "fitness.differing_orders": "high",
        "fitness.without_revenue": "high",
        "fitness.repeated_orders": "low",
        "fitness.refunded": "info",
    }


def test_an_order_in_a_currency_without_a_rate_is_told_as_that_and_not_as_one_without_an_amount():
    faults = fitness.order_faults(ORDERS, PRICED.assign(amount=[10.0, 12.0, 5.0]))
    assert faults[["unpriced_orders", "foreign_orders", "currencies"]].to_numpy().tolist() == [[0, 1, "CHF"]]
    found = {finding.claim: finding.severity for finding in measures.orders(faults, True)}
    assert found["fitness.without_rate"] == "high" and "fitness.without_revenue" not in found


def test_no_order_at_all_is_a_finding_where_orders_are_the_goal():
    none = fitness.order_faults(ORDERS.iloc[:0], PRICED)
    assert none["orders"][0] == 0
    assert [finding.claim for finding in measures.orders(none, True)] == ["fitness.no_orders"]
    assert measures.orders(none, False) == []


def books(text):
    return table(text).assign(order_id=lambda frame: frame["order_id"].astype("string"))


def test_orders_are_held_to_the_books_one_by_one():
    mine = books(
        """
        order_id  revenue
        #1001     10.0
        1002      20.0
        1009      99.0
        1000      5.0
        """
    )
    theirs = books(
        """
        order_id  revenue  date
        1001      10.0     2026-03-03
        #1002     22.0     2026-03-04
        1003      30.0     2026-03-05
        1004      40.0     2026-05-01
        1000      5.0      2026-02-28
        """
    )
    found = fitness.book_match(mine, theirs, mine, START, END)
    assert found.iloc[1:, :4].values.tolist() == [
        ["export_only", 1, 99.0, pytest.approx(float("nan"), nan_ok=True)],
        ["in_both", 3, 35.0, 37.0],
    ]
    assert found.iloc[0]["found_in"] == "books_only" and found.iloc[0]["orders"] == 1
    assert {finding.claim for finding in measures.books(found)} == {
        "fitness.books_missing",
        "fitness.books_extra",
        "fitness.books_revenue_less",
    }


def test_without_books_nothing_is_said():
    mine = books("order_id revenue\n1001 10.0")
    found = fitness.book_match(mine, books("order_id revenue date\n1 1.0 2026-03-03").iloc[:0], mine, START, END)
    assert found.empty
    assert measures.books(found) == []


def test_books_that_differ_a_little_are_told_in_both_directions_and_by_amount():
    mine = books("order_id revenue\n" + "\n".join(f"{n} 10.0" for n in range(100)))
    theirs = books(
        "order_id revenue date\n" + "\n".join(f"{n} {10.5 if n == 7 else 10.0} 2026-03-03" for n in range(1, 101))
    )
    found = {one.claim: one for one in measures.books(fitness.book_match(mine, theirs, mine, START, END))}
    assert {claim: one.kind for claim, one in found.items()} == {
        "fitness.books_missing": "tracking", "fitness.books_extra": "observation", "fitness.books_differ": "observation",
    }  # fmt: skip
    values = found["fitness.books_differ"].values
    assert [values[name] for name in ("missing", "missing_revenue", "extra", "extra_revenue")] == [1, 10.0, 1, 10.0]
    assert (values["differing"], values["differing_revenue"]) == (1, 0.5)


def test_orders_without_an_amount_are_not_worth_less_than_in_the_books():
    mine, theirs = (
        books("order_id revenue\n1 NaN\n2 10.0"),
        books("order_id revenue date\n1 9 2026-03-03\n2 10 2026-03-03"),
    )
    (agree,) = measures.books(fitness.book_match(mine, theirs, mine, START, END))
    assert agree.claim == "fitness.books_agree", "that amounts are missing is told of the orders"


def test_an_order_that_the_audit_set_aside_is_not_missing_in_the_export():
    every, theirs = (
        books("order_id revenue\n1 10.0\n2 10.0"),
        books("order_id revenue date\n1 10.0 2026-03-03\n2 10.0 2026-03-03"),
    )
    found = fitness.book_match(every.iloc[:1], theirs, every, START, END)
    assert found[["found_in", "orders"]].values.tolist() == [["in_both", 2]]


def test_books_that_share_no_id_ask_for_the_right_column():
    mine, theirs = books("order_id revenue\nT-1 10.0"), books("order_id revenue date\n77 10.0 2026-03-03")
    (finding,) = measures.books(fitness.book_match(mine, theirs, mine, START, END))
    assert finding.claim == "fitness.books_no_match"


def test_consent_is_shared_out_by_device():
    events = pd.DataFrame(
        {
            "date": pd.Timestamp(START),
            "hour": 9,
            "event": "page_view",
            "browser": "Chrome",
            "device": ["desktop", "desktop", "mobile", "mobile", None],
            "session_id": ["a", None, "b", None, "d"],
            "device_id": ["1", None, "2", "3", None],
            "user_id": pd.Series([None, None, None, None, "ann"], dtype="string"),
            "is_page": True,
            "page": "/",
            "page_type": ["home", None, None, "home", "home"],
        }
    )
    counts = fitness.event_counts(events, START, END)
    sold = pd.DataFrame({"date": pd.Timestamp(START), "session_id": ["a", None], "revenue": [30.0, 50.0]})
    found = fitness.consent(counts, sold, START, END)
    assert found["device"].tolist()[1:] == ["desktop", "mobile", "unknown"]
    assert found[["events", "without_consent"]].values.tolist() == [[5, 1], [2, 1], [2, 0], [1, 0]]
    (finding,) = measures.consent(found)
    assert (finding.severity, finding.values["device"], finding.values["rate"]) == ("low", "desktop", 0.2)
    assert (finding.claim, finding.values["orders"], finding.values["revenue"]) == ("fitness.consent_orders", 1, 50)
    cover = {"pages": 5, "untyped_pages": 2, "addressed": 5, "untyped_rate": 0.4}
    assert fitness.page_cover(counts).iloc[0].to_dict() == cover


@pytest.mark.parametrize(("addressed", "claim"), [(0, "fitness.no_pages"), (9, "fitness.unnamed_pages")])
def test_page_views_that_nobody_named_are_not_called_absent(addressed, claim):
    cover = pd.DataFrame([{"pages": 0, "untyped_pages": 0, "addressed": addressed, "untyped_rate": float("nan")}])
    (finding,) = measures.pages(cover, True)
    assert (finding.claim, finding.values["addressed"]) == (claim, addressed)


def test_unknown_segments_weaken_what_stands_on_them():
    sessions = pd.DataFrame(
        {
            "device": ["mobile"] * 10,
            "browser": ["Chrome"] * 8 + [None] * 2,
            "os": ["iOS"] * 10,
            "country": [None] * 10,
            "channel": ["Direct"] * 10,
            "landing_page": ["/"] * 10,
        }
    ).astype("string")
    found = fitness.unknown(sessions)
    assert found.set_index("column")["unknown"].to_dict() == {
        "device": 0,
        "browser": 2,
        "os": 0,
        "country": 10,
        "channel": 0,
        "landing_page": 0,
    }
    claims = [(finding.claim, finding.voids) for finding in measures.unknown(found)]
    assert claims == [("fitness.segment_absent", ("04",)), ("fitness.segment_unknown", ("04",))]
    assert measures.unknown(fitness.unknown(sessions.iloc[:0])) == []


def test_what_each_rule_set_aside_is_counted_in_the_period_only():
    aside = pd.DataFrame({"session_id": ["a", "b", "c", "old"], "reason": ["bot", "test", "bot", "bot"],
                          "rule": ["no_dwell", "test_order", "no_dwell", "no_dwell"]})  # fmt: skip
    sessions = pd.DataFrame({"session_id": ["a", "b", "c", "d"], "events": [40, 3, 60, 5], "orders": [0, 1, 0, 1]})
    found = fitness.aside_rules(aside, sessions)
    assert found.values.tolist() == [["bot", "no_dwell", 2, 100, 0], ["test", "test_order", 1, 3, 1]]
    assert len(fitness.aside_rules(aside.iloc[:0].astype("string"), sessions)) == 0


def test_the_gap_that_ends_a_session_is_the_one_that_is_used():
    gaps = pd.DataFrame({"minutes": [15.0, 30.0], "sessions": [412, 377], "is_used": [False, True]})
    assert fitness.timeouts_record(gaps) == {"minutes": 30, "sessions": 377}


def test_the_headline_stands_with_and_without_what_is_set_aside():
    sessions = pd.DataFrame(
        {
            "session_id": ["a", "b", "c", "d"],
            "set_aside": [None, None, "bot", "internal"],
            "events": [3, 4, 900, 5],
            "orders": [1, 0, 0, 1],
            "revenue": [9.0, 0.0, 0.0, 5.0],
        }
    )
    marks = pd.DataFrame({"session_id": ["a", "a", "d", "b"], "name": ["purchase", "purchase", "purchase", "cart"]})
    found = fitness.set_aside(sessions, marks, "purchase")
    assert found[["part", "sessions", "events", "orders", "completing_rate"]].values.tolist() == [
        ["all", 4, 912, 2, 0.5],
        ["counted", 2, 7, 1, 0.5],
        ["bot", 1, 900, 0, 0.0],
        ["internal", 1, 5, 1, 1.0],
    ]
    claims = [finding.claim for finding in measures.traffic(found, ["ga4"])]
    assert claims == ["fitness.no_user_agent", "fitness.set_aside"]
    assert [finding.claim for finding in measures.traffic(found.iloc[:0], ["mixpanel"])] == []


def test_the_rate_moves_with_what_is_counted():
    sessions = table(
        """
        session_id  device_id  visitor_id  user_id
        s1          d1         u:1         1
        s2          d2         u:1         1
        s3          d3         d:d3        -
        s4          d3         d:d3        -
        """,
        user_id="string",
    )
    found = fitness.people(sessions, pd.DataFrame({"session_id": ["s1", "s1"], "name": ["buy", "buy"]}), "buy")
    assert found[["unit", "units", "converted"]].values.tolist() == [
        ["session", 4, 1],
        ["device", 3, 1],
        ["visitor", 2, 1],
        ["login", 1, 1],
    ]
    assert found["conversion_rate"].tolist() == pytest.approx([0.25, 1 / 3, 0.5, 1.0])
    (finding,) = measures.people(found)
    assert (finding.claim, finding.kind) == ("fitness.people", "observation")


def test_ties_count_every_event_of_a_moment_that_different_ones_share():
    events = table(
        """
        session_id  moment  event      page
        s1          1       page_view  /
        s1          1       add        /
        s1          2       page_view  /
        s2          1       page_view  /
        s2          2       page_view  /a
        s2          2       page_view  /b
        s2          3       purchase   /
        s2          3       purchase   /
        -           1       page_view  /
        """
    )
    found = fitness.ties(events)
    assert found.iloc[0].to_dict() == {"events": 8, "tied_events": 4, "tied_rate": 0.5}, "of two alike nobody asks"
    assert np.isnan(fitness.ties(events.iloc[:0])["tied_rate"][0])
    assert measures.order_of_events(fitness.ties(events.iloc[:0])) == []


@pytest.mark.parametrize(("rate", "weakened"), [(0.5, ("02",)), (1.0, ("02", "04"))])
def test_where_nearly_every_event_shares_its_instant_friction_cannot_be_told_either(rate, weakened):
    [finding] = measures.order_of_events(pd.DataFrame([{"events": 10, "tied_events": 10 * rate, "tied_rate": rate}]))
    assert (finding.claim, finding.voids) == ("fitness.ties", weakened)


def test_a_file_that_another_one_holds_is_no_tag_built_in_twice():
    rows = [
        ("day", "analysed", "ok", 900),
        ("intraday", "set_aside", "duplicate", 396),
        ("day", "set_aside", "duplicate", 9),
    ]
    found = measures.rows(pd.DataFrame(rows, columns=["file", "status", "reason", "rows"]))
    told = {one.claim: (one.kind, one.values["rows"]) for one in found}
    assert told == {"fitness.overlap": ("observation", 396), "fitness.duplicates": ("observation", 9)}


def test_rows_that_could_not_be_read_are_told_with_the_commonest_reason():
    ledger = pd.DataFrame(
        [
            ("a", "analysed", "ok", 900),
            ("a", "quarantined", "no_event", 60),
            ("a", "quarantined", "bad_json", 20),
            ("a", "set_aside", "duplicate", 20),
        ],
        columns=["file", "status", "reason", "rows"],
    )
    found = {finding.claim: finding for finding in measures.rows(ledger)}
    assert found["fitness.unreadable"].values["reason"] == "reason.no_event"
    assert found["fitness.unreadable"].severity == "medium"
    assert found["fitness.duplicates"].kind == "observation"


def test_personal_data_is_named_by_kind_and_place():
    masked = pd.DataFrame(
        {"field": ["pages", "titles"], "values": [3, 0], "masked": [4, 0], "kinds": ["email phone", ""]}
    )
    (finding,) = measures.privacy(masked)
    assert finding.values == {"values": 3, "fields": ["field.pages"], "kinds": ["personal.email", "personal.phone"]}
    assert measures.privacy(masked.iloc[1:]) == []


def test_the_verdict_counts_faults_and_names_the_weakened_chapters():
    high, low = gaps.fault("step_never", "high", ("02", "03"), {}), gaps.fault("duplicates", "low", ("01",), {})
    assert fitness.verdict([]) == {
        "claim": "fitness.headline_good",
        "high": 0,
        "medium": 0,
        "low": 0,
        "chapters": [],
        "weakened": 0,
    }
    assert fitness.verdict([high, low]) == {
        "claim": "fitness.headline_faults",
        "high": 1,
        "medium": 0,
        "low": 1,
        "chapters": [2, 3],
        "weakened": 2,
    }


def test_checks_leave_their_input_unchanged():
    sessions, marks, orders = SESSIONS.copy(), MARKS.copy(), ORDERS.copy()
    fitness.step_gaps(sessions, marks, ["view", "buy"], "buy")
    fitness.order_faults(orders, PRICED)
    pd.testing.assert_frame_equal(sessions, SESSIONS)
    pd.testing.assert_frame_equal(marks, MARKS)
    pd.testing.assert_frame_equal(orders, ORDERS)


def test_the_sources_own_totals_count_once_a_session():
    said = '{"totals.transactions":"2","totals.totalTransactionRevenue":"90000000"}'
    events = pd.DataFrame({"session_id": ["a", "a", "b"], "properties": [said, said, "{}"]})
    orders = pd.DataFrame({"revenue": [40.0]})
    row = fitness.source_totals(events, orders).iloc[0]
    assert row.tolist() == [2, 90, 1, 40]
    assert len(fitness.source_totals(events.tail(1), orders)) == 0
    assert [one.claim for one in fitness.totals_findings(fitness.source_totals(events, orders))] == [
        "fitness.source_totals"
    ]


def silent_days(orders, weekday_off=None):
    """Return sessions and goal marks: fifty visits a day and so many orders; on one weekday never an order."""
    dates = pd.date_range("2026-03-02", periods=len(orders))
    orders = [0 if day.day_of_week == weekday_off else n for day, n in zip(dates, orders, strict=True)]
    ids = range(50 * len(dates))
    sessions = pd.DataFrame({"session_id": ids, "visitor_id": ids, "date": np.repeat(dates, 50), "set_aside": None})
    bought = sessions.groupby("date").head(50).assign(place=lambda rows: rows.groupby("date").cumcount())
    bought = bought[bought["place"] < bought["date"].map(dict(zip(dates, orders, strict=True)))]
    return sessions.astype({"session_id": str, "visitor_id": str, "set_aside": "string"}), pd.DataFrame(
        {"session_id": bought["session_id"].astype(str), "name": "purchase"}
    )


NO_BOOKS = pd.DataFrame({"date": pd.Series([], dtype="datetime64[ns]")})


@pytest.mark.parametrize(
    ("orders", "weekday_off", "books", "blind"),
    [
        ([30] * 14 + [0] + [30] * 13, None, NO_BOOKS, ["2026-03-16"]),
        ([30] * 14 + [0] + [30] * 13, None, [30] * 14 + [12] + [30] * 13, ["2026-03-16"]),
        ([30] * 14 + [0] + [30] * 13, None, [30] * 14 + [0] + [30] * 13, []),  # nobody bought: a finding, no gap
        ([30] * 14 + [0] + [30] * 13, None, [30] * 14, ["2026-03-16"]),  # books that end before say nothing
        ([30] * 28, 6, NO_BOOKS, []),  # closed on Sundays
        ([8] * 14 + [0] + [8] * 13, None, NO_BOOKS, []),  # eight a day: none on one day may be chance
        ([8] * 14 + [0] * 4 + [8] * 10, None, NO_BOOKS, ["2026-03-16", "2026-03-17", "2026-03-18", "2026-03-19"]),
        ([0] * 2 + [30] * 26, None, NO_BOOKS, ["2026-03-02", "2026-03-03"]),  # the tag came later
        ([0] * 28, None, NO_BOOKS, []),
    ],
)
def test_a_silent_goal_blinds_a_day_only_where_it_was_certain_to_occur(orders, weekday_off, books, blind):
    sessions, marks = silent_days(orders, weekday_off)
    if not isinstance(books, pd.DataFrame):
        books = pd.DataFrame({"date": np.repeat(pd.date_range("2026-03-02", periods=len(books)), books)})
    found = fitness.blind_days(sessions, marks, books, "purchase", date(2026, 3, 2), date(2026, 3, 29))
    assert [str(day)[:10] for day in found["date"]] == blind


def test_the_days_between_rare_orders_are_no_outage():
    sessions, marks = silent_days([int(n % 30 == 0) for n in range(181)])  # seven orders, one on each weekday
    assert len(marks) == 7
    assert fitness.blind_days(sessions, marks, NO_BOOKS, "purchase", date(2026, 3, 2), date(2026, 8, 29)).empty
