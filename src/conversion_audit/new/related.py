"""Tables that belong together: rows of visits, the sessions that they name in a file of their own, the orders sold in them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from conversion_audit.intake.files import InputFile
from conversion_audit.intake.sources import mapping, orders

Recognised = list[tuple[InputFile, str]]

_WHO = ("source_session", "device_id", "user_id")
_OWN = {"time", "time_of_day", "local_date", "event", "page_url"}
"""What a row says of itself, and no other file for it."""


@dataclass(frozen=True)
class Part:
    """
    Files that make one source.

    Parameters
    ----------
    kind : str
        Of source.
    recognised : list
        (file, reason in words): files that give rows.
    columns : dict
        Target -> columns, where the files' own names do not tell.
    looked_up, keys : list
        Files that say more about the rows of the others, and the column by which each is looked up.
    steps : dict
        Event -> column, where one row is a session.
    """

    kind: str
    recognised: Recognised
    columns: dict[str, list[str]] = field(default_factory=dict)
    looked_up: list[InputFile] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    steps: dict[str, str] = field(default_factory=dict)


def related(tables: Recognised, strangers: Recognised) -> tuple[list[Part], Recognised]:
    """
    Sort tables into sources: rows with an event, rows that are pages, orders; and what is looked up for each of them.

    Parameters
    ----------
    tables : list
        (file, reason) of kind ``table``.
    strangers : list
        (file, reason) of no known kind.

    Returns
    -------
    list of Part, list
        One source each; the strangers that remain.
    """
    names = mapping.guess(*(file for file, _ in tables))
    who = [names[target][0] for target in _WHO if target in names]
    sold = [(file, columns) for file, _ in strangers if (columns := _sold(file)) and _key(file, who)]
    others = [file for file, _ in strangers if file.name not in [one.name for one, _ in sold]]
    known = [(file, key) for file in others if (key := _key(file, who, unique=True))]
    pages = [one for one in tables if "event" not in mapping.guess(one[0])]
    with_event = [one for one in tables if one not in pages]
    groups = [(rows, {}) for rows in (with_event, pages) if rows]
    groups += [([(file, "its rows look like orders of these visitors")], columns) for file, columns in sold]
    found = [_with_lookups(rows, columns, known) for rows, columns in groups]
    used = {file.name for one in found for file in (*one.looked_up, *(file for file, _ in one.recognised))}
    return found, [one for one in strangers if one[0].name not in used]


def _with_lookups(rows: Recognised, columns: dict[str, list[str]], known: list[tuple[InputFile, str]]) -> Part:
    files = [file for file, _ in rows]
    there = {name for file in files for name in file.columns}
    here = [(file, key) for file, key in known if key in there]
    own = {*mapping.guess(*files), *columns, *_OWN}
    for file, _ in here:
        columns = {target: names for target, names in mapping.guess(file).items() if target not in own} | columns
    return Part("table", rows, columns, [file for file, _ in here], [key for _, key in here])


def _sold(file: InputFile) -> dict[str, list[str]]:
    """The columns of a file of orders, one row a purchase; none where it is something else."""
    found = orders.guess(file)
    if not {"order_id", "time", "amount"} <= set(found) or "event" in mapping.guess(file):
        return {}
    return {target: found[target] for target in ("time", "order_id", "amount", "currency") if target in found} | {
        "event": ["=purchase"]
    }


def _key(file: InputFile, who: Sequence[str], *, unique: bool = False) -> str:
    """The column by which a file's rows belong to the rows of visits; none where several rows have one value."""
    for name in who:
        values = [str(record[name]) for record in file.records if record.get(name) not in (None, "")]
        if name in file.columns and values and not (unique and len({*values}) < len(values)):
            return name
    return ""
