"""Which bytes a file holds: its SHA-256, remembered as long as its size and time stay."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable
from pathlib import Path


def fingerprints(paths: Iterable[Path], cache: Path) -> dict[Path, str]:
    """
    Return the SHA-256 of each file, computed only where size or modification time is new.

    Parameters
    ----------
    paths : iterable of Path
        The files.
    cache : Path
        A small JSON file that remembers them.
    """
    try:
        known = json.loads(cache.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        known = {}
    found: dict[Path, str] = {}
    for path in paths:
        about = path.stat()
        key = f"{path}|{about.st_size}|{about.st_mtime_ns}"
        known[key] = known.get(key) or _sha256(path)
        found[path] = known[key]
    beside = cache.with_name(f".{cache.name}.{os.getpid()}.tmp")
    beside.write_text(json.dumps(known, indent=0, sort_keys=True), encoding="utf-8")
    beside.replace(cache)
    return found


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
