"""What each table of chapter 01 says: the key of its sentence and the record that fills it."""

from __future__ import annotations

from typing import Any

import pandas as pd

from conversion_audit.analysis.funnel_segments import UNKNOWN
from conversion_audit.analysis.statistics import newcombe

Claim = tuple[str, dict[str, Any]]


def goal_claim(goals: pd.DataFrame, main_goal: str) -> Claim:
    """Return how many sessions reach the main goal, and what it is worth where it has a value."""
    row = _row(goals, goals.goal == main_goal)
    if not row.get("all_sessions"):
        return "goals.no_sessions", {"goal": main_goal}
    return ("goals.rate" if pd.isna(row["revenue"]) else "goals.rate_and_value"), row


def target_claim(goals: pd.DataFrame, main_goal: str) -> Claim:
    """Return whether the main goal meets its target."""
    row = _row(goals, goals.goal == main_goal)
    answer = {"yes": "goals.target_met", "no": "goals.target_missed", "cannot say": "goals.target_open"}
    return answer.get(row.get("meets"), "goals.no_target"), row or {"goal": main_goal}


def kpi_claim(kpis: pd.DataFrame) -> Claim:
    """Return what the first KPI that could be counted says, and whether it meets its target."""
    counted = kpis[kpis.rate.notna()]
    if not len(counted):
        return "goals.kpi_none", {"kpi": kpis.kpi.iloc[0] if len(kpis) else ""}
    row = counted.iloc[0].to_dict()
    answer = {"yes": "goals.kpi_met", "no": "goals.kpi_missed", "cannot say": "goals.kpi_open"}
    return answer.get(row["meets"], "goals.kpi_plain"), row


def ladder_claim(rungs: pd.DataFrame) -> Claim:
    """Return the rung most sessions reach, and of those reached by at least 30 the one nearest to the goal."""
    steps = rungs[~rungs.type.isin(["goal", "negative"]) & (rungs.sessions >= 30)]
    if not len(steps):
        return "goals.ladder_none", {}
    widest = steps.sort_values(["sessions", "name"], ascending=[False, True]).iloc[0]
    nearest = steps.sort_values(["closeness_rate", "name"], ascending=[False, True]).iloc[0]
    record = {"widest": widest["name"], "reach_rate": widest.reach_rate, "nearest": nearest["name"]}
    return "goals.ladder_claim", record | {"closeness_rate": nearest.closeness_rate, "goal": rungs["name"].iloc[-1]}


def attention_claim(table: pd.DataFrame) -> Claim:
    """Return how many micro-conversions deserve work now, and the widest of them."""
    work = table[table.attention == "work on"]
    watched = int((table.attention == "watch").sum())
    also = "_watched" if watched else ""
    if not len(work):
        return f"goals.attention_none{also}", {"watched": watched, "count": len(table)}
    key = "goals.attention_some" if len(work) > 1 else "goals.attention_one"
    return f"{key}{also}", {"count": len(work), "name": work["name"].iloc[0], "watched": watched}


def weekly_claim(weeks: pd.DataFrame, goal: str) -> Claim:
    """Return the main goal's rate of first and of repeat visits."""
    sums = weeks[weeks.name == goal].groupby("visit")[["sessions", "all_sessions"]].sum()
    rates = (sums.sessions / sums.all_sessions).reindex(["first", "repeat"])
    if rates.isna().any():
        return "goals.weekly_plain", {}
    return "goals.weekly_claim", {"goal": goal, "first_rate": rates["first"], "repeat_rate": rates["repeat"]}


def uncovered_claim(loose: pd.DataFrame) -> Claim:
    """Return the largest event that no micro-conversion covers."""
    mine = loose[~loose.is_automatic.astype(bool)]
    if not len(mine):
        return "goals.covered", {}
    return "goals.uncovered", {"count": len(mine)} | mine.iloc[0].to_dict()


def goes_with_claim(table: pd.DataFrame, about: str = "goals.goes") -> Claim:
    """Return what goes most with the goal, either way, among what is beyond chance; `about` begins the sentences' keys."""
    compared = table[table.odds_ratio.notna()]
    if not len(compared):
        return f"{about}_nothing", {}
    shown = compared[compared.is_shown.astype(bool)]
    if not len(shown):
        return f"{about}_none", {"count": len(compared)}
    strongest = shown.iloc[0].to_dict()
    return f"{about}_{'more' if strongest['odds_ratio'] > 1 else 'less'}", strongest


def channel_claim(channels: pd.DataFrame, goal: str) -> Claim:
    """Return which channel contributes most, and which surely has the highest rate."""
    if (channels.channel == UNKNOWN).all():
        return "goals.channels_unknown", {}
    won = channels[channels.goal_sessions > 0]
    if not len(won):
        return "goals.channels_none", {"goal": goal}
    first = won.iloc[0]
    record = {"goal": goal, "channel": first.channel, "goal_share": first.goal_share}
    best = won.sort_values(["goal_low", "channel"], ascending=[False, True]).iloc[0]
    rest = channels[channels.channel != best.channel][["goal_sessions", "sessions"]].sum()
    counts = (best.goal_sessions, best.sessions, rest.goal_sessions, rest.sessions)
    # Chosen as the best of several: each is held to its part of the error that one alone would have.
    if not newcombe(*counts, confidence=1 - 0.05 / len(channels))[0] > 0:
        return "goals.channel_claim_alike", record
    return "goals.channel_claim", record | {"best": best.channel, "best_rate": best.goal_rate}


def abandoned_claim(by_step: pd.DataFrame, of: str, without: str) -> Claim:
    """Return where most sessions stop that began and did not finish."""
    if of == without:
        return "goals.abandoned_undeclared", {"undone": without}
    if not len(by_step) or not by_step.sessions.sum():
        return "goals.abandoned_none", {"begun": of, "undone": without}
    row = by_step.sort_values(["sessions"], ascending=False, kind="stable").iloc[0].to_dict()
    # Where no step lies between the two, all of them get just as far: that is no news.
    claim = "goals.abandoned_claim" if len(by_step) > 1 else "goals.abandoned_alike"
    return claim, row | {"begun": of, "undone": without}


def repeat_claim(rates: pd.DataFrame) -> Claim:
    """Return the share of buyers who have bought again after the longest time observed."""
    known = rates[rates.repeat_rate.notna()]
    if not len(known):
        return "goals.repeat_unknown", {"buyers": int(rates.buyers.max()) if len(rates) else 0}
    return "goals.repeat_claim", known.iloc[-1].to_dict()


def _row(table: pd.DataFrame, chosen: pd.Series) -> dict[str, Any]:
    rows = table[chosen].to_dict("records")
    return rows[0] if rows else {}
