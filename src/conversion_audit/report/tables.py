"""Tables, definition cards and bundles as HTML: escaped at the source, with a caption and scopes, the same bytes every time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from conversion_audit.report.formats import formatted, is_missing
from conversion_audit.report.voice import Voice, speaking
from conversion_audit.report.words import heading, label, row_label, text, text_or

MOST_ROWS, FEWER_ROWS = 25, 8
LONGEST_CELL = 240
WIDEST, _LONG_TEXT, _BETWEEN = 104, 22, 3
_NUMERIC = {"count", "number", "number1", "number2", "percent", "percent1", "percent2", "points", "money", "duration"}
_ENDINGS = ("_rate", "_share")


def table_html(
    table: Mapping[str, Any], caption: str = "", most: int = MOST_ROWS, chosen: Sequence[str] | None = None
) -> str:
    """
    Return a bundle's table as HTML.

    Parameters
    ----------
    table : mapping
        ``columns``, ``kinds``, ``rows``, ``labels`` as `show.table_data` makes them.
    caption : str
        What the table is; it names it for a screen reader.
    most : int
        Rows shown; the rest is counted below and stands in the workbook.
    chosen : sequence of str, optional
        Columns shown, in this order; otherwise as many as fit on a page.

    Returns
    -------
    str
        A value and its ``*_low`` and ``*_high`` share one cell; a column that is empty throughout is left out, one that
        names the same denominator throughout is said below.
    """
    if not table["rows"]:
        return f'<p class="more">{escape(text("page.no_rows"))}</p>'
    base = _one_base(table)
    kinds = {column: _sharper(table, column, kind) for column, kind in table["kinds"].items()}
    known = [one for one in _columns(table["columns"]) if one[0] != base and not _is_empty(table, one)]
    picked = _chosen(known, chosen or ())
    # Where all that was asked for is empty but the names, the other columns say more.
    shown = picked if len(picked) > 1 else _fitting(known, table, kinds, most)
    head = "".join(_head_cell(column, kinds[column], n) for n, (column, _, _) in enumerate(shown))
    body = "".join(_row(table, row, shown, kinds) for row in table["rows"][:most])
    rest = len(table["rows"]) - most
    has_rate = any(kinds[column].startswith("percent") for column, _, _ in shown)
    notes = [text("page.rates_of", {"base": _values(table, base)[0]})] if base and has_rate else []
    notes += [text("page.more_rows", {"rows": rest})] if rest > 0 else []
    hidden = 0 if shown is picked else len(known) - len(shown)
    notes += [text("page.more_columns", {"columns": hidden})] if hidden else []
    more = f'<p class="more">{escape(" ".join(notes))}</p>' if notes else ""
    title = f"<caption>{escape(caption)}</caption>" if caption else ""
    named = escape(caption or text_or("page.table", "Table"))
    return (
        f'<div class="scroll" tabindex="0" role="group" aria-label="{named}"><table>{title}'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>{more}"
    )


def _is_empty(table: Mapping[str, Any], one: tuple) -> bool:
    """A range is known at times where its middle is not; the first column names the rows and stays."""
    parts = [part for part in one if part]
    return one[0] != table["columns"][0] and all(is_missing(value) for part in parts for value in _values(table, part))


def _chosen(known: Sequence[tuple], chosen: Sequence[str]) -> list[tuple]:
    by_name = {one[0]: one for one in known}
    return [by_name[name] for name in chosen if name in by_name]


def _fitting(known: Sequence[tuple], table: Mapping[str, Any], kinds: Mapping[str, str], most: int) -> list[tuple]:
    """Return the first columns that fit beside each other: a table that is cut says less than one that is short."""
    shown, used = [], 0.0
    for one in known:
        used += _width(one, table, kinds[one[0]], most)
        if shown and used > WIDEST:
            break
        shown.append(one)
    return shown


def _width(one: tuple, table: Mapping[str, Any], kind: str, most: int) -> float:
    """Return about how many letters wide a column is: its longest word at least, long texts wrap."""
    cells = [cell_text(value, kind, table["labels"].get(one[0], {})) for value in _values(table, one[0])[:most]]
    longest = max((len(cell) for cell in cells), default=0)
    words = [*heading(one[0]).split(), *(word for cell in cells for word in cell.split(" "))]
    least = max((len(word) for word in words), default=0)
    wide = longest if kind in _NUMERIC else max(least, min(longest, _LONG_TEXT))
    return max(wide, 15 if one[1] else 0, least) + _BETWEEN


def _one_base(table: Mapping[str, Any]) -> str | None:
    """Return the column that names the rates' denominator, where it is the same in every row."""
    column = next((name for name in ("of", "base") if name in table["columns"][1:]), None)
    values = _values(table, column) if column else []
    return column if len(set(map(str, values))) == 1 and isinstance(values[0], str) else None


def _columns(columns: Sequence[str]) -> list[tuple[str, str | None, str | None]]:
    """Return (column, its low, its high) in order; bounds that belong to a column do not stand alone."""
    found, used = [], set()
    for column in columns:
        low, high = _bounds(column, columns)
        used |= {low, high} - {None}
        found.append((column, low, high))
    return [(column, low, high) for column, low, high in found if column not in used]


def _bounds(column: str, columns: Sequence[str]) -> tuple[str | None, str | None]:
    if any(f"{column}{ending}" in columns for ending in _ENDINGS):
        return None, None
    stems = [column, *(column.removesuffix(ending) for ending in _ENDINGS if column.endswith(ending))]
    if column.endswith("_share") and f"{column.removesuffix('_share')}_rate" in columns:
        stems = [column]  # of a rate and a share of one thing, bare bounds are the rate's
    for stem in stems:
        if f"{stem}_low" in columns and f"{stem}_high" in columns:
            return f"{stem}_low", f"{stem}_high"
    rates = [c for c in columns if c in {"rate", "share", "estimate"} or c.endswith(_ENDINGS)]
    if rates[:1] == [column] and "low" in columns and "high" in columns:
        return "low", "high"
    return None, None


def _sharper(table: Mapping[str, Any], column: str, kind: str) -> str:
    """One column, one number of decimals: small shares get two, the others one."""
    if kind not in {"percent", "number"}:
        return kind
    values = [abs(v) for v in _values(table, column) if not is_missing(v) and not isinstance(v, str)]
    top = max(values, default=0)
    if kind == "number":
        return "number2" if top < 10 else "number1" if top < 100 else "count"
    return "percent2" if top < 0.1 else "percent1"


def _values(table: Mapping[str, Any], column: str) -> list[Any]:
    place = table["columns"].index(column)
    return [row[place] for row in table["rows"]]


def _head_cell(column: str, kind: str, place: int) -> str:
    number = ' class="n"' if kind in _NUMERIC and place else ""
    return f'<th scope="col"{number}>{escape(heading(column))}</th>'


def _row(table: Mapping[str, Any], row: Sequence[Any], shown: Sequence[tuple], kinds: Mapping[str, str]) -> str:
    values = dict(zip(table["columns"], row, strict=True))
    cells = []
    for place, (column, low, high) in enumerate(shown):
        words = escape(cell_text(values[column], kinds[column], table["labels"].get(column, {})))
        if place == 0 and row_label(values[column]) != label(values[column]):
            words = words[:1].upper() + words[1:]
        if place == 0 and is_missing(values[column]):
            words = escape(text("page.all"))
        if low and not is_missing(values[low]) and not is_missing(values[high]):
            bounds = _range_text(values[low], values[high], kinds[column])
            words += f'<br><small class="i">{escape(bounds)}</small>'
        number = ' class="n"' if kinds[column] in _NUMERIC and place else ""
        cells.append(f'<th scope="row">{words}</th>' if place == 0 else f"<td{number}>{words}</td>")
    return f"<tr>{''.join(cells)}</tr>"


def _range_text(low: Any, high: Any, kind: str) -> str:
    """Between numbers with a sign a dash would read as one more sign."""
    ends = {"low": formatted(low, kind), "high": formatted(high, kind)}
    signed = kind == "points" or (not is_missing(low) and not isinstance(low, str) and low < 0)
    return text("figures.interval_words", ends) if signed else " – ".join(ends.values())


def cell_text(value: Any, kind: str, labels: Mapping[str, str]) -> str:
    """Return one cell in words: the client's label for a name, long texts cut."""
    if isinstance(value, str) and kind in {"text", "id", "name"}:
        shown = labels.get(value) or label(value)
    elif isinstance(value, (list, dict)):
        shown = (
            "; ".join(f"{label(k)}: {label(v)}" for k, v in value.items()) if isinstance(value, dict) else label(value)
        )
    else:
        shown = formatted(value, kind)
    return shown if len(shown) <= LONGEST_CELL else f"{shown[: LONGEST_CELL - 1]}…"


def card_html(card: Mapping[str, Any]) -> str:
    """Return a definition card: what was counted, how, and over how many."""
    rows = "".join(
        f"<div><dt>{escape(heading(str(key)))}</dt><dd>{escape(_card_value(str(key), value))}</dd></div>"
        for key, value in card.items()
    )
    return f"<dl>{rows}</dl>"


def _card_value(key: str, value: Any) -> str:
    if isinstance(value, bool):
        return formatted(value, "flag")
    if isinstance(value, (int, float)) and not key.endswith(("rate", "share")):
        return formatted(value, "duration" if key.endswith("seconds") else "number")
    if isinstance(value, str):
        return formatted(text_or(f"values.card.{value}", "") or label(value))
    return cell_text(value, "percent" if isinstance(value, float) else "text", {})


def image_html(bundle: Mapping[str, Any]) -> str:
    """Return a figure's picture: data in the page, its finding as alternative text, on a phone its narrow form."""
    kind = "svg+xml" if "svg" in bundle else "png"
    data = bundle.get("svg") or bundle["png"]
    image = (
        f'<img alt="{escape(bundle.get("alt") or text("page.figure"), quote=True)}" '
        f'width="{int(bundle.get("width", 730))}" height="{int(bundle.get("height", 400))}" '
        f'src="data:image/{kind};base64,{escape(str(data))}">'
    )
    if not bundle.get("svg_narrow"):
        return image
    narrow = f"data:image/svg+xml;base64,{escape(str(bundle['svg_narrow']))}"
    return f'<picture><source media="(max-width:40rem)" srcset="{narrow}">{image}</picture>'


def bundle_html(bundle: Mapping[str, Any], speaker: Voice) -> str:
    """Return a bundle as a notebook shows it; the report lays the same pieces out itself."""
    with speaking(speaker):
        if bundle["kind"] == "text":
            return f'<p style="font-size:1.15em;line-height:1.5;max-width:46em">{escape(bundle["text"])}</p>'
        if bundle["kind"] == "finding":
            from conversion_audit.report.wording import claim_of, next_step_of

            one = bundle["finding"]
            parts = [f"<strong>{escape(one['id'])}</strong> {escape(claim_of(one))}", escape(next_step_of(one) or "")]
            return "".join(f"<p>{part}</p>" for part in parts if part)
        parts = [f"<h4>{escape(bundle['claim'])}</h4>" if bundle.get("claim") else ""]
        if bundle["kind"] == "figure":
            parts.append(image_html(bundle))
        else:
            parts.append(table_html(bundle["table"], bundle.get("name") or ""))
        parts.append(f"<p><em>{escape(bundle['read'])}</em></p>" if bundle.get("read") else "")
        if bundle.get("card"):
            parts.append(
                f"<details><summary>{escape(text('page.definition'))}</summary>{card_html(bundle['card'])}</details>"
            )
        return "".join(parts)
