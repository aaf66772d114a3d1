"""The sentences of the report: read from ``texts/*.<language>.toml``, filled with typed values from one record."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from babel import Locale
from babel.lists import format_list

from conversion_audit.errors import ConfigError, Problem, closest
from conversion_audit.report.formats import KINDS, UNKNOWN, formatted, is_missing
from conversion_audit.report.voice import voice

TEXTS = Path(__file__).parent / "texts"
LANGUAGES = {"en": "en_GB", "de": "de_DE"}
"""Language -> the locale in which it lists things."""
_STOPPED, _PARTED = "stopped_at_", {"segment": (", ", ", "), "path": (" > ", " › ")}
_BRANDS = {"Jordan", "Chad", "Georgia", "Cuba", "Malta", "Unknown Region"}
_OWN_WORDS = {"owner": "page.team", "gate": "page.check"}
_PAGES = {
    "node",
    "target_node",
    "most_next",
    "other",
    "did",
    "begins",
    "ends",
    "page_type",
    "landing_page_type",
    "path",
}
"""Columns and placeholders that hold kinds of page."""
_SHARED = ("columns", "values", "page_kinds")
_PLACEHOLDER = re.compile(r"\{(\w+)(?::(\w+))?(?: ([^{}|]*)\|([^{}|]*))?\}")


@lru_cache
def sentences(language: str) -> dict[str, str]:
    """
    Return every sentence of a language: ``<file>.<key>`` -> sentence; tables inside a file add one more part.

    The sections ``[columns]``, ``[values]`` and ``[page_kinds]`` of any file are merged under these names.
    """
    found: dict[str, str] = {}
    for path in sorted(TEXTS.glob(f"*.{language}.toml")):
        module = path.name.split(".")[0]
        for key, value in _flat(tomllib.loads(path.read_text(encoding="utf-8"))).items():
            found[key if key.split(".")[0] in _SHARED else f"{module}.{key}"] = value
    return found


def _flat(data: Mapping[str, Any], before: str = "") -> dict[str, str]:
    flat: dict[str, str] = {}
    for key, value in data.items():
        if isinstance(value, Mapping):
            flat |= _flat(value, f"{before}{key}.")
        else:
            flat[f"{before}{key}"] = str(value)
    return flat


def text(key: str, record: Any = None) -> str:
    """
    Return one sentence, filled from a record, in the language of the report.

    A placeholder is ``{name}`` (a name of the config becomes its label, anything else is shown as text),
    ``{name:kind}`` with a kind of `formats.KINDS`, or ``{name:count session|sessions}``: a count with the
    word that fits it. A key may have a wording for one kind of site: ``<key>_shop`` is taken for a shop.

    Parameters
    ----------
    key : str
        ``<file>.<key>``, e.g. ``"funnel.headline"``.
    record : mapping, Series or one-row DataFrame, optional
        Where the values come from.

    Returns
    -------
    str
        Plain text; whoever renders it escapes it.

    Raises
    ------
    ConfigError
        For an unknown key, or a placeholder the record does not hold.
    """
    known = sentences(voice().language)
    sentence = _worded(key)
    if sentence is None:
        raise ConfigError(
            Problem(f"no text {key!r}{closest(key, known)}", f"report/texts/*.{voice().language}.toml", mend="Add it.")
        )
    values = as_record(record)
    missing = sorted({name for name, *_ in _PLACEHOLDER.findall(sentence)} - set(values))
    if missing:
        raise ConfigError(
            Problem(
                f"text {key!r} needs {', '.join(missing)}", mend=f"The record holds: {', '.join(values) or 'nothing'}"
            )
        )
    return _PLACEHOLDER.sub(lambda found: _fill(found, values), sentence)


def _worded(key: str) -> str | None:
    """A sentence, header or value in the words for this kind of site, else in those for all."""
    known = sentences(voice().language)
    return known.get(f"{key}_{voice().site}", known.get(key))


def has_text(key: str) -> bool:
    """Return whether there is a sentence of this key."""
    return key in sentences(voice().language)


def placeholders(sentence: str) -> list[tuple[str, str]]:
    """Return the (name, kind) pairs of a sentence, sorted: what both languages must share."""
    return sorted((name, kind or "text") for name, kind, *_ in _PLACEHOLDER.findall(sentence))


def as_record(record: Any) -> dict[str, Any]:
    """Return a mapping, a Series, a one-row DataFrame or an object with fields as a plain dict."""
    if record is None:
        return {}
    if hasattr(record, "to_dict") and hasattr(record, "iloc"):
        if getattr(record, "ndim", 1) == 2:
            return {} if not len(record) else dict(record.iloc[0])
        return dict(record)
    if isinstance(record, Mapping):
        return dict(record)
    return dict(vars(record))


def _fill(found: re.Match[str], values: Mapping[str, Any]) -> str:
    name, kind, one, many = found.groups()
    value = values[name]
    if kind is None:
        shown = in_column(name, value) if not is_missing(value) else text_or("page.unknown", UNKNOWN)
        # A word of ours that begins a sentence; the client's own names stay as they are written.
        is_ours = is_missing(value) or (isinstance(value, str) and _worded(f"values.{value}") == shown)
        return shown[:1].upper() + shown[1:] if is_ours and not found.start() else shown
    if kind not in KINDS:
        raise ConfigError(
            Problem(f"placeholder {{{name}:{kind}}} has no such format", mend=f"One of: {', '.join(KINDS)}")
        )
    shown = formatted(value, kind) if not is_missing(value) else text_or("page.unknown", UNKNOWN)
    if many is None:
        return shown
    return f"{shown}\u00a0{one if shown == formatted(1, kind) else many}"


def text_or(key: str, otherwise: str) -> str:
    """Return a sentence without placeholders, or something else where there is none."""
    return _worded(key) or otherwise


def label(value: Any) -> str:
    """Return a name of the config or a fixed value of the analysis as the client reads it; other values as they are."""
    if isinstance(value, (list, tuple)):
        return format_list([label(part) for part in value], locale=LANGUAGES[voice().language])
    if not isinstance(value, str):
        return formatted(value, "number" if isinstance(value, float) else "text")
    if value in voice().labels:
        return formatted(voice().labels[value])
    if value.startswith(_STOPPED) and value.removeprefix(_STOPPED) in voice().labels:
        return text("page.stopped_at", {"step": value.removeprefix(_STOPPED)})
    return formatted(_worded(f"values.{value}") or _countries(voice().language).get(value) or value)


@lru_cache
def _countries(language: str) -> dict[str, str]:
    """Return each country's English name, as analytics tools write it, in a language; those that name brands as well stay."""
    english, own = Locale("en").territories, Locale(language).territories
    return {name: own.get(code, name) for code, name in english.items() if code.isalpha() and name not in _BRANDS}


def in_column(column: str, value: Any) -> str:
    """Return a value as the client reads it in this column: a team, check or page is no step of its name, a segment or way has parts."""
    if not isinstance(value, str):
        return label(value)
    if column in _OWN_WORDS:
        return text_or(f"{_OWN_WORDS[column]}.{value}", label(value))
    if column in _PARTED:
        between, shown = _PARTED[column]
        parts = value.split(between)
        return shown.join(map(page_kind if column in _PAGES else label, parts))
    return page_kind(value) if column in _PAGES else label(value)


def page_kind(value: str) -> str:
    """Return a kind of page as the client reads it, never in the words of a step or intent that has the same name."""
    if value not in voice().pages:
        return label(value)
    return formatted(text_or(f"page_kinds.{value}", value.replace("_", " ").capitalize()))


def row_label(value: Any) -> str:
    """Return a value as it stands at the head of a row: our own words begin with a capital, the client's as they are."""
    shown = label(value)
    ours = isinstance(value, str) and value not in voice().labels and (shown != value or _worded(f"values.{value}"))
    return shown[:1].upper() + shown[1:] if ours else shown


def heading(column: str) -> str:
    """Return a column's name as a table header."""
    known = _worded(f"columns.{column}")
    if known:
        return known
    for ending in ("_low", "_high"):
        if column.endswith(ending) and column != ending[1:]:
            base = column.removesuffix(ending)
            base = f"{base}_rate" if f"columns.{base}_rate" in sentences(voice().language) else base
            return f"{heading(base)} ({text_or(f'page.{ending[1:]}', ending[1:])})"
    return label(column) if column in voice().labels else formatted(column.replace("_", " ").strip().capitalize())
