"""How the export was read: its time zone, its letters and numbers, and what makes a session."""

from __future__ import annotations

import json

import pandas as pd

from conversion_audit.analysis.fitness.gaps import fault, note
from conversion_audit.findings import Finding

MOST_REMARKS = 10


def remarks(remarks: pd.DataFrame | None) -> list[Finding]:
    """Say that nobody named the time zone, and repeat what reading a file changed or found odd."""
    if remarks is None:
        return []
    assumed = remarks.loc[remarks["topic"] == "zone_assumed", "text"]
    read = remarks[remarks["topic"] == "reading"].head(MOST_REMARKS)
    return [
        *(fault("zone_assumed", "low", ("06",), {"zone": zone}) for zone in assumed),
        *(_said(*told) for told in zip(read["key"], read["text"], read["values"], strict=True)),
    ]


def _said(key: str, text: str, values: str) -> Finding:
    """The finding of one remark; its sentence stands in the texts called ``reading``."""
    told = {"key": text, **json.loads(values)}
    return Finding("observation", "00", f"reading.{key}", "info", values=told)


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
