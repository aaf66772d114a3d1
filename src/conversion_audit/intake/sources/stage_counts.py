"""
Totals of advertising and e-mail tools: impressions, clicks, opens, orders by day and campaign, as CSV or JSON lines.

There is no one vendor document. Two layouts are read: long (``columns: {date: .., stage: .., segment: .., count: .., cost: ..}``)
and wide, one column per stage (``steps: {impression: Impressions, click: Clicks}``); usual names are found without either.
What to know of it:

- There are no visitors in it: rates are shares of totals, and no chapter about sessions can be written from it.
- A line that only adds up the others ("Total", "Total: Account", "Gesamt: Konto") is left out.
- Files of several tools may lie side by side: each is read by its own columns.
- Lines that an earlier file has too, as in copies and exports whose days overlap, are counted once.
"""

from __future__ import annotations

import json
from pathlib import Path

from conversion_audit import config
from conversion_audit.engine import Engine, Table
from conversion_audit.errors import DataError
from conversion_audit.intake.files import InputFile
from conversion_audit.intake.sources import mapping
from conversion_audit.intake.sources.totals import read_totals, together

KIND = "stage_counts"
TITLE = "Totals by stage, from advertising or e-mail tools"
GIVES = "stage_counts"
NEEDS = ("stage", "count")

_USUAL = {
    "date": ("date", "day", "datum", "tag", "week", "month", "reporting_starts", "send_date"),
    "stage": ("stage", "step", "metric", "stufe", "schritt"),
    "segment": ("campaign", "campaign_name", "segment", "ad_group", "adset_name", "ad_set_name", "kampagne", "email", "newsletter", "mailing",
                "campaign_title", "title"),
    "count": ("count", "number", "value", "anzahl"),
    "cost": ("cost", "spend", "amount_spent", "kosten", "costs", "ausgaben"),
}  # fmt: skip
STAGES = {
    "impression": ("impressions", "impr", "einblendungen"),
    "click": ("clicks", "link_clicks", "klicks"),
    "session": ("sessions", "visits", "landing_page_views", "besuche"),
    "opt-in": ("opt_ins", "optins", "leads", "signups", "sign_ups", "registrations", "anmeldungen"),
    "follow-up sent": ("sent", "sends", "emails_sent", "versendet", "gesendet", "recipients", "total_recipients"),
    "delivered": ("delivered", "deliveries", "successful_deliveries", "zugestellt"),
    "opened": ("opens", "opened", "unique_opens", "total_opens", "geoeffnet", "geöffnet", "oeffnungen"),
    "call to action clicked": ("cta_clicks", "unique_clicks", "email_clicks"),
    "added to cart": ("add_to_cart", "adds_to_cart", "add_to_carts", "added_to_cart", "warenkorb"),
    "order form completed": ("checkouts", "checkouts_initiated", "order_forms", "forms_completed"),
    "paid": (
        "purchases",
        "orders",
        "total_orders",
        "conversions",
        "paid",
        "transactions",
        "bestellungen",
        "kaeufe",
        "käufe",
    ),
    "shipped": ("shipped", "shipments", "versandt"),
}
"""Stage -> usual column names, in the order in which stages follow one another."""


def guess(file: InputFile) -> tuple[dict[str, list[str]], dict[str, str]]:
    """Return the usual columns a file has, and the column of each stage."""
    known = {mapping.plain(name): name for name in reversed(file.columns)}
    columns = {target: [known[name] for name in usual if name in known][:1] for target, usual in _USUAL.items()}
    stages = {stage: next((known[name] for name in usual if name in known), "") for stage, usual in STAGES.items()}
    return {target: names for target, names in columns.items() if names}, {s: c for s, c in stages.items() if c}


def recognises(file: InputFile) -> str | None:
    """Return why this looks like totals by stage, in words, or None."""
    columns, stages = guess(file)
    plain = {mapping.plain(name) for name in file.columns}
    if plain & {"event", "event_name", "session_id", "visitor_id", "user_id", "order_id", "event_type", "client_id"}:
        return None
    if {"stage", "count"} <= set(columns):
        return f"it has a stage ({columns['stage'][0]}) and a count ({columns['count'][0]}) in each row"
    return f"it has a column for each of {', '.join(stages)}" if len(stages) > 1 else None


def read(
    engine: Engine, source: config.Source, files: list[InputFile], *, timezone: str | None, scratch: Path
) -> Table:
    """
    Read totals by stage: see `totals.read_totals`. `columns`, `steps`, `decimal` of `source` are used.

    Raises
    ------
    DataError
        For columns that no file has, and files without a stage.
    """
    everywhere = tuple(dict.fromkeys(name for file in files for name in file.columns))
    named = {**source.columns, **{stage: [column] for stage, column in source.steps.items()}}
    if problems := mapping.absent(
        named, everywhere, files, "Correct `columns` or `steps` of this source in audit.yaml."
    ):
        raise DataError(*problems)
    alike: dict[str, list[InputFile]] = {}
    for file in [file for file in files if not file.is_empty] or files:
        alike.setdefault(json.dumps(guess(file)), []).append(file)
    parts = []
    for several in alike.values():
        columns, stages = guess(several[0])
        there = {name for file in several for name in file.columns}
        told = {
            target: [name for name in names if mapping.is_there(name, there)]
            for target, names in source.columns.items()
        }
        columns |= {target: names for target, names in told.items() if names}
        stages = dict(source.steps) or ({} if {"stage", "count"} <= set(columns) else stages)
        parts.append(read_totals(engine, source, several, columns, stages, scratch))
    return together(engine, parts)
