"""Columns that are named on the command line, where their headings do not tell what they hold."""

from __future__ import annotations

from collections.abc import Mapping

from conversion_audit.errors import ConfigError, Problem, closest, listing
from conversion_audit.intake.files import InputFile
from conversion_audit.intake.sources import mapping
from conversion_audit.new.related import Part, Recognised

EXAMPLE = 'audit new ... --columns "time=Created at,event=Action,device_id=Visitor ID"'
_NEEDED = {
    "a time": {"time"},
    "an event or a page": {"event", "page_url"},
    "a visitor or a session": {"device_id", "user_id", "source_session"},
}
_GENERAL = ("table", "orders")
"""Kinds that are told from headings alone: what is named outranks them."""


def columns(text: str) -> dict[str, list[str]]:
    """
    Return what a text such as ``time=Created at,event=Action,event==purchase`` names: target -> columns.

    Raises
    ------
    ConfigError
        Where it is not written so, or rows have no such target.
    """
    found: dict[str, list[str]] = {}
    for pair in text.split(","):
        target, _, column = pair.partition("=")
        if not (target.strip() and column.strip()):
            raise ConfigError(Problem("--columns: write TARGET=COLUMN,...", seen=pair.strip(), mend=f"E.g. {EXAMPLE}"))
        found.setdefault(target.strip(), []).append(column.strip())
    return mapping.typed_names(found, "--columns")


def lacking(known: Mapping[str, object]) -> str:
    """Return what every row needs and a mapping does not name, in words; nothing where all is there."""
    return ", ".join(words for words, targets in _NEEDED.items() if not targets & set(known))


def taken(named: Mapping[str, list[str]], found: dict[str, Recognised]) -> list[Part]:
    """
    Take the files that have all the named columns out of what was recognised, as tables.

    Parameters
    ----------
    named : mapping
        From `columns`; empty: nothing is taken.
    found : dict
        Kind -> list of (file, reason), ``""`` of no known kind; changed.

    Raises
    ------
    ConfigError
        Where no file has them all.
    """
    if not named:
        return []
    wanted = [name for names in named.values() for name in names]
    asked = [(kind, one) for kind in (*_GENERAL, "") for one in found.get(kind, [])]
    having = [(kind, one) for kind, one in asked if all(mapping.is_there(name, one[0].columns) for name in wanted)]
    if not having:
        raise ConfigError(_nowhere(wanted, [file for _, (file, _) in asked]))
    for kind, one in having:
        found[kind].remove(one)
        if not found[kind]:
            del found[kind]
    return [Part("table", [(file, "its columns were named") for _, (file, _) in having], dict(named))]


def _nowhere(wanted: list[str], files: list[InputFile]) -> Problem:
    there = list(dict.fromkeys(name for file in files for name in file.columns))
    missing = [name for name in wanted if not mapping.is_there(name, there)]
    what = (
        f"--columns: no column {missing[0]!r}{closest(missing[0], there)}"
        if missing
        else "--columns: no one file has all of these"
    )
    return Problem(
        what, listing([file.name for file in files], 3), why=f"Columns found: {listing(there, 20) or 'none'}."
    )
