"""Totals without visitors: from impression to parcel, what each stage passes on, where it is weak, and what broke."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pandas as pd

from conversion_audit.analysis.stage_names import MERGED, begins_anew, parameter, stage_order, tools
from conversion_audit.analysis.statistics import bh, ratio_se, wilson
from conversion_audit.engine import AnyTable, engine_of, statement

Z95 = 1.96
FDR = 0.10
FEWEST = 30


def stage_table(counts: AnyTable, by: Sequence[str] = (), order: Sequence[str] | None = None) -> pd.DataFrame:
    """
    Return what each stage passes on.

    Parameters
    ----------
    counts : table
        See `tables.STAGE_COUNTS`.
    by : sequence of str
        ``segment`` and ``week`` break it down.
    order : sequence of str, optional
        Stages in order; the usual order otherwise, of each segment its own: campaigns may be another tool's.

    Returns
    -------
    DataFrame
        One row per group and stage, in order::

                stage          of   parameter    count  of_count    rate  rate_low  rate_high    cost  cost_per
           impression        None       reach  400,000       NaN     NaN       NaN        NaN     NaN    0.0100
                click  impression  click_rate    6,000   400,000  0.0150    0.0146     0.0154  4000.0    0.6667

        `rate` is of the stage before (`of`); NaN where that is 0, and where a chain begins: at the first stage, and at
        messages that nobody asked for at the stage before. It has no interval where the stage counts more than the one
        before: that is no share. `cost_per` is all cost of the group over the count.
    """
    return _passed_on(by_week(counts), list(by), order)


def _passed_on(frame: pd.DataFrame, by: list[str], order: Sequence[str] | None) -> pd.DataFrame:
    chains, whole = _chains(frame, order), list(order or stage_order(frame))
    summed = frame.groupby([*by, "stage"], dropna=False, sort=True)[["count", "cost"]].sum(min_count=1).reset_index()
    parts = []
    for key, part in summed.groupby(by, dropna=False, sort=True) if by else [((), summed)]:
        chain = chains[part.segment.iloc[0]] if "segment" in by else whole
        rows = part.set_index("stage").reindex([s for s in chain if s in set(part.stage)])
        rows = _rates(rows.reset_index(), float(part.cost.sum(min_count=1)))
        keys = key if isinstance(key, tuple) else (key,)
        parts.append(rows.assign(**dict(zip(by, keys, strict=True)))[[*by, *rows.columns]])
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=[*by, *_COLUMNS])


_COLUMNS = ["stage", "of", "parameter", "count", "of_count", "rate", "rate_low", "rate_high", "cost", "cost_per"]


def by_week(counts: AnyTable) -> pd.DataFrame:
    """Return the counts by stage, segment and week; what names no segment is ``(all)``."""
    frame = engine_of(counts).query(statement(__file__, "by_week"), {"stage_counts": counts})
    return frame.assign(segment=frame.segment.astype(object).where(frame.segment.notna(), "(all)"))


def _chains(frame: pd.DataFrame, order: Sequence[str] | None) -> dict[str, list[str]]:
    """Segment -> its stages in order."""
    return {segment: list(order or stage_order(rows)) for segment, rows in frame.groupby("segment")}


def _rates(rows: pd.DataFrame, cost: float) -> pd.DataFrame:
    of = [None, *rows.stage][: len(rows)]
    of = [None if begins_anew(*pair) else pair[1] for pair in zip(rows.stage, of, strict=True)]
    before = rows["count"].shift().where(pd.Series(of, index=rows.index).notna())
    is_share = (before > 0) & (rows["count"] <= before)
    low, high = wilson(np.minimum(rows["count"], before), before)
    with np.errstate(divide="ignore", invalid="ignore"):
        rate = np.where(before > 0, rows["count"] / before, np.nan)
        cost_per = np.where(rows["count"] > 0, cost / rows["count"], np.nan)
    return pd.DataFrame(
        {
            "stage": rows.stage,
            "of": of,
            "parameter": [_share_name(*pair) for pair in zip(rows.stage, of, strict=True)],
            "count": rows["count"],
            "of_count": before,
            "rate": rate,
            "rate_low": np.where(is_share, low, np.nan),
            "rate_high": np.where(is_share, high, np.nan),
            "cost": rows.cost,
            "cost_per": cost_per,
        }
    )


def _share_name(stage: str, before: str | None) -> str | None:
    """Where a chain begins there is no share to name, but the reach of what was shown."""
    name = parameter(stage, before)
    return name if before or name == "reach" else None


def weak_links(counts: AnyTable, order: Sequence[str] | None = None) -> pd.DataFrame:
    """
    Return each stage's share against siblings (other segments) and against its own past (first half of the weeks).

    Weeks vary more than chance alone would make counts vary, so intervals come from the weeks.

    Returns
    -------
    DataFrame
        One row per segment, stage and benchmark (siblings, own_past), the clearest loss first: segment, stage, of,
        parameter, benchmark_kind, rate, benchmark_rate, difference, difference_low, difference_high, lost (at this
        stage), is_weak (surely lower with all comparisons allowed for, a false one in ten, and by at least 5 %). Never
        against other companies, never of what a report merged, and never where more are counted than at the stage before.
    """
    from scipy.special import ndtr

    frame = by_week(counts)
    frame = frame[~frame.segment.str.lower().isin(MERGED)]
    links = {segment: list(pairwise(chain)) for segment, chain in _chains(frame, order).items()}
    rows = []
    for before, stage in dict.fromkeys(pair for chain in links.values() for pair in chain):
        wide = _pairs(frame[[(before, stage) in links[one] for one in frame.segment]], before, stage)
        for segment, own in wide.groupby("segment"):
            rest = wide[wide.segment != segment]
            rows.append((segment, stage, before, "siblings", *_compared(own, rest)))
            weeks = sorted(own.week.dropna().unique())
            middle = weeks[len(weeks) // 2] if len(weeks) >= 4 else None
            late, early = (own[own.week >= middle], own[own.week < middle]) if middle is not None else (own, own[:0])
            rows.append((segment, stage, before, "own_past", *_compared(late, early)))
    columns = ["segment", "stage", "of", "benchmark_kind", "rate", "benchmark_rate", "difference"]
    table = pd.DataFrame(rows, columns=[*columns, "difference_low", "difference_high", "lost"])
    table.insert(3, "parameter", [parameter(*pair) for pair in zip(table.stage, table.of, strict=True)])
    table = table.dropna(subset=["difference"])
    spread = ((table.difference_high - table.difference) / Z95).astype(float)
    surely = bh(ndtr(table.difference.astype(float) / spread.where(spread > 0)), FDR)[0]
    below = (table.difference_high < 0) & (table.difference < -0.05 * table.benchmark_rate)
    table = table.assign(is_weak=surely & below)
    return table.sort_values(["is_weak", "lost"], ascending=[False, False], kind="stable", ignore_index=True)


def _pairs(frame: pd.DataFrame, before: str, stage: str) -> pd.DataFrame:
    """
    One row per segment and week: how many reached the stage before, and the stage.

    A segment that never names one of them is left out: what its tool does not count is not zero. Where it names both, a
    week without one of them is 0, for tools that list stages leave out those that nobody reached.
    """
    both = frame[frame.stage.isin([before, stage])]
    both = both[both.groupby("segment").stage.transform("nunique") == 2]
    wide = both.pivot_table(index=["segment", "week"], columns="stage", values="count", aggfunc="sum", dropna=False)
    wide = wide.reindex(columns=[before, stage]).fillna(0).reset_index()
    return wide.rename(columns={before: "n", stage: "y"})[["segment", "week", "n", "y"]]


def _compared(here: pd.DataFrame, there: pd.DataFrame) -> tuple[float, ...]:
    if here.n.sum() < FEWEST or there.n.sum() < FEWEST:
        return (np.nan,) * 6
    rate, benchmark = here.y.sum() / here.n.sum(), there.y.sum() / there.n.sum()
    if max(rate, benchmark) > 1:  # no shares
        return (np.nan,) * 6
    spread = np.sqrt(_spread(here, rate) ** 2 + _spread(there, benchmark) ** 2)
    difference = rate - benchmark
    lost = max(0.0, -difference) * here.n.sum()
    return rate, benchmark, difference, difference - Z95 * spread, difference + Z95 * spread, lost


def _spread(rows: pd.DataFrame, rate: float) -> float:
    chance = np.sqrt(max(rate * (1 - min(rate, 1)), 0) / rows.n.sum())
    weekly = ratio_se(rows.y, rows.n, np.arange(len(rows))) if len(rows) > 1 else np.nan
    return float(np.nanmax([chance, weekly]))


def seam(counts: AnyTable, sessions: AnyTable, order: Sequence[str] | None = None) -> pd.DataFrame:
    """
    Return clicks beside the sessions they should have led to, by week: where totals and events meet.

    Returns
    -------
    DataFrame
        One row per week with clicks, from the first week with sessions to the last: week, clicks (the last stage before
        the visit), sessions (of paid channels; all where none is paid), arrival_rate (sessions of clicks; NaN without
        clicks), is_odd (under half or over 1.2 of the usual week).
    """
    frame = by_week(counts)
    stages = [s for s in order or stage_order(frame) if parameter(s) == "click_rate"]
    clicks = frame[frame.stage.isin(stages[-1:])].groupby("week")["count"].sum()
    weeks = engine_of(counts, sessions).query(statement(__file__, "sessions_by_week"), {"sessions": sessions})
    weeks = weeks.set_index("week")
    arrived = weeks.paid if weeks.paid.sum() > 0 else weeks.sessions
    both = pd.DataFrame({"clicks": clicks, "sessions": arrived})
    # A week without any session counts as 0 between weeks that have some; outside them the export says nothing.
    covered = both.sessions.ffill().notna() & both.sessions.bfill().notna()
    table = both[covered].dropna(subset=["clicks"]).fillna({"sessions": 0}).astype({"sessions": "int64"})
    table = table.reset_index(names="week")
    with np.errstate(divide="ignore", invalid="ignore"):
        table["arrival_rate"] = np.where(table.clicks > 0, table.sessions / table.clicks, np.nan)
    usual = table.arrival_rate.median()
    return table.assign(is_odd=(table.arrival_rate < 0.5 * usual) | (table.arrival_rate > 1.2 * usual))


_SOURCES = ("totals", "messages")


def joined_stages(counts: AnyTable, steps: pd.DataFrame, order: Sequence[str] | None = None) -> pd.DataFrame:
    """
    Return one chain: stage counts before the visit, then sessions and steps; every stage where there are no sessions.

    Parameters
    ----------
    steps : DataFrame
        step, at_risk, passed of sessions (see `friction`'s step table), in order.

    Returns
    -------
    DataFrame
        One row per stage or step: step, count (of totals as the tool counts, of events sessions), source (totals or
        events; messages of a tool that does not follow on from the others are a chain of their own, see `stage_names.tools`).
    """
    frame = by_week(counts)
    own = steps[steps.unit == "session"] if "unit" in steps else steps
    own = own if own.at_risk.sum() > 0 else own[:0]
    parts = [frame] if order or len(own) else tools(frame)
    passed = [_passed_on(part, [], order).assign(source=name) for part, name in zip(parts, _SOURCES, strict=False)]
    rows = [tuple(row) for row in pd.concat(passed)[["stage", "count", "source"]].to_numpy()]
    if len(own):
        rows = [row for row in rows if parameter(row[0]) in ("reach", "click_rate")]
        rows.append(("session", own.at_risk.iloc[0], "events"))
        rows += [(row.step, row.passed, "events") for row in own.itertuples()]
    return pd.DataFrame(rows, columns=["step", "count", "source"])
