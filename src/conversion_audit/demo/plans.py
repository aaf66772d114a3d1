"""What is planted in the demo shop, period by period. Only the generator and its tests read this."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pandas as pd

from conversion_audit.demo.walk import Friction

SAFARI = Friction(
    "safari_card_field",
    "friction",
    "payment",
    {"browser": "Safari"},
    0.30,
    "the card field does not take input; two in three of those stopped leave an exception event",
)
DUTCH = Friction(
    "slow_checkout_netherlands",
    "friction",
    "checkout",
    {"country": "Netherlands"},
    0.30,
    "the checkout page takes seven seconds to load; time from cart to checkout is three times the usual",
)
ANDROID = Friction(
    "postcode_error_loop",
    "friction",
    "shipping",
    {"device": "mobile", "os": "Android"},
    0.24,
    "one to four form_error events in half of the sessions; each leaves 70 % of the passes",
    errors=0.70,
)
SIZES = Friction(
    "size_picker_incident",
    "incident",
    "add_to_cart",
    {"device": "desktop"},
    0.38,
    "a release breaks the size picker for twelve days; half of those stopped leave an exception event",
    first=37,
    last=48,
)
MOBILE = Friction(
    "mobile_cart_incident",
    "incident",
    "checkout",
    {"device": "mobile"},
    0.38,
    "a cookie banner covers the checkout button for twelve days; nothing is logged",
    first=21,
    last=32,
)
PLANS: dict[str | None, list[Friction]] = {
    None: [SAFARI, DUTCH, ANDROID, SIZES],
    "later": [DUTCH, ANDROID, MOBILE],
}
PAID_SOCIAL_SHIFT = {None: 2.2, "later": 1.0}


def others(who: pd.DataFrame, start: date, days: int, variant: str | None) -> list[dict[str, Any]]:
    """Return what is planted and costs nothing at any step: the growth of a channel, and harmless errors."""
    half = start + timedelta(days=days // 2)
    social, late = who["channel"] == "paid_social", who["day"] >= days / 2
    nothing = {"step": None, "loss": 0.0, "last_day": None}
    growth = {
        "name": "paid_social_growth",
        "kind": "mix",
        "segment": {"channel": "Paid Social"},
        "first_day": half,
        "share_before": float(social[~late].mean()),
        "share_after": float(social[late].mean()),
    }
    decoy = {
        "name": "resize_observer",
        "kind": "decoy",
        "segment": {"browser": "Firefox"},
        "first_day": None,
        "how": "an exception event in 45 % of checkouts, without effect",
    }
    return [growth | nothing, decoy | nothing][0 if variant is None else 1 :]
