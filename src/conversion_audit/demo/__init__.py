"""
Two demo clients, written as their exports would come: a shop, and a site that collects leads.

Both are rows of the GA4 export to BigQuery. The same seed gives the same bytes. The shop, Northlight Outfitters, has
64,000 sessions in the eight weeks from Monday 2 March 2026, of which about one in 26 comes without consent and therefore
without ids. Its visitors came to buy (46 %), to look around (27 %), to return something (11 %), for help (11 %) or for a job
(5 %), and read each other's pages. It is told in `shop` (who gets how far), `deeds` (what they do) and `ga4` (how it is written).

What is planted, in the first period. A loss is the share of a segment's passes of a step that is taken away:

=========================  ============  =================  ==============================  =====  ==================
name                       kind          step               segment                         loss   when
=========================  ============  =================  ==============================  =====  ==================
safari_card_field          friction      payment            browser Safari                  30 %   always
slow_checkout_netherlands  friction      checkout           country Netherlands             30 %   always
postcode_error_loop        friction      shipping           device mobile and os Android    24 %   always
size_picker_incident       incident      add_to_cart        device desktop                  38 %   8 to 19 April
paid_social_growth         mix           none               channel Paid Social             0      from 30 March
resize_observer            decoy         none               browser Firefox                 0      always
=========================  ============  =================  ==============================  =====  ==================

In the Netherlands the way from cart to checkout takes three times as long. The error loop shows one to four form errors in
half of the segment's sessions, each of which leaves 70 % of the passes. Paid social's weight grows to 2.2 times its own. The
decoy is an error in 45 % of Firefox's checkouts that costs nothing. Between segments there are small natural differences.

The later period, the eight weeks after, is the same shop: `safari_card_field` is mended, `size_picker_incident` and the growth of
paid social are over, and there is a new incident, `mobile_cart_incident`: checkout, device mobile, 38 %, 18 to 29 May.

Dirt, as real exports have it: reloaded thank-you pages (1.2 % of orders), orders without id (0.5 %), newsletter links with the
reader's address, two dozen robots, staff marked `traffic_type: internal`.

The site that collects leads is described in `leads`.
"""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from conversion_audit.demo import deeds, leads, plans
from conversion_audit.demo import shop as northlight
from conversion_audit.demo.ga4 import write_days
from conversion_audit.demo.people import PLANNERS, SHOPPERS, crowd, sessions_table
from conversion_audit.demo.walk import priced
from conversion_audit.demo.world import World, truth

__all__ = ["planted", "write_demo"]

START = date(2026, 3, 2)
_SESSIONS = {"shop": 64_000, "leads": 21_000}
_STREAMS = {"shop": "7204518", "leads": "8119340"}
_PLANS = {"shop": plans.PLANS, "leads": leads.PLANS}


def write_demo(
    folder: Path,
    *,
    shop: str = "shop",
    seed: int = 1,
    sessions: int | None = None,
    start: date = START,
    weeks: int = 8,
    variant: str | None = None,
) -> list[Path]:
    """
    Write a demo client's export, one gzipped file of JSON lines a day.

    Parameters
    ----------
    folder : Path
        Usually ``data/demo/raw``; made if absent. Files of the same day are replaced, others stay.
    shop : str
        "shop" or "leads".
    seed : int
        The same seed gives the same bytes.
    sessions : int or None
        How many sessions; None is 64,000 for the shop and 21,000 for leads.
    start : date
        First day of the first period.
    weeks : int
        Length of a period.
    variant : str or None
        None is the first period, "later" the one after it.

    Returns
    -------
    list of Path
        ``events_YYYYMMDD.json.gz``, in the order of days.
    """
    start = _first_day(start, weeks, variant)
    rng, world = _world(shop, seed, sessions, start, weeks, variant)
    story, logged_in = (leads if shop == "leads" else deeds).tell(rng, world)
    return write_days(folder, story, world.who, logged_in, start, 7 * weeks, _STREAMS[shop])


def planted(
    *,
    shop: str = "shop",
    seed: int = 1,
    sessions: int | None = None,
    start: date = START,
    weeks: int = 8,
    variant: str | None = None,
) -> list[dict[str, Any]]:
    """
    Return what is planted in an export, for tests: parameters as in `write_demo`.

    Returns
    -------
    list of dict
        name, kind (friction, incident, mix, decoy, intents), step, segment, loss, first_day, last_day, how; frictions and incidents
        with at_risk, expected_lost_orders and lost_orders; the last record holds what visitors came for, and the rate of orders
        among those who came to buy or to look around.
    """
    start = _first_day(start, weeks, variant)
    _, world = _world(shop, seed, sessions, start, weeks, variant)
    frictions = priced(world.who, world.chances, _PLANS[shop][variant], start, world.steps)
    others = plans.others(world.who, start, 7 * weeks, variant) if shop == "shop" else []
    return [*frictions, *others, truth(world)]


def _first_day(start: date, weeks: int, variant: str | None) -> date:
    return start + timedelta(weeks=weeks) if variant == "later" else start


def _world(
    shop: str, seed: int, sessions: int | None, start: date, weeks: int, variant: str | None
) -> tuple[np.random.Generator, World]:
    """Return the random numbers that are left, and what is known of each session."""
    later = variant == "later"
    rng = np.random.default_rng([seed, 11 if later else 10])
    size = sessions or _SESSIONS[shop]
    traffic = PLANNERS if shop == "leads" else SHOPPERS
    shift = plans.PAID_SOCIAL_SHIFT[variant] if shop == "shop" else 1.0
    who = sessions_table(rng, crowd(seed, size, later, traffic.devices), size, start, 7 * weeks, traffic, shift)
    return rng, (leads if shop == "leads" else northlight).world(rng, seed, who, _PLANS[shop][variant])
