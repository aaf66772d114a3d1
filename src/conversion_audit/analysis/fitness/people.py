"""Sessions, devices, stitched people and logins side by side: who is counted decides the rate."""

from __future__ import annotations

import pandas as pd

from conversion_audit.analysis.statistics import wilson
from conversion_audit.engine import AnyTable, engine_of, statement


def people(sessions: AnyTable, marks: AnyTable, goal: str) -> pd.DataFrame:
    """
    Return the conversion rate by what is counted.

    Parameters
    ----------
    sessions, marks : table
        See `tables.SESSIONS` and `tables.MARKS`; of the same sessions.
    goal : str
        The main goal.

    Returns
    -------
    DataFrame
        One row per unit::

            unit     units  converted  conversion_rate  conversion_low  conversion_high
            session   9000        450            0.050
            device    4100        445            0.109
            visitor   3300        430            0.130
            login      900        300            0.333

        `device` counts cookies or app ids, `visitor` the people that logins stitch together, `login` those with a login.
        NaN where there is none of a kind.
    """
    row = engine_of(sessions, marks).query(
        statement(__file__, "people"), {"sessions": sessions, "marks": marks}, goal=goal
    )
    units = ("session", "device", "visitor", "login")
    frame = pd.DataFrame(
        {
            "unit": units,
            "units": [int(row[f"{unit}s"].iloc[0]) for unit in units],
            "converted": [int(row[f"converted_{unit}s"].iloc[0]) for unit in units],
        }
    )
    low, high = wilson(frame["converted"], frame["units"])
    rate = frame["converted"] / frame["units"].where(frame["units"] > 0)
    return frame.assign(conversion_rate=rate, conversion_low=low, conversion_high=high)
