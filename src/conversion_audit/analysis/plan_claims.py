"""Chapter 05 as it is told: which sentence holds, and tables with no more columns than a page bears."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pandas as pd

from conversion_audit.analysis import allocation
from conversion_audit.analysis.testing import MOST_WEEKS, NO_RATE, TEST


def headline(plan: pd.DataFrame, words: Mapping[str, str]) -> tuple[str, dict[str, Any]]:
    """Return the key and the record of the chapter's first sentence; `words`: finding -> its claim."""
    if plan.empty:
        return "plan.headline_none", {}
    live = plan[~plan.is_over & ~plan.is_first]
    first = (live if len(live) else plan).iloc[0]
    record = first.to_dict() | {
        "n": len(plan),
        "valued": int(plan.value_low.notna().sum()),
        "task": words.get(first.finding, first.finding),
    }
    if pd.isna(first.value_low):
        return "plan.headline_unpriced", record
    return ("plan.headline_orders" if first.unit == "orders" else "plan.headline"), record


def where(segment: str) -> str:
    """Return a segment's values as one phrase."""
    return ", ".join(places(segment))


def places(segment: str) -> list[str]:
    """Return a segment's values, each to be shown by its own word."""
    return [str(value) for value in json.loads(segment or "{}").values()] or ["everyone"]


def ranked(plan: pd.DataFrame, words: Mapping[str, str]) -> pd.DataFrame:
    """Return the plan as shown: place, finding, task in words, owner, effort, rates, worth."""
    columns = ["place", "finding", "owner", "effort", "rate", "target_rate"]
    shown = plan[columns].copy()
    shown.insert(2, "task", [words.get(one, one) for one in plan.finding])
    names = ("value_low", "value_high")
    if (plan.unit == "orders").any():
        return shown.assign(**{f"completions_{name[6:]}": plan[name].round() for name in names})
    return shown.assign(**{name: plan[name] for name in names}, is_over=plan.is_over)


def order(plan: pd.DataFrame) -> pd.DataFrame:
    """Return what would change the order, for what has a price."""
    columns = ["place", "finding", "effort_days", "value_per_day", "place_best", "place_worst", "holds_until_days"]
    rows = plan[plan.value_low.notna() & ~plan.is_over]
    return rows[[*columns, "next_finding"]].reset_index(drop=True)


def teams(by_owner: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    """Return each team with its own page of the plan."""
    shown = by_owner.assign(segment=by_owner.segment.map(where))
    return [(owner, rows.drop(columns=["owner", "unit"])) for owner, rows in shown.groupby("owner", sort=False)]


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


def allocation_headline(channels: pd.DataFrame) -> tuple[str, dict[str, Any]]:
    """Return the sentence on where money is, and is missing."""
    if "channel_cost" not in channels or channels.channel_cost.isna().all():
        return "allocation.headline_need", {}
    over = channels[channels.allocation == allocation.OVER].sort_values("excess_points", ascending=False)
    under = channels[channels.allocation == allocation.UNDER].sort_values("excess_points")
    if over.empty or under.empty:
        return "allocation.headline_even", {}
    return "allocation.headline_over", over.iloc[0].to_dict() | {"instead": under.channel.iloc[0]}


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
