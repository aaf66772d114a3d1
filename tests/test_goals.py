"""Goals, key figures, the ladder, what goes with the goal, channels, carts, repeat purchase."""

from __future__ import annotations

import json
from types import SimpleNamespace

import inputs
import numpy as np
import pandas as pd
import pytest
from conftest import table
from pandas.testing import assert_frame_equal

from conversion_audit.analysis import contribution, goal_claims, goals, goes_with, ladder, leads, repeat_purchase
from conversion_audit.analysis.funnel import reached
from conversion_audit.analysis.statistics import wilson
from conversion_audit.audit import open_audit
from conversion_audit.recipes.goals import first_abandoned
from conversion_audit.report.words import sentences, text

SESSIONS = """
session_id visitor_id start               date       visit_number is_new channel device  exit_page set_aside
s1         v1         2026-03-02T10:00:00 2026-03-02 1            True   Email   mobile  /b        -
s2         v1         2026-03-12T10:00:00 2026-03-12 2            False  Direct  mobile  /c        -
s3         v2         2026-03-03T10:00:00 2026-03-03 1            True   Email   desktop /p        -
s4         v3         2026-03-13T10:00:00 2026-03-13 1            True   -       desktop /c        -
"""
MARKS = """
session_id visitor_id event_number moment visitor_event_number visitor_moment time                name detail
s1         v1         1            1      1                    1              2026-03-02T10:00:10 view /p
s1         v1         2            2      2                    2              2026-03-02T10:00:30 cart /c
s2         v1         1            1      3                    3              2026-03-12T10:00:05 cart /c
s2         v1         2            2      4                    4              2026-03-12T10:01:00 buy  /b
s3         v2         1            1      1                    1              2026-03-03T10:00:20 view /p
s4         v3         1            1      1                    1              2026-03-13T10:00:40 cart /c
"""
ORDERS = """
order_id event_id session_id visitor_id time                revenue goal
o1       e1       s2         v1         2026-03-12T10:01:00 80      buy
"""
TYPES = {"view": "destination", "cart": "action", "error": "negative", "buy": "goal"}
UNTIL = pd.Timestamp("2026-03-14")


def sessions() -> pd.DataFrame:
    return table(SESSIONS)


def marks() -> pd.DataFrame:
    return table(MARKS)


def test_reach_counts_sessions_visitors_and_times():
    found = goals.reach(marks(), sessions(), ["buy", "cart", "never"]).set_index("name")
    assert found.loc["cart", ["completions", "sessions", "visitors"]].tolist() == [3, 3, 2]
    assert found.session_rate.tolist() == [0.25, 0.75, 0.0]
    assert found.visitor_rate.tolist() == pytest.approx([1 / 3, 2 / 3, 0])
    assert (found.session_low <= found.session_rate).all()
    assert (found.session_rate <= found.session_high).all()


def test_reach_of_nothing_is_unknown():
    found = goals.reach(marks(), sessions().iloc[:0], ["buy"])
    assert found.sessions.tolist() == [0]
    assert found[["session_rate", "session_low", "visitor_rate"]].isna().all(axis=None)


def test_a_goal_is_worth_its_revenue_its_value_or_nothing():
    values, targets = {"buy": "revenue", "cart": 12.5, "view": None}, {"buy": 0.9, "cart": None, "view": None}
    found = goals.goal_table(marks(), sessions(), table(ORDERS), values, targets).set_index("goal")
    assert found.revenue.to_dict() == pytest.approx({"buy": 80.0, "cart": 37.5, "view": np.nan}, nan_ok=True)
    assert found.completions.to_dict() == {"buy": 1, "cart": 3, "view": 2}
    assert found.meets.dropna().to_dict() == {"buy": "no"}
    assert goal_claims.goal_claim(found.reset_index(), "view")[0] == "goals.rate"
    assert goal_claims.goal_claim(found.reset_index(), "buy")[0] == "goals.rate_and_value"


EVENTS = table("event_id event_number\ne1 2\ne2 2\ne3 3\n")


def of_goals(log: pd.DataFrame, orders: pd.DataFrame, *names: str) -> list[list]:
    """Return completions and revenue of goals worth their revenue."""
    named = goals.order_goals(orders.drop(columns="goal"), log, EVENTS, names)
    found = goals.goal_table(log, sessions(), named, dict.fromkeys(names, "revenue"), {})
    return found[["completions", "revenue"]].to_numpy().tolist()


def rented(session: str, visitor: str, at: str, number: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return marks and orders with a rental beside what was bought."""
    here = {"session_id": session, "visitor_id": visitor, "time": pd.Timestamp(at)}
    mark = pd.DataFrame([here | {"name": "rent", "event_number": number}])
    order = pd.DataFrame([here | {"order_id": "o2", "event_id": f"e{number}", "revenue": 15}])
    return pd.concat([marks(), mark], ignore_index=True), pd.concat([table(ORDERS), order], ignore_index=True)


def test_an_order_is_of_the_goal_whose_event_it_is():
    log, orders = rented("s4", "v3", "2026-03-13T10:02:00", 2)
    assert of_goals(log, orders, "buy", "rent") == [[1, 80.0], [1, 15.0]]
    # An order beside the goal's own event, as where the goal is a page, is still of that goal, or of the only one.
    beside = orders.assign(event_id=["e1", "e3"])
    assert of_goals(log, beside, "buy", "rent") == [[1, 80.0], [1, 15.0]]
    assert of_goals(log, beside, "buy") == [[2, 95.0]]


def test_orders_of_one_instant_count_once_each():
    log, orders = rented("s2", "v1", "2026-03-12T10:01:00", 3)
    assert of_goals(log, orders, "buy", "rent") == [[1, 80.0], [1, 15.0]]
    # One event that is of two goals gives its order to the first of them.
    both = log.assign(event_number=log.event_number.where(log["name"] != "rent", 2))
    assert of_goals(both, orders.iloc[:1], "rent", "buy")[0] == [1, 80.0]


def test_without_orders_a_revenue_goal_has_no_amount():
    found = goals.goal_table(marks(), sessions(), table(ORDERS).iloc[:0], {"buy": "revenue"}, {"buy": None})
    assert found.completions.tolist() == [1]
    assert found.revenue.isna().all()


def test_a_goal_is_held_to_its_past():
    before = sessions()[sessions().session_id.isin(["s1", "s3"])]
    later = sessions()[2 * [False] + [False, True]]
    found = goals.goal_table(marks(), later, table(ORDERS), {"cart": None}, {}, history=marks(), past_sessions=before)
    assert found[["session_rate", "past_rate", "change_points"]].iloc[0].tolist() == [1.0, 0.5, 0.5]
    assert found.change_points_low[0] < 0.5 < found.change_points_high[0]


def loyal(seed: int, visitors: int = 60, visits: int = 10) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return marks and sessions of visitors who do the same on each of their visits."""
    random = np.random.default_rng(seed)
    ids = [(f"{v}-{n}", f"v{v}") for v in range(visitors) for n in range(visits)]
    visits_of = pd.DataFrame(ids, columns=["session_id", "visitor_id"])
    keen = visits_of[visits_of.visitor_id.isin([f"v{v}" for v in range(visitors) if random.random() < 0.4])]
    found = pd.concat([visits_of.assign(name="view"), keen.assign(name="buy")], ignore_index=True)
    return found, visits_of


def test_changes_and_key_figures_allow_for_repeated_visits():
    told = []
    for seed in range(40):
        (log, visits), (before, past) = loyal(seed), loyal(seed + 100)
        found = goals.goal_table(log, visits, table(ORDERS), {"buy": None}, {}, history=before, past_sessions=past)
        told.append(found.change_points_low[0] > 0 or found.change_points_high[0] < 0)
    assert sum(told) <= 4
    log, visits = loyal(1)
    kpi = {"name": "bought", "of": "view", "reach": "buy", "unit": "session", "target": None}
    rate, everyone = goals.kpi_table(log, [kpi]).iloc[0], goals.reach(log, visits, ["buy"]).iloc[0]
    assert (rate.low, rate.high) == pytest.approx((everyone.session_low, everyone.session_high))
    by_visitor = goals.kpi_table(log, [kpi | {"unit": "visitor"}]).iloc[0]
    assert (rate.rate, rate.low) == pytest.approx((by_visitor.rate, by_visitor.low))


KPI = {"name": "left", "of": "cart", "without": "buy", "unit": "session", "target": {"at": 0.95, "below": True}}


def test_a_kpi_is_a_share_of_those_with_its_base():
    reach = {"name": "bought", "of": "cart", "reach": "buy", "unit": "visitor", "target": None}
    found = goals.kpi_table(marks(), [KPI, reach]).set_index("kpi")
    assert found.loc["left", ["numerator", "denominator"]].tolist() == [2, 3]
    assert found.loc["bought", ["numerator", "denominator", "rate"]].tolist() == [1, 2, 0.5]
    assert found.meets.dropna().to_dict() == {"left": "yes"}


def test_a_kpi_without_its_base_is_unknown():
    found = goals.kpi_table(marks(), [KPI | {"of": "never"}])
    assert found.denominator.tolist() == [0]
    assert found.rate.isna().all()
    assert found.meets.isna().all()
    assert goal_claims.kpi_claim(found) == ("goals.kpi_none", {"kpi": "left"})
    # The first that could be counted is told: two of three carts are left.
    both = goals.kpi_table(marks(), [KPI | {"of": "never"}, KPI | {"name": "open"}])
    claim, record = goal_claims.kpi_claim(both)
    assert (claim, record["kpi"], record["numerator"]) == ("goals.kpi_met", "open", 2)


@pytest.mark.parametrize(
    ("target", "ceiling", "low", "high", "expected"),
    [
        (0.03, False, 0.031, 0.04, "yes"),
        (0.03, False, 0.02, 0.029, "no"),
        (0.03, False, 0.02, 0.04, "cannot say"),
        (0.65, True, 0.5, 0.6, "yes"),
        (0.65, True, 0.66, 0.7, "no"),
        (np.nan, True, 0.5, 0.6, None),
    ],
)
def test_a_target_is_met_or_missed_only_beyond_chance(target, ceiling, low, high, expected):
    assert goals._meets(target, ceiling, low, high) == expected


def test_the_ladder_says_reach_time_and_closeness():
    found = ladder.ladder(
        marks(), marks().assign(in_period=True), sessions(), TYPES, "buy", window=10 * 86400.0, until=UNTIL
    ).set_index("name")
    assert found.index.tolist() == ["cart", "view", "error", "buy"]
    assert found.sessions.to_dict() == {"cart": 3, "view": 2, "error": 0, "buy": 1}
    assert found.median_seconds["cart"] == 30.0
    assert found.closeness_rate.to_dict() == pytest.approx(
        {"cart": 1 / 3, "view": 0.0, "error": np.nan, "buy": np.nan}, nan_ok=True
    )
    # v1 first has a cart on day 2 and buys on day 12, 31 seconds after the window; v3 came too late to be judged.
    assert found.loc["cart", ["rated_visitors", "within_goal_visitors"]].tolist() == [1, 0]
    assert found.loc["buy", "second_visit_share"] == 1.0


def test_the_window_of_the_ladder_includes_its_edge():
    wide = ladder.ladder(
        marks(), marks().assign(in_period=True), sessions(), TYPES, "buy", window=10 * 86400.0 + 30, until=UNTIL
    ).set_index("name")
    assert wide.loc["cart", "within_goal_visitors"] == 1


def test_weeks_add_up_to_the_period():
    found = ladder.weekly(marks(), sessions(), ["cart"], pd.Timestamp("2026-03-02"))
    assert found.groupby("week")[["sessions", "all_sessions"]].sum().to_numpy().tolist() == [[1, 2], [2, 2]]
    assert found.visit.tolist() == ["first", "first", "repeat"]


@pytest.mark.parametrize("visits", [1, 4])
def test_intervals_of_weeks_and_of_closeness_allow_for_visitors_who_come_back(visits):
    # Every visit of a visitor is alike: so many visits know no more than their visitors would with one visit each.
    many = pd.DataFrame({"n": range(200 * visits)}).assign(person=lambda t: t.n // visits)
    many = many.assign(
        session_id="s" + many.n.astype(str), visitor_id="v" + many.person.astype(str), visit_number=2,
        date=pd.Timestamp("2026-03-02"), start=pd.Timestamp("2026-03-02 08:00"),
    )  # fmt: skip
    log = pd.concat(
        many[many.person < most][["session_id", "visitor_id"]].assign(
            name=name, moment=moment, visitor_moment=moment, event_number=moment, value=0.0, detail=None,
            time=pd.Timestamp("2026-03-02 08:00") + pd.Timedelta(seconds=moment),
        )
        for name, most, moment in (("cart", 80, 1), ("buy", 20, 2))
    )  # fmt: skip
    (week,) = ladder.weekly(log, many, ["cart"], pd.Timestamp("2026-03-02")).itertuples()
    assert (week.sessions, week.all_sessions) == (80 * visits, 200 * visits)
    assert (week.reach_low, week.reach_high) == pytest.approx([float(x) for x in wilson(80, 200)])
    types = {"cart": "action", "buy": "goal"}
    found = ladder.ladder(log, log.assign(in_period=True), many, types, "buy", window=60.0, until=UNTIL)
    cart = found.set_index("name").loc["cart"]
    assert (cart.goal_sessions, cart.sessions) == (20 * visits, 80 * visits)
    assert (cart.closeness_low, cart.closeness_high) == pytest.approx([float(x) for x in wilson(20, 80)])


@pytest.mark.parametrize(("visits", "surely"), [(1, True), (20, False)])
def test_what_moved_within_the_period_allows_for_visitors_who_come_back(visits, surely):
    # 60 of 400 sessions in the first week and 100 of 400 in the second; the same, by a twentieth of the visitors.
    many = pd.DataFrame({"n": range(800)}).assign(half=lambda t: t.n // 400, in_half=lambda t: t.n % 400)
    many = many.assign(
        session_id="s" + many.n.astype(str), visitor_id="v" + (many.half * 1000 + many.in_half // visits).astype(str),
        date=pd.Timestamp("2026-03-02") + pd.to_timedelta(7 * many.half, unit="D"), visit_number=1,
    )  # fmt: skip
    hits = many[many.in_half < np.where(many.half == 0, 60, 100)]
    found = ladder.change(
        hits[["session_id", "visitor_id"]].assign(name="cart", moment=1),
        many[["session_id", "visitor_id", "date"]],
        pd.DataFrame({"name": "cart", "week": many.date.unique()}),
    )
    (row,) = found.itertuples()
    assert row.change_points == pytest.approx(0.1)
    assert (row.change_points_low > 0) == surely


def test_one_week_has_no_halves():
    weeks = pd.DataFrame({"name": ["cart"], "week": [pd.Timestamp("2026-03-02")]})
    assert ladder.change(marks(), sessions(), weeks).empty


def judged(kind: str, **row) -> tuple[str, str]:
    usual = {"sessions": 500, "reach_rate": 0.1, "closeness_rate": 0.3, "closeness_low": 0.2, "closeness_high": 0.4}
    usual |= {"change_points_low": -0.01, "change_points_high": 0.01}
    return ladder._judgement(pd.Series(usual | {"type": kind} | row), 0.03, False, 30)


def test_attention_goes_to_what_is_near_and_falls():
    assert judged("action", change_points_high=-0.001) == ("work on", "close_falling")
    assert judged("action", reach_rate=0.01) == ("work on", "close_narrow")
    assert judged("action", closeness_low=0.02, change_points_high=-0.001) == ("watch", "falling")
    assert judged("negative", change_points_low=0.001, closeness_high=0.02) == ("work on", "spreading")
    assert judged("negative", change_points_low=0.001) == ("watch", "rising")
    assert judged("action", sessions=3) == ("watch", "too_few")
    assert judged("action") == ("leave alone", "steady")


def test_events_that_nothing_covers_come_biggest_first():
    events = marks()[["session_id", "event_number"]].assign(event="known", is_page=False)
    loose = table(
        """
        session_id event_number event        is_page
        s1         7            chat         False
        s3         8            chat         False
        s1         9            scroll       False
        s1         11           alias        False
        s1         10           seitenaufruf True
        """
    )
    found = ladder.uncovered(pd.concat([events, loose]), marks(), ["view", "cart", "buy"])
    assert found.to_dict("records") == [
        {"event": "chat", "events": 2, "sessions": 2, "is_automatic": False},
        {"event": "alias", "events": 1, "sessions": 1, "is_automatic": True},
        {"event": "scroll", "events": 1, "sessions": 1, "is_automatic": True},
        {"event": "seitenaufruf", "events": 1, "sessions": 1, "is_automatic": True},
    ]


def test_a_name_that_never_occurs_is_shown_with_the_closest_event():
    found = ladder.never_seen(marks(), ["view", "wishlist", "zzz"], ["add_to_wishlist", "view_item"])
    assert found.to_numpy().tolist() == [["wishlist", "add_to_wishlist"], ["zzz", None]]


def test_findings_tell_what_to_work_on_and_what_is_never_seen():
    table_ = pd.DataFrame({"name": list("abcde"), "attention": "work on", "why": "close_falling", "reach_rate": 0.1})
    missing = pd.DataFrame({"name": ["x", "y"], "closest": ["ex", None]}, dtype=object)
    loose = pd.DataFrame({"event": ["scroll", "chat"], "events": [9, 2], "is_automatic": [True, False]})
    found = ladder.findings(table_, missing, loose)
    assert [one.claim for one in found] == [
        *["goals.attention_close_falling"] * 3,
        "goals.never_seen_closest",
        "goals.never_seen",
        "goals.uncovered",
    ]
    assert found[-1].values["event"] == "chat"


def shop(count: int, seed: int, lift: float) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return marks and sessions where a video multiplies the odds to buy, and keen visitors watch more of them."""
    random = np.random.default_rng(seed)
    channel = random.choice(["Email", "Social"], count)
    video = random.random(count) < np.where(channel == "Email", 0.5, 0.1)
    odds = np.where(channel == "Email", 0.6, 0.1) * np.where(video, lift, 1.0)
    bought = random.random(count) < odds / (1 + odds)
    start = pd.Timestamp("2026-03-02")
    ids = [f"s{n}" for n in range(count)]
    visits = pd.DataFrame({"session_id": ids, "visitor_id": ids, "channel": channel, "device": "mobile"})
    visits = visits.assign(visit_number=1, start=start)
    names = [("view", np.ones(count, bool), 1), ("video", video, 2), ("buy", bought, 3)]
    rows = [
        pd.DataFrame({"session_id": visits.session_id[mask], "name": name, "event_number": n, "moment": n})
        for name, mask, n in names
    ]
    log = pd.concat(rows, ignore_index=True)
    log = log.assign(visitor_id=log.session_id, visitor_event_number=log.event_number, visitor_moment=log.moment)
    return log.assign(time=start + pd.to_timedelta(log.event_number, unit="s"), detail="/"), visits


def compared(count: int, seed: int, lift: float) -> pd.Series:
    log, visits = shop(count, seed, lift)
    steps = ["view", "buy"]
    pages = visits[["session_id"]].assign(moment=1, is_page=True)
    return goes_with.goes_with(pages, log, visits, reached(log, steps), steps, ["video", "view"]).iloc[0]


def test_what_goes_with_the_goal_is_compared_among_like_sessions():
    row = compared(4000, seed=1, lift=2.0)
    crude = row.met_rate / (1 - row.met_rate) / (row.unmet_rate / (1 - row.unmet_rate))
    assert crude > 3.0  # keen visitors watch more videos
    assert row.odds_low < 2.0 < row.odds_high
    assert row.is_shown
    assert (row["name"], row.step, row.sessions) == ("video", "view", 4000)


def test_what_is_said_of_what_goes_with_the_goal_stands_in_the_first_row():
    names = ["video", "terms", "coupon"]
    odds = pd.DataFrame({"name": names, "odds_ratio": [1.2, 0.3, 1.1], "p_value": [0.001, 0.001, 0.9]})
    counts = {"step": "view", "sessions": 100, "met": 50, "met_goals": 20, "unmet": 50, "unmet_goals": 20}
    counts |= {f"{part}_{end}": 0.4 for part in ("met", "unmet") for end in ("low", "high")}
    table = goes_with._judged(odds.assign(odds_low=odds.odds_ratio, odds_high=odds.odds_ratio, **counts))
    key, record = goal_claims.goes_with_claim(table)
    assert (key, record["name"]) == ("goals.goes_less", "terms")
    assert list(table.name) == ["terms", "video", "coupon"]
    # One that nobody without it reached the goal is not compared: it is not among those that chance explains.
    table.loc[table.name != "coupon", "odds_ratio"] = float("nan")
    assert goal_claims.goes_with_claim(table.assign(is_shown=False)) == ("goals.goes_none", {"count": 1})
    table["odds_ratio"] = float("nan")
    assert goal_claims.goes_with_claim(table.assign(is_shown=False))[0] == "goals.goes_nothing"


def test_a_video_that_does_nothing_goes_with_nothing():
    rows = [compared(1500, seed=seed, lift=1.0) for seed in range(8)]
    assert sum(row.odds_low <= 1.0 <= row.odds_high for row in rows) >= 7


def looked_around(count: int, seed: int) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Return events, marks and sessions: who will not buy looks around for longer; every page may show any of six things."""
    random = np.random.default_rng(seed)
    ids = np.array([f"s{n}" for n in range(count)])
    buys = random.random(count) < 0.3
    pages = np.where(buys, random.geometric(0.5, count), random.geometric(0.3, count))
    every = pd.DataFrame({"session_id": np.repeat(ids, pages), "moment": 1 + np.arange(pages.sum())})
    every["moment"] -= np.repeat(pages.cumsum() - pages, pages)
    shown = [every[(every.moment > 1) & (random.random(len(every)) < 0.08)].assign(name=f"thing {n}") for n in range(6)]
    bought = pd.DataFrame({"session_id": ids, "moment": pages + 1, "name": "buy"})[buys]
    log = pd.concat([every[every.moment == 1].assign(name="view"), *shown, bought], ignore_index=True)
    log = log.assign(event_number=log.moment, visitor_id=log.session_id, visitor_event_number=log.moment)
    start = pd.Timestamp("2026-03-02")
    log = log.assign(visitor_moment=log.moment, time=start + pd.to_timedelta(log.moment, unit="s"), detail="/")
    visits = pd.DataFrame({"session_id": ids, "visitor_id": ids, "channel": "Email", "device": "mobile"})
    return every.assign(is_page=True), log, visits.assign(visit_number=1, start=start)


def test_what_anybody_meets_who_looks_around_for_longer_goes_with_nothing():
    things, steps, rows = [f"thing {n}" for n in range(6)], ["view", "buy"], []
    for seed in range(4):
        pages, log, visits = looked_around(2500, seed)
        rows.append(goes_with.goes_with(pages, log, visits, reached(log, steps), steps, things))
    found = pd.concat(rows)
    assert len(found) == 24 and found.is_shown.sum() <= 1
    assert found.odds_ratio.median() == pytest.approx(1.0, abs=0.1)
    # An export that knows no pages knows what else was done.
    log_only = goes_with.goes_with(pages.assign(is_page=False), log, visits, reached(log, steps), steps, things)
    assert log_only.odds_ratio.tolist() == rows[-1].odds_ratio.tolist()


def test_channels_add_up_to_all_goals():
    found = contribution.channels(sessions(), marks(), table(ORDERS), "buy").set_index("channel")
    assert found.goal_sessions.to_dict() == {"Direct": 1, "Email": 0, "(not set)": 0}
    assert found.goal_share.sum() == found.revenue_share.sum() == 1.0
    unknown = contribution.channels(sessions().assign(channel=None), marks(), table(ORDERS), "buy")
    assert goal_claims.channel_claim(unknown, "buy") == ("goals.channels_unknown", {})
    none = contribution.channels(sessions(), marks(), table(ORDERS).iloc[:0], "buy")
    assert none[["orders", "revenue", "revenue_share"]].isna().all(axis=None)


def twice(rows: pd.DataFrame) -> pd.DataFrame:
    """The same visitors, each of whose sessions is there once more: they say no more than before."""
    return pd.concat([rows, rows.assign(session_id=rows.session_id + " again")], ignore_index=True)


def test_a_channel_s_interval_allows_for_repeated_visits():
    columns = ["channel", "goal_rate", "goal_low", "goal_high", "visitors"]
    log, visits = marks(), sessions().assign(visitor_id=["v1", "v2", "v3", "v4"], channel="Email")
    once = contribution.channels(visits, log, table(ORDERS), "buy")
    again = contribution.channels(twice(visits), twice(log), table(ORDERS), "buy")
    assert_frame_equal(again[columns], once[columns])


def test_what_goes_with_the_goal_allows_for_repeated_visits():
    log, visits = shop(600, seed=1, lift=2.0)
    rows = []
    for some, seen in ((log, visits), (twice(log), twice(visits))):
        pages = seen[["session_id"]].assign(moment=1, is_page=True)
        rows.append(goes_with.goes_with(pages, some, seen, reached(some, ["view", "buy"]), ["view", "buy"], ["video"]))
    ends = [f"{part}_{end}" for part in ("met", "unmet", "odds") for end in ("low", "high")]
    assert_frame_equal(rows[1][ends], rows[0][ends])


def test_what_is_left_in_the_cart_is_left_somewhere():
    by_step, by_page = contribution.abandoned(marks(), sessions(), ["view", "cart", "buy"], of="cart", without="buy")
    assert by_step[["step", "sessions"]].to_numpy().tolist() == [["cart", 2]]
    assert by_page[["exit_page", "sessions", "abandoned_share"]].to_numpy().tolist() == [["/b", 1, 0.5], ["/c", 1, 0.5]]


def test_who_buys_again_is_of_the_whole_export_and_says_so(audit_home):
    inputs.written(audit_home, inputs.as_csv(inputs.clean()), inputs.config())
    part = open_audit("acme", start="2026-03-02", end="2026-03-03")
    assert (part.orders.frame().visitor_id.nunique(), part.frame("repeat_purchase").buyers.max()) == (4, 20)
    assert "Of the whole export" in sentences("en")["goals.repeat_read"]
    assert "Aus dem ganzen Export" in sentences("de")["goals.repeat_read"]


def test_repeat_rates_are_those_of_freireichs_patients():
    days = [6, 6, 6, 6, 7, 9, 10, 10, 11, 13, 16, 17, 19, 20, 22, 23, 25, 32, 32, 34, 35]
    again = [1, 1, 1, 0, 1, 0, 1, 0, 0, 1, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0]
    found = repeat_purchase.repeat_rates(days, again, (6, 7, 10, 13, 16, 22, 23, 36))
    survival = (1 - found.repeat_rate).round(4).tolist()
    assert survival[:7] == [0.8571, 0.8067, 0.7529, 0.6902, 0.6275, 0.5378, 0.4482]
    assert np.isnan(survival[7])  # nobody was observed for so long
    assert ((found.repeat_low < found.repeat_rate) & (found.repeat_rate < found.repeat_high))[:7].all()


def test_none_or_all_of_a_few_buyers_is_not_surely_none_or_all():
    found = repeat_purchase.repeat_rates([40.0] * 20 + [10.0] * 10, [False] * 30, (30,)).iloc[0]
    assert (found.repeat_rate, found.repeat_low) == (0.0, 0.0)
    assert found.repeat_high == pytest.approx(wilson(0, 20)[1])  # twenty were observed for so long
    found = repeat_purchase.repeat_rates([5.0] * 12, [True] * 12, (30,)).iloc[0]
    assert (found.repeat_rate, found.repeat_high) == (1.0, 1.0)
    assert found.repeat_low == pytest.approx(wilson(12, 12)[0])


def test_a_buyer_waits_from_the_first_order_to_the_second_or_to_the_end():
    orders = table(
        "order_id visitor_id session_id time\no1 v1 a 2026-03-01\no2 v1 b 2026-03-11\no3 v1 b 2026-03-12\n"
        "o4 v2 c 2026-03-10\no5 - - 2026-03-10\no6 v2 t 2026-03-11\no7 tester t 2026-03-02\no8 tester t 2026-03-03\n"
    )
    visits = table("session_id set_aside\na -\nb -\nc -\nt test\n")
    found = repeat_purchase.waits(orders, visits, UNTIL)
    assert found[["visitor_id", "days", "is_repeat"]].to_numpy().tolist() == [["v1", 10.0, True], ["v2", 4.0, False]]
    first = pd.DataFrame({"visitor_id": ["v1", "v2"], "product": ["boots", "boots"]})
    product = repeat_purchase.products(first, found, (5,), fewest=1).iloc[0]
    assert (product["product"], product.buyers, product.repeats, product.repeat_5_rate) == ("boots", 2, 1, 0.0)


def test_products_of_a_first_order_are_known_with_and_without_an_id():
    waited = table("visitor_id order_id\nv1 o1\nv2 event:e2\nv3 event:e3\n")
    log = table("event_id visitor_id order_id\ne1 v1 o1\ne2 v2 -\ne3 v3 -\ne4 v3 o4\n")
    items = table("event_id name item_id\ne1 hat 1\ne2 - 2\ne3 hat 1\ne4 boots 3\n", item_id="string")
    found = repeat_purchase.first_products(waited, log, items)
    assert found.to_numpy().tolist() == [["v1", "hat"], ["v2", "2"], ["v3", "hat"]]


def test_the_tables_given_are_left_as_they_were():
    log, visits = marks(), sessions()
    goals.reach(log, visits, ["buy"])
    ladder.weekly(log, visits, ["buy"], UNTIL)
    contribution.abandoned(log, visits, ["view", "cart", "buy"], of="cart", without="buy")
    assert_frame_equal(log, marks())
    assert_frame_equal(visits, sessions())


def test_the_channel_with_the_highest_rate_is_named_where_that_is_sure():
    found = pd.DataFrame({"channel": ["Search", "Social"], "sessions": [326, 129], "goal_sessions": [5, 2]})
    found = found.assign(
        goal_rate=found.goal_sessions / found.sessions, goal_share=[5 / 7, 2 / 7], goal_low=[0.006, 0.004]
    )
    assert goal_claims.channel_claim(found, "order")[0] == "goals.channel_claim_alike"
    sure = found.assign(goal_sessions=[5, 40], goal_rate=[0.015, 0.31], goal_low=[0.006, 0.24])
    assert goal_claims.channel_claim(sure, "order")[1]["best"] == "Social"
    # A channel of few sessions beside it may have a higher rate still: it is held to the others together.
    said = text(*goal_claims.channel_claim(sure, "order"))
    assert said.endswith("Social surely has a higher rate than the others together (31.00%)")


def test_a_goal_without_a_step_before_it_has_nothing_to_abandon():
    nothing = pd.DataFrame({"sessions": []})
    assert goal_claims.abandoned_claim(nothing, "order", "order") == ("goals.abandoned_undeclared", {"undone": "order"})
    assert goal_claims.abandoned_claim(nothing, "cart", "order")[0] == "goals.abandoned_none"


def test_what_is_abandoned_at_one_step_only_is_no_share_of_itself():
    pay = pd.DataFrame({"step": ["pay"], "sessions": [58], "all_sessions": [58], "abandoned_share": [1.0]})
    assert goal_claims.abandoned_claim(pay, "pay", "order")[0] == "goals.abandoned_alike"
    cart = pd.DataFrame(
        {"step": ["cart", "pay"], "sessions": [30, 28], "all_sessions": 58, "abandoned_share": [0.52, 0.48]}
    )
    claim, values = goal_claims.abandoned_claim(cart, "cart", "order")
    assert (claim, values["step"], values["sessions"]) == ("goals.abandoned_claim", "cart", 30)


def test_a_journey_is_begun_at_its_second_step():
    audit = SimpleNamespace(config=SimpleNamespace(kpis={}, steps=["view", "cart", "pay", "order"]))
    assert first_abandoned(audit) == ("cart", "order")


@pytest.mark.parametrize(
    ("verdicts", "said"),
    [
        (
            ["work on", "work on", "watch"],
            "2 micro-conversions deserve work now, first of all “a”; 1 should be watched",
        ),
        (["work on", "watch", "leave"], "“a” alone deserves work now; 1 should be watched"),
        (["work on", "leave", "leave"], "“a” alone deserves work now"),
        (["leave", "watch", "leave"], "Of 3 micro-conversions none asks for work now; 1 should be watched"),
        (["leave", "leave", "leave"], "Of 3 micro-conversions none asks for work now"),
    ],
)
def test_what_deserves_work_is_told_as_one_or_as_several(verdicts, said):
    table = pd.DataFrame({"name": ["a", "b", "c"], "attention": verdicts})
    assert text(*goal_claims.attention_claim(table)).replace("\u00a0", " ") == said


def test_who_reaches_a_goal_on_the_page_where_they_land_has_not_bounced(audit_home):
    rows = [row for row in inputs.clean() if row["where"] == "/"]
    rows += [row | {"id": f"{row['id']}-call", "what": "call"} for row in rows[:5]]
    text = inputs.config(more="timezone: UTC").replace("goals:\n", "goals:\n  call: {event: call, value: 20}\n")
    audit = inputs.taken_in(audit_home, inputs.as_csv(rows), text)
    assert audit.frame("sessions")["is_bounce"].sum() == 15


@pytest.mark.parametrize(
    ("ids", "crm", "claim", "known"),
    [
        (["L1", "L2", None], ["L1", "L3"], "crm_some", 1),
        (["1", "2", "2"], ["L1", "L2"], "crm_none", 0),
        ([None, None, "undefined"], ["L1"], "crm_no_id", 0),
    ],
)
def test_how_many_leads_of_the_site_the_crm_knows_is_said(ids, crm, claim, known):
    marks = pd.DataFrame(
        {"session_id": ["a", "b", "c"], "event_number": 1, "name": "lead", "time": pd.Timestamp("2026-03-02")}
    )
    told = [json.dumps({"lead_id": one}) if one else "{}" for one in ids]
    events = marks.drop(columns=["name", "time"]).assign(
        properties=told, order_id=pd.Series([None] * 3, dtype="string")
    )
    (finding,) = leads.crm_match(marks, events, pd.DataFrame({"lead_id": crm, "stage": "won"}), "lead")
    assert (finding.claim, finding.values["known"]) == (f"fitness.{claim}", known)
    assert bool(finding.voids) == (claim != "crm_some")


def test_without_a_crm_or_without_leads_nothing_is_said_of_it():
    marks = pd.DataFrame({"session_id": ["a"], "event_number": 1, "name": "lead", "time": pd.Timestamp("2026-03-02")})
    events = marks.drop(columns=["name", "time"]).assign(properties="{}", order_id=pd.Series(["L1"], dtype="string"))
    crm = pd.DataFrame({"lead_id": ["L1"], "stage": ["won"]})
    assert leads.crm_match(marks, events, crm.iloc[:0], "lead") == leads.crm_match(marks, events, crm, "sold") == []


def test_where_nothing_is_sold_the_summary_counts_the_goal(audit_home):
    rows = [row | {"order": "", "worth": "", "what": row["what"].replace("purchase", "sent")} for row in inputs.clean()]
    text = inputs.config().replace("{event: purchase, value: revenue}", "{event: sent, label: Request sent}")
    found = inputs.taken_in(audit_home, inputs.as_csv(rows), text).summary["value"]
    assert found["Request sent (sessions)"] == "20" and not {"orders", "revenue"} & set(found.index)
