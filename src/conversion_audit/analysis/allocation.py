"""Money and people against value: which channels and teams have more, or less, than what they bring or could bring."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd

from conversion_audit.engine import AnyTable, engine_of, statement
from conversion_audit.findings import Finding
from conversion_audit.units import DAYS

REPLICATES = 500
OVER, UNDER, EVEN, CANNOT_SAY = "above share", "below share", "even", "cannot say"
NEED, NO_TASK, NO_PRICE = "need", "nothing found", "no priced task"


def channel_allocation(
    sessions: AnyTable,
    marks: AnyTable,
    orders: AnyTable,
    goal: str,
    costs: Mapping[str, Decimal | float],
    *,
    margin: float | None = None,
    goal_value: float | None = None,
    seed: int = 1,
) -> pd.DataFrame:
    """
    Compare each channel's share of the spend with its share of the value.

    Value is the goal's declared worth times its completions; without one, the revenue of the orders in the channel's
    sessions, times the margin where it is known. The session's own channel gets all of it: this divides credit, it does
    not measure cause.

    Parameters
    ----------
    sessions, marks, orders : table
        Of the period.
    goal : str
        The main goal.
    costs : mapping
        Channel -> spend of the period; ``paid_search`` is "Paid Search". Empty: no verdicts.
    margin : float, optional
        Share of revenue that remains.
    goal_value : float, optional
        What one completion is declared to be worth; None: its order's own amount.
    seed : int
        For drawing visitors anew.

    Returns
    -------
    DataFrame
        One row per channel, the largest spend first: channel, sessions, goal_sessions, orders, revenue, channel_value
        with its ends, channel_cost (NaN where none is declared), value_per_cost with its ends, cost_share (of all declared
        spend), value_share (of the channels with spend) with its ends, allocation: ``above share`` (surely more of the spend
        than of the value), ``below share``, ``even`` or ``cannot say``; excess_points (cost share less value share).
    """
    tables = {"sessions": sessions, "marks": marks, "orders": orders}
    cells = engine_of(sessions, marks, orders).query(statement(__file__, "by_channel"), tables, goal=goal)
    remains = 1.0 if margin is None else margin
    worth = cells.revenue * remains if goal_value is None else cells.completions * goal_value
    cells = cells.assign(worth=worth.astype(float), wins=cells.orders if goal_value is None else cells.completions)
    counts = ["sessions", "goal_sessions", "orders", "revenue", "worth"]
    table = cells.groupby("channel", sort=True)[counts].sum().reset_index().rename(columns={"worth": "channel_value"})
    table = table.astype({"sessions": int, "goal_sessions": int, "orders": int})
    table["channel_cost"] = costs_of(table.channel, costs)
    table = _with_intervals(table, cells, seed)
    table["allocation"] = [_verdict(row) for row in table.itertuples()]
    order = table.channel_cost.fillna(-1)
    return table.assign(_order=order).sort_values(["_order", "channel_value"], ascending=False).drop(
        columns="_order"
    ).reset_index(drop=True)  # fmt: skip


def costs_of(channels: pd.Series, costs: Mapping[str, Any]) -> pd.Series:
    """Return the declared cost of each channel, NaN where there is none: ``paid_search`` is meant for Paid Search."""
    spent = {_stem(name): float(cost) for name, cost in costs.items()}
    return channels.map(lambda name: spent.get(_stem(name), np.nan)).astype(float)


def unmatched(costs: Iterable[str], channels: pd.Series) -> list[str]:
    """Return the channels with a declared cost that no session came through."""
    known = {_stem(name) for name in channels}
    return [name for name in costs if _stem(name) not in known]


def team_allocation(
    plan: pd.DataFrame,
    people: Mapping[str, Any],
    *,
    day_rate: float | None = None,
    tools: Mapping[str, Any] | None = None,
) -> pd.DataFrame:
    """
    Compare each team's share of people and tools with its share of what is being lost.

    Parameters
    ----------
    plan : DataFrame
        From `plan.plan`.
    people : mapping
        Team -> ``5 days``, or an amount.
    day_rate : float, optional
        What a day costs; without it, days are compared.
    tools : mapping, optional
        Team -> amount.

    Returns
    -------
    DataFrame
        One row per team with people or a priced task: owner, tasks (its rows of the plan), priced (those of them with a
        price that are not over), unit, largest_low and largest_high (its largest priced task, a month: tasks are never
        added up), need_share with its ends (of the sum over teams), people_days, team_cost, cost_share (of all declared),
        allocation: ``above share`` (of people, against need), ``below share``, ``even``, ``no priced task``,
        ``nothing found``; ``need`` where nobody declared what the teams have.
    """
    valued = plan[plan.value_low.notna() & ~plan.is_over] if len(plan) else plan
    tasks, rows = plan.owner.value_counts(), []
    declared = {_plain(name): _people(value, day_rate) for name, value in people.items()}
    extra = {_plain(name): float(amount) for name, amount in (tools or {}).items()}
    names = dict.fromkeys([*valued.owner, *declared, *extra])
    for owner in names:
        mine = valued[valued.owner == owner]
        best = mine.sort_values("value_low", ascending=False).head(1)
        days, cost = declared.get(owner, (np.nan, 0.0 if owner in extra else np.nan))
        rows.append(
            (owner, int(tasks.get(owner, 0)), len(mine), best.unit.iloc[0] if len(best) else None, _first(best, "value_low"),
             _first(best, "value_high"), mine.value_low.sum(), mine.value_high.sum(), days, cost + extra.get(owner, 0.0))
        )  # fmt: skip
    columns = ["owner", "tasks", "priced", "unit", "largest_low", "largest_high", "_low", "_high"]
    table = pd.DataFrame(rows, columns=[*columns, "people_days", "team_cost"]).astype({"_low": float, "_high": float})
    return _need(table).sort_values("need_share", ascending=False, ignore_index=True)


def findings(channels: pd.DataFrame) -> list[Finding]:
    """Return the channels that surely have more of the spend than of the value, and at whose expense."""
    if "allocation" not in channels or not (channels.allocation == OVER).any():
        return []
    under = channels[channels.allocation == UNDER].sort_values("excess_points")
    made = []
    for row in channels[channels.allocation == OVER].itertuples():
        values = {
            "key": row.channel, "channel": row.channel, "cost": row.channel_cost, "cost_share": row.cost_share,
            "value_share": row.value_share, "value_share_low": row.value_share_low,
            "value_share_high": row.value_share_high, "per_cost": row.value_per_cost,
            "instead": under.channel.iloc[0] if len(under) else None,
        }  # fmt: skip
        claim = "allocation.over_instead" if len(under) else "allocation.over"
        made.append(
            Finding(kind="opportunity", chapter="05", claim=claim, severity="medium" if row.excess_points > 0.1 else "low",
                    verdict="counted", values=values, next_step="allocation.next", owner="acquisition")
        )  # fmt: skip
    return made


def _with_intervals(table: pd.DataFrame, cells: pd.DataFrame, seed: int) -> pd.DataFrame:
    place = {name: n for n, name in enumerate(table.channel)}
    worth = np.zeros((256, len(table)))
    buckets = cells.bucket.map(lambda text: int(text, 16)).to_numpy(int)
    np.add.at(worth, (buckets, cells.channel.map(place).to_numpy(int)), cells.worth.to_numpy(float))
    random = np.random.default_rng(seed)
    drawn = random.poisson(1.0, (REPLICATES, 256)) @ worth
    cost = table.channel_cost.to_numpy(float)
    has = ~np.isnan(cost)
    told = (drawn[:, has].sum(1) > 0).all()  # so few have won that drawn anew it may be none: no shares
    # Half a completion more, as Jeffreys' prior has it: none of thirty sessions is not surely none.
    drawn = drawn + random.gamma(0.5, 1.0, drawn.shape) * _worth_of_one(cells, table.channel)
    total = drawn[:, has].sum(1, keepdims=True) if told else np.full((REPLICATES, 1), np.nan)
    with np.errstate(divide="ignore", invalid="ignore"):
        parts = {"channel_value": drawn, "value_per_cost": drawn / cost, "value_share": drawn / total}
        whole = table.channel_value.to_numpy(float)[has].sum()
        found = table.assign(
            value_per_cost=table.channel_value / np.where(cost > 0, cost, np.nan),
            cost_share=cost / np.nansum(cost) if np.nansum(cost) > 0 else np.nan,
            value_share=np.where(has, table.channel_value / whole, np.nan) if whole > 0 else np.nan,
        )
    for name, values in parts.items():
        usable = np.isfinite(values).all(axis=0) & (has | (name == "channel_value"))
        low, high = np.full(len(table), np.nan), np.full(len(table), np.nan)
        if usable.any():
            low[usable], high[usable] = np.quantile(values[:, usable], [0.025, 0.975], axis=0)
        found[f"{name}_low"], found[f"{name}_high"] = low, high
    return found.assign(excess_points=found.cost_share - found.value_share)


def _worth_of_one(cells: pd.DataFrame, channels: pd.Series) -> np.ndarray:
    """Return what one completion of each channel is worth; one of all channels' stands beside its own, as it may have none."""
    sums = cells.groupby("channel")[["worth", "wins"]].sum().astype(float).reindex(channels)
    every = sums.worth.sum() / max(sums.wins.sum(), 1.0)
    return ((sums.worth + every) / (sums.wins + 1.0)).to_numpy()


def _verdict(row: Any) -> str | None:
    if np.isnan(row.channel_cost):
        return None
    if np.isnan(row.value_share_low):
        return CANNOT_SAY
    if row.value_share_high < row.cost_share:
        return OVER
    return UNDER if row.value_share_low > row.cost_share else EVEN


def _need(table: pd.DataFrame) -> pd.DataFrame:
    low, high = table._low, table._high
    middle = (low + high) / 2
    others_low, others_high = low.sum() - low, high.sum() - high
    with np.errstate(divide="ignore", invalid="ignore"):
        table = table.assign(
            need_share=middle / middle.sum() if middle.sum() else np.nan,
            need_share_low=low / (low + others_high).replace(0, np.nan),
            need_share_high=high / (high + others_low).replace(0, np.nan),
        )
    measured = table.team_cost if table.team_cost.notna().any() else table.people_days
    share = measured / measured.sum() if measured.notna().any() else pd.Series(np.nan, table.index)
    # A team without a priced task is not too large: what its tasks are worth is not known.
    over = np.select(
        [table.tasks == 0, table.priced == 0, share.isna(), share > table.need_share_high, share < table.need_share_low],
        [NO_TASK, NO_PRICE, NEED, OVER, UNDER], EVEN,
    )  # fmt: skip
    return table.assign(cost_share=share, allocation=over).drop(columns=["_low", "_high"])


def _people(value: Any, day_rate: float | None) -> tuple[float, float]:
    """Days and their cost; an amount without days has no days."""
    found = DAYS.fullmatch(str(value))
    if found:
        days = float(found[1].replace(",", "."))
        return days, days * float(day_rate) if day_rate else float("nan")
    return float("nan"), float(str(value).replace(",", "."))


def _first(rows: pd.DataFrame, column: str) -> float:
    return float(rows[column].iloc[0]) if len(rows) else float("nan")


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", str(name).lower()).strip("_")


def _stem(name: str) -> str:
    """`affiliate` is Affiliates: case, spaces, underscores and a plural do not matter."""
    return _plain(name).removesuffix("s")
