"""
What a finding cost in the period: orders that would have come, had the segment gone on like its benchmark.

The benchmark's own uncertainty is in the interval: the model is drawn anew by visitor group, and what segments differ by
nature is added. The segment's own sessions are what they were; of those who were stopped, the share that would have gone
on is drawn, and of these the share that orders.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from conversion_audit.analysis.friction import evidence
from conversion_audit.analysis.friction.attempts import Attempts
from conversion_audit.analysis.friction.gates import Judged, onward, rows_of
from conversion_audit.analysis.friction.model import StepFit, expit
from conversion_audit.analysis.friction.score import upper_quantile

REPLICATES = 400
COME_BACK_SECONDS = 7 * 86_400
# Those rescued are probably less keen than those who passed by themselves.
LESS_KEEN = 0.7


@dataclass(frozen=True)
class Price:
    """Lost orders and revenue in the period with their 5th and 95th percentile, gross; net as a range."""

    lost: float
    low: float
    high: float
    revenue: float
    revenue_low: float
    revenue_high: float
    net_low: float
    net_high: float
    come_back_rate: float
    kept: float
    benchmark: float
    benchmark_low: float
    benchmark_high: float


def kept_share(z: float, cut: float) -> float:
    """
    Return the part of a gap to believe, given that it was found because it was large.

    The median-unbiased mean of a normal variable seen above its cut, over the value seen; at least one half, and 1 from
    about 1.5 above the cut on.
    """
    from scipy.special import log_ndtr

    z, cut = abs(z), min(cut, abs(z) - 1e-3)
    if z > cut + 3:
        return 1.0
    low, high = 0.0, z
    for _ in range(50):
        middle = (low + high) / 2
        beyond = log_ndtr(middle - z) - log_ndtr(middle - cut)
        low, high = (middle, high) if beyond < np.log(0.5) else (low, middle)
    return float(np.clip(high / z, 0.5, 1.0))


def price(
    attempts: Attempts,
    candidates: list,
    draft,
    judged: Judged,
    fit: StepFit,
    own: int,
    cut: float,
    noise: float,
    random: np.random.Generator,
) -> Price:
    """
    Price one finding.

    Parameters
    ----------
    fit : StepFit
        With every finding's column at this step; `own` is this one's place.
    cut : float
        The largest p that counted as found.
    noise : float
        Standard deviation of what the benchmark differs by nature, logit scale.
    random : Generator
    """
    cells, column = fit.cells, fit.design.shape[1] - fit.own + own
    inside = evidence.member_rows(attempts, cells, candidates[draft.candidate], draft.window)
    kept = kept_share(draft.z, upper_quantile(cut))
    rates = _benchmarks(attempts, fit, column, rows_of(cells, candidates, draft), judged.usual, noise, kept, random)
    n, y = judged.sessions, judged.passed
    went_on, goals = onward(attempts, cells, inside)
    rate = random.beta(y + 0.5, n - y + 0.5, REPLICATES)
    then = 1.0 if cells.step == len(attempts.steps) - 1 else random.beta(goals + 0.5, went_on - goals + 0.5, REPLICATES)
    rescued = np.clip((rates - rate) / np.maximum(1 - rate, 1e-9), 0, 1) * then
    lost = random.binomial(n - y, np.clip(rescued, 0, 1))
    value, spread = _order_value(attempts, cells, inside)
    revenue = lost * np.maximum(random.normal(value, spread, REPLICATES), 0)
    centre = float(np.median(rates))
    estimate = n * max(0.0, centre - judged.rate) * (1.0 if np.isscalar(then) else goals / max(went_on, 1))
    low, high = np.quantile(lost, [0.05, 0.95])
    back = come_back_rate(attempts, cells, inside)
    money = np.quantile(revenue, [0.05, 0.95])
    return Price(
        float(estimate),
        float(low),
        float(high),
        float(estimate * value),
        float(money[0]),
        float(money[1]),
        float(low * LESS_KEEN * (1 - min(1.0, 2 * back))),
        float(high * (1 - back)),
        back,
        kept,
        centre,
        float(np.quantile(rates, 0.05)),
        float(np.quantile(rates, 0.95)),
    )


def _benchmarks(attempts, fit, column, rows, usual, noise, kept, random) -> np.ndarray:
    """Draw the rate the segment should have had: model redrawn by visitor group, natural difference added."""
    cells = fit.cells
    residual = (cells.passed - fit.p[cells.row_of])[:, None] * fit.design[fit.of_row[cells.row_of]]
    buckets = attempts.bucket[cells.who]
    scores = np.column_stack([np.bincount(buckets, r, 256) for r in residual.T])
    weights = random.poisson(1.0, (REPLICATES, 256)) - 1.0
    betas = fit.beta + weights @ scores @ fit.covariance
    kinds, place = np.unique(fit.of_row[rows], return_inverse=True)
    n = np.bincount(place.ravel(), cells.n[rows], len(kinds))
    level = betas @ fit.design[kinds].T
    gap = betas[:, column] - usual - random.normal(0, noise, REPLICATES)
    return (expit(level - kept * gap[:, None]) * n).sum(1) / n.sum()


def _order_value(attempts: Attempts, cells, inside: np.ndarray) -> tuple[float, float]:
    """Mean revenue of an order that reached the goal in the segment, and its standard error; of the whole site where the
    segment has few. Sessions hold 0 where no order has an amount: that is not known, and no order for nothing."""
    revenue, orders = attempts.revenue[cells.who], attempts.orders[cells.who]
    reached = (attempts.depth == len(attempts.steps)) & (attempts.orders > 0) & (attempts.revenue != 0)
    chosen = inside & reached[cells.who]
    if chosen.sum() < 20:
        revenue, orders, chosen = attempts.revenue, attempts.orders, reached
    if not chosen.any():
        return 0.0, 0.0
    values = revenue[chosen] / orders[chosen]
    return float(values.mean()), float(values.std() / np.sqrt(len(values)))


def come_back_rate(attempts: Attempts, cells, inside: np.ndarray) -> float:
    """Return the share of stopped sessions whose visitor ordered in another session within the next seven days."""
    stopped = cells.who[inside & ~cells.passed]
    if not len(stopped):
        return 0.0
    ordered = np.flatnonzero(attempts.depth == len(attempts.steps))
    order = ordered[np.lexsort((attempts.start[ordered], attempts.visitor[ordered]))]
    span = attempts.start.max() - attempts.start.min() + COME_BACK_SECONDS + 1
    key = attempts.visitor[order] * span + attempts.start[order] - attempts.start.min()
    from_key = attempts.visitor[stopped] * span + attempts.start[stopped] - attempts.start.min()
    after = np.searchsorted(key, from_key, "right")
    until = np.searchsorted(key, from_key + COME_BACK_SECONDS, "right")
    return float((until > after).mean())
