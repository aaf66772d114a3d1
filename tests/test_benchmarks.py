"""The benchmark measures what it says: its log, its contests' results, its part of the README."""

from __future__ import annotations

import sys
from pathlib import Path

import pandas as pd
import pytest
from conftest import REPOSITORY

sys.path.insert(0, str(REPOSITORY))

from tests.benchmarks import log, measured, page, pipeline


@pytest.fixture(scope="module")
def home(tmp_path_factory) -> Path:
    """Return a home with a log of ten thousand events and the tables made from it."""
    home = tmp_path_factory.mktemp("bench")
    log.write_client(home, 10_000)
    assert pipeline.prepare(home)["cpu"] > 0
    return home


def test_a_log_is_the_same_for_the_same_seed_and_is_made_as_told(tmp_path):
    import duckdb

    for name in ("a", "b"):
        log.write_log(tmp_path / f"{name}.parquet", 80_000)
    a, b = (duckdb.read_parquet(str(tmp_path / f"{name}.parquet")).df() for name in ("a", "b"))
    pd.testing.assert_frame_equal(a, b)
    assert list(a.columns) == list(log.COLUMNS)
    assert a.event_id.is_unique
    assert len(a) / a.session.nunique() == pytest.approx(8, abs=0.1)
    assert (a.event.nunique(), a.page.nunique() > 1_900) == (12, True)
    assert a.duplicated(["session", "time"]).any(), "some events are tied"
    assert set(log.STEPS) <= set(a.event)


def test_contests_that_are_at_hand_agree(home):
    raw, prepared = home / "data" / "bench" / "raw" / "log.parquet", home / "data" / "bench" / "prepared"
    found = {one.name: one for one in measured.run_all(raw, prepared, None, rounds=1)}
    assert found["floor"].ratios == [1.0]
    assert found["house_funnel"].result[0] == 1_250
    assert found["duckdb_transitions"].result == found["house_transitions"].result
    assert pipeline.prepare(home) is None, "made once"


def test_friction_reads_any_number_of_suspects_in_the_same_number_of_statements(home, monkeypatch):
    from conversion_audit.analysis.friction import reading
    from conversion_audit.audit import open_audit
    from conversion_audit.engine import Engine

    monkeypatch.setenv("AUDIT_HOME", str(home))
    audit = open_audit("bench")
    tables = audit.marks, audit.sessions, audit.config.steps
    asked: list[str] = []
    for name in ("query", "create"):
        kept = getattr(Engine, name)
        counted = lambda self, sql, *rest, _kept=kept, **more: (asked.append(sql), _kept(self, sql, *rest, **more))[1]  # noqa: E731
        monkeypatch.setattr(Engine, name, counted)

    def statements(*suspects: str) -> int:
        asked.clear()
        reading.read(*tables, list(suspects), ["channel"], events=audit.events)
        return len(asked)

    assert 0 < statements("device", "country", "browser", "os", "language") == statements("device")


def test_contests_that_differ_are_refused():
    mine, theirs = measured.Contest("a", "ours"), measured.Contest("b", "theirs", equals="a")
    mine.result, theirs.result = [3, 2], [3, 1]
    with pytest.raises(AssertionError, match=r"^b and a differ$"):
        measured.assert_equal([mine, theirs])
    theirs.result = None
    measured.assert_equal([mine, theirs])


def test_a_peer_that_is_not_installed_is_skipped_with_the_reason(tmp_path):
    told = measured.measure("chdb_funnel", tmp_path / "x", tmp_path, Path(sys.executable))
    assert told["skipped"] == "chdb is not installed"


def test_the_part_is_written_between_its_marks_and_names_no_machine(tmp_path):
    one = measured.Contest(
        "house_funnel", "funnel", goal=2.0, times=[3.0, 1.0, 2.0], ratios=[3.0, 1.0, 2.0], peak_mb=400
    )
    other = measured.Contest("chdb_funnel", "chdb", skipped="chdb is not installed")
    told = page.size_table([one.record, other.record])
    assert told.splitlines()[2:] == [
        "| funnel | 2.00 | 2.00 (1.00 to 3.00) | 2 | 400 |",
        "| chdb | | chdb is not installed | | |",
    ]
    path = tmp_path / "README.md"
    path.write_text("before\n<!-- bench -->\nold\n<!-- /bench -->\nafter\n", encoding="utf-8")
    page.write(page.block("2026-03-02", {"1": told}, []), path)
    text = path.read_text(encoding="utf-8")
    assert text.startswith("before\n<!-- bench -->\nMeasured 2026-03-02 on ") and text.endswith(
        "<!-- /bench -->\nafter\n"
    )
    assert "old" not in text
    with pytest.raises(LookupError, match="has no part 'bench'"):
        path.write_text("nothing", encoding="utf-8")
        page.write("x", path)


def test_the_readme_carries_a_table():
    import readme

    assert "| **funnel of six steps with times, on prepared/** |" in readme.part(page.README, "bench")
    assert (page.README, "bench") not in readme.PARTS, "make readme leaves it alone"
