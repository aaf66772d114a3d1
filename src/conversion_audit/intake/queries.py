"""The query of an address -> campaign tags, click ids, search term, and what makes another page."""

from __future__ import annotations

import re
from collections.abc import Collection
from functools import lru_cache

from conversion_audit.intake.paths import decoded
from conversion_audit.intake.privacy import mask

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

READ = frozenset((*SEARCH_PARAMETERS, "utm_source", "utm_medium", "utm_campaign"))
"""Parameters whose values are kept."""

_SECRET_NAME = re.compile("token|auth|key|pass|pwd|secret|sign|sess|otp|code|hash|tel|phone|mobil")
_MOST = 400


def parameters(text: str) -> dict[str, str]:
    """First value of each parameter, names in lower case, values still encoded."""
    read: dict[str, str] = {}
    for part in text.split("&", _MOST)[:_MOST] if text else []:
        name, _, value = part.partition("=")
        name = _name(name)
        if name and not read.get(name):
            read[name] = value
    return read


@lru_cache(maxsize=4096)
def _name(text: str) -> str:
    return decoded(text).lower().removeprefix("amp;")


def kept(query: dict[str, str], keep: Collection[str]) -> tuple[dict[str, str | None], list[dict[str, int]]]:
    """
    Return the decoded, masked values of the parameters that are used, and the personal data found in all.

    Parameters
    ----------
    query : dict
        See `parameters`.
    keep : collection of str
        Parameters kept beside `READ`, in lower case.
    """
    if not query:
        return {}, []
    used = {name for name in query if name in READ or name in keep}
    masked = {name: _masked(query[name]) for name in sorted(used)}
    dropped = "&".join(f"{name}={decoded(value)}" for name, value in query.items() if _suspect(name, value, used))
    found = [kinds for _, kinds in (*masked.values(), mask(dropped)) if kinds]
    return {name: text or None for name, (text, _) in masked.items()}, found


def tags(values: dict[str, str | None]) -> tuple[tuple[str | None, ...], str | None]:
    """Return source, medium and campaign, and the search term."""
    if not values:  # of most addresses: looking for twenty names in nothing takes as long as reading the address
        return (None, None, None), None
    term = next((values[name] for name in SEARCH_PARAMETERS if values.get(name)), None)
    return tuple(values.get(f"utm_{name}") for name in ("source", "medium", "campaign")), term


@lru_cache(maxsize=4096)
def _masked(text: str) -> tuple[str, dict[str, int]]:
    return mask(decoded(text.replace("+", " ")))


def _suspect(name: str, value: str, used: Collection[str]) -> bool:
    """Dropped parameters are only searched where they may hold something personal; click ids are noise."""
    if name in used or name in CLICK_IDS or len(value) < 6:
        return False
    return "@" in value or "%" in value or not value.isalnum() or value.isdigit() or bool(_SECRET_NAME.search(name))
