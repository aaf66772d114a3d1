"""Papermill, strictly: what does not fit is refused, what fails is told by chapter, cell and line, nothing passes for a success."""

from __future__ import annotations

import json
import sys
import tempfile
import threading
import time
from pathlib import Path

import pytest
from fixtures.make import notebook

from conversion_audit.errors import ConfigError, MachineError
from conversion_audit.folders import Folders
from conversion_audit.running import chapters, evidence
from conversion_audit.running.chapters import ChapterFailed
from conversion_audit.running.kernels import Kernels


@pytest.fixture(scope="module", params=["warm", pytest.param("plain", marks=pytest.mark.slow)])
def kernels(request):
    """Forked from a warm process, and started from nothing: what is promised holds for both."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AUDIT_KERNELS", request.param)
        with Kernels() as running:
            yield running


def executed(path, kernels, timeout=60, **parameters):
    chapter = chapters.read(path)
    given = {"client": "acme", **parameters}
    return chapters.execute(chapter, given, path.with_suffix(".out.ipynb"), kernels, timeout=timeout)


def printed(book) -> str:
    return "".join(
        output.text for cell in book.cells for output in cell.get("outputs", []) if output.output_type == "stream"
    )


def test_a_chapter_runs_with_the_parameters_given_and_its_own_defaults(tmp_path, kernels):
    path = notebook(tmp_path / "01_ok.ipynb", "print(client, start, end, where)")
    assert printed(executed(path, kernels, start="2026-03-02", end=None)) == "acme 2026-03-02 None None\n"


CONNECTION = "import json; from ipykernel.connect import get_connection_info; print(json.loads(get_connection_info())['transport'])"


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such sockets")
def test_no_port_of_the_machine_is_taken_which_another_kernel_may_have_been_given(tmp_path, kernels):
    path = notebook(tmp_path / "01_ok.ipynb", CONNECTION)
    assert printed(executed(path, kernels)) == "ipc\n"


def test_where_a_folder_is_too_long_for_sockets_ports_do(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / ("long" * 20)))
    (tmp_path / ("long" * 20)).mkdir()
    path = notebook(tmp_path / "01_ok.ipynb", CONNECTION)
    with Kernels() as running:
        assert printed(executed(path, running)) == "tcp\n"


def test_progress_is_told_cell_by_cell(tmp_path, kernels):
    path = notebook(tmp_path / "01_ok.ipynb", "1", "2")
    seen = []
    chapters.execute(
        chapters.read(path), {"client": "acme"}, tmp_path / "out.ipynb", kernels, lambda *at: seen.append(at)
    )
    assert seen == [(0, 5), (1, 5), (2, 5), (3, 5), (4, 5)]


def test_an_unknown_parameter_is_refused(tmp_path, kernels):
    path = notebook(tmp_path / "01_old.ipynb", "1", parameters='client: str = "demo"')
    with pytest.raises(ConfigError) as refused:
        executed(path, kernels, where="device=mobile")
    assert str(refused.value) == (
        "01_old.ipynb: does not declare the parameter 'where'\n"
        "    Papermill would pass over it, and the chapter would answer another question than was asked.\n"
        "    Its parameters: client"
    )


def test_a_notebook_without_a_parameters_cell_is_refused(tmp_path):
    with pytest.raises(ConfigError) as refused:
        chapters.read(notebook(tmp_path / "01_bare.ipynb", "1", parameters=None))
    assert str(refused.value).splitlines()[0] == "01_bare.ipynb: declares no parameter 'client'"


def test_what_is_no_notebook_is_refused(tmp_path):
    path = tmp_path / "01_broken.ipynb"
    path.write_text("<html>")
    with pytest.raises(ConfigError) as refused:
        chapters.read(path)
    assert str(refused.value).splitlines()[0] == "01_broken.ipynb: not a readable notebook"


def test_an_exception_is_told_by_chapter_cell_and_last_line(tmp_path, kernels):
    path = notebook(tmp_path / "04_raise.ipynb", "x = 1", "y = x\n\ny / 0\n")
    with pytest.raises(ChapterFailed) as failed:
        executed(path, kernels)
    assert str(failed.value) == "04_raise, cell 4 ('y / 0'): ZeroDivisionError: division by zero"
    assert (tmp_path / "04_raise.out.ipynb").is_file()


def test_leaving_early_is_no_success(tmp_path, kernels):
    path = notebook(tmp_path / "02_exit.ipynb", "import sys", "sys.exit(0)", "print('never')")
    with pytest.raises(ChapterFailed) as failed:
        executed(path, kernels)
    assert str(failed.value) == "02_exit, cell 4 ('sys.exit(0)'): SystemExit: the chapter left early"


def test_a_killed_kernel_is_told_within_ten_seconds(tmp_path, kernels):
    path = notebook(tmp_path / "03_dead.ipynb", "import os", "os.kill(os.getpid(), 9)")
    since = time.monotonic()
    with pytest.raises(MachineError) as failed:
        executed(path, kernels)
    assert time.monotonic() - since < 10
    assert str(failed.value) == (
        "03_dead, cell 4: the kernel stopped (out of memory?)\n"
        "    The cell ends with: os.kill(os.getpid(), 9)\n"
        "    Close other programs, or use --memory 2GB or --jobs 1; then run this again."
    )


def test_a_cell_that_takes_too_long_is_told(tmp_path, kernels):
    path = notebook(tmp_path / "05_slow.ipynb", "import time", "time.sleep(60)")
    with pytest.raises(MachineError) as failed:
        executed(path, kernels, timeout=1)
    assert str(failed.value).splitlines()[:2] == [
        "05_slow, cell 4: took longer than 1 seconds",
        "    The cell ends with: time.sleep(60)",
    ]


@pytest.mark.parametrize(
    "source",
    ["raise MemoryError('no more')", "raise OSError(28, 'No space left on device')"],
    ids=["memory", "disk"],
)
def test_a_shortage_of_the_machine_ends_the_run_and_not_only_the_chapter(source, tmp_path, kernels):
    with pytest.raises(MachineError):
        executed(notebook(tmp_path / "06_short.ipynb", source), kernels)


def test_a_missing_kernel_is_told_with_what_to_type(tmp_path, kernels, monkeypatch):
    from jupyter_client.kernelspec import KernelSpecManager, NoSuchKernel

    def gone(self, name):
        raise NoSuchKernel(name)

    monkeypatch.setattr(KernelSpecManager, "get_kernel_spec", gone)
    with pytest.raises(MachineError) as failed:
        executed(notebook(tmp_path / "01_ok.ipynb", "1"), kernels)
    assert str(failed.value) == (
        "01_ok: the kernel 'python3' is not installed\n    Install it with: python -m ipykernel install --user"
    )


def test_running_kernels_can_be_stopped_at_once(tmp_path):
    path = notebook(tmp_path / "01_long.ipynb", "import time", "time.sleep(60)")
    started = threading.Event()
    ended = []

    def follow(done, total):
        if done == 4:
            started.set()

    def work(running):
        try:
            chapters.execute(chapters.read(path), {"client": "acme"}, tmp_path / "out.ipynb", running, follow)
        except MachineError as error:
            ended.append(str(error).splitlines()[0])

    with Kernels() as running:
        thread = threading.Thread(target=work, args=(running,))
        thread.start()
        assert started.wait(30)
        running.stop()
        thread.join(15)
    assert ended == ["01_long, cell 4: the kernel stopped (out of memory?)"]


def test_nobodys_start_up_files_run_in_a_kernel_and_its_folder_is_removed(tmp_path, monkeypatch):
    startup = tmp_path / "ipython" / "profile_default" / "startup"
    startup.mkdir(parents=True)
    (startup / "00.py").write_text("raise SystemExit('someone else')")
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    with Kernels() as running:
        book = executed(notebook(tmp_path / "01_ok.ipynb", "print('ours')"), running)
        folder = running.folder
    assert printed(book) == "ours\n"
    assert not folder.exists()


def test_evidence_holds_no_path_no_timing_and_no_random_id(tmp_path, kernels):
    source = "import sys\nprint(sys.prefix + '/lib')\nimport os\nprint(os.path.expanduser('~') + '/x')"
    path = notebook(tmp_path / "01_ok.ipynb", source)
    evidence.save_notebook(executed(path, kernels), tmp_path / "a.ipynb")
    evidence.save_notebook(executed(path, kernels), tmp_path / "b.ipynb")
    text = (tmp_path / "a.ipynb").read_text()
    assert text == (tmp_path / "b.ipynb").read_text()
    assert sys.prefix not in text
    assert str(Path.home()) not in text
    assert "papermill" not in text
    assert "duration" not in text


def test_a_clients_own_notebooks_replace_and_add_chapters(audit_home, monkeypatch, tmp_path):
    ours = tmp_path / "ours"
    monkeypatch.setattr(chapters, "notebooks", lambda: ours)
    notebook(ours / "00_check_data.ipynb", "1")
    notebook(ours / "02_map_journey.ipynb", "1")
    notebook(audit_home / "data" / "acme" / "notebooks" / "02_map_doors.ipynb", "1")
    notebook(audit_home / "data" / "acme" / "notebooks" / "09_ask_more.ipynb", "1")
    assert [chapter.name for chapter in chapters.plan(Folders("acme"))] == [
        "00_check_data",
        "02_map_doors",
        "09_ask_more",
    ]
    assert [chapter.name for chapter in chapters.plan(Folders("globex"))] == ["00_check_data", "02_map_journey"]
    assert [chapter.name for chapter in chapters.plan(Folders("acme"), ["09", "00_check_data"])] == [
        "00_check_data",
        "09_ask_more",
    ]


def test_a_notebook_of_ones_own_that_would_be_passed_over_is_told(audit_home):
    folder = audit_home / "data" / "acme" / "notebooks"
    for name in ("02_map_doors", "02_map_doors-Copy1", "7_ask_more", "08-ask_most", "Untitled"):
        notebook(folder / f"{name}.ipynb", "1")
    with pytest.raises(ConfigError) as refused:
        chapters.plan(Folders("acme"))
    unnamed = "is no name of a chapter: it would be passed over\n    Name it with two digits and _, e.g. 08_my_question.ipynb."
    assert [str(problem) for problem in refused.value.problems] == [
        "notebooks/02_map_doors.ipynb: has the number of 02_map_doors-Copy1.ipynb: one would be passed over\n"
        "    Give one another number, or move it out of this folder.",
        f"notebooks/08-ask_most.ipynb: {unnamed}",
        f"notebooks/7_ask_more.ipynb: {unnamed}",
    ]


def test_a_need_that_is_no_table_is_told_before_the_run_with_the_closest_name(tmp_path):
    path = notebook(tmp_path / "09_ask_more.ipynb", "1")
    asked = json.loads(path.read_text())
    asked["metadata"]["audit"] = {"needs": ["event or stage_counts"]}
    path.write_text(json.dumps(asked))
    with pytest.raises(ConfigError) as refused:
        chapters.read(path)
    first, tables = str(refused.value).splitlines()
    assert first == "09_ask_more.ipynb: needs 'event', which is no table; did you mean 'events'?"
    assert tables.startswith("    Tables: events, items, orders, ")


def test_a_chapter_that_does_not_exist_is_refused_with_those_that_do(audit_home, monkeypatch, tmp_path):
    monkeypatch.setattr(chapters, "notebooks", lambda: tmp_path)
    notebook(tmp_path / "00_check_data.ipynb", "1")
    with pytest.raises(ConfigError) as refused:
        chapters.plan(Folders("acme"), ["07"])
    assert str(refused.value) == "there is no chapter '07'\n    Chapters here: 00_check_data"
