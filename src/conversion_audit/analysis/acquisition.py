"""Room in each channel: what a visit that could buy is worth there, against what it costs."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from conversion_audit.analysis.allocation import costs_of
from conversion_audit.engine import AnyTable, engine_of, statement


def room_table(
    intents: AnyTable,
    sessions: AnyTable,
    values: pd.DataFrame,
    costs: Mapping[str, float],
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
    values : DataFrame
        What each channel brought: channel, revenue, channel_value with its ends; see `allocation.channel_allocation`.
    costs : mapping
        Channel -> cost of the period; see `allocation.costs_of`.
    known : bool
        Whether the split holds. If not, every session that might have bought counts.

    Returns
    -------
    DataFrame
        One row per channel with a cost, the largest room first::

                channel  sessions  able_sessions  revenue     cost  able_value  able_cost  room_value  of
            paid_search      6800         6120.4  21000.0  12000.0            1.30           1.96          -0.66  ...

        `able_value` is the channel's value over able sessions, NaN where no completion carries one; `room_value` is value
        less cost: what one more such visit may still cost, with its ends. Empty without costs. What the next visit brings
        may be less than the average one.
    """
    table = engine_of(intents, sessions).query(
        statement(__file__, "channels"), {"intents": intents, "sessions": sessions}
    )
    table = table.assign(cost=costs_of(table.channel, costs)).dropna(subset=["cost"])
    able = table.expected if known else table.most.astype(float)
    able = able.where(able > 0)
    brought = values.set_index("channel").reindex(table.channel)
    priced = able if values[["revenue", "channel_value"]].any(axis=None) else able * float("nan")
    ends = ("channel_value", "channel_value_low", "channel_value_high")
    value, low, high = (pd.Series(brought[end].to_numpy(float), table.index).fillna(0.0) / priced for end in ends)
    return table.assign(
        revenue=pd.Series(brought.revenue.to_numpy(float), table.index).fillna(0.0),
        converted=table.converted.astype("int64"),
        able_sessions=able,
        able_value=value,
        able_cost=table.cost / able,
        room_value=value - table.cost / able,
        room_value_low=low - table.cost / able,
        room_value_high=high - table.cost / able,
        of="sessions expected to be able to buy" if known else "sessions that might have bought",
    ).drop(columns=["expected", "most"]).sort_values(["room_value", "channel"], ascending=[False, True], ignore_index=True)  # fmt: skip


def claim(table: pd.DataFrame, costs: Mapping[str, float] | None = None) -> tuple[str, dict]:
    """
    Return the key and the record of the sentence about `room_table`.

    That a channel has room is told of one that surely has, that none has where none may have; `costs`: all that are
    declared, held here or not.
    """
    known = table.dropna(subset=["room_value"])
    if not len(known):
        return f"audiences.room_{'unknown' if len(table) else 'other' if costs else 'none'}", {}
    sure = known[known.room_value_low > 0]
    if len(sure):
        return "audiences.room_headline", sure.iloc[0].to_dict()
    best = known.iloc[0].to_dict()
    if (known.room_value_high > 0).any():
        return "audiences.room_unsure", best
    return "audiences.room_gone", best | {"over": -best["room_value"]}


def read(margin: float | None, declared: float | None = None) -> tuple[str, dict]:
    """Return the key and the record of the line on how to read `room_table`: what its value is."""
    if declared is not None:
        return "audiences.room_read_declared", {"declared": declared}
    return ("audiences.room_read", {}) if margin is None else ("audiences.room_read_margin", {"margin": margin})
