"""What the generator knows of each session, and never writes down."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from conversion_audit.demo.walk import Chances


class World(NamedTuple):
    """Sessions, what each came for, whether it stays silent, where it lands, and how many of the steps it passes."""

    steps: list[str]
    intents: tuple[str, ...]
    who: pd.DataFrame
    intent: np.ndarray
    silent: np.ndarray
    landing: np.ndarray
    chances: Chances
    depth: np.ndarray

    def stopped(self, step: str) -> np.ndarray:
        """Return which sessions a planted friction stopped at a step that they would have passed."""
        place = self.steps.index(step)
        return (self.depth == place) & (self.chances.luck[:, place] < self.chances.usual[:, place])


def robots(world: World) -> np.ndarray:
    """Return the two dozen sessions that are robots."""
    return np.flatnonzero(world.silent & world.who["is_new"].to_numpy() & (world.landing == 0))[:24]


def truth(world: World) -> dict[str, Any]:
    """
    Return what visitors came for, in sessions with an id that are neither robots nor staff.

    Those of the first two intents can convert; `true_rate` is the share of them that does.
    """
    counted = ~(world.who["denies"] | world.who["is_staff"]).to_numpy()
    counted[robots(world)] = False
    orders = counted & (world.depth >= len(world.steps))
    capable = counted & (world.intent < 2)
    return {
        "name": "intents",
        "kind": "intents",
        "sessions": int(counted.sum()),
        "orders": int(orders.sum()),
        "sessions_by_intent": {
            name: int((counted & (world.intent == n)).sum()) for n, name in enumerate(world.intents)
        },
        "capable_sessions": int(capable.sum()),
        "silent_share": float(world.silent[counted].mean()),
        "naive_rate": float(orders.sum() / counted.sum()),
        "true_rate": float((orders & capable).sum() / capable.sum()),
    }
