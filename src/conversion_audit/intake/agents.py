"""Device, browser and operating system of rows that name a user agent, and nothing else of what they were sent from."""

from __future__ import annotations

import re
from collections.abc import Iterable

import pandas as pd

from conversion_audit.engine import Table, statement
from conversion_audit.intake.values import distinct

_IN_APP = {"Mobile Safari UI/WKWebView": "Safari (in-app)", "Chrome Mobile WebView": "Android Webview"}
_MOBILE = re.compile(r"^Mobile |( Mobile)?( iOS)?$")
_TABLET = re.compile(r"iPad|Tablet|Kindle|Silk/|Nexus (7|9|10)|\bSM-[TPX]\d", re.IGNORECASE)
_TELEVISION = re.compile(r"\b(smart-?tv|appletv|googletv|hbbtv|web0s|bravia|aft[a-z]+)\b", re.IGNORECASE)
_DESKTOP = ("Windows", "Mac OS X", "Linux", "Ubuntu", "Fedora", "Debian", "Chrome OS", "FreeBSD")


def told(raw: Table) -> Table:
    """
    Return the rows, with what their user agents say where the export itself does not.

    Parameters
    ----------
    raw : table
        See `tables.ROWS`.
    """
    agents = raw.engine.query(statement(__file__, "agents", stem="agents.duckdb"), {"rows": raw})["user_agent"]
    if not len(agents):
        return raw
    found = {"rows": raw, "named": raw.engine.hold(named(agents).astype("string"), "named_agents")}
    return raw.engine.view(statement(__file__, "told", stem="agents.duckdb"), found, name="told_rows")


def named(user_agents: Iterable[str | None]) -> pd.DataFrame:
    """
    Say what a user agent is.

    Parameters
    ----------
    user_agents : iterable of str
        Distinct user agents. Missing ones are left out.

    Returns
    -------
    DataFrame
        One row per user agent: user_agent, device (mobile, tablet, desktop, smart tv), browser, os. A browser has one name
        on every device; missing is what nobody knows.

    References
    ----------
    The patterns of ua-parser/uap-core (Apache 2.0).
    """
    from ua_parser import parse

    rows = []
    for agent in distinct(user_agents):
        said = parse(agent)
        browser, os = (part.family if part else None for part in (said.user_agent, said.os))
        rows.append((agent, _device(agent, os), _browser(browser), os))
    return pd.DataFrame(rows, columns=["user_agent", "device", "browser", "os"], dtype=object)


def _browser(family: str | None) -> str | None:
    return _IN_APP.get(family, _MOBILE.sub("", family)) if family else None


def _device(agent: str, os: str | None) -> str | None:
    if _TELEVISION.search(agent):
        return "smart tv"
    if _TABLET.search(agent) or (os == "Android" and "Mobile" not in agent):
        return "tablet"
    if "Mobi" in agent or os in ("iOS", "Android"):
        return "mobile"
    return "desktop" if os in _DESKTOP else None
