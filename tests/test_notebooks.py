"""Every notebook, by the real runner and alone, on a small demo client; and two runs give the same bytes."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import REPOSITORY

NOTEBOOKS = sorted((REPOSITORY / "notebooks").glob("*.ipynb"))


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A home with one week of the demo shop, audited once."""
    from conversion_audit import runner
    from conversion_audit.demo import write_demo

    folder = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AUDIT_HOME", str(folder))
        client = folder / "data" / "small"
        write_demo(client / "raw", sessions=1500, weeks=2)
        yaml = (REPOSITORY / "data" / "demo" / "audit.yaml").read_text(encoding="utf-8")
        (client / "audit.yaml").write_text(yaml.replace("end: 2026-04-26", "end: 2026-03-15"), encoding="utf-8")
        yield folder, runner.run("small")


def test_every_notebook_is_a_complete_chapter_of_the_demo_report(home):
    _, published = home
    assert [(one["name"], one["status"]) for one in published.chapters] == [
        (path.stem, "complete") for path in NOTEBOOKS
    ]
    assert published.exit_code == 0


def test_every_chapter_leaves_a_sentence_and_a_figure_or_table(home):
    _, published = home
    kinds = {}
    for path in sorted((published.folder / "evidence").glob("*.ipynb")):
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        data = [output.get("data", {}) for cell in cells for output in cell.get("outputs", [])]
        kinds[path.stem] = {one["kind"] for data in data for mime, one in data.items() if "conversion-audit" in mime}
    assert {name for name, found in kinds.items() if not found & {"figure", "table"}} == set()


def test_the_goal_by_day_is_counted_in_sessions_with_the_goal(home):
    """Not in people who stood before a step and went on, as the steps are."""
    _, published = home
    table = (published.report.parent / "tables" / "goal_by_day.csv").read_text(encoding="utf-8-sig")
    assert table.startswith("date,sessions,goal_sessions,rate,")


def test_the_report_is_one_page_without_request_script_path_or_traceback(home):
    folder, published = home
    page = published.report.read_text(encoding="utf-8")
    for word in (
        "http://",
        "https://",
        "<script",
        "Traceback",
        "Something worth looking at",
        str(folder),
        str(Path.home()) + "/",
        "NaN",
        ">nan<",
    ):
        assert word not in page, word


def test_the_lists_speak_the_words_of_the_report(home):
    _, published = home
    lists = published.folder / "client" / "audiences"
    names = {path.stem: path.read_text(encoding="utf-8-sig").splitlines()[1].split(",")[1] for path in lists.iterdir()}
    assert names["cart_leavers"] == "Left a cart" and names["stopped_at_checkout"] == "Stopped at “Checkout begun”"


def test_no_visitor_is_named_in_what_is_handed_over(home):
    from conversion_audit import open_audit

    folder, published = home
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AUDIT_HOME", str(folder))
        audit = open_audit("small")
        names = audit.engine.query(
            "SELECT DISTINCT visitor_id, device_id, user_id FROM e WHERE visitor_id IS NOT NULL LIMIT 500",
            {"e": audit.table("events")},
        )
    ids = {str(value).encode() for column in names for value in names[column].dropna() if len(str(value)) > 5}
    assert len(ids) > 300
    texts = {
        path.name: path.read_bytes()
        for path in (published.folder / "client").rglob("*")
        if path.suffix in {".html", ".csv"}
    }
    assert {name for name, text in texts.items() if any(one in text for one in ids)} == set()


@pytest.mark.slow
def test_two_runs_of_the_demo_give_the_same_bytes_whatever_kernels_they_use(home):
    from conversion_audit import runner

    folder, published = home
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AUDIT_HOME", str(folder))
        patch.setenv("AUDIT_KERNELS", "plain")
        shutil.rmtree(folder / "data" / "small" / "prepared")
        again = runner.run("small", runner.Asked(jobs=1))
    handed_over = [name for name in published.manifest["files"] if name.startswith("client/")]
    assert [name for name in handed_over if published.manifest["files"][name] != again.manifest["files"][name]] == []
    assert published.manifest["headline"] == again.manifest["headline"]


@pytest.mark.slow
def test_verify_counts_the_headline_anew(home):
    from conversion_audit import runs

    folder, published = home
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AUDIT_HOME", str(folder))
        assert runs.verify("small", published.folder.name).differences == ()


@pytest.mark.slow
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs_alone_where_it_stands(path, home, tmp_path, monkeypatch):
    """As JupyterLab does it: the notebook's own folder, its parameters edited by hand."""
    folder, _ = home
    text = path.read_text(encoding="utf-8").replace('client: str = \\"demo\\"', 'client: str = \\"small\\"')
    alone = tmp_path / path.name
    alone.write_text(text, encoding="utf-8")
    monkeypatch.setenv("AUDIT_HOME", str(folder))
    command = [sys.executable, "-m", "jupyter", "nbconvert", "--execute", "--to", "notebook", "--inplace", str(alone)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr[-2000:]
