"""Chapters 05 and 06: the plan, how it is tested, and the cells by which the next audit sees what moved."""

from __future__ import annotations

from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pandas as pd

from conversion_audit import review
from conversion_audit.analysis import (
    allocation,
    cells,
    plan,
    tracking_plan,
    treatment,
    treatment_groups,
    treatment_segments,
)
from conversion_audit.engine import AnyTable
from conversion_audit.findings import Finding
from conversion_audit.recipes.goals import channel_costs, declared, worth
from conversion_audit.recipes.recipe import Recipe

if TYPE_CHECKING:
    from conversion_audit.audit import Audit

KEYS = ("goals", "micro_conversions", "main_goal", "journey", "kpis", "suspects", "adjusters", "seed", "costs")
VIEWED, BOUGHT = "viewed", "bought"
CELL_KEYS = ("goals", "micro_conversions", "main_goal", "journey", "kpis", "suspects", "adjusters")


def reviewed(audit: Audit) -> list[dict[str, Any]]:
    """Return the findings as the consultant wants them told: effort, owner and status on them, own ones added."""
    path = audit.folders.data / "review.yaml"
    read = review.read_review(path, f"data/{audit.folders.client}/{path.name}")
    return review.reviewed(audit.findings, read).findings


def plan_of(audit: Audit) -> pd.DataFrame:
    """Return the ranked plan; see `analysis.plan`."""
    return plan.plan(reviewed(audit), audit.config.steps, days_counted(audit), margin=_margin(audit))


def days_counted(audit: Audit) -> int:
    """Return the days of the period that the export reaches, blind ones left out; all of them where only totals are known."""
    first, last = audit.period.start, audit.period.end
    sql = "SELECT MIN(date) AS first, MAX(date) AS last FROM sessions "
    sql += "WHERE set_aside IS NULL AND date >= CAST($first AS DATE) AND date <= CAST($last AS DATE)"
    seen = audit.engine.query(sql, {"sessions": audit.every_session}, first=first, last=last).iloc[0]
    if pd.isna(seen["first"]):
        return (last - first).days + 1
    return (pd.Timestamp(seen["last"]) - pd.Timestamp(seen["first"])).days + 1 - len(audit.blind_days)


def teams_of(audit: Audit, planned: pd.DataFrame) -> pd.DataFrame:
    """Return teams against what is lost at their steps; see `analysis.allocation`."""
    costs = audit.config.costs
    return allocation.team_allocation(planned, costs.people, day_rate=_float(costs.day_rate), tools=costs.tools)


def _margin(audit: Audit) -> float | None:
    return _float(audit.config.costs.margin)


def _float(value: Any) -> float | None:
    return None if value is None else float(value)


def worth_unit(audit: Audit) -> str:
    """Return what `worth` is: revenue, or as the config declares it."""
    return "revenue" if audit.config.goals[audit.config.main_goal].value == "revenue" else "declared"


def _cells(audit: Audit) -> AnyTable:
    config = audit.config
    kpis = [{"name": name, **one.model_dump()} for name, one in config.kpis.items()]
    columns = [*config.suspects, *config.adjusters]
    return cells.cells(audit.marks, audit.sessions, config.steps, list(config.goals), kpis, columns)


def _channels(audit: Audit) -> AnyTable:
    config = audit.config
    return allocation.channel_allocation(
        audit.sessions,
        audit.marks,
        audit.orders,
        config.main_goal,
        channel_costs(audit),
        margin=_margin(audit),
        goal_value=declared(audit),
        seed=config.seed,
    )


def _baskets(audit: Audit, what: str) -> AnyTable:
    step = audit.config.steps[0] if what == VIEWED else audit.config.main_goal
    return treatment.baskets(audit.items, audit.events, audit.marks, step)


def _words(audit: Audit) -> pd.DataFrame:
    return treatment.words(audit.items, audit.events, audit.config.currency or "")


def _pairs(audit: Audit, what: str) -> pd.DataFrame:
    return treatment.companions(_baskets(audit, what), _words(audit))


def _moments(audit: Audit, marks: AnyTable | None = None) -> pd.DataFrame:
    counts = audit.frame("cells")
    steps = audit.config.steps
    passed = counts[counts.kind == cells.STEP].groupby("name").passed.sum()
    goal = passed.get(steps[-1], 0)
    rates = pd.Series({step: goal / max(passed.get(after, 0), 1) for step, after in pairwise(steps)}, dtype=float)
    mine = audit.marks if marks is None else marks
    return treatment.moments(mine, audit.sessions, steps, goal_rates=rates, value=worth(audit))


def _groups(audit: Audit) -> AnyTable:
    config = audit.config
    buyers = {name: one.can_buy for name, one in config.intents.items()}
    intents = audit.table("session_intents")
    return treatment_groups.groups(intents, audit.sessions, audit.every_session, audit.history, config.steps, buyers)


def _moments_by_group(audit: Audit) -> pd.DataFrame:
    groups = audit.table("treatment_groups")
    table = treatment_groups.by_group(groups, audit.marks, lambda marks, _: _moments(audit, marks))
    return table[table.from_seconds.notna()].reset_index(drop=True)


def _recommended_by_group(audit: Audit) -> pd.DataFrame:
    groups, words = audit.table("treatment_groups"), _words(audit)

    def made(held: AnyTable, count: int) -> pd.DataFrame:
        return treatment.companions(held, words, confidence=1 - 0.05 / max(count, 1))  # allows for all groups looked at

    parts = [
        treatment_groups.by_group(groups, _baskets(audit, what), made).assign(what=what) for what in (VIEWED, BOUGHT)
    ]
    return treatment_groups.surest(pd.concat(parts, ignore_index=True))


def _returns(audit: Audit) -> AnyTable:
    config = audit.config
    found = treatment.return_days(audit.marks, audit.sessions, config.steps, config.main_goal, value=worth(audit))
    return pd.DataFrame([found | {"unit": worth_unit(audit)}])


def pairs(audit: Audit) -> dict[str, pd.DataFrame]:
    """Return products that occur together, by what was done with them; nothing where the export holds no product."""
    return {name: audit.frame(f"{name}_with") for name in ("viewed", "bought") if audit.has("items")}


def pairs_by_group(audit: Audit) -> dict[str, pd.DataFrame]:
    """Return the same for each group of visitors."""
    return {"pairs": audit.frame("recommended_by_group")} if audit.has("items") else {}


def segment_treatments(audit: Audit) -> pd.DataFrame:
    """Return what suits each behavioural segment; see `analysis.treatment_segments`."""
    day = float(audit.frame("return_days").most_day.iloc[0])
    lists = audit.frame("audiences").name.tolist()
    return treatment_segments.segment_treatments(
        audit.frame("behaviour"), day, worth(audit), lists, recommendable=_recommendable(audit)
    )


def _recommendable(audit: Audit) -> set[str]:
    """Where products surely occur together, for all visitors or for a group of them: looked at, bought."""
    known = {name for name, table in pairs(audit).items() if len(table)}
    return known.union(*(table.what for table in pairs_by_group(audit).values()))


def _tracking(audit: Audit) -> AnyTable:
    config = audit.config
    names = [*config.steps, *(name for name in config.micro_conversions if name not in config.steps)]
    counted = audit.frame("cells")
    events = counted[counted.kind == cells.EVENT].groupby("name").passed.sum()
    seen = {name: int(events.get(name, 0)) for name in names}
    found = audit.events, audit.orders, audit.sessions
    return tracking_plan.tracking_plan(*found, seen, config.steps, sells=config.sells)


_MARKS = ("marks", "sessions")

TABLES = {
    "cells": Recipe(_cells, _MARKS, CELL_KEYS),
    "channel_allocation": Recipe(_channels, _MARKS, (*KEYS, "period")),
    "viewed_with": Recipe(partial(_pairs, what=VIEWED), _MARKS, KEYS),
    "bought_with": Recipe(partial(_pairs, what=BOUGHT), _MARKS, KEYS),
    "moments": Recipe(_moments, ("cells",), KEYS),
    "treatment_groups": Recipe(_groups, (*_MARKS, "session_intents"), (*KEYS, "intents")),
    "moments_by_group": Recipe(_moments_by_group, ("cells", "treatment_groups"), (*KEYS, "intents")),
    "recommended_by_group": Recipe(_recommended_by_group, ("treatment_groups",), (*KEYS, "intents")),
    "return_days": Recipe(_returns, _MARKS, KEYS),
    "tracking_plan": Recipe(_tracking, ("cells",), KEYS),
}


def findings(audit: Audit) -> list[Finding]:
    """Return what the chapter claims."""
    return allocation.findings(audit.frame("channel_allocation"))
