"""Which shared table is made how: the list that ties intake to analysis, in one place."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from conversion_audit.analysis import headline as headlines
from conversion_audit.analysis import intent, rules, split, true_rate
from conversion_audit.engine import Table, statement
from conversion_audit.findings import Finding
from conversion_audit.tables import MARKS, SESSIONS, check

if TYPE_CHECKING:
    from conversion_audit.audit import Audit


@dataclass(frozen=True)
class Recipe:
    """How a shared table is made: from which tables and config keys, and whether it depends on the period."""

    make: Callable[[Audit], Table | pd.DataFrame]
    needs: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    of_period: bool = True


RULE_KEYS = (
    "goals",
    "micro_conversions",
    "journey",
    "main_goal",
    "after_purchase",
    "kpis",
    "intents",
    "ineligible",
    "funnel",
)


def _marks(audit: Audit) -> Table:
    """Every rule of the config matched against the whole export."""
    config = audit.config
    named = rules.named_rules(config)
    journey = [step for step in config.steps if step != config.main_goal]
    frames = rules.rule_table(named, config.intents, journey)
    events, visits = audit.table("events"), audit.table("visits")
    marks = rules.marks(events, visits, audit.table("orders"), *frames)
    bounces = rules.bounces(visits, marks, _engaging(audit))
    for name, rule in named.items():
        if rule.rule == "single_page":
            more = rules.bounce_marks(events, bounces, name)
            marks = audit.engine.view("SELECT * FROM a UNION ALL SELECT * FROM b", {"a": marks, "b": more})
    check(marks, MARKS)
    return marks


def _sessions(audit: Audit) -> Table:
    """Sessions of the whole export, with the bounce as the config's actions and times define it."""
    bounces = rules.bounces(audit.table("visits"), audit.table("marks"), _engaging(audit))
    found = {"visits": audit.table("visits"), "bounces": bounces}
    sessions = audit.engine.create(statement(__file__, "sessions"), found, name="sessions")
    check(sessions, SESSIONS)
    return sessions


def _engaging(audit: Audit) -> list[str]:
    return [name for name, rule in audit.config.micro_conversions.items() if rule.type in ("action", "time")]


def _session_intents(audit: Audit) -> Table:
    """What each session of the period came for, and the chance that it could have bought."""
    config = audit.config
    can_buy = {name: one.can_buy for name, one in config.intents.items()}
    labelled = intent.session_intents(
        audit.marks, audit.sessions, config.steps, config.main_goal, can_buy, list(config.ineligible)
    )
    return split.with_chances(labelled, split.split(split.landing_cells(labelled), can_buy, config.thresholds))


TABLES: dict[str, Recipe] = {
    "marks": Recipe(_marks, keys=RULE_KEYS, of_period=False),
    "sessions": Recipe(_sessions, needs=("marks",), keys=RULE_KEYS, of_period=False),
    "session_intents": Recipe(_session_intents, needs=("marks", "sessions"), keys=("thresholds",)),
}


def findings(audit: Audit) -> list[Finding]:
    """Return every finding of every chapter, unranked."""
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
    intents = audit.table("session_intents")
    rate = true_rate.true_rate(intents, fitted_split(audit))
    return headlines.headline(counted, true_rate.headline(rate), steps)


def fitted_split(audit: Audit) -> split.Split:
    """Return the split of silent sessions for the period."""
    can_buy = {name: one.can_buy for name, one in audit.config.intents.items()}
    cells = split.landing_cells(audit.table("session_intents"))
    return split.split(cells, can_buy, audit.config.thresholds)
