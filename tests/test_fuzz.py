"""Whatever a config or an export holds, it ends in a result or in one clear message: never in a traceback, never in a hang."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from conftest import REPOSITORY
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from conversion_audit.config import Config, read_config
from conversion_audit.errors import AuditError
from conversion_audit.folders import Folders

YAML = (REPOSITORY / "data" / "demo" / "audit.yaml").read_text(encoding="utf-8").splitlines()
PIECES = [
    "NO",
    "1.10",
    "12:30",
    "&a",
    "*a",
    "!!python/object:os.system",
    "{",
    "]",
    "'",
    "- -",
    "\t",
    "\0",
    "é",
    "null",
    "~",
    "<<: *x",
    "9" * 400,
]
EXPORT = "at,who,what,where,worth\n" + "".join(
    f"2026-03-{2 + n % 20:02}T10:{n % 60:02}:00Z,v{n % 17},{['view', 'cart', 'purchase'][n % 3]},/p/{n % 5},{n}.50\n"
    for n in range(120)
)
CONFIG = """client: Fuzz
timezone: UTC
currency: EUR
main_goal: purchase
accept_bad: 100 %
sources:
  - {kind: table, files: raw/*.csv, columns: {time: at, device_id: who, event: what, page: where, amount: worth}}
goals:
  purchase: {event: purchase}
"""
QUIET = {"suppress_health_check": [HealthCheck.function_scoped_fixture], "deadline": None, "derandomize": True}


@settings(max_examples=150, **QUIET)
@given(
    st.integers(0, len(YAML) - 1),
    st.sampled_from(PIECES),
    st.sampled_from(["replace", "append", "delete", "double", "cut"]),
)
def test_a_mangled_config_is_read_or_refused_with_its_line(audit_home, record_property, line, piece, how):
    record_property("cases", 150)
    lines = list(YAML)
    lines[line : line + 1] = {
        "replace": [lines[line].split(":")[0] + ": " + piece],
        "append": [lines[line], piece],
        "delete": [],
        "double": [lines[line]] * 2,
        "cut": [lines[line][: len(lines[line]) // 2]],
    }[how]
    folders = Folders("fuzz")
    folders.data.mkdir(exist_ok=True)
    folders.config.write_text("\n".join(lines), encoding="utf-8")
    try:
        assert isinstance(read_config("fuzz"), Config)
    except AuditError as error:
        assert error.exit_code == 2
        assert "data/fuzz/audit.yaml" in str(error)


def mangled(data: bytes, seed: int) -> bytes:
    """Flip, cut, repeat and insert a few bytes."""
    chance = random.Random(seed)
    for _ in range(chance.randint(1, 6)):
        at = chance.randrange(len(data)) if data else 0
        piece = chance.choice(
            [b"\0", b'"', b"\n", b",", b"\xff\xfe", b"=cmd|", b"<script>", b"1e999", b"\r", b";;;", "ｅ".encode(), b"'"]
        )
        data = chance.choice(
            [
                data[:at] + piece + data[at:],
                data[:at],
                data[:at] + data[at : at + 40] + data[at:],
                data[:at] + data[at + 9 :],
            ]
        )
    return data


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(40))
def test_a_mangled_export_is_counted_to_the_last_row_or_refused(seed, audit_home):
    from conversion_audit import open_audit

    folders = Folders("fuzz")
    folders.raw.mkdir(parents=True)
    folders.config.write_text(CONFIG)
    (Path(folders.raw) / "events.csv").write_bytes(mangled(EXPORT.encode(), seed))
    try:
        audit = open_audit("fuzz")
        ledger = audit.ledger
        events = len(audit.table("events"))
    except AuditError as error:
        assert error.exit_code == 4
        assert "events.csv" in str(error) or "file" in str(error)
    else:
        assert set(ledger.status) <= {"analysed", "set_aside", "quarantined"}
        kept = ledger[ledger.status != "quarantined"].rows.sum() - ledger[ledger.reason == "duplicate"].rows.sum()
        assert kept == events
