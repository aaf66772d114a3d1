"""What happened to the people who were stopped: errors, slowness, going round in circles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from conversion_audit.analysis.friction.attempts import Attempts
from conversion_audit.analysis.friction.cells import Candidate, StepCells, member

# An error belongs to a finding if it is met clearly more often there than by comparable people elsewhere, if those who
# meet it go on clearly less often, and if that explains a good part of the loss. The last is what tells an error that
# stops people from one that is merely frequent where people are stopped for another reason.
MORE_OFTEN, OFTEN_Z, DOSE_Z, LEAST_EXPLAINED = 1.5, 3.0, -3.0, 0.2
SLOWER, SLOW_Z = 1.25, 4.0
ROUNDS, ROUNDS_MORE, ROUNDS_Z = 3, 1.5, 4.0


@dataclass(frozen=True)
class Mechanism:
    """What goes with a finding: kind (error, slow, loops, none), its message, and its numbers."""

    kind: str = "none"
    message: str | None = None
    numbers: dict[str, Any] = field(default_factory=dict)
    z: float = 0.0


def met(attempts: Attempts, step: int) -> tuple[list[str], np.ndarray, np.ndarray]:
    """
    Return who met which error while standing before a step.

    Returns
    -------
    (messages, message, session)
        The last two have one entry per error met.
    """
    troubles = attempts.troubles
    n = troubles.n.to_numpy(int)
    seconds = troubles.seconds.to_numpy(float)
    entered, left = attempts.entered(step), attempts.left(step)
    during = (attempts.depth[n] >= step) & (seconds >= entered[n]) & (seconds < left[n])
    codes, messages = troubles.message[during].factorize(sort=True)
    return list(messages), codes, n[during]


def explain(
    attempts: Attempts,
    cells: StepCells,
    inside: np.ndarray,
    benchmark: np.ndarray,
    loss: float,
    found: tuple[list[str], np.ndarray, np.ndarray],
) -> Mechanism:
    """
    Return what goes with a loss.

    Parameters
    ----------
    attempts, cells
        The step's.
    inside : bool array, one entry per session at risk
        The segment, within its window.
    benchmark : array, one entry per session at risk
        Chance of passing as expected of comparable traffic.
    loss : float
        Relative loss of the segment.
    found : tuple
        Of `met`, for the same step.
    """
    error = _error(attempts, cells, inside, benchmark, loss, found)
    if error.kind != "none":
        return error
    slow = _slow(attempts, cells, inside)
    return slow if slow.kind != "none" else _loops(attempts, cells, inside)


def _error(attempts, cells, inside, benchmark, loss, found) -> Mechanism:
    messages, codes, session = found
    place = np.full(len(attempts), -1)
    place[cells.who] = np.arange(len(cells.who))
    best = Mechanism()
    for k, message in enumerate(messages):
        counts = np.zeros(len(cells.who), int)
        at = place[session[codes == k]]
        np.add.at(counts, at[at >= 0], 1)
        one = _judge_error(cells.passed, inside, counts, benchmark, loss, message)
        if one.kind != "none" and (best.kind == "none" or one.numbers["explained"] > best.numbers["explained"]):
            best = one
    return best


def _judge_error(passed, inside, counts, benchmark, loss, message) -> Mechanism:
    with_it = counts > 0
    here, there = with_it[inside].mean(), with_it[~inside].mean() if (~inside).any() else 0.0
    hit, free = inside & with_it, inside & ~with_it
    if hit.sum() < 10 or free.sum() < 10 or here <= MORE_OFTEN * there:
        return Mechanism()
    pooled = with_it.mean()
    often = (here - there) / np.sqrt(pooled * (1 - pooled) * (1 / inside.sum() + 1 / max((~inside).sum(), 1)))
    spread = np.sqrt((benchmark[hit] * (1 - benchmark[hit])).sum())
    expected = benchmark[hit].sum() * passed[free].sum() / max(benchmark[free].sum(), 1e-9)
    dose = (passed[hit].sum() - expected) / max(spread, 1e-9)
    relative = 1 - passed[hit].sum() / max(expected, 1e-9)
    explained = float((here - there) * relative / max(loss, 1e-9))
    if often < OFTEN_Z or dose > DOSE_Z or explained < LEAST_EXPLAINED:
        return Mechanism()
    rates = {}
    for times, label in [(0, "0"), (1, "1"), (2, "2"), (3, "3+")]:
        chosen = inside & ((counts == times) if times < 3 else (counts >= 3))
        rates[label] = {"sessions": int(chosen.sum()), "passed": int(passed[chosen].sum())}
    numbers = {
        "met": int(hit.sum()),
        "met_rate": float(here),
        "met_rate_elsewhere": float(there),
        "passed_with_rate": float(passed[hit].mean()),
        "passed_without_rate": float(passed[free].mean()),
        "explained": min(explained, 1.0),
        "by_times_met": rates,
    }
    return Mechanism("error", message, numbers, float(-dose))


def _waits(attempts: Attempts, step: int, who: np.ndarray) -> np.ndarray:
    wait = attempts.left(step)[who] - attempts.entered(step)[who]
    return np.where(np.isfinite(wait) & (wait > 0), np.log(np.maximum(wait, 0.5)), np.nan)


def _slow(attempts, cells, inside) -> Mechanism:
    waits = _waits(attempts, cells.step, cells.who)
    here, there = waits[inside & ~np.isnan(waits)], waits[~inside & ~np.isnan(waits)]
    if min(len(here), len(there)) < 30:
        return Mechanism()
    member_of = np.zeros(len(attempts), bool)
    member_of[cells.who[inside]] = True
    usual = _usual_wait_gap(attempts, cells.step, member_of)
    gap = here.mean() - there.mean() - usual
    z = gap / np.sqrt(here.var() / len(here) + there.var() / len(there))
    if gap < np.log(SLOWER) or z < SLOW_Z:
        return Mechanism()
    numbers = {
        "seconds": float(np.exp(np.median(here))),
        "seconds_elsewhere": float(np.exp(np.median(there) + usual)),
        "times_as_long": float(np.exp(gap)),
    }
    return Mechanism("slow", None, numbers, float(z))


def _usual_wait_gap(attempts: Attempts, step: int, member_of: np.ndarray) -> float:
    """How much longer the same people take at the other steps."""
    gaps = []
    for other in range(1, len(attempts.steps)):
        if other == step:
            continue
        who = np.flatnonzero(attempts.at_risk(other))
        waits = _waits(attempts, other, who)
        known = ~np.isnan(waits)
        here, there = waits[known & member_of[who]], waits[known & ~member_of[who]]
        if min(len(here), len(there)) >= 30:
            gaps.append(here.mean() - there.mean())
    return float(np.median(gaps)) if gaps else 0.0


def _loops(attempts, cells, inside) -> Mechanism:
    """Standing before the step, they repeat the one before it again and again."""
    if cells.step == 0:
        return Mechanism()
    rounds = attempts.times[cells.step - 1][cells.who] >= ROUNDS
    here, there = rounds[inside].mean(), rounds[~inside].mean() if (~inside).any() else 0.0
    pooled = rounds.mean()
    spread = np.sqrt(max(pooled * (1 - pooled), 1e-12) * (1 / max(inside.sum(), 1) + 1 / max((~inside).sum(), 1)))
    z = (here - there) / spread
    hit, free = inside & rounds, inside & ~rounds
    fewer = hit.sum() >= 10 and free.sum() >= 10 and cells.passed[hit].mean() < 0.85 * cells.passed[free].mean()
    if here <= ROUNDS_MORE * there or z < ROUNDS_Z or not fewer:
        return Mechanism()
    return Mechanism("loops", None, {"looped_rate": float(here), "looped_rate_elsewhere": float(there)}, float(z))


def member_rows(attempts: Attempts, cells: StepCells, candidate: Candidate, window: Sequence[int] | None) -> np.ndarray:
    """Return which of a step's sessions at risk belong to a candidate, within its window."""
    inside = member(attempts, candidate, cells.step)[cells.who]
    if window is not None:
        day = attempts.day[cells.who]
        inside = inside & (day >= window[0]) & (day < window[1])
    return inside
