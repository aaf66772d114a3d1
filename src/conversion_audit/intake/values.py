"""Distinct texts of an export -> clean texts: one row in, one row out, joined back by the value itself."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pandas as pd

from conversion_audit.intake.privacy import mask

ILLEGAL_IDS = frozenset(
    [
        "null",
        "nil",
        "none",
        "undefined",
        "nan",
        "n/a",
        "anonymous",
        "anon",
        "guest",
        "user",
        "visitor",
        "customer",
        "email",
        "e-mail",
        "id",
        "userid",
        "user_id",
        "distinct_id",
        "distinctid",
        "device_id",
        "deviceid",
        "not_authenticated",
        "unauthenticated",
        "unknown",
        "true",
        "false",
        "0",
        "-1",
        "(none)",
        "<none>",
        "[object]",
        "example",
    ]
) | {"", "(not set)", "not set", "[object object]", "(not provided)"}
"""Ids that stand for nobody, lower case. Joining on one of them merges strangers."""

UNKNOWN_TEXTS = frozenset(
    {
        "",
        "(none)",
        "(not set)",
        "not set",
        "(not provided)",
        "(data deleted)",
        "not available in demo dataset",
        "unknown",
        "(unknown)",
        "undefined",
        "null",
        "none",
        "nan",
        "n/a",
    }
)
"""Texts that mean "unknown", lower case. ``NA`` is not among them: as a country it is Namibia."""

_ALL_ZERO = re.compile(r"[0\W_]+")
_CONTROL = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\ud800-\udfff\U000e0000-\U000e007f]"
)
# The two joiners carry meaning between letters of some scripts and inside emoji, and none beside plain Latin.
_JOINER = re.compile("(?<![^\x00-\x7f])[\u200c\u200d]|[\u200c\u200d](?![^\x00-\x7f])")
_SPACE = re.compile(r"\s+")


def tidy(text: str) -> str:
    """
    Return a text in one Unicode form (NFC), without control, zero-width and direction characters, with single spaces.

    >>> tidy("  Cafe\\u0301 \\u202eteid\\u200b ")
    'Café teid'
    """
    if text.isascii() and text.isprintable():
        return _SPACE.sub(" ", text).strip() if "  " in text else text.strip()
    text = _JOINER.sub("", _CONTROL.sub("", text))
    return _SPACE.sub(" ", unicodedata.normalize("NFC", text)).strip()


def unknown(text: str | None) -> str | None:
    """Return the text, or None where it only says that nothing is known (see `UNKNOWN_TEXTS`)."""
    if pd.isna(text):
        return None
    return None if text.strip().lower() in UNKNOWN_TEXTS else text


def is_illegal_id(text: str | None) -> bool:
    """Say whether an id stands for nobody: missing, one of `ILLEGAL_IDS` in any case or quotes, or nothing but zeros."""
    if pd.isna(text):
        return True
    plain = tidy(str(text)).strip(" \"'`´‘’“”").lower()
    return plain in ILLEGAL_IDS or bool(_ALL_ZERO.fullmatch(plain))


def texts(values: Iterable[str | None]) -> pd.DataFrame:
    """
    Clean titles, search terms, errors, campaigns and other free texts.

    Parameters
    ----------
    values : iterable of str
        Distinct values. Missing ones are left out.

    Returns
    -------
    DataFrame
        One row per value::

            value                        clean             masked  kinds
            Hello jo@example.com         Hello [email]          1  email

        `masked` counts the pieces of personal data that were replaced, `kinds` names each kind once, in order of name
        (empty: none). `clean` is missing where nothing readable is left.
    """
    rows = []
    for value in distinct(values):
        clean, found = mask(tidy(value))
        rows.append((value, clean or None, sum(found.values()), " ".join(sorted(found))))
    return _frame(rows, ["value", "clean", "masked", "kinds"])


def objects(values: Iterable[str | None], key: bytes) -> pd.DataFrame:
    """
    Clean objects written as JSON, name by name and value by value, so that they stay objects; ``lead_id`` is an id (see `ids`).

    Returns
    -------
    DataFrame
        One row per value, as `texts` gives it::

            value                                 clean                         masked  kinds
            {"phone":4915112345678,"n":1}         {"phone":"[phone]","n":1}          1  phone
    """
    rows = []
    for value in distinct(values):
        found: dict[str, int] = {}
        read = json.loads(value)
        if (
            isinstance(read, dict)
            and isinstance(lead := read.get("lead_id"), str)
            and (hashed := _id(lead, key)) != lead
        ):
            _noted(mask(tidy(lead)), found)
            read["lead_id"] = hashed
        clean = json.dumps(_object(read, "", found), ensure_ascii=False, separators=(",", ":"))
        rows.append((value, clean, sum(found.values()), " ".join(sorted(found))))
    return _frame(rows, ["value", "clean", "masked", "kinds"])


def _object(value: Any, name: str, found: dict[str, int]) -> Any:
    """A value without personal data. Its name is read with it: what ``phone`` or ``token`` names is told by that."""
    if isinstance(value, Mapping):
        return {_noted(mask(key), found): _object(inner, key, found) for key, inner in value.items()}
    if isinstance(value, list):
        return [_object(inner, name, found) for inner in value]
    if value is None or isinstance(value, bool):
        return value
    text = tidy(str(value))
    named, kinds = mask(f"{name}={text}")
    if kinds and named.startswith(f"{name}="):
        return _noted((named.removeprefix(f"{name}="), kinds), found)
    clean = _noted(mask(text), found)
    return value if clean == text and not isinstance(value, str) else clean


def _noted(masked: tuple[str, dict[str, int]], found: dict[str, int]) -> str:
    text, kinds = masked
    for kind, pieces in kinds.items():
        found[kind] = found.get(kind, 0) + pieces
    return text


def ids(values: Iterable[str | None], key: bytes) -> pd.DataFrame:
    """
    Replace ids that are themselves personal data by a keyed hash.

    Parameters
    ----------
    values : iterable of str
        Distinct ids. Missing ones are left out.
    key : bytes
        The client's own key: without it nobody can test whether an address is among the ids.

    Returns
    -------
    DataFrame
        One row per id::

            value              clean                 masked
            jo@example.com     h:0e1cbe71f6a0b21d         1
            0012               0012                       0

        An id that is an e-mail address or a phone number becomes ``h:`` and 32 hex digits, the same for the same address
        in any case; an id that contains one, a card number or a secret key, likewise. Every other id is left exactly as it is.
    """
    cleaned = ((value, _id(value, key)) for value in distinct(values))
    return _frame([(value, clean, int(clean != value)) for value, clean in cleaned], ["value", "clean", "masked"])


def _id(value: str, key: bytes) -> str:
    found = mask(tidy(value))[1] if _may_be_personal(value) else {}
    return "h:" + _keyed(value, key) if found.keys() & {"email", "phone", "card", "iban", "jwt", "key"} else value


def _may_be_personal(value: str) -> bool:
    # A plain run of digits is an id, whatever a phone number may look like; so is a number with a point in it.
    return not re.fullmatch(r"[\d.]+", value)


def _keyed(value: str, key: bytes) -> str:
    plain = tidy(value).casefold()
    if "@" not in plain:
        plain = re.sub(r"[^\w+]", "", plain)
    return hmac.new(key, plain.encode(), hashlib.sha256).hexdigest()[:32]


def page_types(pages: Iterable[str | None], patterns: Mapping[str, Sequence[str]]) -> pd.DataFrame:
    """
    Give each page its type.

    Parameters
    ----------
    pages : iterable of str
        Distinct clean pages.
    patterns : mapping
        Page type -> patterns, in the config's order; `*` is any text, case is ignored.

    Returns
    -------
    DataFrame
        One row per page: page, page_type. The first type with a matching pattern wins; missing where none matches.
    """
    rules = [
        (name, re.compile("|".join(f"(?:{_regex(pattern)})" for pattern in several), re.DOTALL))
        for name, several in patterns.items()
        if several
    ]
    rows = []
    for page in distinct(pages):
        lower = page.lower()
        rows.append((page, next((name for name, rule in rules if rule.fullmatch(lower)), None)))
    return _frame(rows, ["page", "page_type"])


def _pattern(pattern: str) -> str:
    """Patterns follow the pages: one Unicode form, lower case, no slash at the end of a path."""
    plain = tidy(pattern).lower()
    return plain.rstrip("/") or "/" if plain.startswith("/") else plain


def _regex(pattern: str) -> str:
    return ".*".join(map(re.escape, re.split(r"\*+", _pattern(pattern))))


def distinct(values: Iterable[str | None]) -> list[str]:
    """Keep order, drop repeats and missing values."""
    return [str(value) for value in pd.Series(list(values), dtype=object).dropna().drop_duplicates()]


def _frame(rows: list[tuple], columns: list[str]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=columns, dtype=object)
    return frame.astype({"masked": "int64"}) if "masked" in columns else frame
