"""One reference of a report, told in full: its claim, how it was counted, its table, and the code that made it."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from conversion_audit import runs
from conversion_audit.errors import ConfigError, DataError, Problem, closest
from conversion_audit.running import manifest

if TYPE_CHECKING:
    from conversion_audit.report.voice import Voice

MOST_ROWS = 40


def explain(client: str, reference: str, run: str | None = None) -> str:
    """
    Return what stands behind a figure, a table or a finding of a run.

    Parameters
    ----------
    client : str
        Folder under ``data/``.
    reference : str
        As the report prints it: the name after "Ref.", or a finding's id such as ``F-3k9``.
    run : str, optional
        The newest by default.

    Returns
    -------
    str
        Claim, reading, definition card, table, the notebook cell that made it and the queries behind it; for a finding,
        every value of its record.

    Raises
    ------
    ConfigError
        If the run holds no such reference.
    DataError
        If a file of the run is missing or cannot be read.
    """
    folder = runs.folder_of(client, run)
    try:
        return _told(client, folder, reference)
    except (FileNotFoundError, ValueError) as error:
        wrong = list(runs.altered(folder))
        if not wrong:
            raise
        mend = f"Name another run with --run, or make a new one with: audit run {client}"
        where = f"reports/{client}/{folder.name}"
        raise DataError(*(Problem(sentence, where, mend=mend) for sentence in wrong)) from error


def _told(client: str, folder: Path, reference: str) -> str:
    findings = {
        one["id"]: one for one in json.loads((folder / "evidence" / "findings.json").read_text("utf-8"))["findings"]
    }
    wanted = reference.removeprefix("Ref.").strip()
    wanted = next((one for one in findings if one.lower() == wanted.lower()), wanted)
    if wanted in findings:
        return _finding(folder, findings[wanted])
    shown = {bundle["name"]: (where, bundle) for where, bundle in _shown(folder) if bundle.get("name")}
    if wanted not in shown:
        known = [*shown, *findings]
        raise ConfigError(
            Problem(
                f"the report has no reference {wanted!r}{closest(wanted, known)}",
                f"reports/{client}/{folder.name}",
                mend=f"References: {', '.join(known) or 'none'}",
            )
        )
    where, bundle = shown[wanted]
    return "\n\n".join([_bundle(where, bundle), *_queries(client, folder, where["notebook"], wanted)])


def _queries(client: str, folder: Path, notebook: str, name: str) -> Iterator[str]:
    """Give the script behind each table of what is shown, for the days and sessions that the run looked at."""
    from conversion_audit.behind import query_behind
    from conversion_audit.errors import AuditError
    from conversion_audit.made_from import tables_behind
    from conversion_audit.recipes import TABLES

    about = manifest.read(folder)
    for table in tables_behind(_code(folder / "evidence" / f"{notebook}.ipynb"), name, TABLES):
        try:
            days = about["period"]["start"], about["period"]["end"]
            yield query_behind(client, table, "duckdb", *days, about["asked"]["where"])
        except AuditError as error:  # the export may be gone
            yield f"The query behind it cannot be told: {error.problems[0]}"


def _code(path: Path) -> list[str]:
    cells = json.loads(path.read_text("utf-8"))["cells"]
    return ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]


def _shown(folder: Path) -> Iterator[tuple[dict[str, str], Mapping[str, Any]]]:
    """Give every bundle of a run with the notebook, the cell and the code that showed it."""
    from conversion_audit.report.show import MIME

    for path in sorted((folder / "evidence").glob("*.ipynb")):
        cells = json.loads(path.read_text("utf-8"))["cells"]
        code = [(n, cell) for n, cell in enumerate(cells, 1) if cell["cell_type"] == "code"]
        for n, cell in code:
            for output in cell.get("outputs", []):
                data = output.get("data", {}).get(MIME)
                if data:
                    yield {"notebook": path.stem, "cell": str(n), "code": "".join(cell["source"])}, data


def _bundle(where: Mapping[str, str], bundle: Mapping[str, Any]) -> str:
    parts = [bundle.get("claim") or bundle["name"], bundle.get("read") or ""]
    if bundle.get("card"):
        parts.append("How it was counted\n" + _pairs(bundle["card"]))
    if bundle.get("table"):
        parts.append(_table(bundle["table"]))
    code = "\n".join(f"    {line}" for line in where["code"].splitlines())
    parts.append(f"Made in chapter {where['notebook']}, cell {where['cell']}\n{code}")
    return "\n\n".join(part for part in parts if part)


def _table(table: Mapping[str, Any]) -> str:
    import pandas as pd

    frame = pd.DataFrame(table["rows"], columns=table["columns"])
    rest = len(frame) - MOST_ROWS
    more = f"\n... and {rest:,} rows in tables/" if rest > 0 else ""
    return frame.head(MOST_ROWS).to_string(index=False, na_rep="-", max_colwidth=60) + more


def _finding(folder: Path, finding: Mapping[str, Any]) -> str:
    from conversion_audit.report.voice import speaking
    from conversion_audit.report.wording import claim_of, next_step_of

    told = {key: value for key, value in finding.items() if value not in (None, "", [], {})}
    values = told.pop("values", {})
    client = str(manifest.read(folder)["name"])
    with speaking(_voice(folder)):
        parts = [claim_of(finding), next_step_of(finding) or "", f"{client}, finding\n" + _pairs(told)]
    return "\n\n".join(
        [*(part for part in parts if part), "Values\n" + _pairs(values)] if values else filter(None, parts)
    )


def _voice(folder: Path) -> Voice:
    """Return the voice of the run's own report, whatever audit.yaml says by now; a plain one for a run of another version."""
    from conversion_audit.config import Config
    from conversion_audit.past import CONFIG
    from conversion_audit.report.voice import Voice, voice_of

    try:
        return voice_of(Config.model_validate_json((folder / "evidence" / CONFIG).read_bytes()))
    except (OSError, ValueError):
        return Voice()


def _pairs(pairs: Mapping[str, Any], indent: str = "    ") -> str:
    """Give names and values, a line each; what holds names and values itself stands below its own name."""
    width = max(map(len, map(str, pairs)), default=0)
    lines = []
    for key, value in pairs.items():
        below = _below(value, indent + "    ")
        lines.append(f"{indent}{key}\n{below}" if below else f"{indent}{key!s:<{width}}  {_said(value)}")
    return "\n".join(lines)


def _below(value: Any, indent: str) -> str:
    """Give what one line cannot hold: names with values, or a list of them; else nothing."""
    if isinstance(value, dict):
        return _pairs(value, indent)
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        return ""
    if len({tuple(one) for one in value}) == 1:
        return textwrap.indent(_table({"rows": value, "columns": list(value[0])}), indent)
    return "\n".join(indent + ", ".join(f"{key} {_said(one)}" for key, one in record.items()) for record in value)


def _said(value: Any) -> str:
    if isinstance(value, str):
        return value
    return "-" if value is None else json.dumps(value, ensure_ascii=False, default=str)
