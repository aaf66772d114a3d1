"""A table on disk: one Parquet file, or a folder of them."""

from __future__ import annotations

import shutil
from pathlib import Path


def put(made: Path, path: Path) -> None:
    """Put a file, or a folder of files, in the place of another."""
    if path.is_dir() or made.is_dir():
        gone(path)
    made.replace(path)


def gone(path: Path) -> None:
    """Remove a file, or a folder of files, if it is there."""
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
