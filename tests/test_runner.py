"""From notebooks to a published run: whole or not at all, the same bytes again, nothing of one client in another's."""

from __future__ import annotations

import gzip
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from fixtures import stub
from fixtures.make import notebook

from conversion_audit import runner, runs
from conversion_audit.errors import AuditError, ConfigError, DataError, MachineError
from conversion_audit.folders import Folders

STUB = Path(__file__).parent / "fixtures" / "stub.py"
SHOW = "import pandas as pd\nfrom conversion_audit.report import show"
TABLE = "show(pd.DataFrame({'device': [client], 'sessions': [2]}), name='devices', claim='Sessions of ' + client)"


@pytest.fixture
def acme_in_kernels(audit_home, monkeypatch) -> Folders:
    """A client with one chapter, on a stub of the analysis."""
    from conversion_audit import audit
    from conversion_audit.running import chapters, files

    monkeypatch.setattr(audit, "open_audit", stub.StubAudit)
    monkeypatch.setattr(files, "save_lists", lambda draft, audit: None)
    monkeypatch.setattr(chapters, "notebooks", lambda: audit_home / "no-notebooks")
    folders = stub.client("acme")
    chapter(folders, "00_check_data", SHOW, TABLE)
    return folders


@pytest.fixture
def acme(acme_in_kernels, monkeypatch) -> Folders:
    """The same, its chapters executed in this process: what is tried here is what comes after."""
    from conversion_audit.running import chapters

    monkeypatch.setattr(chapters, "execute", stub.execute_here)
    return acme_in_kernels


def chapter(folders: Folders, name: str, *cells: str, **more) -> Path:
    return notebook(folders.data / "notebooks" / f"{name}.ipynb", *cells, **more)


def audit_command(home: Path, *arguments: str, **environment: str) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, STUB, *arguments],
        env={**os.environ, "AUDIT_HOME": str(home), **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def state(folders: Folders) -> dict[str, bytes]:
    """Everything published, by path."""
    files = [path for path in folders.reports.rglob("*") if path.is_file() and not path.name.startswith(".")]
    return {path.relative_to(folders.reports).as_posix(): path.read_bytes() for path in files}


def test_a_run_holds_report_tables_workbook_findings_and_evidence(acme_in_kernels):
    published = runner.run("acme")
    assert sorted(published.manifest["files"]) == [
        "client/audit.xlsx",
        "client/report.html",
        "client/tables/devices.csv",
        "evidence/00_check_data.ipynb",
        "evidence/bad_rows.ndjson.gz",
        "evidence/findings.json",
    ]
    findings = json.loads((published.folder / "evidence" / "findings.json").read_text())
    assert (findings["schema"], findings["client"], findings["run"]) == (1, "acme", published.folder.name)
    assert findings["findings"][0]["kind"] == "observation"
    rejected = gzip.decompress((published.folder / "evidence" / "bad_rows.ndjson.gz").read_bytes())
    assert rejected == b'{"file": "raw/a.csv", "line": 3}\n'
    assert published.manifest["headline"]["naive_conversion_rate"] == 0.5
    assert published.manifest["inputs"].keys() == {"raw/a.csv"}
    assert (published.status, published.exit_code) == ("complete", 0)


def test_two_runs_on_the_same_input_give_the_same_bytes(acme):
    files = ("client/report.html", "client/audit.xlsx", "client/tables/devices.csv", "evidence/00_check_data.ipynb")
    one, other = runner.run("acme"), runner.run("acme")
    assert one.folder != other.folder
    assert [(one.folder / file).read_bytes() == (other.folder / file).read_bytes() for file in files] == [True] * 4


def test_a_chapter_that_raises_is_named_on_the_first_page_and_the_others_stand(acme):
    chapter(acme, "04_diagnose_friction", "secret = 'KeyError'", "{}[secret]")
    published = runner.run("acme")
    page = published.report.read_text()
    assert (published.status, published.exit_code) == ("partial", 1)
    assert published.chapters[1] == {
        "name": "04_diagnose_friction",
        "status": "failed",
        "reason": "04_diagnose_friction, cell 4 ('{}[secret]'): KeyError: 'KeyError'",
    }
    assert "This report is partial: " in page
    assert "Not computed: something unexpected in the data stopped this chapter." in page
    assert "KeyError" not in page
    assert "Sessions of acme" in page


def test_a_chapter_without_its_table_says_so_and_is_no_failure(acme):
    chapter(acme, "05_plan_actions", "1 / 0", needs=("book_orders",))
    published = runner.run("acme")
    assert published.status == "complete"
    assert published.chapters[1]["reason"] == "the export holds no book_orders"
    assert (
        "Not part of this report: the export does not hold what it needs (book_orders)." in published.report.read_text()
    )


def test_without_one_complete_chapter_nothing_is_published(acme):
    chapter(acme, "00_check_data", "1 / 0")
    with pytest.raises(AuditError, match="00_check_data is failed"):
        runner.run("acme")
    assert state(acme) == {}


def test_a_killed_kernel_publishes_nothing_and_the_next_run_works(acme):
    before = runner.run("acme")
    kept = state(acme)
    died = "from conversion_audit.errors import MachineError\nraise MachineError('cell 4: the kernel stopped')"
    bad = chapter(acme, "03_segment_intent", died)
    with pytest.raises(MachineError, match="the kernel stopped"):
        runner.run("acme")
    assert state(acme) == kept
    assert runs.newest("acme")["run"] == before.folder.name
    assert list(acme.reports.glob(".tmp-*")) == []
    bad.unlink()
    assert runner.run("acme").status == "complete"


def test_an_export_that_changes_meanwhile_is_refused(acme):
    chapter(acme, "01_touch", f"open({str(acme.raw / 'a.csv')!r}, 'a').write('more')")
    with pytest.raises(DataError) as refused:
        runner.run("acme")
    assert str(refused.value) == (
        "raw/a.csv: file changed while being read\n"
        "    The numbers would be of neither the old nor the new export.\n"
        "    Wait until the export is complete, then run this again."
    )
    assert state(acme) == {}


def test_a_file_that_no_source_reads_may_come_and_go(acme):
    chapter(acme, "01_touch", f"open({str(acme.raw / 'notes.txt')!r}, 'w').write('hello')")
    assert runner.run("acme").status == "complete"


def test_commentary_saved_in_another_encoding_is_told_before_the_work(acme, monkeypatch):
    monkeypatch.setattr(runner, "tell", lambda *_: pytest.fail("the chapters ran"))
    (acme.data / "notes").mkdir()
    (acme.data / "notes" / "04.md").write_bytes("Straße".encode("cp1252"))
    with pytest.raises(ConfigError) as refused:
        runner.run("acme")
    assert str(refused.value) == "data/acme/notes/04.md: is not UTF-8 text\n    Save it as UTF-8."


def test_commentary_that_no_chapter_would_show_is_told_before_the_work(acme, monkeypatch):
    monkeypatch.setattr(runner, "tell", lambda *_: pytest.fail("the chapters ran"))
    (acme.data / "notes").mkdir()
    for name in ("4.md", "01.md", "44.md", "ideas.md"):
        (acme.data / "notes" / name).write_text("Said.", encoding="utf-8")
    chapter(acme, "01_touch", "1")
    with pytest.raises(ConfigError) as refused:
        runner.run("acme")
    assert [problem.where for problem in refused.value.problems] == [f"data/acme/notes/{name}.md" for name in (4, 44)]
    assert refused.value.problems[0].what == "no chapter has that number: it would not be shown"


def test_resume_gives_back_a_run_of_the_same_and_makes_one_of_anything_else(acme):
    first = runner.run("acme", runner.Asked(resume=True))
    again = runner.run("acme", runner.Asked(resume=True))
    assert (first.resumed, again.resumed, again.folder) == (False, True, first.folder)
    (acme.raw / "a.csv").write_text("visitor,event\nother,purchase\n")
    assert runner.run("acme", runner.Asked(resume=True)).folder != first.folder
    assert not runner.run("acme", runner.Asked(resume=True, where="device=mobile")).resumed
    assert not runner.run("acme", runner.Asked(resume=True, where="device=mobile", against="last-year")).resumed


def test_nothing_of_one_client_is_in_anothers_artefacts(acme):
    other = stub.client("globex")
    chapter(other, "00_check_data", SHOW, TABLE)
    for client in ("acme", "globex", "acme"):
        runner.run(client)
    for client, canary in (("acme", b"globex"), ("globex", b"acme")):
        files = [path for path in Folders(client).reports.rglob("*") if path.is_file()]
        assert files
        assert [path.name for path in files if canary in path.read_bytes().lower()] == []


def test_no_artefact_names_this_machine(acme):
    folder = runner.run("acme").folder
    private = [str(acme.data.parent.parent), str(Path.home()), sys.prefix, os.environ.get("USER") or "nobody-here"]
    texts = {path.name: path.read_bytes().decode("utf-8", "replace") for path in folder.rglob("*") if path.is_file()}
    found = {name for name, text in texts.items() for path in private if path != "/" and len(path) > 4 and path in text}
    assert found == set()


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="looks for left processes in /proc")
@pytest.mark.parametrize(
    ("sent", "code", "moment"),
    [
        (signal.SIGTERM, 130, "analyse"),
        *(
            pytest.param(*case, marks=pytest.mark.slow)
            for case in [
                (signal.SIGINT, 130, "load"),
                (signal.SIGINT, 130, "analyse"),
                (signal.SIGTERM, 130, "load"),
                (signal.SIGKILL, -9, "load"),
                (signal.SIGKILL, -9, "analyse"),
            ]
        ),
    ],
)
def test_an_interrupted_run_leaves_the_old_report_and_needs_no_cleaning(sent, code, moment, acme, audit_home):
    runner.run("acme")
    kept = state(acme)
    marker = audit_home / "reached"
    wait = chapter(acme, "03_segment_intent", f"open({str(marker)!r}, 'w').close()", "import time; time.sleep(60)")
    environment = {"STUB_STALL": str(marker)} if moment == "load" else {}
    with audit_command(audit_home, "run", "acme", **environment) as process:
        until(marker.exists)
        process.send_signal(sent)
        said = process.communicate(timeout=240)[1]
    assert process.returncode == code
    assert "Traceback" not in said
    if code == 130:
        assert said.splitlines()[-1] == "audit: interrupted; nothing was published, the last report stands"
        assert list(acme.reports.glob(".tmp-*")) == []
    until(lambda: not kernels_of(audit_home))
    assert state(acme).items() >= kept.items()
    assert runs.newest("acme")["run"] in {path.split("/")[0] for path in kept}
    wait.unlink()
    assert runner.run("acme").status == "complete"
    assert list(acme.reports.glob(".tmp-*")) == []


def kernels_of(home: Path) -> list[str]:
    """Processes of this home that still run: what a run leaves must end by itself."""
    marker = f"AUDIT_HOME={home}".encode()
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            parent = int(re.search(r"PPid:\s*(\d+)", (process / "status").read_text())[1])
            # Our own warm process stays as long as we do.
            if os.getpid() not in (parent, int(process.name)) and marker in (process / "environ").read_bytes().split(
                b"\0"
            ):
                found.append((process / "cmdline").read_text())
        except OSError:
            continue
    return found


def until(true, seconds: float = 300) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "did not happen in time"
        time.sleep(0.05)


def test_a_second_run_of_the_same_client_is_refused_and_another_client_is_not(acme, audit_home):
    marker = audit_home / "reached"
    stub.client("globex")
    chapter(Folders("globex"), "00_check_data", SHOW, TABLE)
    with audit_command(audit_home, "run", "acme", STUB_STALL=str(marker)) as first:
        until(marker.exists)
        with audit_command(audit_home, "run", "acme") as second:
            said = second.communicate(timeout=240)[1]
        assert second.returncode == 3
        assert f"another audit of acme is under way (process {first.pid}, since " in said
        with audit_command(audit_home, "run", "globex", "--json") as other:
            answer = json.loads(other.communicate(timeout=240)[0])
        assert (other.returncode, answer["status"]) == (0, "complete")
        first.kill()
    assert runner.run("acme").status == "complete"


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "setrlimit") and sys.platform == "win32", reason="no such limits here")
def test_a_file_size_limit_ends_in_one_message_and_no_file(acme, audit_home):
    import resource

    chapter(acme, "00_check_data", SHOW, "show(pd.DataFrame({'x': ['long' * 100] * 4000}), name='large')")
    process = subprocess.run(
        [sys.executable, STUB, "run", "acme"],
        env={**os.environ, "AUDIT_HOME": str(audit_home)},
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, 400_000)),
        capture_output=True,
        text=True,
    )
    assert process.returncode == 5, process.stderr
    assert "Traceback" not in process.stderr
    assert "a file would grow past the size allowed here" in process.stderr
    assert state(acme) == {}


@pytest.mark.slow
@pytest.mark.parametrize(
    "environment",
    [
        {"TZ": "Pacific/Kiritimati"},
        {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
        {"LC_ALL": "tr_TR.UTF-8", "LANG": "tr_TR.UTF-8"},
        {"NO_COLOR": "1", "COLUMNS": "40"},
        {"HOME": "/nonexistent"},
        {"PYTHONPATH": str(STUB.parent / "no_network")},
    ],
    ids=["time zone", "C locale", "Turkish", "narrow without colour", "no home", "no network"],
)
def test_the_surroundings_change_no_byte(environment, acme, audit_home):
    page = runner.run("acme").report.read_bytes()
    with audit_command(audit_home, "run", "acme", **environment) as process:
        said = process.communicate(timeout=240)
    assert process.returncode == 0, said
    folder = runs.folder_of("acme")
    assert (folder / "client" / "report.html").read_bytes() == page
    assert "\x1b" not in "".join(said)


def test_progress_without_a_terminal_is_plain_lines(acme, audit_home):
    with audit_command(audit_home, "run", "acme") as process:
        said = process.communicate(timeout=240)[1]
    assert [re.sub(r" \[\d+ s\]", "", line) for line in said.splitlines()] == [
        "acme: reading the export",
        "acme: chapter 1 of 1: 00_check_data complete",
        "acme: writing the report",
    ]
