"""
Google Analytics 360 (Universal Analytics), BigQuery export: one row a session, its hits nested; here one row a hit.

Follows Google's "BigQuery Export schema" (support.google.com/analytics/answer/3437719). What to know of it:

- A session is ``fullVisitorId`` + ``visitId`` + ``visitStartTime``. A hit's time is the session's start plus its own
  milliseconds; its day is the export's ``date``, local to the view. ``hitNumber`` orders hits of one instant.
- A hit's name is its e-commerce action (1 select_item, 2 view_item, 3 add_to_cart, 4 remove_from_cart, 5 begin_checkout at
  step 1 and checkout_step_n after it, 6 purchase, 7 refund), else page_view, else select_promotion, else the event's own
  action or category. Whatever its name, a hit of type PAGE is a page view.
- Money is in millionths. One order may stand in several hits, and with several amounts.
- "(none)", "(not set)" and "not available in demo dataset" are passed on as they are.
- The export has no user agent: known bots cannot be told by name.

On Google's published day (2017-08-01) "checkout" as begin_checkout alone and as any of its steps give the same: 100 sessions,
and in order 430 sessions with a product view, 145 then a cart, 71 then the checkout, 29 then a purchase.
"""

from __future__ import annotations

from pathlib import Path

from conversion_audit import config
from conversion_audit.engine import Engine, Table, statement
from conversion_audit.intake.files import InputFile
from conversion_audit.intake.sources.reading import Reading, Shape, gather
from conversion_audit.intake.sources.shown import masked

KIND = "ga360"
TITLE = "Google Analytics 360 (Universal Analytics), BigQuery export"
GIVES = "rows"
NEEDS = ("visitId", "visitStartTime", "hits")


def _texts(*names: str) -> Shape:
    return dict.fromkeys(names, "text")


_HIT: Shape = {
    **_texts("hitNumber", "time", "isInteraction", "isEntrance", "isExit", "referer", "type"),
    "page": _texts("pagePath", "hostname", "pageTitle", "searchKeyword", "searchCategory"),
    "transaction": _texts("transactionId", "transactionRevenue", "currencyCode", "transactionCoupon", "affiliation"),
    "appInfo": _texts("screenName", "version"),
    "exceptionInfo": _texts("description", "isFatal"),
    "eventInfo": _texts("eventCategory", "eventAction", "eventLabel", "eventValue"),
    "product": [
        _texts("productSKU", "v2ProductName", "v2ProductCategory", "productBrand", "productPrice", "productQuantity")
    ],
    "promotion": [_texts("promoId", "promoName")],
    "promotionActionInfo": _texts("promoIsView", "promoIsClick"),
    "refund": _texts("refundAmount"),
    "eCommerceAction": _texts("action_type", "step", "option"),
    "customDimensions": [_texts("index", "value")],
    "social": _texts("socialInteractionNetwork", "socialInteractionAction"),
    "latencyTracking": _texts("pageLoadTime"),
    "contentGroup": _texts("contentGroup1", "contentGroup2", "contentGroup3", "contentGroup4", "contentGroup5"),
}
SHAPE: Shape = {
    **_texts("visitNumber", "visitId", "visitStartTime", "date", "fullVisitorId", "userId", "channelGrouping"),
    "totals": _texts("visits", "hits", "pageviews", "timeOnSite", "bounces", "transactions", "totalTransactionRevenue"),
    "trafficSource": _texts("source", "medium", "campaign", "keyword", "adContent", "referralPath"),
    "device": _texts(
        *("browser", "browserVersion", "operatingSystem", "operatingSystemVersion", "deviceCategory", "language"),
    ),
    "geoNetwork": _texts("country", "region", "city"),
    "customDimensions": [_texts("index", "value")],
    "hits": [_HIT],
}
_SIGNS = {"visitId", "visitStartTime", "hits"}


def recognises(file: InputFile) -> str | None:
    """Return why this looks like a GA360 export, in words, or None."""
    if set(file.columns) >= _SIGNS and file.format != "csv":
        return f"its rows have {', '.join(sorted(_SIGNS))}"
    return None


def read(
    engine: Engine, source: config.Source, files: list[InputFile], *, timezone: str | None, scratch: Path
) -> Table:
    """
    Read a GA360 export.

    Parameters
    ----------
    engine : Engine
        Where the rows are kept.
    source : Source
        Its `salvage` is used.
    files : list of InputFile
        From `files.open_files`.
    timezone : str, optional
        Not needed: times are seconds since 1970.
    scratch : Path
        Where mended copies go.

    Returns
    -------
    Table
        See `tables.ROWS`, one row a hit; `line` numbers the hits of a file, session after session. A session without
        hits is one row that cannot be kept.

    Raises
    ------
    DataError
        For a file that cannot be read at all.
    """
    rows = statement(__file__, "rows", stem="ga360.duckdb")
    return masked(gather(engine, files, Reading(rows, SHAPE, scratch, source.salvage, rows_per_line="many")))
