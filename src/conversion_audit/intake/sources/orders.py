"""
The shop's own books: one row an order, or one row an order line, as CSV, JSON lines or Parquet.

Shop systems name their columns differently (Shopify's "Export orders to CSV" has Name, Created at, Total, Currency, Financial
Status; WooCommerce's has order_id, order_date, order_total): usual names are found, others are given under ``columns`` as
``order_id``, ``time``, ``revenue``, ``currency``, ``status``. What to know of it:

- An order that fills several rows (one a line item) counts once: its first amount is the order's.
- Orders whose status says that they never came about (cancelled, voided, failed, test) are left out and counted in a note;
  rows of an order without a status follow its others. A refunded order came about, and is worth what it was sold for.
- Rows without an order id cannot be matched to anything and are left out and counted in a note.
"""

from __future__ import annotations

from pathlib import Path

from conversion_audit import config
from conversion_audit.engine import Engine, Table, statement
from conversion_audit.errors import DataError, Problem, listing
from conversion_audit.intake.files import InputFile
from conversion_audit.intake.remarks import Remark
from conversion_audit.intake.sources import casting, mapping
from conversion_audit.intake.sources.columns import settled
from conversion_audit.intake.sources.reading import Reading, gather
from conversion_audit.intake.sources.stored import Rows

KIND = "orders"
TITLE = "The shop's own orders"
GIVES = "book_orders"
NEEDS = ("order_id", "time", "revenue")

_USUAL = {
    "order_id": ("order_id", "order_number", "order_no", "order", "name", "number", "bestellnummer", "bestell_nr", "auftragsnummer",
                 "transaction_id", "increment_id", "id", "reference"),
    "time": ("created_at", "order_date", "date_created", "created", "created_utc", "paid_at", "purchased_at", "purchase_date", "ordered_at", "time", "timestamp",
             "date", "bestelldatum", "datum", "order_time"),
    "amount": ("total", "order_total", "grand_total", "total_price", "revenue", "amount", "total_paid", "gesamtbetrag", "gesamt", "umsatz",
               "betrag", "summe"),
    "currency": ("currency", "order_currency", "currency_code", "waehrung", "währung"),
    "status": ("financial_status", "order_status", "status", "state", "bestellstatus"),
}  # fmt: skip
_NAMES = {"revenue": "amount", "value": "amount", "total": "amount"}


def guess(*files: InputFile) -> dict[str, list[str]]:
    """Return the usual columns of an order book that files have: target -> [column]."""
    known = {mapping.plain(name): name for name in reversed([name for file in files for name in file.columns])}
    found = {target: next((known[name] for name in usual if name in known), None) for target, usual in _USUAL.items()}
    return {target: [column] for target, column in found.items() if column}


def recognises(file: InputFile) -> str | None:
    """Return why this looks like an order book, in words, or None."""
    found, columns = guess(file), {mapping.plain(name) for name in file.columns}
    is_analytics = columns & {
        "event",
        "event_name",
        "event_type",
        "_n",
        "page_url",
        "url",
        "session_id",
        "user_pseudo_id",
        "ereignis",
        "ereignisname",
        "sitzung",
        "sitzungs_id",
        "besucher_id",
    }
    if {"order_id", "time", "amount"} <= set(found) and not is_analytics:
        return f"its columns look like {listing([f'{target} ({names[0]})' for target, names in found.items()])}"
    return None


def read(
    engine: Engine, source: config.Source, files: list[InputFile], *, timezone: str | None, scratch: Path
) -> Table:
    """
    Read the shop's orders.

    Parameters
    ----------
    engine, files, timezone, scratch
        See `table.read`.
    source : Source
        `columns`, `decimal`, `currency`, `salvage` are used.

    Returns
    -------
    Table
        See `tables.BOOK_ORDERS`; further columns currency and status.

    Raises
    ------
    DataError
        For a missing column, or texts that could mean two things.
    """
    files = settled(engine, files, [name for names in source.columns.values() for name in names])
    columns = {_NAMES.get(name, name): list(names) for name, names in source.columns.items()} or guess(*files)
    everywhere = tuple(dict.fromkeys(name for file in files for name in file.columns))
    problems = _missing(columns, everywhere, files)
    if problems:
        raise DataError(*problems)
    # A status has no column of its own among texts, and as an event "refunded" would turn the amount's sign.
    told = {("platform" if target == "status" else target): names for target, names in columns.items()}
    plan = mapping.plan(told, {}, files, ())
    reading = Reading(
        plan.select,
        plan.shape,
        scratch,
        source.salvage,
        from_text=plan.from_text,
        columns=casting.MAPPED,
        parameters=plan.parameters,
    )
    mapped = gather(engine, files, reading)
    settings = casting.Settings(timezone, source.decimal, source.currency)
    rows = casting.cast(mapped, settings)
    told_rows = engine.create(statement(__file__, "told", stem="orders.duckdb"), {"rows": rows}, name="told")
    made = engine.create(
        statement(__file__, "orders", stem="orders.duckdb"), {"told": told_rows}, name="books", zone=timezone or "UTC"
    )
    lost = engine.query(statement(__file__, "lost", stem="orders.duckdb"), {"told": told_rows}).iloc[0]
    return Rows(made.name, engine, notes=(*rows.notes, *_notes(lost.to_dict())))


def _missing(columns: dict[str, list[str]], everywhere: tuple[str, ...], files: list[InputFile]) -> list[Problem]:
    shown = listing([file.name for file in files], 3)
    why = f"Columns found: {listing(everywhere, 20)}."
    mend = "Name them under `columns` of this source, e.g. columns: {order_id: Name, time: Created at, revenue: Total}."
    problems = mapping.absent(columns, everywhere, files, mend)
    absent = [name for name in ("order_id", "time", "amount") if name not in columns]
    if absent:
        words = ", ".join("revenue" if name == "amount" else name for name in absent)
        problems.append(Problem(f"orders need {words}", shown, why=why, mend=mend))
    return problems


def _notes(lost: dict[str, int]) -> list[Remark]:
    names = ("unreadable", "nameless", "dead", "repeated")
    return [Remark(f"books_{name}", rows=int(lost[name])) for name in names if lost[name]]
