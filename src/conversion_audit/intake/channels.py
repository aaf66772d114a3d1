"""Source, medium and campaign -> channel, by Google Analytics 4's default rules."""

from __future__ import annotations

import re
from collections.abc import Collection
from functools import lru_cache
from pathlib import Path

import pandas as pd

from conversion_audit.engine import AnyTable, Table, engine_of, statement
from conversion_audit.intake.values import tidy, unknown

PAYMENT_HOSTS = frozenset(
    [
        "paypal.com",
        "paypalobjects.com",
        "stripe.com",
        "klarna.com",
        "adyen.com",
        "mollie.com",
        "sofort.com",
        "giropay.de",
        "amazonpay.com",
        "pay.amazon.com",
        "pay.google.com",
        "checkout.com",
        "worldpay.com",
        "sagepay.com",
        "braintreegateway.com",
        "cardinalcommerce.com",
        "arcot.com",
        "3dsecure.io",
        "saferpay.com",
        "datatrans.com",
        "payone.com",
        "unzer.com",
        "computop-paygate.com",
        "ratepay.com",
        "afterpay.com",
        "riverty.com",
        "clearpay.co.uk",
        "affirm.com",
        "secure.ogone.com",
        "ingenico.com",
        "multisafepay.com",
        "pay.nl",
        "ideal.nl",
        "payconiq.com",
        "bancontact.com",
        "przelewy24.pl",
        "payu.com",
        "tpay.com",
        "twint.ch",
        "postfinance.ch",
        "viva.com",
        "sumup.com",
        "squareup.com",
        "shop.app",
        "pay.shopify.com",
        "checkout.shopify.com",
        "authorize.net",
        "redsys.es",
        "sermepa.es",
    ]
)
"""Hosts a shopper comes back from after paying: never the start of a new source."""

_PAID = re.compile(r"(.*cp.*|ppc|retargeting|paid.*)", re.DOTALL)
_SHOPPING = re.compile(r".*(([^a-df-z]|^)shop|shopping).*", re.DOTALL)
_DISPLAY = frozenset(("display", "banner", "expandable", "interstitial", "cpm"))
_SOCIAL = frozenset(("social", "social-network", "social-media", "sm", "social network", "social media"))
_REFERRAL = frozenset(("referral", "app", "link"))
_EMAIL = frozenset(("email", "e-mail", "e_mail", "e mail"))
_FREE_SHOPPING = frozenset(("google shopping", "igshopping"))
_DIRECT = frozenset(("(direct)", "direct"))
_SEARCH_HOST = re.compile(
    r"(?:www\.|search\.|m\.|[a-z]{2}\.search\.)?(google|bing|yahoo|duckduckgo|ecosia|yandex|baidu|qwant|startpage|"
    r"search\.brave|naver|seznam|ask|aol)\.(?:(?:co|com)\.)?[a-z]{2,3}"
)


def channels(triples: pd.DataFrame, own: Collection[str] = ()) -> pd.DataFrame:
    """
    Name the channel of each traffic source.

    Google Analytics 4's default channel group, its rules in its order, compared in lower case. Unknown source and medium
    give no channel; `(direct)` with no medium is Direct. A shopping site without any medium counts as paid, Google's and
    Instagram's free listings as organic.

    Parameters
    ----------
    triples : DataFrame
        Columns source, medium, campaign as exported; others are kept.
    own : collection of str
        The client's own hosts and its referral exclusions. A referral from one of them, or from a payment provider, is
        not a source: Direct.

    Returns
    -------
    DataFrame
        The same rows with `channel`::

            source    medium   campaign      channel
            google    cpc      brand         Paid Search
            (direct)  (none)   None          Direct
            None      None     None          None
    """
    hosts = _hosts(own)
    columns = [triples[name].astype(object) for name in ("source", "medium", "campaign")]
    named = [_channel(*map(_plain, three), hosts) for three in zip(*columns, strict=True)]
    return triples.assign(channel=pd.Series(named, index=triples.index, dtype=object))


def is_source(host: str | None, own: Collection[str] = ()) -> bool:
    """
    Say whether a visit from this host starts a new source.

    It does not when there is no host, when it is one of the client's own hosts or exclusions (``*.shop.de`` and ``shop.de``
    both cover its subdomains), or a payment provider.
    """
    return bool(host) and not _is_among(host.lower(), _hosts(own))


def referral(host: str | None, own: Collection[str] = ()) -> tuple[str | None, str | None]:
    """
    Return source and medium of a visit that only its referrer explains.

    >>> referral("www.google.de"), referral("blog.example.org"), referral("paypal.com")
    (('google', 'organic'), ('blog.example.org', 'referral'), ('(direct)', '(none)'))
    """
    if not is_source(host, own):
        return "(direct)", "(none)"
    search = _SEARCH_HOST.fullmatch(host.lower())
    return (search[1].split(".")[-1], "organic") if search else (host.lower().removeprefix("www."), "referral")


def last_non_direct(sessions: AnyTable, days: float | None = None) -> Table:
    """
    Give every direct session the source of its visitor's last session that had one.

    Parameters
    ----------
    sessions : table
        visitor_id, session_id, start, source, medium, campaign, channel.
    days : float, optional
        How far back to look, the edge included; without it, the whole past.

    Returns
    -------
    Table
        One row per session: session_id, from_session_id, source, medium, campaign, channel. A session with a source, or
        without an earlier one, keeps its own.
    """
    sql = statement(__file__, "last_non_direct")
    seconds = 1e12 if days is None else days * 86400.0
    return engine_of(sessions).create(sql, {"sessions": sessions}, name="last_non_direct", seconds=seconds)


def _channel(source: str | None, medium: str | None, campaign: str | None, own: frozenset[str]) -> str | None:
    """GA4's rules, first match wins."""
    if source in _DIRECT and medium is None:
        return "Direct"
    if source is None and medium is None and campaign is None:
        return None
    if source and medium in (None, "referral") and "." in source and _is_among(source, own):
        return "Direct"
    category = _category(source)
    source, medium, campaign = source or "", medium or "", campaign or ""
    is_paid = bool(_PAID.fullmatch(medium))
    is_shopping = category == "shopping" or bool(_SHOPPING.fullmatch(campaign))
    if "cross-network" in campaign:
        return "Cross-network"
    if is_shopping and (is_paid or (category == "shopping" and not medium and source not in _FREE_SHOPPING)):
        return "Paid Shopping"
    if is_paid and category in ("search", "social", "video"):
        return f"Paid {category.title()}"
    if medium in _DISPLAY:
        return "Display"
    if is_paid:
        return "Paid Other"
    if is_shopping:
        return "Organic Shopping"
    if category == "social" or medium in _SOCIAL:
        return "Organic Social"
    if category == "video" or "video" in medium:
        return "Organic Video"
    if category == "search" or medium == "organic":
        return "Organic Search"
    return _by_medium(source, medium)


def _by_medium(source: str, medium: str) -> str:
    if medium in _REFERRAL:
        return "Referral"
    if source in _EMAIL or medium in _EMAIL:
        return "Email"
    if medium in ("affiliate", "affiliates"):
        return "Affiliates"
    if medium == "audio":
        return "Audio"
    if "sms" in (source, medium):
        return "SMS"
    if source == "firebase" or medium.endswith("push") or "mobile" in medium or "notification" in medium:
        return "Mobile Push Notifications"
    return "Unassigned"


def _plain(text: str | None) -> str | None:
    if pd.isna(text) or unknown(str(text)) is None:
        return None
    return tidy(str(text)).lower()


def _category(source: str | None) -> str | None:
    known = _categories()
    return known.get(source or "") or known.get((source or "").removeprefix("www."))


@lru_cache
def _categories() -> dict[str, str]:
    listed = pd.read_csv(Path(__file__).with_name("source_categories.csv"), dtype=str, keep_default_na=False)
    return dict(zip(listed["source"], listed["category"], strict=True))


def _hosts(own: Collection[str]) -> frozenset[str]:
    return PAYMENT_HOSTS | {host.lower().lstrip("*.") for host in own}


def _is_among(host: str, hosts: Collection[str]) -> bool:
    parts = host.rstrip(".").split(".")
    return any(".".join(parts[n:]) in hosts for n in range(len(parts)))
