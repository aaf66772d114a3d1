"""Who gets how far: the chain of steps, with and without each planted friction, on the same random numbers."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd

STEPS = ["product_view", "add_to_cart", "checkout", "shipping", "payment", "purchase"]


@dataclass(frozen=True)
class Friction:
    """
    One planted loss: of the sessions of a segment that would pass a step, this share does not.

    `first` and `last` are days counted from the first day of the period; None is the whole period. `errors` is the share of
    passes that one error leaves; the loss then comes from one to four errors in half of the segment's sessions.
    """

    name: str
    kind: str
    step: str
    segment: dict[str, str]
    loss: float
    how: str
    first: int | None = None
    last: int | None = None
    errors: float | None = None
    extra: dict[str, Any] = field(default_factory=dict)

    def members(self, who: pd.DataFrame) -> np.ndarray:
        """Return which sessions are in the segment and its window."""
        inside = np.ones(len(who), dtype=bool)
        for column, level in self.segment.items():
            inside &= (who[column] == level).to_numpy()
        if self.first is not None:
            inside &= who["day"].between(self.first, self.last).to_numpy()
        return inside

    def factor(self, who: pd.DataFrame, errors: np.ndarray) -> np.ndarray:
        """Return what is left of each session's probability to pass the step."""
        left = (1 - self.loss) if self.errors is None else self.errors**errors
        return np.where(self.members(who), left, 1.0)

    def record(self, start: date) -> dict[str, Any]:
        """Return the friction as plain values, with dates."""
        days = {
            "first_day": None if self.first is None else start + timedelta(days=self.first),
            "last_day": None if self.last is None else start + timedelta(days=self.last),
        }
        kept = {key: value for key, value in asdict(self).items() if key not in {"first", "last", "errors", "extra"}}
        return {**kept, **days, **self.extra}


@dataclass(frozen=True)
class Chances:
    """Each session's probability of each step, its random numbers, and the errors met in the loop."""

    usual: np.ndarray
    luck: np.ndarray
    enters_at_cart: np.ndarray
    errors: np.ndarray


def left_over(who: pd.DataFrame, chances: Chances, frictions: list[Friction], steps: list[str]) -> np.ndarray:
    """Return what the frictions leave of each session's probability of each step."""
    left = np.ones_like(chances.usual)
    for friction in frictions:
        left[:, steps.index(friction.step)] *= friction.factor(who, chances.errors)
    return left


def depth(chances: Chances, left: np.ndarray) -> np.ndarray:
    """Return how many steps each session passes."""
    passed = chances.luck < chances.usual * left
    passed[:, :2] |= chances.enters_at_cart[:, None]
    return np.cumprod(passed, axis=1).sum(axis=1)


def priced(
    who: pd.DataFrame, chances: Chances, frictions: list[Friction], start: date, steps: list[str] = STEPS
) -> list[dict[str, Any]]:
    """
    Return each friction with what it costs.

    `lost_orders` is the difference on the same random numbers with all other frictions in place; `expected_lost_orders` is
    its expectation, given who came as far as the step.
    """
    left = left_over(who, chances, frictions, steps)
    reached = depth(chances, left)
    found = []
    for friction in frictions:
        others = left_over(who, chances, [one for one in frictions if one is not friction], steps)
        place = steps.index(friction.step)
        at_risk = friction.members(who) & (reached >= place)
        gain = chances.usual[:, place] * (others - left)[:, place]
        onward = np.prod((chances.usual * others)[:, place + 1 :], axis=1)
        found.append(
            {
                **friction.record(start),
                "at_risk": int(at_risk.sum()),
                "expected_lost_orders": round(float((gain * onward)[at_risk].sum()), 1),
                "lost_orders": int((depth(chances, others) == len(steps)).sum() - (reached == len(steps)).sum()),
            }
        )
    return found


def wobble(rng: np.random.Generator, who: pd.DataFrame, steps: int, spread: float) -> np.ndarray:
    """Return small natural differences between segments, on the logit scale: one per step and level."""
    moved = np.zeros((len(who), steps))
    for column in ("device", "browser", "country", "channel"):
        levels, place = np.unique(who[column].to_numpy(dtype=str), return_inverse=True)
        moved += rng.normal(0.0, spread, (len(levels), steps))[place]
    return moved


def moved(share: np.ndarray | float, by: np.ndarray | float) -> np.ndarray:
    """Return a probability moved by so much on the logit scale; 0 and 1 stay."""
    with np.errstate(divide="ignore"):
        return 1 / (1 + np.exp(-(np.log(share) - np.log1p(-np.asarray(share)) + by)))
