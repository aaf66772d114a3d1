"""An archive is one input of one source: what to do where it holds exports of several kinds."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath

from conversion_audit.errors import DataError, Problem, listing
from conversion_audit.intake import sources
from conversion_audit.intake.files import InputFile

_MOST_NAMES = 3
_NUMBER = re.compile(r"^\d{4}-")  # before the name of each unpacked file


def refuse_mixed_archives(client: str, found: Mapping[str, Sequence[tuple[InputFile, str]]]) -> None:
    """
    Refuse archives whose files are of several kinds: a source reads all of an archive's files alike.

    Parameters
    ----------
    client : str
        The client's folder.
    found : mapping
        See `sources.recognise`; ``""`` -> files of no known kind.

    Raises
    ------
    DataError
        Naming what is in each such archive, and what to type.
    """
    kinds: dict[Path, dict[str, list[str]]] = {}
    for kind, recognised in found.items():
        title = sources.KINDS[kind].TITLE if kind else "of no known kind"
        for file, _ in recognised:
            place = PurePosixPath(file.name)
            if file.original and place.parent.name == file.original.name:
                kinds.setdefault(file.original, {}).setdefault(title, []).append(_NUMBER.sub("", place.name))
    mixed = {path: titles for path, titles in kinds.items() if len(titles) > 1}
    if mixed:
        raise DataError(*(_problem(client, path, titles) for path, titles in mixed.items()))


def _problem(client: str, path: Path, titles: Mapping[str, Sequence[str]]) -> Problem:
    held = "; ".join(f"{title}: {listing(names, _MOST_NAMES)}" for title, names in titles.items())
    return Problem(
        "is an archive of several kinds of export",
        path.name,
        why=f"All files of an archive are read alike. Found: {held}.",
        mend=f"Unzip it and name the folder: unzip {path.name} -d {path.stem}; audit new {client} --from {path.stem}",
    )
