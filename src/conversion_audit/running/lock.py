"""One audit of a client at a time, and who holds it."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from conversion_audit.errors import LockedError, Problem
from conversion_audit.folders import Folders


@contextmanager
def locked(folders: Folders) -> Iterator[None]:
    """
    Hold a client for this process.

    The operating system lets go of the lock when its process ends, however it ends: a killed run leaves nothing to clean.

    Raises
    ------
    LockedError
        Naming the process that holds the client and since when.
    """
    from filelock import FileLock, Timeout

    folders.reports.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folders.reports / ".lock", timeout=0)
    # The lock's own file is emptied by every attempt to take it, so its holder is named in a second one.
    holder = folders.reports / ".holder"
    try:
        lock.acquire()
    except Timeout:
        raise LockedError(_held(folders.client, holder)) from None
    try:
        holder.write_text(json.dumps({"pid": os.getpid(), "since": f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC"}))
        yield
    finally:
        holder.unlink(missing_ok=True)
        lock.release()


def _held(client: str, holder: Path) -> Problem:
    try:
        known = json.loads(holder.read_text())
        who = f"process {known['pid']}, since {known['since']}"
    except (OSError, ValueError, KeyError):
        who = "another process"
    return Problem(
        f"another audit of {client} is under way ({who})",
        f"reports/{client}",
        why="Two runs at once would work on the same files.",
        mend="Wait for it to end, or stop it; then run this again. Nothing needs to be removed.",
    )
