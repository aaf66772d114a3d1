"""Events counted in one pass, in every way that the checks need."""

from __future__ import annotations

from datetime import date

import pandas as pd

from conversion_audit.engine import AnyTable, Table, engine_of, statement

PARTS = ("day_event", "day_hour", "event_browser", "event_device", "device")


def event_counts(events: AnyTable, start: date, end: date) -> Table:
    """
    Count the events of a period, rows without consent and traffic set aside included.

    Parameters
    ----------
    events : table
        See `tables.EVENTS`; the whole export.
    start, end : date
        First and last local day.

    Returns
    -------
    Table
        One row per part and its values; columns that a part does not use are missing::

            part           date        hour  event      browser  device   events  without_consent  pages  untyped_pages  addressed
            day_event      2026-03-02   NaN  page_view                      2100                0   2100             14       2100
            day_hour       2026-03-02     9                                  310                2    120              1        290
            event_browser                    page_view  Safari               900                0    900              0        900
    """
    sql = statement(__file__, "event_counts")
    return engine_of(events).create(sql, {"events": events}, name="event_counts", start=start, end=end)


def part(counts: AnyTable, name: str) -> pd.DataFrame:
    """Return the rows of one of `PARTS` of `event_counts`, in order of their values."""
    return engine_of(counts).query(statement(__file__, "part"), {"counts": counts}, part=name)


def ties(events: AnyTable) -> pd.DataFrame:
    """
    Count the events whose order in their session cannot be known.

    An event is tied when another event of the session, of another name or page, has the same time and the same order keys
    of the source. Which of several alike came first, as of the lines of one order, nobody asks.

    Returns
    -------
    DataFrame
        One row: events, tied_events, tied_rate (NaN without events).
    """
    row = engine_of(events).query(statement(__file__, "ties"), {"events": events})
    return row.assign(tied_rate=row["tied_events"] / row["events"].where(row["events"] > 0))
