"""One entry per session: how far it came, when, for whom, and what went wrong on the way."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

OTHER, UNKNOWN = "(other)", "(unknown)"


@dataclass(frozen=True)
class Factor:
    """
    A column whose values are compared.

    `codes` has one entry per session, or one row per step where the value is read at the event that enters the step;
    -1 is no value there.
    """

    name: str
    levels: list[str]
    codes: np.ndarray

    def at(self, step: int) -> np.ndarray:
        """Return the codes that hold for a step."""
        return self.codes if self.codes.ndim == 1 else self.codes[step]


@dataclass(frozen=True)
class Attempts:
    """
    One entry per session that counts, and per step where a second axis is named.

    `depth` is the deepest step whose event was seen (0: none): legitimate skips and lost tags do not break later
    steps. A session is at risk for step s (0..) when depth >= s and passed it when depth > s. `times` is how often a step
    was taken until the session got beyond it, by the next step or, where that was not seen, by a later one.
    """

    steps: list[str]
    dates: pd.DatetimeIndex
    block: int
    depth: np.ndarray
    seconds: np.ndarray
    times: np.ndarray
    event_number: np.ndarray
    day: np.ndarray
    weekday: np.ndarray
    visitor: np.ndarray
    bucket: np.ndarray
    orders: np.ndarray
    revenue: np.ndarray
    start: np.ndarray
    suspects: list[Factor]
    adjusters: list[Factor]
    troubles: pd.DataFrame
    has_page: np.ndarray
    page_seen: np.ndarray
    machines: int
    number: np.ndarray = field(repr=False)

    def __len__(self) -> int:
        return len(self.depth)

    @property
    def days(self) -> int:
        """Number of time blocks of the period: days, or runs of days where the period is long."""
        return int(np.ceil(len(self.dates) / self.block)) if len(self.dates) else 0

    def at_risk(self, step: int) -> np.ndarray:
        """Return which sessions stood before a step."""
        return self.depth >= step

    def passed(self, step: int) -> np.ndarray:
        """Return which sessions took a step."""
        return self.depth > step

    def entered(self, step: int) -> np.ndarray:
        """Return when each session came to stand before a step: seconds from its start, 0 where that was not seen."""
        if step == 0:
            return np.zeros(len(self))
        known = np.where(np.isnan(self.seconds[:step]), -np.inf, self.seconds[:step])
        return np.maximum(known.max(axis=0), 0.0)

    def left(self, step: int) -> np.ndarray:
        """Return when each session took a step, by its own event or a later one; infinity where it did not."""
        own = self.seconds[step]
        later = np.where(np.isnan(self.seconds[step:]), np.inf, self.seconds[step:]).min(axis=0)
        return np.where(np.isnan(own), later, own)
