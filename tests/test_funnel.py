"""The ordered funnel: its truth table, and every option against a search through all chains of random small logs."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

from conversion_audit.analysis.funnel import reached
from conversion_audit.engine import Engine

START = pd.Timestamp("2026-03-02 12:00")
DAY, HOUR = 24 * 60, 60


def log(events: list[tuple[str, float]], session: str = "s1") -> pd.DataFrame:
    """Return marks of one session from (name, minutes); events stand in the export's order."""
    frame = pd.DataFrame(events, columns=["name", "minutes"])
    frame["time"] = START + pd.to_timedelta((frame.minutes * 60e6).round(), unit="us")
    frame = frame.sort_values("time", kind="stable", ignore_index=True)
    frame["event_number"] = range(1, len(frame) + 1)
    frame["moment"] = frame.time.rank(method="dense").astype(int)
    frame = frame.assign(session_id=session, visitor_id="d:" + session, detail="/")
    frame = frame.assign(visitor_event_number=frame.event_number, visitor_moment=frame.moment)
    return frame.drop(columns="minutes")


def counts(marks: pd.DataFrame, steps: str, **options) -> list[int]:
    frame = reached(marks, list(steps), **options).frame()
    frame = frame[frame.is_counted]
    return [int((frame.step == step).sum()) for step in range(1, len(steps) + 1)]


T3 = [("A", 0), ("A", 10 * DAY), ("B", 10 * DAY + HOUR)]
T4 = [("A", 0), ("A", 30), ("B", 45), ("C", 75)]
TRUTH = {
    "T1 a tie counts in the visitor's favour": ([("B", 0), ("A", 0)], "AB", {}, [1, 1]),
    "T1 a tie does not count under adverse order": ([("B", 0), ("A", 0)], "AB", {"ties": "adverse"}, [1, 0]),
    "T3 a later entry can be the best": (T3, "AB", {"window": 86400}, [1, 1]),
    "T3 the first entry alone": (T3, "AB", {"window": 86400, "entry": "first"}, [1, 0]),
    "T4 the deepest chain counts": (T4, "ABC", {"window": 3600}, [1, 1, 1]),
    "T4 the first entry alone": (T4, "ABC", {"window": 3600, "entry": "first"}, [1, 1, 0]),
    "T5 the window's edge is inside": ([("A", 0), ("B", 60)], "AB", {"window": 3600}, [1, 1]),
    "T6 the wrong order": ([("B", 0), ("A", 5)], "AB", {}, [1, 0]),
    "T6 any order": ([("B", 0), ("A", 5)], "AB", {"order": "any_order"}, [1, 1]),
    "T7 a second too late": ([("A", 0), ("B", 60 + 1 / 60)], "AB", {"window": 3600}, [1, 0]),
    "T8 one event fills one step": ([("A", 0)], "AA", {}, [1, 0]),
    "T9 two events of one instant fill two steps": ([("A", 0), ("A", 0)], "AA", {}, [1, 1]),
    "T10 a step that never occurs": ([("A", 0)], "AB", {}, [1, 0]),
    "T11 other steps may lie between": ([(n, i) for i, n in enumerate("ABDCD")], "ABCD", {}, [1, 1, 1, 1]),
}


@pytest.mark.parametrize("unit", ["session", "visitor"])
@pytest.mark.parametrize("case", TRUTH)
def test_truth_table(case, unit):
    events, steps, options, expected = TRUTH[case]
    assert counts(log(events), steps, unit=unit, **options) == expected


# The oracle: all chains of a log, by search.


def fits(previous, event, options) -> bool:
    """May this event be the step after that one?"""
    adverse, tolerance = options.get("ties") == "adverse", options.get("tolerance", 0)
    if options.get("order") == "strict":
        return event["n"] == previous["n"] + 1 and (not adverse or event["moment"] > previous["moment"])
    if tolerance:
        apart = event["t"] - previous["t"]
        return apart > tolerance if adverse else apart >= -tolerance
    return event["moment"] > previous["moment"] if adverse else event["moment"] >= previous["moment"]


def allowed(chain, events, options) -> bool:
    """Does a chain keep to its windows and exclusions?"""
    any_order, adverse = options.get("order") == "any_order", options.get("ties") == "adverse"
    entry = min(chain, key=lambda e: e["n"]) if any_order else chain[0]
    if max(e["t"] for e in chain) - entry["t"] > options.get("window", 1e9):
        return False
    steps_apart = [b["t"] - a["t"] for a, b in pairwise(chain)]
    if not any_order and any(apart > options.get("step_window", 1e9) for apart in steps_apart):
        return False
    last = max(e["moment"] for e in chain)
    ending = [e["moment"] for e in events if set(e["names"]) & set(options.get("exclude", ()))]
    if adverse and not any_order:
        return len(chain) == 1 or not any(entry["moment"] <= moment <= last for moment in ending)
    return not any(entry["moment"] < moment < last for moment in ending)


def search(events, steps, options) -> tuple[int, int]:
    """Return (depth, moment of entry) of the best chain of a log; depth 0 where there is none."""
    any_order, best = options.get("order") == "any_order", (0, 0)
    starts = [e["moment"] for e in events if set(e["names"]) & set(steps if any_order else steps[0])]
    first = min(starts, default=None) if options.get("entry") == "first" else None

    def follow(chain):
        nonlocal best
        entry = min(e["moment"] for e in chain) if any_order else chain[0]["moment"]
        best = max(best, (len(chain), -entry))
        if len(chain) == len(steps):
            return
        for event in events:
            if steps[len(chain)] in event["names"] and not any(event is used for used in chain):
                longer = [*chain, event]
                if (any_order or fits(chain[-1], event, options)) and allowed(longer, events, options):
                    follow(longer)

    for event in events:
        if steps[0] in event["names"] and (first is None or event["moment"] == first):
            follow([event])
    return best[0], -best[1]


def random_logs(count: int, seed: int) -> list[list[dict]]:
    """Return small logs with many ties; some events fit two names, some share a time but not a moment."""
    random = np.random.default_rng(seed)
    logs = []
    for _ in range(count):
        places = sorted((int(random.integers(0, 6)), int(random.random() < 0.2)) for _ in range(random.integers(1, 8)))
        moments = {place: n for n, place in enumerate(sorted(set(places)), 1)}
        names = [sorted(set(random.choice(list("ABCX"), 1 + (random.random() < 0.2)))) for _ in places]
        logs.append(
            [
                {"n": n, "t": place[0], "moment": moments[place], "names": found}
                for n, (place, found) in enumerate(zip(places, names, strict=True), 1)
            ]
        )
    return logs


def as_marks(logs: list[list[dict]]) -> pd.DataFrame:
    rows = [
        (f"s{i:06}", event["n"], event["moment"], event["t"], name)
        for i, events in enumerate(logs)
        for event in events
        for name in event["names"]
    ]
    frame = pd.DataFrame(rows, columns=["session_id", "event_number", "moment", "t", "name"])
    frame = frame.assign(time=START + pd.to_timedelta(frame.t, unit="s"), visitor_id=frame.session_id, detail="/")
    return frame.assign(visitor_event_number=frame.event_number, visitor_moment=frame.moment)


def disagreements(logs: list[list[dict]], marks: pd.DataFrame, steps: str, options: dict) -> list:
    """Return the logs on which the queries and the search differ in depth or in entry."""
    frame = reached(marks, list(steps), unit="visitor", **options).frame()
    depths = frame[frame.is_counted].groupby("unit_id").agg(depth=("step", "max"), entry=("entry", "min"))
    depth, entry = depths.depth.to_dict(), depths.entry.to_dict()
    wrong = []
    for i, events in enumerate(logs):
        unit = f"s{i:06}"
        moments = {event["n"]: event["moment"] for event in events}
        seen = (depth.get(unit, 0), moments.get(entry.get(unit), 0))
        expected = search(events, steps, options)
        if seen != expected:
            wrong.append((events, seen, expected))
    return wrong


EVERYDAY = [
    ("ABC", {}),
    ("ABC", {"window": 3}),
    ("AAB", {"window": 3}),
    ("ABC", {"ties": "adverse", "window": 3}),
]
OPTIONS = [
    ("ABA", {}),
    ("AAA", {}),
    ("ABC", {"ties": "adverse"}),
    ("ABC", {"window": 3, "entry": "first"}),
    ("ABAC", {"entry": "first"}),
    ("ABC", {"step_window": 1}),
    ("ABAB", {"step_window": 2, "window": 3}),
    ("ABC", {"step_window": 1, "ties": "adverse"}),
    ("ABC", {"exclude": ("X",)}),
    ("AAB", {"exclude": ("X",), "window": 4}),
    ("ABC", {"exclude": ("X",), "ties": "adverse"}),
    ("AB", {"order": "strict"}),
    ("ABC", {"order": "strict", "ties": "adverse"}),
    ("AAC", {"order": "strict", "window": 2}),
    ("ABC", {"order": "any_order"}),
    ("AAB", {"order": "any_order"}),
    ("ABC", {"order": "any_order", "window": 2}),
    ("ABC", {"order": "any_order", "window": 2, "exclude": ("X",)}),
    ("ABC", {"tolerance": 1.0}),
    ("ABAB", {"tolerance": 1.0}),
    ("ABC", {"tolerance": 1.0, "window": 2}),
    ("ABC", {"tolerance": 1.0, "ties": "adverse"}),
    ("ABC", {"tolerance": 1.0, "window": 3, "entry": "first"}),
    ("AAB", {"tolerance": 1.0, "step_window": 2}),
    ("ABC", {"tolerance": 1.0, "exclude": ("X",), "window": 4}),
]


@pytest.mark.parametrize(("steps", "options"), EVERYDAY, ids=str)
def test_the_queries_agree_with_a_search_through_all_chains(steps, options):
    logs = random_logs(20_000, seed=1)
    assert disagreements(logs, as_marks(logs), steps, options)[:3] == []


@pytest.mark.parametrize(("steps", "options"), OPTIONS, ids=str)
def test_every_option_agrees_with_the_search(steps, options):
    logs = random_logs(1_500, seed=2)
    assert disagreements(logs, as_marks(logs), steps, options)[:3] == []


@pytest.mark.parametrize("unit", ["session", "visitor"])
@pytest.mark.parametrize("in_period", [True, False], ids=["period", "all"])
def test_an_engine_that_keeps_no_part_of_a_statement_gives_the_same(unit, in_period, monkeypatch):
    marks = as_marks(random_logs(300, seed=4))
    marks = marks.assign(in_period=marks.event_number > 1) if in_period else marks

    def made() -> pd.DataFrame:
        rows = reached(marks, ["A", "B", "C"], unit=unit).frame()
        return rows.sort_values(["unit_id", "entry", "step"], ignore_index=True)

    at_once = made()
    monkeypatch.setattr(Engine, "keeps_subqueries", False)
    pd.testing.assert_frame_equal(made(), at_once)
    assert len(at_once)


@pytest.mark.slow
@pytest.mark.parametrize(("steps", "options"), OPTIONS, ids=str)
def test_every_option_agrees_with_the_search_on_many_logs(steps, options):
    logs = random_logs(20_000, seed=3)
    assert disagreements(logs, as_marks(logs), steps, options)[:3] == []
