"""Logistic regression on counted rows, and one step's fit with the columns of the findings made so far."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from conversion_audit.analysis.friction.cells import StepCells

# Keeps a level that nobody passed from running away; worth a thousandth of a session.
RIDGE = 1e-3


def expit(x: np.ndarray) -> np.ndarray:
    """Return the chance behind a logit."""
    return 1 / (1 + np.exp(-np.clip(x, -30, 30)))


def logit(p: np.ndarray | float) -> np.ndarray:
    """Return the logit of a chance, held away from 0 and 1."""
    p = np.clip(p, 1e-9, 1 - 1e-9)
    return np.log(p / (1 - p))


def fit_counts(design: np.ndarray, n: np.ndarray, y: np.ndarray, rounds: int = 25) -> tuple[np.ndarray, np.ndarray]:
    """
    Fit counts on a design by Newton's method.

    Returns
    -------
    (coefficients, covariance)
        Of a logistic regression of y passed out of n at risk, one row per combination of columns.
    """
    beta = np.zeros(design.shape[1])
    beta[0] = logit((y.sum() + 0.5) / (n.sum() + 1))
    ridge = RIDGE * np.eye(len(beta))
    for _ in range(rounds):
        p = expit(design @ beta)
        information = (design * (n * p * (1 - p))[:, None]).T @ design + ridge
        step = np.linalg.solve(information, (y - n * p) @ design - RIDGE * beta)
        beta = beta + np.clip(step, -3, 3)
        if np.abs(step).max() < 1e-8:
            break
    return beta, np.linalg.inv(information)


@dataclass(frozen=True)
class StepFit:
    """
    A step's model: adjusters and weekday, and one column for each finding made at this step.

    `of_row` maps the cells' rows to the rows of `design`; `own` counts the findings' columns, the last of the design.
    """

    cells: StepCells
    design: np.ndarray
    of_row: np.ndarray
    own: int
    beta: np.ndarray
    covariance: np.ndarray
    p: np.ndarray
    inflation: float

    @property
    def residual(self) -> np.ndarray:
        """Per row, passed minus expected."""
        return self.cells.y - self.cells.n * self.p

    @property
    def weight(self) -> np.ndarray:
        """Per row, the information on a logit shift."""
        return self.cells.n * self.p * (1 - self.p)

    def without(self, columns: Sequence[int]) -> np.ndarray:
        """Return each row's logit had these columns of the design no effect."""
        beta = self.beta.copy()
        beta[list(columns)] = 0.0
        return (self.design @ beta)[self.of_row]


def fit_step(cells: StepCells, columns: Sequence[np.ndarray], visitor: np.ndarray) -> StepFit:
    """
    Fit a step.

    Parameters
    ----------
    cells : StepCells
    columns : sequence of bool arrays, one entry per row
        The findings' segments (within their windows).
    visitor : array
        Visitor of each session that is at risk: people who come back inflate variances.
    """
    bits = sum((column.astype(np.int64) << k for k, column in enumerate(columns)), np.zeros(len(cells.n), np.int64))
    keys, of_row = np.unique(cells.group.astype(np.int64) << len(columns) | bits, return_inverse=True)
    of_row = of_row.ravel()
    own = np.column_stack([keys >> k & 1 for k in range(len(columns))]) if columns else np.zeros((len(keys), 0))
    design = np.hstack([cells.design[keys >> len(columns)], own.astype(float)])
    n, y = np.bincount(of_row, cells.n, len(keys)), np.bincount(of_row, cells.y, len(keys))
    beta, covariance = fit_counts(design, n, y)
    p = expit(design @ beta)[of_row]
    return StepFit(cells, design, of_row, len(columns), beta, covariance, p, _inflation(cells, p, visitor))


def _inflation(cells: StepCells, p: np.ndarray, visitor: np.ndarray) -> float:
    residual = cells.passed - p[cells.row_of]
    total = (residual**2).sum()
    return max(1.0, float((np.bincount(visitor, residual) ** 2).sum() / total)) if total > 0 else 1.0
