"""Days, hours and events over time: what is missing, what starts late, what stops."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from conversion_audit.analysis.fitness.counts import part
from conversion_audit.engine import AnyTable

FILLING_DAYS = 3
LOW_DAY = 0.3
LEAST_EXPECTED = 25.0
LEAST_EXPECTED_HOURS = 200.0
"""
Silence counts where at least this many events were expected, of one kind or of all. Events come in bursts, a session at a
time: 200 events are some twenty sessions, and twenty expected sessions stay away by chance once in half a billion times.
"""
LEAST_USUAL_MISSING, LEAST_USUAL_LOW = 100.0, LEAST_EXPECTED_HOURS
"""Events that a day usually has, ten visits and twenty: of fewer, days with none, or under a third, come by chance."""


def days(counts: AnyTable, start: date, end: date, filling: int = 0) -> pd.DataFrame:
    """
    Return every day of the period with its events.

    Parameters
    ----------
    counts : table
        See `event_counts`.
    start, end : date
        The period.
    filling : int
        How many last days may still gain events (`FILLING_DAYS` for GA4).

    Returns
    -------
    DataFrame
        One row per day::

            date        events  usual_events  share  expected  is_missing  is_low  is_alarm  is_open
            2026-03-02   10412       10230.0   1.02       1.0       False   False     False    False

        `usual_events` is the median of the same weekday, of all days where there are fewer than three weeks; `share` is the
        day's events as a share of it, `expected` is 1. A day is low below 30 %, where twenty visits or more are usual; a day
        is an alarm if it is low, or missing where ten visits are usual. NaN without any event.
    """
    seen = part(counts, "day_hour").groupby("date")["events"].sum()
    seen.index = pd.to_datetime(seen.index)
    every = pd.DataFrame({"date": pd.date_range(start, end, freq="D")})
    every["events"] = every["date"].map(seen).fillna(0).astype(int)
    with_events = every["events"].where(every["events"] > 0)
    weekday = every["date"].dt.day_of_week if len(every) >= 21 else pd.Series(0, index=every.index)
    every["usual_events"] = with_events.groupby(weekday).transform("median")
    every["is_missing"] = every["events"] == 0
    low = (every["events"] < LOW_DAY * every["usual_events"]) & (every["usual_events"] >= LEAST_USUAL_LOW)
    every["is_low"] = ~every["is_missing"] & low
    # A weekday that never has any event has no usual number of its own.
    busy = every["usual_events"].fillna(with_events.median()) >= LEAST_USUAL_MISSING
    every["is_alarm"] = (every["is_missing"] & busy) | every["is_low"]
    every["is_open"] = every.index >= len(every) - filling
    every.insert(3, "share", every["events"] / every["usual_events"])
    every.insert(4, "expected", 1.0)
    return every


def event_hours(counts: AnyTable) -> pd.DataFrame:
    """Return one row per local day and hour with its events: date, weekday (0 is Monday), hour, events."""
    hours = part(counts, "day_hour")[["date", "hour", "events"]].copy()
    hours["date"] = pd.to_datetime(hours["date"])
    return hours.assign(weekday=hours["date"].dt.day_of_week)[["date", "weekday", "hour", "events"]]


def silent_hours(counts: AnyTable, zone: str = "UTC") -> pd.DataFrame:
    """
    Return stretches of hours without any event where many were expected.

    Parameters
    ----------
    counts : table
        See `event_counts`.
    zone : str
        The client's time zone: the hour that summer time leaves out is not silent.

    Returns
    -------
    DataFrame
        One row per stretch: since (local time), hours, expected (events: medians of the same hours on other days), edge
        (`begins` before the first event of all, `ends` after the last, else nothing), whole_hour (from which events begin,
        or by which they have ended, for nights of few events lie between; else that of since). Days without any event are `days`' matter.
    """
    hours = event_hours(counts)
    if hours.empty:
        return pd.DataFrame(columns=["since", "hours", "expected", "edge", "whole_hour"])
    grid = hours.pivot_table(index="date", columns="hour", values="events", aggfunc="sum", fill_value=0)
    grid = grid.reindex(columns=range(24), fill_value=0)
    usual = grid.median()
    silent = [
        (day + timedelta(hours=hour), float(usual[hour]))
        for day, row in grid.iterrows()
        for hour in range(24)
        if row[hour] == 0 and usual[hour] >= 1 and _exists(day + timedelta(hours=hour), zone)
    ]
    found = _stretches(silent)
    moments = hours["date"] + pd.to_timedelta(hours["hour"], unit="h")
    edges = [found["since"] < moments.min(), found["since"] > moments.max()]
    whole = np.select(
        edges, [moments.min().hour, (moments.max().hour + 1) % 24], pd.to_datetime(found["since"]).dt.hour
    )
    return found.assign(edge=np.select(edges, ["begins", "ends"], ""), whole_hour=whole)


def _exists(local: datetime, zone: str) -> bool:
    aware = pd.Timestamp(local).to_pydatetime().replace(tzinfo=ZoneInfo(zone))
    return aware.astimezone(ZoneInfo("UTC")).astimezone(ZoneInfo(zone)).replace(tzinfo=None) == aware.replace(
        tzinfo=None
    )


def _stretches(silent: list[tuple[datetime, float]]) -> pd.DataFrame:
    rows: list[list] = []
    for moment, expected in silent:
        if rows and rows[-1][0] + timedelta(hours=rows[-1][1]) == moment:
            rows[-1][1] += 1
            rows[-1][2] += expected
        else:
            rows.append([moment, 1, expected])
    frame = pd.DataFrame(rows, columns=["since", "hours", "expected"])
    return frame[frame["expected"] >= LEAST_EXPECTED_HOURS].reset_index(drop=True)


def event_days(
    counts: AnyTable,
    start: date,
    end: date,
    used: Collection[str] = (),
    soonest: Mapping[str, pd.Timestamp] = {},
    most: int = 200,
) -> pd.DataFrame:
    """
    Return how each event runs through the period.

    Parameters
    ----------
    counts : table
        See `event_counts`.
    start, end : date
        The period.
    used : collection of str
        Events that the config uses; they are looked at even where they are rare.
    soonest : mapping
        Event -> the first day on which it can occur (see `waits`), where that is known: none before is no silence.
    most : int
        How many other events to look at, the most frequent first.

    Returns
    -------
    DataFrame
        One row per event, the most frequent first::

            event     events  first_day   last_day    pattern      silent_since  silent_until  silent_days  expected  is_used
            purchase    1784  2026-03-02  2026-04-26  interrupted  2026-03-20    2026-03-20              1      31.2     True

        `pattern` is starts, stops, interrupted or steady. The silence is the longest stretch of days without the event in
        which, at its share of all events, at least 25 were expected; missing where the event is steady.
    """
    seen = part(counts, "day_event")
    totals = seen.groupby("event")["events"].sum().sort_values(ascending=False, kind="stable")
    wanted = [event for n, event in enumerate(totals.index) if n < most or event in used]
    every = pd.date_range(start, end, freq="D")
    wide = seen[seen["event"].isin(wanted)].pivot_table(index="date", columns="event", values="events", aggfunc="sum")
    wide.index = pd.to_datetime(wide.index)
    wide = wide.reindex(every).fillna(0.0)
    all_events = seen.groupby(pd.to_datetime(seen["date"]))["events"].sum().reindex(every).fillna(0.0).to_numpy()
    runs = {event: wide[event].to_numpy() for event in wanted}
    first = {event: int(every.searchsorted(soonest[event])) if event in soonest else 0 for event in wanted}
    rows = [{"event": event, **_run(run, all_events - run, every, first[event])} for event, run in runs.items()]
    columns = [
        "event",
        "events",
        "first_day",
        "last_day",
        "pattern",
        "silent_since",
        "silent_until",
        "silent_days",
        "expected",
    ]
    frame = pd.DataFrame(rows, columns=columns)
    return frame.assign(is_used=frame["event"].isin(set(used)))


def _run(seen: np.ndarray, others: np.ndarray, every: pd.DatetimeIndex, soonest: int) -> dict:
    """Look for the stretch without the event in which, by its share of the other events, most were expected."""
    active = np.flatnonzero(seen > 0)
    first, last = int(active[0]), int(active[-1])
    edges = [(soonest, first - 1, "starts"), (last + 1, len(seen) - 1, "stops")]
    gaps = [(a + 1, b - 1, "interrupted") for a, b in pairwise(active) if b - a > 1]
    best = (0.0, None)
    for since, until, pattern in [*edges, *gaps]:
        inside = slice(since, until + 1)
        rest = others[first : last + 1].sum() - (others[inside].sum() if pattern == "interrupted" else 0.0)
        expected = seen.sum() / rest * others[inside].sum() if rest > 0 and until >= since else 0.0
        if expected > best[0]:
            best = (float(expected), (since, until, pattern))
    run = {"events": int(seen.sum()), "first_day": every[first], "last_day": every[last]}
    if best[1] is None or best[0] < LEAST_EXPECTED:
        return run | {
            "pattern": "steady",
            "silent_since": pd.NaT,
            "silent_until": pd.NaT,
            "silent_days": 0,
            "expected": np.nan,
        }
    since, until, pattern = best[1]
    silent = int((others[since : until + 1] > 0).sum())
    return run | {
        "pattern": pattern,
        "silent_since": every[since],
        "silent_until": every[until],
        "silent_days": silent,
        "expected": best[0],
    }


def quiet_hours(counts: AnyTable) -> pd.DataFrame:
    """
    Find the six quietest hours in a row of the local day: at night, if the time zone is right.

    Returns
    -------
    DataFrame
        One row: from_hour (0 to 23, NaN without events), events, quiet_events, quiet_rate (share of all events in the six
        hours; 25 % would be no day and night at all), is_plausible: they begin between 21 and 4 o'clock, or the day has no
        quiet part (above 15 %) to tell, or so few events that six hours of the day are quiet by chance.
    """
    hours = event_hours(counts).groupby("hour")["events"].sum().reindex(range(24), fill_value=0).to_numpy(float)
    total = hours.sum()
    if not total:
        return pd.DataFrame(
            [{"from_hour": np.nan, "events": 0, "quiet_events": 0, "quiet_rate": np.nan, "is_plausible": True}]
        )
    windows = np.array([hours.take(range(h, h + 6), mode="wrap").sum() for h in range(24)])
    at = int(windows.argmin())
    rate = windows[at] / total
    plausible = bool(rate > 0.15 or at >= 21 or at <= 4 or total / 4 < LEAST_EXPECTED_HOURS)
    row = {
        "from_hour": at,
        "events": int(total),
        "quiet_events": int(windows[at]),
        "quiet_rate": rate,
        "is_plausible": plausible,
    }
    return pd.DataFrame([row])
