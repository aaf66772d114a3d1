"""How the export was read: its time zone, its letters and numbers, and what makes a session."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from conversion_audit.analysis.fitness.gaps import fault, note
from conversion_audit.findings import Finding

MOST_REMARKS = 10


def zone(remarks: Mapping[str, Sequence[str]]) -> list[Finding]:
    """Say that nobody named the time zone, so that days and hours are those of UTC."""
    return [fault("zone_assumed", "low", ("06",), {"zone": zone}) for zone in remarks.get("zone_assumed", ())]


def remarks(remarks: Mapping[str, Sequence[str]]) -> list[Finding]:
    """Repeat what reading a file changed or found odd."""
    return [note("reading", {"key": text, "remark": text}) for text in remarks.get("reading", ())[:MOST_REMARKS]]


def session_gap(timeouts: pd.DataFrame | None) -> list[Finding]:
    """Say how far the number of sessions depends on the gap that ends one, where the export has no sessions."""
    if timeouts is None or not len(timeouts) or not timeouts["sessions"].sum():
        return []
    by = timeouts.set_index("minutes")["sessions"]
    used = timeouts.loc[timeouts["is_used"]].iloc[0]
    values = {
        "minutes": int(used["minutes"]),
        "sessions": int(used["sessions"]),
        "shorter": int(by[15.0]),
        "longer": int(by[60.0]),
    }
    return [note("session_gap", values)]
