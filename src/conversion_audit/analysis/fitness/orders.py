"""Orders: ids that repeat or are missing, amounts that differ, and the shop's own books beside them."""

from __future__ import annotations

from datetime import date

import pandas as pd

from conversion_audit.engine import AnyTable, engine_of, statement
from conversion_audit.findings import Finding


def order_faults(orders: AnyTable, events: AnyTable) -> pd.DataFrame:
    """
    Count what is odd about orders.

    Parameters
    ----------
    orders, events : table
        See `tables.ORDERS` and `tables.EVENTS`.

    Returns
    -------
    DataFrame
        One row: orders, unnumbered_orders (without an id), repeated_orders (their id occurs again, as a reloaded page does), repeat_events,
        differing_orders (with another amount), unpriced_orders (without an amount), foreign_orders (their amount is in a
        currency without a rate), free_orders (worth nothing or less), refunded_orders, refunded_revenue, and, comma between,
        `differing_ids`, the first five of the differing, and `currencies`, the first five without a rate.
    """
    engine = engine_of(orders)
    row = engine.query(statement(__file__, "order_faults"), {"orders": orders})
    foreign = engine.query(statement(__file__, "without_rate"), {"orders": orders, "events": events})
    count = int(foreign["orders"].sum())
    row = row.assign(unpriced_orders=row["unpriced_orders"] - count, foreign_orders=count)
    row["currencies"] = ", ".join(foreign["currency"].head(5))
    ids = engine.query(statement(__file__, "differing"), {"orders": orders})["order_id"]
    return row.assign(differing_ids=", ".join(ids.head(5)))


def source_totals(events: AnyTable, orders: AnyTable) -> pd.DataFrame:
    """
    Put the source's own totals beside the orders counted here.

    Parameters
    ----------
    events, orders : table
        See `tables.EVENTS` and `tables.ORDERS`.

    Returns
    -------
    DataFrame
        One row where the export carries totals of its own, else none: source_orders, source_revenue, orders, revenue.
    """
    found = {"events": events, "orders": orders}
    return engine_of(events).query(statement(__file__, "source_totals"), found)


def totals_findings(totals: pd.DataFrame) -> list[Finding]:
    """Return the source's own totals as an observation; nothing where it carries none."""
    return [
        Finding("observation", "00", "fitness.source_totals", values=row, next_step="fitness.source_totals_next")
        for row in totals.to_dict("records")
    ]


def book_match(orders: AnyTable, book_orders: AnyTable, every: AnyTable, start: date, end: date) -> pd.DataFrame:
    """
    Hold the export's orders to the shop's own books, order by order.

    Parameters
    ----------
    orders, book_orders : table
        See `tables.ORDERS` and `tables.BOOK_ORDERS`. Ids are compared without ``#``, in lower case.
    every : table
        All orders of the export, those outside the period or of traffic that is set aside too.
    start, end : date
        The period; books outside it are left out.

    Returns
    -------
    DataFrame
        One row per place where orders were found, empty without books::

            found_in     orders  revenue  book_revenue  differing_orders  differing_revenue  net_revenue
            in_both         940  81230.0       81410.0                12              203.5       -180.0
            books_only       61      NaN        5020.0                 0                NaN          NaN
            export_only       4    310.0           NaN                 0                NaN          NaN

        `differing_orders` have another amount in the books, by more than a cent; `differing_revenue` adds up by how much,
        `net_revenue` what the export has more, of orders with an amount on either side.
        An order of the period that stands on the other side in any period, or set aside, counts as both.
    """
    found = {"orders": orders, "book_orders": book_orders, "every": every}
    return engine_of(orders, book_orders).query(statement(__file__, "book_match"), found, start=start, end=end)
