"""
GA4, exported through BigQuery: one row an event, as JSON lines, Parquet or CSV, daily and intraday tables alike.

Follows Google's "[GA4] BigQuery Export schema" (support.google.com/analytics/answer/7029846). What to know of it:

- ``event_timestamp`` is the time of the batch; ``batch_page_id``, ``batch_ordering_id`` and ``batch_event_index`` order what
  it ties, and together with visitor, stream and name they are the row's id: a row that stands in a daily and in an
  intraday table is the same row. Older exports have only ``event_bundle_sequence_id`` and no id.
- ``traffic_source`` is how the *visitor* was first won. A session's source is the last click of the session, else what the
  event itself collected (a ``gclid`` is google / cpc), else the event's own parameters; the first touch stands in for them
  on the first event of a first session only.
- INT64 arrives as text in JSON, missing values are left out, and a parameter's value sits in one of four fields.
- A flat table is somebody's own query. What it calls ``session_source``, ``session_medium`` and ``session_campaign`` is the
  session's source, as the last click is.
- ``session_engaged`` may come late: a session bounced where none of its rows says engaged.
- The export has no user agent: known bots cannot be told by name.
"""

from __future__ import annotations

from pathlib import Path

from conversion_audit import config
from conversion_audit.engine import Engine, Table, quoted, statement
from conversion_audit.intake.files import InputFile
from conversion_audit.intake.sources.columns import settled
from conversion_audit.intake.sources.reading import Reading, Shape, gather, sql_type
from conversion_audit.intake.sources.shown import masked

KIND = "ga4"
TITLE = "Google Analytics 4, BigQuery export"
GIVES = "rows"
NEEDS = ("event_name", "event_timestamp", "user_pseudo_id")

_VALUE = dict.fromkeys(("string_value", "int_value", "float_value", "double_value"), "text")
_PARAMETERS = [{"key": "text", "value": _VALUE}]
_CLICK = {"source": "text", "medium": "text", "campaign_name": "text"}
_PLAIN = (
    *("event_date", "event_timestamp", "event_name", "user_id", "user_pseudo_id", "stream_id", "platform"),
    *("event_bundle_sequence_id", "batch_event_index", "batch_page_id", "batch_ordering_id"),
    *("session_source", "session_medium", "session_campaign", "session_default_channel_group"),
)
_LAST_CLICK = ("session_traffic_source_last_click.", "session_traffic_source_last_click_", "session_last_click_")
_ALSO = {
    "session_source": tuple(f"{scope}source" for scope in _LAST_CLICK),
    "session_medium": tuple(f"{scope}medium" for scope in _LAST_CLICK),
    "session_campaign": (
        "session_campaign_name", *(f"{scope}{name}" for scope in _LAST_CLICK for name in ("campaign", "campaign_name")),
    ),
    "session_default_channel_group": (
        "session_default_channel_grouping", *(f"{scope}default_channel_group" for scope in _LAST_CLICK),
    ),
}  # fmt: skip
"""Column of a flat table -> how else it is called there."""

SHAPE: Shape = {
    **dict.fromkeys(_PLAIN, "text"),
    "event_params": _PARAMETERS,
    "user_properties": _PARAMETERS,
    "privacy_info": {"analytics_storage": "text"},
    "device": {
        **dict.fromkeys(("category", "operating_system", "operating_system_version", "language", "browser"), "text"),
        "browser_version": "text",
        "web_info": {"browser": "text", "browser_version": "text"},
    },
    "geo": {"country": "text", "region": "text", "city": "text"},
    "app_info": {"version": "text"},
    "traffic_source": {"name": "text", "medium": "text", "source": "text"},
    "collected_traffic_source": dict.fromkeys(
        ("manual_source", "manual_medium", "manual_campaign_name", "gclid"), "text"
    ),
    "session_traffic_source_last_click": {
        "manual_campaign": _CLICK,
        "cross_channel_campaign": {**_CLICK, "default_channel_group": "text"},
        "google_ads_campaign": {"campaign_name": "text"},
    },
    "ecommerce": {"transaction_id": "text", "purchase_revenue": "text", "refund_value": "text"},
    "items": [
        dict.fromkeys(("item_id", "item_name", "item_brand", "item_category", "price", "quantity"), "text"),
    ],
}
_LIST = "event_params"
_PAGE_EVENTS = ("page_view", "screen_view")
_SIGNS = {"event_name", "event_timestamp"}
_ITS_OWN = {"user_pseudo_id", _LIST, "event_date"}


def recognises(file: InputFile) -> str | None:
    """Return why this looks like a GA4 export, in words, or None."""
    has = set(file.columns)
    if has >= _SIGNS and has & _ITS_OWN:
        return f"its rows have {', '.join(sorted(_SIGNS | (has & _ITS_OWN)))}"
    return None


def read(
    engine: Engine, source: config.Source, files: list[InputFile], *, timezone: str | None, scratch: Path
) -> Table:
    """
    Read a GA4 export.

    Parameters
    ----------
    engine : Engine
        Where the rows are kept.
    source : Source
        Its `salvage` and `page_events` are used.
    files : list of InputFile
        From `files.open_files`.
    timezone : str, optional
        Not needed: times are UTC.
    scratch : Path
        Where mended copies go.

    Returns
    -------
    Table
        See `tables.ROWS`.

    Raises
    ------
    DataError
        For a file that cannot be read at all.
    """
    rows = statement(__file__, "rows", stem="ga4.duckdb")
    named = {"page_events": [*source.page_events, *_PAGE_EVENTS]}
    reading = Reading(rows, SHAPE, scratch, source.salvage, from_text=nested, flat_without=_LIST, parameters=named)
    found = [settled(engine, [file])[0] if _LIST not in file.columns else file for file in files]
    return masked(gather(engine, found, reading))


def nested(columns: tuple[str, ...]) -> str:
    """
    Return the SELECT that gives the rows of a flat table the export's own nested shape.

    Delimited text, JSON without ``event_params`` and Parquet without anything nested are flat.
    A column may hold one leaf (``device.category``, ``device_category``), one branch as JSON (``event_params``), or one
    parameter under its own name (``page_location``, ``event_params.page_location``, ``ep_page_location``).
    """
    left = [name for name in columns if not name.startswith("__")]
    parts = []
    for name, shape in SHAPE.items():
        found = next((column for column in (name, *_ALSO.get(name, ())) if column in left), None)
        if found:
            left.remove(found)
            text = quoted(found)
            parts.append(
                f"{text if shape == 'text' else f'TRY_CAST(TRY_CAST({text} AS JSON) AS {sql_type(shape)})'} AS {name}"
            )
        elif isinstance(shape, dict):
            parts.append(f"{_struct(shape, (name,), left)} AS {name}")
        elif name != "event_params":
            parts.append(f"CAST(NULL AS {sql_type(shape)}) AS {name}")
    if "event_params" not in columns:
        parts.append(f"{_parameters(left)} AS event_params")
    return f"SELECT {', '.join(parts)}, __file, __line FROM text"


def _struct(shape: Shape, path: tuple[str, ...], left: list[str]) -> str:
    fields = []
    for name, inner in shape.items():
        here = (*path, name)
        if isinstance(inner, dict):
            fields.append(f"'{name}': {_struct(inner, here, left)}")
            continue
        found = next((column for column in (".".join(here), "_".join(here)) if column in left), None)
        if found:
            left.remove(found)
        fields.append(f"'{name}': {quoted(found) if found else 'CAST(NULL AS VARCHAR)'}")
    return "{" + ", ".join(fields) + "}"


def _parameters(left: list[str]) -> str:
    prefixes = ("event_params.", "event_params_", "event_param_", "params_", "param_", "ep_")
    pairs = []
    for column in left:
        prefix = next((prefix for prefix in prefixes if column.startswith(prefix)), "")
        key = column.removeprefix(prefix).replace("'", "''")
        pairs.append(f"{{'key': '{key}', 'value': {{'string_value': {quoted(column)}}}}}")
    return f"CAST([{', '.join(pairs)}] AS {sql_type(_PARAMETERS)})"
