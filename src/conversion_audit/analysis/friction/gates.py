"""
What a suspected friction must stand before it is believed, each gate with its number, each able to refuse.

A gate is measured against what comparable traffic would have done, never against a fit that already knows the finding:
for a segment that holds most sessions that would be blind.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from conversion_audit.analysis.friction import evidence
from conversion_audit.analysis.friction.attempts import Attempts
from conversion_audit.analysis.friction.cells import FEWEST_AT_RISK
from conversion_audit.analysis.friction.model import expit

LEAST_LOSS, LEAST_ORDERS = 0.05, 10.0
HALF_Z = -1.0
Z90 = 1.6449


@dataclass(frozen=True)
class Judged:
    """A draft's numbers against its benchmark, and its gates."""

    sessions: int
    visitors: int
    passed: int
    rate: float
    benchmark: float
    gap: float
    gap_variance: float
    usual: float
    usual_variance: float
    loss: float
    loss_low: float
    lost_low: float
    then_order: float
    crude_elsewhere: float
    gates: tuple[dict, ...]


def judge(
    attempts: Attempts, candidates, draft, fit, own: int, usual: float, usual_variance: float, tau: float
) -> Judged:
    """
    Hold a draft against its benchmark.

    Parameters
    ----------
    fit : StepFit
        With the draft's own column, at place `own` among the findings' columns.
    usual, usual_variance : float
        The segment's mean gap at its other steps (0 for an incident: its own past is the benchmark).
    tau : float
        How much gaps differ between steps by nature (0 for an incident).
    """
    cells, column = fit.cells, fit.design.shape[1] - fit.own + own
    rows = rows_of(cells, candidates, draft)
    gap = float(fit.beta[column] - usual)
    variance = float(fit.covariance[column, column] * fit.inflation + tau**2 + usual_variance)
    base = fit.without([column]) + usual
    n, y = cells.n[rows].sum(), cells.y[rows].sum()
    benchmark = (cells.n * expit(base))[rows].sum() / n
    surely = min(0.0, gap + Z90 * np.sqrt(variance))
    careful = (cells.n * expit(base + gap - surely))[rows].sum() / n
    inside = evidence.member_rows(attempts, cells, candidates[draft.candidate], draft.window)
    then_order = order_rate(attempts, cells, inside)
    rate = y / n
    halves = _halves(attempts, cells, inside, expit(base)[cells.row_of], fit.inflation)
    return Judged(
        int(n),
        len(np.unique(attempts.visitor[cells.who][inside])),
        int(y),
        float(rate),
        float(benchmark),
        gap,
        variance,
        usual,
        usual_variance,
        float(1 - rate / benchmark),
        float(1 - rate / careful),
        float(n * (careful - rate) * then_order),
        then_order,
        float((cells.y.sum() - y) / max(cells.n.sum() - n, 1)),
        halves,
    )


def rows_of(cells, candidates, draft) -> np.ndarray:
    """Return the rows of a draft's segment within its window."""
    rows = cells.rows_in(draft.candidate, candidates)
    if draft.window is None:
        return rows
    return rows & (cells.day >= draft.window[0]) & (cells.day < draft.window[1])


def order_rate(attempts: Attempts, cells, inside: np.ndarray) -> float:
    """Return the share of those who passed the step in a segment that reached the goal."""
    passed, goals = onward(attempts, cells, inside)
    return goals / passed if passed else 0.0


def onward(attempts: Attempts, cells, inside: np.ndarray) -> tuple[int, int]:
    """Return how many of a segment passed the step, and how many of them reached the goal; none under a later silent tag."""
    passed = inside & cells.passed & cells.recorded
    return int(passed.sum()), int((passed & (attempts.depth[cells.who] == len(attempts.steps))).sum())


def _halves(attempts, cells, inside, expected, inflation) -> tuple[dict, ...]:
    day, bucket = attempts.day[cells.who], attempts.bucket[cells.who]
    middle = np.median(day[inside])
    parts = {
        "first_half": inside & (day < middle) if (inside & (day < middle)).any() else inside & (day <= middle),
        "second_half": inside & (day >= middle),
        "odd_visitors": inside & (bucket % 2 == 1),
        "even_visitors": inside & (bucket % 2 == 0),
    }
    values = {}
    for name, chosen in parts.items():
        spread = np.sqrt((expected * (1 - expected))[chosen].sum() * inflation)
        values[name] = float((cells.passed[chosen].sum() - expected[chosen].sum()) / max(spread, 1e-9))
    return ({"gate": "persistent", "passed": max(values.values()) < HALF_Z, **values},)


def refusal(judged: Judged) -> str:
    """Return the first gate that refuses, or nothing."""
    if judged.sessions < FEWEST_AT_RISK:
        return "too_few"
    if not judged.loss_low > LEAST_LOSS:
        return "too_small"
    if not judged.lost_low >= LEAST_ORDERS:
        return "too_few_orders"
    if not judged.gates[0]["passed"]:
        return "not_persistent"
    return ""
