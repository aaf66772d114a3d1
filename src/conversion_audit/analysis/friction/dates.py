"""
Which days a segment was worse than on its own other days.

Every window of at least two days is compared with the segment's own remaining days, so that its usual level cancels. The
best of some thousand windows is judged by the chance that any window looks so bad.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from conversion_audit.analysis.friction.model import StepFit, expit, logit

LEAST_OUTSIDE = 0.10
_REFINED = 6
# Chance that the best window of a quiet series is beyond z: about factor * z^3 * phi(z). Simulated at z = 3.5 for series of
# so many days (16,000 to 400,000 series each); further out the true chance is a little smaller.
_FACTORS = {5: 0.05, 7: 0.10, 14: 0.29, 28: 0.69, 56: 1.41, 90: 2.20, 120: 3.05}


@dataclass(frozen=True)
class Windows:
    """
    Per candidate the best window [since, until) in blocks of days, its z (negative: worse inside) and p.

    `gap` is inside minus outside, on the logit scale; `outside` the segment's own gap on its other days. NaN and p = NaN
    where no window could be judged.
    """

    since: np.ndarray
    until: np.ndarray
    z: np.ndarray
    p: np.ndarray
    gap: np.ndarray
    outside: np.ndarray
    outside_information: np.ndarray


def window_p(z: np.ndarray, days: int) -> np.ndarray:
    """Return the chance that the best window of so many quiet days is as low as z."""
    known = sorted(_FACTORS)
    factor = np.interp(days, known, [_FACTORS[d] for d in known])
    z = np.minimum(z, 0.0)
    return np.where(z > -2.5, 1.0, np.minimum(1.0, factor * np.abs(z) ** 3 * np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi)))


def daily(fit: StepFit, members: np.ndarray, days: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return per candidate and day: at risk, passed, expected, information (not yet deflated)."""
    cells = fit.cells
    at = cells.cell.astype(np.int64) * days + cells.day
    size = members.shape[1] * days

    def summed(values: np.ndarray) -> np.ndarray:
        return members.astype(float) @ np.bincount(at, values, size).reshape(-1, days)

    return summed(cells.n), summed(cells.y), summed(cells.n * fit.p), summed(fit.weight)


def scan(fit: StepFit, members: np.ndarray, days: int, shortest: int = 2) -> Windows:
    """
    Return every candidate's best window at one step.

    Parameters
    ----------
    fit : StepFit
    members : bool array, candidates x cells
    days : int
        Blocks of days in the period.
    shortest : int
        Blocks a window has at least.
    """
    count = len(members)
    nothing = np.full(count, np.nan)
    if days < 2 * shortest + 1 or not len(fit.cells.n):
        zero = np.zeros(count, int)
        return Windows(zero, zero, nothing, nothing, nothing, nothing, np.zeros(count))
    n, y, expected, weight = daily(fit, members, days)
    weight = weight / fit.inflation
    residual = (y - expected) / fit.inflation
    noise = _daily_noise(residual, weight)
    since, until = np.triu_indices(days + 1, shortest)
    z = _window_z(residual, weight, since, until, noise)
    best = np.argsort(z, axis=1, kind="stable")[:, :_REFINED]
    refined, gap = _likelihood_z(n, y, expected, weight, fit.inflation, since[best], until[best])
    plain = np.take_along_axis(_window_z(residual, weight, since, until, 0.0) if noise else z, best, 1)
    with np.errstate(invalid="ignore", divide="ignore"):
        refined = refined * np.where(plain < 0, np.take_along_axis(z, best, 1) / plain, 1.0)
    refined = np.where(np.isfinite(np.take_along_axis(z, best, 1)), refined, np.inf)
    top = np.argmin(refined, axis=1)
    rows = np.arange(count)
    at = best[rows, top]
    chosen = refined[rows, top]
    live = np.isfinite(chosen)
    outside, information = _outside(residual, weight, since[at], until[at])
    chosen = np.where(live, chosen, np.nan)
    return Windows(
        since[at],
        until[at],
        chosen,
        np.where(live, window_p(np.nan_to_num(chosen), days), np.nan),
        gap[rows, top],
        outside,
        information,
    )


def _window_sums(values: np.ndarray, since: np.ndarray, until: np.ndarray) -> np.ndarray:
    running = np.concatenate([np.zeros((len(values), 1)), np.cumsum(values, axis=1)], axis=1)
    return running[:, until] - running[:, since]


def _window_z(residual, weight, since, until, noise) -> np.ndarray:
    inside, info = _window_sums(residual, since, until), _window_sums(weight, since, until)
    rest, other = residual.sum(1, keepdims=True) - inside, weight.sum(1, keepdims=True) - info
    length = (until - since).astype(float)
    spread = noise**2 * (1 / length + 1 / np.maximum(residual.shape[1] - length, 1))
    live = (info >= 3) & (other >= np.maximum(LEAST_OUTSIDE * (info + other), 3))
    with np.errstate(divide="ignore", invalid="ignore"):
        z = (inside / info - rest / other) / np.sqrt(1 / info + 1 / other + spread)
    return np.where(live, z, np.inf)


def _daily_noise(residual: np.ndarray, weight: np.ndarray) -> float:
    """
    Return how much the whole site's days differ beyond chance; the first candidate is everyone.

    From neighbouring days, so that a lasting fall is not taken for noise; by the median, so that one bad day is not.
    """
    live = weight[0] > 0
    if live.sum() < 15:
        return 0.0
    gap, variance = residual[0][live] / weight[0][live], 1 / weight[0][live]
    step, variance = np.diff(gap) ** 2, variance[1:] + variance[:-1]
    if np.median(step / variance) < 0.8:
        return 0.0
    low, high = 0.0, 1.0
    for _ in range(25):
        middle = (low + high) / 2
        low, high = (middle, high) if np.median(step / (variance + 2 * middle**2)) > 0.4549 else (low, middle)
    return high


def _likelihood_z(n, y, expected, weight, inflation, since, until) -> tuple[np.ndarray, np.ndarray]:
    """Replace the score by the signed root of the exact likelihood ratio: the score overstates short windows."""
    count, kept = since.shape
    days = np.arange(n.shape[1])
    inside = (days >= since[..., None]) & (days < until[..., None])
    n, y, expected = (np.repeat(v[:, None], kept, 1) for v in (n, y, expected))
    with np.errstate(divide="ignore", invalid="ignore"):
        base = logit(np.where(n > 0, expected / n, 0.5))
        binomial = np.where(n > 0, expected * (1 - expected / n), 0.0).sum(-1)
    lower, l_in = _shift(base, n * inside, y * inside)
    upper, l_out = _shift(base, n * ~inside, y * ~inside)
    _, l_all = _shift(base, n, y)
    narrower = np.maximum(weight.sum(1)[:, None] * inflation, 1e-9) / np.maximum(binomial, 1e-9)
    ratio = 2 * (l_in + l_out - l_all) / inflation / np.minimum(narrower, 1.0)
    return np.sign(lower - upper) * np.sqrt(np.maximum(ratio, 0)), (lower - upper).reshape(count, kept)


def _shift(base: np.ndarray, n: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the common logit shift that fits best, and its log-likelihood."""
    shift = np.zeros(base.shape[:-1])
    for _ in range(12):
        p = expit(base + shift[..., None])
        information = (n * p * (1 - p)).sum(-1) + 0.01
        shift = np.clip(shift + np.clip(((y - n * p).sum(-1) - 0.01 * shift) / information, -2, 2), -8, 8)
    p = np.clip(expit(base + shift[..., None]), 1e-12, 1 - 1e-12)
    return shift, (y * np.log(p) + (n - y) * np.log(1 - p)).sum(-1)


def _outside(residual, weight, since, until) -> tuple[np.ndarray, np.ndarray]:
    days = np.arange(residual.shape[1])
    outside = ~((days >= since[:, None]) & (days < until[:, None]))
    info = (weight * outside).sum(1)
    with np.errstate(divide="ignore", invalid="ignore"):
        return (residual * outside).sum(1) / info, info


def window_gap(fit: StepFit, members: np.ndarray, days: int, window: tuple[int, int]) -> tuple[float, float]:
    """Return one segment's gap inside a window minus its gap outside, at one step, and its information."""
    _, y, expected, weight = (values[0] for values in daily(fit, members, days))
    inside = (np.arange(days) >= window[0]) & (np.arange(days) < window[1])
    here, there = weight[inside].sum() / fit.inflation, weight[~inside].sum() / fit.inflation
    if min(here, there) < 3:
        return 0.0, 0.0
    residual = (y - expected) / fit.inflation
    return float(residual[inside].sum() / here - residual[~inside].sum() / there), float(here * there / (here + there))


def edges(
    n: np.ndarray, y: np.ndarray, expected: np.ndarray, since: int, until: int, inflation: float
) -> tuple[tuple[int, int], tuple[int, int]]:
    """
    Return the first and last start, and the first and last end, that the data do not speak against.

    All within twice the log-likelihood of 3.84 of the window found, the other edge held.

    Parameters
    ----------
    n, y, expected : arrays, one entry per day
        The segment's.
    """
    days = len(n)
    starts = [a for a in range(days) if a < until]
    ends = [b for b in range(1, days + 1) if b > since]
    first = _kept(n, y, expected, [(a, until) for a in starts], inflation)
    last = _kept(n, y, expected, [(since, b) for b in ends], inflation)
    return (starts[first[0]], starts[first[-1]]), (ends[last[0]], ends[last[-1]])


def _kept(n, y, expected, windows, inflation) -> np.ndarray:
    since, until = np.array([w[0] for w in windows]), np.array([w[1] for w in windows])
    inside = (np.arange(len(n)) >= since[:, None]) & (np.arange(len(n)) < until[:, None])
    with np.errstate(divide="ignore", invalid="ignore"):
        base = np.broadcast_to(logit(np.where(n > 0, expected / n, 0.5)), inside.shape)
    fits = _shift(base, n * inside, y * inside)[1] + _shift(base, n * ~inside, y * ~inside)[1]
    return np.flatnonzero(2 * (fits.max() - fits) / inflation < 3.84)
