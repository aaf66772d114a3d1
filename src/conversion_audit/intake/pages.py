"""Distinct addresses -> host, page, campaign tags, click ids and search term of each."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple
from urllib.parse import unquote_to_bytes

import pandas as pd

from conversion_audit.intake.privacy import is_opaque, mask
from conversion_audit.intake.values import distinct, tidy

CLICK_IDS = {
    "gclid": ("google", "cpc"),
    "gbraid": ("google", "cpc"),
    "wbraid": ("google", "cpc"),
    "dclid": ("google", "display"),
    "msclkid": ("bing", "cpc"),
    "fbclid": ("facebook", "social"),
    "ttclid": ("tiktok", "cpc"),
    "twclid": ("twitter", "cpc"),
    "li_fat_id": ("linkedin", "cpc"),
    "sccid": ("snapchat", "cpc"),
    "rdt_cid": ("reddit", "cpc"),
    "epik": ("pinterest", "social"),
    "yclid": ("yandex", "cpc"),
    "srsltid": ("google", "organic"),
    "awc": ("awin", "affiliate"),
    "irclickid": ("impact", "affiliate"),
    "mc_eid": ("mailchimp", "email"),
    "_kx": ("klaviyo", "email"),
    "_hsenc": ("hubspot", "email"),
}
"""Parameters that advertisers append, and the source and medium they stand for where the address has no utm tags."""

SEARCH_PARAMETERS = (
    "q",
    "s",
    "query",
    "search",
    "search_query",
    "searchterm",
    "search_term",
    "searchtext",
    "keyword",
    "keywords",
    "term",
    "suche",
    "suchbegriff",
    "ssearch",
    "recherche",
    "buscar",
    "busqueda",
    "zoeken",
    "zoekterm",
    "cerca",
    "ntt",
)

_READ = frozenset((*SEARCH_PARAMETERS, "utm_source", "utm_medium", "utm_campaign"))
_COLUMNS = [
    "value",
    "host",
    "page",
    "utm_source",
    "utm_medium",
    "utm_campaign",
    "click_source",
    "click_medium",
    "search_term",
    "masked",
    "kinds",
]
_ADDRESS = re.compile(
    r"(?:([A-Za-z][A-Za-z0-9+.-]*):(?=//))?(?://([^/?#\\]*))?([^?#]*)(?:\?([^#]*))?(?:#(.*))?", re.DOTALL
)
_OPAQUE = re.compile(r"(?i)(mailto|tel|sms|javascript|data|about|blob|file|chrome|intent|whatsapp):")
_BARE_HOST = re.compile(r"(?i)(?:[\w-]+\.)+([a-z]{2,24})\.?(?::\d+)?(?=/|$)")
_FILES = frozenset(
    [
        "html",
        "htm",
        "xhtml",
        "php",
        "php5",
        "asp",
        "aspx",
        "jsp",
        "jspx",
        "do",
        "cfm",
        "cgi",
        "xml",
        "json",
        "pdf",
        "jpg",
        "jpeg",
        "png",
        "gif",
        "svg",
        "txt",
        "js",
        "css",
        "axd",
    ]
)
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
_SECRET_NAME = re.compile("token|auth|key|pass|pwd|secret|sign|sess|otp|code|hash|tel|phone|mobil")
_PARTS = 400


class _Parts(NamedTuple):
    host: str
    path: str
    query: str
    route: str


def pages(urls: Iterable[str | None], *, keep: Sequence[str] = (), own_hosts: Collection[str] = ()) -> pd.DataFrame:
    """
    Read addresses.

    The host is lower case, without user, password and default port. The page is the path: percent-decoded, NFC, control
    and direction characters out, repeated slashes as one, no slash at the end (but ``/`` itself), ids as ``:n``, personal
    data masked. Query parameters are dropped unless listed; fragments too, unless they are the page of a one-page site
    (``#/cart``). Case is kept.

    Parameters
    ----------
    urls : iterable of str
        Distinct addresses or paths with query. Missing ones are left out. Nothing raises, whatever it is.
    keep : sequence of str
        Query parameters that make another page; they stand behind it in this order.
    own_hosts : collection of str
        The client's hosts: recognised also where the address has no ``https://``.

    Returns
    -------
    DataFrame
        One row per address::

            value                                  host      page       utm_source  ...  search_term  masked
            https://Shop.de/Order/12345/?q=Hut     shop.de   /Order/:n  None             Hut               0

        `click_source` and `click_medium` come from click ids such as gclid. `masked` counts personal data anywhere in the
        address, dropped parts included, and `kinds` names its kinds. Text columns are missing where there is nothing.
    """
    own = {host.lower().lstrip("*.") for host in own_hosts}
    kept = [name.lower() for name in keep]
    rows = [(url, *_read(url, kept, own)) for url in distinct(urls)]
    return pd.DataFrame(rows, columns=_COLUMNS, dtype=object).astype({"masked": "int64"})


def referrers(values: Iterable[str | None]) -> pd.DataFrame:
    """
    Read referrers: host and path, cleaned like pages, everything behind them dropped.

    Returns
    -------
    DataFrame
        One row per referrer::

            value                              referrer            host           masked
            https://www.google.com/url?q=x     www.google.com/url  www.google.com      0
    """
    rows = []
    for value in distinct(values):
        host, page, *_, masked, _kinds = _read(value, [], set())
        where = f"{host or ''}{'' if host and page == '/' else page or ''}"
        rows.append((value, where or None, host, masked))
    columns = ["value", "referrer", "host", "masked"]
    return pd.DataFrame(rows, columns=columns, dtype=object).astype({"masked": "int64"})


def _read(url: str, keep: Sequence[str], own: Collection[str]) -> tuple:
    found: Counter[str] = Counter()
    text = tidy(url)
    opaque = _OPAQUE.match(text)
    if opaque:
        found += mask(text)[1]
        return None, opaque[1].lower() + ":", *[None] * 6, sum(found.values()), " ".join(sorted(found))
    parts = _split(text, own)
    host = _host(parts.host, found)
    page = _page(parts.path, found)
    if parts.route:
        page = (page.rstrip("/") + _page(parts.route, found)) or "/"
    query = _query(parts.query)
    used = {name for name in query if name in _READ or name in keep}
    values = {name: _value(query[name], found) for name in used}
    found += mask(
        "&".join(f"{name}={_decoded_value(value)}" for name, value in query.items() if _suspect(name, value, used))
    )[1]
    behind = "&".join(f"{name}={values[name] or ''}" for name in keep if name in values)
    page = f"{page}?{behind}" if behind else page
    click = next((CLICK_IDS[name] for name in query if name in CLICK_IDS and query[name]), (None, None))
    term = next((values[name] for name in SEARCH_PARAMETERS if values.get(name)), None)
    utm = [values.get(f"utm_{name}") or None for name in ("source", "medium", "campaign")]
    return host or None, page if text else None, *utm, *click, term, sum(found.values()), " ".join(sorted(found))


def _split(text: str, own: Collection[str]) -> _Parts:
    _, host, path, query, fragment = _ADDRESS.fullmatch(text).groups(default="")
    if not host and not path.startswith("/"):
        bare = _BARE_HOST.match(path)
        if bare and (bare[1].lower() not in _FILES or bare[0].lower() in own):
            host, path = bare[0], path[bare.end() :]
    route = fragment.removeprefix("!") if fragment.startswith(("/", "!/")) else ""
    return _Parts(host, path, query, route.split("?")[0])


def _host(text: str, found: Counter[str]) -> str:
    user, at, host = text.rpartition("@")
    if at:
        found["email" if mask(user + at + host)[1].get("email") and ":" not in user else "token"] += 1
    host = re.sub(r":(?:80|443)?$", "", host.lower()).rstrip(".")
    return re.sub(r"[^\w.:\[\]-]", "", host)


def _page(path: str, found: Counter[str]) -> str:
    segments = re.split(r"[/\\]+", path.strip("/\\ "), maxsplit=_PARTS)
    decoded, before = [], ""
    for segment in segments:
        text = _decoded(re.sub(r"(?i);[a-z_]+=[^/]*", "", segment))
        decoded.append(_segment(text, bool(_ID_WORD.fullmatch(before))))
        before = text
    decoded = "/".join(decoded)
    clean, kinds = mask("/" + decoded) if _needs_mask(decoded) else ("/" + decoded, {})
    found.update(kinds)
    return re.sub(r"/{2,}", "/", clean).rstrip("/") or "/"


def _needs_mask(text: str) -> bool:
    return "@" in text or "%" in text or "＠" in text or any(char.isdigit() for char in text)


def _decoded(text: str) -> str:
    """Percent-decode one segment: UTF-8, else Windows' Western letters; what would split the address stays encoded."""
    if "%" in text:
        raw = unquote_to_bytes(text)
        try:
            text = raw.decode()
        except UnicodeDecodeError:
            text = raw.decode("cp1252", errors="replace")
        text = tidy(text)
        for char, code in (("/", "%2F"), ("?", "%3F"), ("#", "%23")):
            text = text.replace(char, code)
    return text


def _segment(text: str, after_id_word: bool = False) -> str:
    """Template one segment: numbers of three and more digits, machine ids, and numbers behind a word such as order."""
    digits = sum(map(str.isdigit, text))
    if digits < 3:
        return text
    ending = _ENDING.search(text, max(0, len(text) - 6))
    stem, behind = (
        (text[: ending.start()], text[ending.start() :]) if ending and ending.end() == len(text) else (text, "")
    )
    if after_id_word and digits >= 3 and _ONE_ID.fullmatch(stem):
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


def _query(text: str) -> dict[str, str]:
    """First value of each parameter, names in lower case, values still encoded."""
    read: dict[str, str] = {}
    for part in text.split("&", _PARTS)[:_PARTS] if text else []:
        name, _, value = part.partition("=")
        name = _decoded(name).lower().removeprefix("amp;")
        if name and not read.get(name):
            read[name] = value
    return read


def _suspect(name: str, value: str, used: Collection[str]) -> bool:
    """Dropped parameters are only searched where they may hold something personal; click ids are noise."""
    if name in used or name in CLICK_IDS or len(value) < 6:
        return False
    return "@" in value or "%" in value or not value.isalnum() or value.isdigit() or bool(_SECRET_NAME.search(name))


def _value(text: str, found: Counter[str]) -> str | None:
    clean, kinds = mask(_decoded_value(text))
    found.update(kinds)
    return clean or None


def _decoded_value(text: str) -> str:
    raw = unquote_to_bytes(text.replace("+", " "))
    try:
        return tidy(raw.decode())
    except UnicodeDecodeError:
        return tidy(raw.decode("cp1252", errors="replace"))
