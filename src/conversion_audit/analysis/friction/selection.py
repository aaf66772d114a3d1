"""
One finding after the other: the strongest, named as narrowly as the data allow, then everything again without it.

Parents, children and complements of a finding fade once its own column is in the model. All comparisons of a round are
judged together at a false discovery rate; over rounds that is a heuristic, not a proof, so the number of comparisons is
reported with every list of findings.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from conversion_audit.analysis.friction import dates, evidence, gates, score
from conversion_audit.analysis.friction.attempts import Attempts
from conversion_audit.analysis.friction.cells import Candidate, StepCells
from conversion_audit.analysis.friction.model import StepFit, expit, fit_step
from conversion_audit.analysis.statistics import bh

FDR = 0.10
MOST_FINDINGS = 25
LEAST_OVERLAP, PER_DIMENSION = 0.1, 2.0
TWO_LEVELS = 20.0
MOST_DOSE_Z = 8.0
SPECIFIC_Z = -1.6449


@dataclass(frozen=True)
class Draft:
    """A segment at a step, in a window or all the time, that does worse than it should."""

    step: int
    candidate: int
    window: tuple[int, int] | None
    z: float
    p: float
    judged: gates.Judged | None = None
    elsewhere: float = 0.0
    specific_z: float = -np.inf
    mechanism: evidence.Mechanism = field(default_factory=evidence.Mechanism)


@dataclass(frozen=True)
class State:
    """A step as it stands in a round."""

    fit: StepFit
    gap: np.ndarray
    information: np.ndarray
    windows: dates.Windows


@dataclass(frozen=True)
class Shop:
    """What a search looks at: sessions, candidates, one table of cells a step, and who met which error there."""

    attempts: Attempts
    candidates: Sequence[Candidate]
    cells: Sequence[StepCells]
    errors: Sequence[tuple[list[str], np.ndarray, np.ndarray]]


@dataclass(frozen=True)
class Search:
    """What a search found, what it refused and why, and how many comparisons it made."""

    drafts: list[Draft]
    refused: list[tuple[Draft, str]]
    comparisons: int
    cut: float
    states: list[State]
    differences: score.Differences


def evaluate(attempts: Attempts, cells: StepCells, candidates: Sequence[Candidate], drafts: Sequence[Draft]) -> State:
    """Fit a step with its findings' columns and score every candidate."""
    columns, _ = own_columns(cells, candidates, drafts)
    fit = fit_step(cells, columns, attempts.visitor[cells.who])
    gap, information = score.step_gaps(fit, candidates)
    plain = [i for i, c in enumerate(candidates) if not c.is_adjuster]
    windows = dates.scan(fit, cells.cell_members[plain], attempts.days, 2 if attempts.block == 1 else 1)
    return State(fit, gap, information, windows)


def own_columns(
    cells: StepCells, candidates: Sequence[Candidate], drafts: Sequence[Draft]
) -> tuple[list[np.ndarray], list[int]]:
    """
    Return the columns that a step's findings add, and for each finding the place of its own.

    An incident has two: its segment's usual level, so that its own past is the benchmark, and its window.
    """
    columns: list[np.ndarray] = []
    own: list[int] = []
    for draft in drafts:
        if draft.step != cells.step:
            continue
        rows = cells.rows_in(draft.candidate, candidates)
        if draft.window is not None:
            if candidates[draft.candidate].parts and not any(np.array_equal(rows, c) for c in columns):
                columns.append(rows)
            rows = rows & (cells.day >= draft.window[0]) & (cells.day < draft.window[1])
        own.append(len(columns))
        columns.append(rows)
    return columns, own


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
    return _settled(shop, drafts, refused, comparisons, cut)


def _forward(shop: Shop) -> tuple[list[Draft], list[tuple[Draft, str]], int, float]:
    """Take one finding after the other, as if segments hardly differed by nature."""
    drafts: list[Draft] = []
    refused: list[tuple[Draft, str]] = []
    states = [evaluate(shop.attempts, one, shop.candidates, drafts) for one in shop.cells]
    comparisons, cut = 0, 0.0
    while True:
        compared = compare(states, shop.candidates, estimated=False)
        level, window = _judged_p(compared, states, shop.candidates, refused)
        p = np.concatenate([level.ravel(), window.ravel()])
        passed, _ = bh(p, FDR)
        comparisons = max(comparisons, int((~np.isnan(p)).sum()))
        if not passed.any() or len(drafts) >= MOST_FINDINGS:
            return drafts, refused, comparisons, cut
        cut = float(p[passed].max())
        draft = _strongest(shop.candidates, shop.cells, states, compared, level, window, passed)
        state = evaluate(shop.attempts, shop.cells[draft.step], shop.candidates, [*drafts, draft])
        draft = _judged(shop, draft, [*drafts, draft], state, compared)
        reason = refusal(shop, draft)
        if reason:
            refused.append((draft, reason))
            continue
        drafts.append(draft)
        states[draft.step] = state


def _settled(shop: Shop, drafts: list[Draft], refused: list[tuple[Draft, str]], comparisons: int, cut: float) -> Search:
    """
    Judge every finding anew given all the others and the natural differences that remain, and drop what does not hold.

    The weakest goes first; what it explained then counts as nature again, so a shop that merely varies loses one finding
    after the other.
    """
    while True:
        states = [evaluate(shop.attempts, one, shop.candidates, drafts) for one in shop.cells]
        compared = compare(states, shop.candidates)
        drafts = [_again(shop, draft, drafts, states, compared) for draft in drafts]
        cut = FDR * max(len(drafts), 1) / max(comparisons, 1)
        drafts = [_against_other_steps(shop, d, states) for d in drafts]
        reasons = [refusal(shop, d) or ("" if d.p <= cut else "by_chance") for d in drafts]
        failing = [k for k, reason in enumerate(reasons) if reason]
        if not failing:
            return Search(drafts, refused, comparisons, cut, states, compared)
        worst = max(failing, key=lambda k: drafts[k].p)
        refused.append((drafts[worst], reasons[worst]))
        drafts = [d for k, d in enumerate(drafts) if k != worst]


def _again(shop: Shop, draft: Draft, drafts: list[Draft], states: list[State], compared: score.Differences) -> Draft:
    if draft.window is not None:
        others = [d for d in drafts if d is not draft]
        windows = evaluate(shop.attempts, shop.cells[draft.step], shop.candidates, others).windows
        place = sum(not c.is_adjuster for c in shop.candidates[: draft.candidate])
        draft = replace(
            draft,
            window=(int(windows.since[place]), int(windows.until[place])),
            z=float(windows.z[place]),
            p=float(windows.p[place]),
        )
        drafts = [draft if d.step == draft.step and d.candidate == draft.candidate else d for d in drafts]
        state = evaluate(shop.attempts, shop.cells[draft.step], shop.candidates, drafts)
        return _judged(shop, draft, drafts, state, compared)
    judged = _judged(shop, draft, drafts, states[draft.step], compared)
    z = float(judged.judged.gap / np.sqrt(judged.judged.gap_variance))
    return replace(judged, z=z, p=float(score.lower_tail(_with_errors(z, judged.mechanism))))


def _with_errors(z: float, mechanism: evidence.Mechanism) -> float:
    """Two independent signs, one rate too low and one error that stops people, together say more than each."""
    if mechanism.kind != "error":
        return z
    return min(z, (z - min(mechanism.z, MOST_DOSE_Z)) / np.sqrt(2))


def _judged(shop: Shop, draft: Draft, drafts: list[Draft], state: State, compared: score.Differences) -> Draft:
    """Return a draft with its numbers and its mechanism; `drafts` are those in the state's fit, itself among them."""
    cells, c = shop.cells[draft.step], draft.candidate
    place = [d for d in drafts if d.step == draft.step].index(draft)
    own = own_columns(cells, shop.candidates, drafts)[1][place]
    whole = draft.window is None
    usual, variance, tau = (
        (float(x[draft.step, c]) for x in (compared.usual, compared.usual_variance, compared.tau))
        if whole
        else (0.0, 0.0, 0.0)
    )
    judged = gates.judge(shop.attempts, shop.candidates, draft, state.fit, own, usual, variance, tau)
    inside = evidence.member_rows(shop.attempts, cells, shop.candidates[c], draft.window)
    column = state.fit.design.shape[1] - state.fit.own + own
    expected = expit(state.fit.without([column]) + usual)[cells.row_of]
    mechanism = evidence.explain(shop.attempts, cells, inside, expected, judged.loss, shop.errors[draft.step])
    return replace(draft, judged=judged, mechanism=mechanism)


def _against_other_steps(shop: Shop, draft: Draft, states: list[State]) -> Draft:
    """Add to an incident what the same days did to the segment at the other steps: bad days are bad everywhere."""
    if draft.window is None:
        return draft
    gaps, weights = [], [score.AUDIENCE_SD**-2]
    for state in states:
        if state.fit.cells.step != draft.step:
            gap, information = dates.window_gap(
                state.fit, state.fit.cells.cell_members[[draft.candidate]], shop.attempts.days, draft.window
            )
            gaps.append(gap * information)
            weights.append(information)
    usual = sum(gaps) / sum(weights)
    variance = draft.judged.gap_variance + 1 / sum(weights)
    return replace(draft, elsewhere=float(usual), specific_z=float((draft.judged.gap - usual) / np.sqrt(variance)))


def refusal(shop: Shop, draft: Draft) -> str:
    """Return the first gate that refuses a draft, or nothing. Who came is no friction unless errors say so."""
    if shop.candidates[draft.candidate].is_adjuster and draft.mechanism.kind != "error":
        return "traffic"
    if draft.specific_z > SPECIFIC_Z:
        return "not_step_specific"
    return gates.refusal(draft.judged)


def compare(states: Sequence[State], candidates: Sequence[Candidate], estimated: bool = True) -> score.Differences:
    """Return the double differences of a round."""
    gaps = score.Gaps(np.array([s.gap for s in states]), np.array([s.information for s in states]))
    rates = np.array([s.fit.cells.rate for s in states])
    return score.differences(gaps, np.nan_to_num(rates, nan=0.5), candidates, estimated)


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
