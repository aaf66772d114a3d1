"""Generated shops whose frictions are known: canonical sessions and marks, and the truth beside them."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

STEPS = ["product_view", "add_to_cart", "checkout", "shipping", "payment", "purchase"]
RATES = np.array([0.58, 0.28, 0.52, 0.75, 0.80, 0.86])
SUSPECTS = ["device", "browser", "os", "country"]
ADJUSTERS = ["channel", "is_new"]
NEGATIVES = ["timeout", "validation", "form_error", "address_error", "card_declined", "script_error", "banner_error"]
START = pd.Timestamp("2026-03-02")

_DEVICES = {"mobile": 0.58, "desktop": 0.36, "tablet": 0.06}
_SYSTEMS = {
    "mobile": {"iOS": 0.45, "Android": 0.55},
    "desktop": {"Windows": 0.7, "macOS": 0.3},
    "tablet": {"iOS": 0.7, "Android": 0.3},
}
_BROWSERS = {
    "iOS": {"Safari": 0.85, "Chrome": 0.15},
    "Android": {"Chrome": 0.8, "Samsung Internet": 0.2},
    "Windows": {"Chrome": 0.6, "Edge": 0.25, "Firefox": 0.15},
    "macOS": {"Safari": 0.5, "Chrome": 0.5},
}
_COUNTRIES = {"DE": 0.6, "AT": 0.15, "CH": 0.12, "NL": 0.13}
_CHANNELS = {"organic": 0.34, "paid": 0.28, "direct": 0.2, "email": 0.1, "social": 0.08}


@dataclass(frozen=True)
class Planted:
    """A friction: `loss` of the segment's completions of a step, with error messages, slowly, or in silence."""

    step: str
    segment: dict[str, str]
    loss: float
    since: int = 0
    until: int = 10_000
    how: str = "error"


@dataclass(frozen=True)
class World:
    """A generated shop: what an audit sees, and what it does not."""

    sessions: pd.DataFrame
    marks: pd.DataFrame
    planted: list[Planted]
    lost: list[int] = field(default_factory=list)
    events: pd.DataFrame | None = None


def _drawn(random: np.random.Generator, count: int, shares: dict[str, float]) -> np.ndarray:
    weights = np.array(list(shares.values()))
    return np.array(list(shares), object)[random.choice(len(shares), count, p=weights / weights.sum())]


def _within(random, parents: np.ndarray, shares: dict[str, dict[str, float]]) -> np.ndarray:
    values = np.empty(len(parents), object)
    for parent, inner in shares.items():
        chosen = parents == parent
        values[chosen] = _drawn(random, int(chosen.sum()), inner)
    return values


def _visits(random, count: int, days: int, drift: float) -> pd.DataFrame:
    visitors = int(count / 1.5)
    visitor = random.integers(0, visitors, count)
    device = _drawn(random, visitors, _DEVICES)
    system = _within(random, device, _SYSTEMS)
    browser = _within(random, system, _BROWSERS)
    country = _drawn(random, visitors, _COUNTRIES)
    day = random.integers(0, days, count)
    channel = _drawn(random, count, _CHANNELS)
    if drift:  # in the second half, poor traffic is bought: sessions of other channels become paid and social
        late = (day >= days // 2) & (random.random(count) < drift)
        channel[late] = _drawn(random, int(late.sum()), {"paid": 0.4, "social": 0.6})
    clock = random.integers(0, 86_000, count)
    order = np.lexsort((clock, day, visitor))
    first = np.empty(count, bool)
    first[order] = np.r_[True, np.diff(visitor[order]) != 0]
    return pd.DataFrame(
        {
            "visitor": visitor,
            "day": day,
            "clock": clock,
            "device": device[visitor],
            "os": system[visitor],
            "browser": browser[visitor],
            "country": country[visitor],
            "channel": channel,
            "is_new": first,
        }
    )


def _natural(random, visits: pd.DataFrame, wobble: float) -> np.ndarray:
    """Chance of taking each step, were nothing broken: audiences differ everywhere, segments a little at each step."""
    count, steps = len(visits), len(STEPS)
    logit = np.tile(np.log(RATES / (1 - RATES))[:, None], (1, count))
    logit += 0.25 * random.normal(size=visits.visitor.max() + 1)[visits.visitor]
    for column in SUSPECTS:
        codes, levels = pd.factorize(visits[column], sort=True)
        audience = 0.06 * random.normal(size=len(levels))
        small = wobble * random.normal(size=(steps, len(levels))) / (1 - RATES)[:, None]
        logit += audience[codes] + small[:, codes]
    for column in ADJUSTERS:
        codes, levels = pd.factorize(visits[column], sort=True)
        shift = 0.25 * random.normal(size=len(levels)) + 0.08 * random.normal(size=(steps, len(levels)))
        if column == "channel":
            shift[:, [list(levels).index("paid"), list(levels).index("social")]] -= 0.35
        logit += shift[:, codes]
    return 1 / (1 + np.exp(-logit))


def _inside(visits: pd.DataFrame, planted: Planted) -> np.ndarray:
    chosen = ((visits.day >= planted.since) & (visits.day < planted.until)).to_numpy()
    for column, value in planted.segment.items():
        chosen = chosen & (visits[column] == value).to_numpy()
    return chosen


def _errors(who, step, message, before, after) -> pd.DataFrame:
    return pd.DataFrame({"n": who, "step": step, "name": message, "before": before, "after": after})


def world(
    seed: int,
    count: int,
    planted: list[Planted] | tuple = (),
    *,
    days: int = 56,
    drift: float = 0.0,
    wobble: float = 0.007,
    decoy: bool = False,
    outages: list[tuple[str, dict[str, str], int, int]] | tuple = (),
    start: pd.Timestamp = START,
) -> World:
    """Return a shop of `count` sessions; `outages` are (step, segment, since, until) whose tag was silent."""
    random = np.random.default_rng(seed)
    visits = _visits(random, count, days, drift)
    chance = _natural(random, visits, wobble)
    troubles = []
    natural = np.empty((len(STEPS), count), bool)
    for step in range(len(STEPS)):
        background = random.random(count) < (0.04 if step else 0.01)
        p = np.where(background, chance[step] * 0.8, chance[step])
        natural[step] = random.random(count) < p
        who = np.flatnonzero(background)
        troubles.append(_errors(who, step, NEGATIVES[step % 2], random.random(len(who)), 0))
    blocked = np.zeros((len(planted), count), bool)
    slow = np.ones((len(STEPS), count))
    for k, one in enumerate(planted):
        inside, step = _inside(visits, one), STEPS.index(one.step)
        blocked[k] = inside & (random.random(count) < one.loss)
        if one.how == "error":  # nearly all who are stopped see the message, some see it and get through
            meets = (blocked[k] & (random.random(count) < 0.9)) | (inside & (random.random(count) < 0.08))
            who = np.repeat(np.flatnonzero(meets), random.integers(1, 4, int(meets.sum())))
            troubles.append(_errors(who, step, NEGATIVES[2 + k % 4], random.random(len(who)), 0))
        if one.how == "slow":
            slow[step] = np.where(inside, 2.2, slow[step])
    if decoy:  # an error that stops nobody, where most people are
        who = np.flatnonzero((visits.device == "desktop").to_numpy() & (random.random(count) < 0.25))
        troubles.append(_errors(who, 3, "banner_error", random.random(len(who)), 0))
    return _seen(random, visits, natural, blocked, list(planted), slow, pd.concat(troubles), outages, start)


def _seen(random, visits, natural, blocked, planted, slow, troubles, outages, start) -> World:
    steps, count = natural.shape
    targets = np.array([STEPS.index(one.step) for one in planted], int)
    stopped = np.zeros_like(natural)
    for k, step in enumerate(targets):
        stopped[step] |= blocked[k]
    passing = natural & ~stopped
    depth = np.where(passing.all(0), steps, passing.argmin(0))
    lost = []
    for k, step in enumerate(targets):
        others = np.zeros(count, bool)
        for j in np.flatnonzero(targets == step):
            others |= blocked[j] if j != k else False
        missed = (depth == step) & natural[step] & blocked[k] & ~others & passing[step + 1 :].all(0)
        lost.append(int(missed.sum()))
    pace = random.exponential(45.0, (steps, count)) * slow + 3
    moments = np.cumsum(pace, 0)
    sessions = _sessions(random, visits, depth, moments, start)
    marks = _marks(visits, depth, moments, troubles, sessions, outages, start)
    return World(sessions, marks, planted, lost)


def _sessions(random, visits, depth, moments, start) -> pd.DataFrame:
    count, steps = len(visits), len(STEPS)
    begun = start + pd.to_timedelta(visits.day * 86_400 + visits.clock, unit="s")
    last = np.take_along_axis(np.vstack([np.full(count, 5.0), moments]), depth[None], 0)[0]
    buckets = np.array([f"{b:02x}" for b in range(256)], object)
    ordered = depth == steps
    order = np.lexsort((visits.clock, visits.day, visits.visitor))
    number = np.empty(count, int)
    number[order] = np.arange(count) - np.maximum.accumulate(
        np.where(np.r_[True, np.diff(visits.visitor.to_numpy()[order]) != 0], np.arange(count), 0)
    )
    return pd.DataFrame(
        {
            "session_id": [f"s{i:07d}" for i in range(count)],
            "visitor_id": [f"d:{v:07d}" for v in visits.visitor],
            "start": begun,
            "date": begun.dt.normalize(),
            "hour": begun.dt.hour,
            "seconds": last + random.exponential(40, count),
            "events": depth * 2 + 1 + random.integers(0, 6, count),
            "pages": depth + 1,
            "device": visits.device,
            "os": visits.os,
            "browser": visits.browser,
            "country": visits.country,
            "channel": visits.channel,
            "is_new": visits.is_new,
            "visit_number": number + 1,
            "orders": ordered.astype(int),
            "revenue": np.where(ordered, np.round(random.lognormal(4, 0.5, count), 2), 0.0),
            "bucket": buckets[(visits.visitor.to_numpy() * 2654435761 >> 7) % 256],
        }
    )


def _marks(visits, depth, moments, troubles, sessions, outages, start) -> pd.DataFrame:
    parts = []
    for step, name in enumerate(STEPS):
        who = depth > step
        for silent, segment, since, until in outages:
            if silent == name:
                who = who & ~_inside(visits, Planted(name, segment, 1, since, until))
        who = np.flatnonzero(who)
        parts.append(pd.DataFrame({"n": who, "name": name, "seconds": moments[step, who], "detail": f"/{name}"}))
    met = troubles[depth[troubles.n.to_numpy()] >= troubles.step.to_numpy()]
    n, step = met.n.to_numpy(int), met.step.to_numpy(int)
    entered = np.where(step > 0, moments[np.maximum(step - 1, 0), n], 0.0)
    when = entered + met.before.to_numpy() * (moments[step, n] - entered) * 0.98
    parts.append(pd.DataFrame({"n": n, "name": met.name.to_numpy(), "seconds": when, "detail": "/page"}))
    marks = pd.concat(parts, ignore_index=True).sort_values(["n", "seconds"], kind="stable", ignore_index=True)
    number = marks.groupby("n").cumcount().to_numpy() + 2
    n = marks.n.to_numpy()
    return pd.DataFrame(
        {
            "session_id": sessions.session_id.to_numpy()[n],
            "visitor_id": sessions.visitor_id.to_numpy()[n],
            "event_number": number,
            "moment": number,
            "visitor_event_number": number,
            "visitor_moment": number,
            "time": sessions.start.to_numpy()[n] + pd.to_timedelta(marks.seconds.to_numpy(), unit="s").round("us"),
            "name": marks.name,
            "detail": marks.detail,
        }
    )
