"""Sessions as stories: pages in slots, and what happens on each page."""

from __future__ import annotations

import json
from typing import NamedTuple

import numpy as np

from conversion_audit.demo.catalogue import Site

LONGEST = 2_000  # seconds on one page, errors and slow loads included


def text(key: str, value: str) -> str:
    """Return one event parameter that holds text, as the export writes it."""
    return f',{{"key":"{key}","value":{{"string_value":{json.dumps(value)}}}}}'


def whole(key: str, value: int) -> str:
    """Return one event parameter that holds a whole number."""
    return f',{{"key":"{key}","value":{{"int_value":"{value}"}}}}'


def decimal(key: str, value: float) -> str:
    """Return one event parameter that holds a decimal number."""
    return f',{{"key":"{key}","value":{{"double_value":{value:.2f}}}}}'


class Happening(NamedTuple):
    """One kind of event: where, when in the session, and what it carries. All arrays have one entry per event."""

    event: str
    session: np.ndarray
    seconds: np.ndarray
    page: np.ndarray
    previous: np.ndarray
    params: np.ndarray
    body: np.ndarray
    seq: int


class Story:
    """
    The pages of each session in slots, then the events on them.

    Parameters
    ----------
    sessions : int
        How many sessions.
    slots : list of str
        Names of the slots in their usual order.
    site : Site
        Pages by code.
    """

    def __init__(self, sessions: int, slots: list[str], site: Site) -> None:
        self.site = site
        self.slots = {name: place for place, name in enumerate(slots)}
        self.page = np.full((sessions, len(slots)), -1, dtype=np.int32)
        self.seconds = np.zeros((sessions, len(slots)))
        self.order = np.tile(np.arange(len(slots), dtype=float), (sessions, 1))
        self.happenings: list[Happening] = []

    def visit(self, slot: str, where: np.ndarray, page: np.ndarray, seconds: np.ndarray) -> None:
        """Let some sessions read a page in a slot."""
        place = self.slots[slot]
        self.page[:, place] = np.where(where, page, self.page[:, place])
        self.seconds[:, place] = np.where(where, seconds, self.seconds[:, place])

    def has(self, slot: str) -> np.ndarray:
        """Return which sessions read a page in this slot."""
        return self.page[:, self.slots[slot]] >= 0

    def land(self, place: np.ndarray, otherwise: str) -> None:
        """Put one slot of each session first; where that slot has no page, the site's first page in slot `otherwise`."""
        rows = np.arange(len(place))
        missing = self.page[rows, place] < 0
        self.visit(otherwise, missing, np.zeros(len(rows), dtype=np.int32), np.full(len(rows), 9.0))
        self.order[rows, np.where(missing, self.slots[otherwise], place)] = -1.0

    def settle(self) -> None:
        """Fix the order of pages: from here on each slot has its first second and the page before it."""
        order = np.where(self.page >= 0, self.order, np.inf)
        places = np.argsort(order, axis=1, kind="stable")
        seconds = np.take_along_axis(self.seconds * (self.page >= 0), places, axis=1)
        pages = np.take_along_axis(self.page, places, axis=1)
        begin = np.cumsum(seconds, axis=1) - seconds
        before = np.hstack([np.full((len(pages), 1), -1, dtype=np.int32), pages[:, :-1]])
        self.begin, self.previous = np.zeros_like(begin), np.zeros_like(before)
        np.put_along_axis(self.begin, places, begin, axis=1)
        np.put_along_axis(self.previous, places, before, axis=1)
        self.length = seconds.sum(axis=1)
        self.pages = (self.page >= 0).sum(axis=1)

    def happen(
        self,
        event: str,
        slot: str,
        where: np.ndarray,
        share: float | np.ndarray = 0.0,
        params: str | np.ndarray = "",
        body: str | np.ndarray = "",
        seq: int = 3,
    ) -> None:
        """
        Let an event happen on a slot's page in some sessions.

        `share` is how far into the page's time; 0 is with the page view itself, in the same batch. `params` and `body` are
        text, or one text per session.
        """
        place = self.slots[slot]
        rows = np.flatnonzero(where & (self.page[:, place] >= 0))
        part = share[rows] if isinstance(share, np.ndarray) else share
        self.happenings.append(
            Happening(
                event,
                rows,
                self.begin[rows, place] + part * self.seconds[rows, place],
                self.page[rows, place],
                self.previous[rows, place],
                _spread(params, rows),
                _spread(body, rows),
                seq,
            )
        )


def _spread(value: str | np.ndarray, rows: np.ndarray) -> np.ndarray:
    if isinstance(value, np.ndarray):
        return value[rows]
    return np.full(len(rows), value, dtype=object)


def dwell(rng: np.random.Generator, sessions: int, usual: float) -> np.ndarray:
    """Return seconds on a page, around a usual length."""
    return np.clip(rng.lognormal(np.log(usual), 0.75, sessions), 2.0, 420.0)
