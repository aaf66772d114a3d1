"""Going in circles, errors again and again, and detours: who does it before a step, and how many of them go on."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from conversion_audit.analysis.friction.attempts import Attempts
from conversion_audit.analysis.friction.evidence import met
from conversion_audit.analysis.statistics import newcombe, wilson

FEWEST = 60
MANY_ROUNDS = 3


def round_table(attempts: Attempts, moves: pd.DataFrame) -> pd.DataFrame:
    """
    Return how many go in circles before a step, and how many of them go on.

    Parameters
    ----------
    moves : DataFrame
        n, name, event_number, seconds of marks of steps.

    Returns
    -------
    DataFrame
        One row per step and kind: step, kind (repeats: the step before three times or more until this one; back: a step
        before that one again after having come to stand here; errors: two errors or more), sessions (with it), of (at
        risk), rate, rate_low, rate_high, passed_with_rate, passed_without_rate, difference, difference_low,
        difference_high. It says what goes with going on, not what it is due to.
    """
    order = {name: k for k, name in enumerate(attempts.steps)}
    own = moves[moves["name"].isin(order)]
    place, n, seconds = own["name"].map(order).to_numpy(int), own.n.to_numpy(int), own.seconds.to_numpy(float)
    rows = []
    for step, name in enumerate(attempts.steps):
        risk = attempts.at_risk(step)
        kinds = {"errors": _twice(attempts, step)}
        if step:
            entered, left = attempts.entered(step), attempts.left(step)
            back = (place < step - 1) & (seconds > entered[n]) & (seconds < left[n])
            kinds["back"] = np.bincount(n[back], minlength=len(attempts)) > 0
            kinds["repeats"] = attempts.times[step - 1] >= MANY_ROUNDS
        for kind, has in kinds.items():
            rows.append((name, kind, *_with_and_without(risk, has, attempts.passed(step))))
    return pd.DataFrame(rows, columns=["step", "kind", *_COMPARED])


_COMPARED = [
    "sessions", "of", "rate", "rate_low", "rate_high", "passed_with_rate", "passed_without_rate", "difference",
    "difference_low", "difference_high",
]  # fmt: skip


def _twice(attempts: Attempts, step: int) -> np.ndarray:
    _, _, session = met(attempts, step)
    return np.bincount(session, minlength=len(attempts)) >= 2


def _with_and_without(risk: np.ndarray, has: np.ndarray, passed: np.ndarray) -> tuple:
    """Share that has it, and how many go on with and without."""
    with_it, without = risk & has, risk & ~has
    n1, n2, of = int(with_it.sum()), int(without.sum()), int(risk.sum())
    y1, y2 = int((with_it & passed).sum()), int((without & passed).sum())
    low, high = (float(x) for x in wilson(n1, of))
    d_low, d_high = (float(x) for x in newcombe(y1, n1, y2, n2))
    here, there = (y1 / n1 if n1 else np.nan), (y2 / n2 if n2 else np.nan)
    return n1, of, n1 / of if of else np.nan, low, high, here, there, here - there, d_low, d_high


def detour_table(attempts: Attempts, moves: pd.DataFrame, aside: Sequence[str]) -> pd.DataFrame:
    """
    Return who leaves the way for something beside it while standing before a step, and how many of them go on.

    Returns
    -------
    DataFrame
        One row per step and what lies beside, detours of fewer than 60 sessions left out, the most frequent first:
        step, what, and the columns of `round_table`.
    """
    rows = []
    grouped = dict(iter(moves[moves["name"].isin(list(aside))].groupby("name")))
    for step, name in enumerate(attempts.steps):
        if step == 0:
            continue  # before the first step everything is a way, not a detour
        entered, left, risk = attempts.entered(step), attempts.left(step), attempts.at_risk(step)
        for what, part in grouped.items():
            n, seconds = part.n.to_numpy(int), part.seconds.to_numpy(float)
            there = n[(seconds >= entered[n]) & (seconds < left[n])]
            has = np.bincount(there, minlength=len(attempts)) > 0
            if (has & risk).sum() >= FEWEST:
                rows.append((name, what, *_with_and_without(risk, has, attempts.passed(step))))
    table = pd.DataFrame(rows, columns=["step", "what", *_COMPARED])
    return table.sort_values(["sessions", "step", "what"], ascending=[False, True, True], ignore_index=True)
