"""Chapter 04: where people who want to go on are stopped."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pandas as pd

from conversion_audit.analysis import change, effort, friction, friction_claims, stage_claims
from conversion_audit.findings import Finding
from conversion_audit.recipes.fitness import of_totals
from conversion_audit.recipes.goals import declared
from conversion_audit.recipes.recipe import Recipe

if TYPE_CHECKING:
    from conversion_audit.audit import Audit

PARTS = tuple(one.name for one in fields(friction.Diagnosis))
EFFORT_PARTS = tuple(one.name for one in fields(effort.Effort))
KEYS = ("suspects", "adjusters", "seed", "main_goal", "goals", "journey", "micro_conversions")


def diagnosis(audit: Audit) -> friction.Diagnosis:
    """Return the diagnosis of the period, from its kept tables."""
    return friction.Diagnosis.from_tables({name: audit.frame(f"friction_{name}") for name in PARTS})


def effort_of(audit: Audit) -> effort.Effort:
    """Return what the way costs people, from its kept tables."""
    return effort.Effort.from_tables({name: audit.frame(f"effort_{name}") for name in EFFORT_PARTS})


def _negatives(audit: Audit) -> list[str]:
    rules = audit.config.micro_conversions
    return [name for name, one in rules.items() if one.type == "negative" and not one.rule]


def _diagnosed(audit: Audit) -> friction.Diagnosis:
    config = audit.config
    return friction.diagnose(
        audit.marks,
        audit.sessions,
        config.steps,
        config.suspects,
        config.adjusters,
        negatives=_negatives(audit),
        events=audit.events,
        earns=config.goals[config.main_goal].value == "revenue",
        goal_value=declared(audit),
        seed=config.seed,
    )


def _felt(audit: Audit) -> effort.Effort:
    config = audit.config
    return effort.effort(
        audit.marks,
        audit.sessions,
        config.steps,
        config.suspects,
        negatives=_negatives(audit),
        beside=list(config.micro_conversions),
        events=audit.events,
    )


def _halves(audit: Audit) -> tuple[Any, ...]:
    """Marks, sessions, goal, the adjusters that sessions have, and the two halves of the period."""
    config, start, end = audit.config, audit.period.start, audit.period.end
    middle = start + timedelta(days=((end - start).days + 1) // 2)
    adjusters = [name for name in config.adjusters if name in audit.sessions.columns]
    return audit.marks, audit.sessions, config.main_goal, adjusters, (start, middle - timedelta(days=1)), (middle, end)


def _moved(audit: Audit) -> pd.DataFrame:
    return change.mix_and_rate(*_halves(audit), seed=audit.config.seed)


def _moved_by(audit: Audit) -> pd.DataFrame:
    return change.mix_and_rate_by(*_halves(audit), seed=audit.config.seed)


def _part(name: str) -> Callable[[Audit], pd.DataFrame]:
    return lambda audit: getattr(audit.once("friction", lambda: _diagnosed(audit)), name)


def _effort_part(name: str) -> Callable[[Audit], pd.DataFrame]:
    return lambda audit: getattr(audit.once("effort", lambda: _felt(audit)), name)


def headline(audit: Audit) -> tuple[str, dict[str, Any]]:
    """Return the chapter's first sentence: of visits, or of totals where there are no visits."""
    if audit.has("events"):
        return friction_claims.headline(diagnosis(audit))
    return stage_claims.headline(audit.table("stage_counts"))


TABLES = {f"friction_{name}": Recipe(_part(name), needs=("marks", "sessions"), keys=KEYS) for name in PARTS}
TABLES |= {
    f"effort_{name}": Recipe(_effort_part(name), needs=("marks", "sessions"), keys=KEYS) for name in EFFORT_PARTS
}
TABLES |= {
    "moved": Recipe(_moved, needs=("marks", "sessions"), keys=KEYS),
    "moved_by": Recipe(_moved_by, needs=("marks", "sessions"), keys=KEYS),
    "moved_cells": Recipe(lambda audit: change.cell_changes(*_halves(audit)), needs=("marks", "sessions"), keys=KEYS),
}


def findings(audit: Audit) -> list[Finding]:
    """Return what the chapter claims."""
    told = of_totals(audit)
    told += stage_claims.findings(audit.table("stage_counts")) if audit.has("stage_counts") else []
    if not len(audit.sessions):
        return told
    return [*friction.findings(diagnosis(audit)), *effort.findings(effort_of(audit)), *told]
