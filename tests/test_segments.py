"""Visitors by what they did: few segments, and no groups where none hold."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from conftest import table
from pandas.testing import assert_frame_equal
from worlds_intent import GOAL, INTENTS, STEPS, World, shop

from conversion_audit.analysis import segments
from conversion_audit.analysis.intent import session_intents

SESSIONS = """
    session_id  visitor_id  start       pages  seconds  orders  revenue  channel  device   country  landing_page_type
    s1          v1          2026-03-01  5      50       1       20       Email    mobile   Austria  product
    s2          v1          2026-03-20  5      50       1       20       Email    mobile   Austria  product
    s3          v2          2026-03-02  9      90       1       90       Direct   mobile   Austria  product
    s4          v3          2026-03-03  9      90       0       0        Direct   desktop  Austria  -
    s5          v4          2026-03-04  2      20       0       0        Direct   desktop  Austria  -
    s6          v4          2026-03-30  2      20       0       0        Direct   desktop  Austria  -
    s7          v5          2026-03-05  1      0        0       0        Direct   desktop  Austria  -
    s8          v6          2026-03-06  3      30       0       0        Direct   desktop  Austria  -
"""
MARKS = """
    session_id  visitor_id  time        name
    s1          v1          2026-03-01  purchase
    s2          v1          2026-03-20  purchase
    s3          v2          2026-03-02  purchase
    s4          v3          2026-03-03  checkout
    s5          v4          2026-03-04  product_view
    s6          v4          2026-03-30  purchase
"""
INTENT_ROWS = """
    session_id  visitor_id  shows_shop  shows_service
    s5          v4          1           0
    s8          v6          0           1
"""


def _frames() -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    return table(MARKS), table(SESSIONS), table(INTENT_ROWS)


def test_the_first_rule_that_holds_names_a_visitor():
    marks, sessions, intents = _frames()
    marks = marks[marks.session_id != "s6"]
    named = segments.people(marks, sessions, intents, STEPS, GOAL).frame().sort_values("visitor_id")
    assert dict(zip(named.visitor_id, named.segment, strict=True)) == {
        "v1": "repeat_buyers",
        "v2": "big_buyers",
        "v3": "stopped_late",
        "v4": "returning_lookers",
        "v5": "passers_by",
        "v6": "came_for_service",
    }


def _once(revenues: list[float]) -> pd.DataFrame:
    """Return the visitors of a shop where each bought once, for so much."""
    visitors = [f"v{n}" for n in range(len(revenues))]
    day = pd.Timestamp("2026-03-01")
    visits = pd.DataFrame({"session_id": visitors, "visitor_id": visitors, "revenue": revenues, "start": day})
    visits = visits.assign(pages=3, seconds=9.0, orders=1)
    marks = visits[["session_id", "visitor_id"]].assign(name=GOAL, time=day)
    intents = visits[["session_id", "visitor_id"]].assign(shows_shop=1, shows_service=0)
    return segments.people(marks, visits, intents, STEPS, GOAL).frame()


def test_a_large_order_is_among_the_top_fifth():
    assert set(_once([50.0] * 10).segment) == {"buyers"}
    assert set(_once([0.0] * 10).segment) == {"buyers"}
    assert set(_once([50.0] * 7 + [90.0] * 3).segment) == {"buyers"}  # three in ten paid the most
    named = _once([10.0, 20, 30, 40, 50, 60, 70, 80, 90, 100])
    assert named[named.segment == "big_buyers"].revenue.tolist() == [90.0, 100.0]


def test_later_buyers_are_counted_among_visitors_of_the_first_half():
    result = segments.segment_table(*_frames(), STEPS, GOAL).set_index("segment")
    # v4 looked in the first half and bought on the last day; v1 bought before the middle and again after it.
    assert result.visitors.sum() == 6
    assert (result.early_visitors.get("one_time_lookers", 0), result.visitors.get("big_buyers")) == (0, 1)
    named = segments._later(*_frames(), STEPS, GOAL).set_index("segment")
    assert (named.early_visitors["one_time_lookers"], named.later_buyers["one_time_lookers"]) == (1, 1)


def test_of_a_few_days_nothing_is_said_of_who_buys_later():
    marks, sessions, intents = _frames()
    first = sessions.start.min()
    short = sessions.assign(start=first + (sessions.start - first) / 4)  # a month becomes a week
    moved = marks.assign(time=marks.session_id.map(short.set_index("session_id").start))
    made = segments.segment_table(moved, short, intents, STEPS, GOAL)
    assert made.visitors.sum() == 6
    assert made.later_rate.isna().all()


def test_a_session_over_the_middle_of_the_period_is_of_the_half_in_which_it_began():
    # The middle is 15 March, 12:00. v1's only session buys after it; v2 comes back to buy.
    sessions = table("""
        session_id  visitor_id  start                pages  seconds  orders  revenue
        s1          v1          2026-03-15T11:55:00  3      600      1       50
        s2          v2          2026-03-01T00:00:00  3      60       0       0
        s3          v2          2026-03-30T00:00:00  3      60       1       50
    """)
    marks = table("""
        session_id  visitor_id  time                 name
        s1          v1          2026-03-15T11:55:00  product_view
        s1          v1          2026-03-15T12:05:00  purchase
        s2          v2          2026-03-01T00:00:00  product_view
        s3          v2          2026-03-30T00:01:00  purchase
    """)
    found = segments._later(marks, sessions, table(INTENT_ROWS), STEPS, GOAL).set_index("segment")
    assert found.early_visitors.to_dict() == {"buyers": 1, "one_time_lookers": 1}
    assert found.later_buyers.to_dict() == {"buyers": 0, "one_time_lookers": 1}


def test_inputs_are_left_unchanged():
    frames = _frames()
    before = [frame.copy() for frame in frames]
    segments.segment_table(*frames, STEPS, GOAL)
    for left, right in zip(frames, before, strict=True):
        assert_frame_equal(left, right)


def test_no_visitors_give_no_segments():
    marks, sessions, intents = _frames()
    result = segments.segment_table(marks.head(0), sessions.head(0), intents.head(0), STEPS, GOAL)
    assert len(result) == 0 and segments.findings(result) == []


def test_sizes_and_purchases_add_up_on_a_generated_shop():
    marks, sessions, _ = shop(World(sessions=5_000), 2)
    intents = session_intents(marks, sessions, STEPS, GOAL, INTENTS)
    result = segments.segment_table(marks, sessions, intents, STEPS, GOAL)
    assert result.visitors.sum() == sessions.visitor_id.nunique()
    assert result.completions.sum() == sessions.orders.sum()
    assert result.visitor_share.sum() == pytest.approx(1)
    assert (result.trait_share.dropna() > result.overall_share.dropna()).all()


def test_two_groupings_agree_fully_when_only_their_names_differ_and_not_at_all_by_chance():
    rng = np.random.default_rng(1)
    a = rng.integers(0, 3, 3_000)
    assert segments.rand_index(a, (a + 1) % 3) == 1.0
    assert abs(segments.rand_index(a, rng.integers(0, 3, 3_000))) < 0.01


def _visitors(values: np.ndarray) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "visitor_id": [f"v{n}" for n in range(len(values))],
            "segment": "buyers",
            "furthest": values[:, 0],
            "sessions": np.exp(values[:, 1]),
            "pages": np.exp(values[:, 2]),
            "seconds": np.exp(values[:, 3]),
            "shows_service": 0,
        }
    )


def test_planted_groups_hold_and_a_single_cloud_does_not():
    rng = np.random.default_rng(3)
    centres = np.array([[0, 2, 2, 2], [6, 5, 5, 5], [0, 6, 2, 6]])
    planted = segments.clusters(_visitors(centres[rng.integers(0, 3, 900)] + rng.normal(0, 0.3, (900, 4))))
    cloud = segments.clusters(_visitors(rng.normal(4, 0.5, (900, 4))))
    assert (planted["holds"], planted["groups"]) == (True, 3)
    assert planted["profile"].visitors.sum() == 900
    assert not cloud["holds"]


def test_too_few_visitors_make_no_groups():
    found = segments.clusters(_visitors(np.ones((50, 4))))
    assert found["holds"] is False
    assert np.isnan(found["rules_agreement"])  # the chapter tells it, and says that it is not known


def test_who_stopped_after_the_first_step_is_told_as_far_as_it_is_known():
    one = pd.DataFrame(
        {"segment": ["one_time_lookers"], "visitors": [90], "early_visitors": [40], "later_buyers": [10]}
    )
    assert segments.claim(one) == ("segments.headline", {"visitors": 90, "later_rate": 0.25})
    assert segments.claim(one.assign(early_visitors=0))[0] == "segments.headline_undated"
    assert segments.claim(one.assign(early_visitors=5, later_buyers=2))[0] == "segments.headline_undated"
    assert segments.claim(one.assign(segment="buyers"))[0] == "segments.headline_none"


def test_the_segment_that_buys_later_beyond_the_others_is_a_finding():
    known = pd.DataFrame(
        {
            "segment": ["stopped_early", "one_time_lookers", "buyers"],
            "visitors": [900, 4000, 200],
            "early_visitors": [400, 2000, 100],
            "later_buyers": [40, 20, 30],
            "later_rate": [0.1, 0.01, 0.3],
            "later_low": [0.074, 0.006, 0.2],
            "later_high": [0.13, 0.015, 0.4],
        }
    )
    (finding,) = segments.findings(known)
    assert (finding.values["segment"], finding.values["others_rate"]) == ("stopped_early", 0.01)
    two_of_a_day = known.assign(early_visitors=[232, 300, 100], later_buyers=[2, 0, 5], later_low=[0.001, 0.0, 0.02])
    assert segments.findings(two_of_a_day) == [], "two later buyers against none are chance"
