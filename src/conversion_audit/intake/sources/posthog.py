"""
PostHog, events export: JSON lines, Parquet or CSV, from a batch export or a query on ``events``.

Follows "Batch exports" and "Data: Events" (posthog.com/docs/cdp/batch-exports, posthog.com/docs/data/events). What to know of it:

- ``uuid`` is the row's id; ``timestamp`` is UTC.
- ``distinct_id`` is the device's id until someone is identified, then the login; ``$device_id`` stays the device. Where
  there is no ``$device_id``, ``distinct_id`` is all there is: a login where other rows have it as one, else a device.
- ``$session_id`` is the session; server-side events have none.
- In CSV and Parquet, ``properties`` is a text that holds an object.
"""

from __future__ import annotations

from pathlib import Path

from conversion_audit import config
from conversion_audit.engine import Engine, Table, statement
from conversion_audit.intake.files import InputFile
from conversion_audit.intake.sources import objects
from conversion_audit.intake.sources.objects import CAMPAIGN, ORDER, PAGE, Places, paths

KIND = "posthog"
TITLE = "PostHog, events export"
GIVES = "rows"
NEEDS = ("uuid", "event", "distinct_id", "timestamp", "properties")

_INNER = "properties"
PLACES = Places(
    columns={
        "event": paths("event"),
        "time": paths("timestamp"),
        "event_id": paths("uuid"),
        "device_id": paths("$device_id", under=_INNER),
        "user_id": paths("distinct_id"),
        "source_session": paths("$session_id", under=_INNER),
        "page_url": paths("$current_url", *PAGE, "$pathname", under=_INNER),
        "page_title": paths("title", "$title", under=_INNER),
        "referrer": paths("$referrer", under=_INNER),
        "search_term": paths("search_term", "search_query", "query", under=_INNER),
        "platform": paths("$lib", under=_INNER),
        "app_version": paths("$app_version", under=_INNER),
        "device": paths("$device_type", under=_INNER),
        "browser": paths("$browser", under=_INNER),
        "os": paths("$os", under=_INNER),
        "country": paths("$geoip_country_name", "$geoip_country_code", under=_INNER),
        "language": paths("$browser_language", "$locale", under=_INNER),
        "user_agent": paths("$raw_user_agent", "$useragent", under=_INNER),
        "error": paths("$exception_message", "error_message", under=_INNER),
        "load_seconds": paths("load_seconds", under=_INNER),
        **{name: paths(key, under=_INNER) for name, key in CAMPAIGN.items()},
        **{name: paths(*keys, under=_INNER) for name, keys in ORDER.items()},
    },
    rest=(_INNER,),
    drop=(
        "distinct_id",
        "$ip",
        "token",
        "$set",
        "$set_once",
        "$user_id",
        "$anon_distinct_id",
        "$elements",
        "$host",
        "$insert_id",
        "$time",
    ),
    products=(_INNER, "products"),
    page_events=("$pageview", "$screen"),
    finish=statement(__file__, "identity", stem="posthog.duckdb"),
    timezone="UTC",
)


def recognises(file: InputFile) -> str | None:
    """Return why this looks like a PostHog export, in words, or None."""
    return f"its rows have {', '.join(NEEDS)}" if set(NEEDS) <= set(file.columns) else None


def read(
    engine: Engine, source: config.Source, files: list[InputFile], *, timezone: str | None, scratch: Path
) -> Table:
    """Read a PostHog export: see `objects.read` and the notes above. `salvage` and `page_events` of `source` are used."""
    return objects.with_one_id(engine, objects.read(engine, source, files, PLACES, timezone, scratch), scratch)
