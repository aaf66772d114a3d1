"""Every finding judged anew, given all the others and the natural differences that remain."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from conversion_audit.analysis.friction import evidence, score
from conversion_audit.analysis.friction.drafts import (
    Draft,
    Search,
    Shop,
    State,
    against_other_steps,
    compare,
    evaluate,
    judge_draft,
    refusal,
)

FDR = 0.10
MOST_DOSE_Z = 8.0


def settle(shop: Shop, drafts: list[Draft], refused: list[tuple[Draft, str]], comparisons: int, cut: float) -> Search:
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
        drafts = [against_other_steps(shop, d, states) for d in drafts]
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
        dated = replace(
            draft,
            window=(int(windows.since[place]), int(windows.until[place])),
            z=float(windows.z[place]),
            p=float(windows.p[place]),
        )
        # Only itself: the same segment may have other days of its own, or be slow all the time.
        drafts = [dated if d is draft else d for d in drafts]
        state = evaluate(shop.attempts, shop.cells[draft.step], shop.candidates, drafts)
        return judge_draft(shop, dated, drafts, state, compared)
    judged = judge_draft(shop, draft, drafts, states[draft.step], compared)
    z = float(judged.judged.gap / np.sqrt(judged.judged.gap_variance))
    return replace(judged, z=z, p=float(score.lower_tail(_with_errors(z, judged.mechanism))))


def _with_errors(z: float, mechanism: evidence.Mechanism) -> float:
    """Two independent signs, one rate too low and one error that stops people, together say more than each."""
    if mechanism.kind != "error":
        return z
    return min(z, (z - min(mechanism.z, MOST_DOSE_Z)) / np.sqrt(2))
