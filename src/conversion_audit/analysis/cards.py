"""Definition cards: how a number was counted, from the very settings that counted it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


def funnel_card(options: Mapping[str, Any], *, n: int, exclusions: Sequence[str] = ()) -> dict[str, Any]:
    """
    Return the card of an ordered funnel.

    Parameters
    ----------
    options : mapping
        The keyword arguments given to `funnel.reached`.
    n : int
        Units that entered.
    exclusions : sequence of str
        What was left out before, e.g. ``["bots", "internal"]``.

    Returns
    -------
    dict
        unit, entry, order, window in seconds (or "session"), step_window, ties, tolerance, range, exclusions, n. Only
        what applies.
    """
    window = options.get("window")
    card = {
        "unit": options["unit"],
        "entry": options["entry"],
        "order": options["order"],
        "window_seconds": window if window else None,
        "step_window_seconds": options.get("step_window"),
        "window": "within_session" if not window and options["unit"] == "session" else None,
        "ties": options["ties"],
        "tolerance_seconds": options.get("tolerance") or None,
        "range": "range_" + options["in_range"],
        "exclusions": ", ".join([*exclusions, *options.get("exclude", ())]) or None,
        "n": n,
    }
    return {key: value for key, value in card.items() if value is not None}


def rate_card(unit: str, of: str, n: int, **more: Any) -> dict[str, Any]:
    """Return the card of a simple rate: what is counted, of what, over how many, and whatever else was chosen."""
    return {"unit": unit, "of": of, "n": n} | {key: value for key, value in more.items() if value is not None}
