"""Names that tables and figures show, and in which a shop may have written anything: personal data in them is masked."""

from __future__ import annotations

from dataclasses import replace

from conversion_audit.engine import quoted
from conversion_audit.intake import values
from conversion_audit.intake.privacy import SUSPICIOUS
from conversion_audit.intake.sources.stored import Rows

SHOWN = ("event", "channel", "platform", "app_version", "device", "browser", "os", "country", "language",
         "item_name", "item_category", "item_brand")  # fmt: skip
_HARMLESS = {"ip", "phone"}
"""What versions and numbers to call look like."""


def masked(rows: Rows) -> Rows:
    """Return the rows with addresses, cards and tokens masked in the names that are shown; versions and numbers to call stay."""
    engine, names = rows.engine, [name for name in SHOWN if name in rows.store.columns]
    if not names:
        return rows
    distinct = " UNION ".join(f"SELECT {quoted(name)} AS value FROM rows" for name in names)
    sql = f"SELECT value FROM ({distinct}) found WHERE matches(value, $pattern) ORDER BY value"
    cleaned = values.texts(engine.query(sql, {"rows": rows}, pattern=SUSPICIOUS)["value"])
    odd = cleaned[[bool(set(kinds.split()) - _HARMLESS) for kinds in cleaned["kinds"]]]
    if odd.empty:
        return rows
    joins = " ".join(f"LEFT JOIN odd o{n} ON o{n}.value = r.{quoted(name)}" for n, name in enumerate(names))
    clean = ", ".join(f"coalesce(o{n}.clean, r.{quoted(name)}) AS {quoted(name)}" for n, name in enumerate(names))
    held = {"rows": rows, "odd": engine.hold(odd[["value", "clean"]].reset_index(drop=True), "odd_names")}
    view = engine.view(f"SELECT r.* REPLACE ({clean}) FROM rows r {joins}", held, name="masked")
    return replace(rows, name=view.name)
