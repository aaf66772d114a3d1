"""What a table promises, and one check that holds frames and Parquet files to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import pandas as pd

from conversion_audit.engine import AnyTable, engine_of, quoted
from conversion_audit.errors import AuditError, Problem, closest

_KINDS = {
    "text": ("VARCHAR",),
    "json": ("VARCHAR", "JSON"),
    "int": ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UINTEGER", "UBIGINT", "USMALLINT", "UTINYINT"),
    "float": ("DOUBLE", "FLOAT", "DECIMAL", "BIGINT", "INTEGER"),
    "money": ("DECIMAL", "DOUBLE"),
    "bool": ("BOOLEAN",),
    "time": ("TIMESTAMP",),
    "date": ("DATE", "TIMESTAMP"),
}


class Column(NamedTuple):
    """What a column holds. `null` says what a missing value means; empty: the column is never missing."""

    kind: str
    meaning: str
    null: str = ""


@dataclass(frozen=True)
class Contract:
    """A table's name, what one row is, and its columns."""

    name: str
    grain: str
    columns: dict[str, Column]


def check(table: AnyTable, contract: Contract) -> None:
    """
    Hold a table to its contract.

    Parameters
    ----------
    table : table
        A handle or a DataFrame. Further columns are allowed.
    contract : Contract
        One of this module's.

    Raises
    ------
    AuditError
        Naming every missing column, wrong kind and forbidden null at once.
    """
    engine = engine_of(table)
    kinds = engine.kinds(table)
    problems = [
        Problem(f"missing column '{name}'{closest(name, kinds)}", contract.name)
        for name in contract.columns
        if name not in kinds
    ]
    present = {name: column for name, column in contract.columns.items() if name in kinds}
    problems += [
        Problem(f"column '{name}' should be {column.kind}, is {kinds[name]}", contract.name)
        for name, column in present.items()
        if not kinds[name].startswith(_KINDS[column.kind]) and kinds[name] != '"NULL"'
    ]
    strict = [name for name, column in present.items() if not column.null]
    if strict:
        counts = ", ".join(f"count(*) - count({quoted(name)}) AS {quoted(name)}" for name in strict)
        missing = engine.query(f"SELECT {counts} FROM this", {"this": table}).iloc[0]
        problems += [
            Problem(f"column '{name}' is missing in {int(n)} rows", contract.name) for name, n in missing.items() if n
        ]
    if problems:
        raise AuditError(*problems)


def empty(contract: Contract) -> pd.DataFrame:
    """Return a table of the contract's columns without rows."""
    kinds = {
        "int": "int64",
        "float": "float64",
        "money": "float64",
        "bool": "bool",
        "time": "datetime64[us]",
        "date": "datetime64[us]",
    }
    return pd.DataFrame(
        {name: pd.Series(dtype=kinds.get(column.kind, "string")) for name, column in contract.columns.items()}
    )
