"""
The smallest leak that would have been found: completions of the client's own sessions taken away, and the search repeated.

What a quiet shop is told: "a loss of 18 % or more at payment on mobile would have been found nine times in ten".
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from conversion_audit.analysis.friction import gates, score
from conversion_audit.analysis.friction.attempts import Attempts
from conversion_audit.analysis.friction.cells import FEWEST_AT_RISK, Candidate
from conversion_audit.analysis.friction.model import StepFit, expit, fit_counts
from conversion_audit.analysis.friction.verdict import LIKELY_P
from conversion_audit.analysis.statistics import sample_size

COPIES, ENOUGH = 10, 9
NINE_IN_TEN_Z = 1.2816
TYPICAL_LOSS = 0.25
# A shop with little data makes few comparisons; once it has enough, it makes at least so many.
USUAL_COMPARISONS = 500
COLUMNS = ["step", "column", "level", "sessions", "orders_after_passing", "smallest_loss_share", "found", "copies",
           "sessions_needed"]  # fmt: skip


def smallest_leaks(
    attempts: Attempts,
    candidates: Sequence[Candidate],
    states: Sequence,
    compared: score.Differences,
    comparisons: int,
    seed: int,
) -> pd.DataFrame:
    """
    Return the smallest loss that would have been found, for each step and each value of the first suspect.

    Parameters
    ----------
    attempts, candidates, states, compared, comparisons
        Of the search that was made.
    seed : int
        For the copies with completions taken away.

    Returns
    -------
    DataFrame
        One row per step and value::

               step  column   level  sessions  orders_after_passing  smallest_loss_share  found  copies  sessions_needed
            payment  device  mobile     3,100                 2,400                 0.13      9      10            1,040

        `smallest_loss_share` is NaN where no loss would have been found. `sessions_needed` is how many sessions at risk
        there would show a loss of a quarter.
    """
    random = np.random.default_rng(seed)
    first = attempts.suspects[0].name if attempts.suspects else None
    chosen = [i for i, c in enumerate(candidates) if len(c.parts) == 1 and c.parts[0][0] == first]
    rows = []
    for step, state in enumerate(states):
        for c in chosen:
            place = _Place(attempts, state.fit, candidates, c, compared, step, comparisons)
            if place.sessions:
                column, level = candidates[c].parts[0]
                loss, found = place.smallest(random)
                rows.append(
                    (
                        attempts.steps[step],
                        column,
                        level,
                        place.sessions,
                        place.goals,
                        loss,
                        found,
                        COPIES,
                        place.needed(),
                    )
                )
    return pd.DataFrame(rows, columns=COLUMNS)


class _Place:
    """One segment at one step, ready to be thinned: counts per design row inside and outside the segment."""

    def __init__(self, attempts, fit: StepFit, candidates, c: int, compared, step: int, comparisons: int) -> None:
        cells = fit.cells
        inside = cells.rows_in(c, candidates)
        key, where = np.unique(fit.of_row * 2 + inside, return_inverse=True)
        self.n = np.bincount(where.ravel(), cells.n, len(key))
        self.y = np.bincount(where.ravel(), cells.y, len(key))
        self.inside = key % 2 == 1
        self.design = np.hstack([fit.design[key // 2], self.inside[:, None].astype(float)])
        self.inflation = fit.inflation
        self.sessions = int(self.n[self.inside].sum())
        who = cells.rows_in(c, candidates)[cells.row_of]
        self.goals = int((who & (attempts.depth[cells.who] == len(attempts.steps))).sum())
        self.then = gates.order_rate(attempts, cells, who)
        self.tau, self.usual = compared.tau[step, c], compared.usual[step, c]
        self.usual_variance = compared.usual_variance[step, c]
        self.z_cut = score.upper_quantile(LIKELY_P / max(comparisons, USUAL_COMPARISONS))

    def _verdict(self, y: np.ndarray, margin: float = 0.0, size: float = 1.0) -> bool:
        """Would this have been named? `margin` asks for so many standard errors more than enough."""
        beta, covariance = fit_counts(self.design, self.n * size, y * size)
        natural = self.tau**2 + self.usual_variance
        spread = np.sqrt(covariance[-1, -1] * self.inflation + natural)
        gap = beta[-1] - self.usual
        n, passed = self.n[self.inside], y[self.inside]
        level = self.design[self.inside] @ beta
        surely = min(0.0, gap + (gates.Z90 + margin) * spread)
        careful = (n * expit(level - surely)).sum() / n.sum()
        rate = passed.sum() / n.sum()
        lost = n.sum() * size * (careful - rate) * self.then
        big = careful > 0 and 1 - rate / careful > gates.LEAST_LOSS and lost >= gates.LEAST_ORDERS
        return bool(big and gap / spread < -(self.z_cut + margin))

    def _less(self, loss: float) -> np.ndarray:
        return self.y * np.where(self.inside, 1 - loss, 1.0)

    def smallest(self, random: np.random.Generator) -> tuple[float, int]:
        """Return the smallest loss found nine times in ten, to a whole per cent, and how often it was found."""
        others = self.n[~self.inside].sum()
        if min(self.sessions, others) < FEWEST_AT_RISK or not self._verdict(self._less(0.95), NINE_IN_TEN_Z):
            return np.nan, 0
        low, high = 0, 95
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if self._verdict(self._less(middle / 100), NINE_IN_TEN_Z) else (middle, high)
        while high <= 95:
            found = sum(self._verdict(self._thinned(high / 100, random)) for _ in range(COPIES))
            if found >= ENOUGH:
                return high / 100, found
            high = max(high + 1, round(high * 1.12))
        return np.nan, 0

    def _thinned(self, loss: float, random: np.random.Generator) -> np.ndarray:
        return self.y - random.binomial(self.y.astype(int), np.where(self.inside, loss, 0.0))

    def needed(self) -> float:
        """
        Return how many sessions at risk would show a loss of a quarter; NaN where no number would.

        As if the segment were like the others but for that loss: with little data, its own rate is mostly chance.
        """
        if not self.sessions:
            return np.nan
        rate = (self.y.sum() + 1) / (self.n.sum() + 2)
        self.usual, self.usual_variance = 0.0, score.TAU_FLOOR**2 / 4
        self.tau = max(score.TAU_FLOOR, score.RELATIVE_FLOOR / (1 - rate))
        y = self.n * rate * np.where(self.inside, 1 - TYPICAL_LOSS, 1.0)
        self.design = np.column_stack([np.ones(len(y)), self.inside])
        if not self._verdict(y, NINE_IN_TEN_Z, 1e4):
            return np.nan
        low, high = -2.0, 4.0
        for _ in range(14):
            middle = (low + high) / 2
            low, high = (low, middle) if self._verdict(y, NINE_IN_TEN_Z, 10**middle) else (middle, high)
        return float(np.ceil(self.sessions * 10**high))


def smallest_falls(steps: pd.DataFrame) -> pd.DataFrame:
    """
    Return what even little data can show: the smallest fall of a step's rate from one such period to the next.

    Parameters
    ----------
    steps : DataFrame
        See `tables.step_table`; sessions are taken.

    Returns
    -------
    DataFrame
        One row per step: step, of, at_risk, passed, step_rate, smallest_fall_share (of the rate, seen 8 times in 10 at 5 %,
        two-sided, Miller's formula; NaN where not even a fall to nothing would be seen).
    """
    rows = steps[steps.unit == "session"][["step", "of", "at_risk", "passed", "step_rate"]].reset_index(drop=True)
    falls = [_smallest_fall(rate, n) for rate, n in zip(rows.step_rate, rows.at_risk, strict=True)]
    return rows.assign(smallest_fall_share=np.array(falls, float))


def _smallest_fall(rate: float, n: float) -> float:
    if not 0 < rate < 1 or sample_size(rate, -rate) > n:
        return np.nan
    low, high = 0.0, 1.0
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (low, middle) if sample_size(rate, -rate * middle) <= n else (middle, high)
    return high
