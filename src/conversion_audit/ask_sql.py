"""One SELECT of an analyst's own on a client's prepared tables."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from conversion_audit.errors import ConfigError, Problem

if TYPE_CHECKING:
    import pandas as pd

OF_PERIOD = ("sessions", "all_sessions", "marks", "events", "items", "orders")
MAKES_ROWS = frozenset({"range", "generate_series", "unnest"})
"""What may stand in a FROM beside tables: everything else there opens files, and an export's are not masked."""


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
        If the engine does not understand it, it is more than one, or it opens a file: it reads the prepared tables alone, in
        which personal data are masked.
    """
    import duckdb

    from conversion_audit import recipes
    from conversion_audit.audit import INTAKE, open_audit

    audit, words = open_audit(client, start, end, where), _tables_of(query)
    tables = {name: getattr(audit, name) for name in OF_PERIOD if name in words}
    tables |= {name: audit.table(name) for name in (*INTAKE, *recipes.TABLES) if name in words and name not in tables}
    tables |= {"ledger": audit.ledger} if "ledger" in words else {}
    try:
        return audit.engine.query(query, tables)
    except duckdb.Error as error:
        known = ", ".join(sorted({*OF_PERIOD, "ledger", *INTAKE, *recipes.TABLES}))
        raise ConfigError(Problem(str(error).splitlines()[0], mend=f"Tables: {known}")) from None


def _tables_of(query: str) -> set[str]:
    """Return the names of the tables that one SELECT reads, lower case."""
    import duckdb

    with duckdb.connect() as connection:
        told = connection.execute("SELECT json_serialize_sql($query)", {"query": query}).fetchone()[0]
    parsed = json.loads(told)
    if parsed["error"]:
        what = parsed["error_message"] if parsed["error_type"] == "parser" else "this is no SELECT"
        raise ConfigError(Problem(what, seen=query, mend="Write one SELECT."))
    if len(parsed["statements"]) != 1:
        raise ConfigError(Problem("these are several queries", mend="Ask one at a time."))
    read = list(_sources_of(parsed["statements"][0]["node"]))
    files = [
        name for kind, name in read if re.search(r"\W", name) or (kind == "TABLE_FUNCTION" and name not in MAKES_ROWS)
    ]
    if files:
        why = "An export is not masked; the prepared tables are."
        raise ConfigError(
            Problem("a query reads tables, no files", seen=files[0], why=why, mend="audit sql lists them.")
        )
    return {name.lower() for _, name in read}


def _sources_of(node: Any) -> Iterator[tuple[str, str]]:
    """Yield kind and name of each table, and of each function that makes one, anywhere in a parsed query."""
    inner = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    if isinstance(node, dict) and node.get("type") == "BASE_TABLE":
        yield "BASE_TABLE", node["table_name"]
    if isinstance(node, dict) and node.get("type") == "TABLE_FUNCTION":
        yield "TABLE_FUNCTION", node["function"]["function_name"]
    for one in inner:
        yield from _sources_of(one)
