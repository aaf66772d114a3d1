"""Which rows are orders by the client's own word: the events and pages of goals that are worth each order's amount."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from fnmatch import fnmatchcase

import pandas as pd

from conversion_audit.config import Goal
from conversion_audit.engine import Table, statement
from conversion_audit.intake import pages


def events(goals: Iterable[Goal]) -> list[str]:
    """Return the events that are orders, whatever the source calls them, on any page."""
    worth = [goal for goal in goals if goal.value == "revenue" and not goal.where and not goal.page]
    return [event for goal in worth for event in goal.event]


def on_pages(raw: Table, goals: Iterable[Goal], own_hosts: Collection[str] = ()) -> Table:
    """
    Return the rows, those with an order's number on the page of a goal worth its revenue as purchases.

    A shop without a purchase event has its confirmation page; rows of it that name no order are reached goals only.

    Parameters
    ----------
    raw : table
        See `tables.ROWS`.
    goals : iterable of Goal
        The config's.
    own_hosts : collection of str
        See `pages.pages`.
    """
    by_page = [goal for goal in goals if goal.value == "revenue" and goal.page and not goal.where]
    if not by_page:
        return raw
    seen = raw.engine.query(statement(__file__, "addresses", stem="sold.duckdb"), {"rows": raw})
    page_of = pages.pages(seen["url"].unique(), own_hosts=own_hosts).set_index("value")["page"]
    sold = seen[[any(_fits(goal, event, page_of.get(url)) for goal in by_page) for event, url in seen.to_numpy()]]
    found = {"rows": raw, "sold": raw.engine.hold(sold.astype("string"), "sold")}
    return raw.engine.view(statement(__file__, "sold", stem="sold.duckdb"), found, name="sold_rows")


def _fits(goal: Goal, event: str, page: str | None) -> bool:
    is_event = not goal.event or event.lower() in map(str.lower, goal.event)
    return is_event and not pd.isna(page) and any(fnmatchcase(page.lower(), one.lower()) for one in goal.page)
