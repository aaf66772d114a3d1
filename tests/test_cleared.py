"""A notebook that answered for a client enters git without its answers."""

from __future__ import annotations

import json
import shutil
import subprocess

import pytest
from conftest import REPOSITORY

from conversion_audit import cleared


def git(folder, *words):
    return subprocess.run(["git", "-C", str(folder), *words], capture_output=True, encoding="utf-8", check=True).stdout


@pytest.fixture
def clone(tmp_path):
    """A clone with one notebook and the module that clears it."""
    if not shutil.which("git"):
        pytest.skip("no git")
    (tmp_path / "notebooks").mkdir()
    shutil.copy(REPOSITORY / "notebooks" / "04_diagnose_friction.ipynb", tmp_path / "notebooks" / "asked.ipynb")
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", "-A")
    git(tmp_path, "-c", "user.name=a", "-c", "user.email=a@b.example", "commit", "-qm", "one")
    return tmp_path


def answer(path):
    """Save a notebook as JupyterLab does after a run: outputs, counts, and notes of its own."""
    notebook = json.loads(path.read_text(encoding="utf-8"))
    for n, cell in enumerate(notebook["cells"]):
        if cell["cell_type"] == "code":
            cell["outputs"] = [{"output_type": "stream", "name": "stdout", "text": ["jo@client.example\n"]}]
            cell["execution_count"] = n
            cell["metadata"] |= {"execution": {"iopub.execute_input": "2026-03-02"}, "scrolled": True}
    notebook["metadata"]["kernelspec"]["display_name"] = "Python 3 (ipykernel)"
    notebook["metadata"]["language_info"] |= {"version": "3.12.1", "file_extension": ".py"}
    path.write_text(json.dumps(notebook, indent=1, ensure_ascii=False, sort_keys=True) + "\n", encoding="utf-8")


def test_outputs_stay_on_this_machine_and_git_sees_no_change(clone):
    path = clone / "notebooks" / "asked.ipynb"
    cleared.keep_answers_out_of_git(clone)
    answer(path)
    git(clone, "add", "-A")
    assert "client.example" in path.read_text(encoding="utf-8")
    assert git(clone, "status", "--short") == ""


def test_what_the_analyst_asks_enters_git_without_the_answer(clone):
    path = clone / "notebooks" / "asked.ipynb"
    cleared.keep_answers_out_of_git(clone)
    answer(path)
    path.write_text(path.read_text(encoding="utf-8").replace("client: str", "client_of_mine: str"), encoding="utf-8")
    git(clone, "-c", "user.name=a", "-c", "user.email=a@b.example", "commit", "-qam", "two")
    kept = git(clone, "show", "HEAD:notebooks/asked.ipynb")
    assert "client_of_mine" in kept and "client.example" not in kept and '"tags"' in kept


def test_a_clone_is_told_once_and_a_folder_that_is_none_not_at_all(clone, tmp_path_factory):
    attributes = clone / ".git" / "info" / "attributes"
    attributes.parent.mkdir(exist_ok=True)
    attributes.write_text("*.png binary", encoding="utf-8")
    cleared.keep_answers_out_of_git(clone)
    cleared.keep_answers_out_of_git(clone)
    assert attributes.read_text(encoding="utf-8") == "*.png binary\nnotebooks/*.ipynb filter=cleared\n"
    empty = tmp_path_factory.mktemp("no_clone")
    cleared.keep_answers_out_of_git(empty)
    assert list(empty.iterdir()) == []


def test_where_the_filter_cannot_run_git_adds_nothing(clone):
    cleared.keep_answers_out_of_git(clone)
    git(clone, "config", "filter.cleared.clean", "no-such-command")
    answer(clone / "notebooks" / "asked.ipynb")
    with pytest.raises(subprocess.CalledProcessError):
        git(clone, "add", "-A")
