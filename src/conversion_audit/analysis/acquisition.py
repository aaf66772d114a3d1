"""Room in each channel: what a visit that could buy is worth there, against what it costs."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from conversion_audit.analysis.allocation import costs_of
from conversion_audit.engine import AnyTable, engine_of, statement


def room_table(
    intents: AnyTable,
    sessions: AnyTable,
    costs: Mapping[str, float],
    margin: float | None = None,
    *,
    known: bool = True,
) -> pd.DataFrame:
    """
    Hold the value of sessions that could have bought against what the channel cost.

    Parameters
    ----------
    intents : table
        From `split.with_chances`.
    sessions : table
        Contract `tables.SESSIONS`.
    costs : mapping
        Channel -> cost of the period; see `allocation.costs_of`.
    margin : float, optional
        Share of revenue that stays; without it revenue itself is compared.
    known : bool
        Whether the split holds. If not, every session that might have bought counts.

    Returns
    -------
    DataFrame
        One row per channel with a cost, the largest room first::

                channel  sessions  able_sessions  revenue     cost  able_value  able_cost  room_value  of
            paid_search      6800         6120.4  21000.0  12000.0            1.30           1.96          -0.66  ...

        `able_value` is revenue x margin over able sessions; `room_value` is value less cost: what one more such
        visit may still cost. Empty without costs. What the next visit brings may be less than the average one.
    """
    table = engine_of(intents, sessions).query(
        statement(__file__, "channels"), {"intents": intents, "sessions": sessions}
    )
    table = table.assign(cost=costs_of(table.channel, costs)).dropna(subset=["cost"])
    able = table.expected if known else table.most.astype(float)
    able = able.where(able > 0)
    value = table.revenue * (1.0 if margin is None else margin) / able
    return table.assign(
        orders=table.orders.astype("int64"),
        able_sessions=able,
        able_value=value,
        able_cost=table.cost / able,
        room_value=value - table.cost / able,
        of="sessions expected to be able to buy" if known else "sessions that might have bought",
    ).drop(columns=["expected", "most"]).sort_values(["room_value", "channel"], ascending=[False, True], ignore_index=True)  # fmt: skip


def claim(table: pd.DataFrame) -> tuple[str, dict]:
    """Return the key and the record of the sentence about `room_table`."""
    known = table.dropna(subset=["room_value"])
    return ("audiences.room_headline", known.iloc[0].to_dict()) if len(known) else ("audiences.room_none", {})


def read(margin: float | None) -> tuple[str, dict]:
    """Return the key and the record of the line on how to read `room_table`: what its value is."""
    return ("audiences.room_read", {}) if margin is None else ("audiences.room_read_margin", {"margin": margin})
