"""An archive is one input of one source: what to do where it holds exports of several kinds."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path, PurePosixPath

from conversion_audit.errors import DataError, Problem, listing
from conversion_audit.intake import sources
from conversion_audit.new.related import Part, Recognised

_MOST_NAMES = 3
_NUMBER = re.compile(r"^\d{4}-")  # before the name of each unpacked file


def refuse_mixed_archives(client: str, parts: Iterable[Part], strangers: Recognised) -> None:
    """
    Refuse archives whose files are of several kinds: a source reads all of an archive's files alike.

    Parameters
    ----------
    client : str
        The client's folder.
    parts : iterable of Part
        What makes one source each.
    strangers : list
        (file, reason) of no known kind.

    Raises
    ------
    DataError
        Naming what is in each such archive, and what to type.
    """
    kinds: dict[Path, dict[str, list[str]]] = {}
    told = [(_title(part), file) for part in parts for file, _ in part.recognised]
    told += [("looked up by another file", file) for part in parts for file in part.looked_up]
    told += [("of no known kind", file) for file, _ in strangers]
    for title, file in told:
        place = PurePosixPath(file.name)
        if file.original and place.parent.name == file.original.name:
            kinds.setdefault(file.original, {}).setdefault(title, []).append(_NUMBER.sub("", place.name))
    mixed = {path: titles for path, titles in kinds.items() if len(titles) > 1}
    if mixed:
        raise DataError(*(_problem(client, path, titles) for path, titles in mixed.items()))


def _title(part: Part) -> str:
    return sources.KINDS[part.kind].TITLE if part.kind != "table" else part.recognised[0][1]


def _problem(client: str, path: Path, titles: Mapping[str, Sequence[str]]) -> Problem:
    held = "; ".join(f"{title}: {listing(names, _MOST_NAMES)}" for title, names in titles.items())
    return Problem(
        "is an archive of several kinds of export",
        path.name,
        why=f"All files of an archive are read alike. Found: {held}.",
        mend=f"Unzip it and name the folder: unzip {path.name} -d {path.stem}; audit new {client} --from {path.stem}",
    )
