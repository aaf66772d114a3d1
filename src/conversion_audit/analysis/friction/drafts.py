"""A suspected friction, what a search looks at, and how a draft is judged against the fit that holds it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from conversion_audit.analysis.friction import dates, evidence, gates, score
from conversion_audit.analysis.friction.attempts import Attempts
from conversion_audit.analysis.friction.cells import Candidate, StepCells
from conversion_audit.analysis.friction.model import StepFit, expit, fit_step

SPECIFIC_Z = -1.6449
# How much a segment's bad days move its other steps, on the logit scale, before they are looked at.
BAD_DAYS_SD = 0.5


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


def compare(states: Sequence[State], candidates: Sequence[Candidate], estimated: bool = True) -> score.Differences:
    """Return the double differences of a round."""
    gaps = score.Gaps(np.array([s.gap for s in states]), np.array([s.information for s in states]))
    rates = np.array([s.fit.cells.rate for s in states])
    return score.differences(gaps, np.nan_to_num(rates, nan=0.5), candidates, estimated)


def judge_draft(shop: Shop, draft: Draft, drafts: list[Draft], state: State, compared: score.Differences) -> Draft:
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


def against_other_steps(shop: Shop, draft: Draft, states: list[State]) -> Draft:
    """Add to an incident what the same days did to the segment at the other steps: bad days are bad everywhere."""
    if draft.window is None:
        return draft
    gaps, weights = [], [BAD_DAYS_SD**-2]
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
