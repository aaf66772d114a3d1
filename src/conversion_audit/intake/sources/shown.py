"""Names that tables and figures show, and in which a shop may have written anything: personal data in them is masked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from conversion_audit.engine import Table, engine_of, quoted
from conversion_audit.intake import values
from conversion_audit.intake.privacy import SUSPICIOUS
from conversion_audit.intake.sources.stored import Rows
from conversion_audit.intake.substitutes import substituted

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
    is_odd = cleaned["kinds"].map(lambda kinds: bool(set(kinds.split()) - _HARMLESS)).astype(bool)
    odd = cleaned.loc[is_odd, ["value", "clean"]].reset_index(drop=True)
    return substituted(table, names, engine.hold(odd, "odd_names"))
