"""The one channel through which anything meant for the client leaves a notebook."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping, Sequence
from typing import Any

from conversion_audit.findings import Finding, plain
from conversion_audit.report.formats import is_missing, kinds_of
from conversion_audit.report.voice import speak, voice, voice_of
from conversion_audit.report.words import in_column

MIME = "application/vnd.conversion-audit+json"
LARGEST_SVG = 300_000
PERSONAL = frozenset({"visitor_id", "device_id", "user_id", "session_id", "event_id"})
_NAMELESS = re.compile(r"[^a-z0-9_]+")


def house(config: Any) -> None:
    """
    Speak the client's language from here on, and draw in the house style. Once, in a notebook's setup cell.

    Parameters
    ----------
    config : Config
        The client's config: its language, locale, currency, labels and accent are used.
    """
    from conversion_audit.report.figures.style import use_style

    speak(voice_of(config))
    use_style()


def show(
    thing: Any,
    *,
    name: str | None = None,
    claim: str | None = None,
    read: str | None = None,
    table: Any = None,
    card: Mapping[str, Any] | None = None,
    alt: str | None = None,
    columns: Sequence[str] | None = None,
    detail: bool = False,
) -> None:
    """
    Show a sentence, a figure, a table or findings, here and in the report.

    Parameters
    ----------
    thing : str, Axes, Figure, DataFrame, Finding or list of Finding
        What to show. A figure is closed afterwards.
    name : str, optional
        Stable slug; the table becomes ``tables/<name>.csv`` and a sheet of ``audit.xlsx``.
    claim : str, optional
        The finding, as the headline over a figure or table.
    read : str, optional
        One line on how to read it.
    table : DataFrame, optional
        The table behind a figure.
    card : mapping, optional
        Definition card: what -> words or number (unit, entry, order, window, exclusions, n).
    alt : str, optional
        What a reader who cannot see the figure should know; the claim where it is not given.
    columns : sequence of str, optional
        Columns of the table that stand in the report, in this order; the workbook has them all. Bounds follow their rate.
    detail : bool
        In the report only the claim is told, in one line at the end of its chapter; the table stands in the workbook.

    Notes
    -----
    Outside a notebook nothing is displayed and nothing fails.
    """
    about = {"claim": claim, "read": read, "table": table, "card": card, "alt": alt}
    for one in bundles_of(thing, name=name, columns=columns, detail=detail, **about):
        _display(one)


def bundles_of(thing: Any, **about: Any) -> list[dict[str, Any]]:
    """Return what `show` displays, as plain data: one bundle, or one for each finding."""
    if isinstance(thing, Finding):
        thing = [thing]
    if isinstance(thing, (list, tuple)):
        return [{"kind": "finding", "finding": one.record()} for one in thing if isinstance(one, Finding)]
    return [_bundle(thing, **about)]


def _bundle(
    thing: Any,
    *,
    name: str | None = None,
    claim: str | None = None,
    read: str | None = None,
    table: Any = None,
    card: Mapping[str, Any] | None = None,
    alt: str | None = None,
    columns: Sequence[str] | None = None,
    detail: bool = False,
) -> dict[str, Any]:
    extra = {
        "name": _NAMELESS.sub("_", name.lower()).strip("_") if name else None,
        "claim": claim,
        "read": read,
        "card": plain(card) if card else None,
        "shown": list(columns) if columns else None,
        "detail": detail or None,
    }
    if isinstance(thing, str):
        return _filled({"kind": "text", "text": thing, **extra})
    if _is_frame(thing):
        return _filled({"kind": "table", "table": table_data(thing), **extra})
    return _filled(
        {
            "kind": "figure",
            **picture(thing),
            "alt": alt or claim or _title(thing),
            "table": None if table is None else table_data(table),
            **extra,
        }
    )


def _filled(bundle: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in bundle.items() if value is not None}


def _is_frame(thing: Any) -> bool:
    return hasattr(thing, "columns") or (hasattr(thing, "to_frame") and not hasattr(thing, "figure"))


def table_data(frame: Any) -> dict[str, Any]:
    """
    Return a table as plain data.

    Parameters
    ----------
    frame : DataFrame or Series
        A named index becomes columns; a Series becomes rows of name and value. Columns that identify a person stay out.

    Returns
    -------
    dict
        ``columns``, ``kinds`` (see `formats.kinds_of`), ``rows`` (lists, absent is None) and ``labels`` (column ->
        name of the config that occurs in it -> words for it).
    """
    if getattr(frame, "ndim", 2) == 1:
        frame = frame.to_frame(frame.name if frame.name is not None else "value").rename_axis(
            frame.index.name or "what"
        )
    if any(level is not None for level in frame.index.names):
        frame = frame.reset_index(allow_duplicates=False)
    frame = frame[[column for column in frame.columns if column not in PERSONAL]]
    columns = [_column_name(column) for column in frame.columns]
    values = {column: list(frame.iloc[:, n]) for n, column in enumerate(columns)}
    kinds = kinds_of(columns, values)
    columns = columns if voice().sells else _without_sales(columns, values, kinds)
    values, kinds = {column: values[column] for column in columns}, {column: kinds[column] for column in columns}
    rows = [[_cell(value) for value in row] for row in zip(*values.values(), strict=True)]
    labels = {column: _labels(column, [row[n] for row in rows]) for n, column in enumerate(columns)}
    labels = {column: words for column, words in labels.items() if words}
    return {"columns": columns, "kinds": kinds, "rows": rows, "labels": labels}


def _labels(column: str, cells: list[Any]) -> dict[str, str]:
    """Return the words for a column's names, where they are others than the names."""
    told = {cell: in_column(column, cell) for cell in cells if isinstance(cell, str)}
    return {cell: told[cell] for cell in sorted(told) if told[cell] != cell}


def _without_sales(columns: list[str], values: Mapping[str, list], kinds: Mapping[str, str]) -> list[str]:
    """Where nothing is sold, orders and amounts that are nothing throughout say nothing: they are left out."""

    def is_idle(column: str) -> bool:
        is_count = column in ("orders", "completing_sessions")
        return (is_count or kinds[column] == "money") and all(
            is_missing(value) or not value for value in values[column]
        )

    idle = {column for column in columns if is_idle(column)}
    completing = "completing_sessions" in idle
    return [
        column for column in columns if column not in idle and not (completing and column.startswith("completing_"))
    ]


def _cell(value: Any) -> Any:
    """Decimals are numbers here; everything else as `findings.plain` has it."""
    return plain(float(value) if type(value).__name__ == "Decimal" else value)


def _column_name(column: Any) -> str:
    return " ".join(str(part) for part in column if part != "") if isinstance(column, tuple) else str(column)


def _figure(thing: Any) -> Any:
    while not hasattr(thing, "savefig"):
        thing = thing.figure if hasattr(thing, "figure") else thing.flat[0]
    return thing


def _title(thing: Any) -> str:
    return next((axes.get_title() for axes in _figure(thing).axes if axes.get_title()), "")


def picture(thing: Any) -> dict[str, Any]:
    """
    Return a figure as base64 and close it.

    Returns
    -------
    dict
        ``svg``, or ``png`` at double size where the SVG is above 300 KB; ``svg_narrow`` for a phone where the figure can be
        drawn again; ``width`` and ``height`` in pixels.
    """
    from conversion_audit.report.figures.style import as_png, as_svg, close, narrow_one

    figure = _figure(thing)
    width, height = (round(side * 96) for side in figure.get_size_inches())
    svg, narrow = as_svg(figure), narrow_one(figure)
    pictures = {"svg": svg} if len(svg) <= LARGEST_SVG else {"png": as_png(figure)}
    if narrow is not None:
        pictures |= {"svg_narrow": as_svg(narrow)} if "svg" in pictures else {}
        close(narrow)
    close(figure)
    coded = {kind: base64.b64encode(data).decode("ascii") for kind, data in pictures.items()}
    return {**coded, "width": width, "height": height}


def _display(bundle: Mapping[str, Any]) -> None:
    try:
        from IPython import get_ipython
        from IPython.display import display
    except ImportError:
        return
    if get_ipython() is None:
        return
    from conversion_audit.report.tables import bundle_html

    data = {MIME: dict(bundle), "text/html": bundle_html(bundle, voice()), "text/plain": _plainly(bundle)}
    display(data, raw=True)


def _plainly(bundle: Mapping[str, Any]) -> str:
    words: Sequence[Any] = (bundle.get("text"), bundle.get("claim"), bundle.get("name"), bundle["kind"])
    return next(str(word) for word in words if word)
