"""Which channel gets the credit, by eight rules. Each divides the same goals; none measures what caused them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from conversion_audit.engine import AnyTable, engine_of, statement

DIRECT = "direct"
HALF_LIFE_DAYS = 7.0
IN_REPORT = ("first_touch", "last_non_direct", "linear", "markov")


def touches(
    sessions: AnyTable,
    marks: AnyTable,
    orders: AnyTable,
    goal: str,
    *,
    window: float = 30 * 86400.0,
    in_orders: bool = False,
) -> pd.DataFrame:
    """
    Return the paths that lead to a goal, and those that do not (yet).

    A path holds a visitor's visits after the goal before, up to and with the visit of the goal, at most `window` old.

    Parameters
    ----------
    sessions : table
        Of the whole export; ``in_period`` says which count (all without it).
    marks, orders : table
        Of the whole export; orders from `goals.order_goals`.
    goal : str
        The goal.
    window : float
        Seconds before the goal in which a visit gets credit.
    in_orders : bool
        Count the goal's orders, not its marks.

    Returns
    -------
    DataFrame
        One row per visit: path, position (1..), channel, age_days (before the path's last visit), conversions and
        revenue of the path (0: no goal). Revenue is NaN where the goal's orders are not counted: others' are not its own.
    """
    engine = engine_of(sessions, marks, orders)
    held = sessions if not isinstance(sessions, pd.DataFrame) else engine.hold(sessions)
    if "in_period" not in held.columns:
        held = engine.view("SELECT *, TRUE AS in_period FROM s", {"s": held})
    tables = {"sessions": held, "marks": marks, "orders": orders}
    return engine.query(statement(__file__, "touches"), tables, goal=goal, window=float(window), in_orders=in_orders)


def attribution(paths: pd.DataFrame) -> pd.DataFrame:
    """
    Divide goals and revenue among channels by every rule.

    Parameters
    ----------
    paths : DataFrame
        From `touches`.

    Returns
    -------
    DataFrame
        One row per rule and channel, the channels in the order of their linear credit::

            rule             channel   credit  credit_share  revenue
            first_touch      Referral    21.0         0.488  4103.20

        Under each rule credits add up to all goals and revenue to all that the goal brought, NaN where it brings none of
        its own. credit_share is NaN without goals.

    Notes
    -----
    first_touch, last_touch; last_non_direct: the last visit that was not direct, if any; linear: all visits alike;
    time_decay: half as much for every 7 days; position: 40 % first, 40 % last, 20 % between; markov: the loss of
    goals if a channel led nowhere, of a chain of visits solved exactly; shapley: the mean gain of adding a channel to
    those before it, over all orders.

    References
    ----------
    Anderl and others 2016; Shapley 1953.
    """
    won = paths[paths.conversions > 0]
    channels = sorted(paths.channel.unique())
    once = won.drop_duplicates("path")
    totals = pd.Series({"conversions": once.conversions.sum(), "revenue": once.revenue.sum(min_count=1)})
    rows = []
    for rule, weigh in WEIGHTS.items():
        weights = weigh(won)
        credit = (weights * won.conversions).groupby(won.channel).sum().reindex(channels, fill_value=0.0)
        revenue = (weights * won.revenue).groupby(won.channel).sum().reindex(channels, fill_value=0.0)
        revenue = revenue if pd.notna(totals.revenue) else np.nan
        rows.append(pd.DataFrame({"rule": rule, "channel": channels, "credit": credit, "revenue": revenue}))
    shares = markov(paths).share.reindex(channels, fill_value=0.0)
    credits = {"credit": shares * totals.conversions, "revenue": shares * totals.revenue}
    rows.insert(6, pd.DataFrame({"rule": "markov", "channel": channels, **credits}))
    table = pd.concat(rows, ignore_index=True)
    table["credit_share"] = table.credit / (totals.conversions or np.nan)
    return _ordered(table)


def markov(paths: pd.DataFrame) -> pd.DataFrame:
    """
    Return each channel's removal effect in the chain of visits.

    The chain goes from the start from visit to visit, and ends with the goal or without. Without a channel whoever
    would visit it never reaches the goal; the share of goals lost is its removal effect.

    Returns
    -------
    DataFrame
        Index channel: removal_effect (0 to 1) and share (of the sum of effects). Empty without goals.
    """
    if not (paths.conversions > 0).any():
        return pd.DataFrame({"removal_effect": [], "share": []}, dtype=float)
    links = _links(paths)
    channels = sorted(paths.channel.unique())
    matrix = links.pivot_table(index="source", columns="target", values="weight", aggfunc="sum", fill_value=0.0)
    matrix = matrix.div(matrix.sum(axis=1), axis=0)
    whole = _chance(matrix, channels)
    effects = pd.Series({channel: 1 - _chance(matrix, channels, without=channel) / whole for channel in channels})
    effects = effects.clip(lower=0.0).rename_axis("channel")
    return pd.DataFrame({"removal_effect": effects, "share": effects / effects.sum()})


def side_by_side(table: pd.DataFrame, rules: tuple[str, ...] = IN_REPORT) -> pd.DataFrame:
    """Return one row per channel and one column of credit per rule, for the report: channel, first_touch, ..."""
    wide = table.pivot_table(index="channel", columns="rule", values="credit", sort=False)
    wide = wide.reindex(index=table.channel.unique(), columns=list(rules))
    return wide.rename_axis(index="channel", columns=None).reset_index()


def _first(won: pd.DataFrame) -> pd.Series:
    return (won.position == _ends(won)[0]).astype(float)


def _last(won: pd.DataFrame) -> pd.Series:
    return (won.position == _ends(won)[1]).astype(float)


def _last_non_direct(won: pd.DataFrame) -> pd.Series:
    indirect = won.position.where(won.channel.str.lower() != DIRECT)
    last = indirect.groupby(won.path).transform("max").fillna(_ends(won)[1])
    return (won.position == last).astype(float)


def _linear(won: pd.DataFrame) -> pd.Series:
    return 1.0 / won.groupby("path").position.transform("size")


def _time_decay(won: pd.DataFrame) -> pd.Series:
    weight = 2.0 ** (-won.age_days.astype(float) / HALF_LIFE_DAYS)
    return weight / weight.groupby(won.path).transform("sum")


def _position(won: pd.DataFrame) -> pd.Series:
    length = won.groupby("path").position.transform("size")
    first, last = _first(won), _last(won)
    between = 0.2 / (length - 2).where(length > 2)
    weight = (0.4 * (first + last)).where((first + last) > 0, between)
    return weight.mask(length == 2, 0.5).mask(length == 1, 1.0)


def _shapley(won: pd.DataFrame) -> pd.Series:
    """Of a game where a set of channels earns the paths it can walk alone, each path goes in equal parts to its channels."""
    times = won.groupby(["path", "channel"]).position.transform("size")
    return 1.0 / (won.groupby("path").channel.transform("nunique") * times)


def _ends(won: pd.DataFrame) -> tuple[pd.Series, pd.Series]:
    positions = won.groupby("path").position
    return positions.transform("min"), positions.transform("max")


WEIGHTS: dict[str, Callable[[pd.DataFrame], pd.Series]] = {
    "first_touch": _first,
    "last_touch": _last,
    "last_non_direct": _last_non_direct,
    "linear": _linear,
    "time_decay": _time_decay,
    "position": _position,
    "shapley": _shapley,
}


def _links(paths: pd.DataFrame) -> pd.DataFrame:
    """Return source, target, weight of every move; a path with several goals in its last visit weighs as many."""
    ordered = paths.sort_values(["path", "position"], kind="stable")
    weight = ordered.conversions.where(ordered.conversions > 0, 1.0)
    before = ("channel " + ordered.channel).groupby(ordered.path).shift(1).fillna("start")
    moves = pd.DataFrame({"source": before, "target": "channel " + ordered.channel, "weight": weight})
    last = ordered.groupby("path").tail(1)
    target = np.where(last.conversions > 0, "goal", "none")
    ends = pd.DataFrame({"source": "channel " + last.channel, "target": target, "weight": weight[last.index]})
    return pd.concat([moves, ends], ignore_index=True)


def _chance(matrix: pd.DataFrame, channels: list[str], without: str | None = None) -> float:
    """Chance to reach the goal from the start: one linear system, no simulation."""
    states = ["start", *(f"channel {c}" for c in channels if c != without)]
    moves = matrix.reindex(index=states, columns=states, fill_value=0.0).to_numpy()
    won = matrix["goal"].reindex(states, fill_value=0.0).to_numpy()
    return float(np.linalg.solve(np.eye(len(states)) - moves, won)[0])


def _ordered(table: pd.DataFrame) -> pd.DataFrame:
    linear = table[table.rule == "linear"].sort_values(["credit", "channel"], ascending=[False, True]).channel
    place = {channel: n for n, channel in enumerate(linear)}
    rule = {name: n for n, name in enumerate(table.rule.unique())}
    keys = table.assign(rule_place=table.rule.map(rule), channel_place=table.channel.map(place))
    ordered = keys.sort_values(["rule_place", "channel_place"], ignore_index=True)
    return ordered[["rule", "channel", "credit", "credit_share", "revenue"]]
