"""Names that tables and figures show, and in which a shop may have written anything: personal data in them is masked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from conversion_audit.engine import Table, engine_of, quoted
from conversion_audit.intake import values
from conversion_audit.intake.privacy import SUSPICIOUS
from conversion_audit.intake.sources.stored import Rows

SHOWN = ("event", "channel", "platform", "app_version", "device", "browser", "os", "country", "language")
_HARMLESS = {"ip", "phone"}
"""What versions and numbers to call look like."""


def masked(rows: Rows) -> Rows:
    """Return the rows with addresses, cards and tokens masked in the names that are shown; versions and numbers to call stay."""
    # The files alone know by their dictionaries the few names there are.
    names = [name for name in SHOWN if name in rows.store.columns]
    return replace(rows, name=masked_names(rows, names, f"({rows.store.select})").name) if names else rows


def masked_names(table: Table, names: Sequence[str], held: str = "t") -> Table:
    """Return a table with the same masked in these columns; `held` is where their values are read from, in SQL."""
    engine = engine_of(table)
    # A table of distinct names: asked at once, the engine would look at every row.
    distinct = " UNION ".join(f"SELECT {quoted(name)} AS value FROM {held} r" for name in names)
    there = engine.create(distinct, {"t": table}, name="names")
    sql = "SELECT value FROM names WHERE matches(value, $pattern) ORDER BY value"
    cleaned = values.texts(engine.query(sql, {"names": there}, pattern=SUSPICIOUS)["value"])
    odd = cleaned[[bool(set(kinds.split()) - _HARMLESS) for kinds in cleaned["kinds"]]]
    if odd.empty:
        return table
    joins = " ".join(f"LEFT JOIN odd o{n} ON o{n}.value = r.{quoted(name)}" for n, name in enumerate(names))
    clean = ", ".join(f"coalesce(o{n}.clean, r.{quoted(name)}) AS {quoted(name)}" for n, name in enumerate(names))
    found = {"t": table, "odd": engine.hold(odd[["value", "clean"]].reset_index(drop=True), "odd_names")}
    return engine.view(f"SELECT r.* REPLACE ({clean}) FROM t r {joins}", found, name="masked")
