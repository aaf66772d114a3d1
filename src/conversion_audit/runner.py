"""Notebooks -> executed -> published run: a client's audit from its export to the page that is handed over."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from conversion_audit import past, pen, runs
from conversion_audit.errors import NEEDS_YOU, OK, AuditError, Problem
from conversion_audit.folders import Folders, home
from conversion_audit.running import chapters, evidence, files, manifest, pdf, publish, refused, unchanged
from conversion_audit.running.kernels import Kernels
from conversion_audit.running.lock import locked
from conversion_audit.running.progress import Progress
from conversion_audit.running.told import COMPLETE, FAILED, SKIPPED, Told
from conversion_audit.running.waiting import ended

if TYPE_CHECKING:
    from conversion_audit.audit import Audit


@dataclass(frozen=True)
class Asked:
    """
    What a run is asked for.

    Parameters
    ----------
    start, end : str, optional
        First and last day, ISO; else the config's period, else the whole export.
    where : str, optional
        Sessions to look at, e.g. ``device=mobile``.
    resume : bool
        Give the newest run back where it is complete and made from just this.
    jobs : int
        Chapters that run at the same time.
    pdf : bool
        Also print the report.
    timeout : int
        Seconds that one cell may take.
    against : str, optional
        What chapter 06 compares with, as chapters read it from $AUDIT_AGAINST.
    """

    start: str | None = None
    end: str | None = None
    where: str | None = None
    resume: bool = False
    jobs: int = field(default_factory=lambda: min(2, os.cpu_count() or 1))
    pdf: bool = False
    timeout: int = field(default_factory=lambda: int(os.environ.get("AUDIT_CELL_TIMEOUT", "3600")))
    against: str | None = field(default_factory=lambda: os.environ.get("AUDIT_AGAINST") or None)


@dataclass(frozen=True)
class Published:
    """A run that stands under its own name."""

    client: str
    folder: Path
    manifest: dict[str, Any]
    resumed: bool = False

    @property
    def chapters(self) -> list[dict[str, Any]]:
        """Name, status and reason of each chapter."""
        return self.manifest["chapters"]

    def answer(self) -> dict[str, Any]:
        """Return what ``--json`` prints."""
        kept = {key: self.manifest[key] for key in ("client", "run", "status", "period", "headline", "chapters")}
        path = self.report.relative_to(home()).as_posix()
        return {**kept, "exit": self.exit_code, "resumed": self.resumed, "report": path}

    @property
    def status(self) -> str:
        """complete, or partial where a chapter could not be computed."""
        return self.manifest["status"]

    @property
    def report(self) -> Path:
        """The page that is handed over."""
        return self.folder / "client" / "report.html"

    @property
    def exit_code(self) -> int:
        """What the command line returns for it."""
        return OK if self.status == COMPLETE else NEEDS_YOU


def run(client: str, asked: Asked | None = None, progress: Progress | None = None) -> Published:
    """
    Audit a client and publish the run, whole or not at all.

    Parameters
    ----------
    client : str
        Folder under ``data/``.
    asked : Asked, optional
        Period, filter and how to run.
    progress : Progress, optional
        Who is told how far it is.

    Returns
    -------
    Published
        ``reports/<client>/<run>/``. Before it is whole, nothing of it is there.

    Raises
    ------
    AuditError
        Config, lock, data or machine, each with its exit code; the last published run stands as it was.
    """
    from conversion_audit.audit import open_audit

    asked, progress = asked or Asked(), progress or Progress()
    folders = Folders(client).existing()
    with refused.os_errors(), locked(folders):
        publish.require_space(folders.reports, 3 * unchanged.bytes_in(folders.raw) + 50_000_000)
        before = unchanged.stamps(folders.raw)
        past.require(client, asked.against)
        audit = open_audit(client, asked.start, asked.end, asked.where)
        asked_for = manifest.wanted(audit, asked.start, asked.end, asked.where, asked.against)
        there = runs.current(client, asked_for) if asked.resume else None
        if there is not None:
            return Published(client, there, manifest.read(there), resumed=True)
        planned = chapters.plan(folders, audit.config.report.chapters)
        pen.require_shown(folders)
        with drafted(folders.reports) as draft:
            expected = audit.prepared.expected
            progress.stage(f"reading the export: {expected}" if expected else "reading the export")
            # Kernels warm up while the tables are made.
            with Kernels() as kernels:
                audit.prepare()
                told = tell(planned, audit, asked, draft, kernels, progress)
            progress.stage("writing the report")
            files.save_report(draft, audit, told)
            files.save_lists(draft, audit)
            if asked.pdf:
                pdf.print_pdf(draft.client / "report.html", draft.client / "report.pdf")
            unchanged.require_unchanged(folders, audit.inputs, before)
            record = {**asked_for, **manifest.record(audit, [one.record() for one in told])}
            folder = publish.publish(draft, record)
            pen.offer(audit)
    return Published(client, folder, manifest.read(folder))


@contextmanager
def drafted(reports: Path) -> Iterator[publish.Draft]:
    """Give a draft that is gone if anything goes wrong with it."""
    draft = publish.start(reports)
    try:
        yield draft
    except BaseException:
        shutil.rmtree(draft.folder, ignore_errors=True)
        raise


def tell(
    planned: Sequence[chapters.Chapter],
    audit: Audit,
    asked: Asked,
    draft: publish.Draft,
    kernels: Kernels,
    progress: Progress,
) -> list[Told]:
    """
    Execute the chapters, some at a time, each in a kernel of its own.

    Returns
    -------
    list of Told
        In the order planned. A chapter whose code raised is ``failed``, and the others stand; one whose tables are
        absent is ``skipped``.

    Raises
    ------
    MachineError
        At the first dead kernel, time-out, or shortage of memory or disk.
    AuditError
        If not one chapter is complete.
    """
    parameters = {"client": audit.folders.client, "start": asked.start, "end": asked.end, "where": asked.where}
    needed = {need for chapter in planned for need in chapter.needs}
    absent = {need for need in needed if not any(map(audit.has, need.split(" or ")))}
    wanted = [chapter for chapter in planned if not absent & set(chapter.needs)]
    progress.chapters([chapter.name for chapter in wanted])
    done: dict[str, Told] = {}
    with ThreadPoolExecutor(max(1, asked.jobs), thread_name_prefix="chapter") as pool:
        futures: list[Future[Told]] = [
            pool.submit(_one, chapter, parameters, draft.evidence, kernels, asked.timeout, progress)
            for chapter in wanted
        ]
        try:
            for future in ended(futures):
                one = future.result()
                done[one.name] = one
                progress.chapter(one.name, one.status)
        except BaseException:
            for future in futures:
                future.cancel()
            kernels.stop()
            raise
    told = [done.get(chapter.name) or _skipped(chapter, absent) for chapter in planned]
    _require_any(told)
    return told


def _one(
    chapter: chapters.Chapter,
    parameters: dict[str, Any],
    folder: Path,
    kernels: Kernels,
    timeout: int,
    progress: Progress,
) -> Told:
    path = folder / f"{chapter.name}.ipynb"

    def on_cell(done: int, total: int) -> None:
        progress.cell(chapter.name, done, total)

    try:
        notebook = chapters.execute(chapter, parameters, path, kernels, on_cell, timeout)
    except chapters.ChapterFailed as failed:
        notebook = chapters.executed(path)
        evidence.save_notebook(notebook, path)
        return Told(chapter.number, chapter.name, FAILED, evidence.without_folders(str(failed)))
    evidence.save_notebook(notebook, path)
    return Told(chapter.number, chapter.name, COMPLETE, notebook=notebook)


def _skipped(chapter: chapters.Chapter, absent: set[str]) -> Told:
    missing = tuple(name for name in chapter.needs if name in absent)
    return Told(chapter.number, chapter.name, SKIPPED, f"the export holds no {', '.join(missing)}", missing)


def _require_any(told: Sequence[Told]) -> None:
    if not any(one.status == COMPLETE for one in told):
        raise AuditError(*(Problem(f"{one.name} is {one.status}: {one.reason}") for one in told))
