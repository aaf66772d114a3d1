"""Many clients side by side, each in a process of its own: one that fails leaves the others whole."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from conversion_audit.errors import BUG, NEEDS_YOU, OK
from conversion_audit.running import waiting

COMMAND = (sys.executable, "-m", "conversion_audit.cli")


@dataclass(frozen=True)
class Ended:
    """One client's run: its exit code and what it answered as JSON."""

    client: str
    exit_code: int
    answer: dict[str, Any]

    @property
    def words(self) -> str:
        """What happened, in one line."""
        said = "; ".join(self.answer.get("errors") or [self.answer.get("status") or "ended without an answer"])
        return said.splitlines()[0]


def run_all(
    clients: Sequence[str],
    options: Sequence[str],
    jobs: int | None = None,
    told: Callable[[Ended, int], None] = lambda ended, count: None,
) -> list[Ended]:
    """
    Audit clients side by side.

    Parameters
    ----------
    clients : sequence of str
        Which.
    options : sequence of str
        Further options of ``audit run`` for each.
    jobs : int, optional
        How many at once; the number of cores by default.
    told : callable, optional
        Called with each end and the number of ends so far.

    Returns
    -------
    list of Ended
        In the order of `clients`.
    """
    jobs = min(jobs or os.cpu_count() or 1, len(clients)) or 1
    environment = {**os.environ, "AUDIT_MEMORY": os.environ.get("AUDIT_MEMORY") or _share(jobs)}
    running: set[subprocess.Popen] = set()
    ended: dict[str, Ended] = {}
    with ThreadPoolExecutor(jobs) as pool:
        futures = [pool.submit(_one, client, options, environment, running) for client in clients]
        try:
            for future in waiting.ended(futures):
                one = future.result()
                ended[one.client] = one
                told(one, len(ended))
        except BaseException:
            for future in futures:
                future.cancel()
            for process in list(running):
                process.terminate()
            raise
    return [ended[client] for client in clients]


def exit_code(ended: Sequence[Ended]) -> int:
    """
    Return one exit code for all.

    0 where every client ended with 0; 1 where some did, or need somebody; else the worst of them.
    """
    codes = {one.exit_code for one in ended}
    if codes <= {OK}:
        return OK
    return NEEDS_YOU if codes & {OK, NEEDS_YOU} else max(codes)


def _one(client: str, options: Sequence[str], environment: dict[str, str], running: set[subprocess.Popen]) -> Ended:
    # Chapters one at a time: the clients fill the cores already.
    command = [*COMMAND, "run", client, "--json", "--jobs", "1", *options]
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment
    ) as process:
        running.add(process)
        try:
            said, _ = process.communicate()
        finally:
            running.discard(process)
    try:
        answer = json.loads(said)
    except ValueError:
        answer = {"errors": [f"ended with code {process.returncode} and no answer"]}
    return Ended(client, process.returncode if process.returncode >= 0 else BUG, answer)


def _share(jobs: int) -> str:
    """Each engine's share of the memory: half of it for all, since every client has two engines at a time."""
    try:
        whole = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        whole = 8 * 2**30
    return f"{max(256, int(whole / 2**20 / 2 / (2 * jobs)))}MB"
