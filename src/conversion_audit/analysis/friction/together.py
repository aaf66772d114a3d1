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
        lost_orders_all_mended (rescued people also profit from the later mends: more than a promise should hold),
        revenue_lost, revenue_lost_low and revenue_lost_high of `lost_orders` (0 where no order has an amount).
    """
    if not drafts:
        columns = ["lost_orders_sum", "lost_orders", "lost_orders_low", "lost_orders_high", "lost_orders_all_mended"]
        columns += ["revenue_lost", "revenue_lost_low", "revenue_lost_high"]
        return pd.DataFrame([[0, *[0.0] * 8]], columns=["findings", *columns])
    singles = np.array([p.lost for p in prices])
    together = mended = money = 0.0
    for step in sorted({d.step for d in drafts}):
        here = [k for k, d in enumerate(drafts) if d.step == step]
        one = cells[step]
        stopped = ~one.passed
        rescue, value, worth, later = (np.zeros(len(one.who)) for _ in range(4))
        for k in here:
            draft, judged = drafts[k], drafts[k].judged
            inside = evidence.member_rows(attempts, one, candidates[draft.candidate], draft.window) & stopped
            chance = max(0.0, prices[k].benchmark - judged.rate) / max(1 - judged.rate, 1e-9)
            worth[inside & (judged.then_order > value)] = prices[k].revenue / max(prices[k].lost, 1e-9)
            value[inside] = np.maximum(value[inside], judged.then_order)
            rescue[inside] = 1 - (1 - rescue[inside]) * (1 - chance)
            later[inside] = np.maximum(later[inside], _later_gain(attempts, candidates, cells, drafts, prices, draft))
        together += float((rescue * value).sum())
        money += float((rescue * value * worth).sum())
        mended += float((rescue * value * (1 + later)).sum())
    lost, low, high = _ends(together, singles, [(p.low, p.high) for p in prices])
    earned = _ends(money, [p.revenue for p in prices], [(p.revenue_low, p.revenue_high) for p in prices])
    return pd.DataFrame(
        [
            {
                "findings": len(drafts),
                "lost_orders_sum": float(singles.sum()),
                "lost_orders": lost,
                "lost_orders_low": low,
                "lost_orders_high": high,
                "lost_orders_all_mended": max(mended, lost),
                **dict(zip(("revenue_lost", "revenue_lost_low", "revenue_lost_high"), earned, strict=True)),
            }
        ]
    )


def _ends(
    together: float, singles: Sequence[float], ranges: Sequence[tuple[float, float]]
) -> tuple[float, float, float]:
    """A total, never above the sum of the single prices, with its ends; one finding alone is worth its own price."""
    alone, spread = np.asarray(singles, float), np.asarray(ranges, float)
    total = float(min(together, alone.sum()) if len(alone) > 1 else alone.sum())
    # Independent intervals: the deviations of a sum add up in squares.
    down, up = np.sqrt(((alone[:, None] - spread) ** 2).sum(0))
    return total, float(max(0.0, total - down)), float(total + up)


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
