"""
Amplitude, event export: JSON lines, gzipped inside a zip.

Follows "Export API" (amplitude.com/docs/apis/analytics/export). What to know of it:

- ``event_time`` is UTC without saying so. ``event_id`` numbers a device's events and orders what has one time.
- ``$insert_id`` is the row's id: what is sent again has the same, and a ``uuid`` of its own. That stands in where there is none.
- ``session_id`` is the session's start in milliseconds; -1 means the event belongs to none.
- On the web, ``os_name`` is the browser and ``device_type`` the operating system.
- Page views of the default tracking are "[Amplitude] Page Viewed"; addresses stand in ``event_properties``.
"""

from __future__ import annotations

from pathlib import Path

from conversion_audit import config
from conversion_audit.engine import Engine, Table, statement
from conversion_audit.intake.files import InputFile
from conversion_audit.intake.sources import objects
from conversion_audit.intake.sources.objects import CAMPAIGN, ORDER, PAGE, Places, paths

KIND = "amplitude"
TITLE = "Amplitude, event export"
GIVES = "rows"
NEEDS = ("event_type", "event_time", "device_id")

_EVENT, _USER = "event_properties", "user_properties"
PLACES = Places(
    columns={
        "event": paths("event_type"),
        "time": paths("event_time", "client_event_time"),
        "event_id": paths("$insert_id", "uuid"),
        "device_id": paths("device_id"),
        "user_id": paths("user_id"),
        "source_session": paths("session_id"),
        "order_1": paths("event_id"),
        "page_url": paths(
            "[Amplitude] Page URL", "[Amplitude] Page Location", *PAGE, "[Amplitude] Page Path", under=_EVENT
        ),
        "page_title": paths("[Amplitude] Page Title", "Page Title", "title", under=_EVENT),
        "referrer": [*paths("referrer", "[Amplitude] Referrer", under=_EVENT), *paths("referrer", under=_USER)],
        "search_term": paths("search_term", "search_query", under=_EVENT),
        "platform": paths("platform"),
        "app_version": paths("version_name"),
        "device": paths("device_category", "device_family", "device_type"),
        "browser": paths("os_name"),
        "os": paths("device_type"),
        "country": paths("country"),
        "language": paths("language"),
        "error": paths("error_message", under=_EVENT),
        "load_seconds": paths("load_seconds", under=_EVENT),
        **{name: [*paths(key, under=_EVENT), *paths(key, under=_USER)] for name, key in CAMPAIGN.items()},
        **{name: paths(*keys, under=_EVENT) for name, keys in ORDER.items()},
    },
    rest=(_EVENT,),
    products=(_EVENT, "products"),
    page_events=("[Amplitude] Page Viewed", "Page Viewed", "Viewed Page", "page viewed"),
    finish=statement(__file__, "system", stem="amplitude.duckdb"),
    timezone="UTC",
)


def recognises(file: InputFile) -> str | None:
    """Return why this looks like an Amplitude export, in words, or None."""
    return "its rows have event_type, event_time, device_id" if set(NEEDS) <= set(file.columns) else None


def read(
    engine: Engine, source: config.Source, files: list[InputFile], *, timezone: str | None, scratch: Path
) -> Table:
    """Read an Amplitude export: see `objects.read` and the notes above. `salvage` and `page_events` of `source` are used."""
    return objects.read(engine, source, files, PLACES, timezone, scratch)
