"""Where rows are kept once they are read: only the columns that any file has, the others shown as missing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from conversion_audit.engine import Engine, Table, quoted
from conversion_audit.intake.remarks import Remark

SQL_KINDS = {
    "text": "VARCHAR",
    "json": "VARCHAR",
    "int": "BIGINT",
    "float": "DOUBLE",
    "bool": "BOOLEAN",
    "time": "TIMESTAMP",
    "money": "DECIMAL(18, 4)",
}
"""Kind of a contract's column -> SQL type."""

_DEFAULTS = {
    ("is_page", "bool"): "FALSE",
    ("is_purchase", "bool"): "FALSE",
    ("is_refund", "bool"): "FALSE",
    ("properties", "json"): "'{}'",
}


@dataclass(frozen=True)
class Rows(Table):
    """A table of rows, what reading it changed or found odd, in words, and the table that stores the columns it really has."""

    notes: tuple[Remark, ...] = ()
    stored: Table | None = None


def begun(engine: Engine, kinds: Mapping[str, str], name: str) -> Table:
    """Return a table without rows, of the number of a file and these columns."""
    columns = [f"CAST(NULL AS {SQL_KINDS[kind]}) AS {quoted(column)}" for column, kind in kinds.items()]
    return engine.create(f"SELECT CAST(NULL AS INTEGER) AS __file, {', '.join(columns)} WHERE false", name=name)


def widen(stored: Table, given: Iterable[str], kinds: Mapping[str, str]) -> None:
    """Add the columns that are given and not there. One that no file has would cost each row as much room as any other."""
    there = set(stored.columns)
    for name in given:
        if name not in there:
            sql = f"ALTER TABLE {quoted(stored.name)} ADD COLUMN {quoted(name)} {SQL_KINDS[kinds[name]]}"
            stored.engine.query(sql)


def completed(
    stored: Table, kinds: Mapping[str, str], notes: Iterable[Remark], *, also: Iterable[str] = (), joined: str = ""
) -> Rows:
    """
    Return stored rows with all of these columns; one that is not stored is missing in every row.

    Parameters
    ----------
    stored : Table
        Called ``r`` in the next two.
    kinds : mapping
        Column -> kind.
    notes : iterable of Remark
        What reading the rows changed or found odd.
    also : iterable of str
        Columns to select beside them.
    joined : str
        What is joined for these.
    """
    there, columns = set(stored.columns), list(also)
    for name, kind in kinds.items():
        given = f"r.{quoted(name)}" if name in there else f"CAST(NULL AS {SQL_KINDS[kind]})"
        default = _DEFAULTS.get((name, kind))
        columns.append(f"{f'coalesce({given}, {default})' if default else given} AS {quoted(name)}")
    view = Rows(f"rows_of_{stored.name}", stored.engine, notes=tuple(notes), stored=stored)
    select = f"SELECT {', '.join(columns)} FROM {quoted(stored.name)} r {joined}"
    stored.engine.query(f"CREATE TEMP VIEW {quoted(view.name)} AS {select}")
    return view
