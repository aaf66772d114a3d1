"""All findings mended at once: never the sum of the single prices."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from conversion_audit.analysis.friction import evidence
from conversion_audit.analysis.friction.attempts import Attempts
from conversion_audit.analysis.friction.price import Price


def replay(attempts: Attempts, candidates, cells, drafts: Sequence, prices: Sequence[Price]) -> pd.DataFrame:
    """
    Walk the journey again with every finding at its benchmark.

    Everyone who was stopped is rescued with the chance that any finding at that step gives, once; who is rescued goes on
    as comparable people do, past the later findings as they stand today. So nobody is counted twice, and the total never
    exceeds the sum.

    Returns
    -------
    DataFrame
        One row: findings, lost_orders_sum, lost_orders (replayed together), lost_orders_low, lost_orders_high (the ends
        scaled alike; an upper end of the sum of the upper ends would be too wide to mean anything),
        lost_orders_all_mended (rescued people also profit from the later mends: more than a promise should hold).
    """
    if not drafts:
        columns = ["lost_orders_sum", "lost_orders", "lost_orders_low", "lost_orders_high", "lost_orders_all_mended"]
        return pd.DataFrame([[0, *[0.0] * 5]], columns=["findings", *columns])
    singles = np.array([p.lost for p in prices])
    together = mended = 0.0
    for step in sorted({d.step for d in drafts}):
        here = [k for k, d in enumerate(drafts) if d.step == step]
        one = cells[step]
        stopped, rescue, value = ~one.passed, np.zeros(len(one.who)), np.zeros(len(one.who))
        later = np.zeros(len(one.who))
        for k in here:
            draft, judged = drafts[k], drafts[k].judged
            inside = evidence.member_rows(attempts, one, candidates[draft.candidate], draft.window) & stopped
            chance = max(0.0, prices[k].benchmark - judged.rate) / max(1 - judged.rate, 1e-9)
            value[inside] = np.maximum(value[inside], judged.then_order)
            rescue[inside] = 1 - (1 - rescue[inside]) * (1 - chance)
            later[inside] = np.maximum(later[inside], _later_gain(attempts, candidates, cells, drafts, prices, draft))
        together += float((rescue * value).sum())
        mended += float((rescue * value * (1 + later)).sum())
    # One finding alone is worth its own price.
    together = min(together, float(singles.sum())) if len(drafts) > 1 else float(singles.sum())
    spread = np.array([[p.low, p.high] for p in prices])
    # Independent intervals: the deviations of a sum add up in squares.
    down, up = np.sqrt(((singles[:, None] - spread) ** 2).sum(0))
    return pd.DataFrame(
        [
            {
                "findings": len(drafts),
                "lost_orders_sum": float(singles.sum()),
                "lost_orders": together,
                "lost_orders_low": max(0.0, together - down),
                "lost_orders_high": together + up,
                "lost_orders_all_mended": max(mended, together),
            }
        ]
    )


def _later_gain(attempts, candidates, cells, drafts, prices, draft) -> float:
    """How many more of a segment's people would order if the findings at later steps were mended as well."""
    gain = 1.0
    passed = cells[draft.step].who[
        evidence.member_rows(attempts, cells[draft.step], candidates[draft.candidate], draft.window)
        & cells[draft.step].passed
    ]
    for k, other in enumerate(drafts):
        if other.step <= draft.step or not len(passed):
            continue
        one = cells[other.step]
        hit = one.who[evidence.member_rows(attempts, one, candidates[other.candidate], other.window)]
        share = np.isin(hit, passed).sum() / max(np.isin(one.who, passed).sum(), 1)
        gain *= 1 + share * max(0.0, prices[k].benchmark / max(other.judged.rate, 1e-9) - 1)
    return gain - 1
