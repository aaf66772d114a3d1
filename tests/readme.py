"""
The parts of the README that are written from the code: `make readme` writes them, test_readme.py holds them to it.

A part stands between ``<!-- name -->`` and ``<!-- /name -->``.
"""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
README = REPOSITORY / "README.md"
DATA = REPOSITORY / "data" / "README.md"
PACKAGE = REPOSITORY / "src" / "conversion_audit"
TOP = {
    "requirements.txt": "the compiled lock; `pyproject.toml` is its source",
    "Makefile": "audit, test, test-all, lab, bench, lock",
    "notebooks/": "one question each, committed without outputs; none depends on another having run",
    "src/conversion_audit/": "the package; a query stands beside its module (`funnel.py`, `funnel.sql`)",
    "data/README.md": "the dictionary of every table and file, privacy, how to add a client",
    "reports/README.md": "what a run leaves behind",
    "tests/": "one file a module, and the promises below",
}
TOUR = {
    "00_check_data": ("`analysis/fitness`, `intake/ledger`", "ledger, gaps, silent tags"),
    "01_define_goals": ("`analysis/goals`, `analysis/ladder`", "goals, micro-conversions, ladder"),
    "02_map_journey": ("`analysis/funnel`, `analysis/transitions`", "funnel, transitions, paths"),
    "03_segment_intent": ("`analysis/intent`, `analysis/true_rate`", "intents, the true rate between its bounds"),
    "04_diagnose_friction": ("`analysis/friction`", "findings with their gates and price"),
    "05_plan_actions": (
        "`analysis/plan`, `analysis/testing`, `analysis/treatment`",
        "ranked plan, tickets, tests, whom to address",
    ),
    "06_monitor_change": (
        "`analysis/change_measures`, `analysis/change_fates`, `analysis/watch`",
        "what moved and why, what became of the plan, alarms",
    ),
}
GROUPS = {
    "intake": "raw export -> events, items, orders, sessions",
    "analysis": "marks -> tables and findings",
    "report": "findings and figures -> one page",
    "engine": "where tables live and queries run",
    "recipes": "which shared table is made how",
    "demo": "two demo clients with planted frictions",
    "running": "a run, piece by piece",
    "commands": "the commands of `audit`",
    "new": "the first audit.yaml, from the export itself",
}


def part(path: Path, name: str) -> str:
    """Return what stands in a part of a page."""
    found = re.search(f"<!-- {name} -->\n(.*?)<!-- /{name} -->", path.read_text(encoding="utf-8"), re.DOTALL)
    if found is None:
        raise LookupError(f"{path.name} has no part {name!r}")
    return found[1]


def write(path: Path, name: str, content: str) -> None:
    """Write a part of a page."""
    old = f"<!-- {name} -->\n{part(path, name)}<!-- /{name} -->"
    new = f"<!-- {name} -->\n{content}<!-- /{name} -->"
    path.write_text(path.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")


def first_line(path: Path) -> str:
    """Return the first sentence of a module's docstring, or the title of a notebook."""
    if path.suffix == ".ipynb":
        cell = json.loads(path.read_text(encoding="utf-8"))["cells"][0]
        title = "".join(cell["source"]).splitlines()[0].lstrip("# ").strip()
        return re.sub(r"^\d\d\W*", "", title)
    text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    return text.strip().splitlines()[0].rstrip(".") if text else ""


def tour() -> str:
    """Return the tour: question -> notebook -> module -> table."""
    lines = ["| Question | Notebook | Where it is counted | What it makes |", "| --- | --- | --- | --- |"]
    for path in sorted((REPOSITORY / "notebooks").glob("*.ipynb")):
        modules, made = TOUR[path.stem]
        lines.append(f"| {first_line(path)} | `{path.stem}` | {modules} | {made} |")
    return "\n".join(lines) + "\n"


def tree() -> str:
    """Return the tree: every notebook, module and group of modules, each with its own first sentence."""
    lines = []
    for name, words in TOP.items():
        lines.append(f"{name:<26}{words}")
        if name == "notebooks/":
            lines += [
                f"  {path.name:<28}{first_line(path)}" for path in sorted((REPOSITORY / "notebooks").glob("*.ipynb"))
            ]
        if name.startswith("src"):
            lines += _package()
    return "```\n" + "\n".join(lines) + "\n```\n"


def _package() -> list[str]:
    lines = [f"  {name + '/':<14}{words}: {_members(PACKAGE / name)}" for name, words in GROUPS.items()]
    modules = sorted(path for path in PACKAGE.glob("*.py") if path.name != "__init__.py")
    return lines + [f"  {path.name:<14}{first_line(path)}" for path in modules]


def _members(folder: Path) -> str:
    names = {path.name + "/" for path in folder.iterdir() if path.is_dir() and list(path.glob("*.py"))}
    names |= {path.stem for path in folder.glob("*.py") if path.name != "__init__.py"}
    return " ".join(sorted(names))


def commands() -> str:
    """Return every command of `audit` with its first sentence, under its heading."""
    from conversion_audit import cli

    found = cli.command()
    lines = ["| | |", "| --- | --- |"]
    for heading in cli.HEADINGS:
        for name, one in found.commands.items():
            if one.rich_help_panel == heading:
                lines.append(f"| `audit {name}` | {one.get_short_help_str(300)} |")
    return "\n".join(lines) + "\n"


def dictionary() -> str:
    """Return every contract: its grain, its columns, and what a missing value means."""
    from conversion_audit.tables import CONTRACTS

    lines = []
    for contract in CONTRACTS.values():
        lines += [f"### {contract.name}", "", f"{contract.grain[0].upper()}{contract.grain[1:]}.", ""]
        lines += ["| column | kind | meaning | missing when |", "| --- | --- | --- | --- |"]
        lines += [
            f"| `{name}` | {column.kind} | {column.meaning} | {column.null or 'never'} |"
            for name, column in contract.columns.items()
        ]
        lines.append("")
    return "\n".join(lines)


PARTS = {
    (README, "tour"): tour,
    (README, "tree"): tree,
    (README, "commands"): commands,
    (DATA, "dictionary"): dictionary,
}

if __name__ == "__main__":
    for (path, name), content in PARTS.items():
        write(path, name, content())
