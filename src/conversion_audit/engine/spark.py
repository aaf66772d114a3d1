"""
Past one machine: the same statements on Spark, wherever a table has more rows than one machine should carry.

Every table is at hand in DuckDB as well, as Parquet files in the client's own folders: DuckDB says which columns a statement
gives and of which kind, Spark computes, and what comes back small stays with DuckDB. So the two give the same tables.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import weakref
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd

from conversion_audit.engine import WHOLE, AnyTable, Engine, Parts, Table, Tables, quoted
from conversion_audit.engine import spark_session as spark
from conversion_audit.engine.dialects import spoken
from conversion_audit.engine.files import replacing
from conversion_audit.engine.spark_kinds import (
    in_spark,
    is_moment,
    lent,
    name_in_spark,
    on_disk,
    readable,
    value_for_spark,
)

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

ROWS = 20_000_000
"""A table of more rows is Spark's. One laptop carries this with ease."""


class SparkEngine(Engine):
    """
    DuckDB for what is small and for reading exports; Spark for every statement on a table of more than `rows` rows.

    Parameters
    ----------
    folders, scratch, memory, threads
        See `Engine`. A cluster's workers must reach these folders under the same path.
    master : str
        Where Spark runs, e.g. ``local[2]``, ``spark://host:7077`` or ``yarn``.
    rows : int
        A statement runs on Spark when one of its tables has more rows.
    settings : mapping, optional
        Any other setting of Spark, e.g. ``{"spark.executor.memory": "16g"}``.

    Raises
    ------
    MachineError
        Without pyspark or Java, or where Spark does not start or does not finish.
    """

    keeps_subqueries = False  # Spark computes a part anew wherever it is read

    def __init__(
        self,
        folders: Sequence[Path] = (),
        scratch: Path | None = None,
        memory: str | None = None,
        threads: int | None = None,
        *,
        master: str = "local[*]",
        rows: int = ROWS,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        spark.refuse_if_absent()
        super().__init__(folders, scratch, memory, threads)
        self._rows, self._start = rows, (master, memory, tuple(sorted((settings or {}).items())))
        self._started: SparkSession | None = None
        self._folder = _own_folder(scratch)
        self._clean_up = weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)
        self._files: dict[str, tuple[Path, ...]] = {}  # Parquet files of tables that Spark reads
        self._plans: dict[str, DataFrame] = {}  # views on them
        self._made: dict[str, Path] = {}  # folders of tables that Spark wrote
        self._lent: dict[str, Sequence[Path]] = {}  # files of small tables that Spark can read

    def query(self, sql: str, tables: Tables = None, **parameters: Any) -> pd.DataFrame:
        """Run one statement and return its rows, in its order (see `Engine.query`)."""
        if not self._is_far(tables):
            return super().query(sql, tables, **parameters)
        table = self._reduced(sql, tables or {}, parameters, "answer", kind="query")
        self._run("SET preserve_insertion_order = true")
        try:
            return super().query("SELECT * FROM this", {"this": table})
        finally:
            self._run("SET preserve_insertion_order = false")
            self.drop(table)

    def create(
        self, sql: str, tables: Tables = None, *, name: str = "made", parts: Parts = WHOLE, **parameters: Any
    ) -> Table:
        """Keep a statement's rows until `drop` or the end and return their handle (see `Engine.create`)."""
        if not self._is_far(tables):
            return super().create(sql, tables, name=name, parts=parts, **parameters)
        table = self._reduced(sql, tables or {}, parameters | dict(parts[0]), name)
        self._notice(table, (self._made[table.name],))
        return table

    def view(self, sql: str, tables: Tables = None, *, name: str = "view") -> Table:
        """Keep a statement without running it and return its handle (see `Engine.view`)."""
        table = super().view(sql, tables, name=name)
        if self._is_far(tables):
            self._plans[table.name] = self._planned(sql, tables or {}, {}, self.kinds(table), in_spark)
        return table

    def write(self, sql: str, path: Path, tables: Tables = None, *, parts: Parts = WHOLE, **parameters: Any) -> Table:
        """Write a statement's rows to a Parquet file, or to a folder of them where Spark writes several."""
        if not self._is_far(tables):
            return super().write(sql, path, tables, parts=parts, **parameters)
        parameters |= dict(parts[0])
        kinds = self._promised(sql, tables or {}, parameters)
        with replacing(path) as folder:
            spark.write(self._planned(sql, tables or {}, parameters, kinds, on_disk), folder)
        return self.open(path)

    def open(self, *paths: Path) -> Table:
        """Return the handle of Parquet files (see `Engine.open`); Spark reads what is large."""
        table = super().open(*paths)
        self._lent[table.name] = paths
        self._notice(table, paths)
        return table

    def drop(self, *tables: Table) -> None:
        """Forget tables that `create` made."""
        for table in tables:
            if made := self._made.pop(table.name, None):
                self._run(f"DROP VIEW IF EXISTS {quoted(table.name)}")
                shutil.rmtree(made, ignore_errors=True)
            else:
                super().drop(table)
            self._files.pop(table.name, None)
            self._lent.pop(table.name, None)

    def size(self, table: AnyTable) -> int:
        """Return how many rows a table has."""
        if isinstance(table, Table) and table.name in self._plans:
            return int(self.query("SELECT count(*) AS n FROM this", {"this": table}).n[0])
        return super().size(table)

    @property
    def memory(self) -> int:
        """As much as anybody could ask for, so that nothing is made in parts: what is large is sorted elsewhere."""
        return 2**62

    def there(self, table: Table) -> Table:
        """Return a table of many rows as Spark's own, written once."""
        if self._is_far({"this": table}) or super().size(table) <= self._rows:
            return table
        return self.open(*self._paths_of(table, self.kinds(table)))

    def here(self, table: AnyTable) -> AnyTable:
        """Return a table for statements in DuckDB's own words."""
        if not self._is_far({"this": table}):
            return table
        return self._reduced("SELECT * FROM this", {"this": table}, {}, "here")

    def close(self) -> None:
        """Close the connection and forget its tables; Spark itself ends with this process."""
        super().close()
        self._clean_up()

    def _is_far(self, tables: Tables) -> bool:
        names = [table.name for table in (tables or {}).values() if isinstance(table, Table)]
        return any(name in self._files or name in self._plans for name in names)

    def _notice(self, table: Table, paths: Sequence[Path]) -> None:
        """A table of many rows is Spark's from now on."""
        if super().size(table) > self._rows:
            self._files[table.name] = tuple(paths)

    def _reduced(
        self,
        sql: str,
        tables: Mapping[str, AnyTable],
        parameters: Mapping[str, Any],
        name: str,
        kind: Literal["create", "query"] = "create",
    ) -> Table:
        """Rows that Spark wrote, at hand in DuckDB with the kinds that DuckDB itself would give them."""
        recorder, self._recorder = self._recorder, None  # it is told of the statement, not of how that is done
        try:
            table = self._brought(sql, tables, parameters, name)
        finally:
            self._recorder = recorder
        if recorder:
            recorder.statement(kind, table.name, sql, tables, parameters)
        return table

    def _brought(self, sql: str, tables: Mapping[str, AnyTable], parameters: Mapping[str, Any], name: str) -> Table:
        kinds = self._promised(sql, tables, parameters)
        folder = Path(tempfile.mkdtemp(dir=self._folder, prefix=f"{name}-"))
        spark.write(self._planned(sql, tables, parameters, kinds, in_spark), folder)
        held = super().open(folder)
        typed = ", ".join(f"CAST({quoted(column)} AS {kind}) AS {quoted(column)}" for column, kind in kinds.items())
        table = super().view(f"SELECT {typed} FROM held", {"held": held}, name=name)
        self._made[table.name] = folder
        self._lent[table.name] = (folder,)
        return table

    def _promised(self, sql: str, tables: Mapping[str, AnyTable], parameters: Mapping[str, Any]) -> dict[str, str]:
        """Columns and kinds of a statement, as DuckDB reads it; nothing is computed."""
        self._bind(tables)
        return {row[0]: row[1] for row in self._run(f"DESCRIBE {sql}", parameters).fetchall()}

    def _planned(
        self,
        sql: str,
        tables: Mapping[str, AnyTable],
        parameters: Mapping[str, Any],
        kinds: Mapping[str, str],
        kind_of: Callable[[str], str],
    ) -> DataFrame:
        """A statement as Spark's plan, its columns named and cast as DuckDB would have them."""
        given = self._asked(sql, parameters)
        times = tuple((name, "TIMESTAMP_NTZ") for name, value in given.items() if is_moment(value))
        values = {name: value_for_spark(value) for name, value in given.items()}
        with spark.told():
            for name, table in tables.items():
                self._plan_of(table).createOrReplaceTempView(name_in_spark(name))
            plan = self._session.sql(spoken(sql, "spark", times), args=values or None)
            plan = plan.toDF(*map(str, range(len(kinds))))
            columns = enumerate(kinds.items())
            return plan.select(*(plan[str(n)].cast(kind_of(kind)).alias(column) for n, (column, kind) in columns))

    def _plan_of(self, table: AnyTable) -> DataFrame:
        if isinstance(table, Table) and table.name in self._plans:
            return self._plans[table.name]
        held = table if isinstance(table, Table) else self.hold(table)
        kinds = self.kinds(held)
        schema = ", ".join(f"{name_in_spark(column)} {in_spark(kind)}" for column, kind in kinds.items())
        paths = [readable(str(path)) for path in self._paths_of(held, kinds)]
        return self._session.read.schema(schema).parquet(*paths)

    def _paths_of(self, table: Table, kinds: Mapping[str, str]) -> Sequence[Path]:
        """The files a table lies in; a small one that lies in none is written to one."""
        name = table.name
        if name not in self._files and name not in self._lent:
            typed = ", ".join(
                f"CAST({quoted(column)} AS {lent(kind)}) AS {quoted(column)}" for column, kind in kinds.items()
            )
            path = self._folder / f"{name}.parquet"
            super().write(f"SELECT {typed} FROM this", path, {"this": table})
            self._lent[name] = (path,)
        return self._files.get(name) or self._lent[name]

    @property
    def _session(self) -> SparkSession:
        if self._started is None:
            self._started = spark.session(*self._start, self._folder)
        return self._started


def _own_folder(scratch: Path | None) -> Path:
    """A folder of this process; what a killed one left behind goes."""
    for left in scratch.glob("spark-*-*") if scratch else ():
        if not _lives(int(left.name.split("-")[1])):
            shutil.rmtree(left, ignore_errors=True)
    return Path(tempfile.mkdtemp(dir=scratch, prefix=f"spark-{os.getpid()}-")).resolve()


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except OSError:
        return False
    return True
