"""Which days and which sessions somebody asked to look at."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import pandas as pd

from conversion_audit.engine import Table, quoted, statement
from conversion_audit.errors import ConfigError, Problem, closest
from conversion_audit.schema import Period


def read_day(value: str | None, name: str) -> date | None:
    """Return a day written as ISO text; raises `ConfigError` for any other text."""
    try:
        return None if value is None else date.fromisoformat(str(value))
    except ValueError as error:
        raise ConfigError(Problem(f"{name} is not a day", seen=str(value), mend="Write e.g. 2026-03-02.")) from error


def read_conditions(where: Mapping[str, str] | str | None) -> dict[str, str]:
    """Return column -> value, of a mapping or of ``device=mobile, country=Germany``; raises `ConfigError`."""
    if not isinstance(where, str):
        return {key: str(value) for key, value in (where or {}).items()}
    pairs = [part.split("=", 1) for part in where.split(",") if part.strip()]
    if any(len(pair) != 2 for pair in pairs):
        raise ConfigError(Problem("where is not 'column=value, ...'", seen=where, mend="Write e.g. device=mobile."))
    return {key.strip(): value.strip() for key, value in pairs}


def days_seen(visits: Table, stage_counts: Table) -> tuple[date, date] | None:
    """Return the export's first and last day, of totals where there are no visits; None where totals name no day."""
    found = {"visits": visits, "stage_counts": stage_counts}
    days = visits.engine.query(statement(__file__, "days"), found).iloc[0]
    if days.isna().all():
        if len(stage_counts):
            return None
        return date(1970, 1, 1), date(1970, 1, 1)
    return days["first_day"].date(), days["last_day"].date()


def of_no_day(client: str) -> ConfigError:
    """Return what to say where totals name no day and nobody says of which days they are."""
    why = "The export holds totals, and they name no day."
    mend = "Write the days they are of into audit.yaml: period: {start: 2026-03-02, end: 2026-04-26}"
    return ConfigError(Problem("the period is not known", f"data/{client}/audit.yaml", why=why, mend=mend))


def narrowed(sessions: Table, period: Period, blind: pd.DataFrame, where: Mapping[str, str]) -> Table:
    """
    Return the sessions of the period that meet all conditions, less those of blind days.

    Raises
    ------
    ConfigError
        For a condition that names no column of sessions, with the closest one.
    """
    known, engine = sessions.columns, sessions.engine
    unknown = [column for column in where if column not in known]
    if unknown:
        hint = f"Columns: {', '.join(known)}"
        raise ConfigError(*(Problem(f"where: no column {c!r}{closest(c, known)}", mend=hint) for c in unknown))
    asked = pd.DataFrame({"start": [pd.Timestamp(period.start)], "end": [pd.Timestamp(period.end)]})
    found = {"sessions": sessions, "period": engine.hold(asked, "period")}
    table = engine.view(statement(__file__, "in_period"), found, name="in_period")
    if len(blind):
        found = {"sessions": table, "blind": engine.hold(blind[["date"]], "blind")}
        table = engine.view(statement(__file__, "recorded"), found, name="recorded")
    for column, value in where.items():
        wanted = engine.hold(pd.DataFrame({column: [value]}), "wanted")
        same = f"lower(CAST(s.{quoted(column)} AS VARCHAR)) = lower(w.{quoted(column)})"
        table = engine.view(f"SELECT s.* FROM s JOIN w ON {same}", {"s": table, "w": wanted})
    return engine.create("SELECT * FROM this", {"this": table}, name="all_sessions")
