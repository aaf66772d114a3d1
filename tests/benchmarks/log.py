"""A made-up log of any length: eight events a session, a few visitors who come often, twelve events, two thousand pages."""

from __future__ import annotations

from pathlib import Path

import duckdb

STEPS = ("session_start", "view_item", "add_to_cart", "begin_checkout", "add_payment_info", "purchase")
COLUMNS = ("event_id", "visitor", "session", "time", "event", "page", "device", "country", "channel")

CONFIG = """\
client: Benchmark
site: shop
timezone: UTC
currency: EUR
main_goal: purchase
sources:
  - kind: table
    files: raw/log.parquet
    columns:
      {event_id: event_id, device_id: visitor, source_session: session, time: time, event: event, page_url: page,
       device: device, country: country, channel: channel}
goals:
  purchase: {event: purchase, value: 40}
micro_conversions:
  session_start: {type: action, event: session_start}
  view_item: {type: destination, event: view_item}
  add_to_cart: {type: action, event: add_to_cart}
  begin_checkout: {type: action, event: begin_checkout}
  add_payment_info: {type: action, event: add_payment_info}
journey: [session_start, view_item, add_to_cart, begin_checkout, add_payment_info, purchase]
suspects: [device, country]
adjusters: [channel, is_new]
"""

# A visitor of every session by a power law, a length of 1 to 15, whole seconds between events, so that some are tied.
_LOG = """
COPY (
    WITH sessions AS (
        SELECT s, hash(s, {seed}) AS h, 1 + hash(s, {seed} + 1) % 15 AS length,
               CAST(pow({visitors}, (hash(s, {seed} + 2) % 1000003) / 1000003.0) AS BIGINT) AS visitor,
               make_timestamp(CAST(1767225600000000 + (hash(s, {seed} + 3) % 5184000) * 1000000 AS BIGINT)) AS start
        FROM range({sessions}) AS numbers(s)
    ), drawn AS (
        SELECT s, n, visitor, start, h, hash(s, n, {seed} + 4) % 1000 AS e, hash(s, n, {seed} + 5) AS p,
               hash(s, n, {seed} + 6) % 100 AS gap
        FROM sessions, LATERAL (SELECT unnest(range(CAST(length AS BIGINT))) AS n)
    ), timed AS (
        SELECT *, start + to_seconds(CAST(SUM(CASE WHEN n = 0 THEN 0 WHEN gap < 3 THEN 0 ELSE gap END)
               OVER (PARTITION BY s ORDER BY n) AS BIGINT)) AS time
        FROM drawn
    )
    SELECT 'e' || lpad(CAST(s * 16 + n AS VARCHAR), 10, '0') AS event_id, 'v' || visitor AS visitor, 's' || s AS session, time,
           CASE WHEN n = 0 THEN 'session_start' WHEN e < 330 THEN 'page_view' WHEN e < 480 THEN 'view_item'
                WHEN e < 630 THEN 'scroll' WHEN e < 710 THEN 'click' WHEN e < 770 THEN 'add_to_cart'
                WHEN e < 830 THEN 'search' WHEN e < 870 THEN 'begin_checkout' WHEN e < 900 THEN 'add_payment_info'
                WHEN e < 920 THEN 'purchase' WHEN e < 970 THEN 'video' ELSE 'share' END AS event,
           '/page/' || CAST(CAST(pow(2000, (p % 100003) / 100003.0) AS BIGINT) AS VARCHAR) AS page,
           CASE h % 3 WHEN 0 THEN 'desktop' ELSE 'mobile' END AS device,
           CASE (h // 8) % 5 WHEN 0 THEN 'Austria' WHEN 1 THEN 'Switzerland' ELSE 'Germany' END AS country,
           CASE (h // 64) % 4 WHEN 0 THEN 'Email' WHEN 1 THEN 'Direct' ELSE 'Organic Search' END AS channel
    FROM timed ORDER BY time, s, n
) TO '{path}' (FORMAT parquet, COMPRESSION zstd)
"""


def write_log(path: Path, events: int, seed: int = 1) -> None:
    """Write a log of about so many events, in the order of their times; the same for the same seed."""
    beside = path.with_suffix(".part")
    spill = path.parent / ".spill"
    with duckdb.connect(config={"memory_limit": "6GB", "temp_directory": str(spill), "threads": 2}) as engine:
        sessions = events // 8
        engine.execute(_LOG.format(seed=seed, sessions=sessions, visitors=max(sessions // 2, 2), path=beside))
    beside.replace(path)


def write_client(home: Path, events: int) -> Path:
    """Lay a client named ``bench`` into a home: the log as its export, its config; return the log's path."""
    folder = home / "data" / "bench"
    (folder / "raw").mkdir(parents=True, exist_ok=True)
    (home / "reports").mkdir(exist_ok=True)
    (folder / "audit.yaml").write_text(CONFIG, encoding="utf-8")
    log = folder / "raw" / "log.parquet"
    if not log.is_file():
        write_log(log, events)
    return log
