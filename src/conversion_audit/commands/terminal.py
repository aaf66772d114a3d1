"""What a command says: an answer, a refusal, a table."""

from __future__ import annotations

import json
import os
import re
import sys
from pathlib import Path
from typing import Any

_STEERING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def plain(words: str) -> str:
    """Return words in which what would steer a terminal is spelled out: an export's names may hold colours, titles, keystrokes."""
    return _STEERING.sub(lambda found: ascii(found[0])[1:-1], words)


def say(words: str, *, end: str = "\n", error: bool = False) -> None:
    """Print words that may name what an export holds."""
    print(plain(words), end=end, file=sys.stderr if error else sys.stdout, flush=error)


def answer(answer: dict[str, Any], lines: list[str], as_json: bool) -> None:
    """Print an answer: as one JSON object, or as lines."""
    if as_json:
        print(json.dumps(answer, ensure_ascii=False))
    else:
        say("\n".join(lines))


def refuse(problems: list[str], code: int, debug: bool, as_json: bool) -> int:
    """Print what is wrong, personal data that it quotes masked, and return the exit code."""
    from conversion_audit.intake.privacy import mask

    problems = [mask(problem)[0] for problem in problems]
    if debug:
        import traceback

        traceback.print_exc()
    if as_json:
        print(json.dumps({"status": "error", "exit": code, "errors": problems}, ensure_ascii=False))
    else:
        for problem in problems:
            say(f"audit: {problem}", error=True)
    return code


def table(head: list[str], rows: list[list[Any]]) -> None:
    """Print rows under a head, as wide as the terminal allows."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in head:
        table.add_column(Text(plain(name)), overflow="fold")
    for row in rows:
        table.add_row(*(Text(plain(str(cell))) for cell in row))
    Console(width=None if sys.stdout.isatty() else 160).print(table)


def tell_strangers() -> None:
    """Say which folders under data/ are passed over for their name."""
    from conversion_audit.folders import strangers

    for name in strangers():
        print(f"data/{ascii(name)[1:-1]}: left out: not a client name (a-z, 0-9, '-' and '_')", file=sys.stderr)


def from_home(path: Path) -> str:
    """Return a path as one would type it here: relative, where it lies in the home."""
    from conversion_audit.folders import home

    resolved = path.resolve()
    return os.path.relpath(resolved) if resolved.is_relative_to(home()) else str(path)


def confirmed(client: str) -> bool:
    """Ask a person at the terminal to type the client's name."""
    if not sys.stdin.isatty():
        return False
    return input(f"Type the client's name to remove everything of it ({client}): ").strip() == client


def write_index() -> str:
    """Write the page of all runs and return where it is."""
    from datetime import UTC, datetime

    from conversion_audit.index import write_index

    return from_home(write_index(datetime.now(UTC).date()))
