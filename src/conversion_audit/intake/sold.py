"""Which rows are orders by the client's own word: the events and pages of goals that are worth each order's amount."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence

from conversion_audit.config import Goal
from conversion_audit.engine import Table, like, literal, quoted, statement
from conversion_audit.intake import pages

_COLUMNS = ("device", "browser", "os", "country", "platform", "language", "app_version", "device_id", "user_id")
"""What a goal's `where` may ask of a row besides its properties."""


def marked(raw: Table, goals: Collection[Goal], own_hosts: Collection[str] = ()) -> Table:
    """
    Return the rows, those as purchases that meet the event or the page of a goal worth its revenue, and its `where`.

    Nothing else says what is an order, whatever the source calls it. A payment that begins a subscription is an order where the goal says ``where: {renewal: "false"}``, one that renews it
    is not. A shop without a purchase event has its confirmation page: rows of it with an order's number are orders, those
    that name none are reached goals only.

    Parameters
    ----------
    raw : table
        See `tables.ROWS`.
    goals : collection of Goal
        The config's.
    own_hosts : collection of str
        See `pages.pages`.
    """
    return _on_pages(_by_event(raw, goals), goals, own_hosts)


def _on_pages(raw: Table, goals: Iterable[Goal], own_hosts: Collection[str]) -> Table:
    by_page = [goal for goal in goals if goal.value == "revenue" and goal.page and not goal.where]
    if not by_page:
        return raw
    seen = raw.engine.query(statement(__file__, "addresses", stem="sold.duckdb"), {"rows": raw}).astype("string")
    page_of = pages.pages(seen["url"].unique(), own_hosts=own_hosts).set_index("value")["page"]
    met = " OR ".join(_all_like([("event", goal.event), ("page", goal.page)]) for goal in by_page)
    named = seen.assign(page=seen["url"].map(page_of).astype("string"))
    sold = raw.engine.create(f"SELECT event, url FROM seen WHERE {met}", {"seen": named}, name="sold")
    found = {"rows": raw, "sold": sold}
    return raw.engine.view(statement(__file__, "sold", stem="sold.duckdb"), found, name="sold_rows")


def _by_event(raw: Table, goals: Iterable[Goal]) -> Table:
    by_event = [goal for goal in goals if goal.value == "revenue" and goal.event and not goal.page]
    if not by_event:
        return raw
    met = " OR ".join(_all_like([("r.event", goal.event), *_conditions(goal)]) for goal in by_event)
    sells = f"r.is_purchase OR (NOT r.is_refund AND coalesce(r.amount, 0) >= 0 AND ({met}))"
    sql = f"SELECT r.* REPLACE (coalesce({sells}, FALSE) AS is_purchase) FROM rows r"
    return raw.engine.view(sql, {"rows": raw}, name="sold_rows")


def _conditions(goal: Goal) -> Iterator[tuple[str, Sequence[str]]]:
    for key, wanted in goal.where.items():
        yield (f"r.{quoted(key)}" if key in _COLUMNS else f"property(r.properties, {literal(key)})"), wanted


def _all_like(asked: Iterable[tuple[str, Sequence[str]]]) -> str:
    """SQL: each of these columns is like one of its patterns; without a pattern, it may hold anything."""
    any_of = [
        " OR ".join(f"lower({column}) LIKE {literal(like(text))} ESCAPE '\\'" for text in wanted)
        for column, wanted in asked
        if wanted
    ]
    return "(" + " AND ".join(f"({one})" for one in any_of) + ")"
