"""Distinct addresses -> host, page, campaign tags, click ids and search term of each."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from functools import lru_cache
from typing import NamedTuple

import pandas as pd

from conversion_audit.intake import queries
from conversion_audit.intake.paths import page_of
from conversion_audit.intake.privacy import mask
from conversion_audit.intake.values import distinct, tidy

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


_CLICK_ID = re.compile(rf"(?<=[?&])({'|'.join(queries.CLICK_IDS)})=[^&#]+")
_PORT = re.compile(r":(?:80|443)?$")
_NO_HOST = re.compile(r"[^\w.:\[\]-]")


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

            value                              referrer            host           masked  kinds
            https://www.google.com/url?q=x     www.google.com/url  www.google.com      0
    """
    rows = []
    for value in distinct(values):
        host, page, *_, masked, kinds = _read(value, [], set())
        where = f"{host or ''}{'' if host and page == '/' else page or ''}"
        rows.append((value, where or None, host, masked, kinds))
    columns = ["value", "referrer", "host", "masked", "kinds"]
    return pd.DataFrame(rows, columns=columns, dtype=object).astype({"masked": "int64"})


def _read(url: str, keep: Sequence[str], own: Collection[str]) -> tuple:
    """
    Own hosts matter for addresses without a scheme alone, so that a page and a referrer of one address are read once.

    Each click has its own id, of which only that there is one counts: addresses that differ in nothing else are read once too.
    """
    is_page = "#" in url or not queries.CLICK_IDS.keys().isdisjoint(keep)
    same = url if is_page else _CLICK_ID.sub(_clicked, url)
    return _parsed(same, tuple(keep), frozenset() if "://" in url else frozenset(own))


def _clicked(found: re.Match) -> str:
    return found[1] + "=1"  # a template of groups is read anew for each address


@lru_cache(maxsize=1 << 16)
def _parsed(url: str, keep: tuple[str, ...], own: frozenset[str]) -> tuple:
    text = tidy(url)
    opaque = _OPAQUE.match(text)
    if opaque:
        return None, opaque[1].lower() + ":", *[None] * 6, *_summed(mask(text)[1])
    parts = _split(text, own)
    host, found = _host(parts.host)
    page, kinds = page_of(parts.path)
    route, more = page_of(parts.route) if parts.route else ("", {})
    query = queries.parameters(parts.query)
    values, others = queries.kept(query, keep)
    behind = "&".join(f"{name}={values[name] or ''}" for name in keep if name in values)
    page = (page.rstrip("/") + route or "/") + (f"?{behind}" if behind else "")
    click = next((queries.CLICK_IDS[name] for name in query if name in queries.CLICK_IDS and query[name]), (None, None))
    utm, term = queries.tags(values)
    return host or None, page if text else None, *utm, *click, term, *_summed(found, kinds, more, *others)


def _summed(*several: dict[str, int]) -> tuple[int, str]:
    """Return how much personal data was found, and its kinds."""
    hit = [found for found in several if found]
    return sum(sum(found.values()) for found in hit), " ".join(sorted({kind for found in hit for kind in found}))


def _split(text: str, own: Collection[str]) -> _Parts:
    _, host, path, query, fragment = _ADDRESS.fullmatch(text).groups(default="")
    if not host and not path.startswith("/"):
        bare = _BARE_HOST.match(path)
        if bare and (bare[1].lower() not in _FILES or bare[0].lower() in own):
            host, path = bare[0], path[bare.end() :]
    route = fragment.removeprefix("!") if fragment.startswith(("/", "!/")) else ""
    return _Parts(host, path, query, route.split("?")[0])


@lru_cache(maxsize=4096)
def _host(text: str) -> tuple[str, dict[str, int]]:
    """Return the host without user, password and default port; a user before it counts as a token."""
    _, at, host = text.rpartition("@")
    host = _PORT.sub("", host.lower()).rstrip(".")
    return _NO_HOST.sub("", host), {"token": 1} if at else {}
