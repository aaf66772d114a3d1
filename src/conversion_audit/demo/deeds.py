"""What visitors of the demo shop do on its pages: one call of `happen` for each kind of event."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from conversion_audit.demo.arrivals import arrive, crawl
from conversion_audit.demo.catalogue import TERMS, Product, products
from conversion_audit.demo.people import draw
from conversion_audit.demo.plans import ANDROID, DUTCH, SAFARI
from conversion_audit.demo.shop import browse
from conversion_audit.demo.story import Story, decimal, text, whole
from conversion_audit.demo.world import World

_PAYMENTS = ("card", "paypal", "invoice", "klarna")
_COUPONS = ("", "", "", "", "SPRING10", "WELCOME5")
_ERRORS = ("Please enter a valid postcode", "Street is missing", "Phone number is not valid")
_JUST_AN_ERROR = "ResizeObserver loop completed with undelivered notifications"


def tell(rng: np.random.Generator, shop: World) -> tuple[Story, np.ndarray]:
    """Return the story of every session, and from which second on its visitor is logged in."""
    story = browse(rng, shop)
    slow = np.where(DUTCH.members(shop.who), 6.0, 1.0)
    arrive(rng, story, shop.who["is_new"].to_numpy(), {"checkout": slow})
    _look_around(rng, shop, story)
    _ask(rng, shop, story)
    _err(rng, shop, story)
    _buy(rng, shop, story)
    crawl(rng, shop, story)
    return story, _log_in(rng, shop, story)


def _look_around(rng: np.random.Generator, shop: World, story: Story) -> None:
    size = len(shop.who)

    def some(share: float) -> np.ndarray:
        return rng.random(size) < share

    story.happen(
        "select_promotion", "home", ~shop.silent & some(0.10), 0.5, text("promotion_name", "Spring on the trail")
    )
    lists = np.array([_items([(product, 1)], "category") for product in products()[:12]], dtype=object)
    for slot in ("list", "list_2"):
        story.happen("view_item_list", slot, some(1), body=lists[draw(rng, [1] * 12, size)], seq=4)
    for slot in ("product", "product_2", "product_3"):
        story.happen("view_item", slot, some(1), params=_value(story, slot), body=_viewed(story, slot), seq=4)
        story.happen("add_to_wishlist", slot, story.has("wishlist") & some(0.9), 0.5, body=_viewed(story, slot))
        story.happen("share", slot, ~shop.silent & some(0.015), 0.7, text("method", "whatsapp"))
        watches = ~shop.silent & some(0.11)
        for share, seconds in ((0.2, 0), (0.35, 15), (0.5, 30), (0.65, 45)):
            event = "video_progress" if seconds else "video_start"
            params = whole("video_current_time", seconds) + whole("video_percent", seconds * 2)
            story.happen(event, slot, watches, share, text("video_title", "Field test") + params)
            watches = watches & some(0.75)
    terms = np.array([text("search_term", term) for term in TERMS], dtype=object)
    asked = np.clip(story.page[:, story.slots["search"]] - story.site.codes["/search?q=rain+jacket"], 0, len(TERMS) - 1)
    story.happen("view_search_results", "search", some(1), params=terms[asked], seq=4)
    for slot in ("home", "guide", "done"):
        story.happen("newsletter_signup", slot, ~shop.silent & some(0.02), 0.8, text("placement", slot))
    story.happen("find_store", "stores", some(0.5), 0.4)
    story.happen("generate_lead", "stores", ~shop.silent & some(0.12), 0.8, text("form_id", "store_appointment"))


def _ask(rng: np.random.Generator, shop: World, story: Story) -> None:
    """Returns, support, jobs, and what follows an order."""
    size = len(shop.who)
    returns = shop.intent == 2
    for event, who in (("return_request", returns), ("contact_submit", ~returns)):
        story.happen("form_start", "form", who, 0.2, text("form_id", event))
        story.happen(event, "sent", who, seq=4)
    story.happen("form_start", "apply", rng.random(size) < 0.9, 0.1, text("form_id", "application"))
    story.happen("job_application", "apply", rng.random(size) < 0.6, 0.9)
    story.happen("click", "deep", rng.random(size) < 0.1, 0.6, text("link_url", "tel:+49305550100"))
    story.happen("track_order", "after", np.ones(size, dtype=bool), 0.4)
    story.happen("review_submit", "after", rng.random(size) < 0.14, 0.8, whole("rating", 5))


def _err(rng: np.random.Generator, shop: World, story: Story) -> None:
    """Errors: the loop, what the stopped leave behind, everyday typing errors, and one that looks bad and costs nothing."""
    size, chances = len(shop.who), shop.chances
    loops = np.where(ANDROID.members(shop.who), chances.errors, 0)
    message = text("form_id", "shipping") + text("error_message", "Postcode could not be verified, please try again")
    for number in range(1, 5):
        story.happen("form_error", "checkout", loops >= number, 0.15 * number, message)
    typing = np.array([text("form_id", "shipping") + text("error_message", word) for word in _ERRORS], dtype=object)
    wrong = typing[draw(rng, [5, 3, 2], size)]
    story.happen("form_error", "checkout", rng.random(size) < 0.05, 0.1, wrong)
    card = shop.stopped("payment") & SAFARI.members(shop.who) & (rng.random(size) < 0.67)
    blocked = "NotAllowedError: the card field is not allowed in this frame"
    story.happen("exception", "payment", card, 0.6, text("description", blocked))
    sizes = shop.stopped("add_to_cart") & (rng.random(size) < 0.5)
    story.happen("exception", "product", sizes, 0.7, text("description", "TypeError: sizes is undefined"))
    firefox = (shop.who["browser"] == "Firefox").to_numpy()
    story.happen("exception", "checkout", firefox & (rng.random(size) < 0.45), 0.3, text("description", _JUST_AN_ERROR))
    story.happen("exception", "product", firefox & (rng.random(size) < 0.15), 0.3, text("description", _JUST_AN_ERROR))


def _buy(rng: np.random.Generator, shop: World, story: Story) -> None:
    size = len(shop.who)
    adds = (shop.depth >= 2) & ~shop.chances.enters_at_cart
    # Some add the first product they see, some compare two or three before.
    taste, compares = rng.random(size), (story.has("product_2"), story.has("product_3"))
    chosen = np.select(
        [compares[0] & (taste < 0.5), compares[1] & (taste > 0.8)], ["product_2", "product_3"], "product"
    )
    third = compares[1] & (rng.random(size) < 0.4) & (chosen != "product_3")
    for slot in ("product", "product_2", "product_3"):
        here = (chosen == slot) | (third if slot == "product_3" else False)
        story.happen("add_to_cart", slot, adds & here, 0.85, _value(story, slot), _viewed(story, slot))
    baskets = _baskets(rng, shop, story, chosen, adds & third)
    items = _each(size, baskets, lambda row, basket: _items(basket))
    amount = _each(size, baskets, lambda row, basket: text("currency", "EUR") + decimal("value", _total(basket)))
    story.happen("view_cart", "cart", np.ones(size, dtype=bool), params=amount, body=items, seq=4)
    story.happen("remove_from_cart", "cart", rng.random(size) < 0.07, 0.5, amount, items)
    coupon = np.array(_COUPONS)[rng.integers(0, len(_COUPONS), size)]
    story.happen(
        "coupon_apply", "checkout", coupon != "", 0.7, _each(size, baskets, lambda row, _: text("coupon", coupon[row]))
    )
    paid = np.array(_PAYMENTS)[draw(rng, [48, 30, 14, 8], size)]
    way = _each(size, baskets, lambda row, _: amount[row] + text("payment_type", paid[row]))
    parcel = _each(
        size, baskets, lambda row, _: amount[row] + text("shipping_tier", "standard" if row % 5 else "express")
    )
    story.happen("begin_checkout", "checkout", np.ones(size, dtype=bool), params=amount, body=items, seq=4)
    story.happen("add_shipping_info", "payment", np.ones(size, dtype=bool), params=parcel, body=items, seq=4)
    story.happen("add_payment_info", "review", np.ones(size, dtype=bool), params=way, body=items, seq=4)
    orders = _orders(rng, shop, baskets, coupon)
    for slot in ("done", "reload"):
        story.happen("purchase", slot, np.ones(size, dtype=bool), params=orders[0], body=orders[1], seq=4)


def _baskets(
    rng: np.random.Generator, shop: World, story: Story, chosen: np.ndarray, third: np.ndarray
) -> dict[int, list[tuple[Product, int]]]:
    """Return what each session that has a cart has in it."""
    codes = {slot: story.page[:, story.slots[slot]] for slot in ("product", "product_2", "product_3")}
    by_code = {story.site.codes[product.path]: product for product in products()}
    some = draw(rng, [1] * len(products()), len(third))
    quantity = 1 + (rng.random(len(third)) < 0.12)
    found = {}
    for row in np.flatnonzero((shop.depth >= 2) | story.has("cart")):
        seen = by_code.get(int(codes[chosen[row]][row]), products()[some[row]])
        more = by_code.get(int(codes["product_3"][row])) if third[row] else None
        found[row] = [(seen, int(quantity[row])), *([(more, 1)] if more and more != seen else [])]
    return found


def _orders(
    rng: np.random.Generator, shop: World, baskets: dict[int, list[tuple[Product, int]]], coupon: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return parameters and body of each purchase. One order in two hundred lost its id on the way."""
    size = len(shop.who)
    params, bodies = np.full(size, "", dtype=object), np.full(size, "", dtype=object)
    nameless = rng.random(size) < 0.005
    for row in np.flatnonzero(shop.depth >= 6):
        off = {"SPRING10": 0.9, "WELCOME5": 0.95}.get(coupon[row], 1.0)
        revenue = round(_total(baskets[row]) * off, 2)
        name = "" if nameless[row] else f"NL{260_000_000 + int(shop.who['start'].iat[row]) % 90_000_000}{row % 100:02d}"
        params[row] = text("currency", "EUR") + decimal("value", revenue)
        params[row] += text("transaction_id", name) if name else ""
        params[row] += text("coupon", coupon[row]) if coupon[row] else ""
        order = {"transaction_id": name} if name else {}
        order |= {"purchase_revenue": revenue, "unique_items": str(len(baskets[row]))}
        bodies[row] = f',"ecommerce":{_json(order)}' + _items(baskets[row])
    return params, bodies


def _log_in(rng: np.random.Generator, shop: World, story: Story) -> np.ndarray:
    """Add logins and registrations; return from which second on each session carries the visitor's id."""
    size = len(shop.who)
    known = shop.who["has_account"].to_numpy()
    since = np.where(known & (shop.who["number"] > 1).to_numpy() & (rng.random(size) < 0.25), -1.0, np.inf)
    for slot, share, part in (("account", 0.8, 0.4), ("form", 0.5, 0.1), ("checkout", 0.6, 0.2)):
        now = known & np.isinf(since) & story.has(slot) & (rng.random(size) < share) & ~shop.silent
        since = _from(story, slot, now, part, since, "login")
    for slot, share, part in (("register", 0.55, 0.8), ("done", 0.16, 0.7)):
        now = ~known & np.isinf(since) & story.has(slot) & (rng.random(size) < share)
        since = _from(story, slot, now, part, since, "sign_up")
    return since


def _from(story: Story, slot: str, now: np.ndarray, part: float, since: np.ndarray, event: str) -> np.ndarray:
    story.happen(event, slot, now, part, text("method", "email"))
    place = story.slots[slot]
    return np.where(now, story.begin[:, place] + part * story.seconds[:, place] - 0.0005, since)


def _value(story: Story, slot: str) -> np.ndarray:
    return _by_page(story, slot, lambda product: text("currency", "EUR") + decimal("value", product.price))


def _viewed(story: Story, slot: str) -> np.ndarray:
    return _by_page(story, slot, lambda product: _items([(product, 1)]))


def _by_page(story: Story, slot: str, words: Any) -> np.ndarray:
    known = np.full(len(story.site.paths) + 1, "", dtype=object)
    for product in products():
        known[story.site.codes[product.path]] = words(product)
    return known[story.page[:, story.slots[slot]]]


def _each(size: int, baskets: dict[int, list[tuple[Product, int]]], words: Any) -> np.ndarray:
    found = np.full(size, "", dtype=object)
    for row, basket in baskets.items():
        found[row] = words(row, basket)
    return found


def _total(basket: list[tuple[Product, int]]) -> float:
    return round(sum(product.price * count for product, count in basket), 2)


def _items(basket: list[tuple[Product, int]], seen_in: str | None = None) -> str:
    listed = {"item_list_name": seen_in} if seen_in else {}
    return ',"items":' + _json(
        [
            {
                "item_id": product.item_id,
                "item_name": product.name,
                "item_brand": "Northlight",
                "item_category": product.category,
                "price": product.price,
                "quantity": str(count),
                **listed,
            }
            for product, count in basket
        ]
    )


def _json(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))
