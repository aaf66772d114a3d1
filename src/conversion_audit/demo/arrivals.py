"""What happens in every session of any site: it starts, pages are read, visitors leave; and robots."""

from __future__ import annotations

import numpy as np

from conversion_audit.demo.story import LONGEST, Happening, Story, decimal, whole
from conversion_audit.demo.world import World, robots


def arrive(rng: np.random.Generator, story: Story, is_new: np.ndarray, slower: dict[str, np.ndarray]) -> None:
    """Add session starts, page views, scrolling and leaving; pages in some slots load so many times slower."""
    everyone = np.ones(len(is_new), dtype=bool)
    tenths = np.array([decimal("load_seconds", n / 10) for n in range(400)], dtype=object)
    spent = np.array([whole("engagement_time_msec", 95 * n) for n in range(10 * LONGEST + 1)], dtype=object)
    for slot, place in story.slots.items():
        first = story.has(slot) & (story.previous[:, place] < 0)
        story.happen("session_start", slot, first, seq=0)
        story.happen("first_visit", slot, first & is_new, seq=1)
        load = rng.lognormal(0.1, 0.35, len(is_new)) * slower.get(slot, 1.0)
        story.happen("page_view", slot, everyone, params=tenths[(load * 10).astype(int).clip(1, 399)], seq=2)
        seconds = story.seconds[:, place]
        scrolls = (seconds > 15) & (rng.random(len(seconds)) < 0.35)
        story.happen("scroll", slot, scrolls, 0.6, whole("percent_scrolled", 90))
        last = story.begin[:, place] + seconds >= story.length - 0.01
        leaves = (seconds > 5) & (rng.random(len(seconds)) < np.where(last, 0.85, 0.22))
        story.happen("user_engagement", slot, leaves, 0.97, spent[(seconds * 10).astype(int)])


def crawl(rng: np.random.Generator, world: World, story: Story) -> None:
    """Let two dozen silent first visits be robots that read a page every half second."""
    rows = robots(world)
    pages = rng.integers(60, 150, len(rows))
    session = np.repeat(rows, pages)
    number = np.concatenate([np.arange(count) for count in pages]) if len(rows) else np.zeros(0)
    page = rng.integers(0, len(story.site.paths), len(session)).astype(np.int32)
    none = np.full(len(session), "", dtype=object)
    story.happenings.append(
        Happening("page_view", session, 1 + number * 0.45, page, np.zeros_like(page), none, none, 2)
    )
