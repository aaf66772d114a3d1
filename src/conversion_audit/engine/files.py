"""A table on disk, a Parquet file or a folder of several: written beside its place, and put there whole or not at all."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_REFUSED = re.compile(r'Could not write.*"errno":"(\d+)"')
_MAGIC = b"PAR1"  # the first and the last four bytes of every Parquet file


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """
    Within, write a folder of files to the path given; it takes the place of `path` if all goes well, and is gone if not.

    Raises
    ------
    OSError
        Where the disk takes no more, whatever the writer called it.
    """
    beside = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    gone(beside)
    try:
        yield beside
        put(beside, path)
    except Exception as error:
        if refused := _REFUSED.search(str(error)):
            raise OSError(int(refused[1]), os.strerror(int(refused[1])), str(path)) from error
        raise
    finally:
        gone(beside)


def put(made: Path, path: Path) -> None:
    """Put a file, or a folder of files, in the place of another; a folder of one file becomes that file."""
    files = list(made.glob("*.parquet"))
    if len(files) == 1:
        made = files[0]
    if path.is_dir() or made.is_dir():
        gone(path)
    made.replace(path)


def whole(path: Path) -> bool:
    """Say whether a table is there with its end: a power cut, or a disk that filled, may leave less than was written."""
    files = list(path.glob("*.parquet")) if path.is_dir() else [path] if path.is_file() else []
    return bool(files) and all(_has_end(file) for file in files)


def _has_end(path: Path) -> bool:
    if path.stat().st_size < 3 * len(_MAGIC):
        return False
    with path.open("rb") as file:
        first = file.read(len(_MAGIC))
        file.seek(-len(_MAGIC), os.SEEK_END)
        return first == file.read() == _MAGIC


def gone(path: Path) -> None:
    """Remove a file, or a folder of files, if it is there."""
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
