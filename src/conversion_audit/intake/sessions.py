"""Accepted rows -> events in their total order, and one row per session."""

from __future__ import annotations

from conversion_audit.engine import AnyTable, Table, engine_of, statement


def add_sessions(rows: AnyTable, *, timeout_seconds: float) -> Table:
    """
    Give every row of a known device its session.

    The session is the source's own session id together with the device; where the source has none, a gap of more than
    `timeout_seconds` on the device starts a new session. Midnight splits nothing.

    Parameters
    ----------
    rows : table
        Accepted rows: event_id, device_id, login, source_session, time, order_1, order_2, order_3.
    timeout_seconds : float
        The longest gap inside a session.

    Returns
    -------
    Table
        One row per event: event_id, session_id (null where neither device nor login is known).
    """
    engine = engine_of(rows)
    return engine.create(
        statement(__file__, "add_sessions"), {"rows": rows}, name="keyed", timeout_seconds=float(timeout_seconds)
    )


def numbered(rows: AnyTable, visitors: AnyTable) -> Table:
    """
    Put events into their total order, in the session and in the visitor's life.

    The order is time, then the source's order keys, then event_id. `moment` counts distinct (time, order keys):
    two events of one moment are truly tied.

    Parameters
    ----------
    rows : table
        Accepted rows with session_id.
    visitors : table
        session_id -> visitor_id, user_id (see `identity.session_visitors`).

    Returns
    -------
    Table
        One row per event: event_id, session_id, visitor_id, event_number, moment, visitor_event_number,
        visitor_moment, next_event, seconds_to_next, next_page_time.
    """
    engine = engine_of(rows)
    return engine.create(statement(__file__, "numbered"), {"rows": rows, "visitors": visitors}, name="numbered")
