"""How visitors move: totals that reconcile, paths, returns, waiting times, what happens instead, before and after."""

from __future__ import annotations

import inputs
import numpy as np
import pandas as pd
import pytest
from conftest import table
from pandas.testing import assert_frame_equal

from conversion_audit.analysis import journey, journey_claims, next_step, transitions, visits
from conversion_audit.analysis.around_goal import around_goal
from conversion_audit.analysis.content import content
from conversion_audit.analysis.funnel import reached
from conversion_audit.analysis.statistics import wilson
from conversion_audit.report.words import text

EVENTS = """
session_id event_number event     is_page page_type page   page_seconds seconds_to_next
s1         1            page_view True    home      /      10           10
s1         2            view      False   -         /p     -            5
s1         3            page_view True    product   /p/1   20           20
s1         4            page_view True    product   /p/2   20           20
s1         5            page_view True    home      /      5            5
s1         6            page_view True    product   /p/1   30           30
s1         7            buy       False   -         /b     -            -
s2         1            page_view True    home      /      -            -
s3         1            page_view True    -         /x     -            -
"""
MARKS = """
session_id visitor_id event_number moment visitor_event_number visitor_moment time                name   detail
s1         v1         3            3      3                    3              2026-03-02T10:00:15 view   /p/1
s1         v1         7            7      7                    7              2026-03-02T10:01:30 buy    /b
s2         v1         1            1      8                    8              2026-03-03T10:00:00 review /
s3         v2         1            1      1                    1              2026-03-02T12:00:00 view   /x
"""
SESSIONS = """
session_id visitor_id start               seconds date       hour landing_page channel device  visit_number is_bounce
s1         v1         2026-03-02T10:00:00 90      2026-03-02 10   /            Email   mobile  1            False
s2         v1         2026-03-03T10:00:00 0       2026-03-03 10   /            Email   mobile  2            True
s3         v2         2026-03-02T12:00:00 45      2026-03-02 12   /x           -       desktop 1            True
"""
STEPS = ["view", "buy"]


def events() -> pd.DataFrame:
    return table(EVENTS).assign(properties="{}")


def marks() -> pd.DataFrame:
    return table(MARKS)


def sessions() -> pd.DataFrame:
    return table(SESSIONS)


def pairs(frame: pd.DataFrame) -> dict[tuple[str, str], int]:
    return {(row.source, row.target): row.transitions for row in frame.itertuples()}


def test_the_same_kind_of_page_again_is_one_stay():
    found = transitions.stays(events()).frame().sort_values(["session_id", "n"])
    assert found[["session_id", "node", "views"]].to_numpy().tolist() == [
        ["s1", "home", 1],
        ["s1", "product", 2],
        ["s1", "home", 1],
        ["s1", "product", 1],
        ["s2", "home", 1],
        ["s3", "/x", 1],
    ]
    assert found.seconds.fillna(-1).tolist() == [10.0, 40.0, 5.0, 30.0, -1, -1]  # nobody saw s2 and s3 leave


def test_transitions_run_from_start_to_exit():
    found = transitions.transitions(transitions.stays(events()))
    assert pairs(found) == {
        ("(start)", "home"): 2,
        ("home", "product"): 2,
        ("product", "home"): 1,
        ("product", "(exit)"): 1,
        ("home", "(exit)"): 1,
        ("(start)", "/x"): 1,
        ("/x", "(exit)"): 1,
    }
    link = found.set_index(["source", "target"]).loc[("home", "product")]
    assert (link.forward_rate, link.backward_rate) == (pytest.approx(2 / 3), 1.0)


def random_events(seed: int, sessions: int = 60) -> pd.DataFrame:
    """Return sessions of pages, two of which are called as a session's own ends might be."""
    random = np.random.default_rng(seed)
    rows = [
        (f"s{s}", n, random.choice(["home", "product", "start", "exit"]))
        for s in range(sessions)
        for n in range(1, random.integers(2, 9))
    ]
    frame = pd.DataFrame(rows, columns=["session_id", "event_number", "page_type"])
    return frame.assign(event="page_view", is_page=True, page="/", page_seconds=1.0, seconds_to_next=1.0)


@pytest.mark.parametrize("kind", ["page", "event"])
@pytest.mark.parametrize("seed", range(5))
def test_what_comes_in_goes_out(kind, seed):
    log = random_events(seed).assign(event=lambda f: f.page_type)
    links = transitions.transitions(transitions.stays(log, kind, most=3))
    nodes = transitions.journey_map(links)
    assert (nodes.entries + nodes.arrivals).tolist() == (nodes.departures + nodes.exits).tolist()
    assert nodes.entries.sum() == nodes.exits.sum() == log.session_id.nunique()
    assert nodes.arrivals.sum() == nodes.departures.sum()


@pytest.mark.parametrize("seed", range(5))
def test_events_that_know_the_next_one_give_the_same_transitions_as_stays(seed):
    log = random_events(seed).assign(event=lambda f: f.page_type)
    log["next_event"] = log.sort_values("event_number").groupby("session_id").event.shift(-1)
    before = log.copy()
    found = transitions.event_transitions(log, most=3)
    wanted = transitions.transitions(transitions.stays(log, "event", most=3)).drop(columns="sessions")
    pd.testing.assert_frame_equal(found, wanted)
    pd.testing.assert_frame_equal(log, before)


def test_stages_lose_nobody():
    flow = transitions.stages(transitions.stays(random_events(1)), count=3)
    assert flow[flow.stage == 0].sessions.sum() == 60
    for stage in (0, 1):
        went = flow[(flow.stage == stage) & (flow.target != "(exit)")].groupby("target").sessions.sum()
        came = flow[flow.stage == stage + 1].groupby("source").sessions.sum()
        assert went.to_dict() == came.to_dict()


def test_two_groups_ways_are_compared_from_the_same_page():
    links = [transitions.transitions(transitions.stays(random_events(seed))) for seed in (1, 2)]
    found = transitions.compare(*links).set_index(["source", "target"])
    mine = links[0].set_index(["source", "target"]).forward_rate
    theirs = links[1].set_index(["source", "target"]).forward_rate
    pair = ("home", "product")
    assert found.difference_points[pair] == pytest.approx(mine[pair] - theirs[pair])
    assert found.difference_points_low[pair] < found.difference_points[pair] < found.difference_points_high[pair]
    assert found.groupby("source").difference_points.sum().abs().max() < 1e-9
    same = transitions.compare(links[0], links[0])
    assert same.difference_points.abs().max() == 0


def test_paths_end_at_the_goal_or_at_the_exit():
    to_goal, to_exit = transitions.paths(transitions.stays(events()), marks(), "buy")
    assert to_goal[["path", "sessions", "all_sessions"]].to_numpy().tolist() == [
        ["home > product > home > product", 1, 1]
    ]
    assert to_exit[["path", "sessions", "path_share"]].to_numpy().tolist() == [["/x", 1, 0.5], ["home", 1, 0.5]]


def test_rework_is_coming_back_to_what_was_left():
    stays = transitions.stays(events())
    found = transitions.rework(stays).set_index("node")
    assert found.loc["home", ["sessions", "returning_sessions", "returns"]].tolist() == [2, 1, 1]
    assert found.return_rate["home"] == 0.5
    # How long s2 was at home is not known, nor s3 at /x.
    assert found.median_seconds.fillna(-1).to_dict() == {"home": 15.0, "product": 70.0, "/x": -1}
    # home > product > home and product > home > product, in one session.
    assert transitions.back_and_forth(stays).to_numpy().tolist() == [["home", "product", 2, 1]]


def test_leaving_competes_with_going_on():
    rows = reached(marks(), STEPS)
    curves, summary = next_step.time_to_next(rows, sessions(), STEPS)
    assert curves.to_numpy().tolist() == [["view", 45.0, 0.0, 0.5], ["view", 75.0, 0.5, 0.5]]
    row = summary.iloc[0]
    assert (row.step, row.next_step, row.sessions, row.went_on, row.next_rate) == ("view", "buy", 2, 1, 0.5)
    assert row.median_seconds == 75.0


def test_who_goes_on_has_the_interval_of_visitors_where_they_come_back():
    visits = pd.DataFrame({"n": range(300)}).assign(person=lambda t: t.n // 3)
    start = pd.Timestamp("2026-03-02 08:00")
    visits = visits.assign(session_id="s" + visits.n.astype(str), visitor_id="v" + visits.person.astype(str))
    visits = visits.assign(start=start, seconds=60.0)
    rows = visits[["session_id", "visitor_id", "person"]].rename(columns={"session_id": "unit_id"})
    rows = pd.concat(rows.assign(step=n) for n in (1, 2)).query("step == 1 or person < 40")
    rows = rows.assign(time=start + pd.to_timedelta(10 * rows.step, unit="s"), is_counted=True)
    _, summary = next_step.time_to_next(rows, visits, STEPS)
    row = summary.iloc[0]
    assert (row.sessions, row.went_on) == (300, 120)
    assert (row.next_low, row.next_high) == pytest.approx([float(x) for x in wilson(40, 100)])


@pytest.mark.parametrize("setting", [{"order": "any_order"}, {"tolerance": 90.0}])
def test_a_next_step_that_came_first_was_not_waited_for(setting):
    log = marks().iloc[:2].assign(name=["buy", "view"])  # buy at 15 seconds, view at 90
    curves, summary = next_step.time_to_next(reached(log, STEPS, **setting), sessions().iloc[:1], STEPS)
    assert summary[["went_on", "median_seconds", "slow_seconds"]].to_numpy().tolist() == [[1, 0.0, 0.0]]
    assert curves[["seconds", "next_share"]].to_numpy().tolist() == [[0.0, 1.0]]


def test_visitors_are_watched_until_their_window_or_the_export_ends():
    until = pd.Timestamp("2026-03-02T12:00:30")
    rows = reached(marks(), STEPS, unit="visitor", window=3600.0, until=until)
    curves, summary = next_step.time_to_next(rows, None, STEPS, window=3600.0, until=until)
    assert curves[["seconds", "next_share"]].to_numpy().tolist() == [[75.0, 1.0]]  # v2 was watched for 30 seconds
    assert summary.went_on.tolist() == [1]


def test_instead_says_what_those_did_who_stopped():
    log = pd.concat(
        [events(), table("session_id event_number event is_page page_type page\ns3 5 page_view True help /h")]
    )
    found = next_step.instead(reached(marks(), STEPS), log, STEPS)
    assert found[["step", "did", "sessions", "stopped"]].to_numpy().tolist() == [["view", "help", 1, 1]]
    alone = next_step.instead(reached(marks(), STEPS), events(), STEPS)
    assert alone.did.tolist() == ["(exit)"]


def test_before_is_the_goals_session_and_after_is_any_later_visit():
    found = around_goal(marks(), events(), "buy", ["view", "review", "buy"])
    assert found[["when_it_was", "name", "visitors", "all_visitors", "median_seconds"]].to_numpy().tolist() == [
        ["before", "view", 1, 1, 75.0],
        ["after", "review", 1, 1, 86310.0],
    ]
    assert found.seconds_spent.fillna(-1).tolist() == [20.0, -1]  # the review ends its session: how long is not known


def test_hours_of_the_week_hold_every_session():
    found = visits.hours(sessions(), marks(), "buy")
    assert found[["weekday", "hour", "sessions", "goal_sessions"]].to_numpy().tolist() == [
        [0, 10, 1, 1],
        [0, 12, 1, 0],
        [1, 10, 1, 0],
    ]


def test_an_hour_that_few_visitors_fill_has_their_interval():
    many = pd.DataFrame({"n": range(200)}).assign(person=lambda t: t.n // 2)
    many = many.assign(session_id="s" + many.n.astype(str), visitor_id="v" + many.person.astype(str))
    many = many.assign(date=pd.Timestamp("2026-03-08") + pd.to_timedelta(7 * (many.n % 2), unit="D"), hour=9)
    log = many[many.person < 30][["session_id"]].assign(name="buy")
    (row,) = visits.hours(many, log, "buy").itertuples()
    assert (row.weekday, row.hour, row.sessions, row.goal_sessions) == (6, 9, 200, 60)
    assert (row.goal_low, row.goal_high) == pytest.approx([float(x) for x in wilson(30, 100)])


def test_landing_pages_keep_small_ones_together():
    found = visits.by_column(sessions(), marks(), "landing_page", step="view", goal="buy", fewest=2)
    assert found[["landing_page", "sessions", "bounces", "entered_sessions", "goal_sessions"]].to_numpy().tolist() == [
        ["/", 2, 1, 1, 1],
        ["(other)", 1, 1, 1, 0],
    ]


def test_a_visitor_of_two_small_landing_pages_is_one_visitor():
    rows = sessions().assign(landing_page=["/a", "/b", "/c"])
    rows = pd.concat([rows, rows.iloc[[2] * 2].assign(session_id=["s4", "s5"])], ignore_index=True)
    found = visits.by_column(rows, marks(), "landing_page", step="view", goal="buy", fewest=2)
    assert found[["landing_page", "sessions", "visitors"]].to_numpy().tolist() == [["/c", 3, 1], ["(other)", 2, 1]]


def test_a_landing_page_s_intervals_allow_for_repeated_visits():
    log, visitors = marks(), sessions().assign(landing_page="/", visitor_id=["v1", "v2", "v3"])
    again = [rows.assign(session_id=rows.session_id + " again") for rows in (visitors, log)]
    once = visits.by_column(visitors, log, "landing_page", step="view", goal="buy")
    found = visits.by_column(
        pd.concat([visitors, again[0]]), pd.concat([log, again[1]]), "landing_page", step="view", goal="buy"
    )
    ends = [f"{rate}_{end}" for rate in ("bounce", "entered", "goal") for end in ("low", "high")]
    assert (found.sessions.tolist(), found.visitors.tolist()) == ([6], [3])
    assert_frame_equal(found[ends], once[ends])


def test_two_groups_stand_side_by_side():
    a, b = sessions().iloc[:2], sessions().iloc[2:]
    found = visits.compare(marks(), a, b, STEPS).set_index("name")
    assert found.difference_points.to_dict() == {"view": -0.5, "buy": 0.5}
    assert found.difference_points_low["buy"] < 0.5 < found.difference_points_high["buy"]


def test_any_two_values_of_a_column_make_two_groups():
    people = sessions()
    assert visits.largest(people, "device") == ["mobile", "desktop"]
    mobile = visits.with_value(people, "device", "mobile")
    assert len(mobile) == 2
    stays = transitions.stays(events())
    assert set(transitions.of_sessions(stays, mobile).frame().session_id) <= set(mobile.frame().session_id)
    nobody = visits.with_value(people, "device", "o'neil")
    found = visits.compare(marks(), mobile, nobody, STEPS)
    assert found.b_rate.isna().all() and found.difference_points.isna().all()


def test_the_largest_difference_beyond_chance_is_told():
    rows = pd.DataFrame(
        {
            "name": ["view", "buy"],
            "a_rate": [0.5, 0.1],
            "b_rate": [0.1, 0.3],
            "difference_points": [0.4, -0.2],
            "difference_points_low": [-0.1, -0.3],
            "difference_points_high": [0.8, -0.1],
        }
    )
    pair = {"column": "device", "a": "mobile", "b": "desktop", "steps": rows}
    key, record = journey_claims.pair_claim(pair)
    assert (key, record["name"], record["a"]) == ("journey.pair_differ", "buy", "mobile")
    pair["steps"] = rows.head(1)
    assert journey_claims.pair_claim(pair)[0] == "journey.pair_alike"


def test_content_is_named_by_what_it_is():
    count = 80
    ids = [f"s{n}" for n in range(count)]
    base = pd.DataFrame({"session_id": ids, "visitor_id": ids, "start": pd.Timestamp("2026-03-02"), "seconds": 9.0})
    people = base.assign(channel="Email", device="mobile", visit_number=1)
    half = people.session_id.isin(ids[: count // 2])
    calls = people[half].assign(event="click", event_number=2, is_page=False, page_type=None)
    calls = calls.assign(properties='{"link_url": "tel:+49301234"}')
    log = pd.concat([_marked(base, "view", 1), _marked(base[::2], "buy", 3)], ignore_index=True)
    calls = calls.assign(moment=2, visitor_event_number=2, visitor_moment=2, time=pd.Timestamp("2026-03-02T00:00:02"))
    found = content(calls, log, people, reached(log, STEPS), STEPS)
    assert found[["kind", "name", "met", "unmet"]].to_numpy().tolist() == [["cta", "telephone", 40, 40]]


def _marked(base: pd.DataFrame, name: str, number: int) -> pd.DataFrame:
    numbers = dict.fromkeys(("event_number", "moment", "visitor_event_number", "visitor_moment"), number)
    time = base.start + pd.Timedelta(seconds=number)
    return base[["session_id", "visitor_id"]].assign(name=name, detail="/", time=time, **numbers)


FUNNEL = pd.DataFrame(
    {
        "step_number": [1, 2],
        "step": STEPS,
        "sessions": [100, 40],
        "sessions_in_order": [100, 30],
        "rated": [100, 30],
        "tied": [0, 12],
        "previous": [200.0, 100.0],
        "step_rate": [0.5, 0.3],
        "direct_sessions": [100, 10],
        "visitors_in_order": [90, 30],
        "rated_visitors": [0, 0],
        "too_late": [90, 30],
        "visitor_rate": [np.nan, np.nan],
        "total_rate": [1.0, 0.3],
    }
)


def test_the_funnel_says_where_most_are_lost_and_what_to_mind():
    adverse = FUNNEL.assign(sessions_in_order=[100, 20])
    found = journey.findings(FUNNEL, adverse)
    assert [one.claim for one in found] == ["funnel.widest", "funnel.ties", "funnel.too_short"]
    assert found[1].values["adverse_sessions"] == 20
    assert journey.findings(FUNNEL.assign(sessions=0), adverse) == []
    assert journey_claims.visitor_claim(FUNNEL)[0] == "funnel.visitors_too_short"


def test_where_nobody_is_lost_no_step_is_named():
    through = FUNNEL.assign(rated=100, sessions_in_order=100, tied=0)
    assert "funnel.widest" not in [one.claim for one in journey.findings(through, through)]
    said = ("funnel.nobody_lost", {"first_step": "view", "goal": "buy"})
    assert journey_claims.widest_claim(through) == said
    assert journey_claims.widest_claim(FUNNEL)[0] == "funnel.widest"
    assert journey_claims.widest_claim(FUNNEL.assign(rated=0, previous=[200.0, 0.0]))[0] == "funnel.nobody"


def test_the_funnel_names_only_what_differs_from_the_way_in_order():
    whole = FUNNEL
    ends = int(whole.sessions_in_order.iloc[-1])
    same = text(*journey_claims.funnel_claim(whole.assign(sessions=whole.sessions_in_order)))
    assert "whatever came before" not in same
    more = text(*journey_claims.funnel_claim(whole.assign(sessions=ends + 5)))
    assert more.endswith(f"{ends + 5}\u00a0sessions reach “{STEPS[-1]}” whatever came before")
    begun = [text(*journey_claims.how_to_read(whole.assign(tied=0, direct_sessions=n), whole)) for n in (0, 7)]
    assert "at a later step" not in begun[0] and "7\u00a0sessions begin at a later step" in begun[1]


def test_landing_pages_that_are_all_too_small_are_known_all_the_same():
    pages = pd.DataFrame({"landing_page": ["(other)"], "goal_sessions": [1], "goal_rate": [0.1], "bounce_rate": [0.5]})
    assert journey_claims.landing_claim(pages) == ("journey.landing_few", {})
    assert journey_claims.landing_claim(pages.head(0)) == ("journey.landing_none", {})


def test_a_landing_page_loses_most_only_where_it_surely_does():
    pages = pd.DataFrame(
        {"landing_page": ["/a", "/b"], "sessions": [30, 40], "bounces": [7, 8], "goal_sessions": [6, 5]}
    )
    pages = pages.assign(goal_rate=pages.goal_sessions / pages.sessions, bounce_rate=pages.bounces / pages.sessions)
    pages["bounce_low"] = [0.12, 0.1]
    assert journey_claims.landing_claim(pages)[0] == "journey.landing_claim_alike"
    untold = pages.assign(bounces=np.nan, bounce_rate=np.nan, bounce_low=np.nan)
    assert journey_claims.landing_claim(untold)[0] == "journey.landing_claim_untold"
    assert journey_claims.landing_claim(untold.assign(goal_sessions=0))[0] == "journey.landing_goalless_untold"
    many = pages.assign(sessions=[3000, 4000], bounces=[900, 800])
    assert journey_claims.landing_claim(many)[1]["left"] == "/a"
    assert journey_claims.landing_claim(many)[0] == "journey.landing_claim_both"
    assert journey_claims.landing_claim(many.assign(goal_sessions=[5, 6]))[0] == "journey.landing_claim"
    assert journey_claims.landing_claim(many.assign(goal_sessions=0))[0] == "journey.landing_goalless"
    assert journey_claims.landing_claim(pages.assign(goal_sessions=0))[0] == "journey.landing_goalless_alike"


def test_sessions_without_a_page_are_no_landing_page_that_loses_most():
    pages = pd.DataFrame({"landing_page": ["/a", "(not set)"], "sessions": [3000, 60], "bounces": [400, 60]})
    pages = pages.assign(bounce_rate=pages.bounces / pages.sessions, bounce_low=[0.1, 0.9])
    pages = pages.assign(goal_sessions=[90, 0], goal_rate=[0.03, 0.0])
    assert journey_claims.landing_claim(pages)[0] == "journey.landing_claim_alike"
    assert journey_claims.landing_claim(pages.tail(1)) == ("journey.landing_none", {})


def test_the_events_are_left_as_they_were():
    before = events()
    transitions.stays(before)
    next_step.instead(reached(marks(), STEPS), before, STEPS)
    assert_frame_equal(before, events())


def test_a_journey_of_one_step_is_told_as_such():
    one = FUNNEL.head(1)
    assert journey_claims.funnel_claim(one)[0] == "funnel.one_step"
    assert journey_claims.widest_claim(one)[0] == "funnel.one_step_read"


def test_pages_put_together_are_no_page_that_visits_begin_or_end_on():
    nodes = pd.DataFrame({"node": ["(other)", "home"], "entries": [60, 40], "exits": [70, 30]})
    _, record = journey_claims.map_claim(nodes)
    assert (record["begins"], record["ends"], record["entry_share"]) == ("home", "home", 0.4)
    assert journey_claims.map_claim(nodes.head(1))[1]["begins"] == "(other)"
    ways = pd.DataFrame({"path": ["(other)", "home > (other)"], "sessions": [4, 3], "path_share": [0.4, 0.3]})
    key, record = journey_claims.path_claim(ways, "order")
    assert (key, record["path"]) == ("journey.path_named", "home > (other)")
    assert "the most common ends home › other: 30% of" in text(key, record)


def test_campaigns_whose_names_begin_in_brackets_are_campaigns(audit_home):
    names = ["(DE) Brand", "(organic)", "Spring (2026)", "(DE) Shoes (Exact)"]
    rows = [{**row, "ad": names[n // 4 % 4]} for n, row in enumerate(inputs.clean())]
    text = inputs.config(more="timezone: UTC\nmin_sessions: 1", campaign="ad")
    found = inputs.taken_in(audit_home, inputs.as_csv(rows), text).frame("campaigns")
    assert dict(zip(found.campaign, found.sessions, strict=True)) == {
        "(DE) Brand": 5,
        "(DE) Shoes (Exact)": 5,
        "Spring (2026)": 5,
    }
