"""One record for everything the audit found."""

import json

import numpy as np
import pandas as pd
import pytest

from conversion_audit.findings import Finding, plain, ranked


def test_an_id_stays_the_same_from_run_to_run():
    one = Finding(
        "friction", "04", "friction.likely", step="payment", segment={"browser": "Safari", "device": "mobile"}, rate=0.4
    )
    again = Finding(
        "friction", "05", "friction.likely", step="payment", segment={"device": "mobile", "browser": "Safari"}, rate=0.3
    )
    assert one.id == again.id
    assert one.id.startswith("F-")
    assert len(one.id) == 6


def test_only_the_start_of_what_has_days_of_its_own_is_part_of_its_id():
    first, second = (Finding("unexplained", "04", "x", since=day) for day in ("2026-03-01", "2026-04-01"))
    assert len(ranked([first, second])) == 2
    assert (
        Finding("incident", "04", "x", since="2026-03-01").id != Finding("incident", "04", "x", since="2026-03-02").id
    )
    assert (
        Finding("friction", "04", "x", since="2026-03-01").id == Finding("friction", "04", "x", since="2026-03-02").id
    )


def test_the_worst_comes_first_and_nothing_twice():
    cheap = Finding("friction", "04", "a", "high", lost_orders={"low": 10})
    dear = Finding("friction", "04", "b", "high", revenue={"low": 5000})
    note = Finding("observation", "00", "c")
    assert [one.claim for one in ranked([note, cheap, dear, cheap])] == ["b", "a", "c"]


@pytest.mark.parametrize(
    ("since", "until", "segment", "kept"),
    [
        ("2026-03-23", "2026-03-26", {}, False),
        ("2026-03-23", None, {}, False),
        (None, "2026-03-26", {}, False),
        ("2026-03-24", "2026-03-26", {}, True),
        (None, None, {}, True),
        ("2026-03-23", "2026-03-26", {"browser": "Safari"}, True),
    ],
)
def test_a_step_that_fell_silent_for_everyone_is_told_by_one_chapter(since, until, segment, kept):
    event = Finding("tracking", "00", "x", step="cart", since="2026-03-23", until="2026-03-26")
    step = Finding("tracking", "04", "y", step="cart", since=since, until=until, segment=segment)
    assert [one.chapter for one in ranked([step, event])].count("04") == kept


def test_a_record_is_plain_json_with_absent_as_null():
    finding = Finding(
        "goal",
        "01",
        "goals.rate",
        values={"rate": np.float64(0.1), "day": pd.Timestamp("2026-03-01"), "no": np.nan, "n": np.int64(3)},
    )
    record = json.loads(json.dumps(finding.record()))
    assert record["values"] == {"rate": 0.1, "day": "2026-03-01T00:00:00", "no": None, "n": 3}
    assert record["lost_orders"] is None
    assert record["id"] == finding.id


def test_plain_unwraps_whatever_tables_hold():
    assert plain({1: (np.bool_(True), float("inf"), pd.NaT, None)}) == {"1": [True, None, None, None]}
