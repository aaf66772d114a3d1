"""Which days and which sessions somebody asked to look at."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date

import pandas as pd

from conversion_audit.engine import Table, quoted, statement
from conversion_audit.errors import ConfigError, Problem, closest, listing
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


def in_order(start: date, end: date, seen: Callable[[], tuple[date, date] | None]) -> Period:
    """Return the period; raises `ConfigError` where it ends before it starts, with the export's days, which `seen` gives."""
    if start <= end:
        return Period(start=start, end=end)
    what = f"the period starts on {start} and ends on {end}, before it"
    mend = "Name a first and a last day: --start, --end, or period in audit.yaml."
    raise ConfigError(Problem(what, why=_runs(seen()), mend=mend))


def refuse_elsewhere(period: Period, days: tuple[date, date]) -> None:
    """Raise `ConfigError` where no day of the export lies in the period."""
    if period.start > days[1] or period.end < days[0]:
        what = f"no day of the export lies in the period, {period.start} to {period.end}"
        mend = "Name days of the export: --start, --end, or period in audit.yaml."
        raise ConfigError(Problem(what, why=_runs(days), mend=mend))


def refuse_nothing(period: Period, where: Mapping[str, str], every: Table, all_sessions: Table, counted: Table) -> None:
    """Raise `ConfigError` where no session of the period meets `where`, or none of those that do counts."""
    if len(counted):
        return
    aside = len(all_sessions)
    if where and not aside:
        raise nobody(every, where)
    what = f"no session is left in the period, {period.start} to {period.end}"
    why = f"Set aside as bots, internal or test traffic: {aside:,}." if aside else "Nothing was recorded on these days."
    raise ConfigError(Problem(what, why=why, mend="Name another period, or look at `internal` in audit.yaml."))


def _runs(days: tuple[date, date] | None) -> str:
    return f"The export runs from {days[0]} to {days[1]}." if days else "The export names no days."


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
    return engine.create("SELECT * FROM this", {"this": meeting(table, where)}, name="all_sessions")


def meeting(sessions: Table, where: Mapping[str, str]) -> Table:
    """Return the sessions that meet all conditions, each naming a column they have."""
    engine = sessions.engine
    for column, value in where.items():
        wanted = engine.hold(pd.DataFrame({column: [value]}), "wanted")
        same = f"lower(CAST(s.{quoted(column)} AS VARCHAR)) = lower(w.{quoted(column)})"
        sessions = engine.view(f"SELECT s.* FROM s JOIN w ON {same}", {"s": sessions, "w": wanted})
    return sessions


def nobody(sessions: Table, where: Mapping[str, str]) -> ConfigError:
    """Return why no session of the period meets the conditions, by what all `sessions` are: the values there are."""
    problems = []
    for column, value in where.items():
        counted = (
            f"SELECT CAST({quoted(column)} AS VARCHAR) AS value, count(*) AS n FROM s GROUP BY 1 ORDER BY 2 DESC, 1"
        )
        values = [str(one) for one in sessions.engine.query(counted, {"s": sessions})["value"].dropna()]
        if not values:
            what = f"where: {column} is empty in every session"
            problems.append(Problem(what, why="The export does not say it.", mend="Choose another column."))
        elif value.lower() not in map(str.lower, values):
            what = f"where: no session has {column} {value!r}{closest(value, values)}"
            problems.append(Problem(what, mend=f"Values of {column}: {listing(values)}"))
    together = ", ".join(f"{column}={value}" for column, value in where.items())
    mend = "Leave one of them out, or name another period."
    return ConfigError(
        *(problems or [Problem("where: no session of the period meets it all", seen=together, mend=mend)])
    )
