"""The export stays what it was while it is audited, or the run is refused."""

from __future__ import annotations

from pathlib import Path

from conversion_audit.errors import DataError, Problem
from conversion_audit.folders import Folders
from conversion_audit.running.publish import sha256


def stamps(folder: Path) -> dict[Path, tuple[int, int]]:
    """Return size and time of change of every file below a folder."""
    return {
        path: (path.stat().st_size, path.stat().st_mtime_ns) for path in sorted(folder.rglob("*")) if path.is_file()
    }


def require_unchanged(folders: Folders, inputs: dict[str, str], before: dict[Path, tuple[int, int]]) -> None:
    """
    Hold the export to what it was when the run began.

    Raises
    ------
    DataError
        Naming every file that was changed or removed meanwhile.
    """
    after = stamps(folders.raw)
    touched = [path for path in sorted({*before, *after}) if before.get(path) != after.get(path)]
    changed = [path for path in touched if _differs(path, inputs.get(path.relative_to(folders.data).as_posix()))]
    if changed:
        why = "The numbers would be of neither the old nor the new export."
        mend = "Wait until the export is complete, then run this again."
        raise DataError(
            *(Problem("file changed while being read", folders.relative(path), why=why, mend=mend) for path in changed)
        )


def _differs(path: Path, known: str | None) -> bool:
    # A file that no source reads may come and go.
    return known is not None and (not path.is_file() or sha256(path) != known)


def bytes_in(folder: Path) -> int:
    return sum(size for size, _ in stamps(folder).values())
