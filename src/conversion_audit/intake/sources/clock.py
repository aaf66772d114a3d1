"""A day and a time of day in two columns: told from names and values, checked, and written together as one time."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from conversion_audit.errors import Problem, listing
from conversion_audit.intake.files import InputFile

TIME_OF_DAY = "time_of_day"
"""What `columns` calls the second of the two; the first is ``time``."""

_DAYS = (
    "date",
    "day",
    "event_date",
    "log_date",
    "visit_date",
    "server_date",
    "session_date",
    "datum",
    "tag",
    "time",
    "timestamp",
)
_CLOCKS = (
    "time",
    "time_of_day",
    "event_time",
    "log_time",
    "visit_time",
    "server_time",
    "session_time",
    "clock",
    "uhrzeit",
    "zeit",
)
_IS_DAY = re.compile(r"(\d{4}[-/.]?\d\d[-/.]?\d\d|\d{1,2}[./-]\d{1,2}[./-](\d{4}|\d\d))([T ]00:00(:00(\.0+)?)?)?")
_IS_CLOCK = re.compile(r"\d{1,2}:\d\d(:\d\d([.,]\d+)?)?( ?[ap]m| uhr)?(z|[+-]\d\d(:?\d\d)?)?", re.IGNORECASE)


def pair(known: Mapping[str, str], time: str | None, files: Sequence[InputFile]) -> dict[str, list[str]]:
    """
    Return ``time`` and ``time_of_day`` where two columns hold them, else nothing.

    Parameters
    ----------
    known : mapping
        Name as it is compared -> the column's own.
    time : str, optional
        The column guessed for ``time`` alone; one that says both is left as it is.
    files : sequence of InputFile
        Their first records are looked at.
    """
    day = alone(known, files)
    clock = next((known[name] for name in _CLOCKS if name in known and _all(_IS_CLOCK, known[name], files)), None)
    if day is None or clock is None or time not in (None, day, clock):
        return {}
    return {"time": [day], TIME_OF_DAY: [clock]}


def alone(known: Mapping[str, str], files: Sequence[InputFile]) -> str | None:
    """Return the column that holds days, or None; parameters as for `pair`."""
    return next((known[name] for name in _DAYS if name in known and _all(_IS_DAY, known[name], files)), None)


def problems(columns: Mapping[str, Sequence[str]], files: Sequence[InputFile]) -> list[Problem]:
    """Return what no time can be made of: a time of day without its day, or beside a time that holds one already."""
    day, second = (*columns.get("time", ()), "", "")[:2]
    clock = next(iter(columns.get(TIME_OF_DAY, ())), "")
    days, clocks = _seen(day, files), _seen(clock, files)
    of_days, of_clocks = [one for one in days if _IS_DAY.fullmatch(one)], list(filter(_IS_CLOCK.fullmatch, clocks))
    mend, seen, why = _mend(day or "DAY-COLUMN", clock or second or "TIME-COLUMN"), "", ""
    if clock and not day:
        what = f"{TIME_OF_DAY}: {clock} has no day"
    elif clocks and not of_clocks:
        what, seen = f"{TIME_OF_DAY}: {clock} holds no times of day such as 14:05 or 14:05:00", clocks[0]
        mend = f"Map such a column, or leave {TIME_OF_DAY} out where `time` holds both."
    elif clock and days and not of_days:
        what, seen = f"time: {day} holds no plain days", days[0]
        why = f"{TIME_OF_DAY} is written behind it."
        mend = f"Leave {TIME_OF_DAY} out where `time` holds both, else map a column of days to `time`."
    elif not clock and _all(_IS_CLOCK, day, files):
        what, seen, why = f"time: {day} holds times of day only", days[0], "Without its day no event can be placed."
        mend = _mend("DAY-COLUMN", day)
    elif not clock and _all(_IS_DAY, day, files) and _all(_IS_CLOCK, second, files):
        what = f"time: {day} is a day and {second} a time of day"
        why = "Of several columns the first that is filled counts: every event would be at midnight."
    else:
        return []
    return [Problem(what, listing([file.name for file in files], 3), seen, why, mend)]


def together(parts: Sequence[str]) -> list[str]:
    """
    Return the parts of a SELECT with the time of day written behind the day, as one ``time``.

    A spreadsheet's midnight behind a day is no time, and 20260302 is parted, so that the two read as one.
    """
    time, clock = (
        next((part for part in parts if part.endswith(f' AS "{name}"')), "") for name in ("time", TIME_OF_DAY)
    )
    if not (time and clock):
        return list(parts)
    day = time.removesuffix(' AS "time"')
    day = f"regexp_replace({day}, '[T ]00:00(:00(\\.0+)?)?$', '')"
    day = f"regexp_replace({day}, '^(\\d{{4}})(\\d\\d)(\\d\\d)$', '\\1-\\2-\\3')"
    said = clock.removesuffix(f' AS "{TIME_OF_DAY}"')
    said = f"regexp_replace(replace({said}, ',', '.'), '\\s*uhr$', '', 'i')"
    joined = f"{day} || coalesce(' ' || {said}, '') AS \"time\""
    return [joined if part == time else part for part in parts if part != clock]


def _mend(day: str, clock: str) -> str:
    return f"Write both under `columns` of this source in audit.yaml: columns: {{time: {day}, {TIME_OF_DAY}: {clock}}}."


def _seen(column: str, files: Sequence[InputFile]) -> list[str]:
    values = (record.get(column) for file in files for record in file.records)
    return [text for value in values if value is not None and (text := str(value).strip())]


def _all(pattern: re.Pattern[str], column: str, files: Sequence[InputFile]) -> bool:
    values = _seen(column, files)
    return bool(values) and all(pattern.fullmatch(value) for value in values)
