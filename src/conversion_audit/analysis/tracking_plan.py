"""What is not measured, or measured wrongly, that the next audit needs, and the conclusion each would unlock."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pandas as pd

from conversion_audit.engine import AnyTable, engine_of, statement
from conversion_audit.findings import Finding

MISSING, WRONG, SILENT, FINE = "missing", "wrong", "silent", "measured"
# What to send, by what names exports call it, and which conclusion it unlocks (a key of the texts).
EVENTS = (
    ("scroll_depth", ("scroll", "scroll_depth", "page_scroll"), "seen_below"),
    ("element_visible", ("element_visible", "element_visibility", "view_promotion", "impression"), "button_seen"),
    ("form_error", ("form_error", "form_field_error", "validation_error"), "which_field"),
    ("form_start", ("form_start", "form_field_focus", "form_interaction"), "where_in_form"),
    ("view_search_results", ("view_search_results", "search", "site_search"), "search_fails"),
    ("error_shown", ("exception", "error", "js_error", "page_error"), "which_error"),
    ("out_of_stock", ("out_of_stock", "view_out_of_stock", "size_unavailable"), "not_in_stock"),
    ("consent_choice", ("consent_choice", "cookie_consent", "consent_update"), "who_is_missing"),
    ("refund", ("refund",), "true_value"),
)
_OF_SALES = ("out_of_stock", "refund")  # nothing is in stock, and nothing is paid back, where nothing is sold
_PROPERTIES = (
    ("errors", "error_message", "which_error"),
    ("load_seconds", "page_load_time", "slow_pages"),
    ("search_terms", "search_term", "search_fails"),
    ("user_ids", "user_id", "same_person"),
    ("app_versions", "release_version", "which_release"),
)


def tracking_plan(
    events: AnyTable,
    orders: AnyTable,
    sessions: AnyTable,
    seen: Mapping[str, int],
    steps: Sequence[str],
    findings: Iterable[Finding | Mapping[str, Any]] = (),
    *,
    sells: bool = True,
) -> pd.DataFrame:
    """
    Return, event by event, what the next audit needs.

    Parameters
    ----------
    events, orders, sessions : table
        Of the period.
    seen : mapping
        Name in the config -> sessions that show it: a name never seen is a rule that matches nothing, or a silent tag.
    steps : sequence of str
        The journey: its names come first.
    findings : iterable
        Silent tags of the audit are listed as such.
    sells : bool
        Whether orders have amounts: a site that sells nothing is not asked for stock and refunds.

    Returns
    -------
    DataFrame
        One row per thing to send, the most urgent first::

            priority  what          kind      state    seen  of     unlocks
                   1  payment       step      silent    210  2,310  step_rates
                   2  scroll_depth  event     missing     0  91,000 seen_below

        kind is step, event, property or order; state is silent, wrong, missing, or measured; `seen` of `of` counts what
        there is (events, orders, sessions); `unlocks` names the conclusion.
    """
    engine = engine_of(events, orders, sessions)
    known = engine.query(statement(__file__, "names"), {"events": events}).set_index("event").events
    filled = engine.query(statement(__file__, "filled"), {"events": events}).iloc[0]
    paid = engine.query(statement(__file__, "orders"), {"orders": orders}).iloc[0]
    named = engine.query(statement(__file__, "campaigns"), {"sessions": sessions}).iloc[0]
    total = int(filled.events)
    rows = _silent(findings) + [_rule(name, count, total, name in steps) for name, count in seen.items() if not count]
    # Whatever the event is called: an error's own text and an order taken back are measured where they are seen.
    otherwise = {"error_shown": int(filled.errors), "refund": int(paid.orders_refunded)}
    asked = [event for event in EVENTS if sells or event[0] not in _OF_SALES]
    rows += [_event(what, names, unlocks, known, total, otherwise.get(what, 0)) for what, names, unlocks in asked]
    rows += [_property(what, int(filled[column]), total, unlocks) for column, what, unlocks in _PROPERTIES]
    rows += _orders(paid)
    if named.paid:
        rows.append(_share("campaign", "property", int(named.named), int(named.paid), 0.9, "which_campaign"))
    table = pd.DataFrame(rows, columns=["rank", "what", "kind", "state", "seen", "of", "unlocks"])
    table = table.sort_values("rank", kind="stable").drop_duplicates("what").reset_index(drop=True)
    return table.drop(columns="rank").assign(priority=range(1, len(table) + 1))[
        ["priority", "what", "kind", "state", "seen", "of", "unlocks"]
    ]


def needed(table: pd.DataFrame) -> pd.DataFrame:
    """Return what is not yet measured as it should be, numbered anew."""
    rows = table[table.state != FINE].reset_index(drop=True)
    return rows.assign(priority=range(1, len(rows) + 1))


def _silent(findings: Iterable[Finding | Mapping[str, Any]]) -> list[tuple]:
    rows = []
    for one in findings:
        record = one.record() if isinstance(one, Finding) else one
        if record["kind"] == "tracking" and record.get("step"):
            values = record.get("values") or {}
            count, missing = int(values.get("sessions") or 0), int(values.get("missing") or 0)
            rows.append((0, record["step"], "step", SILENT, count - missing, count, "step_rates"))
    return rows


def _rule(name: str, count: int, total: int, is_step: bool) -> tuple:
    return (1 if is_step else 3, name, "step" if is_step else "event", MISSING, count, total, "step_rates")


def _event(what: str, names: Sequence[str], unlocks: str, known: pd.Series, total: int, otherwise: int) -> tuple:
    count = int(sum(known.get(name, 0) for name in names)) or otherwise
    return 2, what, "event", FINE if count else MISSING, count, total, unlocks


def _property(what: str, count: int, total: int, unlocks: str) -> tuple:
    return 2, what, "property", FINE if count else MISSING, count, total, unlocks


def _orders(paid: pd.Series) -> list[tuple]:
    total = int(paid.orders)
    if not total:
        return []
    return [
        _share("order_id", "order", total - int(paid.orders_without_id), total, 0.99, "orders_once"),
        _share("order_amount", "order", int(paid.orders_with_amount), total, 0.95, "worth"),
        _share("order_items", "order", int(paid.orders_with_items), total, 0.9, "recommendations"),
    ]


def _share(what: str, kind: str, count: int, total: int, enough: float, unlocks: str) -> tuple:
    state = MISSING if not count else FINE if count >= enough * total else WRONG
    return 1 if state == WRONG else 2, what, kind, state, count, total, unlocks
