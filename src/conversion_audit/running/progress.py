"""One progress display: a bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

import os
import sys
import time
from typing import Any, TextIO


class Progress:
    """Says nothing. The base of the two that do."""

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def stage(self, words: str) -> None:
        """Something other than chapters has begun."""

    def chapters(self, names: list[str]) -> None:
        """These chapters are about to run."""

    def cell(self, chapter: str, done: int, total: int) -> None:
        """A chapter goes on to its next cell."""

    def chapter(self, chapter: str, status: str) -> None:
        """A chapter has ended."""


class Lines(Progress):
    """Plain lines: for logs, schedulers, and whoever pipes this somewhere."""

    def __init__(self, client: str, stream: TextIO) -> None:
        self.client, self.stream, self.ended, self.all = client, stream, 0, 0
        self.since = time.monotonic()

    def _say(self, words: str) -> None:
        print(f"{self.client}: {words} [{time.monotonic() - self.since:.0f} s]", file=self.stream, flush=True)

    def stage(self, words: str) -> None:
        self._say(words)

    def chapters(self, names: list[str]) -> None:
        self.all = len(names)

    def chapter(self, chapter: str, status: str) -> None:
        self.ended += 1
        self._say(f"chapter {self.ended} of {self.all}: {chapter} {status}")


class Bar(Progress):
    """A bar with the chapters done and the time left."""

    def __init__(self, client: str, stream: TextIO) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, SpinnerColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
        from rich.progress import Progress as RichProgress

        self.client, self.ended, self.names, self.share = client, 0, [], {}
        self.bar = RichProgress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=Console(file=stream),
            transient=True,
        )
        self.task: Any = self.bar.add_task(f"{client}: starting", total=None)

    def __enter__(self) -> Bar:
        self.bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.bar.stop()

    def stage(self, words: str) -> None:
        self.bar.update(self.task, description=f"{self.client}: {words}")

    def chapters(self, names: list[str]) -> None:
        self.names, self.share = names, dict.fromkeys(names, 0.0)
        self.bar.reset(self.task, total=len(names), description=f"{self.client}: chapters")

    def cell(self, chapter: str, done: int, total: int) -> None:
        self.share[chapter] = done / max(total, 1)
        words = f"{self.client}: chapter {self.ended + 1} of {len(self.names)}, {chapter}"
        self.bar.update(self.task, completed=sum(self.share.values()), description=words)

    def chapter(self, chapter: str, status: str) -> None:
        self.ended += 1
        self.share[chapter] = 1.0
        self.bar.update(self.task, completed=sum(self.share.values()))


def progress(client: str, stream: TextIO | None = None) -> Progress:
    """Return the display that fits where it is shown."""
    stream = stream or sys.stderr
    live = stream.isatty() and os.environ.get("TERM") != "dumb"
    return Bar(client, stream) if live else Lines(client, stream)
