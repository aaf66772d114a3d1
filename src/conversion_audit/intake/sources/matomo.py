"""
Matomo, visits with their actions: the answer of ``Live.getLastVisitsDetails`` as JSON.

Follows "Live API" (developer.matomo.org/api-reference/reporting-api#Live). What to know of it:

- One object is a visit, its ``actionDetails`` are what happened; here one row an action. ``timestamp`` is seconds, UTC.
- ``visitorId`` is the cookie, ``userId`` the login, ``idVisit`` the session, ``visitCount`` its number.
- A page view is ``page_view``, a site search ``site_search``, an event its action, a goal its name, an order ``purchase``; an
  abandoned cart is Matomo's word for a cart that was last changed in this visit: ``cart_update``.
- The channel comes from ``referrerType``: search engines are organic, campaigns keep their own source and medium.
- A visit without actions is one row that cannot be kept.
"""

from __future__ import annotations

from pathlib import Path

from conversion_audit import config
from conversion_audit.engine import Engine, Table, statement
from conversion_audit.intake.files import InputFile
from conversion_audit.intake.sources import casting
from conversion_audit.intake.sources.reading import WHOLE, Reading, gather

KIND = "matomo"
TITLE = "Matomo, visits with their actions"
GIVES = "rows"
NEEDS = ("idVisit", "visitorId", "actionDetails")


def recognises(file: InputFile) -> str | None:
    """Return why this looks like Matomo's visits, in words, or None."""
    return f"its visits have {', '.join(NEEDS)}" if set(NEEDS) <= set(file.columns) and file.format != "csv" else None


def read(
    engine: Engine, source: config.Source, files: list[InputFile], *, timezone: str | None, scratch: Path
) -> Table:
    """
    Read Matomo's visits.

    Parameters
    ----------
    engine, source, files, timezone, scratch
        See `table.read`.

    Returns
    -------
    Table
        See `tables.ROWS`; `line` numbers the actions of a file, visit after visit.
    """
    rows = statement(__file__, "mapped", stem="matomo.duckdb")
    reading = Reading(rows, WHOLE, scratch, source.salvage, columns=casting.MAPPED, rows_per_line="many")
    mapped = gather(engine, files, reading)
    settings = casting.Settings(timezone, source.decimal, source.currency, ("page_view",), numbers=True)
    return casting.cast(mapped, settings)
