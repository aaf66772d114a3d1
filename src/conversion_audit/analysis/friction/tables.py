"""A search told as small tables: steps, segments, findings with price and evidence, what was refused."""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np
import pandas as pd

from conversion_audit.analysis.friction import dates, gates
from conversion_audit.analysis.friction.attempts import Attempts
from conversion_audit.analysis.friction.cells import Candidate, StepCells
from conversion_audit.analysis.friction.drafts import Search, State
from conversion_audit.analysis.friction.model import logit
from conversion_audit.analysis.friction.price import Price
from conversion_audit.analysis.friction.tracking import span
from conversion_audit.analysis.friction.verdict import verdict
from conversion_audit.analysis.statistics import shrunken_rates, wilson

FEWEST_SIBLING_SESSIONS = 300
FOUND_COLUMNS = [
    "finding", "step", "of", "segment", "also", "is_adjuster", "is_incident", "since", "until", "since_low",
    "since_high", "until_low", "until_high", "verdict", "mechanism", "message", "sessions_at_risk",
    "visitors_at_risk", "passed", "step_rate", "benchmark_rate", "benchmark_low", "benchmark_high", "benchmark_kind", "loss_share", "lost_orders",
    "lost_orders_low", "lost_orders_high", "revenue_lost", "revenue_lost_low", "revenue_lost_high",
    "lost_orders_net_low", "lost_orders_net_high", "come_back_rate", "kept_share", "p", "z", "comparisons",
]  # fmt: skip


def segment_text(candidate: Candidate) -> str:
    """Return a segment as JSON text, columns in order."""
    return json.dumps(candidate.segment, sort_keys=True, ensure_ascii=False)


def step_table(attempts: Attempts, cells: Sequence[StepCells], states: Sequence[State]) -> pd.DataFrame:
    """
    Return each step's rate, for sessions and for visitors.

    Returns
    -------
    DataFrame
        One row per step::

               step     of    unit  at_risk  passed  step_rate  step_low  step_high  left_out_sessions
            payment  shipping  session    4,533   3,143      0.693     0.680      0.707                  0

        `of` names the step before (None for the first: all sessions). A visitor is at risk if a session of theirs was,
        and passed if one did. Intervals allow for visitors who come back.
    """
    rows = []
    for one, state in zip(cells, states, strict=True):
        visitor = attempts.visitor[one.who]
        people = np.unique(visitor)
        counted = {"session": (len(one.who), int(one.passed.sum()), state.fit.inflation),
                   "visitor": (len(people), len(np.unique(visitor[one.passed])), 1.0)}  # fmt: skip
        left_out = int(attempts.at_risk(one.step).sum() - len(one.who))
        for unit, (n, y, inflation) in counted.items():
            low, high = wilson(y / inflation, n / inflation)
            before = attempts.steps[one.step - 1] if one.step else None
            rate = y / n if n else np.nan
            rows.append((attempts.steps[one.step], before, unit, n, y, rate, float(low), float(high), left_out))
    return pd.DataFrame(
        rows,
        columns=["step", "of", "unit", "at_risk", "passed", "step_rate", "step_low", "step_high", "left_out_sessions"],
    )


def segment_table(
    attempts: Attempts, candidates: Sequence[Candidate], states: Sequence[State], compared, comparisons: int
) -> pd.DataFrame:
    """
    Return every single suspect and adjuster value at every step, against comparable traffic.

    Returns
    -------
    DataFrame
        One row per step and value: step, column, level, is_adjuster, at_risk, passed, step_rate, expected_rate (of the
        same mix elsewhere), gap_points (rate minus expected), own_gap (logit, this step's alone), own_gap_sd, p. The
        last three are NaN where too few were at risk. p is before allowing for the number of comparisons.
    """
    rows = []
    for state in states:
        cells = state.fit.cells
        for c, candidate in enumerate(candidates):
            if len(candidate.parts) != 1:
                continue
            inside = cells.rows_in(c, candidates)
            n, y = cells.n[inside].sum(), cells.y[inside].sum()
            base = _plain_expected(state, inside)
            (column, level), s = candidate.parts[0], cells.step
            rate = y / n if n else np.nan
            rows.append(
                (attempts.steps[s], column, level, candidate.is_adjuster, int(n), int(y), rate, base, rate - base,
                 compared.value[s, c], np.sqrt(compared.variance[s, c]), compared.p[s, c])
            )  # fmt: skip
    columns = ["step", "column", "level", "is_adjuster", "at_risk", "passed", "step_rate", "expected_rate"]
    columns += ["gap_points", "own_gap", "own_gap_sd", "p"]
    return pd.DataFrame(rows, columns=columns).assign(comparisons=comparisons)


def _plain_expected(state: State, inside: np.ndarray) -> float:
    """What the same adjusters and weekdays would give, had no finding its effect."""
    fit = state.fit
    n = fit.cells.n[inside]
    if not n.sum():
        return float("nan")
    own = range(fit.design.shape[1] - fit.own, fit.design.shape[1])
    p = 1 / (1 + np.exp(-fit.without(list(own))[inside]))
    return float((n * p).sum() / n.sum())


def finding_table(
    attempts: Attempts,
    candidates: Sequence[Candidate],
    found: Search,
    prices: Sequence[Price],
) -> pd.DataFrame:
    """
    Return the findings, the costliest first by the lower end of lost orders.

    Returns
    -------
    DataFrame
        One row per finding: finding (number), step, of, segment (JSON), also (JSON list of other names for the same
        sessions), is_adjuster, since, until (ISO dates or None), since_low .. until_high (what the data do not speak
        against), verdict, mechanism, message, sessions_at_risk and their visitors_at_risk, passed, step_rate,
        benchmark_rate and its ends, relative loss_share, lost_orders with *_low, *_high (90 %), revenue_lost with ends,
        lost_orders_net_low/high, come_back_rate, kept_share (below 1: shrunk because it was found near the cut), p, comparisons, z.
    """
    rows = []
    for k, (draft, price) in enumerate(zip(found.drafts, prices, strict=True)):
        candidate, judged = candidates[draft.candidate], draft.judged
        since, until = span(attempts, *draft.window) if draft.window else (None, None)
        rows.append(
            {
                "finding": k,
                "step": attempts.steps[draft.step],
                "of": attempts.steps[draft.step - 1] if draft.step else None,
                "segment": segment_text(candidate),
                "also": json.dumps([dict(parts) for parts in candidate.also], ensure_ascii=False),
                "is_adjuster": candidate.is_adjuster,
                "is_incident": draft.window is not None,
                "since": since,
                "until": until,
                **_edges(attempts, found, draft),
                "verdict": verdict(draft.p, found.comparisons, draft.mechanism.kind),
                "mechanism": draft.mechanism.kind,
                "message": draft.mechanism.message,
                "sessions_at_risk": judged.sessions,
                "visitors_at_risk": judged.visitors,
                "passed": judged.passed,
                "step_rate": judged.rate,
                "benchmark_rate": price.benchmark,
                "benchmark_low": price.benchmark_low,
                "benchmark_high": price.benchmark_high,
                "benchmark_kind": "own_past" if draft.window else "siblings",
                "loss_share": 1 - judged.rate / price.benchmark if price.benchmark else np.nan,
                **_cost(price),
                "p": draft.p,
                "z": draft.z,
                "comparisons": found.comparisons,
            }
        )
    return pd.DataFrame(rows, columns=FOUND_COLUMNS)


def _cost(price: Price) -> dict[str, float]:
    return {
        "lost_orders": price.lost,
        "lost_orders_low": price.low,
        "lost_orders_high": price.high,
        "revenue_lost": price.revenue,
        "revenue_lost_low": price.revenue_low,
        "revenue_lost_high": price.revenue_high,
        "lost_orders_net_low": price.net_low,
        "lost_orders_net_high": price.net_high,
        "come_back_rate": price.come_back_rate,
        "kept_share": price.kept,
    }


def _edges(attempts: Attempts, found: Search, draft) -> dict[str, str | None]:
    names = ["since_low", "since_high", "until_low", "until_high"]
    if draft.window is None:
        return dict.fromkeys(names)
    fit = found.states[draft.step].fit
    n, y, _, _ = (x[0] for x in dates.daily(fit, fit.cells.cell_members[[draft.candidate]], attempts.days))
    expected = n * (y.sum() / max(n.sum(), 1))
    starts, ends = dates.edges(n, y, expected, *draft.window, fit.inflation)
    firsts = [attempts.dates[min(a * attempts.block, len(attempts.dates) - 1)] for a in starts]
    lasts = [attempts.dates[min(b * attempts.block, len(attempts.dates)) - 1] for b in ends]
    return dict(zip(names, [d.date().isoformat() for d in [*firsts, *lasts]], strict=True))


def refused_table(attempts: Attempts, candidates: Sequence[Candidate], found: Search) -> pd.DataFrame:
    """Return what looked suspicious and was refused, with the gate that refused it: cannot say, traffic, too small."""
    rows = []
    for draft, reason in found.refused:
        judged = draft.judged
        since, until = span(attempts, *draft.window) if draft.window else (None, None)
        lost = judged.sessions * max(0.0, judged.benchmark - judged.rate) * judged.then_order
        rows.append(
            (attempts.steps[draft.step], segment_text(candidates[draft.candidate]),
             candidates[draft.candidate].is_adjuster, since, until, reason, judged.sessions, judged.rate,
             judged.benchmark, lost, draft.p)
        )  # fmt: skip
    columns = ["step", "segment", "is_adjuster", "since", "until", "reason", "sessions_at_risk", "step_rate"]
    return pd.DataFrame(rows, columns=[*columns, "benchmark_rate", "lost_orders", "p"])


def benchmark_table(candidates: Sequence[Candidate], found: Search, prices: Sequence[Price]) -> pd.DataFrame:
    """
    Return the benchmarks of each finding: siblings of the same mix, its own past, and the stretch.

    Returns
    -------
    DataFrame
        One row per finding and kind (siblings, own_past, stretch): benchmark_rate, sessions, step_rate, lost_orders,
        is_headline. The stretch is the upper quartile of the shrunken rates of sibling segments; it is never headlined.
        NaN where a kind does not apply.
    """
    rows = []
    for k, (draft, price) in enumerate(zip(found.drafts, prices, strict=True)):
        siblings = _siblings_rate(candidates, found, draft)
        headline = price.benchmark
        kinds = {
            "siblings": headline if draft.window is None else siblings,
            "own_past": headline if draft.window is not None else np.nan,
            "stretch": max(headline, _stretch(candidates, found, draft, siblings)),
        }
        judged = draft.judged
        for kind, rate in kinds.items():
            lost = judged.sessions * max(0.0, rate - judged.rate) * judged.then_order if not np.isnan(rate) else np.nan
            headlined = kind == ("siblings" if draft.window is None else "own_past")
            rows.append((k, kind, rate, judged.sessions, judged.rate, lost, headlined))
    columns = ["finding", "kind", "benchmark_rate", "sessions", "step_rate", "lost_orders", "is_headline"]
    return pd.DataFrame(rows, columns=columns)


def _siblings_rate(candidates, found, draft) -> float:
    state = found.states[draft.step]
    rows = gates.rows_of(state.fit.cells, candidates, draft)
    if not candidates[draft.candidate].parts:
        return float("nan")
    base = _plain_expected(state, rows)
    usual = float(found.differences.usual[draft.step, draft.candidate])
    return float(1 / (1 + np.exp(-(logit(base) + usual))))


def _stretch(candidates, found, draft, expected: float) -> float:
    """Upper quartile of the siblings' rates, each over what its mix would give, pulled towards what they share."""
    columns = {column for column, _ in candidates[draft.candidate].parts}
    state = found.states[draft.step]
    ratios, sizes = [], []
    for c, other in enumerate(candidates):
        if c == draft.candidate or {column for column, _ in other.parts} != columns:
            continue
        rows = state.fit.cells.rows_in(c, candidates)
        n = state.fit.cells.n[rows].sum()
        if n >= FEWEST_SIBLING_SESSIONS:
            ratios.append(state.fit.cells.y[rows].sum() / n / max(_plain_expected(state, rows), 1e-9))
            sizes.append(n)
    if len(ratios) < 2 or np.isnan(expected):
        return float("nan")
    rates = np.clip(np.array(ratios) * expected, 1e-6, 1 - 1e-6)
    pulled = shrunken_rates(rates * np.array(sizes), sizes).shrunken_rate
    return float(np.quantile(pulled, 0.75))
