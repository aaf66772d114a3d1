"""
Kissmetrics, data export: JSON lines or CSV with ``_n`` (event), ``_p`` (person), ``_t`` (time); other keys are properties.

Follows "Data Export" and "JSON Files" (support.kissmetrics.io/docs/data-export). What to know of it:

- ``_t`` is in seconds, UTC. ``_p`` is a cookie's random id until the person is named; a name (an address, a customer id)
  is the login, and both have the name only from then on.
- Who is named stays on the device: named rows are of the cookie that was given that name last. Without that, every visit
  with a login would be two, the second from nowhere.
- A row without ``_n`` is no event: it sets properties, or with ``_p2`` gives a person a second name. Such rows are kept
  under the names "properties set" and "alias", so that every row is counted.
- There are no row ids and no sessions: sessions are made by inactivity, repeats are told by the whole row.
"""

from __future__ import annotations

from pathlib import Path

from conversion_audit import config
from conversion_audit.engine import Engine, Table, statement
from conversion_audit.intake.files import InputFile
from conversion_audit.intake.sources import objects
from conversion_audit.intake.sources.objects import ORDER, Places, paths
from conversion_audit.intake.sources.stored import remade

KIND = "kissmetrics"
TITLE = "Kissmetrics, data export"
GIVES = "rows"
NEEDS = ("_p", "_t")

PLACES = Places(
    columns={
        "event": paths("_n"),
        "time": paths("_t"),
        "device_id": paths("_p"),
        "user_id": paths("_p2"),
        "page_url": paths("url", "URL", "Page URL", "Viewed URL"),
        "page_title": paths("Page Title", "title"),
        "referrer": paths("Referrer", "referrer"),
        "search_term": paths("Search Terms", "search_term", "Search Term"),
        "source": paths("Campaign Source", "campaign source", "utm_source"),
        "medium": paths("Campaign Medium", "campaign medium", "utm_medium"),
        "campaign": paths("Campaign Name", "campaign name", "utm_campaign"),
        "channel": paths("Channel", "channel"),
        "device": paths("Device Type", "Device", "device"),
        "browser": paths("Browser", "browser"),
        "os": paths("Operating System", "OS", "os"),
        "country": paths("Country", "country"),
        "language": paths("Language", "language"),
        "user_agent": paths("User Agent", "user_agent"),
        "error": paths("Error Message", "error_message"),
        **{name: paths(*keys) for name, keys in ORDER.items()},
        "amount": paths(*ORDER["amount"], "Billing Amount", "Billed Amount"),
    },
    drop=("__line",),
    page_events=("Page View", "page view", "Viewed Page", "visited page", "Pageview"),
    finish=statement(__file__, "identity", stem="kissmetrics.duckdb"),
)


def recognises(file: InputFile) -> str | None:
    """Return why this looks like a Kissmetrics export, in words, or None."""
    return "its rows have _p and _t" if {"_p", "_t"} <= set(file.columns) else None


def read(
    engine: Engine, source: config.Source, files: list[InputFile], *, timezone: str | None, scratch: Path
) -> Table:
    """Read a Kissmetrics export: see `objects.read` and the notes above. `salvage` and `page_events` of `source` are used."""
    rows = objects.read(engine, source, files, PLACES, timezone, scratch)
    aliases = engine.create(statement(__file__, "aliases", stem="kissmetrics.duckdb"), {"rows": rows})
    if not len(aliases):
        return rows
    return remade(rows, statement(__file__, "devices", stem="kissmetrics.duckdb"), {"aliases": aliases}, scratch)
