"""The path of an address -> a page: decoded, in one form, ids as ``:n``, personal data masked."""

from __future__ import annotations

import re
from functools import lru_cache
from urllib.parse import unquote_to_bytes

from conversion_audit.intake.privacy import is_opaque, mask
from conversion_audit.intake.values import tidy

_ID_WORDS = (
    r"orders?|bestell(?:ung|nummer|nr)|invoices?|rechnung|users?|customers?|kunden?|accounts?|carts?|sessions?|tickets?|rma|"
    r"returns?|retoure|bookings?|reservations?|quotes?|ref|id|uid|tracking|shipments?|sendung|receipts?|transactions?|payments?"
)
_ID_AFTER_WORD = re.compile(rf"(?i)((?:{_ID_WORDS})[-_.:=]?)#?[a-z]{{0,3}}[-_]?\d{{4,}}(?:[-_]\d+)*")
_ID_WORD = re.compile(rf"(?i){_ID_WORDS}")
_ONE_ID = re.compile(r"(?i)#?[a-z]{0,5}(?:[-_. ]?\d+)+[a-z]?")
_YEAR = re.compile(r"(?:19|20)\d\d")
_LONG_NUMBER = re.compile(r"\d{10,}")
_NUMBER = re.compile(r"[-+]?\d{3,}(?:[-_.]\d+)*")
_ENDING = re.compile(r"\.[A-Za-z][A-Za-z0-9]{1,4}")
_MATRIX = re.compile(r"(?i);[a-z_]+=[^/]*")
_PARTS = 400


@lru_cache(maxsize=1 << 16)
def page_of(path: str) -> tuple[str, dict[str, int]]:
    """Return the page of a path and the personal data found in it; rules as in `pages.pages`."""
    segments = re.split(r"[/\\]+", path.strip("/\\ "), maxsplit=_PARTS)
    parts, before = [], ""
    for segment in segments:
        text = _decoded_segment(_MATRIX.sub("", segment) if ";" in segment else segment)
        parts.append(_segment(text, bool(_ID_WORD.fullmatch(before))))
        before = text
    clean, found = mask("/" + "/".join(parts))
    return re.sub(r"/{2,}", "/", clean).rstrip("/") or "/", found


def decoded(text: str) -> str:
    """Percent-decode a text: UTF-8, else Windows' Western letters."""
    if "%" not in text:
        return tidy(text)
    raw = unquote_to_bytes(text)
    try:
        return tidy(raw.decode())
    except UnicodeDecodeError:
        return tidy(raw.decode("cp1252", errors="replace"))


def _decoded_segment(text: str) -> str:
    """Percent-decode one segment; what would split the address stays encoded."""
    if "%" in text:
        text = decoded(text)
        for char, code in (("/", "%2F"), ("?", "%3F"), ("#", "%23")):
            text = text.replace(char, code)
    return text


def _segment(text: str, after_id_word: bool = False) -> str:
    """Template one segment: numbers of three and more digits, machine ids, and numbers behind a word such as order."""
    digits = sum(map(str.isdigit, text))
    if digits < 3:
        return text
    ending = _ENDING.search(text, max(0, len(text) - 6))
    stem = text[: ending.start()] if ending and ending.end() == len(text) else text
    behind = text[len(stem) :]
    if after_id_word and _ONE_ID.fullmatch(stem):
        return ":n" + behind
    if _YEAR.fullmatch(stem):
        return text
    if is_opaque(stem) or (_NUMBER.fullmatch(stem) and not _is_personal(stem)):
        return ":n" + behind
    after_word = _ID_AFTER_WORD.fullmatch(stem)
    if after_word:
        return f"{after_word[1]}:n{behind}"
    return text if _is_personal(text) else _LONG_NUMBER.sub(":n", text)


def _is_personal(text: str) -> bool:
    return bool(mask(text)[1])
