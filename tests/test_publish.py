"""A run appears whole or not at all, whatever happens while it is written, and one run of a client at a time."""

from __future__ import annotations

import errno
import json
import os
import shutil
import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from conversion_audit import runs
from conversion_audit.errors import LockedError, MachineError
from conversion_audit.folders import Folders
from conversion_audit.running import manifest, publish, refused
from conversion_audit.running.lock import locked

FIXTURES = Path(__file__).parent / "fixtures"
MANIFEST = {
    "client": "acme",
    "status": "complete",
    "findings": [],
    "period": {"start": "2026-03-02", "end": "2026-03-08"},
}


def published_run(content: str = "<p>report</p>", now: datetime | None = None) -> Path:
    draft = publish.start(Folders("acme").reports, now)
    publish.write(draft.client / "report.html", content)
    publish.write(draft.evidence / "findings.json", "[]")
    return publish.publish(draft, {**MANIFEST, "name": content})


def survive(fault: str, home: Path, tables: int) -> dict:
    done = subprocess.run(
        [sys.executable, FIXTURES / "publishing.py", fault, str(tables)],
        env={**os.environ, "AUDIT_HOME": str(home)},
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_run_holds_its_files_and_a_manifest_that_lists_them(audit_home):
    folder = published_run()
    manifest = json.loads((folder / "manifest.json").read_text())
    assert sorted(manifest["files"]) == ["client/report.html", "evidence/findings.json"]
    assert manifest["files"]["client/report.html"]["bytes"] == 13
    assert manifest["run"] == folder.name
    assert list(runs.altered(folder)) == []


def test_latest_is_a_relative_link_to_the_newest_run(audit_home):
    published_run()
    folder = published_run()
    assert str((folder.parent / "latest").readlink()) == folder.name


def test_latest_is_a_one_line_file_where_links_are_refused(audit_home, monkeypatch):
    def refuse(*_, **__):
        raise OSError(errno.EPERM, "links are refused")

    monkeypatch.setattr(Path, "symlink_to", refuse)
    published_run()
    folder = published_run()
    assert (folder.parent / "latest").read_text() == folder.name + "\n"


@pytest.mark.parametrize("name", ["2026-old", "20990101 for the board", "20990101T000000Z-abcdef (copy)"])
def test_a_copy_that_somebody_laid_beside_the_runs_is_no_run(name, audit_home):
    folder = published_run()
    shutil.copytree(folder, folder.parent / name)
    assert (runs.runs("acme"), runs.folder_of("acme")) == ([folder.name], folder)
    newer = published_run()
    assert runs.runs("acme") == [newer.name, folder.name]


def test_a_folder_in_the_place_of_the_link_is_told_before_the_work(audit_home):
    folder = published_run()
    (folder.parent / "latest").unlink()
    shutil.copytree(folder, folder.parent / "latest")
    with pytest.raises(MachineError) as told:
        published_run()
    assert str(told.value) == (
        "acme/latest: is a folder, not the link to the newest run\n"
        "    A copy that followed the link has left it there.\n"
        "    Remove or rename it, then run this again: the run it is a copy of stands beside it."
    )
    assert runs.runs("acme") == [folder.name]


def test_a_run_is_later_than_the_newest_one_even_if_the_clock_was_set_back(audit_home):
    first = published_run(now=datetime(2038, 1, 19, 3, 14, 7, tzinfo=UTC))
    second = published_run(now=datetime(2026, 3, 2, tzinfo=UTC))
    assert first.name.startswith("20380119T031407Z-")
    assert second.name.startswith("20380119T031408Z-")
    assert runs.newest("acme")["run"] == second.name


def test_what_a_killed_run_left_is_swept_by_the_next(audit_home):
    left = publish.start(Folders("acme").reports)
    publish.write(left.client / "report.html", "half")
    published_run()
    assert [path.name for path in Folders("acme").reports.glob(".tmp-*")] == []


@pytest.mark.parametrize("fault", ["kill", "no_space"])
def test_a_run_met_by_a_fault_at_any_step_leaves_the_old_report_or_the_new_one(fault, audit_home, record_property):
    found = survive(fault, audit_home, 5)
    record_property("cases", found["attempts"])
    assert found["wrong"] == []
    assert found["attempts"] >= 40
    assert set(found["codes"]) <= ({"-9", "10"} if fault == "kill" else {"0", "5", "10"})


@pytest.mark.slow
@pytest.mark.parametrize("fault", ["kill", "no_space"])
def test_two_hundred_faults_leave_the_old_report_or_the_new_one(fault, audit_home, record_property):
    found = survive(fault, audit_home, 40)
    record_property("cases", found["attempts"])
    assert found["wrong"] == []
    assert found["attempts"] >= 200


def test_a_second_run_is_refused_with_the_process_that_holds_the_client(audit_home):
    folders = Folders("acme")
    code = "from conversion_audit.running.lock import locked\nfrom conversion_audit.folders import Folders\n"
    code += "with locked(Folders('acme')):\n    print('held', flush=True)\n    import time; time.sleep(60)\n"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(LockedError) as refused, locked(folders):
            pass
        assert f"another audit of acme is under way (process {holder.pid}, since 20" in str(refused.value)
        assert refused.value.exit_code == 3
        with locked(Folders("globex")):
            pass
        holder.send_signal(signal.SIGKILL)
        holder.wait()
    with locked(folders):
        pass


def test_too_little_space_is_refused_before_the_work(audit_home):
    with pytest.raises(MachineError) as error:
        publish.require_space(audit_home / "reports", 10**18)
    assert str(error.value).startswith(
        f"{audit_home.name}/reports: not enough space: needs about 1,000,000,000,000 MB, "
    )


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.ENOSPC, "the disk is full"),
        (errno.EFBIG, "a file would grow past the size allowed here"),
        (errno.EACCES, "not allowed to write or read here"),
        (errno.EROFS, "the file system is read-only"),
        (errno.EIO, "the machine refused: Input/output error"),
    ],
)
def test_what_the_machine_refuses_is_told_in_words(number, words):
    error = refused.machine_error(OSError(number, os.strerror(number), "/somewhere/reports/acme/x.csv"))
    assert str(error).splitlines()[:2] == [
        f"acme/x.csv: {words}",
        "    Nothing was published; the last report stands as it was.",
    ]
    assert error.exit_code == 5


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_may_not_be_written_is_told(audit_home):
    (audit_home / "reports").chmod(0o500)
    with pytest.raises(PermissionError):
        published_run()


@pytest.mark.parametrize("name", ["intake/source_categories.csv", "patterns/intents.yaml", "report/fonts/a.woff2"])
def test_whatever_the_package_reads_is_code(name, tmp_path, monkeypatch):
    monkeypatch.setattr(manifest, "__file__", str(tmp_path / "running" / "manifest.py"))
    (tmp_path / name).parent.mkdir(parents=True)
    (tmp_path / name).write_text("one")
    before = manifest.code_hash()
    (tmp_path / name).write_text("two")
    assert manifest.code_hash() != before
