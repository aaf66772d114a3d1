"""The benchmark's tables as text: on the terminal, and in the README between its marks."""

from __future__ import annotations

import platform
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

README = Path(__file__).resolve().parents[2] / "README.md"
HEADER = "| | CPU s | floors (spread) | goal | peak MB |\n| --- | ---: | ---: | ---: | ---: |"


def machine() -> str:
    """Return cores, memory and system, and nothing that names the machine."""
    import os

    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{os.cpu_count()} cores, {memory:.0f} GB, {platform.system()}"


def size_table(records: Sequence[Mapping[str, Any]]) -> str:
    """Return the table of one size: every measure with its CPU seconds, its ratio to the floor, the spread and the goal."""
    return "\n".join([HEADER, *(_row(record) for record in records)])


def _row(record: Mapping[str, Any]) -> str:
    if record.get("skipped"):
        return f"| {record['measure']} | | {record['skipped']} | | |"
    seconds = f"{record['cpu_seconds']:.2f}" if record.get("cpu_seconds") is not None else ""
    ratio = "" if record["ratio"] is None else f"{record['ratio']:.2f} ({record['low']:.2f} to {record['high']:.2f})"
    goal = "" if record["goal"] is None else f"{record['goal']:g}"
    peak = f"{record['peak_mb']:,.0f}" if record.get("peak_mb") else ""
    return f"| {record['measure']} | {seconds} | {ratio} | {goal} | {peak} |"


def goals_table(records: Sequence[Mapping[str, Any]]) -> str:
    """Return the table of what is held to a goal that is no ratio to the floor."""
    lines = ["| | measured | goal |", "| --- | ---: | ---: |"]
    goals = ["" if one["goal"] is None else f"{one['goal']:g}" for one in records]
    lines += [
        f"| {one['measure']} | {one['ratio']:.2f} {one['against']} | {goal} |"
        for one, goal in zip(records, goals, strict=True)
    ]
    return "\n".join(lines)


def block(day: str, by_size: Mapping[str, str], others: Sequence[Mapping[str, Any]]) -> str:
    """Return the README's part."""
    lines = [f"Measured {day} on {machine()}, in CPU time; each row by turns with a floor of its own round."]
    for size, table in by_size.items():
        lines += ["", f"{size} million events:", "", table]
    if others:
        lines += ["", goals_table(others)]
    return "\n".join(lines) + "\n"


def write(content: str, path: Path = README) -> None:
    """Write the part between its marks; the rest of the page stays."""
    text = path.read_text(encoding="utf-8")
    if not re.search("<!-- bench -->\n.*?<!-- /bench -->", text, re.DOTALL):
        raise LookupError(f"{path.name} has no part 'bench'")
    fresh = f"<!-- bench -->\n{content}<!-- /bench -->"
    path.write_text(
        re.sub("<!-- bench -->\n.*?<!-- /bench -->", lambda _: fresh, text, flags=re.DOTALL), encoding="utf-8"
    )
