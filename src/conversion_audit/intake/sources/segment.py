"""
Segment, raw calls as they lie in a storage destination: JSON lines of track, page, screen, identify and so on.

Follows "Spec: Common Fields" and "Spec: V2 Ecommerce Events" (segment.com/docs/connections/spec). What to know of it:

- ``messageId`` is the row's id; ``timestamp`` is UTC, corrected for the device's clock.
- ``anonymousId`` is the device, ``userId`` the login. There are no sessions: they are made by inactivity.
- A page call is a ``page_view`` here, a screen call a ``screen_view``; calls that only describe people (identify, group,
  alias) keep their type as their name.
"""

from __future__ import annotations

from pathlib import Path

from conversion_audit import config
from conversion_audit.engine import Engine, Table, statement
from conversion_audit.intake.files import InputFile
from conversion_audit.intake.sources import objects
from conversion_audit.intake.sources.objects import ORDER, Places, paths

KIND = "segment"
TITLE = "Segment, raw calls"
GIVES = "rows"
NEEDS = ("type", "messageId", "timestamp")

_INNER = "properties"
PLACES = Places(
    columns={
        "event": paths("event"),
        "platform": paths("type"),
        "time": paths("timestamp", "originalTimestamp", "sentAt"),
        "event_id": paths("messageId"),
        "device_id": paths("anonymousId"),
        "user_id": paths("userId"),
        "page_url": [
            *paths("url", under=_INNER),
            ("context", "page", "url"),
            ("context", "page", "path"),
            *paths("path", under=_INNER),
        ],
        "page_title": [*paths("title", under=_INNER), ("context", "page", "title")],
        "referrer": [*paths("referrer", under=_INNER), ("context", "page", "referrer")],
        "search_term": paths("query", under=_INNER),
        "app_version": [("context", "app", "version")],
        "device": [("context", "device", "type")],
        "os": [("context", "os", "name")],
        "country": [("context", "location", "country")],
        "language": [("context", "locale")],
        "user_agent": [("context", "userAgent")],
        "error": paths("error_message", under=_INNER),
        "load_seconds": paths("load_seconds", under=_INNER),
        "source": [("context", "campaign", "source")],
        "medium": [("context", "campaign", "medium")],
        "campaign": [("context", "campaign", "name")],
        **{name: paths(*keys, under=_INNER) for name, keys in ORDER.items()},
    },
    rest=(_INNER,),
    drop=("email", "search"),
    products=(_INNER, "products"),
    page_events=("page_view", "screen_view"),
    finish=statement(__file__, "calls", stem="segment.duckdb"),
    timezone="UTC",
)


def recognises(file: InputFile) -> str | None:
    """Return why this looks like Segment's calls, in words, or None."""
    has_person = {"anonymousId", "userId"} & set(file.columns)
    return f"its rows have {', '.join(NEEDS)}" if set(NEEDS) <= set(file.columns) and has_person else None


def read(
    engine: Engine, source: config.Source, files: list[InputFile], *, timezone: str | None, scratch: Path
) -> Table:
    """Read Segment's calls: see `objects.read` and the notes above. `salvage` and `page_events` of `source` are used."""
    return objects.read(engine, source, files, PLACES, timezone, scratch)
