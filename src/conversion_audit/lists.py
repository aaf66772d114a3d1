"""Lists a person works on by hand: sessions to label, and one audience with the ids of the export."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd

from conversion_audit.audit import open_audit
from conversion_audit.errors import ConfigError, Problem
from conversion_audit.recipes import intent
from conversion_audit.report.export import csv_bytes, csv_cell, id_cell, path_name


def lay_labels(client: str, size: int = 200) -> tuple[Path, dict | None]:
    """
    Lay a sample of sessions ready to be checked by hand; where one lies already, read it.

    Parameters
    ----------
    client : str
        Folder under ``data/``.
    size : int
        How many sessions.

    Returns
    -------
    path, checked : Path, dict or None
        ``data/<client>/labels.csv``, and how often the rules are right where it was filled in already.

    Raises
    ------
    DataError
        Where the sample that lies there cannot be read.
    """
    audit = open_audit(client)
    path = intent.labels_path(audit)
    if path.is_file():
        return path, intent.checked(audit)
    _write(path, intent.label_sample(audit, size))
    return path, None


def write_audience(client: str, name: str, *, raw_ids: bool) -> tuple[Path, int]:
    """
    Write one audience with the ids of the export, for an upload from this machine; never into a run.

    Parameters
    ----------
    client : str
        Folder under ``data/``.
    name : str
        One of the report's audiences.
    raw_ids : bool
        Said aloud: without it nothing is written, for the lists of a run carry keyed hashes.

    Returns
    -------
    path, rows : Path, int
        ``data/<client>/audiences/<name>.csv`` and how many people stand in it.

    Raises
    ------
    ConfigError
        For a name that is no audience, and without `raw_ids`.
    """
    audit = open_audit(client)
    intent.require_audience(audit, name)
    if not raw_ids:
        raise ConfigError(
            Problem(
                "this writes visitors' own ids",
                why="The lists under client/audiences carry hashes and may be handed over; ids stay on this machine.",
                mend=f"If the people in it agreed to that use: audit audience {client} {name} --raw-ids",
            )
        )
    members = intent.raw_audience(audit, name)
    path = audit.folders.lists / f"{path_name(name)}.csv"
    path.parent.mkdir(exist_ok=True)
    _write(path, members, id_cell)
    return path, len(members)


def _write(path: Path, frame: pd.DataFrame, cell: Callable[[Any], Any] = csv_cell) -> None:
    rows = frame.astype(object).where(frame.notna(), None).itertuples(index=False, name=None)
    beside = path.with_suffix(".tmp")
    beside.write_bytes(csv_bytes(list(frame.columns), list(rows), cell))
    beside.replace(path)
