"""One SELECT of an analyst's own on a client's prepared tables."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from conversion_audit.errors import ConfigError, Problem

if TYPE_CHECKING:
    import pandas as pd

OF_PERIOD = ("sessions", "all_sessions", "marks", "events", "items", "orders")


def is_select(text: str) -> bool:
    """Say whether a text is a query, not a table's name."""
    return re.match(r"\s*(select|with|from|describe|summarize)\s", text, re.IGNORECASE) is not None


def answer(
    client: str, query: str, start: str | None = None, end: str | None = None, where: str | None = None
) -> pd.DataFrame:
    """
    Return the rows of a query.

    Parameters
    ----------
    client : str
        Folder under ``data/``.
    query : str
        One SELECT. ``sessions``, ``marks``, ``events``, ``items`` and ``orders`` are of the client's period, what is set
        aside left out; ``ledger`` and every other shared table go by their own names.
    start, end, where
        As `open_audit` takes them.

    Raises
    ------
    ConfigError
        If the engine does not understand it, or it is more than one. It can read nothing but the client's own files.
    """
    import duckdb

    from conversion_audit import recipes
    from conversion_audit.audit import INTAKE, open_audit

    audit = open_audit(client, start, end, where)
    try:
        if len(duckdb.extract_statements(query)) > 1:
            raise ConfigError(Problem("these are several queries", mend="Ask one at a time."))
    except duckdb.Error as error:
        raise ConfigError(Problem(str(error).splitlines()[0], seen=query, mend="Write one SELECT.")) from None
    words = set(re.findall(r"\w+", query.lower()))
    tables = {name: getattr(audit, name) for name in OF_PERIOD if name in words}
    tables |= {name: audit.table(name) for name in (*INTAKE, *recipes.TABLES) if name in words and name not in tables}
    tables |= {"ledger": audit.ledger} if "ledger" in words else {}
    try:
        return audit.engine.query(query, tables)
    except duckdb.Error as error:
        known = ", ".join(sorted({*OF_PERIOD, "ledger", *INTAKE, *recipes.TABLES}))
        raise ConfigError(Problem(str(error).splitlines()[0], mend=f"Tables: {known}")) from None
