"""What the demo shop sells, and every page it has."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np

HOST = "www.northlight.example"
NAMES = ("Fjell", "Skagen", "Lofoten", "Tarn", "Bergen", "Aurora", "Nordkap", "Vidda")
CATEGORIES = {
    "jackets": ("Rain Jacket", 149.0),
    "boots": ("Trail Boot", 139.0),
    "backpacks": ("Backpack 45", 119.0),
    "tents": ("Tent 2P", 249.0),
    "sleeping-bags": ("Sleeping Bag", 129.0),
    "accessories": ("Merino Socks", 24.0),
}
TERMS = ("rain jacket", "boots", "tent 2 person", "backpack", "socks", "gift card", "size chart", "down jacket")
GUIDES = ("layering", "choose-a-tent", "boot-care", "pack-a-backpack", "first-overnight-tour")
ARTICLES = ("/help/payment", "/help/delivery-time", "/help/size-advice", "/help/warranty", "/help/account")
CITIES = ("berlin", "hamburg", "munich", "vienna")
ROLES = ("store-manager-berlin", "frontend-developer", "buyer-footwear", "working-student")
FIXED = {
    "/": "Northlight Outfitters",
    "/account": "My account",
    "/account/orders": "My orders",
    "/account/register": "Create an account",
    "/about": "About Northlight",
    "/shipping": "Delivery and shipping costs",
    "/cart": "Your cart",
    "/checkout": "Checkout: delivery address",
    "/checkout/payment": "Checkout: payment",
    "/checkout/review": "Checkout: review your order",
    "/checkout/done": "Thank you for your order",
    "/help": "Help centre",
    "/contact": "Contact",
    "/contact/sent": "Message sent",
    "/returns": "Returns and exchanges",
    "/returns/start": "Start a return",
    "/returns/done": "Return registered",
    "/jobs": "Jobs at Northlight",
    "/jobs/apply": "Apply now",
    "/wishlist": "Your wishlist",
    "/stores": "Our stores",
    "/guides": "Guides",
    "/account/tracking": "Track your parcel",
}


class Product(NamedTuple):
    """One article of the shop."""

    item_id: str
    name: str
    category: str
    price: float
    path: str


class Site(NamedTuple):
    """A site's host, its pages in a fixed order, and where each path stands in that order."""

    host: str
    paths: list[str]
    titles: list[str]
    codes: dict[str, int]

    def page(self, *paths: str) -> np.ndarray:
        """Return the codes of some paths."""
        return np.array([self.codes[path] for path in paths], dtype=np.int32)


def site(host: str, pages: dict[str, str]) -> Site:
    """Return a site from its paths and titles."""
    return Site(host, list(pages), list(pages.values()), {path: code for code, path in enumerate(pages)})


@cache
def products() -> tuple[Product, ...]:
    """Return the shop's articles, eight in each category."""
    return tuple(
        Product(
            f"N{10 * place + number:04d}",
            f"{name} {noun}",
            category,
            round(price * (0.8 + 0.07 * number), 0) - 0.05,
            f"/p/{name}-{noun}".lower().replace(" ", "-"),
        )
        for place, (category, (noun, price)) in enumerate(CATEGORIES.items(), 1)
        for number, name in enumerate(NAMES)
    )


@cache
def shop_site() -> Site:
    """Return the shop's pages: the fixed ones, then categories, products, searches, articles, stores, jobs."""
    words = {f"/c/{name}": noun for name, (noun, _) in CATEGORIES.items()}
    words |= {product.path: product.name for product in products()}
    words |= {f"/search?q={term.replace(' ', '+')}": "Search results" for term in TERMS}
    words |= {f"/guides/{name}": f"Guide: {name.replace('-', ' ')}" for name in GUIDES}
    words |= {path: f"Help: {path[6:].replace('-', ' ')}" for path in ARTICLES}
    words |= {f"/stores/{name}": f"Store {name.title()}" for name in CITIES}
    words |= {f"/jobs/{name}": f"Job: {name.replace('-', ' ')}" for name in ROLES}
    return site(HOST, FIXED | words)
