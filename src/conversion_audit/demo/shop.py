"""The demo shop: what visitors came for, how far they get, and what they do on the way."""

from __future__ import annotations

import numpy as np
import pandas as pd

from conversion_audit.demo.catalogue import ARTICLES, CATEGORIES, CITIES, GUIDES, ROLES, TERMS, products, shop_site
from conversion_audit.demo.people import draw, draw_rows
from conversion_audit.demo.plans import ANDROID, DUTCH
from conversion_audit.demo.story import Story, dwell
from conversion_audit.demo.walk import Chances, Friction, depth, left_over, moved, wobble
from conversion_audit.demo.world import World

INTENTS = ("purchase", "research", "returns", "support", "careers")
_INTENT_BY_CHANNEL = {
    "organic_search": (0.40, 0.29, 0.08, 0.15, 0.08),
    "paid_search": (0.61, 0.27, 0.05, 0.06, 0.01),
    "paid_social": (0.33, 0.55, 0.03, 0.07, 0.02),
    "email": (0.60, 0.15, 0.14, 0.09, 0.02),
    "direct": (0.36, 0.18, 0.21, 0.19, 0.06),
    "referral": (0.40, 0.33, 0.06, 0.11, 0.10),
    "affiliate": (0.59, 0.32, 0.04, 0.04, 0.01),
}
_SILENT = (0.20, 0.28, 0.44, 0.46, 0.44)
LANDINGS = ("home", "list", "product", "search", "guide", "account", "about", "service", "deep", "terms", "jobs")
_SHOP_LANDING = (0.474, 0.19, 0.19, 0.02, 0.06, 0.04, 0.01, 0.0005, 0.0005, 0.015, 0.0)
_LANDING = np.array(
    [
        _SHOP_LANDING,
        _SHOP_LANDING,
        (0.36, 0.0, 0.0, 0.0, 0.0, 0.20, 0.01, 0.36, 0.05, 0.02, 0.0),
        (0.36, 0.0, 0.03, 0.0, 0.0, 0.08, 0.01, 0.28, 0.19, 0.05, 0.0),
        (0.34, 0.0, 0.0, 0.0, 0.0, 0.01, 0.09, 0.0, 0.0, 0.0, 0.56),
    ]
)
SLOTS = [
    *("home", "account", "register", "about", "guide", "service", "deep", "form", "sent", "jobs", "role", "apply"),
    *("list", "search", "product", "list_2", "product_2", "terms", "product_3", "wishlist", "stores"),
    *("cart", "checkout", "payment", "review", "done", "reload", "after"),
]
# Share of not silent sessions that open a page: purchase, research, returns, support, careers.
_READS = {
    "account": (0.10, 0.05, 0.45, 0.15, 0.02),
    "register": (0.014, 0.010, 0.0, 0.004, 0.0),
    "about": (0.02, 0.04, 0.0, 0.03, 0.25),
    "guide": (0.06, 0.24, 0.0, 0.03, 0.0),
    "service": (0.06, 0.05, 0.85, 0.80, 0.0),
    "deep": (0.02, 0.02, 0.25, 0.55, 0.0),
    "form": (0.0, 0.0, 0.66, 0.44, 0.0),
    "jobs": (0.002, 0.002, 0.0, 0.0, 0.95),
    "role": (0.0, 0.0, 0.0, 0.0, 0.68),
    "apply": (0.0, 0.0, 0.0, 0.0, 0.24),
    "list": (0.62, 0.58, 0.05, 0.06, 0.02),
    "search": (0.16, 0.12, 0.02, 0.10, 0.0),
    "terms": (0.11, 0.06, 0.05, 0.10, 0.0),
    "stores": (0.02, 0.05, 0.01, 0.05, 0.02),
}
_SECONDS = {"guide": 75.0, "cart": 32.0, "checkout": 70.0, "payment": 55.0, "review": 25.0, "done": 20.0, "form": 80.0}
_PASS = {
    "product_view": (0.96, 0.88, 0.08, 0.16, 0.02),
    "add_to_cart": (0.210, 0.028, 0.008, 0.008, 0.004),
    "checkout": 0.64,
    "shipping": 0.84,
    "payment": 0.87,
    "purchase": 0.91,
}


def world(rng: np.random.Generator, seed: int, who: pd.DataFrame, frictions: list[Friction]) -> World:
    """Return what each session came for, where it lands and how far it gets."""
    intent = draw_intents(rng, who)
    silent = rng.random(len(who)) < np.array(_SILENT)[intent]
    landing = draw_rows(rng, _LANDING[intent])
    chances = _chances(rng, np.random.default_rng([seed, 3]), who, intent, silent, landing)
    reached = depth(chances, left_over(who, chances, frictions, list(_PASS)))
    return World(list(_PASS), INTENTS, who, intent, silent, landing, chances, reached)


def draw_intents(rng: np.random.Generator, who: pd.DataFrame) -> np.ndarray:
    """Return each session's intent, given its channel and whether it is a first visit; nothing else plays a part."""
    weights = np.array([_INTENT_BY_CHANNEL[name] for name in who["channel"]])
    weights[:, 0] *= np.where(who["is_new"], 1.0, 1.2)
    weights[:, 2] *= np.where(who["is_new"], 0.8, 1.4)
    return draw_rows(rng, weights)


def _chances(
    rng: np.random.Generator,
    nature: np.random.Generator,
    who: pd.DataFrame,
    intent: np.ndarray,
    silent: np.ndarray,
    landing: np.ndarray,
) -> Chances:
    """Return each session's probability of each step. `nature` is the shop's own, the same in every period."""
    size = len(who)
    usual = np.column_stack(
        [np.broadcast_to(np.array(share)[intent] if np.ndim(share) else share, size) for share in _PASS.values()]
    )
    usual = moved(usual, wobble(nature, who, len(_PASS), 0.04))
    usual[silent, :2] = 0.0
    usual[landing == LANDINGS.index("product"), 0] = 1.0
    saved = (intent == 0) & ~silent & ~who["is_new"].to_numpy() & (rng.random(size) < 0.012)
    loops = np.where(rng.random(size) < 0.5, 1 + draw(rng, [0.4, 0.3, 0.2, 0.1], size), 0)
    return Chances(usual, rng.random((size, len(_PASS))), saved, loops)


def browse(rng: np.random.Generator, shop: World) -> Story:
    """Return the pages of every session, in their order and with the seconds spent on them."""
    story = Story(len(shop.who), SLOTS, shop_site())
    _read(rng, shop, story)
    _look(rng, shop, story)
    _check_out(rng, shop, story)
    landing = np.array([SLOTS.index(name) for name in LANDINGS])[shop.landing]
    story.land(np.where(shop.chances.enters_at_cart, SLOTS.index("cart"), landing), "home")
    story.settle()
    return story


def _read(rng: np.random.Generator, shop: World, story: Story) -> None:
    size, page = len(shop.who), story.site.page
    service = np.where(shop.intent == 2, page("/returns")[0], page("/help")[0])
    mixed = shop.intent < 2
    service = np.where(mixed & (rng.random(size) < 0.5), page("/returns")[0], service)
    choices = {
        "account": np.where(shop.intent == 2, page("/account/orders")[0], page("/account")[0]),
        "register": page("/account/register"),
        "about": page("/about"),
        "guide": page(*(f"/guides/{name}" for name in GUIDES)),
        "service": service,
        "deep": page(*ARTICLES),
        "form": np.where(shop.intent == 2, page("/returns/start")[0], page("/contact")[0]),
        "jobs": page("/jobs"),
        "role": page(*(f"/jobs/{name}" for name in ROLES)),
        "apply": page("/jobs/apply"),
        "list": page(*(f"/c/{name}" for name in CATEGORIES)),
        "search": page(*(f"/search?q={term.replace(' ', '+')}" for term in TERMS)),
        "terms": page("/shipping"),
        "stores": page(*(f"/stores/{name}" for name in CITIES)),
    }
    for slot, shares in _READS.items():
        lands = shop.landing == (LANDINGS.index(slot) if slot in LANDINGS else -1)
        opens = ~shop.silent & (rng.random(size) < np.array(shares)[shop.intent])
        codes = choices[slot] if len(choices[slot]) == size else rng.choice(choices[slot], size)
        story.visit(slot, lands | opens, codes, dwell(rng, size, _SECONDS.get(slot, 30.0)))
    at_home = (shop.landing == 0) | (~shop.silent & (rng.random(size) < 0.12))
    story.visit("home", at_home, page("/")[0], dwell(rng, size, 14.0))
    sent = story.has("form") & (rng.random(size) < 0.62)
    done = np.where(shop.intent == 2, page("/returns/done")[0], page("/contact/sent")[0])
    story.visit("sent", sent, done, dwell(rng, size, 12.0))
    story.order[:, SLOTS.index("service")] += np.where(mixed, rng.random(size) * 13, 0)
    story.order[:, SLOTS.index("terms")] += rng.random(size) * 8 - 4


def _look(rng: np.random.Generator, shop: World, story: Story) -> None:
    size = len(shop.who)
    codes = story.site.page(*(product.path for product in products()))
    favour = 1 / (3 + np.arange(len(codes)))
    views = (shop.depth >= 1) & ~shop.chances.enters_at_cart
    story.visit("product", views, codes[draw(rng, favour, size)], dwell(rng, size, 38.0))
    more = views & ~shop.silent
    for slot, share in (("product_2", 0.48), ("product_3", 0.24)):
        more = more & (rng.random(size) < share)
        story.visit(slot, more, codes[draw(rng, favour, size)], dwell(rng, size, 30.0))
    lists = story.site.page(*(f"/c/{name}" for name in CATEGORIES))
    lands = (shop.landing == LANDINGS.index("list")) & ~shop.silent & (rng.random(size) < 0.4)
    again = lands | (story.has("product_2") & (rng.random(size) < 0.5))
    story.visit("list_2", again, rng.choice(lists, size), dwell(rng, size, 18.0))
    wish = views & ~shop.silent & (rng.random(size) < 0.04)
    story.visit("wishlist", wish, story.site.codes["/wishlist"], dwell(rng, size, 15.0))


def _check_out(rng: np.random.Generator, shop: World, story: Story) -> None:
    size, codes, reached = len(shop.who), story.site.codes, shop.depth
    slow = np.where(DUTCH.members(shop.who), 3.0, 1.0)
    stuck = 1 + 0.5 * shop.chances.errors * ANDROID.members(shop.who)
    sees_cart = (reached >= 3) | ((reached == 2) & (rng.random(size) < 0.75))
    story.visit("cart", sees_cart, codes["/cart"], dwell(rng, size, _SECONDS["cart"]) * slow)
    story.visit("checkout", reached >= 3, codes["/checkout"], dwell(rng, size, _SECONDS["checkout"]) * stuck)
    for step, slot, path in ((4, "payment", "/checkout/payment"), (5, "review", "/checkout/review")):
        story.visit(slot, reached >= step, codes[path], dwell(rng, size, _SECONDS[slot]))
    done = codes["/checkout/done"]
    story.visit("done", reached >= 6, done, dwell(rng, size, _SECONDS["done"]))
    story.visit("reload", (reached >= 6) & (rng.random(size) < 0.012), done, dwell(rng, size, 8.0))
    bought = pd.Series((reached >= 6).astype(int))
    before = (bought.groupby(shop.who["device_key"].to_numpy()).cumsum() - bought).to_numpy() > 0
    tracks = np.where(before, 0.35, 0.08 * bought) + 0.05 * ((shop.intent == 2) | (shop.intent == 3))
    after = ~shop.silent & (rng.random(size) < tracks)
    story.visit("after", after, codes["/account/tracking"], dwell(rng, size, 18.0))
