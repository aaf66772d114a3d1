"""Counts as tools write them: whole or not, with marks between thousands, with either decimal mark."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

_MARKS = ".,'\u2019\u00a0\u202f "


@lru_cache
def _pattern(decimal: str) -> re.Pattern[str]:
    between = re.escape(_MARKS.replace(decimal, ""))
    return re.compile(rf"(\d+|\d{{1,3}}([{between}])\d{{3}}(?:\2\d{{3}})*)(?:{re.escape(decimal)}(\d+))?")


def decimal_of(text: str) -> str | None:
    """
    Return the only decimal mark with which a count can be read, or None where it can be read with both or with none.

    >>> decimal_of("98,50"), decimal_of("1,234,567"), decimal_of("1.234")
    (',', '.', None)
    """
    possible = [mark for mark in ".," if _pattern(mark).fullmatch(text)]
    return possible[0] if len(possible) == 1 else None


def common_decimal(texts: Iterable[object]) -> str | None:
    """Return the decimal mark of counts that were written together, or None where they do not agree on one."""
    found = {decimal_of(str(text).strip()) for text in texts} - {None}
    return found.pop() if len(found) == 1 else None


def number(text: object, decimal: str | None = None) -> float | None:
    """
    Return a count, or None for what is no number.

    Tools that share a sale among several clicks count parts of it. Three digits behind a mark that may be either are
    thousands, unless `decimal` says otherwise.

    >>> number("12.345"), number("98,50"), number("1.234", decimal="."), number("many")
    (12345.0, 98.5, 1.234, None)
    """
    plain = str(text).strip() if text is not None else ""
    match = _pattern(decimal or decimal_of(plain) or ("," if "." in plain else ".")).fullmatch(plain)
    return float(re.sub(r"\D", "", match[1]) + "." + (match[3] or "0")) if match else None
