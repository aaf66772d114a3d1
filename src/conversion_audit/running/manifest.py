"""manifest.json: what a run was made from, what it found, and the hash of every file in it. Written last."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from conversion_audit import __version__
from conversion_audit.findings import plain
from conversion_audit.folders import Folders, home, notebooks
from conversion_audit.review import read_review
from conversion_audit.running.publish import MANIFEST

if TYPE_CHECKING:
    from conversion_audit.audit import Audit

SCHEMA = 1
LIBRARIES = ("duckdb", "pandas", "papermill", "statsmodels", "scipy", "seaborn")


def wanted(
    audit: Audit, start: str | None, end: str | None, where: str | None, against: str | None = None
) -> dict[str, Any]:
    """
    Return what a run is made from: export, config, code, and what was asked. The same again gives the same report.

    Parameters
    ----------
    audit : Audit
        Opened; nothing needs to be prepared.
    start, end, where, against : str, optional
        As asked for.
    """
    return {
        "inputs": dict(sorted(audit.inputs.items())),
        "config": config_hash(audit.folders),
        "code": code_hash(),
        "asked": {"start": start, "end": end, "where": where, "against": against},
    }


def record(audit: Audit, chapters: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """
    Return what a run says of itself, without its id and its files.

    Parameters
    ----------
    audit : Audit
        Prepared.
    chapters : sequence of dict
        Name, status and reason of each chapter.
    """
    failed = any(chapter["status"] == "failed" for chapter in chapters)
    ledger = audit.ledger.to_dict("records")
    return plain(
        {
            "schema": SCHEMA,
            "client": audit.folders.client,
            "name": audit.config.client,
            "status": "partial" if failed else "complete",
            "period": {"start": audit.period.start.isoformat(), "end": audit.period.end.isoformat()},
            "versions": {"conversion_audit": __version__, "python": sys.version.split()[0], **_versions()},
            "ledger": ledger,
            "headline": audit.headline,
            "findings": [{"id": one.id, "kind": one.kind, "severity": one.severity} for one in audit.findings],
            "chapters": list(chapters),
        }
    )


def read(folder: Path) -> dict[str, Any]:
    """Return the manifest of a run's folder."""
    return json.loads((folder / MANIFEST).read_text(encoding="utf-8"))


def config_hash(folders: Folders) -> str:
    """Return one hash over everything a person wrote about the client: config, agency, review, notes, own chapters."""
    files = [folders.config, home() / "data" / "agency.yaml"]
    # As a first run offers it, it says nothing: the same run again is the same.
    if not read_review(folders.data / "review.yaml").says_nothing:
        files.append(folders.data / "review.yaml")
    files += sorted((folders.data / "notes").glob("*.md")) + sorted((folders.data / "notebooks").glob("*.ipynb"))
    return _hash(path for path in files if path.is_file())


def code_hash() -> str:
    """Return one hash over the package and its notebooks: other code may give another report."""
    package = Path(__file__).parents[1]
    files = sorted(path for path in package.rglob("*") if path.is_file() and path.parent.name != "__pycache__")
    return _hash([*files, *sorted(notebooks().glob("*.ipynb"))])


def _hash(files: Any) -> str:
    whole = hashlib.sha256()
    for path in files:
        whole.update(path.name.encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    return whole.hexdigest()


def _versions() -> dict[str, str]:
    return {name: version(name) for name in LIBRARIES}
