"""Runs that stand: which there are, the newest, whether they are still what they were, and how a client leaves."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from conversion_audit.errors import ConfigError, DataError, Problem, closest, listing
from conversion_audit.folders import Folders, clients, home, is_name
from conversion_audit.running import manifest, publish
from conversion_audit.running.lock import locked


def runs(client: str) -> list[str]:
    """Return the ids of a client's whole runs, newest first."""
    return publish.published(Folders(client).reports)[::-1]


def newest(client: str, status: str | None = None) -> dict[str, Any] | None:
    """
    Return the manifest of a client's newest whole run, or None.

    Parameters
    ----------
    client : str
        Folder under ``reports/``.
    status : str, optional
        Only runs of this status, e.g. ``complete``.
    """
    folder = Folders(client).reports
    for run in runs(client):
        try:
            found = manifest.read(folder / run)
        except ValueError:
            continue
        if status in (None, found.get("status")):
            return found
    return None


def where_of(found: Mapping[str, Any]) -> dict[str, str]:
    """Return which sessions a run looked at, by its manifest: column -> value, empty for all."""
    from conversion_audit.asked import read_conditions

    return read_conditions(found.get("asked", {}).get("where"))


def folder_of(client: str, run: str | None = None) -> Path:
    """
    Return the folder of a run, the newest by default.

    Raises
    ------
    ConfigError
        If there is none, with the runs there are.
    """
    there = publish.folders(Folders(client).reports)[::-1]
    if not there or (run is not None and run not in there):
        what = (
            f"there is no run {run!r} of {client}{closest(run, there)}" if run else f"there is no run of {client} yet"
        )
        mend = "Name one of them." if there else f"Make one with: audit run {client}"
        why = f"Runs here: {listing(there, 5) or 'none'}."
        raise ConfigError(Problem(what, f"reports/{client}", why=why, mend=mend))
    return Folders(client).reports / (run or there[0])


@dataclass(frozen=True)
class Line:
    """One client in the list: the last run, what it says, how old the data are."""

    client: str
    name: str
    run: str | None
    status: str
    high: int
    data_until: str | None
    age_days: int | None
    only: str = ""

    @property
    def verdict(self) -> str:
        """Status, how many findings are high, and of which sessions alone, where not of all."""
        said = f"{self.status}, {self.high} high" if self.run else self.status
        return f"{said}, only {self.only}" if self.only else said

    @property
    def age(self) -> str:
        """Days since the data end."""
        return "" if self.age_days is None else f"{self.age_days} days"


def overview(today: date) -> list[Line]:
    """
    Return one line a client, by name.

    Parameters
    ----------
    today : date
        The day from which the age of the data is counted.
    """
    there = {*clients(), *(path.parent.name for path in (home() / "reports").glob("*/latest"))}
    return [_line(client, today) for client in sorted(filter(is_name, there))]


def _line(client: str, today: date) -> Line:
    found = newest(client)
    if found is None:
        return Line(client, client, None, "never run", 0, None, None)
    until = found["period"]["end"]
    high = sum(one["severity"] == "high" for one in found["findings"])
    age = (today - date.fromisoformat(until)).days
    only = ", ".join(f"{column}={value}" for column, value in where_of(found).items())
    return Line(client, found["name"], found["run"], found["status"], high, until, age, only)


def current(client: str, wanted: dict[str, Any]) -> Path | None:
    """
    Return the folder of the newest run if it is complete, untouched, and made from just this; else None.

    Parameters
    ----------
    client : str
        Folder under ``reports/``.
    wanted : dict
        What the manifest must say: inputs, config, code, asked.
    """
    found = newest(client)
    if found is None or found["status"] != "complete" or any(found.get(key) != wanted[key] for key in wanted):
        return None
    folder = folder_of(client, found["run"])
    return None if list(altered(folder)) else folder


def altered(folder: Path) -> Iterator[str]:
    """Give one sentence for each file of a run that is not what its manifest says."""
    listed = _listed(folder)
    if listed is None:
        yield f"{publish.MANIFEST} is missing or not readable: the run is not whole"
        return
    there = publish.hashes(folder)
    for name in sorted({*listed, *there}):
        if name not in there:
            yield f"{name} is missing"
        elif name not in listed:
            yield f"{name} was added after the run"
        elif listed[name] != there[name]:
            yield f"{name} was changed after the run"


def _listed(folder: Path) -> dict[str, Any] | None:
    try:
        return manifest.read(folder)["files"]
    except (OSError, ValueError, KeyError):
        return None


@dataclass(frozen=True)
class Verified:
    """What `verify` found: `differences` are wrong, `notes` could not be looked at and why."""

    client: str
    run: str
    differences: tuple[str, ...]
    notes: tuple[str, ...] = ()


def verify(client: str, run: str | None = None, *, files_only: bool = False) -> Verified:
    """
    Hold a run to its manifest: every file's hash, and the headline counted anew from the export.

    Parameters
    ----------
    client : str
        Folder under ``reports/``.
    run : str, optional
        The newest by default.
    files_only : bool
        Do not count anew.
    """
    folder = folder_of(client, run)
    differences = list(altered(folder))
    notes: list[str] = []
    if not files_only and _listed(folder) is not None:
        found = manifest.read(folder)
        again, why_not = _headline_again(client, found)
        if why_not:
            notes.append(why_not)
        else:
            differences += _different(found["headline"], again)
    return Verified(client, folder.name, tuple(differences), tuple(notes))


def _headline_again(client: str, found: dict[str, Any]) -> tuple[dict[str, Any], str]:
    from conversion_audit.audit import open_audit

    if not Folders(client).config.is_file():
        return {}, "the client's data are not here: the headline was not counted anew"
    audit = open_audit(client, found["period"]["start"], found["period"]["end"], found["asked"]["where"])
    try:
        inputs = dict(sorted(audit.inputs.items()))
    except DataError as error:
        return {}, f"the export cannot be read: the headline was not counted anew ({error.problems[0].what})"
    if inputs != found["inputs"]:
        return {}, "the export has changed since: the headline was not counted anew"
    if manifest.config_hash(audit.folders) != found["config"]:
        return {}, "the config has changed since: the headline was not counted anew"
    return json.loads(json.dumps(audit.headline)), ""


def _different(before: Any, after: Any, name: str = "headline") -> list[str]:
    if isinstance(before, dict) and isinstance(after, dict):
        keys = sorted({*before, *after})
        return [line for key in keys for line in _different(before.get(key), after.get(key), f"{name}.{key}")]
    if isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        pairs = enumerate(zip(before, after, strict=True))
        return [line for n, (one, other) in pairs for line in _different(one, other, f"{name}[{n}]")]
    return [] if before == after else [f"{name} was {before}, counted anew it is {after}"]


def forget(client: str) -> list[str]:
    """
    Remove everything of a client: its data, its reports, and what a killed command left beside them.

    Returns
    -------
    list of str
        The folders removed.

    Raises
    ------
    ConfigError
        If there is no such client.
    LockedError
        If a run of it is under way.
    """
    folders = Folders(client)
    there = [path for path in (folders.data, folders.reports, *folders.left()) if path.exists()]
    if not there:
        raise ConfigError(
            Problem(f"there is nothing of {client!r}", mend=f"Clients here: {', '.join(clients()) or 'none'}")
        )
    with locked(folders):
        for path in there:
            shutil.rmtree(path)
    # The lock itself stood in the reports' folder.
    shutil.rmtree(folders.reports, ignore_errors=True)
    return [f"{path.parent.name}/{path.name}" for path in there]
