"""What every test may use: a home of its own, small tables written as text, and real data where it is at hand."""

from __future__ import annotations

import os
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import pandas as pd
import pytest

from conversion_audit import engine

REPOSITORY = Path(__file__).resolve().parents[1]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--scorecard", action="store_true", help="write the cases tried for each promise into the README")


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("--scorecard") and not hasattr(config, "workerinput"):
        import scorecard

        config.pluginmanager.register(scorecard.Count(REPOSITORY / "README.md"))


def real_data(path: str) -> Path:
    """Return a file of the real data sets, or skip: $AUDIT_REAL_DATA, else ``../shared/data`` beside the clone."""
    base = Path(os.environ.get("AUDIT_REAL_DATA") or REPOSITORY.parent / "shared" / "data")
    if not (base / path).exists():
        pytest.skip(f"real data {path!r} is not here; set AUDIT_REAL_DATA to the folder that holds it")
    return base / path


def table(text: str, **kinds: str) -> pd.DataFrame:
    """Return a small table written as aligned text; columns named ``time`` or ``*date`` become times, '-' is missing."""
    frame = pd.read_csv(StringIO(text), sep=r"\s+", na_values=["-"], dtype=kinds or None)
    for name in frame.columns:
        if name in {"time", "start"} or name.endswith("date"):
            frame[name] = pd.to_datetime(frame[name])
    return frame


@pytest.fixture(autouse=True)
def own_voice() -> Iterator[None]:
    """Give every test the voice of a fresh process: a notebook's set-up cell speaks for the rest of its process."""
    from conversion_audit.report.voice import Voice, speaking

    with speaking(Voice()):
        yield


@pytest.fixture(autouse=True, scope="module")
def own_engine() -> Iterator[None]:
    """Forget what a module's tests left in this process's own engine: worlds of a hundred thousand sessions add up."""
    yield
    engine._own_engine.cache_clear()


@pytest.fixture
def audit_home(tmp_path, monkeypatch) -> Path:
    """Return an empty home: ``data/`` and ``reports/`` of this test alone."""
    monkeypatch.setenv("AUDIT_HOME", str(tmp_path))
    (tmp_path / "data").mkdir()
    (tmp_path / "reports").mkdir()
    return tmp_path


@pytest.fixture(scope="session")
def small_shop(tmp_path_factory) -> Path:
    """Return a home with the demo shop, 3,000 sessions of it, under the name ``demo``. Shared: tests only read it."""
    from conversion_audit.demo import write_demo

    home = tmp_path_factory.mktemp("small_shop")
    folder = home / "data" / "demo"
    write_demo(folder / "raw", sessions=3_000)
    (home / "reports").mkdir()
    (folder / "audit.yaml").write_bytes((REPOSITORY / "data" / "demo" / "audit.yaml").read_bytes())
    return home


@pytest.fixture
def small_audit(small_shop, monkeypatch):
    """Return the opened audit of the small shop."""
    from conversion_audit.audit import open_audit

    monkeypatch.setenv("AUDIT_HOME", str(small_shop))
    return open_audit("demo")
