"""The text of statements: sections of ``.sql`` files, names quoted, patterns written as SQL writes them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path

_SECTION = re.compile(r"^-- name: *(\w+) *$", re.MULTILINE)


@lru_cache
def sections(path: str) -> dict[str, str]:
    """Return the statements of a ``.sql`` file by the names of their sections."""
    text = Path(path).read_text(encoding="utf-8")
    parts = _SECTION.split(text)
    return dict(zip(parts[1::2], (part.strip().rstrip(";") for part in parts[2::2]), strict=True))


def statement(module_file: str, name: str, *, stem: str | None = None) -> str:
    """
    Return the section `name` of the ``.sql`` file beside a module.

    Parameters
    ----------
    module_file : str
        The module's ``__file__``; ``funnel.py`` reads ``funnel.sql``.
    name : str
        The section's name, from its line ``-- name: ...``.
    stem : str, optional
        Another file of the same folder, e.g. ``ga4.duckdb``.
    """
    path = Path(module_file)
    return sections(str(path.with_name(f"{stem or path.stem}.sql")))[name]


def quoted(identifier: str) -> str:
    """Return an SQL identifier for a column or table name, safe whatever it contains."""
    return '"' + identifier.replace('"', '""') + '"'


def literal(text: str) -> str:
    """Return a text as SQL writes it, for the few places that take no parameter."""
    return "'" + text.replace("'", "''") + "'"


def grouping_sets(columns: Iterable[Sequence[str]]) -> str:
    """
    Return the text of GROUPING SETS for lists of columns, each name quoted.

    >>> grouping_sets([[], ["device"], ["device", "country"]])
    '((), ("device"), ("device", "country"))'
    """
    return "(" + ", ".join("(" + ", ".join(map(quoted, names)) + ")" for names in columns) + ")"


def like(pattern: str) -> str:
    r"""
    Return a config pattern as lower-case text for ``LIKE ... ESCAPE '\'``: `*` is any text.

    Patterns follow pages: one Unicode form, no slash at the end of a path.

    >>> like("/Help_*/")
    '/help\\_%'
    """
    plain = unicodedata.normalize("NFC", pattern).strip().lower()
    if plain.startswith("/"):
        plain = plain.rstrip("/") or "/"
    return re.sub(r"\*+", "%", re.sub(r"([\\%_])", r"\\\1", plain))
