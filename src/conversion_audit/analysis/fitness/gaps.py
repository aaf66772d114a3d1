"""Findings about what is missing in time, on a browser, or on the way: gaps in the tracking."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from difflib import get_close_matches
from typing import Any

import pandas as pd

from conversion_audit.analysis.fitness.calendar import FILLING_DAYS
from conversion_audit.findings import Finding

EVERY = ("01", "02", "03", "04", "05", "06")
MISSED, MISSED_BADLY = 0.05, 0.20
LEAST_MISSED = 5
MOST_NAMED = 10


def fault(claim: str, severity: str, voids: Sequence[str], values: Mapping[str, Any], **more: Any) -> Finding:
    """Return a finding about the data, with the sentence that says how to mend it."""
    more = {"next_step": f"fitness.{claim}_next", "owner": "tracking", **more}
    return Finding("tracking", "00", f"fitness.{claim}", severity, values=values, voids=tuple(voids), **more)


def note(claim: str, values: Mapping[str, Any], **more: Any) -> Finding:
    """Return an observation: nothing to mend, but the reader should know."""
    return Finding("observation", "00", f"fitness.{claim}", "info", values=values, **more)


def period(days: pd.DataFrame, silent_hours: pd.DataFrame, start: date, end: date) -> list[Finding]:
    """Find days and hours without events, and a period longer than the export."""
    seen = days.loc[~days["is_missing"], "date"]
    if seen.empty:
        return [fault("no_events", "high", EVERY, {"start": start, "end": end})]
    first, last = seen.min(), seen.max()
    found = []
    if first.date() > start or last.date() < end:
        values = {"start": start, "end": end, "first": first.date(), "last": last.date()}
        found.append(fault("shorter", "medium", ("01", "06"), values))
    inside = days[(days["date"] > first) & (days["date"] < last)]
    for claim, column, severity in (("missing_days", "is_missing", "high"), ("low_days", "is_low", "medium")):
        rows = inside[inside[column] & inside["is_alarm"]]
        if len(rows):
            values = {
                "days": len(rows),
                "all_days": len(days),
                "first": rows["date"].min().date(),
                "last": rows["date"].max().date(),
            }
            found.append(
                fault(
                    claim, severity, ("01", "04", "06"), values, since=str(values["first"]), until=str(values["last"])
                )
            )
    return found + _silence(silent_hours)


def _silence(stretches: pd.DataFrame) -> list[Finding]:
    """Hours without events between others; before the first and after the last the day is not whole, which is no outage."""
    found = []
    between = stretches[stretches["edge"] == ""]
    if len(between):
        longest = between.loc[between["hours"].idxmax()]
        values = {
            "stretches": len(between),
            "hours": int(between["hours"].sum()),
            "longest": int(longest["hours"]),
            "on": longest["since"].date(),
            "expected": float(between["expected"].sum()),
        }
        found.append(fault("silent_hours", "medium" if values["hours"] >= 6 else "low", ("04", "06"), values))
    for row in stretches[stretches["edge"] != ""].itertuples():
        values = {"on": row.since.date(), "hour": int(row.whole_hour), "expected": float(row.expected)}
        found.append(note(f"day_{row.edge}", values))
    return found


def filling(days: pd.DataFrame, kinds: Collection[str]) -> list[Finding]:
    """GA4 adds rows for up to three days: the last days of its export are provisional."""
    last = days.tail(FILLING_DAYS)
    if "ga4" not in kinds or len(days) <= FILLING_DAYS or last["is_missing"].all():
        return []
    return [
        note("filling", {"days": FILLING_DAYS, "first": last["date"].min().date(), "last": last["date"].max().date()})
    ]


def clock(quiet_hours: pd.DataFrame) -> list[Finding]:
    """Find a time zone in which people sleep by day."""
    row = quiet_hours.iloc[0]
    if row["is_plausible"]:
        return []
    until = int(row["from_hour"] + 6) % 24
    values = {"from_hour": int(row["from_hour"]), "to_hour": until, "quiet_rate": float(row["quiet_rate"])}
    return [fault("time_zone", "medium", ("06",), values)]


def events(event_days: pd.DataFrame, used: Mapping[str, str], journey: Collection[str]) -> list[Finding]:
    """Find events that start late, stop early or fall silent in between: those the config uses."""
    found = []
    for row in event_days[event_days["pattern"] != "steady"].itertuples():
        rule = used.get(row.event)
        if not rule:
            continue
        values = {
            "key": row.event,
            "event": row.event,
            "since": row.silent_since.date(),
            "until": row.silent_until.date(),
            "days": int(row.silent_days),
            "expected": float(row.expected),
        }
        span = {"since": str(values["since"]), "until": str(values["until"])}
        severity, voids = ("high", ("01", "02", "03", "04", "06")) if rule in journey else ("medium", ("01", "06"))
        found.append(fault(f"event_{row.pattern}", severity, voids, values | {"step": rule}, step=rule, **span))
    return found


def segments(silent: pd.DataFrame, used: Mapping[str, str], journey: Collection[str]) -> list[Finding]:
    """Find events that a browser or device never sends."""
    found = []
    for row in silent.itertuples():
        rule = used[row.event]
        severity = "high" if rule in journey else "medium"
        values = {
            "key": f"{row.event}/{row.column}/{row.value}",
            "event": row.event,
            "step": rule,
            "value": row.value,
            "events": int(row.events),
            "expected": float(row.expected),
        }
        segment = {row.column: row.value}
        found.append(fault("silent_segment", severity, ("02", "04"), values, step=rule, segment=segment))
    return found


def steps(
    gaps: pd.DataFrame,
    names: Sequence[str],
    events_seen: Sequence[str],
    written: Mapping[str, tuple[str, Sequence[str]]] = {},
) -> list[Finding]:
    """
    Find steps that are never seen, seen less often than the next, or missing before the goal.

    `written` is step -> where the config defines it and what it says there; else the step's own name, in the journey.
    """
    rows = gaps[gaps["device"].isna() & gaps["browser"].isna()].set_index("step").reindex(names)
    found = []
    for name, row in rows.iterrows():
        count = 0 if pd.isna(row["sessions"]) else int(row["sessions"])
        if count == 0:
            place, said = written.get(name, ("journey", [name]))
            near = _closest(said, [str(event) for event in events_seen])
            seen = ", ".join(map(str, events_seen[:MOST_NAMED])) or "–"
            values = {"step": name, "place": place, "written": ", ".join(said), "closest": near, "events": seen}
            claim = "step_never_closest" if near else "step_never"
            voids = EVERY if name == names[-1] else ("02", "03", "04")
            found.append(fault(claim, "high", voids, values, step=name, next_step="fitness.step_never_next"))
        elif name != names[-1]:
            found += _missed(str(name), row, names[-1])
    return found


def _closest(said: Sequence[str], events: Sequence[str]) -> str | None:
    return next((near for text in said for near in get_close_matches(text, events, n=1, cutoff=0.5)), None)


def _missed(name: str, row: pd.Series, goal: str) -> list[Finding]:
    values = {
        column: int(row[column])
        for column in ("sessions", "next_sessions", "later_sessions", "without", "goal_sessions", "goal_without")
    }
    values |= {
        "step": name,
        "goal": goal,
        "without_rate": float(row["without_rate"]),
        "low": float(row["without_low"]),
        "high": float(row["without_high"]),
    }
    rate = values["without_rate"]
    if values["sessions"] < values["next_sessions"] and rate > MISSED:
        return [fault("step_rarer", "high", ("02", "04"), values, step=name)]
    goals, missed = values["goal_sessions"], values["goal_without"]
    if missed >= LEAST_MISSED and missed > MISSED * goals:
        severity = "high" if missed > 0.5 * goals else "medium"
        return [
            fault(
                "goal_without_step", severity, ("02", "04"), values | {"goal_without_rate": missed / goals}, step=name
            )
        ]
    if values["without"] >= LEAST_MISSED and rate > MISSED:
        return [fault("step_missed", "medium" if rate > MISSED_BADLY else "low", ("02", "04"), values, step=name)]
    return []
