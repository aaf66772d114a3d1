"""Many clients: one that fails leaves the others whole, nothing crosses over, memory stays bounded."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import REPOSITORY
from fixtures import stall, stub
from fixtures.make import notebook

from conversion_audit import batch, runner, runs
from conversion_audit.folders import Folders

STUB = Path(__file__).parent / "fixtures" / "stub.py"
YAML = """client: {name}
timezone: UTC
currency: EUR
main_goal: purchase
sources:
  - {{kind: table, files: raw/*.csv, columns: {{time: at, device_id: who, event: what, page: where}}}}
goals:
  purchase: {{event: purchase}}
micro_conversions:
  cart: {{type: action, event: cart}}
journey: [cart, purchase]
"""
CHAPTER = (
    "from conversion_audit import open_audit",
    "from conversion_audit.report import house, show",
    "audit = open_audit(client, start, end, where)\nhouse(audit.config)",
    "pages = audit.engine.query('SELECT page, count(*) AS events FROM e GROUP BY page ORDER BY page', {'e': audit.events})",
    "show(pages, name='pages', claim='Pages of ' + client)",
)


def small_client(name: str, *, broken: bool = False) -> Folders:
    """A client of a few visitors whose every page carries its name: a canary."""
    folders = Folders(name)
    folders.raw.mkdir(parents=True)
    rows = ["at,who,what,where"]
    for visitor in range(12):
        for minute, event in enumerate(["view", "cart", "purchase"][: 1 + visitor % 3]):
            rows.append(f"2026-03-{2 + visitor % 7:02}T10:{minute:02}:00Z,{name}-{visitor},{event},/canary-{name}")
    (folders.raw / "events.csv").write_text("<html>no export</html>" if broken else "\n".join(rows) + "\n")
    folders.config.write_text(YAML.format(name=name))
    notebook(folders.data / "notebooks" / "00_check_data.ipynb", *CHAPTER, needs=("events",))
    return folders


def only_own_chapters(home: Path) -> dict[str, str]:
    """The environment of a process that runs the clients' own chapter, and that alone."""
    for config in (home / "data").glob("*/audit.yaml"):
        config.write_text(config.read_text() + 'report: {chapters: ["00"]}\n')
    return {**os.environ, "AUDIT_HOME": str(home)}


def test_a_batch_goes_on_past_a_client_that_fails(audit_home):
    for name in ("acme", "globex"):
        folders = stub.client(name)
        notebook(folders.data / "notebooks" / "00_check_data.ipynb", "1")
    (audit_home / "data" / "globex" / "audit.yaml").write_text("client: Globex\nmain_gaol: purchase\n")
    done = subprocess.run(
        [sys.executable, STUB, "run", "--all", "--json"],
        env={**os.environ, "AUDIT_HOME": str(audit_home)},
        capture_output=True,
        text=True,
    )
    answer = json.loads(done.stdout)
    assert (done.returncode, answer["exit"]) == (1, 1)
    assert [(one["client"], one["exit"], one["status"]) for one in answer["clients"]] == [
        ("acme", 0, "complete"),
        ("globex", 2, "error"),
    ]
    assert "unknown key 'main_gaol'; did you mean 'main_goal'?" in " ".join(answer["clients"][1]["errors"])
    assert "acme" in (audit_home / "reports" / "index.html").read_text()


def test_clients_run_one_at_a_time_are_all_in_the_index(audit_home):
    for name in ("acme", "globex"):
        notebook(stub.client(name).data / "notebooks" / "00_check_data.ipynb", "1")
        done = subprocess.run([sys.executable, STUB, "run", name], env={**os.environ, "AUDIT_HOME": str(audit_home)})
        assert done.returncode == 0
        assert f'href="{name}/' in (audit_home / "reports" / "index.html").read_text()
    assert "acme" in (audit_home / "reports" / "index.html").read_text()


@pytest.mark.slow
def test_forty_clients_one_of_them_broken(audit_home):
    names = [f"shop-{n:02}" for n in range(40)]
    for name in names:
        small_client(name, broken=name == "shop-17")
    command = [sys.executable, "-m", "conversion_audit.cli", "run", "--all", "--json"]
    environment = only_own_chapters(audit_home)
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    answer = json.loads(done.stdout)
    assert {one["client"]: one["exit"] for one in answer["clients"] if one["exit"]} == {"shop-17": 4}
    assert len(re.findall("client/report.html", (audit_home / "reports" / "index.html").read_text())) == 39
    for name in ("shop-00", "shop-23", "shop-39"):
        others = [f"canary-{other}".encode() for other in names if other != name]
        files = [path for path in Folders(name).reports.rglob("*") if path.is_file()]
        assert len(files) > 5
        assert [path.name for path in files if any(other in path.read_bytes() for other in others)] == []
    again = subprocess.run([*command, "--resume"], env=environment, capture_output=True, text=True)
    assert sum(one.get("resumed", False) for one in json.loads(again.stdout)["clients"]) == 39


@pytest.mark.slow
@pytest.mark.parametrize("order", [("acme", "globex"), ("globex", "acme")])
def test_nothing_of_one_client_reaches_another(order, audit_home):
    for name in order:
        small_client(name)
    environment = only_own_chapters(audit_home)
    side_by_side = [
        subprocess.Popen([sys.executable, "-m", "conversion_audit.cli", "run", name], env=environment) for name in order
    ]
    assert [process.wait() for process in side_by_side] == [0, 0]
    for name, other in (order, order[::-1]):
        files = [path for path in Folders(name).reports.rglob("*") if path.is_file()]
        assert any(f"canary-{name}".encode() in path.read_bytes() for path in files)
        assert [path.name for path in files if f"canary-{other}".encode() in path.read_bytes()] == []
        assert runs.verify(name).differences == ()


def published(folders: Folders) -> dict[str, bytes]:
    """Everything of a client's runs that stand, by path."""
    files = [path for path in folders.reports.glob("2*/**/*") if path.is_file()]
    return {path.relative_to(folders.reports).as_posix(): path.read_bytes() for path in files}


@pytest.mark.slow
def test_a_real_run_killed_at_any_moment_leaves_the_old_report_and_the_next_run_works(audit_home, record_property):
    acme = small_client("acme")
    environment = only_own_chapters(audit_home)
    assert runner.run("acme").status == "complete"
    for moment in stall.MOMENTS:
        with (acme.raw / "events.csv").open("a") as export:  # another export: every table is made anew
            export.write(f"2026-03-05T11:00:00Z,{moment},view,/canary-acme\n")
        kept, marker = published(acme), audit_home / moment
        told = {**environment, "STALL": str(marker), "STALL_AT": moment}
        process = subprocess.Popen([sys.executable, stall.__file__, "run", "acme"], env=told, stderr=subprocess.PIPE)
        try:
            until(marker.exists)
        finally:
            process.kill()
            process.communicate()
        assert published(acme) == kept, moment
        assert runs.verify("acme").differences == (), moment
        assert runner.run("acme").status == "complete", moment
        assert list(acme.reports.glob(".tmp-*")) == [], moment
    record_property("cases", len(stall.MOMENTS))


def until(true: Callable[[], bool], seconds: float = 300) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "did not happen in time"
        time.sleep(0.05)


@pytest.mark.slow
def test_nothing_of_a_client_is_staged_by_git(tmp_path):
    """`git add -A` in a clone that holds a client's data and reports."""
    clone = tmp_path / "clone"
    subprocess.run(["git", "clone", "-q", str(REPOSITORY), str(clone)], check=True)
    for name in (
        "data/acme/raw/events.csv",
        "data/acme/audit.yaml",
        "reports/acme/x/client/report.html",
        "data/demo/raw/a.gz",
    ):
        (clone / name).parent.mkdir(parents=True, exist_ok=True)
        (clone / name).write_text("client bytes")
    subprocess.run(["git", "add", "-A"], cwd=clone, check=True)
    staged = subprocess.run(["git", "diff", "--cached", "--name-only"], cwd=clone, capture_output=True, text=True)
    assert staged.stdout == ""


def test_why_a_client_failed_is_told_in_its_line():
    failed = batch.Ended(
        "acme", 2, {"status": "error", "exit": 2, "errors": ["data/acme/audit.yaml:3: no\n    Mend it."]}
    )
    assert failed.words == "data/acme/audit.yaml:3: no"
    assert batch.Ended("acme", 0, {"status": "complete"}).words == "complete"
