"""Who a session belongs to: device, login and the rules between them, decided per session without a graph."""

from __future__ import annotations

from conversion_audit.engine import AnyTable, Table, engine_of, statement

MOST_DEVICES = 20
"""A login seen on more devices than this is a hub (a till, a test account): nobody is joined through it."""


def session_visitors(logins: AnyTable) -> Table:
    """
    Decide each session's visitor.

    The visitor of a session is its first login; else the only login its device ever had; else, on a device that
    several people share, the last login before the session, else the next one after it; else the device itself; else,
    where nothing but a refused login names it, the session alone.

    Parameters
    ----------
    logins : table
        One row per session: session_id, device_id (or null), login (the first legal login in it, or null), start.

    Returns
    -------
    Table
        One row per session, in any order::

            session_id  visitor_id  user_id  how
                 d1/17       u:ann      ann  login
                 d1/18       u:ann      ann  only login of the device
                 d2/19        d:d2     null  device

        `user_id` is the login that decided, null where the device or the session did.

    Notes
    -----
    Logins on more than `MOST_DEVICES` devices are refused. Illegal ids must be null already (`values.is_illegal_id`).
    """
    engine = engine_of(logins)
    hubs = engine.create(statement(__file__, "hubs"), {"logins": logins}, name="hubs", most_devices=MOST_DEVICES)
    legal = engine.create(statement(__file__, "legal"), {"logins": logins, "hubs": hubs}, name="legal")
    return engine.create(statement(__file__, "visitors"), {"legal": legal}, name="visitors")
