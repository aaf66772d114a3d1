"""Purchase events -> one row per order, and one row per item."""

from __future__ import annotations

from collections.abc import Mapping

from conversion_audit.engine import AnyTable, Table, engine_of, statement
from conversion_audit.intake.remarks import Remark
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


def order_lines(purchases: AnyTable, items: AnyTable) -> Table:
    """
    Find the rows that are lines of orders: several of one order and one moment, each with one item of its own.

    Returns
    -------
    Table
        One row per line: order_id, event_id, amount, revenue, worth (price by quantity).
    """
    found = {"purchases": purchases, "items": items}
    return engine_of(purchases).create(statement(__file__, "order_lines"), found, name="order_lines")


def remarks(lines: AnyTable) -> list[Remark]:
    """Return what is to be said of orders that have a row for each line."""
    counts = line_amounts(lines)
    key = "lines_summed" if is_per_line(counts) else "lines_once"
    return [Remark(key, orders=counts["orders"])] if counts["orders"] else []


def line_amounts(lines: AnyTable) -> dict[str, int]:
    """Return how many orders have lines, and per_line: in how many of them each amount is its line's and not the order's."""
    counts = engine_of(lines).query(statement(__file__, "line_amounts"), {"order_lines": lines})
    return {name: int(count) for name, count in counts.iloc[0].items()}


def is_per_line(counts: Mapping[str, int]) -> bool:
    """Say whether amounts are those of lines in most orders that have any: a column means the same in every row."""
    return counts["per_line"] * 2 > counts["orders"]


def orders(purchases: AnyTable, items: AnyTable, lines: AnyTable, *, zone: str) -> Table:
    """
    Make one row per order.

    An id that occurs again is the same order (a reloaded confirmation page); it is worth the first amount that any of
    its events carries, and a missing amount is not a differing one. An order without an id stands alone. What a refund
    takes back is its amount; without one it is the whole order.

    Parameters
    ----------
    purchases : table
        Purchase and refund events: event_id, session_id, visitor_id, visitor_event_number, time, order_id, amount,
        revenue, is_purchase, is_refund.
    items : table
        See `tables.ITEMS`.
    lines : table
        See `order_lines`: what is there is no reload. Where amounts are those of lines, an order is worth their sum.
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
    found = {"purchases": purchases, "items": items, "order_lines": lines}
    how = {"is_per_line": is_per_line(line_amounts(lines)), "zone": zone}
    return engine_of(purchases).create(statement(__file__, "orders"), found, name="orders", **how)
