"""The funnel's tables: counts at all and in order, rates on their base, segments, late entries."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from conftest import table
from pandas.testing import assert_frame_equal

from conversion_audit.analysis.funnel import reached
from conversion_audit.analysis.funnel_segments import by_segment
from conversion_audit.analysis.funnel_steps import funnel_table, occurrences, options, step_table
from conversion_audit.analysis.goals import reach
from conversion_audit.analysis.journey_claims import segment_claim
from conversion_audit.errors import ConfigError
from conversion_audit.schema import Funnel

MARKS = """
session_id visitor_id event_number moment visitor_event_number visitor_moment time                name detail
s1         v1         1            1      1                    1              2026-03-02T10:00:00 view /p
s1         v1         2            2      2                    2              2026-03-02T10:01:00 cart /c
s2         v1         1            1      3                    3              2026-03-05T10:00:00 cart /c
s2         v1         2            2      4                    4              2026-03-05T10:01:00 buy  /b
s3         v2         1            1      1                    1              2026-03-06T10:00:00 view /p
s4         v3         1            1      1                    1              2026-03-06T11:00:00 buy  /b
"""
SESSIONS = """
session_id visitor_id device
s1         v1         mobile
s2         v1         desktop
s3         v2         mobile
s4         v3         -
s5         v4         mobile
"""
STEPS = ["view", "cart", "buy"]


def marks() -> pd.DataFrame:
    return table(MARKS)


def test_sessions_and_visitors_stand_side_by_side():
    by_session, by_visitor = reached(marks(), STEPS), reached(marks(), STEPS, unit="visitor", window=86400 * 30)
    found = funnel_table(marks(), table(SESSIONS), STEPS, by_session, by_visitor)
    assert found.sessions.tolist() == [2, 2, 2]
    assert found.sessions_in_order.tolist() == [2, 1, 0]
    assert found.visitors.tolist() == [2, 1, 2]
    assert found.visitors_in_order.tolist() == [2, 1, 1]
    assert found.direct_sessions.tolist() == [2, 1, 1]
    assert found.step_rate.tolist() == [0.4, 0.5, 0.0]
    assert found.previous.tolist() == [5, 2, 1]
    assert found.of.tolist() == ["sessions", "view", "cart"]


def test_a_step_that_never_occurs_has_a_rate_of_zero_and_what_follows_it_none():
    found = step_table(reached(marks(), ["view", "wish", "buy"]), ["view", "wish", "buy"])
    assert found.sessions_in_order.tolist() == [2, 0, 0]
    assert found.step_rate.iloc[1] == 0.0
    assert np.isnan(found.step_rate.iloc[2])
    assert found.total_rate.tolist() == [1.0, 0.0, 0.0]


def test_without_any_event_all_counts_are_zero_and_all_rates_unknown():
    found = step_table(reached(marks().iloc[:0], STEPS), STEPS)
    assert found.sessions_in_order.tolist() == [0, 0, 0]
    assert found[["step_rate", "total_rate"]].isna().all().all()


def test_chains_begun_too_late_are_counted_but_not_rated():
    rows = reached(marks(), STEPS, unit="visitor", window=86400 * 2, until=pd.Timestamp("2026-03-07"))
    found = step_table(rows, STEPS, unit="visitor")
    assert found.visitors_in_order.tolist() == [2, 1, 0]
    assert found.rated.tolist() == [1, 1, 0]
    assert found.total_rate.tolist() == [1.0, 1.0, 0.0]


def test_a_mature_chain_is_rated_where_the_best_one_began_too_late():
    late = marks().assign(visitor_id="v1", visitor_event_number=range(1, 7), visitor_moment=range(1, 7))
    rows = reached(late, ["view", "buy"], unit="visitor", window=86400.0, until=pd.Timestamp("2026-03-06T12:00:00"))
    found = step_table(rows, ["view", "buy"], unit="visitor")
    assert found.visitors_in_order.tolist() == [1, 1]
    assert found.rated.tolist() == [1, 0]


def test_entries_lie_in_the_period_and_what_follows_may_lie_after_it():
    history = marks().assign(in_period=lambda f: f.time < "2026-03-03")
    steps = ["cart", "buy"]
    assert _counts(reached(history, steps, unit="visitor", window=86400 * 9), steps) == [1, 1]
    assert _counts(reached(history, steps, unit="visitor", window=86400 * 9, in_range="both"), steps) == [1, 0]


def _counts(rows, steps) -> list[int]:
    return step_table(rows, steps, unit="visitor").visitors_in_order.tolist()


def test_a_segment_is_that_of_the_session_in_which_the_chain_began():
    rows = reached(marks(), STEPS, unit="visitor", window=86400 * 30)
    found = by_segment(rows, marks(), table(SESSIONS), STEPS, ["device"]).set_index(["segment", "step"])
    assert found.in_order.unstack()[STEPS].to_dict("index") == {
        "mobile": {"view": 2, "cart": 1, "buy": 1},
        "desktop": {"view": 0, "cart": 0, "buy": 0},
        "(not set)": {"view": 0, "cart": 0, "buy": 0},
    }
    assert found.sessions["desktop", "buy"] == 1
    assert found.all_sessions["mobile"].tolist() == [3, 3, 3]


def test_segments_add_up_to_the_whole():
    rows = reached(marks(), STEPS)
    parts = by_segment(rows, marks(), table(SESSIONS), STEPS, ["device", "visitor_id"])
    whole = step_table(rows, STEPS)
    for _, part in parts.groupby("column"):
        assert part.groupby("step_number").in_order.sum().tolist() == whole.sessions_in_order.tolist()


def test_a_segment_of_everyone_has_the_interval_of_the_whole():
    many = pd.concat([_visit(f"s{n}", f"v{n // 10}", n // 10 % 2) for n in range(100)], ignore_index=True)
    sessions = many[["session_id", "visitor_id"]].drop_duplicates().assign(device="mobile")
    rows = reached(many, ["view", "cart"])
    whole = step_table(rows, ["view", "cart"], sessions=sessions).iloc[1]
    part = by_segment(rows, many, sessions, ["view", "cart"], ["device"]).iloc[1]
    ends = ["step_low", "step_high", "total_low", "total_high"]
    assert part[ends].tolist() == whole[ends].tolist()
    assert len(by_segment(rows, many, sessions.head(0), ["view", "cart"], ["device"])) == 0


def test_repeated_visits_widen_the_interval():
    many = pd.concat([_visit(f"s{n}", f"v{n // 10}", n // 10 % 2) for n in range(100)], ignore_index=True)
    sessions = many[["session_id", "visitor_id"]].drop_duplicates()
    rows = reached(many, ["view", "cart"])
    plain, wide = (
        step_table(rows, ["view", "cart"]).iloc[1],
        step_table(rows, ["view", "cart"], sessions=sessions).iloc[1],
    )
    assert plain.step_rate == wide.step_rate == 0.5
    assert wide.step_high - wide.step_low > 2 * (plain.step_high - plain.step_low)
    strangers = sessions + "x"  # as many sessions that never enter
    everyone = pd.concat([sessions, strangers], ignore_index=True)
    first = step_table(rows, ["view", "cart"], sessions=everyone).iloc[0]
    same = reach(many, everyone, ["view"]).iloc[0]
    assert (first.step_rate, first.step_low, first.step_high) == pytest.approx(
        (0.5, same.session_low, same.session_high)
    )


def _visit(session: str, visitor: str, buys: int) -> pd.DataFrame:
    names = ["view", "cart"][: 1 + buys]
    frame = pd.DataFrame({"name": names, "session_id": session, "visitor_id": visitor, "detail": "/"})
    for column in ("event_number", "moment", "visitor_event_number", "visitor_moment"):
        frame[column] = range(1, len(names) + 1)
    return frame.assign(time=pd.Timestamp("2026-03-02") + pd.to_timedelta(frame.event_number, unit="s"))


def test_the_marks_are_left_as_they_were():
    before = marks()
    reached(before, STEPS)
    occurrences(before, STEPS)
    assert_frame_equal(before, marks())


def test_options_follow_the_config():
    assert options(Funnel(visitor_window="7 days", exclude=["x"]).model_dump(), "visitor") == {
        "order": "sequential",
        "entry": "best",
        "step_window": None,
        "ties": "favour",
        "tolerance": 0.0,
        "exclude": ["x"],
        "window": 604800.0,
        "in_range": "entry",
        "unit": "visitor",
    }


def test_an_unknown_option_is_refused_by_name():
    with pytest.raises(ConfigError) as raised:
        reached(marks(), [], order="backwards")
    assert str(raised.value) == (
        "- funnel: a funnel needs at least one step\n"
        "- funnel: 'order' is one of sequential, any_order, strict (seen: 'backwards')"
    )


def test_segments_are_compared_by_the_first_column_that_knows_two():
    rows = [
        ("device", "(not set)", 900, 0.3),
        ("device", "tv", 900, 0.1),
        ("os", "iOS", 700, 0.156),
        ("os", "Android", 600, 0.347),
    ]
    table = pd.DataFrame(rows, columns=["column", "segment", "entrants", "total_rate"]).assign(step_number=4)
    claim, record = segment_claim(table)
    assert (claim, record["best"], record["worst"]) == ("funnel.segments", "Android", "iOS")
    assert segment_claim(table.head(2)) == ("funnel.segments_few", {})
    # A column whose segments are alike is passed over; where all are, that is what is said.
    alike = table.assign(segment=["web", "tv", "iOS", "Android"], total_rate=[0.1, 0.1, 0.156, 0.347])
    assert segment_claim(alike)[1]["best"] == "Android"
    assert segment_claim(alike.assign(total_rate=0.0)) == ("funnel.segments_alike", {})
