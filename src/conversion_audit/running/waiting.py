"""Waiting for work in threads, so that a signal is heard at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, wait


def ended(futures: Iterable[Future]) -> Iterator[Future]:
    """
    Give each future as it ends.

    A signal may be delivered to any thread, but only the main one acts on it, and not before it wakes: so it wakes often.
    """
    left = set(futures)
    while left:
        done, left = wait(left, timeout=0.2, return_when=FIRST_COMPLETED)
        yield from done
