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

import math
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from conversion_audit.engine.files import replacing
from conversion_audit.engine.recorded import Recorder, Step
from conversion_audit.engine.text import grouping_sets, like, literal, quoted, sections, statement
from conversion_audit.errors import ConfigError, Problem

if TYPE_CHECKING:
    import duckdb

__all__ = ["AnyTable", "Engine", "Parts", "Table", "Tables", "engine_of"]
__all__ += ["grouping_sets", "like", "literal", "quoted", "sections", "statement"]

Parts = Sequence[Mapping[str, Any]]
WHOLE: Parts = ({},)

SHARE = 0.3
"""Of the memory there is, what one step may hold at once: others hold some too, and what does not fit is written and read again."""

_PARQUET = "FORMAT parquet, COMPRESSION snappy, ROW_GROUP_SIZE 61440"
"""Snappy: a third more room than zstd takes, a quarter less time to write and to read. Row groups of half the usual size:
each thread holds one while it fills, and memory never touched before is dear, for the system clears it first."""

_PARAMETER = re.compile(r"\$(\w+)")
_serial = count(1)


@dataclass(frozen=True)
class Table:
    """A table that the engine holds: its physical name, the engine, its Parquet file or folder of files where it is one."""

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
        return self.engine.size(self)


AnyTable = Table | pd.DataFrame
Tables = Mapping[str, AnyTable] | None


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

    keeps_subqueries = True
    """A part of a statement that is read several times is computed once."""

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
        try:
            if memory and memory.strip().startswith("-"):  # would be taken for no limit at all
                raise duckdb.ParserException("negative")
            self.connection: duckdb.DuckDBPyConnection = duckdb.connect(config=settings)
        except duckdb.ParserException as error:
            mend = "Write e.g. --memory 4GB, AUDIT_MEMORY=4GB, or engine: {memory: 4GB} in audit.yaml."
            raise ConfigError(Problem("this is no size of memory", seen=str(memory), mend=mend)) from error
        self._recorder: Recorder | None = None
        self._run("SET TimeZone = 'UTC'")
        self._run("SET preserve_insertion_order = false")
        # In a notebook without ipywidgets even switching it off raises.
        if self._run("SELECT current_setting('enable_progress_bar')").fetchone()[0]:
            self._run("SET enable_progress_bar = false")
        for macro in sections(str(Path(__file__).with_name("duckdb.sql"))).values():
            self._run(macro)
        if scratch is not None:
            scratch.mkdir(parents=True, exist_ok=True)
            self._run("SET temp_directory = " + literal(str(scratch)))
        if folders:
            allowed = [str(folder.resolve()) for folder in folders]
            self._run("SET allowed_directories = [" + ", ".join(map(literal, allowed)) + "]")
            self._run("SET enable_external_access = false")

    def query(self, sql: str, tables: Tables = None, **parameters: Any) -> pd.DataFrame:
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
        if self._recorder:
            self._recorder.statement("query", f"query_{next(_serial)}", sql, tables, parameters)
        return self._run(sql, parameters).df()

    def create(
        self, sql: str, tables: Tables = None, *, name: str = "made", parts: Parts = WHOLE, **parameters: Any
    ) -> Table:
        """
        Keep a statement's rows as a temporary table and return its handle.

        With several `parts`, sets of parameters under each of which the statement gives some of the rows, it runs once for each.
        """
        self._bind(tables or {})
        table = Table(f"{name}_{next(_serial)}", self)
        if self._recorder:
            self._recorder.statement("create", table.name, sql, tables, parameters | dict(parts[0]))
        self._run(f"CREATE TEMP TABLE {quoted(table.name)} AS {sql}", parameters | dict(parts[0]))
        for part in parts[1:]:
            self._run(f"INSERT INTO {quoted(table.name)} {sql}", parameters | dict(part))
        return table

    def view(self, sql: str, tables: Tables = None, *, name: str = "view") -> Table:
        """
        Keep a statement without running it and return its handle.

        Its tables must be handles or frames that live as long as the view; it takes no parameters.
        """
        self._bind(tables or {})
        held = {key: table if isinstance(table, Table) else self.hold(table) for key, table in (tables or {}).items()}
        fixed = {key: table.name for key, table in held.items()}
        table = Table(f"{name}_{next(_serial)}", self)
        if self._recorder:
            self._recorder.statement("view", table.name, sql, held)
        # A view keeps names, not tables: it must not follow an alias that a later call binds anew.
        aliases = ", ".join(f"{quoted(key)} AS (SELECT * FROM {quoted(physical)})" for key, physical in fixed.items())
        self._run(f"CREATE TEMP VIEW {quoted(table.name)} AS {'WITH ' + aliases if aliases else ''} {sql}")
        return table

    def drop(self, *tables: Table) -> None:
        """Forget tables that `create` made, so that their memory is free for the next step."""
        for table in tables:
            self._run(f"DROP TABLE IF EXISTS {quoted(table.name)}")

    def write(self, sql: str, path: Path, tables: Tables = None, *, parts: Parts = WHOLE, **parameters: Any) -> Table:
        """Write a statement's rows to a Parquet file, of several `parts` to a folder of files, whole or not at all; return its handle."""
        self._bind(tables or {})
        with replacing(path) as folder:
            folder.mkdir()
            for n, part in enumerate(parts):
                target = literal(str(folder / f"{n:03}.parquet"))
                self._run(f"COPY ({sql}) TO {target} ({_PARQUET})", parameters | dict(part))
        return self.open(path)

    def open(self, *paths: Path) -> Table:
        """Return the handle of one or several Parquet files, or folders of them, with the same columns."""
        table = Table(f"file_{next(_serial)}", self, paths[0] if len(paths) == 1 else None)
        if self._recorder:
            self._recorder.steps.append(Step("file", table.name, paths=paths))
        each = [file for path in paths for file in (sorted(path.glob("*.parquet")) if path.is_dir() else [path])]
        files = ", ".join(literal(str(file)) for file in each)
        self._run(f"CREATE TEMP VIEW {quoted(table.name)} AS SELECT * FROM read_parquet([{files}])")
        return table

    def hold(self, frame: pd.DataFrame, name: str = "frame") -> Table:
        """Return the handle of a DataFrame."""
        table = Table(f"{name}_{next(_serial)}", self)
        self.connection.register(table.name, _sql_ready(frame))
        if self._recorder:
            self._recorder.rows(table.name)
        return table

    def size(self, table: AnyTable) -> int:
        """Return how many rows a table has."""
        self._bind({"this": table})
        return int(self._run("SELECT count(*) FROM this").fetchall()[0][0])

    def kinds(self, table: AnyTable) -> dict[str, str]:
        """Return each column's SQL type, in order."""
        self._bind({"this": table})
        described = self._run("DESCRIBE SELECT * FROM this").fetchall()
        return {row[0]: row[1] for row in described}

    def there(self, table: Table) -> Table:
        """Return a table for statements that may run past one machine: the same, except where only DuckDB could read it."""
        return table

    def here(self, table: AnyTable) -> AnyTable:
        """Return a table for statements in DuckDB's own words: the same, except on an engine past one machine."""
        return table

    def parts(self, size: float) -> int:
        """Return in how many parts a table is made whose making holds so many bytes at once."""
        return 1 if self._recorder else max(1, math.ceil(size / (SHARE * self.memory)))

    @property
    def memory(self) -> int:
        """Bytes of memory that may be used."""
        number, unit = str(self._run("SELECT current_setting('memory_limit')").fetchone()[0]).split()
        return int(float(number) * 1024 ** ("bytes", "KiB", "MiB", "GiB", "TiB").index(unit))

    def close(self) -> None:
        """Close the connection and forget its tables."""
        self.connection.close()

    def record(self) -> list[Step]:
        """Keep every statement from here on, and return the list that they are added to."""
        self._recorder = Recorder(self.connection)
        return self._recorder.steps

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
        return self.connection.execute(sql, self._asked(sql, parameters))

    def _asked(self, sql: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
        wanted = set(_PARAMETER.findall(sql))
        return {name: value for name, value in parameters.items() if name in wanted}


def engine_of(*tables: AnyTable) -> Engine:
    """Return the engine of the first handle among the tables; for frames alone, this process's own small one."""
    for table in tables:
        if isinstance(table, Table):
            return table.engine
    return _own_engine()


@lru_cache
def _own_engine() -> Engine:
    return Engine()


def _sql_ready(frame: pd.DataFrame) -> pd.DataFrame:
    """All-missing object columns would reach SQL as integers; text is what they are."""
    empty = {c: "string" for c in frame.columns if frame[c].dtype == object and frame[c].isna().all()}
    return frame.astype(empty) if empty else frame
