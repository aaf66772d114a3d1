"""Why a rate moved: mix and rate, exact, and reversals flagged."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from conversion_audit.analysis import change
from conversion_audit.analysis.friction_claims import moved_claim, reversed_claim
from conversion_audit.report import text

BEFORE, AFTER = ("2026-01-01", "2026-01-31"), ("2026-02-01", "2026-02-28")


def shop(counts: list[tuple[str, str, int, int]]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Sessions and marks from (day, channel, sessions, goals)."""
    rows = [(day, channel, k < goals) for day, channel, n, goals in counts for k in range(n)]
    sessions = pd.DataFrame(rows, columns=["date", "channel", "goal"])
    sessions["date"] = pd.to_datetime(sessions.date)
    sessions["session_id"] = [f"s{k:05d}" for k in range(len(sessions))]
    sessions["bucket"] = [f"{k * 7919 % 256:02x}" for k in range(len(sessions))]
    marks = sessions.loc[sessions.goal, ["session_id"]].assign(name="buy")
    return marks, sessions.drop(columns="goal")


@pytest.fixture
def poorer_traffic():
    return shop(
        [
            ("2026-01-05", "email", 800, 80),
            ("2026-01-05", "paid", 200, 4),
            ("2026-02-05", "email", 400, 40),
            ("2026-02-05", "paid", 600, 12),
        ]
    )


def test_a_fall_from_poorer_traffic_is_all_mix(poorer_traffic):
    bars = change.mix_and_rate(*poorer_traffic, "buy", ["channel"], BEFORE, AFTER)
    assert bars.part.tolist() == ["before", "mix", "rate", "after"]
    assert bars.effect.tolist() == pytest.approx([0.084, -0.032, 0, 0.052])
    assert bars.kind.tolist() == ["start", "part", "part", "end"]
    assert bars.low[2] <= 0 <= bars.high[2] and bars.high[1] < 0
    said = text(*moved_claim(bars))
    assert "−3.2\u00a0pts goes with who came (−" in said and "remains among comparable visitors (−" in said


def test_cells_add_up_to_the_change(poorer_traffic):
    table = change.cell_changes(*poorer_traffic, "buy", ["channel"], BEFORE, AFTER)
    assert table.mix.sum() + table.rate.sum() == pytest.approx(-0.032)
    assert table.set_index("channel").goals_before.to_dict() == {"email": 80, "paid": 4}


def test_where_nothing_tells_visitors_apart_all_of_a_change_is_rate(poorer_traffic):
    bars = change.mix_and_rate(*poorer_traffic, "buy", [], BEFORE, AFTER)
    assert bars.effect.tolist() == pytest.approx([0.084, 0, -0.032, 0.052])
    (row,) = change.cell_changes(*poorer_traffic, "buy", [], BEFORE, AFTER).itertuples()
    assert (row.sessions_before, row.goals_after, row.rate) == (1000, 52, pytest.approx(-0.032))
    by = change.mix_and_rate_by(*poorer_traffic, "buy", [], BEFORE, AFTER)
    assert by.empty and reversed_claim(by) == ("friction.not_reversed", {})


def test_a_whole_that_says_the_opposite_of_its_parts_is_flagged():
    marks, sessions = shop(
        [
            ("2026-01-05", "email", 4000, 400),
            ("2026-01-05", "paid", 1000, 20),
            ("2026-02-05", "email", 1000, 150),
            ("2026-02-05", "paid", 4000, 160),
        ]
    )
    row = change.mix_and_rate_by(marks, sessions, "buy", ["channel"], BEFORE, AFTER).iloc[0]
    assert row.change < 0 < row.rate_low
    assert row.is_reversed


def test_none_of_ten_does_not_pass_for_surely_none():
    few = shop([("2026-01-05", "email", 10, 3), ("2026-02-05", "email", 10, 0)])
    bars = change.mix_and_rate(*few, "buy", [], BEFORE, AFTER).set_index("part")
    assert 0.1 < bars.high["after"] < 0.35 and bars.low["after"] < 0.01
    assert bars.high["rate"] > 0, "three of ten and none of ten may be the same rate"


def test_a_period_without_sessions_is_unknown_not_zero(poorer_traffic):
    bars = change.mix_and_rate(*poorer_traffic, "buy", ["channel"], BEFORE, ("2027-01-01", "2027-01-31"))
    assert np.isnan(bars.effect[1:]).all()
    assert bars.effect[0] == pytest.approx(0.084)


def test_where_nobody_comparable_came_in_both_periods_neither_part_is_known():
    few = shop([("2026-01-05", "email", 2, 1), ("2026-02-05", "paid", 3, 0)])
    bars = change.mix_and_rate(*few, "buy", ["channel"], BEFORE, AFTER).set_index("part")
    assert bars.effect[["before", "after"]].tolist() == [0.5, 0] and bars.loc[["mix", "rate"], "effect"].isna().all()
    assert bars.loc["rate", ["low", "high"]].isna().all(), "not from 0 to 0"


def test_inputs_are_left_as_they_were(poorer_traffic):
    marks, sessions = poorer_traffic
    before = marks.copy(), sessions.copy()
    change.mix_and_rate(marks, sessions, "buy", ["channel"], BEFORE, AFTER)
    pd.testing.assert_frame_equal(marks, before[0])
    pd.testing.assert_frame_equal(sessions, before[1])


def test_a_chart_by_day_says_how_many_days_lie_outside_its_band():
    from conversion_audit.analysis import change_claims

    days = pd.DataFrame({"is_alarm": [False, True, False]})
    assert change_claims.daily_claim(days, "goal", {"name": "lead"}) == (
        "change.goal_days_out",
        {"name": "lead", "days": 3, "out": 1},
    )
    assert change_claims.daily_claim(days[~days.is_alarm], "step", {})[0] == "change.step_days"
