"""Tags that miss people: steps seen less often than what follows, events that a browser never sends."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import pandas as pd

from conversion_audit.analysis.fitness.counts import part
from conversion_audit.analysis.statistics import wilson
from conversion_audit.engine import AnyTable, engine_of, like, statement

LEAST_EXPECTED = 25.0
ALMOST_NONE = 0.05


def used_events(counts: AnyTable, rules: Mapping[str, Iterable[str]]) -> dict[str, str]:
    """
    Return the events that rules name, as the export writes them, each with the first rule that names it.

    Parameters
    ----------
    counts : table
        See `event_counts`.
    rules : mapping
        Name of a step, goal or micro-conversion -> its events. Patterns with ``*`` that several events fit are left out.
    """
    said = [(name, event) for name, events in rules.items() for event in events]
    named = pd.DataFrame(said, columns=["rule", "said"], dtype="string")
    named = named.assign(pattern=named["said"].map(like).astype("string"), place=range(len(named)))
    found = engine_of(counts).query(statement(__file__, "used_events"), {"counts": counts, "named": named})
    return {row.event: row.rule for row in found.drop_duplicates("event").itertuples()}


def step_gaps(sessions: AnyTable, marks: AnyTable, steps: Sequence[str], goal: str) -> pd.DataFrame:
    """
    Count sessions that show a later step of the journey but not this one.

    Parameters
    ----------
    sessions, marks : table
        See `tables.SESSIONS` and `tables.MARKS`; of the same sessions.
    steps : sequence of str
        The journey, the goal last.
    goal : str
        The goal.

    Returns
    -------
    DataFrame
        For everyone (device and browser missing), each device and each browser one row per step::

            device  browser  step          sessions  next_sessions  later_sessions  without  without_rate  ...  goal_sessions  goal_without
            NaN     NaN      product_view       430            176             190       12         0.063  ...               43            10

        `without` of `later_sessions` (any later step) do not show the step, nor does an earlier session of the visitor; NaN
        where no session shows a later one. Of the `goal_sessions`, `goal_without` do not show it.
    """
    named = pd.DataFrame({"step": list(steps), "place": range(1, len(steps) + 1)}).astype({"step": "string"})
    found = {"sessions": sessions, "marks": marks, "steps": named}
    rows = engine_of(sessions, marks).query(statement(__file__, "step_gaps"), found, goal=goal)
    low, high = wilson(rows["without"], rows["later_sessions"])
    rate = rows["without"] / rows["later_sessions"].where(rows["later_sessions"] > 0)
    table = rows.assign(without_rate=rate, without_low=low, without_high=high)
    columns = [
        "device",
        "browser",
        "step",
        "sessions",
        "next_sessions",
        "later_sessions",
        "without",
        "without_rate",
        "without_low",
        "without_high",
    ]
    return table[[*columns, "goal_sessions", "goal_without"]]


def silent_segments(counts: AnyTable, used: Iterable[str]) -> pd.DataFrame:
    """
    Return the events that a browser or device (almost) never sends although others do.

    Parameters
    ----------
    counts : table
        See `event_counts`.
    used : iterable of str
        Events to look at: those of the config.

    Returns
    -------
    DataFrame
        One row per event and segment with at most 5 % of what was expected, and at least 25 expected::

            event             column   value   events  expected  segment_events
            add_payment_info  browser  Safari       0     212.4           98000

        `expected` is the segment's events times the event's share of everyone else's.
    """
    wanted = set(used)
    found = [_silent(part(counts, f"event_{column}"), column, wanted) for column in ("browser", "device")]
    frames = [frame for frame in found if len(frame)]
    columns = ["event", "column", "value", "events", "expected", "segment_events"]
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=columns)


def _silent(rows: pd.DataFrame, column: str, wanted: set[str]) -> pd.DataFrame:
    rows = rows.dropna(subset=[column])
    segments = rows.groupby(column)["events"].sum()
    events = rows[rows["event"].isin(wanted)].groupby("event")["events"].sum()
    seen = rows.set_index(["event", column])["events"]
    every = int(segments.sum())
    table = [
        (event, column, value, int(seen.get((event, value), 0)), int(total), int(segments[value]))
        for event, total in events.items()
        for value in segments.index
    ]
    frame = pd.DataFrame(table, columns=["event", "column", "value", "events", "total", "segment_events"])
    others = every - frame["segment_events"]
    frame["expected"] = (frame["total"] - frame["events"]) / others.where(others > 0) * frame["segment_events"]
    silent = (frame["expected"] >= LEAST_EXPECTED) & (frame["events"] <= ALMOST_NONE * frame["expected"])
    return frame.loc[silent, ["event", "column", "value", "events", "expected", "segment_events"]].reset_index(
        drop=True
    )
