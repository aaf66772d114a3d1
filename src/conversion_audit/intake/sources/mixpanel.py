"""
Mixpanel, raw event export: JSON lines of ``{"event": ..., "properties": {...}}``.

Follows "Download Data" and "Raw Event Export" (docs.mixpanel.com/reference/raw-event-export). What to know of it:

- ``time`` is in seconds, in milliseconds where asked for (``time_in_ms``); both are told by their size. Projects made
  before 2023 may export seconds of their own time zone.
- ``$device_id`` and ``$user_id`` are the device and the login. A ``distinct_id`` that differs from the device is the login;
  ``$device:...`` is a device. Where neither is there, ``distinct_id`` is all there is: a login where other rows have it as
  one (events that a server sends), else a device.
- ``$insert_id`` is the row's id; an event sent twice has it twice.
- There are no sessions: they are made by inactivity.
- ``$direct`` as a referrer means none.
"""

from __future__ import annotations

from pathlib import Path

from conversion_audit import config
from conversion_audit.engine import Engine, Table, statement
from conversion_audit.intake.files import InputFile
from conversion_audit.intake.sources import objects
from conversion_audit.intake.sources.objects import CAMPAIGN, ORDER, PAGE, Places, paths

KIND = "mixpanel"
TITLE = "Mixpanel, raw event export"
GIVES = "rows"
NEEDS = ("event", "properties")

PLACES = Places(
    columns={
        "event": paths("event"),
        "time": paths("time", under="properties"),
        "event_id": paths("$insert_id", under="properties"),
        "device_id": paths("$device_id", under="properties"),
        "user_id": paths("$user_id", under="properties"),
        "source_session": paths("distinct_id", under="properties"),
        "page_url": paths("$current_url", "current_page_url", *PAGE, under="properties"),
        "page_title": paths("current_page_title", "$title", "title", under="properties"),
        "referrer": paths("$referrer", under="properties"),
        "search_term": paths("search_term", "search_query", "query", under="properties"),
        "platform": paths("mp_lib", under="properties"),
        "app_version": paths("$app_version_string", "$app_version", under="properties"),
        "device": paths("$device_type", "device_type", under="properties"),
        "browser": paths("$browser", under="properties"),
        "os": paths("$os", under="properties"),
        "country": paths("$country_code", "mp_country_code", under="properties"),
        "language": paths("$language", "$locale", under="properties"),
        "error": paths("error_message", "Error Message", under="properties"),
        "load_seconds": paths("load_seconds", under="properties"),
        **{name: paths(key, under="properties") for name, key in CAMPAIGN.items()},
        **{name: paths(*keys, under="properties") for name, keys in ORDER.items()},
    },
    rest=("properties",),
    drop=(
        "ip",
        "$email",
        "$name",
        "token",
        "$distinct_id_before_identity",
        "mp_processing_time_ms",
        "$mp_api_endpoint",
    ),
    products=("properties", "products"),
    page_events=(
        "$mp_web_page_view",
        "Page View",
        "Viewed Page",
        "Page Viewed",
        "page view",
        "pageview",
        "Loaded a Page",
    ),
    finish=statement(__file__, "identity", stem="mixpanel.duckdb"),
)


def recognises(file: InputFile) -> str | None:
    """Return why this looks like a Mixpanel export, in words, or None."""
    for record in file.records:
        inner = record.get("properties")
        if isinstance(record.get("event"), str) and isinstance(inner, dict) and {"distinct_id", "time"} <= set(inner):
            return "its rows have event and properties.distinct_id, properties.time"
    return None


def read(
    engine: Engine, source: config.Source, files: list[InputFile], *, timezone: str | None, scratch: Path
) -> Table:
    """Read a Mixpanel export: see `objects.read` and the notes above. `salvage` and `page_events` of `source` are used."""
    return objects.with_one_id(engine, objects.read(engine, source, files, PLACES, timezone, scratch), scratch)
