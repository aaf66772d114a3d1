"""Labels rest on what came before the outcome, and on nothing else."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from conftest import table
from pandas.testing import assert_frame_equal
from worlds_intent import GOAL, HALF, INTENTS, ORDINARY, PAGES, STEPS, shop

from conversion_audit.analysis.intent import (
    entries_claim,
    entry_steps,
    evidence_rules,
    findings,
    intent_table,
    session_intents,
)
from conversion_audit.analysis.statistics import wilson


def _marks(text: str) -> pd.DataFrame:
    return table(text, session_id="str", visitor_id="str", name="str", detail="str")


def _sessions(text: str) -> pd.DataFrame:
    frame = table(text, session_id="str", landing_page="str", landing_page_type="object")
    return frame.assign(
        visitor_id="d:" + frame.session_id,
        device_id=frame.session_id,
        source_session=frame.session_id,
        date=pd.Timestamp("2026-03-02"),
        channel="Direct",
    )


def _timed(marks: pd.DataFrame) -> pd.DataFrame:
    """Marks with their moments: each row its own, unless said."""
    return marks if "moment" in marks else marks.assign(moment=marks.event_number)


def _labels(marks: pd.DataFrame, sessions: pd.DataFrame, **options) -> pd.DataFrame:
    made = session_intents(_timed(marks), sessions, STEPS, GOAL, INTENTS, **options).frame()
    return made.sort_values("session_id", ignore_index=True)


MARKS = """
    session_id  visitor_id  event_number  name                  detail
    s1          d:s1        1             evidence:support:2    /help
    s1          d:s1        2             product_view          view_item
    s1          d:s1        2             evidence:shop:3       /p/red
    s1          d:s1        3             evidence:returns:3    return_start
    s1          d:s1        4             purchase              purchase
    s2          d:s2        1             evidence:returns:3    /returns
    s2          d:s2        3             evidence:returns:2    /account/orders
    s3          d:s3        1             evidence:support:1    /policy
    s4          d:s4        1             evidence:shop:2       /c/hats
    s4          d:s4        2             evidence:account:2    /account
    s6          d:s6        1             evidence:support:3    /help
    s6          d:s6        2             evidence:shop:2       /c/hats
    s6          d:s6        3             add_to_cart           add_to_cart
"""
SESSIONS = """
    session_id  landing_page  landing_page_type
    s1          /             -
    s2          /returns      -
    s3          /policy       -
    s4          /c/hats       category
    s5          /             -
    s6          /help         -
"""


def test_each_session_gets_its_strongest_purpose_its_class_and_what_followed_its_landing():
    result = _labels(_marks(MARKS), _sessions(SESSIONS))
    expected = _marks(
        """
        session_id  intent   runner_up  evidence  strength  class  landing  later            entry_step    is_buyer
        s1          shop     support    journey   3.0       A      neutral  both             product_view  1
        s2          returns  -          /returns  3.5       X      service  service:returns  -             0
        s3          unknown  support    -         1.0       A      neutral  silent           -             0
        s4          shop     account    /c/hats   2.0       A      shelf    silent           -             0
        s5          unknown  -          -         0.0       A      neutral  silent           -             0
        s6          support  shop       /help     3.0       A      service  shop             add_to_cart   0
        """
    )
    assert_frame_equal(result[expected.columns], expected, check_dtype=False)


def test_a_tie_goes_to_the_evidence_seen_first():
    marks = _marks(
        """
        session_id  visitor_id  event_number  name                  detail
        s1          d:s1        1             evidence:support:2    /help
        s1          d:s1        2             evidence:shop:2       /c/hats
        s2          d:s2        1             evidence:shop:2       /c/hats
        s2          d:s2        2             evidence:support:2    /help
        """
    )
    assert list(_labels(marks, _sessions(SESSIONS)).intent[:2]) == ["support", "shop"]


def test_a_second_distinct_page_adds_half_a_point_and_the_same_page_twice_does_not():
    marks = _marks(
        """
        session_id  visitor_id  event_number  name                  detail
        s1          d:s1        1             evidence:support:2    /help
        s1          d:s1        2             evidence:support:2    /help
        s2          d:s2        1             evidence:support:2    /help
        s2          d:s2        2             evidence:support:2    /contact
        """
    )
    assert list(_labels(marks, _sessions(SESSIONS)).strength[:2]) == [2.0, 2.5]


def test_a_hint_never_decides():
    result = _labels(_marks(MARKS), _sessions(SESSIONS)).set_index("session_id").loc["s3"]
    assert (result.intent, result.runner_up, result["class"]) == ("unknown", "support", "A")


def test_an_ineligible_visitor_is_left_out_with_all_sessions():
    barred = _marks("session_id visitor_id event_number name detail\n s2 d:s2 9 ineligible:staff -")
    marks = pd.concat([_marks(MARKS), barred])
    assert "s2" not in set(_labels(marks, _sessions(SESSIONS), ineligible=["ineligible:staff"]).session_id)


def test_no_sessions_give_an_empty_table_and_sessions_without_marks_stay_unknown():
    none = _labels(_marks(MARKS).head(0), _sessions(SESSIONS).head(0))
    alone = _labels(_marks(MARKS).head(0), _sessions(SESSIONS).head(1))
    assert len(none) == 0
    assert (alone.intent[0], alone["class"][0], alone.later[0]) == ("unknown", "A", "silent")


def test_inputs_are_left_unchanged():
    marks, sessions = _marks(MARKS), _sessions(SESSIONS)
    before = marks.copy(), sessions.copy()
    _labels(marks, sessions)
    assert_frame_equal(marks, before[0])
    assert_frame_equal(sessions, before[1])


def test_evidence_names_are_the_ones_that_marks_carry():
    assert_frame_equal(
        evidence_rules({"returns": "cannot"}).iloc[[1, 5]].reset_index(drop=True),
        table(
            """
            name                intent   can_buy  strength
            evidence:shop:2     shop     can      2
            evidence:returns:3  returns  cannot   3
            """
        ),
        check_dtype=False,
    )


def test_sessions_are_counted_per_label():
    made = session_intents(_timed(_marks(MARKS)), _sessions(SESSIONS), STEPS, GOAL, INTENTS)
    result = intent_table(made, INTENTS)
    expected = table(
        """
        intent   can_buy  sessions  converted  session_share
        shop     can      2         1       0.333333
        unknown  unclear  2         0       0.333333
        returns  cannot   1         0       0.166667
        support  cannot   1         0       0.166667
        """
    )
    assert_frame_equal(result[expected.columns], expected, check_dtype=False, rtol=1e-4)


def test_the_interval_of_a_label_s_conversion_allows_for_visitors_who_come_back():
    made = pd.DataFrame({"visitor_id": [f"v{n // 3}" for n in range(300)], "intent": "shop", "class": "A"})
    made = made.assign(is_buyer=(made.index // 3 < 10).astype(int))
    (row,) = intent_table(made, {}).itertuples()
    assert (row.sessions, row.visitors, row.converted) == (300, 100, 30)
    assert (row.conversion_low, row.conversion_high) == pytest.approx([float(x) for x in wilson(10, 100)])


def test_journeys_entered_after_the_first_step_are_a_finding_above_the_limit():
    made = session_intents(_timed(_marks(MARKS)), _sessions(SESSIONS), STEPS, GOAL, INTENTS)
    steps = entry_steps(made, STEPS, GOAL)
    assert list(steps.sessions) == [1, 1, 0]
    (finding,) = findings(steps)
    assert (finding.kind, finding.step, finding.values["rate"]) == ("tracking", "product_view", 0.5)
    assert findings(steps, most=0.5) == []
    assert entries_claim(steps) == ("intent.entries_claim", {"first_share": 0.5})
    assert entries_claim(steps.assign(sessions=0)) == ("intent.entries_none", {})
    assert findings(steps.assign(sessions=[18, 2, 0])) == [], "two of twenty may be chance"
    assert findings(steps.assign(sessions=[410, 58, 0]))


def test_of_steps_in_one_moment_the_earliest_is_where_the_session_entered():
    marks = _marks("""
        session_id  visitor_id  event_number  moment  name          detail
        s1          d:s1        1             1       add_to_cart   -
        s1          d:s1        2             1       product_view  /p/1
        s2          d:s2        1             1       add_to_cart   -
        s2          d:s2        2             2       product_view  /p/1
    """)
    assert list(_labels(marks, _sessions(SESSIONS)).entry_step[:2]) == ["product_view", "add_to_cart"]


def _random_log(seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Sixty sessions of random marks: evidence, steps and goal rows in any order."""
    rng = np.random.default_rng(seed)
    names = [f"evidence:{i}:{n}" for i in ("shop", *INTENTS) for n in (1, 2, 3)] + STEPS
    rows = [
        (f"s{s:02d}", f"d:{s // 2}", place + 1, rng.choice(names), rng.choice(["/", "/a", "/b", "/c"]))
        for s in range(60)
        for place in range(rng.integers(0, 9))
    ]
    marks = pd.DataFrame(rows, columns=["session_id", "visitor_id", "event_number", "name", "detail"])
    sessions = pd.DataFrame({"session_id": [f"s{s:02d}" for s in range(60)], "landing_page": "/"})
    return marks, sessions.assign(
        visitor_id=[f"d:{s // 2}" for s in range(60)],
        device_id="x",
        source_session="x",
        date=pd.Timestamp("2026-03-02"),
        channel="Direct",
        landing_page_type=pd.Series([None] * 60, dtype="object"),
    )


def _window_ends(marks: pd.DataFrame) -> pd.Series:
    goal_rows = marks[marks.name == GOAL][["session_id", "event_number"]].assign(goal=1)
    read = marks.merge(goal_rows.drop_duplicates(), how="left")
    journey = read[read.goal.isna() & read.name.isin(STEPS)]
    return marks.session_id.map(journey.groupby("session_id").event_number.min()).fillna(99)


def _told(marks: pd.DataFrame, sessions: pd.DataFrame) -> pd.DataFrame:
    return _labels(marks, sessions).drop(columns=["is_buyer"])


@pytest.mark.parametrize("seed", range(6))
def test_labels_do_not_change_when_everything_after_the_window_is_deleted(seed):
    marks, sessions = _random_log(seed)
    inside = marks[marks.event_number <= _window_ends(marks)]
    assert_frame_equal(_told(inside, sessions), _told(marks, sessions))


@pytest.mark.parametrize("seed", range(6))
def test_labels_do_not_change_when_goal_rows_are_deleted_doubled_or_moved(seed):
    marks, sessions = _random_log(seed)
    # A goal row is an event of its own here; what else it matched goes with it.
    goal = marks.merge(marks[marks.name == GOAL][["session_id", "event_number"]].drop_duplicates())
    alone = marks[marks.name != GOAL]
    doubled = pd.concat([marks, goal.assign(event_number=goal.event_number + 100)])
    moved = pd.concat([alone, goal.assign(session_id="s00", event_number=range(200, 200 + len(goal)))])
    expected = _told(marks, sessions)
    for changed in (alone, doubled, moved):
        assert_frame_equal(_told(changed, sessions), expected)


@pytest.mark.parametrize("seed", range(6))
def test_labels_do_not_change_when_tails_are_shuffled_between_sessions(seed):
    marks, sessions = _random_log(seed)
    ends = _window_ends(marks)
    tail = marks[marks.event_number > ends]
    closed = marks[ends < 99].session_id.unique()
    strangers = np.random.default_rng(seed).choice(closed, len(tail))
    shuffled = pd.concat(
        [marks[marks.event_number <= ends], tail.assign(session_id=strangers, event_number=tail.event_number + 50)]
    )
    assert_frame_equal(_told(shuffled, sessions), _told(marks, sessions))


@pytest.mark.parametrize("seed", range(6))
def test_which_step_opened_the_journey_does_not_change_a_label(seed):
    marks, sessions = _random_log(seed)
    goal = marks.name == GOAL
    other = marks.assign(name=marks.name.where(goal | ~marks.name.isin(STEPS), "checkout"))
    columns = ["session_id", "intent", "runner_up", "strength", "class", "landing", "later"]
    assert_frame_equal(_told(other, sessions)[columns], _told(marks, sessions)[columns])


def macro_f1(labels: pd.DataFrame, truth: pd.DataFrame) -> float:
    """Over purchase-capable, returns, support and careers; an unknown session is a miss."""
    both = labels.merge(truth, on="session_id")
    said = both.intent.replace({"shop": "can"})
    meant = both.purpose.where(both.purpose.isin(list(PAGES)), "can")
    scores = []
    for name in ("can", *PAGES):
        hits = ((said == name) & (meant == name)).sum()
        scores.append(2 * hits / ((said == name).sum() + (meant == name).sum()))
    return float(np.mean(scores))


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("world", [ORDINARY, HALF], ids=["ordinary", "half"])
def test_labels_agree_with_the_truth_of_generated_shops(world, seed):
    marks, sessions, truth = shop(world, seed)
    labels = session_intents(marks, sessions, STEPS, GOAL, INTENTS).frame()
    assert macro_f1(labels, truth) >= 0.85
