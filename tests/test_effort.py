"""Time and effort on tables small enough to check by hand, and on a generated shop with a slow step."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import worlds

from conversion_audit.analysis import effort
from conversion_audit.findings import Finding


def asked(world: worlds.World, **more):
    return effort.effort(world.marks, world.sessions, worlds.STEPS, worlds.SUSPECTS, negatives=worlds.NEGATIVES, **more)


@pytest.fixture(scope="module")
def slow_shop():
    planted = [worlds.Planted("checkout", {"country": "AT"}, 0.0, how="slow")]
    return asked(worlds.world(31, 30_000, planted))


def test_a_step_that_takes_longer_is_named_although_its_rate_is_fine(slow_shop):
    slow = slow_shop.waits[slow_shop.waits.is_slow]
    assert slow[["step", "column", "level"]].to_numpy().tolist() == [["checkout", "country", "AT"]]
    assert slow.times_as_long.iloc[0] == pytest.approx(2.2, rel=0.15)
    made = effort.findings(slow_shop)
    assert [(one.claim, one.step, one.segment) for one in made if one.claim == "effort.slow"] == [
        ("effort.slow", "checkout", {"country": "AT"})
    ]
    assert all(isinstance(one, Finding) for one in made)


def test_every_rate_comes_with_its_base_and_interval(slow_shop):
    rounds = slow_shop.rounds
    known = rounds[rounds.of > 0]
    assert ((known.rate_low <= known.rate) & (known.rate <= known.rate_high)).all()
    assert set(rounds.kind) == {"errors", "back", "repeats"}


def little_shop() -> tuple[pd.DataFrame, pd.DataFrame]:
    sessions = pd.DataFrame(
        {
            "session_id": [f"s{k:03d}" for k in range(200)],
            "visitor_id": [f"v{k:03d}" for k in range(200)],
            "start": pd.Timestamp("2026-03-01"),
            "date": pd.Timestamp("2026-03-01"),
            "bucket": "00",
            "device": "mobile",
        }
    )
    rows = []
    for k in range(200):
        walk = [("view", 5), ("cart", 10)]
        if k < 100:  # half read the shipping terms before the last step, and fewer of them buy
            walk += [("terms", 20)]
        if k < 30 or k >= 120:
            walk += [("buy", 40)]
        rows += [(f"s{k:03d}", name, at) for name, at in walk]
    marks = pd.DataFrame(rows, columns=["session_id", "name", "at"])
    marks["time"] = pd.Timestamp("2026-03-01") + pd.to_timedelta(marks["at"], unit="s")
    marks["event_number"] = marks.groupby("session_id").cumcount() + 1
    return marks.drop(columns="at").assign(detail="/"), sessions


def test_a_detour_says_how_many_go_on_with_and_without_it():
    marks, sessions = little_shop()
    found = effort.effort(marks, sessions, ["view", "cart", "buy"], ["device"], beside=["terms"])
    row = found.detours.iloc[0]
    assert (row.step, row.what, row.sessions, row.of) == ("buy", "terms", 100, 200)
    assert (row.passed_with_rate, row.passed_without_rate) == (0.3, 0.8)
    assert row.difference == pytest.approx(-0.5) and row.difference_high < 0


def test_circles_before_a_step_leave_out_what_came_after_it():
    marks, sessions = little_shop()
    marks = marks[marks["name"] != "terms"]
    # Of the 30 who buy early on, half looked three times before the cart; the 80 others look again only after it.
    before = marks[(marks["name"] == "view") & (marks.session_id < "s015")]
    after = marks[(marks["name"] == "cart") & (marks.session_id >= "s120")].assign(name="view")
    second = pd.Timedelta(seconds=1)
    again = [frame.assign(time=frame.time + k * second) for frame in (before, after) for k in (1, 2)]
    log = pd.concat([marks, *again]).sort_values(["session_id", "time"], ignore_index=True)
    log["event_number"] = log.groupby("session_id").cumcount() + 1
    found = effort.effort(log, sessions, ["view", "cart", "buy"], ["device"]).rounds
    row = found[(found.step == "cart") & (found.kind == "repeats")].iloc[0]
    assert (row.sessions, row.of, row.rate) == (15, 200, 0.075)
    # Who never saw the next step got beyond it by a later one.
    found = effort.effort(log[log["name"] != "cart"], sessions, ["view", "cart", "buy"], ["device"]).rounds
    assert found[(found.step == "cart") & (found.kind == "repeats")].sessions.tolist() == [95]


def test_waiting_is_counted_from_coming_to_stand_before_the_step():
    marks, sessions = little_shop()
    found = effort.effort(marks, sessions, ["view", "cart", "buy"], ["device"])
    everyone = found.waits[found.waits["column"] == ""].set_index("step")
    assert everyone.median_seconds.to_dict() == pytest.approx({"view": 5, "cart": 5, "buy": 30})
    assert everyone.passed.to_dict() == {"view": 200, "cart": 200, "buy": 110}


def test_what_was_never_seen_is_said_where_the_export_says_how_far_people_scrolled():
    marks, sessions = little_shop()
    scrolled = pd.DataFrame(
        {
            "session_id": [f"s{k:03d}" for k in range(200)],
            "event_number": 2,
            "time": pd.Timestamp("2026-03-01 00:00:11"),
            "event": "scroll",
            "page": "/cart",
            "page_type": "cart",
            "error": pd.array([None] * 200, dtype="string"),
            "properties": [f'{{"percent_scrolled": "{20 if k < 50 else 90}"}}' for k in range(200)],
        }
    )
    found = effort.effort(marks, sessions, ["view", "cart", "buy"], ["device"], events=scrolled)
    row = found.unseen.set_index("step").loc["buy"]
    assert (row.of, row.unseen, row.unseen_rate) == (200, 50, 0.25)
    assert row.passed_unseen_rate == pytest.approx(30 / 50) and row.passed_seen_rate == pytest.approx(80 / 150)


@pytest.mark.parametrize("count", [0, 1])
def test_hardly_any_sessions_are_no_error(count):
    marks, sessions = little_shop()
    sessions = sessions.head(count)
    found = effort.effort(marks[marks.session_id.isin(sessions.session_id)], sessions, ["view", "buy"], ["device"])
    assert not found.waits.is_slow.any()
    assert effort.findings(found) == []


def test_inputs_are_left_as_they_were():
    marks, sessions = little_shop()
    before = marks.copy(), sessions.copy()
    effort.effort(marks, sessions, ["view", "cart", "buy"], ["device"], beside=["terms"])
    pd.testing.assert_frame_equal(marks, before[0])
    pd.testing.assert_frame_equal(sessions, before[1])


def test_a_wait_that_was_not_seen_is_unknown(slow_shop):
    few = slow_shop.waits[slow_shop.waits.passed < 60]
    assert np.isnan(few.times_as_long).all()


def test_one_other_step_is_not_what_a_segment_usually_takes():
    marks, sessions = little_shop()
    sessions["device"] = ["mobile", "desktop"] * 100
    # At the cart mobile takes twice as long; before the product all wait about the same.
    number = marks.session_id.str[1:].astype(int)
    seconds = 0.5 * ((number * 7) % 5) + 5 * ((number % 2 == 0) & (marks.name == "cart"))
    marks["time"] += pd.to_timedelta(seconds, unit="s")
    waits = effort.effort(marks, sessions, ["view", "cart"], ["device"]).waits
    at = waits[waits["column"] == "device"].set_index(["step", "level"])
    assert waits[waits.is_slow][["step", "level"]].to_numpy().tolist() == [["cart", "mobile"]]
    assert at.times_as_long["view", "desktop"] == pytest.approx(1, abs=0.02)
    assert abs(at.z["view", "desktop"]) < 1


def test_where_all_go_at_a_machine_s_pace_there_is_nobody_left_and_no_crash():
    marks, sessions = little_shop()
    found = effort.effort(
        marks, sessions.assign(events=20, seconds=0.0), ["view", "cart", "buy"], ["device"], beside=["terms"]
    )
    assert found.waits.passed.tolist() == [0] * len(found.waits)
    assert (found.rounds.of == 0).all() and found.detours.empty and found.unseen.empty
