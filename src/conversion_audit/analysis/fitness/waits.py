"""What takes its time, as the first payment after a trial: days on which nobody in the export can have come that far."""

from __future__ import annotations

from collections.abc import Collection

import pandas as pd

from conversion_audit.engine import AnyTable, Table, engine_of, statement


def soonest_events(events: AnyTable, names: Collection[str]) -> dict[str, pd.Timestamp]:
    """
    Return event -> the first day on which it can have been recorded.

    Where nobody came to an event within 14 days of their first, as to the payment after a trial, and what is sold is new, the
    first 14 days cannot have it. One visitor who came sooner, or a payment of nobody who was seen before, and they can.

    Parameters
    ----------
    events : table
        See `tables.EVENTS`; the whole export.
    names : collection of str
        The events asked for; one that never occurs is left out.
    """
    if not names:
        return {}
    reached = engine_of(events).view(statement(__file__, "events"), {"events": events})
    return _soonest(events, reached, names)


def soonest_goal(sessions: AnyTable, marks: AnyTable, goal: str) -> pd.Timestamp:
    """Return the first day on which a visit can have reached a goal that some visit did reach (see `soonest_events`)."""
    found = {"sessions": sessions, "marks": marks}
    reached = engine_of(sessions, marks).view(statement(__file__, "goals"), found)
    return _soonest(sessions, reached, [goal])[goal]


def _soonest(seen: AnyTable, reached: Table, names: Collection[str]) -> dict[str, pd.Timestamp]:
    tables = {"seen": seen, "reached": reached, "wanted": pd.DataFrame({"name": list(names)})}
    found = reached.engine.query(statement(__file__, "soonest"), tables)
    days = pd.to_datetime(found["first_day"]) + pd.to_timedelta(found["days"], unit="D")
    return dict(zip(found["name"], days, strict=True))
