"""Evidence of a run: executed notebooks without what names a machine, findings, rejected rows."""

from __future__ import annotations

import copy
import gzip
import json
import sys
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from conversion_audit.findings import SCHEMA, Finding, plain
from conversion_audit.folders import home
from conversion_audit.running import publish

if TYPE_CHECKING:
    import pandas as pd
    from nbformat import NotebookNode

_OURS = ("papermill-error-cell-tag",)


def stripped(notebook: NotebookNode) -> NotebookNode:
    """
    Return an executed notebook without timings, run parameters' paths, random ids and the folders of this machine.

    Parameters
    ----------
    notebook : NotebookNode
        As Papermill left it.
    """
    clean = copy.deepcopy(notebook)
    clean.metadata.pop("papermill", None)
    clean.metadata.get("language_info", {}).pop("version", None)
    clean.cells = [cell for cell in clean.cells if not set(cell.metadata.get("tags", [])) & set(_OURS)]
    for cell in clean.cells:
        for key in ("papermill", "execution"):
            cell.metadata.pop(key, None)
        if "injected-parameters" in cell.metadata.get("tags", []):
            cell["id"] = "parameters-of-run"
        cell.update(without_folders(plain_outputs(cell)))
    return clean


def plain_outputs(cell: Mapping[str, Any]) -> dict[str, Any]:
    """Return the outputs of a cell, tracebacks reduced to their last line."""
    outputs = []
    for output in cell.get("outputs", []):
        if output["output_type"] == "error":
            output = {**output, "traceback": [f"{output['ename']}: {output['evalue']}"]}
        outputs.append(output)
    return {"outputs": outputs} if "outputs" in cell else {}


def without_folders(thing: Any) -> Any:
    """Return plain data with every folder of this machine that occurs in its texts cut out."""
    if isinstance(thing, str):
        for folder in _folders():
            thing = thing.replace(folder, "")
        return thing
    if isinstance(thing, Mapping):
        return {key: without_folders(value) for key, value in thing.items()}
    return [without_folders(one) for one in thing] if isinstance(thing, list) else thing


def _folders() -> list[str]:
    named = {home(), Path(sys.prefix), Path(sys.base_prefix), Path(__file__).resolve().parents[3]}
    named |= {Path(tempfile.gettempdir()), Path.home()}
    # "/" would eat every slash there is.
    return sorted((str(path) for path in named if len(path.parts) > 1), key=len, reverse=True)


def save_notebook(notebook: NotebookNode, path: Path) -> None:
    """Write an executed notebook, stripped."""
    import nbformat

    publish.write(path, nbformat.writes(nbformat.from_dict(stripped(notebook))) + "\n")


def save_findings(findings: Iterable[Finding], client: str, run: str, path: Path) -> None:
    """Write findings.json: ``{schema, client, run, findings}``, in the order they are told."""
    whole = {"schema": SCHEMA, "client": client, "run": run, "findings": [one.record() for one in findings]}
    publish.write(path, json.dumps(whole, indent=1, ensure_ascii=False) + "\n")


def save_rejects(rejects: pd.DataFrame, path: Path) -> None:
    """Write the rejected rows, values masked, one JSON object a line, the same bytes every time."""
    lines = (json.dumps(plain(row), ensure_ascii=False) for row in rejects.to_dict("records"))
    text = "".join(f"{line}\n" for line in lines)
    path.write_bytes(gzip.compress(text.encode("utf-8"), mtime=0))
