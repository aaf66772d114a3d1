"""Chapter 03: what sessions came for, and the true conversion rate."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from conversion_audit.analysis import headline as headlines
from conversion_audit.analysis import intent, split, true_rate
from conversion_audit.engine import Table
from conversion_audit.findings import Finding
from conversion_audit.recipes.recipe import Recipe

if TYPE_CHECKING:
    from conversion_audit.audit import Audit


def _session_intents(audit: Audit) -> Table:
    """What each session of the period came for, and the chance that it could have bought."""
    config = audit.config
    labelled = intent.session_intents(
        audit.marks, audit.sessions, config.steps, config.main_goal, can_buy(audit), list(config.ineligible)
    )
    fitted = split.split(split.landing_cells(labelled), can_buy(audit), config.thresholds)
    return split.with_chances(labelled, fitted)


TABLES = {"session_intents": Recipe(_session_intents, needs=("marks", "sessions"), keys=("thresholds", "intents"))}


def can_buy(audit: Audit) -> dict[str, str]:
    """Return intent -> can, cannot or unclear."""
    return {name: one.can_buy for name, one in audit.config.intents.items()}


def fitted_split(audit: Audit) -> split.Split:
    """Return the split of silent sessions for the period."""
    cells = split.landing_cells(audit.table("session_intents"))
    return split.split(cells, can_buy(audit), audit.config.thresholds)


def findings(audit: Audit) -> list[Finding]:
    """Return what the chapter claims."""
    return []


def headline(audit: Audit) -> dict[str, Any]:
    """Return the headline numbers of the manifest."""
    config = audit.config
    goal = config.main_goal
    counted = headlines.totals(
        audit.sessions, audit.orders, audit.marks, goal, in_orders=config.goals[goal].value == "revenue"
    )
    steps = headlines.step_counts(
        audit.marks, audit.history, audit.sessions, config.steps, window=config.funnel.visitor_window
    )
    rate = true_rate.true_rate(audit.table("session_intents"), fitted_split(audit))
    return headlines.headline(counted, true_rate.headline(rate), steps)
