"""
Silent sessions, split: what visitors do after a landing that gives their purpose away tells what silence means elsewhere.

Landings on shelves (category, search) show what shoppers do next; landings on service pages show what their visitors do
next. Landings on the home page and other neutral pages mix these in unknown shares, and only the shares are fitted. A
regression of the sure sessions on landing and channel would be biased: what is ambiguous is mostly silence, and people
who did not come to buy are silent far more often than shoppers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from conversion_audit.analysis.intent import SHOP
from conversion_audit.engine import AnyTable, Table, engine_of, statement

LIMITS = {
    "service_landings": 100.0,  # landings on service pages, at least
    "shelf_landings": 100.0,  # landings on category or search pages, at least
    "misfit": 0.03,  # total variation between what was seen and fitted on neutral landings, at most
    "ambiguous_share": 0.60,  # share of sessions that show nothing, or both, at most
    "help_shoppers": 0.05,  # order rate after a service landing, relative to a neutral one, at most (beyond 2 SE)
}
PADDED_TO = 100  # sessions an anchor has at least, filled from all service landings
PSEUDO_SESSIONS = 20  # sessions by which a channel's shares are drawn to the whole


@dataclass(frozen=True)
class Split:
    """
    The fitted split.

    Parameters
    ----------
    chances : DataFrame
        channel, later, chance: of a neutral landing, that it could have bought.
    calibration : DataFrame
        later, seen, fitted: neutral landings, counted and as fitted.
    purposes : DataFrame
        channel, later, purpose, share: what a neutral landing came for, given what followed it.
    weights : DataFrame
        channel, purpose, share of its neutral landings.
    checks : tuple of dict
        name, value, limit, passed.
    everyone : bool
        No session showed a purpose that excludes buying: all count as able to buy, and there is nothing to split.
    """

    chances: pd.DataFrame
    calibration: pd.DataFrame
    purposes: pd.DataFrame
    weights: pd.DataFrame
    checks: tuple[dict, ...]
    everyone: bool = False

    @property
    def holds(self) -> bool:
        """Whether every check passed."""
        return all(check["passed"] for check in self.checks)


def landing_cells(intents: AnyTable) -> pd.DataFrame:
    """Count sessions by channel, landing, what followed it, and class: all the split reads."""
    return engine_of(intents).query(statement(__file__, "cells"), {"intents": intents})


def split(cells: pd.DataFrame, can_buy: Mapping[str, str], limits: Mapping[str, float] | None = None) -> Split:
    """
    Fit what share of neutral landings came to shop, per channel.

    Parameters
    ----------
    cells : DataFrame
        From `landing_cells`.
    can_buy : mapping
        Intent -> ``can``, ``cannot`` or ``unclear``; those that cannot are the other components.
    limits : mapping, optional
        Limits of the checks that differ from `LIMITS`.

    Returns
    -------
    Split
        With every check made. Where one fails the fit is kept for the eye, and no middle estimate may rest on it.
    """
    others = sorted(name for name, can in can_buy.items() if can == "cannot")
    if not _shows_service(cells):
        return Split(*_nothing(), checks=(), everyone=True)
    later = ["silent", SHOP, "both", *(f"service:{name}" for name in others)]
    neutral = cells[cells.landing == "neutral"]
    seen = neutral.pivot_table(index="channel", columns="later", values="sessions", aggfunc="sum", fill_value=0)
    seen = seen.reindex(columns=later, fill_value=0)
    anchors = _anchors(cells, others, later)
    whole = _weights(seen.to_numpy(float).sum(axis=0), anchors, np.zeros(len(anchors)))
    weights = np.array([_weights(row, anchors, PSEUDO_SESSIONS * whole) for row in seen.to_numpy(float)])
    weights = weights.reshape(len(seen), len(anchors))
    fitted = seen.sum(axis=1).to_numpy() @ (weights @ anchors)
    calibration = pd.DataFrame({"later": later, "seen": seen.sum().to_numpy(float), "fitted": fitted})
    purposes = _purposes(weights, anchors, seen.index, [SHOP, *others], later)
    return Split(
        chances=purposes[purposes.purpose == SHOP].drop(columns="purpose").rename(columns={"share": "chance"}),
        calibration=calibration,
        purposes=purposes,
        weights=_long(weights, seen.index, [SHOP, *others]),
        checks=tuple(_checks(cells, calibration, {**LIMITS, **(limits or {})})),
    )


def with_chances(intents: AnyTable, fitted: Split) -> Table:
    """
    Return the sessions of `session_intents` with `chance`, the chance that each could have bought.

    1 on shop landings and for buyers, 0 on service landings, the fitted chance on neutral ones.
    """
    mean = float(fitted.chances.chance.mean()) if len(fitted.chances) else 1.0
    return engine_of(intents).create(
        statement(__file__, "chances"),
        {"intents": intents, "chances": fitted.chances},
        name="intent_chances",
        everyone=fitted.everyone,
        otherwise=mean,
    )


def soft_counts(cells: pd.DataFrame, fitted: Split) -> pd.Series:
    """
    Return the expected number of sessions per purpose that cannot buy.

    All its landings, and its fitted part of neutral landings; buyers came to buy. Over the rule's own label, which misses
    silent sessions, a success rate would be too high.
    """
    rest = cells.assign(sessions=cells.sessions - cells.converted)
    landed = rest[rest.landing == "service"].groupby("landing_intent").sessions.sum()
    neutral = rest[rest.landing == "neutral"].merge(fitted.purposes, on=["channel", "later"])
    mixed = (neutral.sessions * neutral.share).groupby(neutral.purpose).sum()
    return landed.add(mixed, fill_value=0.0).drop(SHOP, errors="ignore").rename("soft_sessions")


def _shows_service(cells: pd.DataFrame) -> bool:
    return bool(((cells.landing == "service") | cells.later.str.startswith(("service:", "both"))).any())


def _nothing() -> tuple[pd.DataFrame, ...]:
    columns = (
        ["channel", "later", "chance"],
        ["later", "seen", "fitted"],
        ["channel", "purpose", "later", "share"],
        ["channel", "purpose", "share"],
    )
    numbers = {"chance", "seen", "fitted", "share"}
    return tuple(
        pd.DataFrame({name: pd.Series(dtype="float64" if name in numbers else "string") for name in names})
        for names in columns
    )


def _counts(cells: pd.DataFrame, later: list[str]) -> np.ndarray:
    return cells.groupby("later").sessions.sum().reindex(later, fill_value=0).to_numpy(float)


def _anchors(cells: pd.DataFrame, others: list[str], later: list[str]) -> np.ndarray:
    """What follows, by purpose: one row each for shopping and every purpose that cannot buy, rows summing to 1."""
    service = cells[cells.landing == "service"]
    rows = [_counts(cells[cells.landing == "shelf"], later)]
    for name in others:
        own = _counts(service[service.landing_intent == name], later)
        missing = max(0.0, PADDED_TO - own.sum())
        rows.append(own + missing * _padding(service, name, later))
    # A floor keeps a combination never seen after any anchor from being impossible.
    anchors = np.array(rows) + 1e-6
    return anchors / anchors.sum(axis=1, keepdims=True)


def _padding(service: pd.DataFrame, name: str, later: list[str]) -> np.ndarray:
    """What follows any service landing, its own purpose read as `name`'s own, the rest as the other purposes'."""
    own = service.later == "service:" + service.landing_intent.fillna("")
    total = np.zeros(len(later))
    total[later.index(f"service:{name}")] = service[own].sessions.sum()
    rest = _counts(service[~own], later)
    strangers = [n for n, y in enumerate(later) if y.startswith("service:") and y != f"service:{name}"]
    elsewhere = rest[3:].sum()
    total[:3] += rest[:3]
    total[strangers] += elsewhere / len(strangers) if strangers else 0.0
    return total / total.sum() if total.sum() else np.full(len(later), 1 / len(later))


def _weights(seen: np.ndarray, anchors: np.ndarray, prior: np.ndarray, rounds: int = 2000) -> np.ndarray:
    """Shares of the purposes in what was seen: concave in the shares, so one optimum."""
    shares = np.full(len(anchors), 1 / len(anchors))
    if not seen.sum() + prior.sum():
        return shares
    for _ in range(rounds):
        joint = shares[:, None] * anchors
        expected = (seen * joint / joint.sum(axis=0)).sum(axis=1) + prior
        new = expected / expected.sum()
        if np.abs(new - shares).max() < 1e-9:
            break
        shares = new
    return new


def _purposes(
    weights: np.ndarray, anchors: np.ndarray, channels: pd.Index, purposes: list[str], later: list[str]
) -> pd.DataFrame:
    joint = weights[:, :, None] * anchors[None]
    share = joint / joint.sum(axis=1, keepdims=True)
    places = pd.MultiIndex.from_product([channels.astype(str), purposes, later], names=["channel", "purpose", "later"])
    return pd.DataFrame({"share": share.ravel()}, index=places).reset_index()


def _long(values: np.ndarray, channels: pd.Index, names: list[str]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "channel": np.repeat(channels.astype(str), len(names)),
            "purpose": np.tile(names, len(channels)),
            "share": values.ravel(),
        }
    )


def _checks(cells: pd.DataFrame, calibration: pd.DataFrame, limits: Mapping[str, float]) -> list[dict]:
    total = max(1.0, calibration.seen.sum())
    sessions = cells.groupby("landing").sessions.sum()
    ratio, beyond = _help_shoppers(cells, limits["help_shoppers"])
    ambiguous = cells[cells["class"] == "A"].sessions.sum() / max(1, cells.sessions.sum())
    values = {
        "service_landings": float(sessions.get("service", 0)),
        "shelf_landings": float(sessions.get("shelf", 0)),
        "misfit": float((calibration.seen - calibration.fitted).abs().sum() / 2 / total),
        "ambiguous_share": float(ambiguous),
        "help_shoppers": ratio,
    }
    passed = {
        name: values[name] >= limits[name] if name.endswith("landings") else values[name] <= limits[name]
        for name in values
    }
    passed["help_shoppers"] = not beyond
    return [
        {"name": name, "value": value, "limit": limits[name], "passed": bool(passed[name])}
        for name, value in values.items()
    ]


def _help_shoppers(cells: pd.DataFrame, limit: float) -> tuple[float, bool]:
    """Order rate of those who landed on a service page and then shopped, over that of neutral landings that shopped."""
    shopped = cells[cells.later.isin([SHOP, "both"])].groupby("landing")[["converted", "sessions"]].sum()
    if not {"service", "neutral"} <= set(shopped.index) or not shopped.converted["neutral"]:
        return float("nan"), False
    service, neutral = shopped.loc["service"], shopped.loc["neutral"]
    rate, base = service.converted / service.sessions, neutral.converted / neutral.sessions
    ratio = rate / base
    spread = rate * (1 - rate) / service.sessions + ratio**2 * base * (1 - base) / neutral.sessions
    return float(ratio), bool(ratio > limit and ratio > 2 * np.sqrt(spread) / base)
