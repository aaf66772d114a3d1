"""Which time zone an export was made in: the one that makes every row's own local date agree."""

from __future__ import annotations

from collections.abc import Sequence
from zoneinfo import available_timezones

import pandas as pd

from conversion_audit.engine import AnyTable, engine_of, statement

PREFERRED = (
    "UTC", "Europe/Berlin", "Europe/London", "America/New_York", "America/Los_Angeles", "America/Chicago", "America/Denver",
    "Europe/Paris", "Europe/Madrid", "Europe/Rome", "Europe/Amsterdam", "Europe/Zurich", "Europe/Vienna", "Europe/Stockholm",
    "Europe/Warsaw", "Europe/Athens", "Europe/Helsinki", "Europe/Istanbul", "Asia/Tokyo", "Asia/Shanghai", "Asia/Singapore",
    "Asia/Kolkata", "Asia/Dubai", "Australia/Sydney", "America/Sao_Paulo", "America/Mexico_City", "America/Toronto",
)  # fmt: skip
"""Where several zones agree with every row, the first of these is meant."""


def zone_of(rows: AnyTable) -> str | None:
    """
    Find the time zone in which every row's time falls on the row's own local date.

    Parameters
    ----------
    rows : table
        time (naive UTC) and local_date (text, or null where the export has none); see `tables.ROWS`.

    Returns
    -------
    str or None
        An IANA name; None where the export carries no local dates or no zone agrees with all of them.
    """
    seen = engine_of(rows).query(statement(__file__, "days"), {"rows": rows})
    return agreeing(seen) if len(seen) else None


def agreeing(seen: pd.DataFrame, zones: Sequence[str] | None = None) -> str | None:
    """
    Return the zone that agrees with the first and last time of every local date.

    Parameters
    ----------
    seen : DataFrame
        One row per local date: local_date, first, last (naive UTC).
    zones : sequence of str, optional
        Candidates; all IANA zones, the usual ones first.
    """
    rest = sorted(
        zone for zone in available_timezones() if "/" in zone and not zone.startswith(("Etc/", "posix/", "right/"))
    )
    wanted = list(seen["local_date"]) * 2
    times = pd.DatetimeIndex(pd.concat([seen["first"], seen["last"]])).tz_localize("UTC")
    for zone in dict.fromkeys(zones or (*PREFERRED, *rest)):
        if list(times.tz_convert(zone).strftime("%Y-%m-%d")) == wanted:
            return zone
    return None
