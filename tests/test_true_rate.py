"""The true conversion rate: its bounds always, its middle only where the data carry it."""

from __future__ import annotations

import hashlib
from functools import cache

import pandas as pd
import pytest
from conftest import real_data, table
from pandas.testing import assert_frame_equal
from worlds_intent import EVERYONE, GOAL, HALF, INTENTS, ORDINARY, SHOPPERS_ON_HELP, SILENT_HOME, STEPS, World, shop

from conversion_audit.analysis.intent import session_intents
from conversion_audit.analysis.labels import read_labels
from conversion_audit.analysis.rate_claims import (
    advice,
    check_claim,
    check_table,
    claim,
    figure_claim,
    findings,
    rate_table,
)
from conversion_audit.analysis.rate_segments import by_segment, gap_claim, questions
from conversion_audit.analysis.split import landing_cells, split, with_chances
from conversion_audit.analysis.statistics import rogan_gladen, wilson
from conversion_audit.analysis.true_rate import bounds, headline, interval, true_rate, visitors
from conversion_audit.engine import Engine
from conversion_audit.report import text

SEEDS = range(1, 11)
SMALL = World(sessions=6_000)


@cache
def audited(world: World, seed: int):
    """Sessions, truth, labelled sessions with chances, and the split of one generated shop."""
    marks, sessions, truth = shop(world, seed)
    intents = session_intents(marks, sessions, STEPS, GOAL, INTENTS)
    fitted = split(landing_cells(intents), INTENTS)
    return sessions, truth, with_chances(intents, fitted), fitted


def _rate(world: World, seed: int) -> tuple[dict, float]:
    _, truth, intents, fitted = audited(world, seed)
    record = true_rate(intents, fitted)
    return record, record["converted"] / truth.can_buy.sum()


def _failed(record: dict) -> set[str]:
    return {gate["name"] for gate in record["gates"]}


def test_bounds_of_the_worked_example():
    rates = bounds(converted=300, can_buy=6000, ambiguous=3000, cannot_buy=1000)
    assert {name: round(rate, 5) for name, rate in rates.items()} == {"naive": 0.03, "lower": 0.03333, "upper": 0.05}


def test_a_checked_sample_corrects_the_apparent_share():
    assert rogan_gladen(0.30, 0.9, 0.8) == pytest.approx(0.142857, abs=1e-6)


def test_bounds_without_sessions_are_unknown_not_zero():
    assert all(pd.isna(rate) for rate in bounds(0, 0, 0, 0).values())


INTENT_ROWS = """
    session_id  visitor_id  class  is_buyer  chance  landing  landing_intent  later   channel
    s1          v1          C      1         1.0     shelf    -               shop    Direct
    s2          v1          C      0         1.0     shelf    -               shop    Direct
    s3          v2          A      0         0.5     neutral  -               silent  Direct
    s4          v3          X      0         0.0     service  returns         silent  Email
    s5          v4          A      1         1.0     neutral  -               silent  Email
"""


def _hand_made() -> pd.DataFrame:
    frame = table(INTENT_ROWS, session_id="str", visitor_id="str", landing_intent="object")
    return frame.assign(
        date=pd.Timestamp("2026-03-02"),
        shows_shop=frame["class"].eq("C").astype(int),
        shows_service=frame["class"].eq("X").astype(int),
        shows_unclear=0,
    )


def test_all_of_thirty_sessions_are_not_surely_all():
    counts = ("converted", "wide", "narrow", "visitors", "converted_squared", "converted_wide", "wide_squared")
    everyone = pd.Series(30.0, index=[*counts, "converted_narrow", "narrow_squared"])
    assert interval(everyone) == (wilson(30, 30)[0], 1.0)


def test_a_buyer_counts_as_able_to_buy_whatever_the_label():
    frame = _hand_made()
    record = true_rate(frame, split(landing_cells(frame), INTENTS))
    counts = {name: record[name] for name in ("sessions", "converted", "can_buy", "ambiguous", "cannot_buy")}
    assert counts == {"sessions": 5, "converted": 2, "can_buy": 3, "ambiguous": 1, "cannot_buy": 1}
    assert record["buyers_elsewhere"] == 1
    assert (record["naive"], record["lower"], record["upper"]) == pytest.approx((0.4, 0.5, 2 / 3))


def test_too_few_landings_leave_no_middle_and_say_which():
    frame = _hand_made()
    record = true_rate(frame, split(landing_cells(frame), INTENTS))
    assert record["estimate"] is None
    assert {"service_landings", "shelf_landings"} <= _failed(record)
    assert record["gates"][0] == {"name": "service_landings", "value": 1.0, "limit": 100.0, "passed": False}


def test_without_a_split_everyone_might_have_been_able_to_buy():
    frame = _hand_made()
    record = true_rate(frame, split(landing_cells(frame), INTENTS))
    assert record["robust_lower"] == record["naive"]
    assert record["robust_upper"] >= record["upper"]


def test_a_hand_checked_sample_replaces_the_middle():
    frame = _hand_made()
    checked = {"share": 0.8, "sensitivity": 0.9, "specificity": 0.9, "wrong_can_buy": 0.1, "wrong_cannot_buy": 0.1}
    record = true_rate(frame, split(landing_cells(frame), INTENTS), checked)
    assert record["source"] == "hand-checked"
    assert record["estimate"] == pytest.approx(2 / (5 * rogan_gladen(0.8, 0.9, 0.9)))


def test_the_interval_is_of_the_sample_that_gives_the_estimate():
    # 6,000 sure shoppers with 300 buyers; a third of 300 checked ones could not buy, no one else could.
    kinds = [("C", "shelf", "shop", 3000), ("C", "neutral", "shop", 3000), ("A", "neutral", "silent", 1226),
             ("A", "shelf", "silent", 300), ("X", "service", "silent", 2774)]  # fmt: skip
    rows = [(name, landing, later) for name, landing, later, count in kinds for _ in range(count)]
    frame = pd.DataFrame(rows, columns=["class", "landing", "later"]).assign(
        session_id=lambda t: [f"s{n}" for n in range(len(t))], visitor_id=lambda t: t.session_id, channel="Direct",
        landing_intent=lambda t: t.landing.map({"service": "returns"}), date=pd.Timestamp("2026-03-02"),
        is_buyer=lambda t: (t.index % 20 == 0) & (t["class"] == "C"), shows_shop=lambda t: t["class"].eq("C").astype(int),
        shows_service=lambda t: t["class"].eq("X").astype(int), shows_unclear=0,
    ).astype({"is_buyer": int})  # fmt: skip
    fitted = split(landing_cells(frame), INTENTS)
    chances = with_chances(frame, fitted)
    asked = frame[frame.is_buyer == 0].groupby("class").head(300)
    answers = pd.DataFrame({
        "sample_code": [hashlib.md5(f"1{one}".encode()).hexdigest() for one in asked.session_id],
        "could_buy": ["yes" if name == "C" and n % 3 else "no" for n, name in enumerate(asked["class"])],
    })  # fmt: skip
    known = read_labels(answers, chances)
    record = true_rate(chances, fitted, known)
    assert record["expected"] == pytest.approx(300 + 5700 * 2 / 3)
    wrong, others = (float(wilson(count, 300)[1]) for count in (100, 0))
    assert (known["wrong_can_buy"], known["wrong_cannot_buy"]) == pytest.approx((wrong, others))
    assert record["robust_lower"] == pytest.approx(300 / (6000 + 1526 + others * 2774))
    assert record["robust_upper"] == pytest.approx(300 / (6000 - wrong * 5700))
    assert record["low"] < record["robust_lower"] < record["estimate"] < record["robust_upper"] < record["high"]
    assert record["understated_low"] < record["understated"] < record["understated_high"]


def test_a_visitor_showed_what_any_session_showed():
    people = visitors(_hand_made()).frame().sort_values("visitor_id", ignore_index=True)
    expected = table(
        """
        visitor_id  class  is_buyer  chance
        v1          C      1         1.0
        v2          A      0         0.5
        v3          X      0         0.0
        v4          A      1         1.0
        """
    )
    assert_frame_equal(people[expected.columns], expected, check_dtype=False)


def test_no_session_at_all_is_told_without_a_number():
    frame = _hand_made().head(0)
    record = true_rate(frame, split(landing_cells(frame), INTENTS))
    assert record["sessions"] == 0
    assert record["estimate"] is None
    assert pd.isna(record["naive"]) and pd.isna(record["low"])


def test_inputs_are_left_unchanged():
    frame = _hand_made()
    before = frame.copy()
    true_rate(frame, split(landing_cells(frame), INTENTS))
    assert_frame_equal(frame, before)


def test_the_manifest_gets_the_estimate_with_its_denominator_or_neither():
    record, _ = _rate(SMALL, 1)
    told = headline(record)
    assert list(told) == ["lower", "upper", "estimate", "low", "high", "gates", "expected"]
    assert told["estimate"] == pytest.approx(record["converted"] / told["expected"])
    assert headline({**record, "estimate": None})["expected"] is None


def test_every_rate_keeps_its_order():
    record, _ = _rate(SMALL, 1)
    order = ["low", "robust_lower", "estimate", "robust_upper", "high"]
    assert [record[name] for name in order] == sorted(record[name] for name in order)
    assert record["naive"] <= record["lower"] <= record["upper"]


def test_segments_add_up_to_the_whole():
    sessions, _, intents, fitted = audited(SMALL, 1)
    whole = true_rate(intents, fitted)
    for column in ("channel", "device", "month"):
        parts = by_segment(intents, sessions, column, fitted)
        assert parts.sessions.sum() == whole["sessions"]
        assert parts.converted.sum() == whole["converted"]
        assert parts.cannot_share.sum() == pytest.approx(1)
        assert (parts.naive_rate <= parts.true_rate).all()
    assert list(by_segment(intents, sessions, "month", fitted).segment) == ["2026-03", "2026-04"]
    named = pd.DataFrame({"segment": ["", "Email"], "cannot_share": [0.7, 0.3]})
    assert gap_claim(named) == ("true_rate.gap_headline", {"segment": "Email", "cannot_share": 0.3})
    assert gap_claim(named.head(1))[0] == "goals.channels_unknown"
    assert gap_claim(named.assign(cannot_share=float("nan")))[0] == "true_rate.gap_nobody"


def test_small_segments_show_counts_alone():
    sessions, _, intents, fitted = audited(SMALL, 1)
    parts = by_segment(intents, sessions, "channel", fitted, min_sessions=10_000)
    assert parts.true_rate.isna().all() and parts.sessions.sum() == 6_000


def test_the_page_that_moves_the_bounds_most_comes_first():
    sessions, _, intents, fitted = audited(SMALL, 1)
    renamed = sessions.assign(landing_page=sessions.landing_page.replace("/", "/brand"))
    record = true_rate(intents, fitted)
    pages = questions(intents, renamed, record)
    assert pages.page[0] == "/brand"
    assert record["lower"] < pages.lower_if_not_rate[0] and pages.upper_if_so_rate[0] < record["upper"]
    assert len(questions(intents, sessions, record)) == 0
    claims = [finding.claim for finding in findings(record, pages)]
    assert claims == ["true_rate.understated", "true_rate.page_question"]


def test_the_middle_is_near_the_truth_and_the_interval_covers_on_one_small_shop():
    record, truth = _rate(SMALL, 1)
    assert record["estimate"] == pytest.approx(truth, rel=0.03)
    assert record["low"] <= truth <= record["high"]


@pytest.mark.slow
@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(
    ("world", "error", "width"), [(ORDINARY, 0.02, 0.25), (HALF, 0.03, 0.70)], ids=["ordinary", "half"]
)
def test_the_middle_is_close_and_the_interval_covers_on_shops_with_a_known_truth(world, error, width, seed):
    record, truth = _rate(world, seed)
    assert record["estimate"] == pytest.approx(truth, rel=error)
    assert record["low"] <= truth <= record["high"]
    assert record["high"] / record["low"] - 1 <= width


@pytest.mark.slow
@pytest.mark.parametrize("seed", SEEDS)
def test_where_every_visitor_can_buy_the_middle_is_the_naive_rate(seed):
    record, truth = _rate(EVERYONE, seed)
    assert record["estimate"] == pytest.approx(record["naive"]) == pytest.approx(truth)


@pytest.mark.slow
@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(
    ("world", "gate"), [(SILENT_HOME, "misfit"), (SHOPPERS_ON_HELP, "help_shoppers")], ids=["silent home", "help"]
)
def test_where_an_assumption_fails_there_is_no_middle_and_the_reason_is_named(world, gate, seed):
    record, truth = _rate(world, seed)
    assert record["estimate"] is None
    assert gate in _failed(record)
    assert record["low"] <= truth <= record["high"]


@pytest.mark.slow
@pytest.mark.parametrize("seed", SEEDS)
def test_by_visitor_the_middle_is_close_and_the_interval_covers(seed):
    sessions, truth, intents, fitted = audited(ORDINARY, seed)
    known = sessions.merge(truth, on="session_id")
    expected = known[known.ordered].visitor_id.nunique() / known[known.can_buy].visitor_id.nunique()
    record = true_rate(visitors(intents), fitted)
    assert record["estimate"] == pytest.approx(expected, rel=0.02)
    assert record["low"] <= expected <= record["high"]


@pytest.mark.slow
def test_a_real_day_with_few_other_visits_gives_bounds_and_says_what_would_narrow_them(audit_home):
    from conversion_audit.audit import open_audit
    from conversion_audit.new import new_client
    from conversion_audit.recipes import intent as chapter

    new_client("ga-store", [real_data("ga360_sample/ga_sample.parquet")])
    audit = open_audit("ga-store")
    record = chapter.rate(audit)
    others = audit.frame("intents").query("can_buy == 'cannot'").sessions.sum()
    assert 7 <= others <= 18
    assert 0.31 <= record["ambiguous"] / record["sessions"] <= 0.71
    assert record["estimate"] is None and "service_landings" in _failed(record)
    assert record["robust_lower"] == record["naive"] == pytest.approx(43 / 2556)
    assert len(audit.frame("page_questions")) > 0
    kept = Engine().open(chapter.write_current(audit)).frame()
    assert len(kept) == 2556 and {
        "session_id",
        "device_id",
        "source_session",
        "intent",
        "runner_up",
        "evidence",
    } <= set(kept)
    assert next(finding.claim for finding in chapter.findings(audit)) == "true_rate.between"


def test_checks_are_told_as_counts_and_shares():
    record, _ = _rate(SMALL, 1)
    checks = check_table(record).set_index("check")
    assert (checks.needed["service_landings"], checks.allowed_share["misfit"]) == (100.0, 0.03)
    assert checks.holds.all() and check_claim(record) == ("true_rate.checks_ok", {"failed": 0, "count": 5})
    unclear = record | {"estimate": None, "upper": 1.0}
    assert claim(unclear) == figure_claim(unclear) == "true_rate.at_least"
    assert check_claim({"gates": [], "checks": []}) == ("true_rate.checks_none", {})
    assert advice(record) == ("true_rate.use", {})
    frame = _hand_made()
    few = true_rate(frame, split(landing_cells(frame), INTENTS))
    key, values = advice(few)
    assert (key, values["ambiguous"]) == ("true_rate.narrow_longer", 1)
    assert set(values["failed"]) == _failed(few)
    assert claim(few) == "true_rate.between" and claim(record) == "true_rate.understated"


def test_what_would_narrow_the_rate_names_the_checks_that_fail_and_no_other():
    record, _ = _rate(SMALL, 1)
    passed = [{"name": "service_landings", "value": 5158.0, "limit": 100.0, "passed": True}]
    failed = [
        {"name": "shelf_landings", "value": 0.0, "limit": 100.0, "passed": False},
        {"name": "misfit", "value": 0.47, "limit": 0.03, "passed": False},
    ]
    said = text(*advice({**record, "estimate": None, "checks": passed + failed, "gates": failed}))
    assert "landings on category or search pages and how far silent landings are" in said
    assert "service pages" not in said and "a longer period" not in said
    assert advice({**record, "estimate": None, "gates": []})[0] == "true_rate.narrow_none"


def test_records_stand_side_by_side_and_a_missing_middle_is_unknown():
    record, _ = _rate(SMALL, 1)
    rows = rate_table({"one": record, "other": {**record, "estimate": None}})
    assert list(rows.counted) == ["one", "other"]
    assert rows.true_rate[0] == record["estimate"] and pd.isna(rows.true_rate[1])
    assert rows.true_rate[0] == pytest.approx(rows.converted[0] / rows.expected_sessions[0])
    assert pd.isna(rows.expected_sessions[1])
    assert (rows.surely_able + rows.ambiguous + rows.cannot_buy == rows.sessions).all()
