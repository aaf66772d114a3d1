"""Chapter 01: what counts as success."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pandas as pd

from conversion_audit.analysis import allocation, contribution, goals, goes_with, ladder, leads, repeat_purchase
from conversion_audit.engine import AnyTable, Table
from conversion_audit.findings import Finding
from conversion_audit.recipes.recipe import Recipe

if TYPE_CHECKING:
    from conversion_audit.audit import Audit

KEYS = ("goals", "micro_conversions", "main_goal", "journey", "kpis", "funnel", "min_sessions", "after_purchase")
OPTIONAL = ("orders", "revenue", "target", "meets", "past_", "change_", "repeat_")


def known(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table without the columns that do not apply to this client: no value, no target, no past."""
    empty = [name for name in table if name.startswith(OPTIONAL) and table[name].isna().all()]
    return table.drop(columns=empty)


def until(audit: Audit) -> pd.Timestamp:
    """Return the last time of the export, naive UTC."""
    last = lambda: audit.engine.query("SELECT max(time) AS last FROM e", {"e": audit.table("events")})["last"][0]  # noqa: E731
    return audit.once("until", last)


def every_order(audit: Audit) -> Table:
    """Return the orders of the whole export with the goal that each is of, see `analysis.goals.order_goals`."""
    worth = [name for name, one in audit.config.goals.items() if one.value == "revenue"]
    tables = [audit.table(name) for name in ("orders", "marks", "events")]
    return audit.once("every_order", lambda: goals.order_goals(*tables, worth))


def period_orders(audit: Audit) -> Table:
    """Return those of `Audit.sessions`."""
    found = {"o": every_order(audit), "s": audit.sessions}
    return audit.engine.view("SELECT o.* FROM o JOIN s ON s.session_id = o.session_id", found)


def order_value(audit: Audit) -> float:
    """Return the mean revenue of the period's orders that carry any, NaN where none does."""
    sql = "SELECT AVG(CAST(revenue AS DOUBLE)) AS mean FROM orders"
    made = lambda: audit.engine.query(sql, {"orders": audit.orders})["mean"].astype(float)[0]  # noqa: E731
    return audit.once("order_value", made) or float("nan")


def declared(audit: Audit) -> float | None:
    """Return what one completion of the main goal is declared to be worth; None where its order says, or nobody."""
    value = audit.config.goals[audit.config.main_goal].value
    return None if value in (None, "revenue") else float(value)


def worth(audit: Audit) -> float:
    """Return what one completion of the main goal is worth; NaN where nobody says."""
    if audit.config.goals[audit.config.main_goal].value == "revenue":
        return order_value(audit)
    value = declared(audit)
    return float("nan") if value is None else value


def channel_costs(audit: Audit) -> dict[str, Any]:
    """
    Return what channels are declared to cost, as far as that is of the sessions and days looked at.

    What is declared is of the config's period: of other days, and of a part of a channel's sessions, nobody declared it.
    """
    costs, where, declared = audit.config.costs.channel, dict(audit.where), audit.config.period
    asked = where.pop("channel", None)
    if where or (declared and audit.period != declared):
        return {}
    one = pd.Series([asked] if asked else [], dtype="object")
    return {name: cost for name, cost in costs.items() if asked is None or not allocation.unmatched([name], one)}


def types(audit: Audit) -> dict[str, str]:
    """Return micro-conversion -> its type, then the main goal; without a bounce where none can be told."""
    config = audit.config
    untold = untold_bounces(audit)
    told = {name: one.type for name, one in config.micro_conversions.items() if name not in untold}
    return told | {config.main_goal: "goal"}


def untold_bounces(audit: Audit) -> set[str]:
    """Return the names of bounces where nothing says who bounced: shown, they would read as nobody's."""
    names = {name for name, one in audit.config.micro_conversions.items() if one.rule == "single_page"}
    known = "SELECT COUNT(is_bounce) AS known FROM s"
    return names if names and not audit.engine.query(known, {"s": audit.table("sessions")}).known[0] else set()


def past(audit: Audit) -> Audit:
    """Return the audit of the period of the same length before this one."""
    last = audit.period.start - timedelta(days=1)
    first = last - (audit.period.end - audit.period.start)
    return audit.once("past", lambda: audit.on(first, last))


def _goals(audit: Audit) -> AnyTable:
    every = audit.config.goals
    values = {name: one.value for name, one in every.items()}
    targets = {name: one.target for name, one in every.items()}
    before, orders = past(audit), period_orders(audit)
    return goals.goal_table(
        audit.marks, audit.sessions, orders, values, targets, history=before.marks, past_sessions=before.sessions
    )


def _kpis(audit: Audit) -> AnyTable:
    asked = [{"name": name} | one.model_dump() for name, one in audit.config.kpis.items()]
    return goals.kpi_table(audit.marks, asked, past=past(audit).marks)


def _ladder(audit: Audit) -> AnyTable:
    config = audit.config
    window = config.funnel.visitor_window
    named = types(audit)
    return ladder.ladder(
        audit.marks, audit.history, audit.sessions, named, config.main_goal, window=window, until=until(audit)
    )


def _weekly(audit: Audit) -> AnyTable:
    return ladder.weekly(audit.marks, audit.sessions, list(types(audit)), pd.Timestamp(audit.period.start))


def _attention(audit: Audit) -> AnyTable:
    weeks = audit.frame("weekly_reach")
    return ladder.attention(
        audit.frame("ladder"),
        weeks,
        ladder.change(audit.marks, audit.sessions, weeks),
        steps=audit.config.steps,
        min_sessions=audit.config.min_sessions,
    )


def _uncovered(audit: Audit) -> AnyTable:
    config = audit.config
    # A rule about the whole session, as a bounce is, marks its first event whatever that is, and covers none.
    own = [name for name, one in config.micro_conversions.items() if not one.rule]
    names = dict.fromkeys([*config.goals, *own, *config.steps, *config.after_purchase])
    return ladder.uncovered(audit.events, audit.marks, list(names))


def _never_seen(audit: Audit) -> AnyTable:
    config = audit.config
    names = [*config.goals, *(name for name, one in config.micro_conversions.items() if not one.rule)]
    events = audit.engine.query("SELECT DISTINCT event FROM e ORDER BY event", {"e": audit.table("events")}).event
    return ladder.never_seen(audit.table("marks"), names, list(events))


def _goes_with(audit: Audit) -> AnyTable:
    config = audit.config
    names = [name for name, one in config.micro_conversions.items() if one.type != "negative"]
    reached = audit.table("reached_sessions")
    return goes_with.goes_with(audit.events, audit.marks, audit.sessions, reached, config.steps, names)


def _channels(audit: Audit) -> AnyTable:
    return contribution.channels(audit.sessions, audit.marks, audit.orders, audit.config.main_goal)


def first_abandoned(audit: Audit) -> tuple[str, str] | None:
    """Return what is begun and what is left undone: the first KPI of that kind, else the journey's second step and its end."""
    config = audit.config
    for kpi in config.kpis.values():
        if kpi.without:
            return kpi.of, kpi.without
    return (config.steps[1], config.steps[-1]) if len(config.steps) > 2 else None


def _abandoned(part: int) -> Any:
    def made(audit: Audit) -> AnyTable:
        asked = first_abandoned(audit)
        if asked is None:
            return pd.DataFrame({"step": pd.Series(dtype="string"), "sessions": pd.Series(dtype=int)})
        of, without = asked
        return contribution.abandoned(audit.marks, audit.sessions, audit.config.steps, of=of, without=without)[part]

    return made


def _lead_stages(audit: Audit) -> AnyTable:
    outcomes = audit.table("outcomes")
    return leads.lead_stages(audit.marks, audit.events, audit.sessions, outcomes, audit.config.main_goal)


def _waits(audit: Audit) -> pd.DataFrame:
    every = audit.every_session
    return audit.once("waits", lambda: repeat_purchase.waits(audit.table("orders"), every, until(audit)))


def _repeat(audit: Audit) -> AnyTable:
    return repeat_purchase.repeat_rates(_waits(audit).days, _waits(audit).is_repeat)


def _repeat_products(audit: Audit) -> AnyTable:
    first = repeat_purchase.first_products(_waits(audit), audit.table("events"), audit.table("items"))
    return repeat_purchase.products(first, _waits(audit))


TABLES: dict[str, Recipe] = {
    "goals": Recipe(_goals, needs=("marks", "sessions"), keys=KEYS),
    "kpis": Recipe(_kpis, needs=("marks", "sessions"), keys=KEYS),
    "ladder": Recipe(_ladder, needs=("marks", "sessions"), keys=KEYS),
    "weekly_reach": Recipe(_weekly, needs=("marks", "sessions"), keys=KEYS),
    "attention": Recipe(_attention, needs=("marks", "sessions", "ladder", "weekly_reach"), keys=KEYS),
    "uncovered_events": Recipe(_uncovered, needs=("marks", "sessions"), keys=KEYS),
    "never_seen": Recipe(_never_seen, needs=("marks",), keys=KEYS, of_period=False),
    "goes_with": Recipe(_goes_with, needs=("reached_sessions",), keys=KEYS),
    "channels": Recipe(_channels, needs=("marks", "sessions"), keys=KEYS),
    "abandoned_steps": Recipe(_abandoned(0), needs=("marks", "sessions"), keys=KEYS),
    "abandoned_pages": Recipe(_abandoned(1), needs=("marks", "sessions"), keys=KEYS),
    "lead_stages": Recipe(_lead_stages, needs=("marks", "sessions"), keys=KEYS),
    "repeat_purchase": Recipe(_repeat, needs=("sessions",), of_period=False),
    "repeat_products": Recipe(_repeat_products, needs=("sessions",), of_period=False),
}


def findings(audit: Audit) -> list[Finding]:
    """Return what the chapter claims."""
    found = goals.findings(audit.frame("goals"), audit.frame("kpis"), audit.config.main_goal)
    missing = audit.frame("never_seen")
    missing = missing[~missing.name.isin(audit.config.steps)]  # those of the journey are told in chapter 00
    return found + ladder.findings(audit.frame("attention"), missing, audit.frame("uncovered_events"))
