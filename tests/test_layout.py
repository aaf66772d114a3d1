"""The house keeps its promises: who imports what, thin notebooks, portable SQL, equal languages, nothing private."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import tomllib
from pathlib import Path

import pytest
import sqlglot
from conftest import REPOSITORY
from sqlglot import exp

from conversion_audit.cleared import cleared

PACKAGE = REPOSITORY / "src" / "conversion_audit"
GROUND_FLOOR = {
    *(
        "asked",
        "errors",
        "findings",
        "tables",
        "contract",
        "config",
        "schema",
        "units",
        "engine",
        "folders",
        "leaks",
        "cleared",
        "review",
    ),
    *("yaml_text", "__version__"),
}
# Who may import whom beyond the ground floor. Whatever is not listed ties everything together: runner, cli and theirs.
MAY_IMPORT = {
    **{name: set() for name in GROUND_FLOOR},
    "intake": {"intake"},
    "analysis": {"analysis"},
    "report": {"report"},
    **{name: {"intake", "analysis", "audit", "prepared", "recipes"} for name in ("audit", "prepared", "recipes")},
    "new": {"new", "intake", "analysis"},
    "demo": {"demo"},
}
MODULES = sorted(PACKAGE.rglob("*.py"))
NOTEBOOKS = sorted((REPOSITORY / "notebooks").glob("*.ipynb"))
QUERIES = sorted(
    path
    for path in PACKAGE.rglob("*.sql")
    if not path.name.endswith(".duckdb.sql") and path.parent.name != "engine" and ".bigquery" not in path.name
)
TEXTS = sorted((PACKAGE / "report" / "texts").glob("*.en.toml"))
LINTABLE = {".py", ".md", ".toml", ".yml", ".yaml", ".sql", ".ipynb", ".txt", ".html", ".css", ""}


def name_of(path: Path) -> str:
    return path.relative_to(REPOSITORY).as_posix()


def room_of(path: Path) -> str:
    """The first name below the package: a group of modules, or a module of its own."""
    return path.relative_to(PACKAGE).with_suffix("").parts[0]


def rooms_imported(path: Path) -> set[str]:
    rooms = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            rooms |= {alias.name.split(".")[1] for alias in node.names if alias.name.startswith("conversion_audit.")}
        if isinstance(node, ast.ImportFrom) and (node.level or (node.module or "").split(".")[0] == "conversion_audit"):
            assert not node.level, f"{name_of(path)} imports relatively; write the whole name"
            parts = node.module.split(".")
            rooms |= {parts[1]} if len(parts) > 1 else {alias.name for alias in node.names}
    return rooms


def tracked() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
    )
    if listed.returncode:
        pytest.skip("not a git clone")
    paths = [REPOSITORY / name for name in listed.stdout.split("\0") if name]
    return [path for path in paths if path.is_file() and path.suffix in LINTABLE]


def in_git(path: Path) -> str:
    """What git holds of a file; the file itself where this is no clone. Opened in JupyterLab, a notebook shows its outputs."""
    held = subprocess.run(["git", "show", f":{name_of(path)}"], cwd=REPOSITORY, capture_output=True, encoding="utf-8")
    return path.read_text(encoding="utf-8") if held.returncode else held.stdout


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_a_module_imports_only_the_ground_floor_and_its_own_group(path):
    allowed = MAY_IMPORT.get(room_of(path))
    if allowed is not None:
        assert rooms_imported(path) - GROUND_FLOOR - allowed == set()


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_a_module_says_what_it_is_for_and_is_named_after_it(path):
    assert path.stem not in {"utils", "util", "helpers", "common", "misc", "manager"}
    source = path.read_text(encoding="utf-8")
    assert not source or ast.get_docstring(ast.parse(source)), f"{name_of(path)} has no docstring"


@pytest.mark.parametrize("path", NOTEBOOKS, ids=name_of)
def test_a_notebook_is_thin_and_committed_without_outputs(path):
    notebook = json.loads(in_git(path))
    assert in_git(path) == cleared(in_git(path)), "not as git keeps a notebook: conversion_audit.cleared writes it so"
    code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    sources = ["".join(cell["source"]) for cell in code]
    assert notebook["cells"][0]["cell_type"] == "markdown"
    assert "".join(notebook["cells"][0]["source"]).splitlines()[0].rstrip().endswith("?"), "the title is no question"
    assert [source for source in sources if len([line for line in source.splitlines() if line.strip()]) > 8] == []
    assert [source for source in sources if re.search(r"^\s*(def|class) ", source, re.MULTILINE)] == []
    assert notebook["metadata"]["kernelspec"]["name"] == "python3"
    assert isinstance(notebook["metadata"]["audit"]["needs"], list)
    assert all(re.fullmatch(r"c\d\d", cell["id"]) for cell in notebook["cells"])


@pytest.mark.parametrize("path", NOTEBOOKS, ids=name_of)
def test_a_notebook_has_one_tagged_parameters_cell_with_the_four_parameters(path):
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    (parameters,) = [cell for cell in cells if "parameters" in cell["metadata"].get("tags", [])]
    names = re.findall(r"^(\w+)(?:: str)? = ", "".join(parameters["source"]), re.MULTILINE)
    assert names == ["client", "start", "end", "where"]


@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize("section", ["columns", "values"])
def test_a_column_and_a_value_have_one_name_in_the_whole_report(section, language):
    """The sections [columns] and [values] of all files are one: a second wording would silently take the first's place."""
    wordings: dict[str, set[str]] = {}
    for path in (path.with_name(path.name.replace(".en.", f".{language}.")) for path in TEXTS):
        for key, words in sentences(path).items():
            if key.startswith(f"{section}."):
                wordings.setdefault(key, set()).add(words)
    assert {key: words for key, words in wordings.items() if len(words) > 1} == {}


@pytest.mark.parametrize("path", TEXTS, ids=name_of)
def test_every_sentence_exists_in_both_languages_with_the_same_placeholders(path):
    english = sentences(path)
    german = sentences(path.with_name(path.name.replace(".en.", ".de.")))
    assert sorted(english) == sorted(german)
    assert {key: placeholders(text) for key, text in english.items()} == {
        key: placeholders(text) for key, text in german.items()
    }


def sentences(path: Path, table: dict | None = None, prefix: str = "") -> dict[str, str]:
    found = {}
    for key, value in (tomllib.loads(path.read_text(encoding="utf-8")) if table is None else table).items():
        found |= sentences(path, value, f"{prefix}{key}.") if isinstance(value, dict) else {prefix + key: str(value)}
    return found


def placeholders(text: str) -> list[str]:
    """Name and kind; the words that follow a count differ from language to language."""
    return sorted(set(re.findall(r"\{(\w+(?::\w+)?)[^{}]*\}", text)))


def statements() -> list:
    found = []
    for path in QUERIES:
        parts = re.split(r"^-- name: *(\w+) *$", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
        found += [
            pytest.param(sql, id=f"{name_of(path)}:{name}") for name, sql in zip(parts[1::2], parts[2::2], strict=True)
        ]
    return found


# What some engine lacks, or means differently. What remains differs only in the macros of engine/*.sql.
UNPORTABLE = {
    exp.Array: "an array",
    exp.Bracket: "brackets",
    exp.Struct: "a struct",
    exp.Lambda: "a lambda",
    exp.Unnest: "unnest",
    exp.Qualify: "QUALIFY",
    exp.ArrayAgg: "an aggregated list",
    exp.GroupConcat: "an aggregated list",
    exp.WithinGroup: "an ordered aggregate",
    exp.Pivot: "a pivot",
    exp.TryCast: "TRY_CAST",
    exp.ILike: "ILIKE",
    exp.RegexpLike: "a regular expression",
    exp.NullSafeEQ: "IS NOT DISTINCT FROM",
    exp.NullSafeNEQ: "IS DISTINCT FROM",
}


@pytest.mark.parametrize("sql", statements())
def test_sql_keeps_to_the_portable_subset(sql):
    tree = sqlglot.parse_one(sql.replace("$", ":"), read="duckdb")
    found = {name for kind, name in UNPORTABLE.items() if tree.find(kind)}
    found |= {"ASOF" for join in tree.find_all(exp.Join) if (join.args.get("method") or "").upper() == "ASOF"}
    found |= {"MATERIALIZED" for cte in tree.find_all(exp.CTE) if cte.args.get("materialized") is not None}
    found |= {
        "an ordered aggregate" for call in tree.find_all(exp.AggFunc) if isinstance(call.this, exp.Order | exp.Limit)
    }
    found |= {"GROUP BY ALL" for group in tree.find_all(exp.Group) if group.args.get("all")}
    assert found == set()


@pytest.mark.parametrize("sql", statements())
def test_sql_can_be_said_in_spark(sql):
    sqlglot.transpile(sql.replace("$", ":"), read="duckdb", write="spark", unsupported_level=sqlglot.ErrorLevel.RAISE)


def test_the_lock_holds_every_dependency_and_no_address():
    lock = (REPOSITORY / "requirements.txt").read_text(encoding="utf-8").splitlines()
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = {plain(re.split(r"[<>=!~;\[ ]", line)[0]) for line in project["dependencies"]}
    pinned = {plain(line.split("==")[0]) for line in lock if "==" in line}
    assert lock[-1] == "-e ."
    assert wanted - pinned == set()
    assert [line for line in lock[:-1] if "==" not in line or "://" in line or line.startswith("-")] == []


def plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def test_no_tracked_file_names_a_machine_or_holds_a_key():
    private = re.compile(
        r"/(home|root|Users)/[a-z]\w+/|/tmp/[a-z]|/work/[a-z]|BEGIN [A-Z ]*PRIVATE KEY|AKIA[0-9A-Z]{16}|ghp_\w{20,}"
        r"|\bT[O]DO\b|\bF[I]XME\b"
    )
    found = [
        f"{name_of(path)}: {match[0]}"
        for path in tracked()
        if "tests/" not in name_of(path) and (match := private.search(path.read_text(encoding="utf-8")))
    ]
    assert found == []


def test_nothing_of_a_client_can_enter_git():
    paths = ["data/acme/raw/events.csv", "data/acme/audit.yaml", "data/acme/.key", "data/agency.yaml"]
    paths += ["reports/acme/20260101T000000Z-abcdef/client/report.html", "reports/index.html", "data/demo/raw/x.gz"]
    done = subprocess.run(["git", "check-ignore", *paths], cwd=REPOSITORY, capture_output=True, text=True)
    if done.returncode == 128:
        pytest.skip("not a git clone")
    assert done.stdout.split() == paths
