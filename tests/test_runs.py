"""Runs that stand: listed, verified, handed over, packed, forgotten."""

from __future__ import annotations

import json
import os
import zipfile
from datetime import date
from pathlib import Path

import pytest

from conversion_audit import archive, runs
from conversion_audit.cli import guarded
from conversion_audit.errors import ConfigError, DataError
from conversion_audit.explain import explain
from conversion_audit.folders import Folders
from conversion_audit.index import write_index
from conversion_audit.running import publish

TODAY = date(2026, 5, 1)
FILES = ["client/report.html", "client/tables/steps.csv", "evidence/findings.json"]


def stood(client: str = "acme", status: str = "complete", name: str = "Acme <b>Ltd</b>") -> Path:
    """Publish a run of tiny files."""
    folders = Folders(client)
    folders.raw.mkdir(parents=True, exist_ok=True)
    (folders.raw / "events.csv").write_text("a,b\n")
    folders.config.write_text("client: Acme\n")
    draft = publish.start(folders.reports)
    for file in FILES:
        publish.write(draft.folder / file, f"{client} {file}")
    chapters = [
        {"name": "04_diagnose_friction", "status": "failed" if status == "partial" else "complete", "reason": None}
    ]
    return publish.publish(
        draft,
        {
            "client": client,
            "name": name,
            "status": status,
            "period": {"start": "2026-03-02", "end": "2026-04-26"},
            "findings": [{"id": "F-2222", "kind": "friction", "severity": "high"}],
            "chapters": chapters,
            "headline": {},
        },
    )


def test_the_list_says_last_run_verdict_and_age_of_the_data(audit_home):
    run = stood().name
    (audit_home / "data" / "globex").mkdir()
    (audit_home / "data" / "globex" / "audit.yaml").write_text("client: Globex\n")
    acme, globex = runs.overview(TODAY)
    assert (acme.client, acme.run, acme.verdict, acme.data_until, acme.age) == (
        "acme", run, "complete, 1 high", "2026-04-26", "5 days",
    )  # fmt: skip
    assert (globex.client, globex.run, globex.verdict, globex.age) == ("globex", None, "never run", "")
    assert runs.Line("acme", "Acme", "r", "complete", 1, None, None, "device=mobile").verdict == (
        "complete, 1 high, only device=mobile"
    )


def test_a_folder_that_no_client_may_be_called_is_passed_over_and_told(audit_home, capsys):
    stood()
    (audit_home / "data" / "\u00dcmlaut Kunde").mkdir()
    (audit_home / "data" / "\u00dcmlaut Kunde" / "audit.yaml").write_text("client: Kunde\n")
    assert guarded(["list", "--json"]) == 0
    told = capsys.readouterr()
    assert [line["client"] for line in json.loads(told.out)["clients"]] == ["acme"]
    assert told.err == "data/\\xdcmlaut Kunde: left out: not a client name (a-z, 0-9, '-' and '_')\n"


def test_the_newest_run_is_the_newest_whole_one(audit_home):
    first = stood()
    second = stood(status="partial")
    (Folders("acme").reports / "20990101T000000Z-abcdef").mkdir()
    assert runs.newest("acme")["run"] == second.name
    assert runs.newest("acme", "complete")["run"] == first.name
    assert runs.newest("globex") is None


@pytest.mark.parametrize("file", [*FILES, "manifest.json"])
def test_verify_misses_no_file(file, audit_home):
    folder = stood()
    assert runs.verify("acme", files_only=True).differences == ()
    (folder / file).unlink()
    said = (
        "manifest.json is missing or not readable: the run is not whole" if "manifest" in file else f"{file} is missing"
    )
    assert runs.verify("acme", files_only=True).differences == (said,)


def test_a_run_whose_files_were_cut_off_is_told_as_that_and_no_bug(audit_home):
    folder = stood()
    where = f"reports/acme/{folder.name}"
    mend = "\n    Name another run with --run, or make a new one with: audit run acme"
    (folder / "evidence/findings.json").write_text('{"findings": [')
    with pytest.raises(DataError) as refused:
        explain("acme", "funnel")
    assert str(refused.value) == f"{where}: evidence/findings.json was changed after the run{mend}"
    os.truncate(folder / "manifest.json", 100)
    said = "manifest.json is missing or not readable: the run is not whole"
    assert runs.verify("acme").differences == (said,)
    with pytest.raises(DataError) as refused:
        explain("acme", "funnel")
    assert str(refused.value) == f"{where}: {said}{mend}"


def test_verify_sees_changed_and_added_files(audit_home):
    folder = stood()
    (folder / "client" / "report.html").write_text("acme client/report.htmI")
    (folder / "client" / "more.txt").write_text("x")
    assert runs.verify("acme", files_only=True).differences == (
        "client/more.txt was added after the run",
        "client/report.html was changed after the run",
    )


def test_a_headline_that_counts_otherwise_is_told_number_by_number():
    before = {"sessions": 10, "steps": [{"step": "cart", "sessions": 4}], "true": {"low": None}}
    after = {"sessions": 11, "steps": [{"step": "cart", "sessions": 4}], "true": {"low": 0.1}}
    assert runs._different(before, after) == [
        "headline.sessions was 10, counted anew it is 11",
        "headline.true.low was None, counted anew it is 0.1",
    ]


def test_an_unknown_run_is_refused_with_those_there_are(audit_home):
    with pytest.raises(ConfigError) as refused:
        runs.verify("acme")
    assert str(refused.value) == (
        "reports/acme: there is no run of acme yet\n    Runs here: none.\n    Make one with: audit run acme"
    )
    run = stood().name
    with pytest.raises(ConfigError) as refused:
        runs.verify("acme", "2020")
    assert str(refused.value).splitlines()[1] == f"    Runs here: {run}."


def test_the_index_names_every_client_and_nothing_in_it_is_markup(audit_home):
    run = stood().name
    page = write_index(TODAY).read_text()
    assert f'<a href="acme/{run}/client/report.html">' in page
    assert "Acme &lt;b&gt;Ltd&lt;/b&gt;" in page
    assert "<script" not in page
    assert "http" not in page.replace("http-equiv", "")


def test_a_handover_holds_the_clients_folder_and_nothing_else(audit_home):
    stood()
    path = archive.handover("acme")
    again = archive.handover("acme", audit_home / "again.zip")
    assert path.name == "acme_2026-03-02_2026-04-26.zip"
    assert zipfile.ZipFile(path).namelist() == ["report.html", "tables/steps.csv"]
    assert path.read_bytes() == again.read_bytes()
    assert archive.handover("acme", audit_home) == audit_home / path.name


def test_a_changed_or_partial_run_is_not_handed_over(audit_home):
    folder = stood(status="partial")
    with pytest.raises(DataError) as refused:
        archive.handover("acme")
    assert str(refused.value).splitlines()[0] == f"reports/acme/{folder.name}: the run is partial: 04_diagnose_friction"
    assert archive.handover("acme", partial=True).is_file()
    (folder / "client" / "report.html").write_text("other")
    with pytest.raises(DataError) as refused:
        archive.handover("acme", partial=True)
    assert "client/report.html was changed after the run" in str(refused.value)


def test_a_packed_client_is_whole_elsewhere(audit_home, tmp_path, monkeypatch):
    folder = stood()
    (audit_home / "data" / "acme" / "prepared").mkdir()
    (audit_home / "data" / "acme" / "prepared" / "events.parquet").write_text("derived")
    Folders("acme").lists.mkdir()
    (Folders("acme").lists / "cart_leavers.csv").write_text("ids of the export")
    (Folders("acme").data / ".key").write_text("0" * 64)
    (Folders("acme").data / ".key").chmod(0o600)
    path = archive.pack("acme", tmp_path)
    assert path == tmp_path / "acme.zip"
    assert path.stat().st_mode & 0o777 == 0o600, "it holds the export and the key"
    assert not [name for name in zipfile.ZipFile(path).namelist() if "cart_leavers" in name]
    with pytest.raises(ConfigError, match="is no file and no folder"):
        archive.pack("acme", Path(os.devnull))
    elsewhere = tmp_path / "elsewhere"
    (elsewhere / "data").mkdir(parents=True)
    monkeypatch.setenv("AUDIT_HOME", str(elsewhere))
    assert archive.unpack(path) == "acme"
    assert runs.verify("acme", files_only=True).differences == ()
    assert (elsewhere / "data" / "acme" / ".key").stat().st_mode & 0o777 == 0o600
    assert (elsewhere / "reports" / "acme" / "latest" / "client" / "report.html").is_file()
    assert (elsewhere / "data" / "acme" / "raw" / "events.csv").read_text() == "a,b\n"
    assert not (elsewhere / "data" / "acme" / "prepared").exists()
    assert runs.newest("acme")["run"] == folder.name
    with pytest.raises(ConfigError) as refused:
        archive.unpack(path)
    assert str(refused.value).splitlines()[0] == "data/acme: there is a client 'acme' already"


@pytest.mark.parametrize(
    "name",
    [
        "../evil.txt",
        "data/acme/../../evil",
        "/etc/passwd",
        "data\\acme\\x",
        "src/acme/x",
        "data/x",
        "data/acme/../globex/x",
    ],
)
def test_an_archive_that_leads_elsewhere_is_refused_and_leaves_nothing(name, audit_home, tmp_path):
    with zipfile.ZipFile(tmp_path / "bad.zip", "w") as bad:
        bad.writestr("data/acme/audit.yaml", "client: Acme\n")
        bad.writestr(name, "evil")
    with pytest.raises(DataError):
        archive.unpack(tmp_path / "bad.zip")
    assert list((audit_home / "data").iterdir()) == []


def test_an_archive_that_would_grow_beyond_measure_is_refused(audit_home, tmp_path):
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as bomb:
        bomb.writestr("data/acme/raw/events.csv", b"\0" * 200_000_000)
    assert (tmp_path / "bomb.zip").stat().st_size < 250_000
    with pytest.raises(DataError) as refused:
        archive.unpack(tmp_path / "bomb.zip")
    assert str(refused.value).splitlines()[0].startswith("bomb.zip: the archive would grow to 200 MB (1,0")
    assert list((audit_home / "data").iterdir()) == []


def test_an_archive_of_two_clients_or_of_none_is_refused(audit_home, tmp_path):
    with zipfile.ZipFile(tmp_path / "two.zip", "w") as two:
        two.writestr("data/acme/audit.yaml", "client: Acme\n")
        two.writestr("data/globex/audit.yaml", "client: Globex\n")
    (tmp_path / "none.zip").write_text("not a zip")
    with pytest.raises(DataError, match="the archive holds 2 clients, not one"):
        archive.unpack(tmp_path / "two.zip")
    with pytest.raises(DataError, match="none\\.zip: not a readable zip"):
        archive.unpack(tmp_path / "none.zip")


def test_an_archive_that_is_damaged_or_without_a_config_is_refused_and_leaves_nothing(audit_home, tmp_path):
    with zipfile.ZipFile(tmp_path / "cut.zip", "w") as cut:
        cut.writestr("data/acme/audit.yaml", "client: Acme\n" * 100)
    data = bytearray((tmp_path / "cut.zip").read_bytes())
    data[100] ^= 0xFF
    (tmp_path / "cut.zip").write_bytes(data)
    with zipfile.ZipFile(tmp_path / "reports.zip", "w") as reports:
        reports.writestr("reports/acme/20260101T000000Z-abcdef/manifest.json", "{}")
    said = {"cut": "a file in the archive cannot be read", "reports": "the archive holds no data/acme/audit.yaml"}
    for name, words in said.items():
        with pytest.raises(DataError, match=f"{name}.zip: {words}"):
            archive.unpack(tmp_path / f"{name}.zip")
    assert [*(audit_home / "data").iterdir(), *(audit_home / "reports").iterdir()] == []


def test_nothing_of_a_forgotten_client_is_left(audit_home):
    stood()
    stood("globex", name="Globex")
    write_index(TODAY)
    assert runs.forget("acme") == ["data/acme", "reports/acme"]
    write_index(TODAY)
    left = [
        path for path in audit_home.rglob("*") if "acme" in path.name or (path.is_file() and "acme" in path.read_text())
    ]
    assert left == []
    assert runs.newest("globex") is not None
    with pytest.raises(ConfigError, match="there is nothing of 'acme'"):
        runs.forget("acme")


def test_what_a_killed_new_or_unpack_left_goes_with_its_client_and_nobody_elses(audit_home):
    data = audit_home / "data"
    for name in (".new-acme-ab12_x9z", ".unpack-acme", ".new-acme-shop-ab12_x9z", ".unpack-acme-shop"):
        (data / name / "raw").mkdir(parents=True)
    assert runs.forget("acme") == ["data/.new-acme-ab12_x9z", "data/.unpack-acme"]
    assert sorted(path.name for path in data.iterdir()) == [".new-acme-shop-ab12_x9z", ".unpack-acme-shop"]


def test_only_a_run_of_the_same_export_config_and_code_is_current(audit_home):
    folder = stood()
    manifest = json.loads((folder / "manifest.json").read_text())
    same = {"name": manifest["name"], "period": manifest["period"]}
    assert runs.current("acme", same) == folder
    assert runs.current("acme", {**same, "period": None}) is None
    (folder / "client" / "report.html").write_text("other")
    assert runs.current("acme", same) is None
