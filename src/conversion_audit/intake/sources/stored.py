"""Where rows are kept once they are read: on disk, only the columns that a file has, the others shown as missing."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from conversion_audit.engine import AnyTable, Engine, Table, literal, quoted
from conversion_audit.intake.remarks import Remark
from conversion_audit.tables import ROWS

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


def united(engine: Engine, tables: Sequence[Table], name: str) -> Table:
    """Return the rows of all tables as one; what one has as a column and another lacks is missing there."""
    union = " UNION ALL BY NAME ".join(f"SELECT * FROM t{n}" for n in range(len(tables)))
    return engine.view(union, {f"t{n}": table for n, table in enumerate(tables)}, name=name)


@dataclass(frozen=True)
class Rows(Table):
    """A table of rows, what reading it changed or found odd, in words, and the store of the columns it really has."""

    notes: tuple[Remark, ...] = ()
    store: Store | None = None


@dataclass(frozen=True)
class Store:
    """
    Rows in Parquet files of one folder.

    A tenth of the room that they would take in memory, and what is read again and again is read column by column.

    Parameters
    ----------
    engine : Engine
        What writes and reads.
    folder : Path
        The files, one each time that rows are added.
    kinds : mapping
        Column -> kind; a file has some of them.
    """

    engine: Engine
    folder: Path
    kinds: Mapping[str, str]

    @classmethod
    def begun(cls, engine: Engine, scratch: Path, kinds: Mapping[str, str]) -> Store:
        """Return a store without rows, in a new folder."""
        scratch.mkdir(parents=True, exist_ok=True)
        return cls(engine, Path(tempfile.mkdtemp(dir=scratch, prefix="rows-")).resolve(), kinds)

    def add(self, select: str, tables: Mapping[str, AnyTable] | None = None, **values: Any) -> None:
        """Keep a statement's rows, all or none of them."""
        given = self.engine.query(f"DESCRIBE {select}", tables, **values)["column_name"]
        typed = (f"CAST({quoted(name)} AS {SQL_KINDS[self.kinds[name]]}) AS {quoted(name)}" for name in given)
        path = self.folder / f"{len(self._files):06}.parquet"
        self.engine.write(f"SELECT {', '.join(typed)} FROM ({select}) given", path, tables, **values)

    @property
    def columns(self) -> list[str]:
        """Columns that a file has."""
        return list(self.engine.query(f"DESCRIBE {self.select}")["column_name"])

    @property
    def select(self) -> str:
        """The SELECT of all rows; ``__place`` is a row's place in its file, from 0."""
        if not self._files:
            empty = (f"CAST(NULL AS {SQL_KINDS[kind]}) AS {quoted(name)}" for name, kind in self.kinds.items())
            return f"SELECT {', '.join(empty)}, CAST(NULL AS BIGINT) AS __place WHERE false"
        files = ", ".join(literal(str(file)) for file in self._files)
        return f"SELECT * RENAME (file_row_number AS __place) FROM read_parquet([{files}], union_by_name = true, file_row_number = true)"

    def drop(self) -> None:
        """Remove the files: their rows have been made into others."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def completed(
        self, kinds: Mapping[str, str], notes: Iterable[Remark], *, also: Iterable[str] = (), joined: str = ""
    ) -> Rows:
        """
        Return the rows with all of these columns; one that no file has is missing in every row.

        Parameters
        ----------
        kinds : mapping
            Column -> kind.
        notes : iterable of Remark
            What reading the rows changed or found odd.
        also : iterable of str
            Columns to select beside them, the rows called ``r``.
        joined : str
            What is joined for these.
        """
        there, columns = set(self.columns), list(also)
        for name, kind in kinds.items():
            given = f"r.{quoted(name)}" if name in there else f"CAST(NULL AS {SQL_KINDS[kind]})"
            default = _DEFAULTS.get((name, kind))
            columns.append(f"{f'coalesce({given}, {default})' if default else given} AS {quoted(name)}")
        table = self.engine.view(f"SELECT {', '.join(columns)} FROM ({self.select}) r {joined}", name="rows")
        return Rows(table.name, self.engine, notes=tuple(notes), store=self)

    @property
    def _files(self) -> list[Path]:
        return sorted(self.folder.glob("*.parquet"))


def remade(rows: Rows, select: str, tables: Mapping[str, AnyTable], scratch: Path) -> Rows:
    """Return ``rows`` as a statement makes them anew; their former files are removed."""
    kinds = {name: column.kind for name, column in ROWS.columns.items()}
    store = Store.begun(rows.engine, scratch, kinds)
    store.add(select, {"rows": rows, **tables})
    rows.store.drop()
    return store.completed(kinds, rows.notes)
