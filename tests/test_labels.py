"""Sessions checked by hand correct the rules."""

from __future__ import annotations

import hashlib

import pandas as pd
import pytest
from worlds_intent import GOAL, INTENTS, STEPS, World, shop

from conversion_audit.analysis.intent import session_intents
from conversion_audit.analysis.labels import COLUMNS, calibration, label_sample, read_labels
from conversion_audit.analysis.split import landing_cells, split, with_chances
from conversion_audit.analysis.true_rate import true_rate
from conversion_audit.errors import DataError


@pytest.fixture(scope="module")
def checked():
    """A shop where a third of home-page shoppers fall silent, its sample, and the truth behind every sample code."""
    marks, sessions, truth = shop(World(sessions=12_000, silent_at_home=0.3), 5)
    intents = session_intents(marks, sessions, STEPS, GOAL, INTENTS)
    fitted = split(landing_cells(intents), INTENTS)
    chances = with_chances(intents, fitted)
    events = marks.assign(event=marks.name, page=marks.detail)
    sample = label_sample(chances, sessions, events, size=400)
    codes = chances.engine.query(
        "SELECT session_id, md5('1' || session_id) AS sample_code FROM intents", {"intents": chances}
    ).merge(truth, on="session_id")
    answers = sample.merge(codes, on="sample_code", how="left").assign(
        could_buy=lambda t: t.can_buy.map({True: "yes", False: "No "})
    )
    return chances, fitted, sample, answers[COLUMNS], truth


def test_the_sample_shows_no_visitor_and_half_of_it_is_ambiguous(checked):
    chances, _, sample, _, _ = checked
    assert list(sample.columns) == COLUMNS and len(sample) == 400
    assert not sample.astype(str).apply(lambda column: column.str.contains("d:")).any().any()
    classes = chances.engine.query(
        "SELECT class, md5('1' || session_id) AS sample_code FROM intents", {"intents": chances}
    )
    assert sample.merge(classes, on="sample_code")["class"].value_counts().to_dict() == {"A": 200, "C": 100, "X": 100}


def test_the_same_seed_draws_the_same_sample(checked):
    _, _, sample, answers, _ = checked
    assert list(sample.sample_code) == list(answers.sample_code)


def test_a_checked_sample_gives_a_middle_near_the_truth_where_the_split_gives_none(checked):
    chances, fitted, _, answers, truth = checked
    known = read_labels(answers, chances)
    record = true_rate(chances, fitted, known)
    assert true_rate(chances, fitted)["estimate"] is None
    assert known["checked"] == 400
    assert record["estimate"] == pytest.approx(record["converted"] / truth.can_buy.sum(), rel=0.05)


def test_too_few_answers_are_no_answer(checked):
    chances, _, _, answers, _ = checked
    assert read_labels(answers.head(20), chances) is None
    assert read_labels(answers.assign(could_buy=""), chances) is None


def test_a_small_class_is_enough_where_all_of_it_was_checked():
    ids = [f"s{n}" for n in range(600)]
    known = {"C": (297, 0.9), "A": (300, 0.5), "X": (3, 0.1)}
    classes, chances = zip(*((name, chance) for name, (n, chance) in known.items() for _ in range(n)), strict=True)
    intents = pd.DataFrame({"session_id": ids, "visitor_id": ids, "class": classes, "chance": chances})
    intents = intents.assign(is_buyer=0, channel="x")
    sessions = pd.DataFrame({"session_id": ids, "device": "m", "landing_page": "/", "pages": 1, "seconds": 1.0})
    events = pd.DataFrame({"session_id": ids, "event_number": 1, "event": "page_view", "page": "/"})
    sample = label_sample(intents, sessions, events, size=200).assign(could_buy="yes")
    small = {hashlib.md5(f"1{session}".encode()).hexdigest() for session in ids[-3:]}
    found = read_labels(sample, intents)
    # 100 of A, 50 of C and the 3 of X, weighted to 300, 297 and 3; the rules say that A and C could.
    assert (found["checked"], found["share"], found["sensitivity"]) == (153, pytest.approx(0.995), pytest.approx(0.995))
    assert small <= set(sample.sample_code)
    two_of_three = sample[sample.sample_code != min(small)]
    assert read_labels(two_of_three, intents) is None


def test_every_answer_that_cannot_be_read_is_named_with_its_line(checked):
    chances, _, _, answers, _ = checked
    wrong = answers.assign(could_buy=["maybe", "yes", "perhaps", *answers.could_buy[3:]])
    with pytest.raises(DataError) as error:
        read_labels(wrong, chances, where="data/acme/labels.csv")
    assert str(error.value) == (
        "- data/acme/labels.csv:2:could_buy: is neither yes nor no (seen: 'maybe')\n    Write yes or no.\n"
        "- data/acme/labels.csv:4:could_buy: is neither yes nor no (seen: 'perhaps')\n    Write yes or no."
    )


def test_a_file_without_the_column_says_so(checked):
    with pytest.raises(DataError, match=r"labels\.csv: missing column 'could_buy'"):
        read_labels(pd.DataFrame({"sample_code": []}), checked[0])


def test_fitted_chances_are_held_against_the_answers_by_tenths(checked):
    chances, _, _, answers, _ = checked
    table = calibration(answers, chances)
    assert table.checked.sum() == 400
    assert table.could_buy_rate.iloc[-1] > 0.9 > 0.1 > table.could_buy_rate.iloc[0]
