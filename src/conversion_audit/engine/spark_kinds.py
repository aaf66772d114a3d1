"""Kinds of columns and values in Spark's words."""

from __future__ import annotations

import re
from typing import Any

import pandas as pd

# Whatever is not here is text: enumerations, JSON.
_SPARK = {
    "BOOLEAN": "BOOLEAN",
    "TINYINT": "TINYINT",
    "SMALLINT": "SMALLINT",
    "INTEGER": "INT",
    "BIGINT": "BIGINT",
    "UTINYINT": "SMALLINT",
    "USMALLINT": "INT",
    "UINTEGER": "BIGINT",
    "UBIGINT": "DECIMAL(20,0)",
    "HUGEINT": "BIGINT",  # what DuckDB makes of a sum of integers, and Spark does not
    "FLOAT": "FLOAT",
    "DOUBLE": "DOUBLE",
    "DATE": "DATE",
    "TIMESTAMP": "TIMESTAMP_NTZ",
    "TIMESTAMP_S": "TIMESTAMP_NTZ",
    "TIMESTAMP_MS": "TIMESTAMP_NTZ",
    "TIMESTAMP_NS": "TIMESTAMP_NTZ",
}
_DUCKDB = {"UTINYINT": "SMALLINT", "USMALLINT": "INTEGER", "UINTEGER": "BIGINT", "UBIGINT": "DECIMAL(20,0)"}
_DUCKDB |= {"HUGEINT": "BIGINT", "TIMESTAMP_S": "TIMESTAMP", "TIMESTAMP_MS": "TIMESTAMP", "TIMESTAMP_NS": "TIMESTAMP"}


def in_spark(kind: str) -> str:
    """
    Return the kind of Spark that holds a kind of DuckDB.

    >>> in_spark("HUGEINT"), in_spark("DECIMAL(18,4)"), in_spark("VARCHAR")
    ('BIGINT', 'DECIMAL(18,4)', 'STRING')
    """
    return kind if kind.startswith("DECIMAL") else _SPARK.get(kind, "STRING")


def on_disk(kind: str) -> str:
    """Return the same for a file that outlives the engine: sums as DuckDB writes them, which has no such integer there."""
    return "DOUBLE" if kind == "HUGEINT" else in_spark(kind)


def lent(kind: str) -> str:
    """Return the kind of DuckDB that Spark can read as `in_spark` says."""
    known = kind.startswith("DECIMAL") or kind in _SPARK
    return _DUCKDB.get(kind, kind) if known else "VARCHAR"


def name_in_spark(identifier: str) -> str:
    """Return an identifier of Spark, safe whatever it contains."""
    return "`" + identifier.replace("`", "``") + "`"


def value_for_spark(value: Any) -> Any:
    """Return a parameter as a plain value: a moment as text, whose cast stands in the statement."""
    if value is None or value is pd.NaT:
        return None
    if hasattr(value, "item"):  # numpy's
        return value.item()
    return str(value) if is_moment(value) else value


def is_moment(value: Any) -> bool:
    """Say whether a parameter is a point in time."""
    return hasattr(value, "hour") and hasattr(value, "year")


def readable(path: str) -> str:
    """Return a path in which Spark sees no pattern."""
    return re.sub(r"([*?\[\]{}\\])", r"\\\1", path)
