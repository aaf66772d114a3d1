"""What the operating system or the engine refuses, in words and with an exit code."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from conversion_audit.errors import MachineError, Problem
from conversion_audit.running.evidence import without_folders
from conversion_audit.running.publish import shown

OF_A_RUN = "Nothing was published; the last report stands as it was."


@contextmanager
def os_errors() -> Iterator[None]:
    """Tell what the operating system or the engine refused in words."""
    try:
        yield
    except Exception as error:
        refused = worded(error)
        if refused is None:
            raise
        raise refused from error


def worded(error: Exception, why: str = OF_A_RUN) -> MachineError | None:
    """Return what the operating system or the engine refused, in words; None for any other error."""
    if isinstance(error, OSError):
        return machine_error(error, why)
    if isinstance(error, MemoryError):
        return MachineError(Problem("out of memory", mend="Close other programs, or use --memory 2GB."))
    return _engine_refused(error)


def _engine_refused(error: Exception) -> MachineError | None:
    if type(error).__module__.split(".")[0] not in {"duckdb", "_duckdb"}:
        return None
    said = without_folders(str(error)).splitlines()[0][:200]
    if type(error).__name__ == "OutOfMemoryException":
        mend = "Use --memory with more, e.g. --memory 4GB, or a shorter period with --start and --end."
        return MachineError(Problem("the engine ran out of memory", seen=said, mend=mend))
    if type(error).__name__ == "IOException":
        return MachineError(
            Problem("the engine could not read or write a file", why=said, mend="Check free space and permissions.")
        )
    return None


def machine_error(error: OSError, why: str = OF_A_RUN) -> MachineError:
    """Return what the operating system refused, in words."""
    where = shown(Path(str(error.filename))) if error.filename else ""
    reasons = {
        errno.ENOSPC: ("the disk is full", "Free some space, then run this again."),
        errno.EDQUOT: ("the disk quota is used up", "Free some space, then run this again."),
        errno.EFBIG: (
            "a file would grow past the size allowed here",
            "Raise the limit (ulimit -f), then run this again.",
        ),
        errno.EACCES: ("not allowed to write or read here", "Change the permission of the file or folder named."),
        errno.EPERM: ("not allowed to write or read here", "Change the permission of the file or folder named."),
        errno.EROFS: ("the file system is read-only", "Set AUDIT_HOME to a folder that can be written."),
        errno.EMFILE: ("too many open files", "Raise the limit (ulimit -n), then run this again."),
        errno.ENOMEM: ("out of memory", "Close other programs, or use --memory 2GB."),
    }
    what, mend = reasons.get(error.errno or 0, (f"the machine refused: {error.strerror or error}", ""))
    return MachineError(Problem(what, where, why=why, mend=mend))
