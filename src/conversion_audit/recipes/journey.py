"""Chapter 02: how visitors move."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pandas as pd

from conversion_audit.analysis import (
    around_goal,
    attribution,
    content,
    journey,
    next_step,
    reconcile,
    transitions,
    visits,
)
from conversion_audit.analysis.funnel import reached
from conversion_audit.analysis.funnel_segments import by_segment
from conversion_audit.analysis.funnel_steps import funnel_table, options, step_table
from conversion_audit.engine import AnyTable, Table
from conversion_audit.findings import Finding
from conversion_audit.recipes.goals import every_order, until, untold_bounces
from conversion_audit.recipes.recipe import Recipe

if TYPE_CHECKING:
    from conversion_audit.audit import Audit

KEYS = ("goals", "micro_conversions", "main_goal", "journey", "funnel", "after_purchase", "suspects", "adjusters")


def settings(audit: Audit, unit: str, **changed: Any) -> dict[str, Any]:
    """Return the funnel's settings for one unit, as `funnel.reached` takes them and the definition card prints them."""
    return options(audit.config.funnel.model_dump() | changed, unit)


def _reached(unit: str, **changed: Any) -> Callable[[Audit], AnyTable]:
    def made(audit: Audit) -> AnyTable:
        log = audit.marks if unit == "session" else audit.history
        return reached(log, audit.config.steps, until=until(audit), **settings(audit, unit, **changed))

    return made


def _funnel(audit: Audit) -> AnyTable:
    found = audit.table("reached_sessions"), audit.table("reached_visitors")
    return funnel_table(audit.marks, audit.sessions, audit.config.steps, *found)


def _adverse(audit: Audit) -> AnyTable:
    rows = _reached("session", ties="adverse")(audit)
    return step_table(rows, audit.config.steps, sessions=audit.sessions)


def _segments(audit: Audit) -> AnyTable:
    known = audit.sessions.columns
    columns = [c for c in dict.fromkeys(["device", *audit.config.suspects, *audit.config.adjusters]) if c in known]
    return by_segment(audit.table("reached_sessions"), audit.marks, audit.sessions, audit.config.steps, columns)


def _stays(audit: Audit) -> Table:
    return audit.once("stays", lambda: transitions.stays(audit.events))


def _paths(audit: Audit) -> tuple[Any, Any]:
    return audit.once("paths", lambda: transitions.paths(_stays(audit), audit.marks, audit.config.main_goal))


def _times(audit: Audit) -> tuple[Any, Any]:
    made = lambda: next_step.time_to_next(audit.table("reached_sessions"), audit.sessions, audit.config.steps)  # noqa: E731
    return audit.once("times", made)


def _around(audit: Audit) -> AnyTable:
    config = audit.config
    names = list(dict.fromkeys([*config.micro_conversions, *config.steps, *config.after_purchase]))
    rows = around_goal.around_goal(audit.history, audit.table("events"), config.main_goal, names)
    # What goes wrong on a later visit does not come of the goal.
    wrong = [name for name, rule in config.micro_conversions.items() if rule.type == "negative"]
    rows = rows[(rows.when_it_was == "before") | ~rows.name.isin(wrong)].reset_index(drop=True)
    return rows.assign(is_declared=rows.name.isin(config.after_purchase))


def _by(column: str) -> Callable[[Audit], AnyTable]:
    def made(audit: Audit) -> AnyTable:
        config = audit.config
        asked = {"step": config.steps[0], "goal": config.main_goal, "fewest": config.min_sessions}
        rows = visits.by_column(audit.sessions, audit.marks, column, **asked)
        # A source's own words stand wholly in brackets: (direct), (not set). A campaign's name may begin with some: (DE) Brand.
        return rows[~rows[column].str.fullmatch(r"\([^()]*\)")] if column == "campaign" else rows

    return made


def _new_and_returning(audit: Audit) -> AnyTable:
    new = audit.engine.view("SELECT * FROM s WHERE is_new", {"s": audit.sessions})
    known = audit.engine.view("SELECT * FROM s WHERE NOT is_new", {"s": audit.sessions})
    return visits.compare(audit.marks, new, known, audit.config.steps)


def compared(audit: Audit, column: str, a: str | None = None, b: str | None = None) -> dict[str, Any]:
    """
    Return two groups of sessions side by side, a minus b: who reaches what, and which way they take from the same page.

    Parameters
    ----------
    audit : Audit
        Of the period.
    column : str
        Column of sessions, e.g. device, channel, landing_page.
    a, b : str, optional
        Two of its values; the two with the most sessions otherwise.

    Returns
    -------
    dict
        column, a, b, steps (see `visits.compare`) and ways (see `transitions.compare`); empty where there are not two.
    """
    found = visits.largest(audit.sessions, column)
    a = a or next((value for value in found if value != b), None)
    b = b or next((value for value in found if value != a), None)
    if a is None or b is None:
        return {}
    groups = [visits.with_value(audit.sessions, column, value) for value in (a, b)]
    config = audit.config
    untold = untold_bounces(audit)
    names = [name for name in dict.fromkeys([*config.steps, *config.micro_conversions]) if name not in untold]
    ways = [transitions.transitions(transitions.of_sessions(_stays(audit), group)) for group in groups]
    steps = visits.compare(audit.marks, *groups, names)
    return {"column": column, "a": a, "b": b, "steps": steps, "ways": transitions.compare(*ways)}


def _attribution(audit: Audit) -> AnyTable:
    config = audit.config
    flag = "SELECT e.*, e.session_id IN (SELECT session_id FROM s) AS in_period FROM e WHERE e.set_aside IS NULL"
    sessions = audit.engine.view(flag, {"e": audit.every_session, "s": audit.sessions})
    paths = attribution.touches(
        sessions,
        audit.table("marks"),
        every_order(audit),
        config.main_goal,
        window=config.funnel.visitor_window,
        in_orders=config.goals[config.main_goal].value == "revenue",
    )
    return attribution.attribution(paths)


def _reconcile(audit: Audit) -> AnyTable:
    mine = settings(audit, "session"), settings(audit, "visitor")
    return reconcile.reconcile(audit.history, audit.config.steps, *mine)


def _content(audit: Audit) -> AnyTable:
    reached_sessions = audit.table("reached_sessions")
    return content.content(audit.events, audit.marks, audit.sessions, reached_sessions, audit.config.steps)


def tool(audit: Audit) -> str:
    """Return the preset of the client's own tool; GA4's where the source is no known tool."""
    found = [reconcile.TOOLS[source.kind] for source in audit.config.sources if source.kind in reconcile.TOOLS]
    return found[0] if found else "ga4_closed"


def sessions_of(funnel: pd.DataFrame) -> pd.DataFrame:
    """Return the funnel's columns that speak of sessions."""
    return funnel.drop(columns=[name for name in funnel if "visitor" in name or name == "too_late"])


def visitors_of(funnel: pd.DataFrame) -> pd.DataFrame:
    """Return the funnel's columns that speak of visitors."""
    return funnel[[name for name in funnel if name == "step" or "visitor" in name or name == "too_late"]]


def named(links: pd.DataFrame) -> pd.DataFrame:
    """Return links with the headers of pages: a source here is no traffic source, a target no aim."""
    return links.rename(columns={"source": "node", "target": "target_node"})


def side_by_side(credit: pd.DataFrame) -> pd.DataFrame:
    """Return the credit under the report's four rules, a row a channel."""
    return attribution.side_by_side(credit)


_MARKS, _REACHED = ("marks", "sessions"), ("reached_sessions",)

TABLES: dict[str, Recipe] = {
    "reached_sessions": Recipe(_reached("session"), _MARKS, KEYS),
    "reached_visitors": Recipe(_reached("visitor"), _MARKS, KEYS),
    "funnel": Recipe(_funnel, ("reached_sessions", "reached_visitors"), KEYS),
    "funnel_adverse": Recipe(_adverse, _MARKS, KEYS),
    "funnel_segments": Recipe(_segments, _REACHED, KEYS),
    "page_transitions": Recipe(lambda audit: transitions.transitions(_stays(audit)), _MARKS),
    "event_transitions": Recipe(lambda audit: transitions.event_transitions(audit.events), _MARKS),
    "journey_map": Recipe(
        lambda audit: transitions.journey_map(audit.frame("page_transitions")), ("page_transitions",)
    ),
    "stages": Recipe(lambda audit: transitions.stages(_stays(audit)), _MARKS),
    "paths_to_goal": Recipe(lambda audit: _paths(audit)[0], _MARKS, KEYS),
    "paths_to_exit": Recipe(lambda audit: _paths(audit)[1], _MARKS, KEYS),
    "rework": Recipe(lambda audit: transitions.rework(_stays(audit)), _MARKS),
    "back_and_forth": Recipe(lambda audit: transitions.back_and_forth(_stays(audit)), _MARKS),
    "time_curves": Recipe(lambda audit: _times(audit)[0], _REACHED, KEYS),
    "time_to_next": Recipe(lambda audit: _times(audit)[1], _REACHED, KEYS),
    "instead": Recipe(
        lambda audit: next_step.instead(audit.table("reached_sessions"), audit.events, audit.config.steps),
        _REACHED,
        KEYS,
    ),
    "around_goal": Recipe(_around, _MARKS, KEYS),
    "hours": Recipe(lambda audit: visits.hours(audit.sessions, audit.marks, audit.config.main_goal), _MARKS, KEYS),
    "landing_pages": Recipe(_by("landing_page"), _MARKS, (*KEYS, "min_sessions")),
    "campaigns": Recipe(_by("campaign"), _MARKS, (*KEYS, "min_sessions")),
    "new_and_returning": Recipe(_new_and_returning, _MARKS, KEYS),
    "content": Recipe(_content, _REACHED, KEYS),
    "attribution": Recipe(_attribution, _MARKS, KEYS),
    "reconcile": Recipe(_reconcile, _MARKS, KEYS),
}


def findings(audit: Audit) -> list[Finding]:
    """Return what the chapter claims."""
    return journey.findings(audit.frame("funnel"), audit.frame("funnel_adverse"))
