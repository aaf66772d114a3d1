"""Recorded steps as a script for a console: tables named, values and macros written out."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import sqlglot
from sqlglot import exp

from conversion_audit.engine.dialects import native
from conversion_audit.engine.recorded import Step

DIALECTS = ("duckdb", "bigquery", "spark")
_SERIAL = re.compile(r"(_\d+)+$")
_HASH = re.compile(r"-[0-9a-f]{12}$")
_NAMELESS = {"made", "frame", "view", "file", "this", "rows", "a", "b", "e", "s", "w"}
_TIMES = {"TIMESTAMP_NS": "TIMESTAMP", "TIMESTAMP_S": "TIMESTAMP", "TIMESTAMP_MS": "TIMESTAMP"}


def script(steps: Sequence[Step], results: Sequence[str], dialect: str, locate: Callable[[Path], str]) -> str:
    """
    Return a script that makes recorded results anew.

    Parameters
    ----------
    steps : sequence of Step
        From `recorded.behind`.
    results : sequence of str
        Names of the steps whose rows the script ends with; each is one SELECT.
    dialect : str
        One of `DIALECTS`. DuckDB's script reads the files itself; for the others they are tables that stand by their names.
    locate : callable
        Path of a file -> how the script writes it.

    Returns
    -------
    str
        Statements, each with its semicolon. Values are written as literals, so that nothing is left to fill in.
    """
    names = _names(steps)
    parts, seen = [], set()
    for step in steps:
        text = "".join(_written(step, names, dialect, step.name in results, locate))
        if step.name in results and len(results) > 1:
            text = f"-- Result {results.index(step.name) + 1} of {len(results)}\n{text}"
        if text and text not in seen:
            parts.append(text)
        if step.kind in ("file", "rows"):
            seen.add(text)
    return "\n\n".join(parts)


def files(steps: Sequence[Step]) -> dict[str, tuple[Path, ...]]:
    """Return table -> Parquet files, for the tables that a script takes as given."""
    names = _names(steps)
    return {names[step.name]: step.paths for step in steps if step.kind == "file"}


def _written(
    step: Step, names: Mapping[str, str], dialect: str, is_result: bool, locate: Callable[[Path], str]
) -> Iterator[str]:
    name = exp.to_identifier(names[step.name]).sql(dialect)
    if step.kind == "file":
        if dialect == "duckdb":
            paths = ", ".join(exp.Literal.string(locate(path)).sql(dialect) for path in step.paths)
            yield f"{_kept('view', dialect)} {name} AS\nSELECT * FROM read_parquet([{paths}]);"
        return
    tree = _values(step) if step.kind == "rows" else _filled(step, names)
    body = native(tree, dialect).sql(dialect=dialect, pretty=True)
    yield f"{body};" if is_result else f"{_kept(step.kind, dialect)} {name} AS\n{body};"


def _kept(kind: str, dialect: str) -> str:
    if dialect == "duckdb":
        return "CREATE OR REPLACE TEMP VIEW" if kind == "view" else "CREATE OR REPLACE TEMP TABLE"
    return "CREATE TEMP TABLE" if dialect == "bigquery" else "CREATE OR REPLACE TEMPORARY VIEW"


def _filled(step: Step, names: Mapping[str, str]) -> exp.Expression:
    (tree,) = sqlglot.parse(step.sql, read="duckdb")
    for place in list(tree.find_all(exp.Placeholder)):
        place.replace(literal(step.parameters[place.name]))
    given = {key.lower(): names[made] for key, made in step.tables.items()}
    for table in list(tree.find_all(exp.Table)):
        said = table.name.lower()
        if said in given and not table.db and isinstance(table.this, exp.Identifier) and not _is_cte(table):
            if not table.alias and given[said] != said:
                table.set("alias", exp.TableAlias(this=exp.to_identifier(table.name)))
            table.set("this", exp.to_identifier(given[said]))
    return tree


def _is_cte(table: exp.Table) -> bool:
    """Say whether a name means a part of its own statement: one that was named before, or around it."""
    inside: exp.Expression = table
    while (around := inside.parent) is not None:
        parts = around.args.get("with_") or around.args.get("with")  # its name differs between versions of sqlglot
        before: list[exp.Expression] = []
        if isinstance(around, exp.With):
            before = around.expressions[: [part is inside for part in around.expressions].index(True)]
        elif parts is not None and parts is not inside:
            before = parts.expressions
        if any(cte.alias.lower() == table.name.lower() for cte in before):
            return True
        inside = around
    return False


def _values(step: Step) -> exp.Expression:
    """A small table of values, with the types that the statements expect."""
    kinds = {column: _TIMES.get(kind, kind) for column, kind in step.columns.items()}
    rows = step.rows or [(None,) * len(kinds)]
    values = exp.values(
        [tuple(literal(value) for value in row) for row in rows], alias="given", columns=[*map(_identifier, kinds)]
    )
    casts = [
        exp.alias_(exp.cast(exp.column(_identifier(column)), _kind(kind)), _identifier(column))
        for column, kind in kinds.items()
    ]
    select = exp.select(*casts).from_(values)
    return select if step.rows else select.where(exp.false())


def _kind(kind: str) -> exp.DataType:
    return exp.DataType.build("VARCHAR" if kind.startswith("ENUM") else kind, dialect="duckdb")


def _identifier(name: str) -> exp.Identifier:
    return exp.to_identifier(name)


def literal(value: Any) -> exp.Expression:
    """Return a value as SQL writes it, whatever it holds."""
    if hasattr(value, "item") and not isinstance(value, datetime):
        value = value.item()
    if value is None or value != value:
        return exp.null()
    if isinstance(value, datetime):
        return exp.cast(exp.Literal.string(value.isoformat(sep=" ")), exp.DataType.build("TIMESTAMP", dialect="duckdb"))
    if isinstance(value, date):
        return exp.cast(exp.Literal.string(value.isoformat()), "date")
    if isinstance(value, Decimal):
        return exp.Literal.number(value)
    return exp.convert(value)


def _names(steps: Sequence[Step]) -> dict[str, str]:
    """Recorded name -> a name to read: the table's own, or what the first statement that uses it calls it."""
    used: dict[str, str] = {}
    for step in steps:
        for key, made in step.tables.items():
            used.setdefault(made, key)
    taken = {cte.alias.lower() for step in steps if step.sql for cte in _ctes(step.sql)}
    plain = {step.name: _plain(step, used) for step in steps}
    alike: dict[tuple, str] = {}
    counted = Counter[str]()
    names: dict[str, str] = {}
    for step in steps:
        same = (plain[step.name], step.paths, tuple(step.columns), step.rows)
        if step.kind in ("file", "rows") and same in alike:
            names[step.name] = alike[same]
            continue
        counted[plain[step.name]] += 1
        number = counted[plain[step.name]]
        name = plain[step.name] if number == 1 and plain[step.name] not in taken else f"{plain[step.name]}_{number}"
        names[step.name] = alike[same] = name
    return names


def _plain(step: Step, used: Mapping[str, str]) -> str:
    if step.kind == "file":
        return _HASH.sub("", step.paths[0].stem)
    own = _SERIAL.sub("", step.name).lower()
    if step.kind == "rows" or own in _NAMELESS:
        called = used.get(step.name, own)
        own = f"{called}_given" if step.kind == "rows" else called
    return f"{own}_rows" if own in _NAMELESS else own


def _ctes(sql: str) -> list[exp.CTE]:
    (tree,) = sqlglot.parse(sql, read="duckdb")
    return list(tree.find_all(exp.CTE))
