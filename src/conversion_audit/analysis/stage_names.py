"""What a stage of totals is, by its name: its usual place, and the usual name of the share that reaches it."""

from __future__ import annotations

import re
from itertools import pairwise

import pandas as pd

# Stages in their usual order: words that name them, and the usual name of the share that reaches each.
USUAL = (
    (("impression", "einblendung", "view"), "reach"),
    (("click to action", "cta", "call to action", "callout"), "click_to_open_rate"),
    (("click", "klick"), "click_rate"),
    (("engaged session",), "engagement_rate"),
    (("session", "visit", "besuch"), "arrival_rate"),
    (("opt in", "optin", "lead", "signup", "sign up", "anmeldung"), "opt_in_rate"),
    (("sent", "versandt", "gesendet", "follow up"), "sent_rate"),
    (("delivered", "zugestellt"), "delivery_rate"),
    (("open", "geoffnet"), "open_rate"),
    (("cart", "basket", "warenkorb"), "add_to_cart_rate"),
    (("form", "order started", "checkout", "kasse", "formular"), "checkout_rate"),
    (("paid", "order", "purchase", "bezahlt", "bestellung"), "payment_rate"),
    (("shipped", "dispatched", "versendet"), "shipping_rate"),
)
_PLACES = (0, 9, 1, 3, 2, 4, 5, 6, 7, 10, 11, 12, 13)
_AFTER_OPENING = 9
MERGED = ("(other)", "(sonstige)")
"""Segments into which a report gathers what it no longer tells apart."""


def _words(stage: str) -> str:
    return re.sub(r"[^a-z]+", " ", stage.lower().replace("ö", "o").replace("ä", "a").replace("ü", "u")).strip()


def _usual(stage: str) -> int | None:
    words = f" {_words(stage)}"
    return next((k for k, (names, _) in enumerate(USUAL) if any(f" {name}" in words for name in names)), None)


def stage_order(counts: pd.DataFrame) -> list[str]:
    """Return the stages in their usual order; unknown ones by how many reach them, after the next larger known one."""
    totals = counts.groupby("stage")["count"].sum().sort_values(ascending=False)
    known = [s for s in totals.index if _usual(s) is not None]
    places = {s: _PLACES[_usual(s)] for s in known} | dict.fromkeys(_clicks_in_messages(totals[known]), _AFTER_OPENING)
    order = sorted(known, key=lambda s: (places[s], -totals[s]))
    for stage in [s for s in totals.index if _usual(s) is None]:
        larger = [k for k, s in enumerate(order) if totals[s] >= totals[stage]]
        order.insert(larger[-1] + 1 if larger else 0, stage)
    return order


def _clicks_in_messages(totals: pd.Series) -> list[str]:
    """Clicks on what was shown come first; those in messages are fewer than were opened, and nothing was shown before."""
    of = totals.index.map(parameter)
    clicks, opened, shown = totals[of == "click_rate"], totals[of == "open_rate"].max(), totals[of == "reach"].max()
    return list(clicks.index[(clicks <= opened) & ~(clicks <= shown)])


def parameter(stage: str, before: str | None = None) -> str:
    """
    Return the usual name of the share that reaches a stage, e.g. ``click_rate``; ``stage_rate`` for an unknown one.

    Parameters
    ----------
    stage : str
        The stage.
    before : str, optional
        The stage of which it is a share: clicks of messages that were opened are the click-to-open rate.
    """
    place = _usual(stage)
    name = "stage_rate" if place is None else USUAL[place][1]
    return "click_to_open_rate" if name == "click_rate" and before and parameter(before) == "open_rate" else name


def begins_anew(stage: str, before: str | None) -> bool:
    """Return whether a stage is no share of the one before: who only clicked is owed no message, another tool sent it."""
    return before is not None and parameter(stage) == "sent_rate" and parameter(before) != "opt_in_rate"


def tools(counts: pd.DataFrame) -> list[pd.DataFrame]:
    """Return the counts, in two parts where messages do not follow on from the stages before: segments without, and with them."""
    order = stage_order(counts)
    if not any(begins_anew(stage, before) for before, stage in pairwise(order)):
        return [counts]
    sent = counts.segment[counts.stage.map(parameter) == "sent_rate"].unique()
    has_messages = counts.segment.isin(sent)
    return [part for part in (counts[~has_messages], counts[has_messages]) if len(part)]
