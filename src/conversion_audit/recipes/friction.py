"""Chapter 04: where people who want to go on are stopped."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from typing import TYPE_CHECKING

import pandas as pd

from conversion_audit.analysis import friction
from conversion_audit.findings import Finding
from conversion_audit.recipes.recipe import Recipe

if TYPE_CHECKING:
    from conversion_audit.audit import Audit

PARTS = tuple(one.name for one in fields(friction.Diagnosis))
KEYS = ("suspects", "adjusters", "seed", "main_goal", "journey", "micro_conversions")


def diagnosis(audit: Audit) -> friction.Diagnosis:
    """Return the diagnosis of the period, from its kept tables."""
    return friction.Diagnosis.from_tables({name: audit.frame(f"friction_{name}") for name in PARTS})


def _diagnosed(audit: Audit) -> friction.Diagnosis:
    config = audit.config
    negatives = [name for name, one in config.micro_conversions.items() if one.type == "negative" and not one.rule]
    return friction.diagnose(
        audit.marks,
        audit.sessions,
        config.steps,
        config.suspects,
        config.adjusters,
        negatives=negatives,
        events=audit.events,
        seed=config.seed,
    )


def _part(name: str) -> Callable[[Audit], pd.DataFrame]:
    return lambda audit: getattr(audit.once("friction", lambda: _diagnosed(audit)), name)


TABLES = {f"friction_{name}": Recipe(_part(name), needs=("marks", "sessions"), keys=KEYS) for name in PARTS}


def findings(audit: Audit) -> list[Finding]:
    """Return what the chapter claims."""
    return friction.findings(diagnosis(audit))
