"""One module per kind of export, all with one interface: recognises, read, KIND, TITLE, GIVES."""

from __future__ import annotations

from collections.abc import Iterable
from types import ModuleType

from conversion_audit.errors import DataError, Problem, closest
from conversion_audit.intake.files import InputFile
from conversion_audit.intake.sources import ga4, ga360, kissmetrics, mixpanel, table

KINDS: dict[str, ModuleType] = {module.KIND: module for module in (ga4, ga360, mixpanel, kissmetrics, table)}


def kind(name: str) -> ModuleType:
    """Return the module of a kind, or raise DataError with the kinds there are."""
    if name not in KINDS:
        raise DataError(
            Problem(
                f"there is no kind of source {name!r}{closest(name, KINDS)}",
                "sources",
                mend=f"Kinds: {', '.join(KINDS)}. Any other file of rows can be read as kind 'table' with `columns`.",
            )
        )
    return KINDS[name]


def recognise(files: Iterable[InputFile]) -> dict[str, list[tuple[InputFile, str]]]:
    """
    Sort opened files by what they hold, told from their content.

    Parameters
    ----------
    files : iterable of InputFile
        From `files.open_files`.

    Returns
    -------
    dict
        Kind -> list of (file, reason in words), kinds in the order of `KINDS`; ``""`` -> files of no known kind.
    """
    found: dict[str, list[tuple[InputFile, str]]] = {name: [] for name in (*KINDS, "")}
    for file in files:
        if file.is_empty and not file.columns:
            continue
        reasons = ((name, module.recognises(file)) for name, module in KINDS.items())
        name, reason = next(((name, reason) for name, reason in reasons if reason), ("", ""))
        found[name].append((file, reason))
    return {name: some for name, some in found.items() if some}
