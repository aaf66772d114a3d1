"""Whether there is room for what an export will become, estimated before anything is read."""

from __future__ import annotations

import json
import os
import shutil
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from conversion_audit.errors import MachineError, Problem
from conversion_audit.intake.files import InputFile

UNPACKED = 8.0
"""Bytes of text that one byte of a compressed file stands for."""

ROOM = 3.5
"""Bytes of disk for one byte of compressed text: rows kept while they are read, what is spilled while they are sorted, the
tables. Measured where memory was short: 2.9 of GA4's events, 3.4 of a table of random words; of plain text .16 and 1.9."""

ROW_DISK = 250.0
"""Bytes of disk for one row at least, however short its text: what fifty million rows took where most had to be spilled."""

CPU_SECONDS = 20.0
"""To read, clean, order and write a million rows; what the benchmark measured at ten million."""

ROW_BYTES = 300.0
"""Of a row of text, where a file's first records do not say."""

LEAST_MEMORY = 1_000_000_000
"""Bytes below which sorting has nothing to work with; above, it spills to disk."""

ROW_MEMORY = 50.0
"""Bytes of memory for one row below which spilling no longer helps: ten million rows went through with 40, at three times the work."""

MORE_MEMORY = "Give fewer days, run it on a machine with more, or on Spark: `engine` in audit.yaml."


@dataclass(frozen=True)
class Estimate:
    """What preparing an export will take: rows, seconds of wall time, bytes of disk."""

    rows: int
    seconds: float
    disk: int

    @property
    def words(self) -> str:
        """In one line, rounded as an estimate is."""
        return f"about {_rounded(self.rows)} rows, {_time(self.seconds)}, {_size(self.disk)} of disk"


def estimate(files: Sequence[InputFile], cores: int | None = None) -> Estimate:
    """
    Estimate what preparing an export takes, from the size of its files, the rows they say they have, and their first records.

    Parameters
    ----------
    files : sequence of InputFile
        The opened files.
    cores : int, optional
        Cores that share the work. Defaults to the machine's.
    """
    rows = round(sum(map(_rows, files)))
    seconds = CPU_SECONDS * rows / 1e6 / min(cores or os.cpu_count() or 1, 4)
    return Estimate(rows, seconds, needed_bytes(files))


def needed_bytes(files: Sequence[InputFile]) -> int:
    """
    Estimate the disk that preparing an export takes.

    Memory is bounded by the engine, which spills to disk; the disk is what runs out.

    Parameters
    ----------
    files : sequence of InputFile
        The opened files; members of an archive count as the plain text they were unpacked to.
    """
    return int(max(ROOM * sum(map(_packed_bytes, files)), ROW_DISK * sum(map(_rows, files))))


def _text(files: Sequence[InputFile]) -> float:
    return sum(_text_bytes(file) for file in files)


def _rows(file: InputFile) -> float:
    return _text_bytes(file) / _row_bytes(file) if file.rows is None else file.rows


def _text_bytes(file: InputFile) -> float:
    if file.rows is not None:
        return file.rows * _row_bytes(file)
    size = file.path.stat().st_size if file.path.exists() else file.size
    return size * UNPACKED if file.gzipped else size


def _packed_bytes(file: InputFile) -> float:
    """What a file holds without what repeats: its size where it is compressed, else judged by its first records."""
    size = file.path.stat().st_size if file.path.exists() else file.size
    if file.gzipped or file.format == "parquet":
        return size
    text = "\n".join(_texts(file)).encode()
    return size * len(zlib.compress(text)) / len(text) if text else size / UNPACKED


def _row_bytes(file: InputFile) -> float:
    lengths = [len(text) for text in _texts(file)]
    return max(sum(lengths) / len(lengths), 1.0) if lengths else ROW_BYTES


def _texts(file: InputFile) -> list[str]:
    """The first records as text: of JSON with their keys, of delimited text the values alone."""
    if file.format not in ("csv", "parquet"):
        return [json.dumps(record, default=str) for record in file.records]
    return ["".join(f"{value}," for value in record.values()) for record in file.records]


def refuse_too_big(
    files: Sequence[InputFile],
    folder: Path,
    free: int | None = None,
    memory: int | None = None,
    limit: int | None = None,
) -> None:
    """
    Refuse before starting where the disk would run full, or where there is too little memory to sort anything.

    Parameters
    ----------
    files : sequence of InputFile
        The opened files.
    folder : Path
        Where the tables go.
    free : int, optional
        Bytes free there. Defaults to what the system says.
    memory : int, optional
        Bytes of the machine's memory. Defaults to what the system says.
    limit : int, optional
        Bytes of it that the engine may use: its share where several clients run side by side. Defaults to all.

    Raises
    ------
    MachineError
        With the estimate, what there is, and the alternative.
    """
    memory, expected = _memory() if memory is None else memory, estimate(files)
    limit = memory if limit is None else limit
    least, there = (LEAST_MEMORY, memory) if memory < LEAST_MEMORY else (ROW_MEMORY * expected.rows, limit)
    if there < least:
        what = f"needs {_size(least)} of memory, there are {_size(there)}"
        why = f"The export: {expected.words}."
        raise MachineError(Problem(what, f"data/{folder.parent.name}/{folder.name}", why=why, mend=MORE_MEMORY))
    needed, free = needed_bytes(files), shutil.disk_usage(folder).free if free is None else free
    if needed > free:
        what = f"needs about {_size(needed)} on disk, {_size(free)} are free"
        held = f"The export's {len(files):,} files hold about {_size(_text(files))} of text"
        why = f"{held}: {_rounded(expected.rows)} rows, {_time(expected.seconds)}."
        mend = "Free some space, or give fewer days: `files` in audit.yaml takes a pattern such as raw/events_202603*."
        raise MachineError(Problem(what, f"data/{folder.parent.name}/{folder.name}", why=why, mend=mend))


def _memory() -> int:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):  # a system that does not say
        return LEAST_MEMORY


def _rounded(rows: int) -> str:
    digits = max(len(str(rows)) - 2, 0)
    return f"{round(rows, -digits):,}"


def _time(seconds: float) -> str:
    return f"{seconds / 60:,.0f} minutes" if seconds >= 90 else f"{max(seconds, 1):.0f} s"


def _size(amount: float) -> str:
    return f"{amount / 1e9:,.1f} GB" if amount >= 1e8 else f"{amount / 1e6:,.1f} MB"
