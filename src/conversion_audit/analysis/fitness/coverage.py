"""How much is unknown: consent, devices and countries, pages without a type, traffic set aside."""

from __future__ import annotations

from datetime import date

import pandas as pd

from conversion_audit.analysis.fitness.counts import part
from conversion_audit.analysis.statistics import wilson
from conversion_audit.engine import AnyTable, engine_of, statement

SEGMENTS = ("device", "browser", "os", "country", "channel", "landing_page")


def consent(counts: AnyTable, orders: AnyTable, start: date, end: date) -> pd.DataFrame:
    """
    Return the share of events without consent, for everyone (device `all`) and by device.

    Parameters
    ----------
    counts : table
        See `event_counts`.
    orders : table
        Every order of the export: date, session_id, revenue.
    start, end : date
        The period.

    Returns
    -------
    DataFrame
        One row per device, everyone first: device, events, without_consent, without_rate, orders and revenue (bought
        without consent; for everyone alone). Such rows have no visitor and no session: they count in event totals and in
        no rate. NaN without events.
    """
    bought = engine_of(orders).query(statement(__file__, "refused_orders"), {"orders": orders}, start=start, end=end)
    by_device = part(counts, "device")[["device", "events", "without_consent"]]
    by_device = by_device.assign(device=by_device["device"].fillna("unknown"))
    every = by_device[["events", "without_consent"]].sum().astype(int)
    first = pd.DataFrame([{"device": "all", **every, **bought.iloc[0]}])
    frame = pd.concat([first, by_device], ignore_index=True)
    return frame.assign(without_rate=frame["without_consent"] / frame["events"].where(frame["events"] > 0))


def unknown(sessions: AnyTable) -> pd.DataFrame:
    """
    Return, for each column that segments sessions, how often it is unknown.

    Returns
    -------
    DataFrame
        One row per column of `SEGMENTS`: column, sessions, unknown, unknown_rate, unknown_low, unknown_high. NaN without sessions.
    """
    row = engine_of(sessions).query(statement(__file__, "known"), {"sessions": sessions}).iloc[0]
    frame = pd.DataFrame({"column": SEGMENTS, "sessions": int(row["sessions"])})
    frame["unknown"] = [int(row["sessions"] - row[name]) for name in SEGMENTS]
    low, high = wilson(frame["unknown"], frame["sessions"])
    rate = frame["unknown"] / frame["sessions"].where(frame["sessions"] > 0)
    return frame.assign(unknown_rate=rate, unknown_low=low, unknown_high=high)


def page_cover(counts: AnyTable) -> pd.DataFrame:
    """Return one row: pages (page views), untyped_pages, addressed (events with a page), untyped_rate (in no page type)."""
    row = part(counts, "device")[["pages", "untyped_pages", "addressed"]].sum().astype(int)
    rate = row["untyped_pages"] / row["pages"] if row["pages"] else float("nan")
    return pd.DataFrame([{**row, "untyped_rate": rate}])


def uncovered_pages(events: AnyTable, start: date, end: date, most: int = 20) -> pd.DataFrame:
    """Return the most viewed pages without a page type: page, views; at most `most` rows."""
    sql = statement(__file__, "uncovered")
    return engine_of(events).query(sql, {"events": events}, start=start, end=end, most=most)


def set_aside(sessions: AnyTable, marks: AnyTable, goal: str) -> pd.DataFrame:
    """
    Return the headline with and without the traffic that is set aside.

    Parameters
    ----------
    sessions : table
        See `tables.SESSIONS`; what is set aside included.
    marks : table
        See `tables.MARKS`; of the whole export.
    goal : str
        The main goal.

    Returns
    -------
    DataFrame
        Rows all, counted, and one per reason that occurs (bot, internal, test)::

            part     sessions  events  orders  revenue  completing_sessions  completing_rate  ...
            all         61523  571326    1786   290800             1781       0.0289
            counted     61305  567054    1784   290558             1779       0.0290
            bot            24    2540       0        0                0       0.0000
    """
    tables = {"sessions": sessions, "marks": marks}
    rows = engine_of(sessions, marks).query(statement(__file__, "set_aside"), tables, goal=goal)
    low, high = wilson(rows["completing_sessions"], rows["sessions"])
    rate = rows["completing_sessions"] / rows["sessions"].where(rows["sessions"] > 0)
    return rows.assign(completing_rate=rate, completing_low=low, completing_high=high)


def aside_rules(aside: AnyTable, sessions: AnyTable) -> pd.DataFrame:
    """
    Count what each rule set aside.

    Parameters
    ----------
    aside : table
        See `tables.ASIDE`.
    sessions : table
        See `tables.SESSIONS`; those of the period, set-aside ones included.

    Returns
    -------
    DataFrame
        One row per rule, the one that took most first; no row where nothing was set aside::

            reason  rule         sessions  events  orders
            bot     many_events        12   20480       0
            test    test_order          3      41       3
    """
    return engine_of(aside, sessions).query(statement(__file__, "aside_rules"), {"aside": aside, "sessions": sessions})
