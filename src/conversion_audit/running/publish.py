"""A run's folder: written aside, its manifest last, and then there whole, by one rename."""

from __future__ import annotations

import hashlib
import json
import os
import re
import secrets
import shutil
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from conversion_audit.errors import MachineError, Problem

MANIFEST = "manifest.json"
_TIME = "%Y%m%dT%H%M%SZ"
_RUN = re.compile(r"\d{8}T\d{6}Z-[0-9a-f]{6}")


@dataclass(frozen=True)
class Draft:
    """
    A run that is being written.

    Parameters
    ----------
    reports : Path
        All runs of the client.
    run : str
        Its id: UTC time and six hex digits.
    """

    reports: Path
    run: str

    @property
    def folder(self) -> Path:
        """Where it is written until it is whole."""
        return self.reports / f".tmp-{self.run}"

    @property
    def client(self) -> Path:
        """What is handed over."""
        return self.folder / "client"

    @property
    def evidence(self) -> Path:
        """What stays here."""
        return self.folder / "evidence"


def start(reports: Path, now: datetime | None = None) -> Draft:
    """
    Remove what killed runs left and return a new draft with its folders.

    Parameters
    ----------
    reports : Path
        All runs of the client. The caller holds the client's lock.
    now : datetime, optional
        The clock, in UTC. A run is always later than the newest one there, even if the clock was set back.

    Raises
    ------
    MachineError
        If a folder stands where the link to the newest run belongs, as a copy that follows links leaves it.
    """
    sweep(reports)
    if (reports / "latest").is_dir() and not (reports / "latest").is_symlink():
        what, why = "is a folder, not the link to the newest run", "A copy that followed the link has left it there."
        mend = "Remove or rename it, then run this again: the run it is a copy of stands beside it."
        raise MachineError(Problem(what, shown(reports / "latest"), why=why, mend=mend))
    moment = (now or datetime.now(UTC)).replace(microsecond=0)
    newest = max(published(reports), default="")
    if newest:
        moment = max(moment, datetime.strptime(newest[:16], _TIME).replace(tzinfo=UTC) + timedelta(seconds=1))
    draft = Draft(reports, f"{moment.strftime(_TIME)}-{secrets.token_hex(3)}")
    draft.client.mkdir(parents=True)
    draft.evidence.mkdir()
    return draft


def published(reports: Path) -> list[str]:
    """Return the ids of the client's whole runs, oldest first."""
    return [run for run in folders(reports) if (reports / run / MANIFEST).is_file()]


def folders(reports: Path) -> list[str]:
    """Return the folders that are named as a run is, oldest first: what somebody laid beside them is none."""
    return sorted(path.name for path in reports.glob("[0-9]*") if path.is_dir() and _RUN.fullmatch(path.name))


def publish(draft: Draft, manifest: Mapping[str, Any]) -> Path:
    """
    Write the manifest with every file's hash, show the run under its own name, and point `latest` at it.

    Returns
    -------
    Path
        The run's folder.
    """
    whole = {**manifest, "run": draft.run, "files": hashes(draft.folder)}
    write(draft.folder / MANIFEST, json.dumps(whole, indent=1, ensure_ascii=False, sort_keys=True) + "\n")
    _settle(draft.folder)
    final = draft.reports / draft.run
    draft.folder.rename(final)
    point(draft.reports, draft.run)
    return final


def point(reports: Path, run: str) -> None:
    """Make `latest` lead to a run: a relative link, or a one-line file where links are refused."""
    beside = reports / ".latest"
    beside.unlink(missing_ok=True)
    try:
        beside.symlink_to(run, target_is_directory=True)
    except OSError:
        beside.write_text(run + "\n", encoding="utf-8")
    # A reader finds the old run or the new one, never none.
    beside.replace(reports / "latest")


def hashes(folder: Path) -> dict[str, dict[str, Any]]:
    """Return size and SHA-256 of every file of a run but its manifest, by relative path."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path != folder / MANIFEST)
    return {
        path.relative_to(folder).as_posix(): {"bytes": path.stat().st_size, "sha256": sha256(path)} for path in files
    }


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write(path: Path, text: str) -> None:
    """Write a text file with ``\\n`` line ends everywhere."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.write(text)


def sweep(reports: Path) -> None:
    """Remove what a killed run left."""
    for left in reports.glob(".tmp-*"):
        shutil.rmtree(left, ignore_errors=True)


def require_space(folder: Path, needed: int) -> None:
    """
    Refuse before the work what the disk would refuse after it.

    Raises
    ------
    MachineError
        With the megabytes needed, the folder, and the megabytes free.
    """
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise MachineError(
            Problem(
                f"not enough space: needs about {_megabytes(needed)}, {_megabytes(free)} free",
                shown(folder),
                why="A run that fills the disk cannot be published.",
                mend="Free some space, or set AUDIT_HOME to a folder on a larger disk.",
            )
        )


def _settle(folder: Path) -> None:
    """Hand every file to the disk before the rename: after a power cut the run is whole or not there."""
    for path in folder.rglob("*"):
        if path.is_file():
            with path.open("rb") as file:
                os.fsync(file.fileno())
    with suppress(OSError, AttributeError):  # Windows has no handles on folders
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        os.fsync(handle)
        os.close(handle)


def _megabytes(count: int) -> str:
    return f"{max(count, 1) / 1e6:,.0f} MB"


def shown(path: Path) -> str:
    """Only the last two parts: messages are pasted into tickets, and the rest names a machine."""
    return "/".join(path.parts[-2:])
