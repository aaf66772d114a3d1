"""Which rows are orders by the client's own word: the events and pages of goals that are worth each order's amount."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from fnmatch import fnmatchcase

import pandas as pd

from conversion_audit.config import Goal
from conversion_audit.engine import Table, like, literal, quoted, statement
from conversion_audit.intake import pages

_COLUMNS = ("device", "browser", "os", "country", "platform", "language", "app_version", "device_id", "user_id")
"""What a goal's `where` may ask of a row besides its properties."""


def events(goals: Iterable[Goal]) -> list[str]:
    """Return the events that are orders, whatever the source calls them, on any page."""
    worth = [goal for goal in goals if goal.value == "revenue" and not goal.where and not goal.page]
    return [event for goal in worth for event in goal.event]


def marked(raw: Table, goals: Collection[Goal], own_hosts: Collection[str] = ()) -> Table:
    """
    Return the rows, those as purchases that meet the `where` or the page of a goal worth its revenue.

    A payment that begins a subscription is an order where the goal says ``where: {renewal: "false"}``, one that renews it
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
    return _on_pages(_under_conditions(raw, goals), goals, own_hosts)


def _on_pages(raw: Table, goals: Iterable[Goal], own_hosts: Collection[str]) -> Table:
    by_page = [goal for goal in goals if goal.value == "revenue" and goal.page and not goal.where]
    if not by_page:
        return raw
    seen = raw.engine.query(statement(__file__, "addresses", stem="sold.duckdb"), {"rows": raw})
    page_of = pages.pages(seen["url"].unique(), own_hosts=own_hosts).set_index("value")["page"]
    sold = seen[[any(_fits(goal, event, page_of.get(url)) for goal in by_page) for event, url in seen.to_numpy()]]
    found = {"rows": raw, "sold": raw.engine.hold(sold.astype("string"), "sold")}
    return raw.engine.view(statement(__file__, "sold", stem="sold.duckdb"), found, name="sold_rows")


def _under_conditions(raw: Table, goals: Iterable[Goal]) -> Table:
    asked = [_meets(goal) for goal in goals if goal.value == "revenue" and goal.where and goal.event and not goal.page]
    if not asked:
        return raw
    sells = f"r.is_purchase OR (NOT r.is_refund AND coalesce(r.amount, 0) >= 0 AND ({' OR '.join(asked)}))"
    sql = f"SELECT r.* REPLACE (coalesce({sells}, FALSE) AS is_purchase) FROM rows r"
    return raw.engine.view(sql, {"rows": raw}, name="conditioned_rows")


def _meets(goal: Goal) -> str:
    """What a goal asks of a row, as SQL."""
    asked = [("r.event", goal.event)]
    asked += [
        (f"r.{quoted(key)}" if key in _COLUMNS else f"property(r.properties, {literal(key)})", wanted)
        for key, wanted in goal.where.items()
    ]
    any_of = [
        " OR ".join(f"lower({column}) LIKE {literal(like(text))} ESCAPE '\\'" for text in wanted)
        for column, wanted in asked
    ]
    return " AND ".join(f"({one})" for one in any_of)


def _fits(goal: Goal, event: str, page: str | None) -> bool:
    is_event = not goal.event or event.lower() in map(str.lower, goal.event)
    return is_event and not pd.isna(page) and any(fnmatchcase(page.lower(), one.lower()) for one in goal.page)
