"""A small clean export, and what intake makes of it once it has been spoilt."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from conversion_audit.audit import Audit, open_audit
from conversion_audit.intake import ledger

COLUMNS = {
    "event_id": "id", "time": "at", "device_id": "who", "session_id": "session", "event": "what", "page": "where",
    "order_id": "order", "amount": "worth", "currency": "money",
}  # fmt: skip
HEADER = tuple(COLUMNS.values())
PURCHASES = 20
ROWS = 80

Row = dict[str, str]


def clean() -> list[Row]:
    """Return twenty sessions of twenty visitors over ten days: home, product, cart, and a purchase worth 50.00 each."""
    rows = []
    for n in range(20):
        start = datetime(2026, 3, 2 + n % 10, 9, n)
        for step, (what, where) in enumerate(
            [("page_view", "/"), ("page_view", "/p/shoe"), ("add_to_cart", "/p/shoe"), ("purchase", "/done")]
        ):
            is_order = what == "purchase"
            row = {
                "id": f"e{n}-{step}", "at": f"{start + timedelta(seconds=40 * step):%Y-%m-%d %H:%M:%S}", "who": f"c{n}",
                "session": str(1772000000 + n), "what": what, "where": where, "order": f"A{n}" if is_order else "",
                "worth": "50.00" if is_order else "", "money": "EUR" if is_order else "",
            }  # fmt: skip
            rows.append(row)
    return rows


def changed(rows: Sequence[Row], which: Mapping[int, Mapping[str, str]]) -> list[Row]:
    """Return the rows with some fields of some rows (by place) written otherwise."""
    return [{**row, **which.get(n, {})} for n, row in enumerate(rows)]


def without(rows: Sequence[Row], *columns: str) -> list[Row]:
    """Return the rows without some columns."""
    return [{key: value for key, value in row.items() if key not in columns} for row in rows]


def as_csv(rows: Sequence[Mapping[str, str]], delimiter: str = ",") -> bytes:
    """Return rows as delimited text."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), delimiter=delimiter, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def as_lines(rows: Sequence[Mapping[str, Any]]) -> bytes:
    """Return rows as JSON lines."""
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()


def config(mapped: Sequence[str] = tuple(COLUMNS), source: str = "", more: str = "timezone: UTC", **others: str) -> str:
    """Return a config for the export; `source` and `more` are further lines, `others` further columns."""
    columns = {**{name: COLUMNS[name] for name in mapped}, **others}
    return (
        "client: Acme\ncurrency: EUR\nmain_goal: purchase\n"
        f"sources:\n  - kind: table\n    files: raw/*\n    columns: {json.dumps(columns)}\n{source}"
        "goals:\n  purchase: {event: purchase, value: revenue}\n"
        "micro_conversions:\n  product: {type: destination, page: /p/*}\n  cart: {type: action, event: add_to_cart}\n"
        f"journey: [product, cart]\n{more}\n"
    )


def written(home: Path, files: Mapping[str, bytes] | bytes, text: str | None = None) -> None:
    """Write a client's export and config below a home."""
    raw = home / "data" / "acme" / "raw"
    raw.mkdir(parents=True, exist_ok=True)
    for name, data in (files if isinstance(files, Mapping) else {"events.csv": files}).items():
        (raw / name).write_bytes(data)
    (raw.parent / "audit.yaml").write_text(text or config(), encoding="utf-8")


def taken_in(home: Path, files: Mapping[str, bytes] | bytes, text: str | None = None) -> Audit:
    """Write an export, take it in, and hold the ledger to its sums."""
    written(home, files, text)
    audit = open_audit("acme")
    add_up(audit)
    return audit


def add_up(audit: Audit) -> None:
    """Rows, orders and revenue add up, and every row that is neither quarantined nor a repeat is an event."""
    for parts in ledger.totals(audit.ledger).values():
        assert parts["in"] == parts["kept"] + parts["quarantined"]
        assert parts["kept"] == parts["analysed"] + parts["set_aside"]
    fate = fates(audit)
    lost = fate.get("duplicate", 0) + sum(audit.ledger.rows[audit.ledger.status == "quarantined"])
    assert sum(fate.values()) - lost == len(audit.table("events"))


def fates(audit: Audit) -> dict[str, int]:
    """Return how many rows went under which reason."""
    return {str(reason): int(rows) for reason, rows in audit.ledger.groupby("reason").rows.sum().items()}


def rejected(audit: Audit) -> list[tuple[int, str]]:
    """Return line and reason of each quarantined row."""
    found = audit.frame("rejects").sort_values(["file", "line"])
    return list(zip(found["line"].astype(int), found["reason"], strict=True))


def remarks(audit: Audit) -> list[str]:
    """Return what was remarked while the export was read."""
    found = audit.frame("remarks")
    return list(found.loc[found["topic"] == "reading", "text"])
