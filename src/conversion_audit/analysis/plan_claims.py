"""Chapter 05 as it is told: which sentence holds, and tables with no more columns than a page bears."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pandas as pd

from conversion_audit.analysis import allocation
from conversion_audit.analysis.testing import MOST_WEEKS, NO_RATE, TEST
from conversion_audit.findings import levels

# Of the plan -> what columns begin with.
UNITS = {"margin": "margin", "revenue": "revenue", "value": "value", "orders": "completions"}
A_MONTH = {"value_low": "a_month_low", "value_high": "a_month_high"}
AMOUNTS = [f"{unit}_{ending}" for unit in UNITS.values() for ending in A_MONTH.values()]


def headline(plan: pd.DataFrame, words: Mapping[str, str]) -> tuple[str, dict[str, Any]]:
    """Return the key and the record of the chapter's first sentence; `words`: finding -> its claim."""
    if plan.empty:
        return "plan.headline_none", {}
    live = plan[~plan.is_over]
    priced = live[~live.is_first & live.value_low.notna()]
    first = next(table for table in (priced, live, plan) if len(table)).iloc[0]
    record = first.to_dict() | {
        "n": len(plan),
        "valued": int(plan.value_low.notna().sum()),
        "task": words.get(first.finding, first.finding),
    }
    if first.is_over:
        return "plan.headline_past", record
    if pd.isna(first.value_low):
        return f"plan.headline_{'over' if record['valued'] else 'unpriced'}", record
    return (f"plan.headline_{first.unit}" if first.unit in ("value", "orders") else "plan.headline"), record


def where(segment: str) -> str:
    """Return a segment's values as one phrase."""
    return ", ".join(places(segment))


def places(segment: str) -> list[str]:
    """Return a segment's values, each to be shown by its own word."""
    return levels(json.loads(segment or "{}")) or ["everyone"]


def ranked(plan: pd.DataFrame, words: Mapping[str, str]) -> pd.DataFrame:
    """Return the plan as shown: place, finding, task in words, owner, effort, rates, worth."""
    columns = ["place", "finding", "owner", "effort", "rate", "target_rate", "unit", *A_MONTH, "is_over"]
    shown = plan[columns].copy()
    shown.insert(2, "task", [words.get(one, one) for one in plan.finding])
    return in_units(shown, A_MONTH)


def in_units(table: pd.DataFrame, amounts: Mapping[str, str]) -> pd.DataFrame:
    """Return a table whose amounts (column -> ending) stand in columns named for their unit, in place of `unit`."""
    found: dict[str, pd.Series] = {}
    for unit in (one for one in UNITS if (table.unit == one).any()):
        mine = table[list(amounts)].where(table.unit == unit)
        mine = mine.round() if unit == "orders" else mine
        found |= {f"{UNITS[unit]}_{ending}": mine[column] for column, ending in amounts.items()}
    return table.drop(columns=["unit", *amounts]).assign(**found)


def worth(plan: pd.DataFrame, margin: Any, declared: Any = None) -> tuple[str, dict[str, Any]]:
    """Return the key and the record of the sentence on what the plan's amounts are: margin, revenue, completions, or these
    at what each is `declared` to be worth."""
    unit = next((one for one in UNITS if (plan.unit == one).any()), "none")
    return f"plan.worth_{unit}", {"margin": margin, "declared": declared}


def order(plan: pd.DataFrame) -> pd.DataFrame:
    """Return what would change the order, for what has a price."""
    columns = ["place", "finding", "effort_days", "value_per_day", "place_best", "place_worst", "holds_until_days"]
    rows = plan[plan.value_low.notna() & ~plan.is_over]
    return in_units(rows[[*columns, "next_finding", "unit"]], {"value_per_day": "per_day"}).reset_index(drop=True)


def teams(by_owner: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    """Return each team with its own page of the plan."""
    shown = by_owner.assign(segment=by_owner.segment.map(where))
    by_team = shown.groupby("owner", sort=False)
    return [(owner, in_units(rows.drop(columns="owner"), A_MONTH)) for owner, rows in by_team]


def teams_shown(teams: pd.DataFrame) -> pd.DataFrame:
    """Return the teams as shown: the largest task of each in its unit."""
    return in_units(teams, {"largest_low": "a_month_low", "largest_high": "a_month_high"})


def tests_headline(tests: pd.DataFrame) -> tuple[str, dict[str, Any]]:
    """Return the sentence on how many tasks can be tested here."""
    rated = tests[tests.design != NO_RATE] if len(tests) else tests
    if rated.empty:
        return "testing.headline_none", {}
    able = int((rated.design == TEST).sum())
    record = {"tests": able, "others": len(rated) - able, "weeks": MOST_WEEKS}
    return ("testing.headline" if record["others"] else "testing.headline_all"), record


def tests_shown(tests: pd.DataFrame) -> pd.DataFrame:
    """Return the tests as shown."""
    columns = ["finding", "step", "segment", "rate", "target_rate", "visitors_a_week", "per_arm", "per_arm_arcsine"]
    columns += ["weeks", "smallest_points", "design"]
    return tests[columns].assign(segment=tests.segment.map(where), visitors_a_week=tests.visitors_a_week.round())


def allocation_headline(channels: pd.DataFrame, costs: Mapping[str, Any] | None = None) -> tuple[str, dict[str, Any]]:
    """Return the sentence on where money is, and is missing; `costs`: all that are declared, held here or not."""
    if not _has_spend(channels):
        return ("allocation.headline_other" if costs else "allocation.headline_need"), {}
    over = channels[channels.allocation == allocation.OVER].sort_values("excess_points", ascending=False)
    under = channels[channels.allocation == allocation.UNDER].sort_values("excess_points")
    if over.empty or under.empty:
        return "allocation.headline_even", {}
    return "allocation.headline_over", over.iloc[0].to_dict() | {"instead": under.channel.iloc[0]}


def channels_claim(channels: pd.DataFrame) -> str:
    """Return the key of what the table of channels compares: spend and value, where there are any."""
    if _has_spend(channels):
        return "allocation.channel_claim" if channels.channel_value.sum() else "allocation.channel_claim_spend"
    return "allocation.channel_claim_value" if channels.channel_value.sum() else "allocation.channel_claim_counts"


def channels_value(channels: pd.DataFrame, margin: Any, declared: Any = None) -> tuple[str, dict[str, Any]]:
    """Return the key and the record of the sentence on what value is: margin, revenue, or what a goal is `declared` worth."""
    unit = "goal" if declared is not None else "revenue" if channels.revenue.sum() else "none"
    return f"allocation.value_{'margin' if unit == 'revenue' and margin is not None else unit}", {"margin": margin}


def _has_spend(channels: pd.DataFrame) -> bool:
    return "channel_cost" in channels and bool(channels.channel_cost.notna().any())


def moment(moments: pd.DataFrame) -> tuple[str, dict[str, Any]]:
    """Return the sentence on the moment worth most."""
    known = moments[moments.from_seconds > 0] if len(moments) else moments
    if known.empty:
        at_once = moments[moments.from_seconds == 0] if len(moments) else moments
        return ("treatment.popup_start", at_once.iloc[0].to_dict()) if len(at_once) else ("treatment.popup_none", {})
    best = known.assign(_gone=known.still_there * (1 - known.would_go_on_rate)).sort_values("_gone").iloc[-1]
    return "treatment.popup", best.to_dict()


def offer(days: pd.DataFrame) -> list[tuple[str, dict[str, Any]]]:
    """Return the sentences on offers: by which day most returners are back, and what waiting ones are worth."""
    row = days.iloc[0].to_dict() if len(days) else {"most_day": float("nan")}
    if pd.isna(row["most_day"]):
        return [("treatment.offer_none", {})]
    worth = [] if pd.isna(row["one_in_twenty_value"]) else [("treatment.offer_worth", row)]
    return [("treatment.offer", row), *worth]


def tracking(needed: pd.DataFrame) -> tuple[str, dict[str, Any]]:
    """Return the sentence on what is not measured."""
    if needed.empty:
        return "tracking_plan.headline_none", {}
    return "tracking_plan.headline", {"n": len(needed), "what": needed.what.iloc[0]}
