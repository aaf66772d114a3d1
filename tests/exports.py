"""Exports in a test: a fixture read by its source module, its rows as plain data beside those expected."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd

from conversion_audit.config import Source
from conversion_audit.engine import Engine, Table
from conversion_audit.intake import files, sources
from conversion_audit.tables import ROWS, check

FIXTURES = Path(__file__).parent / "fixtures"


def opened(folder: Path, *names: str, scratch: Path, **options: Any) -> list[files.InputFile]:
    """Return files of a folder as intake opens them."""
    return files.open_files([folder / name for name in names], folder, scratch, **options)


def rows_of(kind: str, folder: Path, *names: str, scratch: Path, timezone: str | None = None, **options: Any) -> Table:
    """Return the rows that a source module reads from files, held to their contract."""
    scratch.mkdir(parents=True, exist_ok=True)
    engine = Engine([folder, scratch], scratch)
    source = Source(kind=kind, files=list(names), **options)
    found = opened(folder, *names, scratch=scratch, encoding=source.encoding, delimiter=source.delimiter)
    table = sources.KINDS[kind].read(engine, source, found, timezone=timezone, scratch=scratch)
    if sources.KINDS[kind].GIVES == "rows":
        check(table, ROWS)
    return table


def plain(table: Table, order: str = "file, line") -> list[dict[str, Any]]:
    """Return rows as dicts without what is missing or false; times as text, objects parsed."""
    frame = table.engine.query(f"SELECT * FROM this ORDER BY {order}", {"this": table})
    return [_plain(row) for row in frame.to_dict("records")]


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    found = {}
    for name, value in row.items():
        if value is None or pd.isna(value) or value is False:
            continue
        if isinstance(value, pd.Timestamp):
            value = value.isoformat(sep=" ")
        if name in ("properties", "items"):
            value = json.loads(value)
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if value not in ({}, []):
            found[name] = value
    return found


def expected(kind: str, name: str) -> list[dict[str, Any]]:
    """Return the rows that stand beside a fixture."""
    return json.loads((FIXTURES / kind / name).read_text(encoding="utf-8"))
