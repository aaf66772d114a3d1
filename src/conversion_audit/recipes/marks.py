"""Events and the config's rules -> marks; visits and marks -> sessions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conversion_audit.analysis import rules
from conversion_audit.engine import Table, statement
from conversion_audit.findings import Finding
from conversion_audit.recipes.recipe import Recipe
from conversion_audit.tables import MARKS, SESSIONS, check

if TYPE_CHECKING:
    from conversion_audit.audit import Audit

RULE_KEYS = (
    "goals", "micro_conversions", "journey", "main_goal", "after_purchase", "kpis", "intents", "ineligible", "funnel",
)  # fmt: skip


def _marks(audit: Audit) -> Table:
    """Every rule of the config matched against the whole export."""
    config = audit.config
    named = rules.named_rules(config)
    journey = [step for step in config.steps if step != config.main_goal]
    frames = rules.rule_table(named, config.intents, journey)
    events, visits = audit.table("events"), audit.table("visits")
    marks = rules.marks(events, visits, audit.table("orders"), *frames)
    bounces = rules.bounces(events, visits, marks, *_engaging(audit))
    for name, rule in named.items():
        if rule.rule == "single_page":
            more = rules.bounce_marks(events, bounces, name)
            marks = audit.engine.view("SELECT * FROM a UNION ALL SELECT * FROM b", {"a": marks, "b": more})
    check(marks, MARKS)
    return marks


def _sessions(audit: Audit) -> Table:
    """Sessions of the whole export, with the bounce as the config's actions, times and places define it."""
    visits = audit.table("visits")
    bounces = rules.bounces(audit.table("events"), visits, audit.table("marks"), *_engaging(audit))
    found = {"visits": visits, "bounces": bounces}
    sessions = audit.engine.create(statement(__file__, "sessions"), found, name="sessions")
    check(sessions, SESSIONS)
    return sessions


def _engaging(audit: Audit) -> tuple[list[str], list[str]]:
    """Names that are something done, and names that are a place reached: what has no type is, but for a goal that is an event."""
    config = audit.config
    kinds = {name: rule.type for name, rule in config.micro_conversions.items()}
    kinds |= {
        name: "action" for name, goal in config.goals.items() if goal.event and not goal.page and name not in kinds
    }
    acting = [name for name, kind in kinds.items() if kind in ("action", "time")]
    places = [
        name for name in [*kinds, *config.goals, *config.steps] if kinds.get(name, "destination") == "destination"
    ]
    return acting, list(dict.fromkeys(places))


TABLES = {
    "marks": Recipe(_marks, keys=RULE_KEYS, of_period=False),
    "sessions": Recipe(_sessions, needs=("marks",), keys=RULE_KEYS, of_period=False),
}


def findings(audit: Audit) -> list[Finding]:
    """Nothing is claimed here."""
    return []
