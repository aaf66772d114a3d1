"""An export in a few numbers: what there is to suggest a config from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import pandas as pd

from conversion_audit.engine import Engine, Table, statement
from conversion_audit.intake import pages, zones


@dataclass(frozen=True)
class Profile:
    """
    What an export holds.

    Parameters
    ----------
    totals : Series
        rows, rejected, sessions, visitors, buying_sessions, revenue, amounts.
    zone : str or None
        The zone that the rows' own local dates show.
    start, end : date or None
        First and last day that is not almost empty.
    odd_days : int
        Days outside of that.
    events : DataFrame
        event, rows, sessions, is_page, is_purchase, amounts, addresses (distinct), orders (distinct ids with a positive amount);
        the commonest first.
    currencies : DataFrame
        currency, rows, amounts, revenue; the commonest first.
    pages : DataFrame
        host, page, rows, sessions; the commonest first.
    known : Series
        Distinct known values of device, browser, os, country, channel, campaign, users.
    """

    totals: pd.Series
    zone: str | None
    start: date | None
    end: date | None
    odd_days: int
    events: pd.DataFrame
    currencies: pd.DataFrame
    pages: pd.DataFrame
    known: pd.Series


def profile(engine: Engine, sources: Sequence[Table]) -> Profile:
    """Return the profile of one or several sources' rows (see `tables.ROWS`); sessions are counted roughly."""

    def ask(name: str, **parameters: str) -> pd.DataFrame:
        return engine.query(statement(__file__, name, stem="profile.duckdb"), {"rows": rows}, **parameters)

    one = statement(__file__, "rows", stem="profile.duckdb")
    parts = " UNION ALL BY NAME ".join(one.replace("FROM source", f"FROM source_{n}") for n in range(len(sources)))
    rows = engine.create(parts, {f"source_{n}": table for n, table in enumerate(sources)}, name="profiled")
    zone = zones.zone_of(rows)
    start, end, odd = _period(ask("days", zone=zone or "UTC"))
    addresses = pages.pages(ask("urls")["url"])
    mapped = engine.hold(addresses[["value", "host", "page"]].astype("string"), "addresses")
    visited = engine.query(statement(__file__, "pages", stem="profile.duckdb"), {"rows": rows, "mapped": mapped})
    return Profile(
        ask("totals").iloc[0], zone, start, end, odd, ask("events"), ask("currencies"), visited, ask("known").iloc[0]
    )


def _period(days: pd.DataFrame) -> tuple[date | None, date | None, int]:
    """First and last day with at least a hundredth of the rows of a usual day: clocks that are wrong make lonely days."""
    if not len(days):
        return None, None, 0
    full = days[days["rows"] >= days["rows"].median() / 100]
    return full["day"].min().date(), full["day"].max().date(), len(days) - len(full)
