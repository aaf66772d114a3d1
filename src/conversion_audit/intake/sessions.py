"""Kept rows -> events in their total order, and one row per session."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from conversion_audit.engine import AnyTable, Parts, Table, engine_of, statement

NUMBERED_BYTES = 100.0
"""Memory for the order of one row while rows are joined with it."""

VISIT_BYTES = 360.0
"""Memory for one session while its first and last values are looked for."""

_NO_LAST_ROW = 2**62
_IN_RANGES = ("ordered", "channels_here")


def add_sessions(rows: AnyTable, *, timeout_seconds: float) -> Table:
    """
    Give every row of a known device, login or session its session.

    The session is the source's own session id together with the device, else the login; a row that names the id alone, as
    a server's often does, belongs to the one device or login that has it, and where nobody has, the id is enough. Where
    the source has no session ids, a gap of more than `timeout_seconds` on the device starts a new session. Midnight splits
    nothing.

    Parameters
    ----------
    rows : table
        Kept rows: row_id, event_id, device_id, user_id, source_session, time, order_1, order_2, order_3, event, is_page.
    timeout_seconds : float
        The longest gap inside a session.

    Returns
    -------
    Table
        One row per kept row: row_id, session_id (null where nothing says whose it is), event_id, device_id (that of the
        session where the row names none), user_id, time, order_1, order_2, order_3, event, is_page.
    """
    found = {"rows": rows, "session_owners": _made("session_owners", rows=rows)}
    sql = statement(__file__, "add_sessions")
    return engine_of(rows).create(sql, found, name="keyed", timeout_seconds=float(timeout_seconds))


def timeouts(rows: AnyTable, strays: AnyTable, *, timeout_seconds: float) -> pd.DataFrame:
    """
    Count what sessions other gaps would give, where the source has no sessions of its own.

    Returns
    -------
    DataFrame
        One row per gap, 15, 30 and 60 minutes and the one that is used; no row where every session is the source's::

            minutes  sessions  is_used
               15.0       412    False
               30.0       377     True
               60.0       365    False
    """
    used = timeout_seconds / 60
    tried = pd.DataFrame({"minutes": sorted({15.0, 30.0, 60.0, used})})
    tried["is_used"] = tried["minutes"] == used
    return engine_of(rows).query(statement(__file__, "timeouts"), {"rows": rows, "strays": strays, "timeouts": tried})


def logins(keyed: AnyTable) -> Table:
    """Return one row per session: session_id, device_id, its first legal login, start."""
    return _made("logins", keyed=keyed)


def owners(visitors: AnyTable) -> Table:
    """Return one row per session: session_id, visitor_id, user_id, and numbers that stand for session and visitor."""
    return _made("owners", session_numbers=_made("session_numbers", visitors=visitors))


def numbered(keyed: AnyTable, owners: AnyTable) -> Table:
    """
    Put events into their total order, in the session and in the visitor's life.

    The order is time, then the source's order keys, then event_id. `moment` counts distinct (time, order keys):
    two events of one moment are truly tied.

    Parameters
    ----------
    keyed : table
        See `add_sessions`.
    owners : table
        See `owners`.

    Returns
    -------
    Table
        One row per kept row: row_id, session_number, event_number, moment, visitor_event_number, visitor_moment, next_event,
        next_time, next_page_time; all but row_id are null outside sessions.
    """
    return _made("numbered", keyed=keyed, owners=owners)


def facts(rows: AnyTable, numbered: AnyTable, owners: AnyTable) -> Table:
    """Return what only the raw rows know of a session: its id in the source, traffic source, bounce, visit number."""
    return _made("facts", rows=rows, numbered=numbered, owners=owners)


def shared_ids(facts: AnyTable) -> int:
    """Return how many of the source's session ids occur with more than one device."""
    return int(engine_of(facts).query(statement(__file__, "shared_ids"), {"facts": facts})["ids"].iloc[0])


def source_triples(facts: AnyTable) -> pd.DataFrame:
    """Return the distinct traffic sources of sessions: source, medium, campaign, own_channel, sessions."""
    return engine_of(facts).query(statement(__file__, "source_triples"), {"facts": facts})


def channels(facts: AnyTable, named: AnyTable) -> Table:
    """Return each session with its visitor and channel: the source's own grouping, else the channel of its traffic source."""
    return _made("channels", facts=facts, named=named)


def events(
    rows: AnyTable,
    numbered: AnyTable,
    channels: AnyTable,
    texts: Mapping[str, AnyTable],
    rates: pd.DataFrame,
    *,
    path: Path,
    zone: str,
) -> Table:
    """
    Write the events table.

    Parameters
    ----------
    rows, numbered, channels : table
        Accepted rows; the order of those that are kept; their sessions with visitor and channel.
    texts : mapping
        Mapping tables of `rows.clean_texts`.
    rates : DataFrame
        currency -> rate into the client's currency, the client's own first.
    path : Path
        The Parquet file, a folder of them where memory is short.
    zone : str
        The client's time zone.

    Returns
    -------
    Table
        See `tables.EVENTS`.
    """
    found = {"rows": rows, "rates": rates, **texts}
    ranges, sql = _row_ranges(numbered), statement(__file__, "events")
    if len(ranges) > 1:
        found |= {"numbered": numbered, "session_channels": channels}
        here = ", ".join(f"{name} AS ({statement(__file__, name)})" for name in _IN_RANGES)
        sql = f"WITH {here} {sql}"
    else:
        found |= {"ordered": numbered, "channels_here": channels}
    currency = str(rates["currency"][0])
    return engine_of(rows).write(sql, path, found, parts=ranges, zone=zone, currency=currency)


def _row_ranges(numbered: AnyTable) -> Parts:
    """Return ranges of row ids, as few as leave room for the order of their rows."""
    engine = engine_of(numbered)
    number = engine.parts(len(numbered) * NUMBERED_BYTES)
    if number == 1:
        return [{"after": 0, "until": _NO_LAST_ROW}]
    last = int(engine.query("SELECT max(row_id) AS last FROM numbered", {"numbered": numbered})["last"].iloc[0])
    each = math.ceil(last / number)
    return [{"after": after, "until": after + each} for after in range(0, last, each)]


def purchases(rows: AnyTable, events: AnyTable) -> Table:
    """
    Return purchase and refund events as `orders.orders` reads them, each with the row it was read from.

    Parameters
    ----------
    rows, events : table
        Kept rows; the events made of them.
    """
    return _made("purchases", rows=rows, events=events)


def visits(
    events: AnyTable,
    facts: AnyTable,
    channels: AnyTable,
    owners: AnyTable,
    orders: AnyTable,
    aside: AnyTable,
    *,
    path: Path,
    zone: str,
) -> Table:
    """
    Write one row per session (see `tables.SESSIONS`); `is_bounce` is the source's own verdict, null where it has none.

    Parameters
    ----------
    events, facts, channels, owners, orders : table
        See above and `orders`.
    aside : table
        session_id -> reason, for sessions that are set aside.
    path : Path
        The Parquet file, a folder of them where memory is short.
    zone : str
        The client's time zone.
    """
    found = {
        "events": events,
        "facts": facts,
        "session_channels": channels,
        "owners": owners,
        "orders": orders,
        "aside": aside,
    }
    engine = engine_of(events)
    number = engine.parts(len(owners) * VISIT_BYTES)
    parts = [{"part": part, "parts": number} for part in range(number)]
    return engine.write(statement(__file__, "visits"), path, found, parts=parts, zone=zone)


def _made(section: str, **found: AnyTable) -> Table:
    return engine_of(*found.values()).create(statement(__file__, section), found, name=section)
