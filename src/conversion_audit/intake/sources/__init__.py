"""One module per kind of export, all with one interface: recognises, read, KIND, TITLE, GIVES, NEEDS."""

from __future__ import annotations

from collections.abc import Iterable
from types import ModuleType

from conversion_audit.errors import DataError, Problem, closest, listing
from conversion_audit.intake.files import InputFile
from conversion_audit.intake.sources import (
    amplitude,
    ga4,
    ga4_report,
    ga360,
    kissmetrics,
    logs,
    matomo,
    mixpanel,
    orders,
    outcomes,
    plausible,
    posthog,
    segment,
    snowplow,
    stage_counts,
    table,
)

_VENDORS = (
    ga4,
    ga360,
    mixpanel,
    kissmetrics,
    amplitude,
    posthog,
    segment,
    snowplow,
    matomo,
    logs,
    ga4_report,
    plausible,
)
_GENERAL = (outcomes, orders, stage_counts, table)
KINDS: dict[str, ModuleType] = {module.KIND: module for module in (*_VENDORS, *_GENERAL)}
"""Kind -> module, the more particular first: a file is of the first kind that recognises it."""


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


def refuse_strangers(kind: str, files: Iterable[InputFile]) -> None:
    """
    Hold the files of a source to its kind.

    Raises
    ------
    DataError
        Naming each file that is something else, and what it is. A table or an order book may be anything that has the
        mapped columns; their own readers say what is missing.
    """
    module = KINDS[kind]
    problems = []
    for file in files:
        if file.is_empty or module in _GENERAL or module.recognises(file):
            continue
        others = (
            (other.TITLE, reason)
            for other in KINDS.values()
            if other is not table and (reason := other.recognises(file))
        )
        title, reason = next(others, ("", ""))
        if title:
            what = f"this looks like {title} ({reason}), not like {module.TITLE}"
            problems.append(Problem(what, file.name, mend="Give each kind of export its own source in audit.yaml."))
            continue
        missing = [name for name in module.NEEDS if name not in file.columns]
        hints = "".join(closest(name, file.columns) for name in missing[:1])
        what = f"this does not look like {module.TITLE}: no {listing(missing) or 'row of that shape'}{hints}"
        why = f"Columns found: {listing(file.columns, 20) or 'none'}. Needed: {', '.join(module.NEEDS)}."
        problems.append(
            Problem(what, file.name, why=why, mend="Export it again, or read it as kind: table with `columns`.")
        )
    if problems:
        raise DataError(*problems)
