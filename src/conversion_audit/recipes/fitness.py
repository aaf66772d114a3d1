"""Chapter 00: can these numbers be trusted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from conversion_audit.analysis import fitness, leads, rules, totals
from conversion_audit.engine import AnyTable
from conversion_audit.findings import Finding
from conversion_audit.recipes.recipe import Recipe
from conversion_audit.tables import CONTRACTS, empty

if TYPE_CHECKING:
    from conversion_audit.audit import Audit
    from conversion_audit.config import Config

KEYS = (
    "timezone",
    "goals",
    "micro_conversions",
    "main_goal",
    "journey",
    "after_purchase",
    "kpis",
    "intents",
    "ineligible",
    "funnel",
    "page_types",
)


def used(audit: Audit) -> dict[str, str]:
    """Return event -> rule that uses it. Errors are left out: they may come and go."""
    config = audit.config
    negative = {name for name, one in config.micro_conversions.items() if one.type == "negative"}
    named = rules.named_rules(config)
    return fitness.used_events(
        audit.table("event_counts"), {name: rule.event for name, rule in named.items() if name not in negative}
    )


def _counts(audit: Audit) -> AnyTable:
    return fitness.event_counts(audit.table("events"), audit.period.start, audit.period.end)


def _blind(audit: Audit) -> AnyTable:
    days = audit.period.start, audit.period.end
    return fitness.blind_days(
        audit.every_session, audit.table("marks"), audit.book_orders, audit.config.main_goal, *days
    )


def _days(audit: Audit) -> AnyTable:
    has_late = any(source.kind == "ga4" for source in audit.config.sources)
    since = (audit.last_day - audit.period.end).days  # a period that ends earlier has had the time to fill up
    filling = max(fitness.FILLING_DAYS - since, 0) if has_late else 0
    return fitness.days(audit.table("event_counts"), audit.period.start, audit.period.end, filling)


def _event_days(audit: Audit) -> AnyTable:
    counts, period, rules = audit.table("event_counts"), audit.period, used(audit)
    found = fitness.event_days(counts, period.start, period.end, rules)
    late = found.loc[found["is_used"] & (found["pattern"] == "starts"), "event"]
    soonest = fitness.soonest_events(audit.table("events"), set(late))
    return fitness.event_days(counts, period.start, period.end, rules, soonest) if soonest else found


def _silent_segments(audit: Audit) -> AnyTable:
    return fitness.silent_segments(audit.table("event_counts"), used(audit))


def _step_gaps(audit: Audit) -> AnyTable:
    return fitness.step_gaps(audit.sessions, audit.marks, audit.config.steps, audit.config.main_goal)


def _consent(audit: Audit) -> AnyTable:
    return fitness.consent(audit.table("event_counts"), audit.table("orders"), audit.period.start, audit.period.end)


def _book_match(audit: Audit) -> AnyTable:
    # The books know nothing of devices or countries: orders of some sessions cannot be held to them.
    books = empty(CONTRACTS["book_orders"]) if audit.where else audit.book_orders
    return fitness.book_match(audit.orders, books, audit.table("orders"), audit.period.start, audit.period.end)


def _uncovered(audit: Audit) -> AnyTable:
    return fitness.uncovered_pages(audit.table("events"), audit.period.start, audit.period.end)


def _aside_rules(audit: Audit) -> AnyTable:
    return fitness.aside_rules(audit.table("aside"), audit.all_sessions)


def _people(audit: Audit) -> AnyTable:
    return fitness.people(audit.sessions, audit.marks, audit.config.main_goal)


def _set_aside(audit: Audit) -> AnyTable:
    return fitness.set_aside(audit.all_sessions, audit.table("marks"), audit.config.main_goal)


TABLES: dict[str, Recipe] = {
    "blind_days": Recipe(_blind, needs=("marks", "sessions"), keys=KEYS),
    "event_counts": Recipe(_counts),
    "data_days": Recipe(_days, needs=("event_counts",), keys=("sources",)),
    "event_days": Recipe(_event_days, needs=("event_counts",), keys=KEYS),
    "event_hours": Recipe(lambda audit: fitness.event_hours(audit.table("event_counts")), needs=("event_counts",)),
    "quiet_hours": Recipe(lambda audit: fitness.quiet_hours(audit.table("event_counts")), needs=("event_counts",)),
    "silent_segments": Recipe(_silent_segments, needs=("event_counts",), keys=KEYS),
    "step_gaps": Recipe(_step_gaps, needs=("marks", "sessions"), keys=KEYS),
    "order_faults": Recipe(lambda audit: fitness.order_faults(audit.orders, audit.events), needs=("sessions",)),
    "source_totals": Recipe(lambda audit: fitness.source_totals(audit.events, audit.orders), needs=("sessions",)),
    "book_match": Recipe(_book_match, needs=("sessions",)),
    "consent": Recipe(_consent, needs=("event_counts",)),
    "unknown_segments": Recipe(lambda audit: fitness.unknown(audit.sessions), needs=("sessions",)),
    "uncovered_pages": Recipe(_uncovered),
    "traffic": Recipe(_set_aside, needs=("marks", "sessions"), keys=KEYS),
    "aside_rules": Recipe(_aside_rules, needs=("sessions",)),
    "identity": Recipe(_people, needs=("marks", "sessions"), keys=KEYS),
    "ties": Recipe(lambda audit: fitness.ties(audit.events), needs=("sessions",)),
}


def facts(audit: Audit) -> fitness.Facts:
    """Return the tables of all checks."""
    config, counts = audit.config, audit.table("event_counts")
    event_days = audit.frame("event_days")
    remarks = audit.frame("remarks")
    return fitness.Facts(
        days=audit.frame("data_days"),
        silent_hours=fitness.silent_hours(counts, _zone(remarks)),
        event_days=event_days,
        quiet_hours=audit.frame("quiet_hours"),
        segments=audit.frame("silent_segments"),
        steps=audit.frame("step_gaps"),
        faults=audit.frame("order_faults"),
        books=audit.frame("book_match"),
        consent=audit.frame("consent"),
        unknown=audit.frame("unknown_segments"),
        pages=fitness.page_cover(counts),
        aside=audit.frame("traffic"),
        people=audit.frame("identity"),
        ties=audit.frame("ties"),
        masked=audit.frame("masked"),
        ledger=audit.ledger,
        names=config.steps,
        used=used(audit),
        start=audit.period.start,
        end=audit.period.end,
        kinds=[source.kind for source in config.sources],
        has_page_types=bool(config.page_types),
        has_orders=config.goals[config.main_goal].value == "revenue",
        events_seen=list(event_days["event"]),
        remarks=remarks,
        timeouts=audit.frame("timeouts"),
        written=_written(config),
    )


def _written(config: Config) -> dict[str, tuple[str, list[str]]]:
    """Step -> where audit.yaml defines it, and the events and pages it names there; as written, for a typing mistake."""
    found = {}
    for step in config.steps:
        part = next((p for p in ("micro_conversions", "goals") if step in getattr(config, p)), None)
        rule = config.definition(step)
        said = [*rule.event, *rule.page, *rule.page_type]
        found[step] = (f"{part}.{step}" if part else "journey", said or [step])
    return found


def _zone(remarks: pd.DataFrame) -> str:
    return str(remarks.loc[remarks["topic"] != "reading", "text"].iloc[0])


def findings(audit: Audit) -> list[Finding]:
    """Return what the chapter claims; of totals without visits, what they forbid."""
    if not audit.has("events"):
        return of_totals(audit)
    blind = fitness.left_out(audit.frame("blind_days"), audit.config.main_goal)
    crm = leads.crm_match(audit.marks, audit.events, audit.table("outcomes"), audit.config.main_goal)
    return [*fitness.findings(facts(audit)), *blind, *fitness.totals_findings(audit.frame("source_totals")), *crm]


def of_totals(audit: Audit) -> list[Finding]:
    """Return what totals forbid; without visits, what reading them left out or changed as well."""
    remarks, has_events = audit.frame("remarks"), audit.has("events")
    told = totals.findings(has_events, list(remarks["key"]))
    forbidding = [key for key, *_ in totals.LIMITS]
    read = remarks[(remarks["topic"] == "reading") & ~remarks["key"].isin(forbidding)]
    return told if has_events else [*told, *fitness.remarks(read)]
