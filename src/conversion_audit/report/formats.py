"""Values -> what a client reads: counts, shares, money, durations and dates in the client's own way of writing."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from functools import lru_cache
from typing import Any

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_datetime
from babel.numbers import format_compact_decimal, format_currency, format_decimal, format_percent
from babel.units import format_unit

from conversion_audit.report.voice import voice

UNKNOWN = "–"
KINDS = (
    "text", "id", "name", "count", "number", "number1", "number2", "percent", "percent0", "percent1", "percent2",
    "points", "money", "money2", "cost", "duration", "date", "month", "time", "flag", "short",
)  # fmt: skip
_MONEY = ("amount", "price", "spend", "cost")
_SYMBOLS = {"hour": "h", "minute": "min", "second": "s"}
_UNITS = (("day", 86400), ("hour", 3600), ("minute", 60), ("second", 1))


def is_missing(value: Any) -> bool:
    """Return whether a value is None, NaN, NaT or infinite: all of them unknown to a reader."""
    if value is None or str(value) in {"NaT", "<NA>"}:
        return True
    try:
        return not math.isfinite(value)
    except (TypeError, ValueError, OverflowError):
        return False


def formatted(value: Any, kind: str = "text") -> str:
    """
    Return a value as the client reads it; `UNKNOWN` where there is none.

    Parameters
    ----------
    value : object
        Rates are fractions, durations seconds, dates date-like or ISO text.
    kind : str
        One of `KINDS`.

    Returns
    -------
    str
        Plain text, not escaped: ``formatted(0.0397, "percent")`` is ``"4.0%"``.
    """
    if is_missing(value):
        return UNKNOWN
    write = _WRITERS.get(kind, _text)
    try:
        shown = write(value)
        return f"−{shown[1:]}" if shown.startswith("-") and write is not _text else shown
    except (TypeError, ValueError, OverflowError, ArithmeticError):
        return _text(value)


@lru_cache
def _locale(name: str) -> Locale:
    try:
        return Locale.parse(name)
    except (ValueError, UnknownLocaleError):
        return Locale.parse("en_GB")


def _here() -> Locale:
    return _locale(voice().writes)


def _text(value: Any) -> str:
    """Control characters would hide or reorder what stands around them: out, and right-to-left text is isolated."""
    kept = "".join(" " if c in "\t\r\n" else c for c in str(value) if c in "\t\r\n" or not _hides(c))
    return f"\u2068{kept}\u2069" if any(unicodedata.bidirectional(c) in {"R", "AL"} for c in kept) else kept


def _hides(character: str) -> bool:
    return unicodedata.category(character) in {"Cc", "Cs", "Co"} or character in _DIRECTIONS


_DIRECTIONS = "\u200e\u200f\u061c\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200b\ufeff"


def _count(value: Any) -> str:
    return format_decimal(round(value), format="#,##0", locale=_here())


def _number(value: Any) -> str:
    size = abs(value)
    places = 0 if size >= 100 or value == round(value) else 1 if size >= 10 else 2
    return _decimal(value, places)


def _decimal(value: Any, places: int) -> str:
    return format_decimal(value, format="#,##0" + ("." + "0" * places if places else ""), locale=_here())


def _percent(value: Any, places: int | None = None) -> str:
    """A share that is not nothing is not shown as nothing: 18 of 60,000 are 0.03%, where others in the column have one place."""
    least = (
        (0 if abs(value) >= 0.0995 or value == 0 else 1 if abs(value) >= 0.00095 else 2) if places is None else places
    )
    places = next((n for n in range(least, 5) if abs(value) * 100 > 0.5 * 10**-n), least)
    pattern = _here().percent_formats[None].pattern
    digits = "#,##0" + ("." + "0" * places if places else "")
    return format_percent(value, format=digits + pattern[pattern.index("0") + 1 :], locale=_here())


def _points(value: Any) -> str:
    """Below one point a second decimal: a range that ends at 0.03 does not hold zero, and 0.0 would say it does."""
    size = abs(value) * 100
    sign = "±" if size < 0.005 else "+" if value > 0 else "−"
    shown = _decimal(size, 1 if size < 0.005 or size >= 0.995 else 2)
    return f"{sign}{shown}\u00a0{'Pp.' if voice().language == 'de' else 'pts'}"


def _money(value: Any, places: int | None = None) -> str:
    places = (0 if abs(value) >= 100 or value == 0 else 2) if places is None else places
    pattern = _here().currency_formats["standard"].pattern.split(";")[0]
    pattern = pattern.replace("#,##,##0.00", "#,##0.00").replace("0.00", "0" + ("." + "0" * places if places else ""))
    return format_currency(value, voice().currency, format=pattern, locale=_here(), currency_digits=False)


def _cost(value: Any) -> str:
    """Two significant digits: more would claim to know what the interval denies."""
    return _money(float(f"{value:.2g}"))


def _duration(value: Any) -> str:
    if hasattr(value, "total_seconds"):
        value = value.total_seconds()
    seconds = float(value)
    if 0 < abs(seconds) < 10:
        return _unit(round(seconds, 1), "second")
    rest, parts = round(abs(seconds)), []
    for unit, size in _UNITS:
        amount, rest = divmod(rest, size)
        if amount or (parts and unit != "second"):
            parts.append((amount, unit))
        if len(parts) == 2:
            break
    shown = [_unit(amount, unit) for amount, unit in parts if amount] or [_unit(0, "second")]
    return ("−" if seconds < 0 else "") + " ".join(shown)


def _unit(amount: float, unit: str) -> str:
    if unit == "day":
        return format_unit(amount, "duration-day", length="long", locale=_here()).replace(" ", "\u00a0")
    return f"{_number(amount)}\u00a0{_SYMBOLS[unit]}"


def as_date(value: Any) -> date:
    """Return the day of a date, time, pandas timestamp or ISO text."""
    if isinstance(value, str):
        return datetime.fromisoformat(value).date()
    return value.date() if isinstance(value, datetime) else value


def _date(value: Any) -> str:
    return format_date(as_date(value), format="medium", locale=_here())


def _month(value: Any) -> str:
    return format_date(as_date(value), format="LLLL y", locale=_here())


def _time(value: Any) -> str:
    moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    return format_datetime(moment, format="medium", locale=_here())


def _flag(value: Any) -> str:
    words = {"de": ("ja", "nein")}.get(voice().language, ("yes", "no"))
    return words[1] if str(value).lower() in {"false", "0", "0.0", "no", ""} else words[0]


def _short(value: Any) -> str:
    """Large numbers on an axis: 1.2K, 3 Mio."""
    return _number(value) if abs(value) < 10000 else format_compact_decimal(value, fraction_digits=1, locale=_here())


_WRITERS = {
    "count": _count,
    "number": _number,
    "number1": lambda value: _decimal(value, 1),
    "number2": lambda value: _decimal(value, 2),
    "percent": _percent,
    "percent0": lambda value: _percent(value, 0),
    "percent1": lambda value: _percent(value, 1),
    "percent2": lambda value: _percent(value, 2),
    "points": _points,
    "money": _money,
    "money2": lambda value: _money(value, 2),
    "cost": _cost,
    "duration": _duration,
    "date": _date,
    "month": _month,
    "time": _time,
    "flag": _flag,
    "short": _short,
}


def period_text(start: Any, end: Any) -> str:
    """Return a period as one phrase: ``2 March – 26 April 2026``."""
    start, end = as_date(start), as_date(end)
    first = format_date(start, format="long", locale=_here())
    last = format_date(end, format="long", locale=_here())
    year = str(start.year)
    if start == end:
        return last
    if start.year == end.year and first.endswith(year):
        first = first.removesuffix(year).rstrip(" ,")
    return f"{first} – {last}"


def kinds_of(names: Iterable[str], samples: Mapping[str, Any]) -> dict[str, str]:
    """
    Return the kind of each column of a table, from its name and one column of values.

    ``*_rate`` and ``*_share`` are percent, ``revenue*``, ``margin_*``, ``*_value``, ``*_cost`` and ``amount`` money, ``*seconds``
    durations, ``*_low`` and ``*_high`` what the column they surround is; whole numbers are counts.

    Parameters
    ----------
    names : iterable of str
        Column names in order.
    samples : mapping
        Column name -> list of its values.
    """
    names = list(names)
    has_rate = any(_by_name(name) == "percent" for name in names)
    return {
        name: _by_name(name) or _bound(name, names, has_rate, samples) or _by_value(samples[name]) for name in names
    }


def _by_name(name: str) -> str | None:
    stem = _stem(name)
    if stem in {"rate", "share", "tie_share", "rate_before", "rate_after", "rate_elsewhere"} or stem.endswith(
        ("_rate", "_share", "_of_total")
    ):
        return "percent"
    if stem.endswith("_points") or stem in {"points", "rate_difference", "difference_rate"}:
        return "points"
    if stem in _MONEY or stem.startswith(("revenue", "margin_", "value_", "cost_per")):
        return "money"
    if stem.endswith(("_revenue", "_value", "_cost", "_price", "_spend")):
        return "money"
    if stem.endswith("seconds") or stem.startswith("seconds"):
        return "duration"
    if stem in {"date", "day", "since", "until", "expires", "week"} or stem.endswith("_date"):
        return "date"
    if stem.startswith(("is_", "has_")) or stem == "significant":
        return "flag"
    return "id" if name.endswith("_id") and not name.startswith(("with_", "without_")) else None


def _stem(name: str) -> str:
    return name.removesuffix("_low").removesuffix("_high").removesuffix("_lower").removesuffix("_upper")


_DIFFERENCES = {"difference", "rate_change", "change", "mix"}
_BESIDE_RATES = {"low", "high", "lower", "upper", "estimate", "target", "benchmark", "expected"}


def _bound(name: str, names: list[str], has_rate: bool, samples: Mapping[str, Any]) -> str | None:
    if name not in _BESIDE_RATES and _stem(name) in {name} - _DIFFERENCES:
        return None
    if _stem(name) != name and f"{_stem(name)}_rate" in names:
        return "percent"
    values = [value for value in samples[name] if isinstance(value, float) and not is_missing(value)]
    within = all(-1 <= value <= 1 for value in values)
    if not (has_rate and values and within):
        return None
    if _stem(name) in _DIFFERENCES:
        return "points"
    return "percent" if _stem(name) not in names or _stem(name) == name else None


def _by_value(values: Iterable[Any]) -> str:
    known = [value for value in values if not is_missing(value)]
    if not known:
        return "text"
    if all(isinstance(value, bool) or type(value).__name__ == "bool_" for value in known):
        return "flag"
    if all(isinstance(value, datetime) for value in known):
        return "date" if all(value.time().isoformat() == "00:00:00" for value in known) else "time"
    if all(isinstance(value, date) for value in known):
        return "date"
    if all(hasattr(value, "__float__") and not isinstance(value, str) for value in known):
        whole = all(float(value).is_integer() for value in known)
        return "count" if whole else "number"
    return "text"
