"""Contests of one log: every one in a process of its own, by turns, each against the floor of the same round."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

CONTEST = Path(__file__).with_name("contest.py")
SLOW = 10.0
"""CPU seconds: what took longer runs once."""


@dataclass
class Contest:
    """One thing measured: name in contest.py, its words, whose result it must equal, the goal in floors."""

    name: str
    words: str
    equals: str | None = None
    goal: float | None = None
    times: list[float] = field(default_factory=list)
    ratios: list[float] = field(default_factory=list)
    peak_mb: float = 0.0
    result: Any = None
    skipped: str | None = None

    @property
    def record(self) -> dict[str, Any]:
        """The row of the table: measure, ratio, low, high, cpu_seconds, peak_mb, goal, against."""
        spread = {"ratio": None, "low": None, "high": None, "cpu_seconds": None}
        if self.ratios:
            low, high = min(self.ratios), max(self.ratios)
            spread = {"ratio": median(self.ratios), "low": low, "high": high, "cpu_seconds": median(self.times)}
        told = {"measure": self.words, "peak_mb": self.peak_mb, "goal": self.goal, "against": "floor"}
        return told | spread | {"skipped": self.skipped}


def contests() -> list[Contest]:
    """Return what is measured, the floor first."""
    return [
        Contest("floor", "floor: DuckDB reads and hashes session, event, time and id of the raw log"),
        Contest("house_funnel", "**funnel of six steps with times, on prepared/**", goal=2.0),
        Contest("chdb_funnel", "chdb `windowFunnel` on the raw log, no times", "house_funnel"),
        Contest("polars_funnel", "Polars, streaming, on the raw log", "house_funnel"),
        Contest("pandas_funnel", "pandas merges on the raw log", "house_funnel"),
        Contest("retentioneering_funnel", "retentioneering on the raw log, event stream included", "house_funnel"),
        Contest("house_transitions", "**transitions, on prepared/**", goal=0.3),
        Contest("duckdb_transitions", "DuckDB window on the raw log", "house_transitions"),
        Contest("polars_transitions", "Polars on the raw log", "house_transitions"),
        Contest("pandas_transitions", "pandas on the raw log", "house_transitions"),
        Contest("house_dwell", "**median and slowest tenth of the seconds between events, on prepared/**", goal=0.7),
    ]


def run_all(log: Path, prepared: Path, peers: Path | None, rounds: int, skip: set[str] = frozenset()) -> list[Contest]:
    """
    Measure every contest in `rounds` rounds.

    Parameters
    ----------
    log, prepared : Path
        The raw log and the folder of tables made from it.
    peers : Path, optional
        Interpreter that has the peers; this one where there is none.
    rounds : int
        Rounds; in each every contest has its turn and its own floor.
    skip : set of str
        Contests left out, e.g. those that need more memory than there is.

    Raises
    ------
    AssertionError
        Where two contests that count the same differ.
    """
    found = contests()
    for _ in range(rounds):
        base = None
        for one in found:
            if one.skipped or (one.times and one.times[-1] > SLOW):
                continue
            if one.name in skip:
                one.skipped = "not tried at this size"
                continue
            is_peer = not one.name.startswith(("house", "floor", "duckdb"))
            told = measure(one.name, log, prepared, peers if is_peer and peers else Path(sys.executable))
            one.skipped = told.get("skipped")
            if one.skipped:
                continue
            base = told["cpu"] if one.name == "floor" else base
            one.times.append(told["cpu"])
            one.ratios.append(told["cpu"] / base)
            one.peak_mb, one.result = max(one.peak_mb, told["peak_mb"]), told["result"]
    assert_equal(found)
    return found


def measure(name: str, log: Path, prepared: Path, python: Path) -> dict[str, Any]:
    """Run one contest in a fresh process."""
    quiet = os.environ | {"RETENTIONEERING_NO_TRACK": "1", "DO_NOT_TRACK": "1"}
    command = [str(python), str(CONTEST), name, str(log), str(prepared)]
    done = subprocess.run(command, capture_output=True, text=True, env=quiet, check=False)
    if done.returncode:
        said = (done.stderr.strip().splitlines() or ["killed, likely out of memory"])[-1]
        return {"skipped": f"failed: {said[:80]}"}
    return json.loads(done.stdout.strip().splitlines()[-1])


def assert_equal(found: list[Contest]) -> None:
    """Hold every contest to the result of the one it must equal."""
    results = {one.name: one.result for one in found}
    for one in found:
        if one.equals and one.result is not None and results[one.equals] is not None:
            assert one.result == results[one.equals], f"{one.name} and {one.equals} differ"
