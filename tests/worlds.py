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
_KEEN = {"organic": 0.08, "direct": 0.12, "email": 0.2, "paid": -0.3, "social": -0.4, True: -0.04, False: 0.04}
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
        liking = [_KEEN.get(level, 0.18 * random.normal()) for level in levels]
        shift = np.array(liking) + 0.08 * random.normal(size=(steps, len(levels)))
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


_SEGMENTS = [
    {"device": "mobile"},
    {"device": "desktop"},
    {"browser": "Safari"},
    {"os": "iOS"},
    {"os": "Windows"},
    {"country": "AT"},
    {"country": "CH"},
    {"browser": "Edge"},
    {"device": "mobile", "country": "DE"},
    {"device": "mobile", "browser": "Chrome"},
    {"os": "Android", "country": "DE"},
    {"device": "desktop", "country": "DE"},
    {"browser": "Chrome", "country": "DE"},
]


def five_frictions(seed: int) -> list[Planted]:
    """Return five frictions of 22 to 35 %; in every third shop one is at an early step of most sessions."""
    random = np.random.default_rng([77, seed])
    planted = []
    if seed % 3 == 0:
        planted.append(Planted(STEPS[seed % 2], {"device": "mobile"}, random.uniform(0.22, 0.35)))
    for step in random.permutation([*STEPS[1:], "checkout", "payment"]):
        taken = step in {one.step for one in planted}
        if len(planted) < 5 and (not taken or random.random() < 0.1):
            segment = _SEGMENTS[random.integers(len(_SEGMENTS))]
            how = str(random.choice(["error", "error", "silent", "slow"]))
            planted.append(Planted(str(step), segment, random.uniform(0.22, 0.35), how=how))
    return planted


def one_incident(seed: int, low: float = 0.3, high: float = 0.6) -> Planted:
    """Return one incident of five to twenty days, for anyone, at a late step."""
    random = np.random.default_rng([78, seed])
    length = int(random.integers(5, 20))
    since = int(random.integers(0, 56 - length))
    segment = [{}, {"device": "mobile"}, {"browser": "Chrome"}, {"country": "DE"}, {"os": "iOS"}][seed % 5]
    how = str(random.choice(["error", "silent"]))
    return Planted(STEPS[2 + seed % 4], segment, random.uniform(low, high), since, since + length, how)


def sessions_in(world: World, segment: dict[str, str]) -> np.ndarray:
    """Return which sessions a segment holds."""
    chosen = np.ones(len(world.sessions), bool)
    for column, value in segment.items():
        chosen = chosen & (world.sessions[column].astype(str) == value).to_numpy()
    return chosen


def overlap(world: World, one: dict[str, str], other: dict[str, str]) -> float:
    """Return the share of two segments' sessions that both hold."""
    a, b = sessions_in(world, one), sessions_in(world, other)
    return float((a & b).sum() / max((a | b).sum(), 1))
