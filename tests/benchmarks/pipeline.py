"""What the product takes for whole jobs: prepare, `audit --help`, `audit check`, a run against its slowest chapter."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path
from statistics import median
from typing import Any

BIN = Path(sys.executable).with_name("audit")
_PREPARE = """
import json, resource
from conversion_audit.audit import open_audit
from tests.benchmarks.contest import peak_mb
audit = open_audit("bench")
for name in ("events", "marks", "sessions"):
    audit.table(name)
used = resource.getrusage(resource.RUSAGE_SELF)
print(json.dumps({"cpu": used.ru_utime + used.ru_stime, "peak_mb": peak_mb()}))
"""


def prepare(home: Path, memory: str | None = None) -> dict[str, Any] | None:
    """Make events, marks and sessions of the client ``bench``, the engine held to some memory; None where they are there already."""
    folder = home / "data" / "bench" / "prepared"
    if any(folder.glob("sessions-*.parquet")):
        return None
    env = _env(home) | ({"AUDIT_MEMORY": memory} if memory else {})
    done = subprocess.run([sys.executable, "-c", _PREPARE], stdout=subprocess.PIPE, text=True, env=env, check=True)
    told = json.loads(done.stdout.strip().splitlines()[-1])
    return told | {"memory": memory}


def prepare_record(told: dict[str, Any] | None, floor: float) -> list[dict[str, Any]]:
    """Return the row of the table for what `prepare` took."""
    if told is None:
        return []
    ratio = told["cpu"] / floor
    spread = {"ratio": ratio, "low": ratio, "high": ratio, "cpu_seconds": told["cpu"], "peak_mb": told["peak_mb"]}
    held = f", the engine held to {told['memory']}" if told["memory"] else ""
    words = f"**prepare: clean, stitch, sessions, order, marks, written{held}**"
    return [{"measure": words, "goal": 25.0, "against": "floor"} | spread]


def help_seconds(home: Path) -> dict[str, Any]:
    """CPU seconds of ``audit --help``."""
    times = [_spent([str(BIN), "--help"], home)[0] for _ in range(5)]
    return {"measure": "`audit --help`", "ratio": median(times), "goal": 0.3, "against": "CPU s"}


def check_share(home: Path) -> dict[str, Any]:
    """``audit check`` against ``audit run``, both on prepared tables of the client ``bench``."""
    run = _spent([str(BIN), "run", "bench"], home)[0]
    check = _spent([str(BIN), "check", "bench"], home)[0]
    return {"measure": "`audit check` on 1 million events", "ratio": check / run, "goal": 0.1, "against": "of the run"}


def chapters_share(home: Path) -> dict[str, Any]:
    """Wall time of the demo's run, tables in place, over that of its slowest chapter alone."""
    subprocess.run([str(BIN), "demo"], env=_env(home), check=True, capture_output=True)
    config = Path(__file__).resolve().parents[2] / "data" / "demo" / "audit.yaml"
    (home / "data" / "demo" / "audit.yaml").write_bytes(config.read_bytes())
    _spent([str(BIN), "run", "demo"], home)
    whole = median(_spent([str(BIN), "run", "demo"], home)[1] for _ in range(3))
    alone = {path.stem: _chapter_seconds(path, home) for path in sorted(_notebooks().glob("*.ipynb"))}
    slowest = max(alone, key=alone.get)
    words = f"demo run, tables in place, over its slowest chapter alone ({slowest}, {alone[slowest]:.1f} s)"
    return {"measure": words, "ratio": whole / alone[slowest], "goal": 3.0, "against": "times"}


def profile(home: Path, client: str = "demo") -> list[tuple[str, float]]:
    """CPU seconds of each shared table of a client, made from prepared events; dearest first."""
    sql = """
import json, os, resource
from conversion_audit import recipes
from conversion_audit.audit import open_audit
audit, spent = open_audit(%r), []
audit.table("events"); audit.period
used = lambda: sum(resource.getrusage(resource.RUSAGE_SELF)[:2])
kept = audit.prepared.table
audit.prepared.table = lambda name, parts, make: kept(name, [*parts, os.getpid()], make)
for name in recipes.TABLES:
    before = used(); audit.table(name); spent.append((name, used() - before))
print(json.dumps(sorted(spent, key=lambda one: -one[1])))
"""
    done = subprocess.run(
        [sys.executable, "-c", sql % client], capture_output=True, text=True, env=_env(home), check=True
    )
    return [tuple(one) for one in json.loads(done.stdout.strip().splitlines()[-1])]


def _notebooks() -> Path:
    return Path(__file__).resolve().parents[2] / "notebooks"


def _chapter_seconds(path: Path, home: Path) -> float:
    code = (
        "import sys, papermill; papermill.execute_notebook(sys.argv[1], None, {'client': 'demo'}, progress_bar=False)"
    )
    return _spent([sys.executable, "-c", code, str(path)], home)[1]


def _spent(command: list[str], home: Path) -> tuple[float, float]:
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(command, env=_env(home), check=False, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return cpu, time.perf_counter() - started


def _env(home: Path) -> dict[str, str]:
    return os.environ | {"AUDIT_HOME": str(home), "OPENBLAS_NUM_THREADS": "1", "JUPYTER_PREFER_ENV_PATH": "1"}
