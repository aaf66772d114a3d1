"""Purchase events -> one row per order, and one row per item."""

from __future__ import annotations

from conversion_audit.engine import AnyTable, Table, engine_of, statement
from conversion_audit.intake.sources.shown import masked_names


def items(rows: AnyTable) -> Table:
    """
    Return one row per item of an event (see `tables.ITEMS`) from rows with event_id and a JSON list `items`.

    Addresses, cards and tokens are masked in what an item is called.
    """
    engine = engine_of(rows)
    listed = engine.here(engine.view(statement(__file__, "listed"), {"rows": rows}, name="listed"))
    made = engine.create(statement(__file__, "items", stem="orders.duckdb"), {"rows": listed}, name="items")
    return masked_names(made, ("name", "category", "brand"))


def orders(purchases: AnyTable, items: AnyTable, *, zone: str) -> Table:
    """
    Make one row per order.

    An id that occurs again is the same order (a reloaded confirmation page); it is worth the first amount that any of
    its events carries, and a missing amount is not a differing one. An order without an id stands alone.

    Parameters
    ----------
    purchases : table
        Purchase and refund events: event_id, session_id, visitor_id, visitor_event_number, time, order_id, amount,
        revenue, is_purchase, is_refund.
    items : table
        See `tables.ITEMS`.
    zone : str
        The client's time zone.

    Returns
    -------
    Table
        One row per order (see `tables.ORDERS`)::

            order_id  has_id  revenue  refunded  repeats  differs
                 A17    True     80.0       0.0        1    False
            event:9f   False     12.5       0.0        0    False
    """
    found = {"purchases": purchases, "items": items}
    return engine_of(purchases).create(statement(__file__, "orders"), found, name="orders", zone=zone)
