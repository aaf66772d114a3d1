"""The run before: what this audit is compared with, and what a run keeps so that the next one can be."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from conversion_audit import review, runs
from conversion_audit.engine import Engine
from conversion_audit.errors import ConfigError, Problem
from conversion_audit.folders import Folders

if TYPE_CHECKING:
    from conversion_audit.audit import Audit

AGAINST = "AUDIT_AGAINST"
LAST_YEAR = "last-year"
CELLS, CONFIG, PLAN = "cells.parquet", "config.json", "plan.json"
_FEWEST_DAYS = 7


@dataclass(frozen=True)
class Previous:
    """
    What is compared with.

    Parameters
    ----------
    run : str or None
        Its id; None: no run, but the period before this one in the same export.
    start, end : date
        Its period.
    cells : DataFrame
        See `analysis.cells`.
    findings : sequence of dict or None
        Its findings; None where there was no run.
    config, inputs, ledger, plan : plain data
        Of that run; None where there was none, or it kept none.
    where : mapping
        Column -> value: the sessions that run looked at; empty for all.
    """

    run: str | None
    start: date
    end: date
    cells: pd.DataFrame
    findings: Sequence[Mapping[str, Any]] | None = None
    config: Mapping[str, Any] | None = None
    inputs: Mapping[str, str] | None = None
    ledger: Sequence[Mapping[str, Any]] | None = None
    plan: Sequence[Mapping[str, Any]] | None = None
    where: Mapping[str, str] = field(default_factory=dict)


def keep(audit: Audit, folder: Path, plan: pd.DataFrame | None = None) -> None:
    """Write what the next audit compares with: cells, config and plan, into a run's evidence."""
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(audit.table("cells").path, folder / CELLS)
    (folder / CONFIG).write_text(audit.config.model_dump_json(indent=1) + "\n", encoding="utf-8")
    if plan is not None:
        (folder / PLAN).write_text(plan.to_json(orient="records", indent=1) + "\n", encoding="utf-8")


def previous(audit: Audit, against: str | None = None) -> Previous | None:
    """
    Return what this audit is compared with.

    Parameters
    ----------
    audit : Audit
        Opened.
    against : str, optional
        Id of a run, or ``last-year``: the newest run of the same days a year ago. Else $AUDIT_AGAINST; else the newest run
        of another export or period that does not end later than this one, where there is one that leaves days to compare
        (see `new_from`); else the days before this period in the export. A run of other sessions (``where``) is not taken
        unless it is named.

    Returns
    -------
    Previous or None
        None where there is nothing to compare with.

    Raises
    ------
    ConfigError
        If a run is named that does not exist or kept no cells.
    """
    against = against or os.environ.get(AGAINST) or None
    client = audit.folders.client
    if against and against != LAST_YEAR:
        return _read(client, against, named=True)
    shared = None
    for run in runs.runs(client):
        found = _read(client, run)
        if found is not None and _fits(found, audit, against):
            if new_from(audit, found) is not None:
                return found
            shared = shared or found
    return shared if shared or against else _before_in_export(audit)


def new_from(audit: Audit, before: Previous) -> date | None:
    """
    Return the day from which on this period counts as after: days that both periods hold are no change of one to the other.

    None where periods that share days leave fewer than seven to compare.
    """
    first = max(audit.period.start, before.end + timedelta(days=1))
    left = (audit.period.end - first).days + 1
    return None if first > audit.period.start and left < _FEWEST_DAYS else first


def after(audit: Audit, before: Previous) -> pd.DataFrame:
    """Return the cells to compare with those of before: of the days since `new_from`, none where there is no such day."""
    cells, first = audit.frame("cells"), new_from(audit, before)
    return cells.iloc[:0] if first is None else cells[cells["date"] >= pd.Timestamp(first)]


def joined(audit: Audit, before: Previous) -> pd.DataFrame:
    """Return the cells of both periods; a day that both hold stands there once, as this audit counts it."""
    cells = audit.frame("cells")
    return pd.concat([before.cells[~before.cells["date"].isin(cells["date"])], cells], ignore_index=True)


def compared(audit: Audit, before: Previous | None) -> tuple[str, dict[str, Any]]:
    """Return the key and the record of the sentence on what is compared, and how much of this period is new to it."""
    start, end = audit.period.start, audit.period.end
    if before is None:
        return "change.nothing", {"days": (end - start).days + 1}
    first = max(start, before.end + timedelta(days=1))
    record = {"start": before.start, "end": before.end, "days": max((end - first).days + 1, 0), "first": first}
    if first == start:
        return f"change.against_{'run' if before.run else 'days'}", record
    if not record["days"]:
        return "change.against_same", record
    return f"change.against_{'few' if new_from(audit, before) is None else 'shared'}", record


def require(client: str, against: str | None) -> None:
    """Raise `ConfigError` where a run is named that does not exist or kept no cells."""
    if against and against != LAST_YEAR:
        _read(client, against, named=True)


def _fits(found: Previous, audit: Audit, against: str | None) -> bool:
    if found.where != audit.where:
        return False
    start, end = audit.period.start, audit.period.end
    if against == LAST_YEAR:
        same = min(found.end, end - timedelta(days=364)) - max(found.start, start - timedelta(days=364))
        return same.days + 1 >= 0.8 * ((end - start).days + 1)
    other = (found.start, found.end) != (start, end) or found.inputs != dict(sorted(audit.inputs.items()))
    return other and found.end <= end and found.start <= start


def _read(client: str, run: str, *, named: bool = False) -> Previous | None:
    folder = runs.folder_of(client, run)
    evidence = folder / "evidence"
    try:
        manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        period = manifest["period"]
        return Previous(
            run=run,
            start=date.fromisoformat(period["start"]),
            end=date.fromisoformat(period["end"]),
            cells=_cells(evidence),
            findings=json.loads((evidence / "findings.json").read_text(encoding="utf-8"))["findings"],
            config=_json(evidence / CONFIG),
            inputs=manifest.get("inputs"),
            ledger=manifest.get("ledger"),
            plan=_json(evidence / PLAN),
            where=runs.where_of(manifest),
        )
    except (OSError, ValueError, KeyError):
        if named:
            why = "It was made before runs kept their cells, or it is not whole."
            raise ConfigError(
                Problem(f"run {run!r} cannot be compared with", f"reports/{client}/{run}", why=why)
            ) from None
        return None


def _cells(evidence: Path) -> pd.DataFrame:
    if not (evidence / CELLS).is_file():
        raise OSError(f"no {CELLS}")
    return Engine(folders=[evidence]).open(evidence / CELLS).frame()


def _json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None


def _before_in_export(audit: Audit) -> Previous | None:
    """The days just before, where the export reaches back at least half as far as the period is long."""
    start, end = audit.period.start, audit.period.end
    days = (end - start).days + 1
    sql = "SELECT MIN(date) AS first FROM sessions WHERE set_aside IS NULL"
    found = audit.engine.query(sql, {"sessions": audit.every_session})["first"][0]
    first = None if pd.isna(found) else pd.Timestamp(found).date()
    if first is None or (start - first).days < max(_FEWEST_DAYS, days // 2):
        return None
    begin = max(first, start - timedelta(days=days))
    last = start - timedelta(days=1)
    return Previous(None, begin, last, audit.on(begin, last).frame("cells"), where=audit.where)


def newest_cells(client: str) -> Previous | None:
    """Return the newest run of all sessions that kept its cells: the baseline of the watch."""
    for run in runs.runs(Folders(client).client):
        found = _read(client, run)
        if found is not None and not found.where:
            return found
    return None


def nothing(cells: pd.DataFrame) -> Previous:
    """Return the previous run of a client that has none: no counts, no findings."""
    return Previous(None, date.min, date.min, cells.iloc[:0])


def records(audit: Audit, before: Previous) -> list[dict[str, Any]]:
    """Return this audit's findings as records; none where no findings of before are there to call them new."""
    return [] if before.findings is None else [one.record() for one in audit.findings]


def definitions(audit: Audit, before: Previous) -> dict[str, Any]:
    """Return this audit's config as plain data; empty where there is none to compare with."""
    return json.loads(audit.config.model_dump_json()) if before.config else {}


def edits(audit: Audit) -> dict[str, Any]:
    """Return what the consultant wrote about findings, by id: status and done_on among it."""
    path = audit.folders.data / "review.yaml"
    return dict(review.read_review(path, f"data/{audit.folders.client}/{path.name}").edits)
