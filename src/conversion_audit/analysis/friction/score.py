"""
Every candidate's gap at every step, without refitting, and the part of it that is this step's alone.

A segment that is low at every step is an unhappy audience; a broken form is low at one. So a candidate's gap is compared
with the mean of its own gaps at the other steps (double difference), allowing for how much such gaps differ between steps
by nature, which is estimated from the shop itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from conversion_audit.analysis.friction.cells import FEWEST_AT_RISK, Candidate
from conversion_audit.analysis.friction.model import StepFit, expit, fit_counts

LEAST_INFORMATION = 4.0
# How much audiences differ as a whole, on the logit scale: what is assumed where no other step tells. At least so much,
# and more if the shop's own segments differ more.
AUDIENCE_SD = 0.25
RELATIVE_FLOOR, TAU_FLOOR, ADJUSTER_FLOOR = 0.005, 0.05, 0.10
_CHI2_MEDIAN = 0.4549


@dataclass(frozen=True)
class Gaps:
    """Per step and candidate: logit gap to comparable traffic, its information (NaN, 0 where too few were at risk)."""

    gap: np.ndarray
    information: np.ndarray


@dataclass(frozen=True)
class Differences:
    """Per step and candidate: what of the gap is this step's alone, its variance, the usual gap, one-sided p."""

    value: np.ndarray
    variance: np.ndarray
    usual: np.ndarray
    usual_variance: np.ndarray
    tau: np.ndarray
    p: np.ndarray


def step_gaps(fit: StepFit, candidates: Sequence[Candidate]) -> tuple[np.ndarray, np.ndarray]:
    """Return gap and information of every candidate at one step."""
    cells = fit.cells
    gap, information = np.full(len(candidates), np.nan), np.zeros(len(candidates))
    members = cells.cell_members.astype(float)
    score, info = _scores(fit.design[fit.of_row], fit.covariance, fit, members, cells.cell)
    inside = members @ np.bincount(cells.cell, cells.n, members.shape[1])
    for name in dict.fromkeys(c.parts[0][0] for c in candidates if c.is_adjuster):
        kept = _columns_but(fit, name)
        part, which = (
            _without_factor(fit, kept),
            np.array([c.is_adjuster and c.parts[0][0] == name for c in candidates]),
        )
        groups = cells.group_members[which].astype(float)
        score[which], info[which] = _scores(part.design[part.of_row], part.covariance, part, groups, cells.group)
        inside[which] = groups @ np.bincount(cells.group, cells.n, groups.shape[1])
    info = info / fit.inflation
    live = (np.minimum(inside, cells.n.sum() - inside) >= FEWEST_AT_RISK) & (info >= LEAST_INFORMATION)
    live &= np.array([bool(c.parts) for c in candidates], bool)
    gap[live] = score[live] / fit.inflation / info[live]
    information[live] = info[live]
    return gap, information


def _columns_but(fit: StepFit, factor: str) -> list[int]:
    names = fit.cells.design_names
    return [j for j in range(fit.design.shape[1]) if j >= len(names) or names[j][0] != factor]


def _without_factor(fit: StepFit, kept: list[int]) -> StepFit:
    design = fit.design[:, kept]
    n, y = np.bincount(fit.of_row, fit.cells.n), np.bincount(fit.of_row, fit.cells.y)
    beta, covariance = fit_counts(design, n, y)
    p = expit(design @ beta)[fit.of_row]
    return StepFit(fit.cells, design, fit.of_row, fit.own, beta, covariance, p, fit.inflation)


def _scores(design, covariance, fit: StepFit, members: np.ndarray, unit: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return per candidate the sum of residuals and the information left after the model took its part."""
    weight, count = fit.weight, members.shape[1]
    score = members @ np.bincount(unit, fit.residual, count)
    shared = np.column_stack([np.bincount(unit, weight * column, count) for column in design.T])
    shared = members @ shared
    info = members @ np.bincount(unit, weight, count) - ((shared @ covariance) * shared).sum(1)
    return score, info


def differences(gaps: Gaps, rates: np.ndarray, candidates: Sequence[Candidate], estimated: bool = True) -> Differences:
    """
    Return the double differences of all candidates.

    Parameters
    ----------
    gaps : Gaps
    rates : array, one per step
        Share that passed.
    candidates : sequence of Candidate
    estimated : bool
        Estimate from the shop how much gaps differ by nature; otherwise take the least that is ever assumed. While
        strong frictions are still in the gaps, an estimate would take them for nature.
    """
    is_adjuster = np.array([c.is_adjuster for c in candidates], bool)
    single = np.array([len(c.parts) == 1 for c in candidates], bool)
    rho, shift = RELATIVE_FLOOR, ADJUSTER_FLOOR
    if estimated:
        rho = _natural_spread(gaps, single & ~is_adjuster, 1 - rates, RELATIVE_FLOOR)
        shift = _natural_spread(gaps, is_adjuster, np.ones(len(rates)), ADJUSTER_FLOOR)
    tau = np.maximum(TAU_FLOOR, rho / np.maximum(1 - rates, 1e-6))
    taus = np.where(is_adjuster[None, :], shift, tau[:, None])
    value, variance, usual, usual_variance = _double(gaps, taus, _audience_sd(gaps, single & ~is_adjuster))
    with np.errstate(invalid="ignore", divide="ignore"):
        z = value / np.sqrt(variance)
    p = np.where(gaps.gap < 0, lower_tail(z), 1.0)
    return Differences(value, variance, usual, usual_variance, taus, np.where(np.isnan(z), np.nan, p))


def _audience_sd(gaps: Gaps, chosen: np.ndarray) -> float:
    """How much the chosen segments' mean gaps differ, robustly."""
    information = gaps.information[:, chosen]
    with np.errstate(divide="ignore", invalid="ignore"):
        means = (np.nan_to_num(gaps.gap[:, chosen]) * information).sum(0) / information.sum(0)
    means = means[np.isfinite(means)]
    return max(AUDIENCE_SD, float(1.4826 * np.median(np.abs(means)))) if len(means) else AUDIENCE_SD


def _double(gaps: Gaps, taus: np.ndarray, audience_sd: float = AUDIENCE_SD) -> tuple[np.ndarray, ...]:
    live = gaps.information > 0
    with np.errstate(divide="ignore", invalid="ignore"):
        own = 1 / gaps.information + taus**2
        weight = np.where(live, 1 / own, 0.0)
    pulled = np.where(live, weight * np.nan_to_num(gaps.gap), 0.0)
    others = weight.sum(0) - weight + audience_sd**-2
    usual = (pulled.sum(0) - pulled) / others
    value = np.where(live, gaps.gap - usual, np.nan)
    return value, np.where(live, own + 1 / others, np.nan), usual, 1 / others


def _natural_spread(gaps: Gaps, chosen: np.ndarray, scale: np.ndarray, floor: float) -> float:
    """
    Return how much gaps differ between steps beyond chance, as a standard deviation of gap x scale.

    The value at which the median of the squared standardised differences is that of a chi-square with one degree of
    freedom: frictions are outliers and do not move a median much.
    """
    part = Gaps(gaps.gap[:, chosen], gaps.information[:, chosen])
    if (part.information > 0).sum() < 8:
        return 2 * floor

    def excess(spread: float) -> float:
        value, variance, _, _ = _double(
            part, np.broadcast_to((spread / np.maximum(scale, 1e-6))[:, None], part.gap.shape)
        )
        return float(np.nanmedian(value**2 / variance)) - _CHI2_MEDIAN

    low, high = floor, 0.5
    if excess(low) <= 0:
        return floor
    for _ in range(25):
        middle = (low + high) / 2
        low, high = (middle, high) if excess(middle) > 0 else (low, middle)
    return high


def lower_tail(z: np.ndarray) -> np.ndarray:
    """Return the chance that a standard normal variable is as low."""
    from scipy.special import ndtr

    return ndtr(z)


def upper_quantile(p: float) -> float:
    """Return the normal z above which a share p lies."""
    return -NormalDist().inv_cdf(min(max(p, 1e-300), 1 - 1e-12))
