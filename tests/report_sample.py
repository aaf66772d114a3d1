"""A report of invented numbers, for the tests of the page: every kind of block, every kind of finding."""

from __future__ import annotations

from typing import Any

import pandas as pd

from conversion_audit.report import figures, page
from conversion_audit.report.show import bundles_of
from conversion_audit.report.voice import Voice, speaking

LABELS = {
    "product_view": "Product page",
    "add_to_cart": "Basket",
    "checkout": "Checkout",
    "payment": "Payment",
    "purchase": "Order",
}
CARD = {"unit": "session", "order": "sequential", "window": "within the session", "n": 61700}


def steps() -> pd.DataFrame:
    """Return a funnel with lost and regained sessions."""
    return pd.DataFrame(
        {"step": list(LABELS), "sessions": [27490, 7415, 4620, 2390, 1913], "regained": [0, 1800, 400, 300, 40]}
    )


def segments() -> pd.DataFrame:
    """Return rates with intervals."""
    return pd.DataFrame(
        {
            "device": ["desktop", "mobile", "tablet"],
            "sessions": [30000, 28700, 3000],
            "conversion_rate": [0.045, 0.021, None],
            "conversion_low": [0.043, 0.019, None],
            "conversion_high": [0.047, 0.023, None],
            "revenue": [140000.5, 47000.25, None],
        }
    )


def cells() -> pd.DataFrame:
    """Return a map of steps and segments with one certain cell."""
    rows = [(s, step, 0.5, "noise") for s in ("desktop", "mobile", "tablet") for step in list(LABELS)[1:]]
    frame = pd.DataFrame(rows, columns=["segment", "step", "rate", "verdict"])
    return frame.assign(
        verdict=frame.verdict.where(~((frame.segment == "mobile") & (frame.step == "payment")), "likely friction")
    )


def chapters() -> list[dict[str, Any]]:
    """Return seven chapters: figures, tables, sentences, one skipped, one failed."""
    names = (
        "00_check_data",
        "01_define_goals",
        "02_map_journey",
        "03_segment_intent",
        "04_diagnose_friction",
        "05_plan_actions",
        "06_monitor_change",
    )
    told = [page.chapter(name[:2], name, "ok", None) for name in names]
    shown = {
        "00": [
            *bundles_of("The export holds together."),
            *bundles_of(segments(), name="ledger", claim="Every row", card=CARD),
        ],
        "01": [
            *bundles_of("Orders stand above their target."),
            _figure(figures.plot_rates, segments(), "rates_by_device"),
        ],
        "02": [
            *bundles_of("Three of four leave."),
            _figure(figures.plot_funnel, steps(), "funnel"),
            *bundles_of("One more."),
        ],
        "03": [*bundles_of("One in six came for something else.")],
        "04": [*bundles_of("Payment on mobile."), _figure(figures.plot_map, cells(), "map")],
        "05": [*bundles_of("Payment first.")],
    }
    told = [{**one, "bundles": shown.get(one["number"], [])} for one in told]
    told[5] |= {"status": "failed", "reason": "something in the data was not as expected"}
    told[6] |= {"status": "skipped", "reason": "there is no earlier run to compare with"}
    return told


def _figure(plot: Any, table: pd.DataFrame, name: str) -> dict[str, Any]:
    claim, read = f"What {name} shows", "Longer is more."
    with speaking(Voice(labels=LABELS)):
        return bundles_of(plot(table), name=name, claim=claim, read=read, table=table, card=CARD)[0]


def findings() -> list[dict[str, Any]]:
    """Return one finding of each kind that is told differently."""
    base = {"values": {}, "verdict": "certain", "severity": "medium"}
    return [
        base
        | {
            "id": "F-3k9a",
            "chapter": "04",
            "kind": "friction",
            "severity": "high",
            "verdict": "likely friction",
            "claim": "On mobile 47% get past payment, where 62% of comparable visitors would.",
            "next_step": "Accept spaces in card numbers.",
            "segment": {"device": "mobile"},
            "since": "2026-04-01",
            "revenue": {"low": 31000, "estimate": 41000, "high": 52000},
            "owner": "tracking",
            "gates": [{"name": "enough data", "passed": True, "value": 2390}],
            "note": "Seen in three of five user tests.",
        },
        base | {"id": "F-77ab", "chapter": "03", "kind": "service", "claim": "42% of questions find an answer.", "lost_orders": {"low": 10, "high": 20}},
        base | {"id": "F-9999", "chapter": "00", "kind": "tracking", "claim": "12% of orders show no product page.", "voids": ["02"]},
        base | {"id": "F-abcd", "chapter": "02", "kind": "strength", "severity": "info", "claim": "Guides are read."},
        base | {"id": "F-note", "chapter": "00", "kind": "observation", "severity": "info", "claim": "29 orders came twice."},
    ]  # fmt: skip


def about(**changes: Any) -> dict[str, Any]:
    """Return what the page knows of the client."""
    true = {
        "lower": 0.0338,
        "upper": 0.0612,
        "estimate": 0.0411,
        "low": 0.0325,
        "high": 0.0655,
        "gates": [],
        "expected": 46536.0,
    }
    head = {
        "goal": "purchase",
        "sessions": 61700,
        "visitors": 48211,
        "bounces": 21000,
        "orders": 1950,
        "completions": 1950,
        "revenue": 187345.5,
        "naive_conversion_rate": 0.0310,
        "true_conversion_rate": true,
    }
    return {
        "client": "Northlight Outfitters",
        "language": "en",
        "currency": "EUR",
        "site": "shop",
        "labels": LABELS,
        "period": {"start": "2026-03-02", "end": "2026-04-26"},
        "prepared_on": "2026-05-04",
        "prepared_for": "The board",
        "agency": {"name": "Hollis & Reed", "contact": "Mara Hollis", "footer": "Hollis & Reed"},
        "headline": head,
        "trust": ["Three days were still filling up."],
        "questions": ["Is Europe/Berlin the time zone?"],
        "notes": {"04": "We saw this **often**.\n\n- field turns red"},
        "review": {"hidden": 1, "orphans": [{"id": "F-zzzz", "nearest": "F-3k9a"}]},
        **changes,
    }


def report(**changes: Any) -> str:
    """Return the page of all this."""
    return page.render(chapters(), findings(), about(**changes))
