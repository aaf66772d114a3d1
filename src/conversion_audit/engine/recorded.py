"""What an engine was asked: every statement with the tables and values it was given, so that it can be printed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import duckdb

    from conversion_audit.engine import AnyTable

_PARAMETER = re.compile(r"\$(\w+)")

Kind = Literal["query", "create", "view", "file", "rows"]


@dataclass(frozen=True)
class Step:
    """
    One statement, file or small table of values.

    Parameters
    ----------
    kind : str
        ``query`` returned its rows, ``create`` and ``view`` kept them under `name`; ``file`` is Parquet, ``rows`` are
        values that the caller gave.
    name : str
        What later steps call it; a query's is its own.
    sql : str
        The statement as written.
    tables : mapping
        Name in the statement -> name of the step that made it.
    parameters : mapping
        Name in the statement -> value.
    paths : tuple of Path
        Of a file.
    columns : mapping
        Of rows: column -> SQL type.
    rows : tuple of tuples
        Of rows.
    """

    kind: Kind
    name: str
    sql: str = ""
    tables: Mapping[str, str] = field(default_factory=dict)
    parameters: Mapping[str, Any] = field(default_factory=dict)
    paths: tuple[Path, ...] = ()
    columns: Mapping[str, str] = field(default_factory=dict)
    rows: tuple[tuple, ...] = ()


class Recorder:
    """Keeps what one connection is asked, statement by statement, in `steps`."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection
        self.steps: list[Step] = []

    def statement(
        self,
        kind: Kind,
        name: str,
        sql: str,
        tables: Mapping[str, AnyTable] | None = None,
        parameters: Mapping[str, Any] | None = None,
    ) -> None:
        """Keep a statement whose tables are bound."""
        named = {
            key: table.name if hasattr(table, "engine") else self.rows(key, f"{name}_{key}")
            for key, table in (tables or {}).items()
        }
        used = set(_PARAMETER.findall(sql))
        values = {key: value for key, value in (parameters or {}).items() if key in used}
        self.steps.append(Step(kind, name, sql, named, values))

    def rows(self, bound: str, name: str | None = None) -> str:
        """Keep a caller's frame as values, as the statement sees it: the frame may change or go."""
        seen = 'SELECT * FROM "' + bound + '"'
        kinds = {row[0]: row[1] for row in self._connection.execute(f"DESCRIBE {seen}").fetchall()}
        rows = tuple(self._connection.execute(seen).fetchall())
        self.steps.append(Step("rows", name or bound, columns=kinds, rows=rows))
        return name or bound


def behind(steps: Sequence[Step], wanted: Iterable[str]) -> list[Step]:
    """
    Return the steps that lead to those wanted, these included, in the order in which they were taken.

    Parameters
    ----------
    steps : sequence of Step
        As recorded.
    wanted : iterable of str
        Names of steps.
    """
    made = {step.name: step for step in steps}
    found: set[str] = set()
    open_ends = list(wanted)
    while open_ends:
        name = open_ends.pop()
        if name not in found:
            found.add(name)
            open_ends += made[name].tables.values()
    return [step for step in made.values() if step.name in found]
