"""The house's statements in another engine's words, by sqlglot, with what differs between engines written out."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

import sqlglot
from sqlglot import exp

from conversion_audit.engine import sections

_MACRO = re.compile(r"CREATE OR REPLACE MACRO (\w+)\(([^)]*)\) AS (.*)", re.DOTALL)


@lru_cache(maxsize=2048)
def spoken(sql: str, dialect: str, kinds: tuple[tuple[str, str], ...] = ()) -> str:
    """
    Return a portable statement in another engine's words.

    Parameters
    ----------
    sql : str
        The statement, in the portable subset of DuckDB's SQL and with the macros of ``engine/<dialect>.sql``.
    dialect : str
        sqlglot's name of the engine, e.g. ``spark``.
    kinds : tuple of (str, str)
        Parameters that must be cast, with the kind in the dialect's words.

    Returns
    -------
    str
        Every name quoted, every macro replaced by its body, parameters as ``:name``. A division is one of floats, as
        in DuckDB, and so is an average.
    """
    (tree,) = sqlglot.parse(sql, read="duckdb")
    native(tree, dialect)
    for place in list(tree.find_all(exp.Placeholder)):
        if kind := dict(kinds).get(place.name):
            place.replace(exp.cast(place.copy(), exp.DataType.build(kind, dialect=dialect)))
    return tree.sql(dialect=dialect, identify=True, unsupported_level=sqlglot.ErrorLevel.RAISE)


def native(tree: exp.Expression, dialect: str) -> exp.Expression:
    """Write another engine's words for the macros into a statement and return it; divisions stay those of DuckDB."""
    macros = _macros(dialect)
    for call in reversed(list(tree.find_all(exp.Anonymous))):
        if call.name.lower() in macros:
            call.replace(_expanded(call, *macros[call.name.lower()]))
    if dialect != "duckdb":
        _as_floats(tree)
    return tree


@lru_cache
def _macros(dialect: str) -> Mapping[str, tuple[tuple[str, ...], exp.Expression]]:
    found = {}
    for name, text in sections(str(Path(__file__).with_name(f"{dialect}.sql"))).items():
        _, arguments, body = _MACRO.search(text).groups()
        names = tuple(argument.strip() for argument in arguments.split(","))
        found[name] = names, sqlglot.parse_one(body, read=dialect)
    return found


def _expanded(call: exp.Anonymous, names: tuple[str, ...], body: exp.Expression) -> exp.Expression:
    given = dict(zip(names, call.expressions, strict=True))
    root = exp.paren(body)
    for column in list(root.find_all(exp.Column)):
        if not column.table and column.name in given:
            column.replace(exp.paren(given[column.name]))
    return root


def _as_floats(tree: exp.Expression) -> None:
    for division in tree.find_all(exp.Div):
        for side in ("this", "expression"):
            division.set(side, exp.cast(exp.paren(division.args[side]), "double"))
    for average in tree.find_all(exp.Avg):
        average.set("this", exp.cast(average.this, "double"))
