"""What a page is for, told from the words of its address: product, cart, returns, careers and so on, in six languages."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from urllib.parse import unquote

import yaml

_HOME = re.compile(r"home|index|homepage|start|startseite|accueil|inicio|default|welcome")
_LATE = {"cart", "checkout"}
_LANGUAGES = ("en", "de", "fr", "es", "nl", "it")
_FOLD = str.maketrans({"ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "ł": "l"})


@dataclass(frozen=True)
class Words:
    """One entry of ``patterns/intents.yaml``: its group (journey, intents or neutral), and whether only whole segments count."""

    group: str
    name: str
    is_hint: bool
    is_whole: bool


@dataclass(frozen=True)
class Page:
    """What an address is about, and the place of the segment that says so."""

    group: str
    name: str
    is_hint: bool
    place: int


@lru_cache
def patterns() -> dict:
    """Return ``patterns/intents.yaml``."""
    path = Path(__file__).resolve().parents[1] / "patterns" / "intents.yaml"
    return yaml.safe_load(path.read_text(encoding="utf-8"))


@lru_cache
def _known() -> dict[tuple[str, ...], Words]:
    found: dict[tuple[str, ...], Words] = {}
    for group in ("journey", "intents", "neutral"):
        for name, entry in patterns()[group].items():
            is_whole = bool(entry.get("whole"))
            for language in _LANGUAGES:
                for text in entry.get(language, ()):
                    found.setdefault(tuple(text.split()), Words(group, name, False, is_whole))
            for text in entry.get("hint", ()):
                found.setdefault(tuple(text.split()), Words(group, name, True, is_whole))
    return found


def segments(page: str) -> list[str]:
    """Return a path's segments, folded to lower case letters without accents or file suffix."""
    path = unquote(page.split("?", 1)[0].split("#", 1)[0])
    folded = unicodedata.normalize("NFKD", path.lower().translate(_FOLD))
    plain = "".join(char for char in folded if not unicodedata.combining(char))
    return [re.sub(r"\.[a-z]{2,5}$", "", segment) for segment in plain.split("/") if segment]


def locale_segments(page: str) -> int:
    """Return how many leading segments only say the language or lead in, such as ``/en`` or ``/shop``."""
    parts, place = segments(page), 0
    while place < len(parts) and re.match(patterns()["locale_segment"], parts[place]):
        place += 1
    while place < len(parts) - 1 and re.match(
        patterns()["wrapper_segment"], " ".join(re.findall(r"[a-z0-9]+", parts[place]))
    ):
        place += 1
    return place


def is_home(page: str) -> bool:
    """Return whether a page is the site's first: nothing but a language, or a word for home."""
    rest = segments(page)[locale_segments(page) :]
    return not rest or (len(rest) == 1 and bool(_HOME.fullmatch(rest[0])))


def is_way_to(site: str, page: str) -> bool:
    """Return whether a page, or a pattern of pages, is where one reaches the goal of such a site: signs up, or asks."""
    pattern = patterns()["goal_segment"].get(site)
    return bool(pattern) and any(re.match(pattern, segment) for segment in segments(page))


def page_of(page: str) -> Page | None:
    """
    Return what a page is for, or None where no word says.

    The first segment that speaks decides between shop and service; among service and neutral words the deepest does.
    One word must be the whole segment (``/contact``, not ``/contact-lenses``); two or more must start it.

    >>> page_of("/de/hilfe/retouren").name, page_of("/products/return-to-sender-tee").name, page_of("/track-pants")
    ('returns', 'product', None)
    """
    parts, start = segments(page), locale_segments(page)
    found: Page | None = None
    for place in range(start, len(parts)):
        words = _match(parts[place])
        is_within = start < place < len(parts) - 1
        if words is None or (words.name in _LATE and is_within):
            # A "bag" inside a longer address is a bag to buy, not the shopping bag.
            continue
        here = Page(words.group, words.name, words.is_hint, place)
        if here.group == "journey":
            return found or here
        found = here
    return found


def _match(segment: str) -> Words | None:
    words = tuple(re.findall(r"[a-z0-9]+", segment))
    whole = _known().get(words)
    if whole:
        return whole
    for length in range(min(len(words) - 1, 6), 1, -1):
        found = _known().get(words[:length])
        if found and not found.is_whole:
            return found
    return None
