"""Rows that are JSON objects: which path is what, the rest as properties. One way for every vendor who exports objects."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from conversion_audit import config
from conversion_audit.engine import Engine, literal, quoted, statement
from conversion_audit.intake.files import InputFile
from conversion_audit.intake.sources import casting
from conversion_audit.intake.sources.reading import WHOLE, Reading, gather
from conversion_audit.intake.sources.stored import Rows, remade

CAMPAIGN = {"source": "utm_source", "medium": "utm_medium", "campaign": "utm_campaign"}
ORDER = {
    "order_id": ("order_id", "orderId", "Order ID", "transaction_id", "checkout_id"),
    "amount": (
        "revenue",
        "Revenue",
        "$revenue",
        "total",
        "Total",
        "amount",
        "Amount",
        "value",
        "Value",
        "Order Total",
        "refund_amount",
    ),
    "currency": ("currency", "Currency", "currency_code"),
}
"""Names that shops give their orders in event properties, the commonest first."""
PAGE = ("page_url", "pageUrl", "current_url", "url", "URL", "page_location", "Page URL", "page_path", "path")
"""Names that sites give the address of a page there, whole addresses first."""


@dataclass(frozen=True)
class Places:
    """
    Where things stand in an object.

    Parameters
    ----------
    columns : mapping
        Column of `casting.MAPPED` -> paths, of which the first filled one counts. A path is a tuple of keys.
    rest : tuple of str
        The object whose other keys are the properties; empty: the row itself.
    drop : sequence of str
        Keys of it that are not kept besides those in `columns`: ids and addresses that people should not read.
    products : tuple of str
        The list of items.
    page_events : sequence of str
        What the vendor calls page views.
    finish : str
        A SELECT from ``told`` that settles what paths alone cannot.
    timezone : str, optional
        Zone of times that name none, where the vendor says it.
    """

    columns: Mapping[str, Sequence[tuple[str, ...]]]
    rest: tuple[str, ...] = ()
    drop: Sequence[str] = ()
    products: tuple[str, ...] = ()
    page_events: Sequence[str] = ()
    finish: str = "SELECT * FROM told"
    timezone: str | None = None


def paths(*names: str, under: str = "") -> list[tuple[str, ...]]:
    """Return keys, or keys of one object, as paths."""
    return [(under, name) if under else (name,) for name in names]


def read(
    engine: Engine, source: config.Source, files: list[InputFile], places: Places, timezone: str | None, scratch: Path
) -> Rows:
    """
    Read objects, one a row.

    Parameters
    ----------
    engine, source, files, timezone, scratch
        See `table.read`.
    places : Places
        Where things stand.

    Returns
    -------
    Rows
        See `tables.ROWS`.
    """
    drop = dict.fromkeys((*places.drop, *_taken(places)))
    reading = Reading(
        f"WITH told AS ({_select(places)}) {places.finish}", WHOLE, scratch, source.salvage, from_text=_as_object,
        columns=casting.MAPPED, parameters={"drop": json.dumps(drop)},
    )  # fmt: skip
    mapped = gather(engine, files, reading)
    settings = casting.Settings(
        places.timezone or timezone, source.decimal, source.currency, (*source.page_events, *places.page_events), True
    )
    return casting.cast(mapped, settings)


def with_one_id(engine: Engine, rows: Rows, scratch: Path) -> Rows:
    """
    Decide what an id is that is all there is, told by standing for device and login at once.

    It is a login where the export has it as the login of a device or of a row without one, as a server reports it; else it
    is a device's.

    Parameters
    ----------
    engine, scratch
        See `table.read`.
    rows : Rows
        See `tables.ROWS`.

    Returns
    -------
    Rows
        The same, no row with one id for both.
    """
    logins = engine.create(statement(__file__, "logins", stem="objects.duckdb"), {"rows": rows}, name="logins")
    return remade(rows, statement(__file__, "named", stem="objects.duckdb"), {"logins": logins}, scratch)


def _taken(places: Places) -> list[str]:
    depth = len(places.rest)
    used = [path for several in places.columns.values() for path in several] + [places.products]
    return [path[depth] for path in used if len(path) == depth + 1 and path[:depth] == places.rest]


def _select(places: Places) -> str:
    parts = [
        f"coalesce({', '.join(map(_text, several))}, NULL) AS {quoted(name)}"
        for name, several in places.columns.items()
    ]
    rest = f'json_extract("row", {_path(places.rest)})' if places.rest else '"row"'
    items = statement(__file__, "items", stem="objects.duckdb").removeprefix("SELECT ") if places.products else "NULL"
    products = f'json_extract("row", {_path(places.products)})' if places.products else "NULL"
    return (
        f"SELECT __file, __line, {', '.join(parts)}, {items} AS items, "
        f"coalesce(CAST(json_merge_patch(coalesce({rest}, '{{}}'), $drop) AS VARCHAR), '{{}}') AS properties "
        f"FROM (SELECT *, {products} AS products FROM raw) rows"
    )


def _text(path: tuple[str, ...]) -> str:
    return f"nullif(json_extract_string(\"row\", {_path(path)}), '')"


def _path(path: tuple[str, ...]) -> str:
    return literal("$" + "".join(f'."{key}"' for key in path))


def _as_object(columns: tuple[str, ...]) -> str:
    """Delimited or columnar rows as objects; a text that is an object or a list itself is taken for one."""
    pairs = [
        f"{literal(json.dumps(name) + ':')} || CASE WHEN {quoted(name)}[1:1] IN ('{{', '[') AND json_valid({quoted(name)}) "
        f"THEN {quoted(name)} ELSE to_json(nullif({quoted(name)}, '')) END"
        for name in columns
        if not name.startswith("__")
    ]
    return f"SELECT CAST('{{' || array_to_string([{', '.join(pairs)}], ',') || '}}' AS JSON) AS \"row\", __file, __line FROM text"
