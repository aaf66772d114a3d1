"""What taking in an export costs beside reading the same file once: CPU time, side by side, on made-up GA4 events."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from statistics import median

import duckdb

EVENTS = 1_000_000
ROUNDS = 3
GOAL = 2.0

CONFIG = """\
client: Benchmark
timezone: Europe/Berlin
currency: EUR
main_goal: purchase
sources:
  - {kind: ga4, files: raw/*.ndjson}
own_hosts: [www.shop.example]
page_types:
  product: [/p/*]
  category: [/c/*]
  checkout: [/checkout*]
goals:
  purchase: {event: purchase, value: revenue}
journey: [view_item, add_to_cart, begin_checkout, purchase]
"""

# Six to ten events a session, eight to eleven parameters an event, about 1,560 bytes a line: the shape of a shop's export.
# One landing in five carries a click id, so that addresses are as different as in life.
_EXPORT = """
COPY (
    WITH visits AS (
        SELECT s, CAST(hash(s) >> 2 AS BIGINT) AS h, 1000000000 + CAST(hash(s % $visitors) % 900000000 AS BIGINT) AS device,
               1772406000 + CAST(floor(s * 2419200.0 / $sessions) AS BIGINT) AS start, 1 + s // $visitors AS number
        FROM range($sessions) numbers(s)
    ), facts AS (
        SELECT *, ['desktop', 'mobile', 'tablet'][1 + h % 3] AS category,
               ['Chrome', 'Safari', 'Firefox', 'Edge'][1 + (h >> 4) % 4] AS browser,
               ['Windows', 'iOS', 'Android', 'Macintosh'][1 + (h >> 8) % 4] AS system,
               ['Germany', 'France', 'Italy', 'Netherlands'][1 + (h >> 12) % 4] AS country,
               ['google', 'newsletter', '(direct)', 'bing', 'facebook.com'][1 + (h >> 16) % 5] AS source,
               ['organic', 'email', '(none)', 'cpc', 'referral'][1 + (h >> 16) % 5] AS medium,
               'https://www.shop.example/c/' || ['boots', 'tents', 'jackets', 'maps', 'sale', 'bags'][1 + (h >> 20) % 6]
                   || CASE WHEN (h >> 16) % 5 = 3 THEN '?gclid=Cj0K' || upper(substr(md5(CAST(s AS VARCHAR)), 1, 24)) ELSE '' END AS landing
        FROM visits
    ), hits AS (
        SELECT f.*, n, ['session_start', 'page_view', 'scroll', 'view_item', 'page_view', 'hover_' || h % $names, 'add_to_cart',
                        'begin_checkout', 'add_payment_info', 'purchase'][1 + n] AS name,
               (h >> (n + 24)) % 5000 AS product, start + n * 23 AS second
        FROM facts f, range(10) places(n)
        WHERE n < 6 OR (n < 7 AND h % 5 = 0) OR h % 25 = 0
    ), shown AS (
        SELECT *, name IN ('view_item', 'add_to_cart', 'begin_checkout', 'purchase') AS has_item, 20 + product % 80 || '.5' AS price,
               CASE WHEN n < 3 THEN landing WHEN n >= 6 THEN 'https://www.shop.example/checkout/' || name
                    ELSE 'https://www.shop.example/p/product-' || product END AS url
        FROM hits
    )
    SELECT '{"event_date":"' || strftime(make_timestamp(second * 1000000), '%Y%m%d') || '","event_timestamp":"' || second
        || '000000","event_name":"' || name || '","event_params":[{"key":"ga_session_id","value":{"int_value":"' || start
        || '"}},{"key":"ga_session_number","value":{"int_value":"' || number
        || '"}},{"key":"page_location","value":{"string_value":"' || url
        || '"}},{"key":"page_title","value":{"string_value":"Page ' || product % 700
        || '"}},{"key":"page_referrer","value":{"string_value":"' || landing
        || '"}},{"key":"session_engaged","value":{"string_value":"' || CASE WHEN n > 1 THEN 1 ELSE 0 END
        || '"}},{"key":"engagement_time_msec","value":{"int_value":"' || (h >> n) % 30000
        || '"}},{"key":"content_group","value":{"string_value":"shop"}}'
        || CASE WHEN n = 2 THEN ',{"key":"percent_scrolled","value":{"int_value":"90"}}' ELSE '' END
        || CASE WHEN has_item THEN ',{"key":"currency","value":{"string_value":"EUR"}},{"key":"value","value":{"double_value":' || price || '}}'
                ELSE '' END
        || '],"batch_page_id":"' || start || '000","batch_ordering_id":"' || n || '","batch_event_index":"' || 1 + n % 2
        || CASE WHEN h % 7 = 0 THEN '","user_id":"c' || device % 500000 ELSE '' END
        || '","user_pseudo_id":"' || device || '.' || 1700000000 + device % 72000000
        || '","privacy_info":{"analytics_storage":"Yes","ads_storage":"Yes"},"user_first_touch_timestamp":"' || start
        || '000000","device":{"category":"' || category || '","operating_system":"' || system || '","operating_system_version":"14.' || h % 7
        || '","language":"de-de","web_info":{"browser":"' || browser || '","browser_version":"124.0.' || h % 30
        || '","hostname":"www.shop.example"}},"geo":{"country":"' || country || '","region":"R' || h % 16 || '","city":"City ' || h % 300
        || '"},"traffic_source":{"name":"' || medium || '","medium":"' || medium || '","source":"' || source
        || '"},"session_traffic_source_last_click":{"manual_campaign":{"source":"' || source || '","medium":"' || medium
        || '","campaign_name":"(' || medium || ')"},"cross_channel_campaign":{"source":"' || source || '","medium":"' || medium
        || '","campaign_name":"(' || medium || ')","default_channel_group":"' || medium || '"}},"stream_id":"7204518","platform":"WEB"'
        || CASE WHEN name = 'purchase' THEN ',"ecommerce":{"transaction_id":"T' || s || '","purchase_revenue":"' || price || '"}' ELSE '' END
        || CASE WHEN has_item THEN ',"items":[{"item_id":"' || product || '","item_name":"Product ' || product
                || '","item_category":"Outdoor","price":"' || price || '","quantity":"1"}]' ELSE '' END
        || ',"is_active_user":true}' AS line
    FROM shown
    LIMIT $events
) TO '@path' (FORMAT csv, HEADER false, QUOTE '', ESCAPE '', DELIMITER e'\\x01')
"""

_PARAMETERS = (
    *("ga_session_id", "ga_session_number", "session_engaged", "engagement_time_msec", "page_location", "page_title"),
    *(
        "page_referrer",
        "search_term",
        "source",
        "medium",
        "campaign",
        "entrances",
        "transaction_id",
        "value",
        "currency",
    ),
    "error_message",
)


def write_export(path: Path, events: int, names: int = 1) -> None:
    """Write this many GA4 events as JSON lines, one in six of them under one of so many further names."""
    sessions = events // 6 + 1
    with duckdb.connect() as connection:
        connection.execute("SET enable_progress_bar = false")
        values = {"sessions": sessions, "visitors": int(sessions * 0.6), "events": events, "names": names}
        connection.execute(_EXPORT.replace("@path", str(path)), values)


def read_flat(path: Path) -> None:
    """
    Read an export once into a flat DuckDB table, as one would by hand.

    Every field the audit keeps is a column, sixteen parameters are too; items and all parameters stay as JSON text.
    """
    from conversion_audit.intake.sources.ga4 import SHAPE
    from conversion_audit.intake.sources.reading import sql_type

    fields = ", ".join(f"{'.'.join(field)} AS {'_'.join(field)}" for field in _fields(SHAPE))
    named = ", ".join(f"texts[list_position(keys, '{key}')] AS param_{key}" for key in _PARAMETERS)
    rest = ", ".join(
        f"CAST(to_json({name}) AS VARCHAR) AS {name}" for name in ("items", "event_params", "user_properties")
    )
    value = "coalesce(p.value.string_value, p.value.int_value, p.value.double_value, p.value.float_value)"
    with duckdb.connect() as connection:
        connection.execute("SET enable_progress_bar = false; SET preserve_insertion_order = false")
        connection.execute(
            f"""
            CREATE TEMP TABLE flat AS
            WITH raw AS (SELECT * FROM read_json($path, format = 'newline_delimited', columns = $columns)),
                 listed AS (SELECT *, list_transform(event_params, lambda p: p.key) AS keys,
                                   list_transform(event_params, lambda p: {value}) AS texts FROM raw)
            SELECT {fields}, {named}, {rest} FROM listed
            """,
            {"path": str(path), "columns": {name: sql_type(inner) for name, inner in SHAPE.items()}},
        )


def _fields(shape: dict, above: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    found = []
    for name, inner in shape.items():
        if isinstance(inner, dict):
            found += _fields(inner, (*above, name))
        elif inner == "text":
            found.append((*above, name))
    return found


def take_in(client: str) -> None:
    """Make every table of intake anew, from fingerprint to written Parquet."""
    import shutil

    from conversion_audit.config import read_config
    from conversion_audit.engine import Engine
    from conversion_audit.folders import Folders
    from conversion_audit.prepared import Prepared

    folders, config = Folders(client), read_config(client)
    shutil.rmtree(folders.prepared, ignore_errors=True)
    folders.prepared.mkdir()
    engine = Engine(folders=[folders.raw, folders.prepared], scratch=folders.prepared / ".spill")
    Prepared(folders, config, engine).intake()
    engine.close()


def cpu_seconds(work: Callable[[], None]) -> float:
    """Return the processor time of all threads that some work took."""
    before = os.times()
    work()
    after = os.times()
    return after.user + after.system - before.user - before.system


def prepare(client: str) -> None:
    """Make every shared table anew, those of analysis as well."""
    import shutil

    from conversion_audit.audit import open_audit
    from conversion_audit.folders import Folders

    shutil.rmtree(Folders(client).prepared, ignore_errors=True)
    open_audit(client).prepare()


def measure(events: int = EVENTS, rounds: int = ROUNDS) -> list[dict]:
    """
    Take in an export and read it flat, in turn; prepare one of few event names and one of ten thousand, in turn.

    Returns
    -------
    list of dict
        One record each: measure, ratio (the median of the rounds), low, high (the least and the most), goal, against.
    """
    before = os.environ.get("AUDIT_HOME")
    with tempfile.TemporaryDirectory() as home:
        os.environ["AUDIT_HOME"] = home
        try:
            big, *_ = [_client(Path(home), *one) for one in _clients(events)]
            flat = [(cpu_seconds(lambda: take_in("big")), cpu_seconds(lambda: read_flat(big))) for _ in range(rounds)]
            names = [
                (cpu_seconds(lambda: prepare("named")), cpu_seconds(lambda: prepare("plain"))) for _ in range(rounds)
            ]
        finally:
            os.environ.pop("AUDIT_HOME") if before is None else os.environ.update(AUDIT_HOME=before)
    return [
        _record(f"{events:,} GA4 events: whole intake, fingerprint to written Parquet", flat,
                "CPU time of DuckDB reading the same JSON lines once into a flat table"),
        _record("ten thousand event names: every shared table", names, "CPU time of the same export with ten event names"),
    ]  # fmt: skip


def _clients(events: int) -> list[tuple[str, int, int]]:
    """Name, events and further event names of each export."""
    few = min(events, 100_000)
    return [("big", events, 1), ("plain", few, 1), ("named", few, 10_000)]


def _client(home: Path, name: str, events: int, names: int) -> Path:
    raw = home / "data" / name / "raw"
    raw.mkdir(parents=True)
    (raw.parent / "audit.yaml").write_text(CONFIG, encoding="utf-8")
    write_export(raw / "events.ndjson", events, names)
    return raw / "events.ndjson"


def _record(name: str, pairs: list[tuple[float, float]], against: str) -> dict:
    ratios = [mine / floor for mine, floor in pairs]
    told = {"ratio": median(ratios), "low": min(ratios), "high": max(ratios)}
    return {"measure": name, **told, "goal": GOAL, "against": against}
