"""
Snowplow, enriched events: tab-separated without a header, 131 fields by position, or the flattened warehouse table.

Follows "Enriched TSV format" and "Canonical event model" (docs.snowplow.io). What to know of it:

- ``event_id`` is the row's id; times are UTC. ``derived_tstamp`` is when it happened, corrected for the device's clock.
- ``domain_userid`` is the cookie, ``user_id`` the login, ``domain_sessionid`` the session, ``domain_sessionidx`` its number.
- ``event_name`` is the event's own name; a structured event ("event") is named by ``se_action``; page pings only say that
  someone was still there.
- Old e-commerce tracking: "transaction" is the order, "transaction_item" its lines.
"""

from __future__ import annotations

from pathlib import Path

from conversion_audit import config
from conversion_audit.engine import Engine, Table, statement
from conversion_audit.intake.files import InputFile
from conversion_audit.intake.sources import objects
from conversion_audit.intake.sources.objects import Places, paths

KIND = "snowplow"
TITLE = "Snowplow, enriched events"
GIVES = "rows"
NEEDS = ("event_id", "collector_tstamp", "domain_userid")

PLACES = Places(
    columns={
        "event": paths("event_name", "event"),
        "time": paths("derived_tstamp", "collector_tstamp"),
        "event_id": paths("event_id"),
        "device_id": paths("domain_userid", "network_userid"),
        "user_id": paths("user_id"),
        "source_session": paths("domain_sessionid"),
        "visit_number": paths("domain_sessionidx"),
        "page_url": paths("page_url"),
        "page_title": paths("page_title"),
        "referrer": paths("page_referrer"),
        "source": paths("mkt_source"),
        "medium": paths("mkt_medium"),
        "campaign": paths("mkt_campaign"),
        "platform": paths("platform"),
        "app_version": paths("se_action"),
        "device": paths("dvce_type"),
        "browser": paths("br_family", "br_name"),
        "os": paths("os_family", "os_name"),
        "country": paths("geo_country"),
        "language": paths("br_lang"),
        "user_agent": paths("useragent"),
        "order_id": paths("tr_orderid", "ti_orderid"),
        "amount": paths("tr_total"),
        "currency": paths("tr_currency", "base_currency"),
        "item_id": paths("ti_sku"),
        "item_name": paths("ti_name"),
        "item_category": paths("ti_category"),
        "item_price": paths("ti_price"),
        "item_quantity": paths("ti_quantity"),
    },
    drop=("user_ipaddress", "user_fingerprint", "event", "__line", "etl_tstamp", "dvce_created_tstamp", "dvce_sent_tstamp", "etl_tags",
          "collector_tstamp", "v_tracker", "v_collector", "v_etl", "event_fingerprint", "geo_latitude", "geo_longitude", "geo_zipcode",
          "network_userid", "true_tstamp", "event_vendor", "event_format", "event_version", "name_tracker", "app_id"),
    page_events=("screen_view",),
    finish=statement(__file__, "names", stem="snowplow.duckdb"),
    timezone="UTC",
)  # fmt: skip


def recognises(file: InputFile) -> str | None:
    """Return why this looks like Snowplow's events, in words, or None."""
    has = {name.lower() for name in file.columns}
    if not set(NEEDS) <= has:
        return None
    return f"its rows have {', '.join(NEEDS)}" if file.has_header else "its lines have Snowplow's 131 fields"


def read(
    engine: Engine, source: config.Source, files: list[InputFile], *, timezone: str | None, scratch: Path
) -> Table:
    """Read Snowplow's events: see `objects.read` and the notes above. `salvage` and `page_events` of `source` are used."""
    return objects.read(engine, source, files, PLACES, timezone, scratch)
