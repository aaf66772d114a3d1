"""Rows outside the sessions of their source, as a server reports them -> the visit in which each falls."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from conversion_audit.engine import AnyTable, Table, engine_of, like, statement
from conversion_audit.intake.identity import MOST_DEVICES
from conversion_audit.intake.remarks import Remark


def strays(rows: AnyTable) -> Table:
    """
    Return rows outside the sessions of their source, of which some visit may know: what a server reports, mostly.

    Returns
    -------
    Table
        row_id, device_id, user_id, is_purchase of rows that name no session: where their device has some; where they name nothing but a
        login, and that has devices or sessions elsewhere.
    """
    return engine_of(rows).create(statement(__file__, "strays"), {"rows": rows}, name="strays")


def homes(keyed: AnyTable, strays: AnyTable, goals: Iterable[str] = (), *, timeout_seconds: float) -> Table:
    """
    Find the visit in which each stray falls.

    That is the visit of its device, else of its login, with an event no further away than `timeout_seconds`: the one
    before the stray, else the one that follows. A login on more than `identity.MOST_DEVICES` devices finds none. Strays
    without a visit stay together as inactivity parts them, and are a visit where a page is seen or a goal is reached, or
    where the export has no pages. All others, such as mails sent and parcels delivered, are outside every visit.

    Parameters
    ----------
    keyed : table
        See `sessions.add_sessions`.
    strays : table
        See `strays`.
    goals : iterable of str
        Events that are goals, as the config names them.
    timeout_seconds : float
        The longest gap inside a session.

    Returns
    -------
    Table
        One row per stray: row_id, session_id (null outside every visit), is_joined (a part of another's visit).
    """
    found = {
        "keyed": keyed,
        "strays": strays,
        "goals": pd.DataFrame({"pattern": sorted({like(goal) for goal in goals})}, dtype="string"),
    }
    limits = {"timeout_seconds": float(timeout_seconds), "most_devices": MOST_DEVICES}
    return engine_of(keyed, strays).create(statement(__file__, "homes"), found, name="homes", **limits)


def at_home(keyed: AnyTable, homes: AnyTable) -> Table:
    """Return the rows of `sessions.add_sessions` with the sessions that strays have now."""
    return engine_of(keyed).create(statement(__file__, "at_home"), {"keyed": keyed, "homes": homes}, name="at_home")


def counts(homes: AnyTable) -> dict[str, int]:
    """Return rows (strays), joined (parts of another's visit), sessions (visits of their own), outside (of every visit)."""
    found = engine_of(homes).query(statement(__file__, "counts"), {"homes": homes})
    return {name: int(count) for name, count in found.iloc[0].items()}


def remarks(homes: AnyTable, *, timeout_seconds: float) -> list[Remark]:
    """Return what is to be said of strays."""
    found = counts(homes)
    key = "strays" if found["joined"] == found["rows"] else "strays_left" if found["sessions"] else "strays_out"
    return [Remark(key, minutes=round(timeout_seconds / 60), **found)] if found["rows"] else []
