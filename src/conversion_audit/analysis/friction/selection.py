"""
One finding after the other: the strongest, named as narrowly as the data allow, then everything again without it.

Parents, children and complements of a finding fade once its own column is in the model. All comparisons of a round are
judged together at a false discovery rate; over rounds that is a heuristic, not a proof, so the number of comparisons is
reported with every list of findings.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from conversion_audit.analysis.friction import evidence
from conversion_audit.analysis.friction.attempts import Attempts
from conversion_audit.analysis.friction.cells import Candidate, StepCells
from conversion_audit.analysis.friction.drafts import Draft, Search, Shop, compare, evaluate, judge_draft, refusal
from conversion_audit.analysis.friction.settling import FDR, settle
from conversion_audit.analysis.statistics import bh

MOST_FINDINGS = 25
LEAST_OVERLAP, PER_DIMENSION = 0.1, 2.0
TWO_LEVELS = 20.0


def search(attempts: Attempts, candidates: Sequence[Candidate], cells: Sequence[StepCells]) -> Search:
    """
    Find what is worse than it should be.

    Parameters
    ----------
    attempts : Attempts
    candidates : sequence of Candidate
    cells : sequence of StepCells
        One per step, sessions under a silent tag left out.
    """
    errors = [evidence.met(attempts, one.step) for one in cells]
    shop = Shop(attempts, candidates, cells, errors)
    drafts, refused, comparisons, cut = _forward(shop)
    return settle(shop, drafts, refused, comparisons, cut)


def _forward(shop: Shop) -> tuple[list[Draft], list[tuple[Draft, str]], int, float]:
    """Take one finding after the other, as if segments hardly differed by nature."""
    drafts: list[Draft] = []
    refused: list[tuple[Draft, str]] = []
    states = [evaluate(shop.attempts, one, shop.candidates, drafts) for one in shop.cells]
    named = np.array([one.named_before(shop.candidates) for one in shop.cells], bool)
    comparisons, cut = 0, 0.0
    while True:
        compared = compare(states, shop.candidates, estimated=False)
        level, window = _judged_p(compared, states, shop.candidates, refused)
        level[named], window[named] = np.nan, np.nan
        p = np.concatenate([level.ravel(), window.ravel()])
        passed, _ = bh(p, FDR)
        comparisons = max(comparisons, int((~np.isnan(p)).sum()))
        if not passed.any() or len(drafts) >= MOST_FINDINGS:
            return drafts, refused, comparisons, cut
        cut = float(p[passed].max())
        draft = _strongest(shop.candidates, shop.cells, states, compared, level, window, passed)
        state = evaluate(shop.attempts, shop.cells[draft.step], shop.candidates, [*drafts, draft])
        draft = judge_draft(shop, draft, [*drafts, draft], state, compared)
        reason = refusal(shop, draft)
        if reason:
            refused.append((draft, reason))
            continue
        drafts.append(draft)
        states[draft.step] = state


def _judged_p(compared, states, candidates, refused) -> tuple[np.ndarray, np.ndarray]:
    """One-sided p per step and candidate, for all the time and for the best window; what was refused counts as 1."""
    level = compared.p.copy()
    window = np.full(level.shape, np.nan)
    plain = [i for i, c in enumerate(candidates) if not c.is_adjuster]
    for s, state in enumerate(states):
        window[s, plain] = state.windows.p
    for draft, _ in refused:
        target = level if draft.window is None else window
        if not np.isnan(target[draft.step, draft.candidate]):
            target[draft.step, draft.candidate] = 1.0
    return level, window


def _strongest(candidates, cells, states, compared, level, window, passed) -> Draft:
    """Take the smallest p, then among overlapping segments of its step the one that explains most."""
    stacked = np.stack([level, window])
    allowed = passed.reshape(stacked.shape)
    strength = _strength(candidates, states, compared)
    least = np.where(allowed, stacked, np.inf)
    # p-values that underflow are told apart by what they explain
    ties = np.argwhere(least <= least.min() * (1 + 1e-9))
    kind, step, first = max(map(tuple, ties), key=lambda t: (strength[t], -t[2]))
    size = candidate_sessions(cells[step], candidates)
    rivals = []
    for k, c in np.argwhere(allowed[:, step]):
        if overlap(cells[step], candidates, size, first, c) > LEAST_OVERLAP:
            rivals.append((strength[k, step, c] - PER_DIMENSION * len(candidates[c].parts), -k, -c))
    _, k, c = max(rivals)
    kind, chosen = -k, -c
    return _dated(candidates, states, compared, stacked, int(step), int(chosen), int(kind))


def _strength(candidates, states, compared) -> np.ndarray:
    information = np.array([s.information for s in states])
    level = np.nan_to_num(compared.value**2 * information)
    window = np.zeros_like(level)
    plain = [i for i, c in enumerate(candidates) if not c.is_adjuster]
    for s, state in enumerate(states):
        window[s, plain] = np.nan_to_num(state.windows.z) ** 2
    return np.stack([level, window])


def _dated(candidates, states, compared, stacked, step, chosen, kind) -> Draft:
    """Decide between all the time and a window: two levels must fit much better, and the other days must be sound."""
    windows = states[step].windows
    level_p, window_p = stacked[0, step, chosen], stacked[1, step, chosen]
    place = sum(not c.is_adjuster for c in candidates[:chosen])
    whole = Draft(step, chosen, None, _z(compared, step, chosen), level_p)
    if candidates[chosen].is_adjuster or np.isnan(windows.z[place]):
        return whole
    incident = Draft(step, chosen, (int(windows.since[place]), int(windows.until[place])), windows.z[place], window_p)
    if not candidates[chosen].parts:
        return incident
    outside = windows.outside[place] - compared.usual[step, chosen]
    spread = compared.tau[step, chosen] ** 2 + compared.usual_variance[step, chosen]
    spread += 1 / max(windows.outside_information[place], 1e-9)
    sound = outside / np.sqrt(spread) > -2.5
    if windows.z[place] ** 2 > TWO_LEVELS and window_p < 1 and (sound or not level_p < 0.05):
        return incident
    return whole if kind == 0 or level_p <= window_p else incident


def _z(compared, step, chosen) -> float:
    return float(compared.value[step, chosen] / np.sqrt(compared.variance[step, chosen]))


def candidate_sessions(cells: StepCells, candidates: Sequence[Candidate]) -> np.ndarray:
    """Return how many sessions of a step each candidate has."""
    by_cell = np.bincount(cells.cell, cells.n, cells.cell_members.shape[1])
    by_group = np.bincount(cells.group, cells.n, cells.group_members.shape[1])
    sizes = cells.cell_members @ by_cell
    adjusters = cells.group_members @ by_group
    return np.where([c.is_adjuster for c in candidates], adjusters, sizes)


def overlap(cells: StepCells, candidates: Sequence[Candidate], size: np.ndarray, a: int, b: int) -> float:
    """Return the share of two candidates' sessions that both have."""
    if a == b:
        return 1.0
    both = cells.n[cells.rows_in(a, candidates) & cells.rows_in(b, candidates)].sum()
    return float(both / max(size[a] + size[b] - both, 1))
