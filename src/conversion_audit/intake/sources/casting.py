"""Texts -> times, money and flags: one way for every kind of export whose values are not typed by its vendor."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from conversion_audit.engine import Table, engine_of, quoted, statement
from conversion_audit.errors import DataError, Problem
from conversion_audit.intake.remarks import Remark
from conversion_audit.intake.sources.reading import TEXT
from conversion_audit.intake.sources.shown import masked
from conversion_audit.intake.sources.stored import Rows, Store
from conversion_audit.tables import ROWS

_NOT_MAPPED = ("file", "line", "is_page", "amount_text", "is_purchase", "is_refund")
ITEM = ("item_id", "item_name", "item_category", "item_brand", "item_price", "item_quantity")
MAPPED = dict.fromkeys((*(name for name in ROWS.columns if name not in _NOT_MAPPED), *ITEM), TEXT)
"""Columns of a table of texts: those of `tables.ROWS`, and one item."""

_ZONED = r"([Zz]|UTC|GMT|[+-]\d\d(:?\d\d)?| [A-Z]\w+/\w[\w/+-]*| (CES?T|EES?T|WES?T|E[SD]T|P[SD]T))$"
"""What ends a time that names its zone: an offset, the name of a place, or one of the short names that mean one zone only."""

_UNITS = ("s", "ms", "us", "ns")
_UNIT_NAMES = {"s": "seconds", "ms": "milliseconds", "us": "microseconds", "ns": "nanoseconds"}


@dataclass(frozen=True)
class Settings:
    """
    What texts leave open.

    Parameters
    ----------
    timezone : str, optional
        Zone of times that name none; UTC without it.
    decimal : str, optional
        Decimal mark of amounts; found out without it, and asked for where it cannot be.
    currency : str, optional
        Currency of amounts that name none.
    page_events : sequence of str
        Events that are page views.
    numbers : bool
        Amounts are numbers of a typed format, so a single point is a decimal point.
    """

    timezone: str | None = None
    decimal: str | None = None
    currency: str | None = None
    page_events: Sequence[str] = ("page_view",)
    numbers: bool = False


def cast(mapped: Rows, settings: Settings) -> Rows:
    """
    Read times, amounts and flags from texts.

    Numbers as times are seconds, milliseconds, microseconds or nanoseconds, told apart row by row by the years 2005 to
    2100; a number outside takes its file's usual unit. Other letters behind a time than AM, PM and a zone's name make it
    unreadable. Times without a zone are the client's: an hour that does not exist moves forward; one that comes twice is
    the first, or the second where the order of rows says so. ``1.234`` and ``1,234`` are never guessed. A source such as
    ``google / organic`` holds its medium.

    Parameters
    ----------
    mapped : Rows
        Columns of `MAPPED`, with file and line; given up afterwards, so that a large export is not held twice.
    settings : Settings
        What texts leave open.

    Returns
    -------
    Rows
        See `tables.ROWS`; a time that cannot be read is a reject, an amount that cannot be read stays as `amount_text`.

    Raises
    ------
    DataError
        Where the unit of times, the order of day and month, or the decimal mark cannot be told.
    """
    engine = engine_of(mapped)
    times = engine.query(statement(__file__, "times", stem="casting.duckdb"), {"mapped": mapped})
    problems = _unclear_times(times)
    decimal, unclear = _decimal(mapped, settings)
    if problems or unclear:
        raise DataError(*problems, *unclear)
    day_first = bool((times["most_first"].fillna(0) > 12).any())
    fixed = {
        "zone": settings.timezone or "UTC", "decimal": decimal, "day_first": day_first, "currency": settings.currency,
    }  # fmt: skip
    units = pd.DataFrame({"file": times["file"].astype("string"), "unit": [_unit(row) for _, row in times.iterrows()]})
    held = {
        "mapped": masked(mapped),
        "settings": engine.hold(pd.DataFrame([fixed]).astype({"currency": "string"}), "settings"),
        "units": engine.hold(units.astype({"unit": "string"}), "units"),
        "page_events": engine.hold(
            pd.DataFrame({"name": pd.Series(settings.page_events, dtype="string")}), "page_events"
        ),
    }
    rows = statement(__file__, "rows", stem="casting.duckdb")
    columns = ", ".join(map(quoted, _filled(set(mapped.store.columns))))
    kinds = {name: column.kind for name, column in ROWS.columns.items()}
    store = Store.begun(engine, mapped.store.folder.parent, kinds)
    store.add(f"SELECT {columns} FROM ({rows}) cast_rows", held, zoned=_ZONED)
    made = _hour_told(mapped, store.completed(kinds, (*mapped.notes, *_mixed_units(times))), str(fixed["zone"]))
    mapped.store.drop()
    return made


def _filled(given: set[str]) -> list[str]:
    """Columns of `tables.ROWS` that may hold something when only these texts are given."""
    of_others = {"items": ITEM, "currency": ("amount",), "amount_text": ("amount",), "medium": ("source",)}
    always = {"file", "line", "time", "is_page", "is_purchase", "is_refund", "reject", "reject_column", "reject_value"}
    return [name for name in ROWS.columns if name in always | given or given & set(of_others.get(name, ()))]


def _hour_told(mapped: Rows, made: Rows, zone: str) -> Rows:
    """Move the times of an hour that the clock shows twice to its second turn where a sorted file shows that it is."""
    engine, found = made.engine, {"mapped": mapped, "rows": made}
    found["doubled"] = engine.create(statement(__file__, "doubled", stem="casting.duckdb"), found, zone=zone)
    if not len(found["doubled"]):
        return made
    found["twice"] = engine.create(statement(__file__, "twice", stem="casting.duckdb"), found, zoned=_ZONED)
    if not len(found["twice"]):
        return made
    found["second"] = engine.create(statement(__file__, "second", stem="casting.duckdb"), found)
    counts = engine.query(statement(__file__, "counts", stem="casting.duckdb"), found)
    notes = [
        Remark("hour_twice", file=row.file, rows=int(row.rows), second=int(row.second)) for row in counts.itertuples()
    ]
    moved = engine.view(statement(__file__, "moved", stem="casting.duckdb"), found, name="moved")
    return Rows(moved.name, engine, notes=(*made.notes, *notes))


def _unit(row: pd.Series) -> str | None:
    return max(_UNITS, key=lambda unit: row[unit]) if any(row[unit] for unit in _UNITS) else None


def _mixed_units(times: pd.DataFrame) -> list[Remark]:
    notes = []
    for _, row in times.iterrows():
        found = [f"{_UNIT_NAMES[unit]} ({row[unit]:,})" for unit in _UNITS if row[unit]]
        if len(found) > 1:
            notes.append(Remark("units", file=row["file"], units=" and ".join(found)))
    return notes


def _unclear_times(times: pd.DataFrame) -> list[Problem]:
    problems = []
    for _, row in times.iterrows():
        if row["numbers"] and _unit(row) is None:
            problems.append(
                Problem(
                    "the unit of times cannot be told",
                    f"{row['file']}:time",
                    str(row["example"]),
                    "As seconds, milliseconds, microseconds or nanoseconds since 1970 no row lies between 2005 and 2100.",
                    "Map another column to `time`, or export times as 2026-03-02 14:05:00.",
                )
            )
    slashed = times[times["slashed"] > 0]
    if len(slashed) and not ((slashed["most_first"] > 12).any() ^ (slashed["most_second"] > 12).any()):
        problems.append(
            Problem(
                "day and month cannot be told apart",
                f"{slashed['file'].iloc[0]}:time",
                str(slashed["example"].iloc[0]),
                "No value, or one of each kind, shows which of the two numbers is the month.",
                "Export times as 2026-03-02 14:05:00.",
            )
        )
    return problems


def _decimal(mapped: Table, settings: Settings) -> tuple[str, list[Problem]]:
    if settings.decimal:
        return settings.decimal, []
    found = engine_of(mapped).query(statement(__file__, "money", stem="casting.duckdb"), {"mapped": mapped}).iloc[0]
    if found["points"] and found["commas"]:
        what = f"amounts are written in two ways: {found['points']:,} with a decimal point, {found['commas']:,} with a comma"
    elif found["unclear"] and not found["points"] and not found["commas"] and not settings.numbers:
        what = "the decimal mark of amounts cannot be told"
    else:
        return ("," if found["commas"] else "."), []
    why = "1.234 may be a thousand or one and a bit: it is never guessed."
    mend = 'Write `decimal: ","` or `decimal: "."` on this source in audit.yaml.'
    return ".", [Problem(what, "amount", str(found["example"] or ""), why, mend)]
