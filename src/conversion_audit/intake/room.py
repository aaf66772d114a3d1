"""Whether there is room for what an export will become, estimated before anything is read."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from conversion_audit.errors import MachineError, Problem
from conversion_audit.intake.files import InputFile

UNPACKED = {"gzip": 8.0, "parquet": 4.0, "plain": 1.0}
"""Bytes of text that one byte of a file stands for: compressed JSON lines shrink to about an eighth."""

ROOM = 1.5
"""Bytes of disk for one byte of text: rows held while they are read, what is spilled while they are sorted, the tables."""


def needed_bytes(files: Sequence[InputFile]) -> int:
    """
    Estimate the disk that preparing an export takes.

    Memory is bounded by the engine, which spills to disk; the disk is what runs out.

    Parameters
    ----------
    files : sequence of InputFile
        The opened files; members of an archive count as the plain text they were unpacked to.
    """
    return int(ROOM * sum(_text_bytes(file) for file in files))


def _text_bytes(file: InputFile) -> float:
    packing = "gzip" if file.gzipped else "parquet" if file.format == "parquet" else "plain"
    size = file.path.stat().st_size if file.path.exists() else file.size
    return UNPACKED[packing] * size


def refuse_too_big(files: Sequence[InputFile], folder: Path, free: int | None = None) -> None:
    """
    Refuse before starting where the disk would run full.

    Parameters
    ----------
    files : sequence of InputFile
        The opened files.
    folder : Path
        Where the tables go.
    free : int, optional
        Bytes free there. Defaults to what the system says.

    Raises
    ------
    MachineError
        With the estimate and what is free.
    """
    needed, free = needed_bytes(files), shutil.disk_usage(folder).free if free is None else free
    if needed > free:
        what = f"needs about {_size(needed)} on disk, {_size(free)} are free"
        why = f"The export's {len(files):,} files hold about {_size(needed / ROOM)} of text."
        mend = "Free some space, or give fewer days: `files` in audit.yaml takes a pattern such as raw/events_202603*."
        raise MachineError(Problem(what, f"data/{folder.parent.name}/{folder.name}", why=why, mend=mend))


def _size(amount: float) -> str:
    return f"{amount / 1e9:,.1f} GB" if amount >= 1e8 else f"{amount / 1e6:,.1f} MB"
