"""Lines that tools write above the header: a report's title, the days it is of, when it was made."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Sequence

MOST_LINES = 20
_FEWEST_COLUMNS, _FEWEST_ALIKE = 3, 0.8


def lines_above(lines: Sequence[str], delimiter: str) -> int:
    """
    Return how many lines stand above the header; 0 where the first line is the header, or none looks like one.

    They are there if the first line has less than half as many fields as the rows below. A header has as many as they,
    each filled, each different, none beginning with a digit. Rows must agree on their number, and have three fields at
    least: else a text with a comma here and there would be taken for a table.

    >>> lines_above(["Report", "October 2026", "Day,Campaign,Clicks", "1,a,2", "2,b,3", "3,a,4"], ",")
    2
    """
    widths = [len(_fields(line, delimiter)) if line.strip() else 0 for line in lines]
    usual = width_of(widths)
    if not usual or not 0 < next((width for width in widths if width), 0) < usual / 2:
        return 0
    for place, line in enumerate(lines[:MOST_LINES]):
        if widths[place] == usual:
            return place if _is_header(_fields(line, delimiter)) else 0
    return 0


def width_of(widths: Sequence[int]) -> int:
    """Return how many fields nearly all lines below the narrow ones have, 0 where they do not agree on three or more."""
    counted = Counter(width for width in widths if width >= _FEWEST_COLUMNS)
    if not counted:
        return 0
    usual, lines = counted.most_common(1)[0]
    first = next(place for place, width in enumerate(widths) if width == usual)
    below = [width for width in widths[first:] if width]
    return usual if lines >= 2 and lines >= _FEWEST_ALIKE * len(below) else 0


def _fields(line: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader([line.rstrip("\r")], delimiter=delimiter), [])
    except csv.Error:
        return []


def _is_header(fields: Sequence[str]) -> bool:
    names = [field.strip() for field in fields]
    return all(name and not name[0].isdigit() for name in names) and len(set(names)) == len(names)
