"""
Where tables live and queries run: plain SQL on DuckDB.

Rules that the rest of the house relies on:

- SQL stands in ``.sql`` files beside the module that uses it, in sections headed ``-- name: section``.
- Values reach SQL as parameters (``$name``) or as joined tables, never by string formatting.
- An analysis function takes tables as `Table` handles or as DataFrames and returns a small DataFrame.
- Files ending in ``.duckdb.sql`` may use DuckDB's own functions (reading exports); all others keep to the portable
  subset, and what differs between engines is a macro in ``engine/duckdb.sql`` and ``engine/spark.sql``.
"""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

if TYPE_CHECKING:
    import duckdb

_SECTION = re.compile(r"^-- name: *(\w+) *$", re.MULTILINE)
_PARAMETER = re.compile(r"\$(\w+)")
_serial = count(1)


@dataclass(frozen=True)
class Table:
    """A table that the engine holds: its physical name, the engine, its file where it is one Parquet file."""

    name: str
    engine: Engine = field(repr=False)
    path: Path | None = None

    @property
    def columns(self) -> list[str]:
        """Column names, in order."""
        return list(self.engine.kinds(self))

    def frame(self) -> pd.DataFrame:
        """Return the whole table as a DataFrame. For small tables only."""
        return self.engine.query("SELECT * FROM this", {"this": self})

    def __len__(self) -> int:
        return int(self.engine.query("SELECT count(*) AS n FROM this", {"this": self}).n[0])


AnyTable = Table | pd.DataFrame


@lru_cache
def _sections(path: str) -> dict[str, str]:
    text = Path(path).read_text(encoding="utf-8")
    parts = _SECTION.split(text)
    return dict(zip(parts[1::2], (part.strip().rstrip(";") for part in parts[2::2]), strict=True))


def statement(module_file: str, name: str, *, stem: str | None = None) -> str:
    """
    Return the section `name` of the ``.sql`` file beside a module.

    Parameters
    ----------
    module_file : str
        The module's ``__file__``; ``funnel.py`` reads ``funnel.sql``.
    name : str
        The section's name, from its line ``-- name: ...``.
    stem : str, optional
        Another file of the same folder, e.g. ``ga4.duckdb``.
    """
    path = Path(module_file)
    return _sections(str(path.with_name(f"{stem or path.stem}.sql")))[name]


def quoted(identifier: str) -> str:
    """Return an SQL identifier for a column or table name, safe whatever it contains."""
    return '"' + identifier.replace('"', '""') + '"'


def grouping_sets(columns: Iterable[Sequence[str]]) -> str:
    """
    Return the text of GROUPING SETS for lists of columns, each name quoted.

    >>> grouping_sets([[], ["device"], ["device", "country"]])
    '((), ("device"), ("device", "country"))'
    """
    return "(" + ", ".join("(" + ", ".join(map(quoted, names)) + ")" for names in columns) + ")"


def like(pattern: str) -> str:
    r"""
    Return a config pattern as lower-case text for ``LIKE ... ESCAPE '\'``: `*` is any text.

    Patterns follow pages: one Unicode form, no slash at the end of a path.

    >>> like("/Help_*/")
    '/help\\_%'
    """
    plain = unicodedata.normalize("NFC", pattern).strip().lower()
    if plain.startswith("/"):
        plain = plain.rstrip("/") or "/"
    return re.sub(r"\*+", "%", re.sub(r"([\\%_])", r"\\\1", plain))


class Engine:
    """
    One DuckDB connection with the house's settings.

    Parameters
    ----------
    folders : sequence of Path
        The only folders this engine may read from or write to. Empty: no file access fence (tests on frames).
    scratch : Path, optional
        Where it spills when memory is short.
    memory : str, optional
        Memory limit, e.g. ``"4GB"``; DuckDB's own default otherwise.
    threads : int, optional
        Worker threads; the number of cores otherwise.
    """

    def __init__(
        self,
        folders: Sequence[Path] = (),
        scratch: Path | None = None,
        memory: str | None = None,
        threads: int | None = None,
    ) -> None:
        import duckdb

        settings = {"autoinstall_known_extensions": "false", "autoload_known_extensions": "false"}
        memory = memory or os.environ.get("AUDIT_MEMORY")
        if memory:
            settings["memory_limit"] = memory
        if threads:
            settings["threads"] = str(threads)
        self.connection: duckdb.DuckDBPyConnection = duckdb.connect(config=settings)
        self._run("SET TimeZone = 'UTC'")
        self._run("SET preserve_insertion_order = false")
        # In a notebook without ipywidgets even switching it off raises.
        if self._run("SELECT current_setting('enable_progress_bar')").fetchone()[0]:
            self._run("SET enable_progress_bar = false")
        for macro in _sections(str(Path(__file__).with_name("duckdb.sql"))).values():
            self._run(macro)
        if scratch is not None:
            scratch.mkdir(parents=True, exist_ok=True)
            self._run("SET temp_directory = " + _literal(str(scratch)))
        if folders:
            allowed = [str(folder.resolve()) for folder in folders]
            self._run("SET allowed_directories = [" + ", ".join(map(_literal, allowed)) + "]")
            self._run("SET enable_external_access = false")

    def query(self, sql: str, tables: Mapping[str, AnyTable] | None = None, **parameters: Any) -> pd.DataFrame:
        """
        Run one statement and return its rows.

        Parameters
        ----------
        sql : str
            The statement; it calls its tables by the keys of `tables` and its parameters ``$name``.
        tables : mapping, optional
            Name in the statement -> handle or DataFrame.
        **parameters
            Values for ``$name``. Unused ones are dropped, so one set serves several sections.

        Returns
        -------
        DataFrame
            Columns as selected. Decimals arrive as float: money sums are made in SQL, shown from here.
        """
        self._bind(tables or {})
        return self._run(sql, parameters).df()

    def create(
        self, sql: str, tables: Mapping[str, AnyTable] | None = None, *, name: str = "made", **parameters: Any
    ) -> Table:
        """Keep a statement's rows as a temporary table and return its handle."""
        self._bind(tables or {})
        table = Table(f"{name}_{next(_serial)}", self)
        self._run(f"CREATE TEMP TABLE {quoted(table.name)} AS {sql}", parameters)
        return table

    def view(self, sql: str, tables: Mapping[str, AnyTable] | None = None, *, name: str = "view") -> Table:
        """
        Keep a statement without running it and return its handle.

        Its tables must be handles or frames that live as long as the view; it takes no parameters.
        """
        self._bind(tables or {})
        fixed = {key: self._physical(table) for key, table in (tables or {}).items()}
        table = Table(f"{name}_{next(_serial)}", self)
        # A view keeps names, not tables: it must not follow an alias that a later call binds anew.
        aliases = ", ".join(f"{quoted(key)} AS (SELECT * FROM {quoted(physical)})" for key, physical in fixed.items())
        self._run(f"CREATE TEMP VIEW {quoted(table.name)} AS {'WITH ' + aliases if aliases else ''} {sql}")
        return table

    def drop(self, *tables: Table) -> None:
        """Forget tables that `create` made, so that their memory is free for the next step."""
        for table in tables:
            self._run(f"DROP TABLE IF EXISTS {quoted(table.name)}")

    def write(self, sql: str, path: Path, tables: Mapping[str, AnyTable] | None = None, **parameters: Any) -> Table:
        """Write a statement's rows to a Parquet file, whole or not at all, and return its handle."""
        self._bind(tables or {})
        beside = path.with_name(f".{path.name}.{os.getpid()}.tmp")
        try:
            self._run(f"COPY ({sql}) TO {_literal(str(beside))} (FORMAT parquet, COMPRESSION zstd)", parameters)
            beside.replace(path)
        finally:
            beside.unlink(missing_ok=True)
        return self.open(path)

    def open(self, *paths: Path) -> Table:
        """Return the handle of one or several Parquet files with the same columns."""
        table = Table(f"file_{next(_serial)}", self, paths[0] if len(paths) == 1 else None)
        files = ", ".join(_literal(str(path)) for path in paths)
        self._run(f"CREATE TEMP VIEW {quoted(table.name)} AS SELECT * FROM read_parquet([{files}])")
        return table

    def hold(self, frame: pd.DataFrame, name: str = "frame") -> Table:
        """Return the handle of a DataFrame."""
        table = Table(f"{name}_{next(_serial)}", self)
        self.connection.register(table.name, _sql_ready(frame))
        return table

    def kinds(self, table: AnyTable) -> dict[str, str]:
        """Return each column's SQL type, in order."""
        self._bind({"this": table})
        described = self._run("DESCRIBE SELECT * FROM this").fetchall()
        return {row[0]: row[1] for row in described}

    def close(self) -> None:
        """Close the connection and forget its tables."""
        self.connection.close()

    def _physical(self, table: AnyTable) -> str:
        return (table if isinstance(table, Table) else self.hold(table)).name

    def _bind(self, tables: Mapping[str, AnyTable]) -> None:
        for name, table in tables.items():
            if isinstance(table, Table):
                if table.engine is not self:
                    raise ValueError(f"table {name!r} belongs to another engine")
                self._run(f"CREATE OR REPLACE TEMP VIEW {quoted(name)} AS SELECT * FROM {quoted(table.name)}")
            else:
                self._run(f"DROP VIEW IF EXISTS {quoted(name)}")
                self.connection.register(name, _sql_ready(table))

    def _run(self, sql: str, parameters: Mapping[str, Any] | None = None) -> duckdb.DuckDBPyConnection:
        if not parameters:
            return self.connection.execute(sql)
        wanted = set(_PARAMETER.findall(sql))
        return self.connection.execute(sql, {k: v for k, v in parameters.items() if k in wanted})


def engine_of(*tables: AnyTable) -> Engine:
    """Return the engine of the first handle among the tables; for frames alone, this process's own small one."""
    for table in tables:
        if isinstance(table, Table):
            return table.engine
    return _own_engine()


@lru_cache
def _own_engine() -> Engine:
    return Engine()


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _sql_ready(frame: pd.DataFrame) -> pd.DataFrame:
    """All-missing object columns would reach SQL as integers; text is what they are."""
    empty = {c: "string" for c in frame.columns if frame[c].dtype == object and frame[c].isna().all()}
    return frame.astype(empty) if empty else frame
