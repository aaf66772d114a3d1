"""Chapter 03: what sessions came for, the true conversion rate, and what to do with it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from conversion_audit.analysis import (
    acquisition,
    audiences,
    intent,
    labels,
    rate_claims,
    rate_segments,
    segments,
    service,
    split,
    true_rate,
)
from conversion_audit.analysis import headline as headlines
from conversion_audit.asked import meeting
from conversion_audit.engine import Table, statement
from conversion_audit.errors import ConfigError, DataError, Problem, closest
from conversion_audit.findings import Finding
from conversion_audit.recipes.goals import channel_costs, period_orders, worth
from conversion_audit.recipes.recipe import Recipe

if TYPE_CHECKING:
    from conversion_audit.audit import Audit

KEYS = ("thresholds", "intents", "journey", "main_goal", "goals", "min_sessions")


def _session_intents(audit: Audit) -> Table:
    """What each session of the period came for, and the chance that it could have bought."""
    return _labelled(audit, audit.marks, audit.sessions)


def _labelled(audit: Audit, marks: Table, sessions: Table) -> Table:
    config = audit.config
    labelled = intent.session_intents(
        marks, sessions, config.steps, config.main_goal, can_buy(audit), list(config.ineligible)
    )
    fitted = split.split(split.landing_cells(labelled), can_buy(audit), config.thresholds)
    return split.with_chances(labelled, fitted)


def _true_rates(audit: Audit) -> pd.DataFrame:
    """The rates by session, by visitor, and by session with robots and internal traffic left in."""
    intents = audit.table("session_intents")
    every = _labelled(audit, audit.table("marks"), audit.all_sessions)
    fitted, with_all = fitted_split(audit), _split_of(audit, every)
    rows = {
        "by_session": rate(audit),
        "by_visitor": true_rate.true_rate(true_rate.visitors(intents), fitted),
        "with_set_aside": true_rate.true_rate(every, with_all),
    }
    return rate_claims.rate_table(rows)


def _by_segment(audit: Audit) -> pd.DataFrame:
    """The rates per channel, device and month."""
    intents, fitted = audit.table("session_intents"), fitted_split(audit)
    parts = {
        column: rate_segments.by_segment(intents, audit.sessions, column, fitted, audit.config.min_sessions)
        for column in ("channel", "device", "month")
    }
    tables = [table.assign(column=name)[["column", *table.columns]] for name, table in parts.items()]
    return pd.concat(tables, ignore_index=True)


def _served(audit: Audit) -> Table:
    return service.served_sessions(audit.table("session_intents"), audit.marks, audit.sessions, success(audit))


def _service(audit: Audit) -> pd.DataFrame:
    intents = audit.table("session_intents")
    return service.service_table(audit.table("served"), intents, fitted_split(audit), can_buy(audit))


def _came_back(audit: Audit) -> pd.DataFrame:
    return service.come_back(audit.table("served"), audit.history, audit.every_session, audit.config.main_goal)


def _of_period(audit: Audit) -> tuple:
    config = audit.config
    return audit.marks, audit.sessions, audit.table("session_intents"), config.steps, config.main_goal


def _audiences(audit: Audit) -> pd.DataFrame:
    marks, sessions, intents, steps, goal = _of_period(audit)
    return audiences.audience_table(
        marks, sessions, intents, _history(audit), steps, goal, audit.period.end, worth(audit)
    )


def _members(audit: Audit) -> Table:
    steps, goal = audit.config.steps, audit.config.main_goal
    return audiences.members(audit.table("people"), audit.sessions, _history(audit), steps, goal)


def _history(audit: Audit) -> Table:
    """Marks of the whole export: nobody is on a list who was never among the sessions asked for."""
    if not audit.where:
        return audit.history
    found = {"history": audit.history, "met": meeting(audit.every_session, audit.where)}
    return audit.engine.view("SELECT h.* FROM history h JOIN met m ON m.session_id = h.session_id", found)


def _room(audit: Audit) -> pd.DataFrame:
    intents, values = audit.table("session_intents"), audit.frame("channel_allocation")
    costs, known = channel_costs(audit), fitted_split(audit).holds
    return acquisition.room_table(intents, audit.sessions, values, costs, known=known)


_NEEDS = ("marks", "sessions", "session_intents")
TABLES = {
    "session_intents": Recipe(_session_intents, needs=("marks", "sessions"), keys=KEYS),
    "intents": Recipe(lambda audit: intent.intent_table(audit.table("session_intents"), can_buy(audit)), _NEEDS, KEYS),
    "journey_entries": Recipe(
        lambda audit: intent.entry_steps(audit.table("session_intents"), audit.config.steps, audit.config.main_goal),
        _NEEDS,
        KEYS,
    ),
    "true_rates": Recipe(_true_rates, _NEEDS, KEYS),
    "true_rates_by": Recipe(_by_segment, _NEEDS, KEYS),
    "page_questions": Recipe(
        lambda audit: rate_segments.questions(audit.table("session_intents"), audit.sessions, rate(audit)), _NEEDS, KEYS
    ),
    "served": Recipe(_served, _NEEDS, KEYS),
    "service": Recipe(_service, (*_NEEDS, "served"), KEYS),
    "service_failures": Recipe(lambda audit: service.failure_pages(audit.table("served")), (*_NEEDS, "served"), KEYS),
    "came_back": Recipe(_came_back, (*_NEEDS, "served"), KEYS),
    "people": Recipe(lambda audit: segments.people(*_of_period(audit)), _NEEDS, KEYS),
    "behaviour": Recipe(lambda audit: segments.segment_table(*_of_period(audit)), _NEEDS, KEYS),
    "audiences": Recipe(_audiences, _NEEDS, KEYS),
    "audience_members": Recipe(_members, (*_NEEDS, "people"), KEYS),
    "acquisition_room": Recipe(_room, (*_NEEDS, "channel_allocation"), (*KEYS, "costs", "period")),
}


def can_buy(audit: Audit) -> dict[str, str]:
    """Return intent -> can, cannot or unclear."""
    return {name: one.can_buy for name, one in audit.config.intents.items()}


def success(audit: Audit) -> dict[str, list[str]]:
    """Return intent -> names of its successes, for every intent that does not come to buy."""
    return {name: list(one.success) for name, one in audit.config.intents.items() if one.can_buy != "can"}


def _split_of(audit: Audit, intents: Table) -> split.Split:
    return split.split(split.landing_cells(intents), can_buy(audit), audit.config.thresholds)


def fitted_split(audit: Audit) -> split.Split:
    """Return the split of silent sessions for the period."""
    return _split_of(audit, audit.table("session_intents"))


def rate(audit: Audit) -> dict[str, Any]:
    """Return the true rate by session, corrected by the sample checked by hand where there is one."""
    return true_rate.true_rate(audit.table("session_intents"), fitted_split(audit), checked(audit))


def recipes(audit: Audit) -> list[dict[str, Any]]:
    """Return, per audience, what the sentences need that tell how to rebuild it in an ad tool."""
    config = audit.config
    steps, goal = config.steps, config.main_goal
    rules, due = {step: config.definition(step) for step in steps}, audiences.due_days(_history(audit), goal)
    return [audiences.recipe(row, rules, steps, goal, due) for row in audit.frame("audiences").to_dict("records")]


def audience_lists(audit: Audit, key: bytes) -> dict[str, pd.DataFrame]:
    """Return every audience as a list with hashed ids, by its name."""
    members = audit.table("audience_members")
    rows = audit.frame("audiences").to_dict("records")
    return {row["name"]: audiences.audience_list(members, row, key) for row in rows}


def require_audience(audit: Audit, name: str) -> dict[str, Any]:
    """
    Return what is known of an audience.

    Raises
    ------
    ConfigError
        For a name that is no audience, with the closest one.
    """
    rows = {row["name"]: row for row in audit.frame("audiences").to_dict("records")}
    if name not in rows:
        known = f"Audiences: {', '.join(rows)}" if rows else "No audience has ten people."
        raise ConfigError(Problem(f"no audience {name!r}{closest(name, rows)}", mend=known))
    return rows[name]


def raw_audience(audit: Audit, name: str) -> pd.DataFrame:
    """Return one audience with the ids of the export, for this machine only; see `require_audience` for its name."""
    return audiences.raw_ids(audit.table("audience_members"), require_audience(audit, name), audit.sessions)


def write_current(audit: Audit) -> Path:
    """Write prepared/session_intents.parquet: what each session came for, under the source's own session id."""
    path = audit.folders.prepared / "session_intents.parquet"
    audit.engine.write(statement(__file__, "current"), path, {"intents": audit.table("session_intents")})
    return path


def labels_path(audit: Audit) -> Path:
    """Return where the sample checked by hand lies: beside audit.yaml."""
    return audit.folders.data / "labels.csv"


def label_sample(audit: Audit, size: int = 200) -> pd.DataFrame:
    """Return sessions to check by hand."""
    return labels.label_sample(
        audit.table("session_intents"), audit.sessions, audit.events, size=size, seed=audit.config.seed
    )


def checked(audit: Audit) -> dict | None:
    """Return how often the rules are right, where a sample was checked by hand; None where there is none."""
    path = labels_path(audit)
    if not path.is_file():
        return None
    shown = f"data/{audit.folders.client}/{path.name}"
    answers = _answers(path, shown)
    return labels.read_labels(answers, audit.table("session_intents"), audit.config.seed, shown)


def _answers(path: Path, shown: str) -> pd.DataFrame:
    """Read a sample as any spreadsheet saves it: what is read of it is ASCII, and its header holds no mark but the one between."""
    with path.open(encoding="utf-8", errors="replace") as file:
        header = file.readline()
    mark = next((one for one in ";\t" if one in header), ",")
    try:
        return pd.read_csv(
            path, sep=mark, dtype="string", keep_default_na=False, encoding="utf-8-sig", encoding_errors="replace"
        )
    except (pd.errors.EmptyDataError, pd.errors.ParserError) as error:
        mend = "Save it as CSV, or remove it: audit label then draws the sample anew."
        raise DataError(Problem("cannot be read as a table", shown, mend=mend)) from error


def findings(audit: Audit) -> list[Finding]:
    """Return what the chapter claims."""
    return [
        *rate_claims.findings(rate(audit), audit.frame("page_questions")),
        *intent.findings(audit.frame("journey_entries")),
        *service.findings(audit.frame("service"), audit.frame("service_failures"), audit.frame("came_back")),
        *segments.findings(audit.frame("behaviour")),
    ]


def headline(audit: Audit) -> dict[str, Any]:
    """Return the headline numbers of the manifest."""
    config = audit.config
    goal = config.main_goal
    counted = headlines.totals(
        audit.sessions, period_orders(audit), audit.marks, goal, in_orders=config.goals[goal].value == "revenue"
    )
    found = audit.table("reached_sessions"), audit.table("reached_visitors")
    steps = headlines.step_counts(audit.marks, audit.sessions, config.steps, *found)
    return headlines.headline(counted, true_rate.headline(rate(audit)), steps)
