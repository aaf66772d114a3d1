"""Attempts -> cells: per step the sessions at risk and those that passed, by day, suspects and adjusters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd

from conversion_audit.analysis.friction.attempts import OTHER, UNKNOWN, Attempts, Factor

FEWEST_SESSIONS = 200
FEWEST_AT_RISK = 30
"""
Sessions at a step, of a segment and beside it. What is said of so few has to pass every other gate: ten orders lost at least.
On 120 generated shops of 4,000 to 30,000 sessions without friction no likely one was found; with 60, one in sixteen that was made
in a browser of about as many sessions at the step was found under another name.
"""


@dataclass(frozen=True)
class Candidate:
    """A group of sessions that could meet a friction: everyone, or those with the values named."""

    parts: tuple[tuple[str, str], ...]
    is_adjuster: bool = False
    also: tuple[tuple[tuple[str, str], ...], ...] = ()

    @property
    def segment(self) -> dict[str, str]:
        """Column to value; empty for everyone."""
        return dict(self.parts)


@dataclass(frozen=True)
class StepCells:
    """
    One step: its sessions at risk, and rows that count them by (cell, group, day).

    A cell is an observed combination of suspects, a group one of adjusters and weekday. `members` says which cells (for
    adjusters: which groups) make up each candidate; `recorded`, which sessions no silent tag met at a later step.
    """

    step: int
    who: np.ndarray
    passed: np.ndarray
    recorded: np.ndarray
    row_of: np.ndarray
    cell: np.ndarray
    group: np.ndarray
    day: np.ndarray
    n: np.ndarray
    y: np.ndarray
    design: np.ndarray
    design_names: tuple[tuple[str, str], ...]
    cell_members: np.ndarray
    group_members: np.ndarray

    @property
    def rate(self) -> float:
        """Share that passed; NaN where nobody was at risk."""
        return float(self.y.sum() / self.n.sum()) if self.n.sum() else float("nan")

    def rows_in(self, candidate: int, candidates: Sequence[Candidate]) -> np.ndarray:
        """Return which rows belong to a candidate."""
        if candidates[candidate].is_adjuster:
            return self.group_members[candidate][self.group]
        return self.cell_members[candidate][self.cell]

    def named_before(self, candidates: Sequence[Candidate]) -> np.ndarray:
        """
        Return which candidates have, at this step, just the sessions of one with a shorter name.

        Where a suspect changes from step to step they may differ at others: at the payment, all that browse by Safari and
        are in the checkout are all that browse by Safari.
        """
        found: set[bytes] = set()
        answer = np.zeros(len(candidates), bool)
        for n in (n for n, candidate in enumerate(candidates) if not candidate.is_adjuster):
            key = np.packbits(self.cell_members[n]).tobytes()
            answer[n] = key in found
            found.add(key)
        return answer


def member(attempts: Attempts, candidate: Candidate, step: int) -> np.ndarray:
    """Return which sessions have the values a candidate names, as they stand at a step."""
    factors = {f.name: f for f in [*attempts.suspects, *attempts.adjusters]}
    inside = np.ones(len(attempts), bool)
    for column, level in candidate.parts:
        factor = factors[column]
        inside &= factor.at(step) == factor.levels.index(level)
    return inside


def find_candidates(attempts: Attempts) -> list[Candidate]:
    """
    Return everyone, every suspect value, every pair of values of two suspects, and every adjuster value.

    At least 200 sessions (a tenth of a very small shop's) lie inside and outside each. Groups of the same sessions are one candidate under the shortest
    name; `also` lists the others.
    """
    found: dict[bytes, Candidate] = {}
    options = [Candidate(())] if len(attempts) else []
    options += [Candidate(((f.name, level),)) for f in attempts.suspects for level in _real(f)]
    for first, second in combinations(attempts.suspects, 2):
        options += [Candidate(((first.name, a), (second.name, b))) for a in _real(first) for b in _real(second)]
    options += [Candidate(((f.name, level),), True) for f in attempts.adjusters for level in _real(f)]
    steps = _distinct_steps(attempts)
    least = min(FEWEST_SESSIONS, max(20, len(attempts) // 10))
    for candidate in options:
        inside = np.concatenate([member(attempts, candidate, s) & attempts.at_risk(s) for s in steps])
        size, outside = inside.sum(), len(inside) - inside.sum()
        if candidate.parts and min(size, outside) < least:
            continue
        key = np.packbits(inside).tobytes() + bytes([candidate.is_adjuster])
        known = found.get(key)
        if known is None:
            found[key] = candidate
        elif not candidate.is_adjuster:
            found[key] = Candidate(known.parts, False, (*known.also, candidate.parts))
    return list(found.values())


def _real(factor: Factor) -> list[str]:
    return [level for level in factor.levels if level not in (OTHER, UNKNOWN)]


def _distinct_steps(attempts: Attempts) -> list[int]:
    """One step stands for all where no suspect changes from step to step."""
    changing = any(f.codes.ndim > 1 for f in attempts.suspects)
    return list(range(len(attempts.steps))) if changing else [0]


def step_cells(
    attempts: Attempts,
    candidates: Sequence[Candidate],
    masked: np.ndarray,
    depth: np.ndarray | None = None,
    steps: Sequence[int] | None = None,
) -> list[StepCells]:
    """
    Count attempts per step, cell, group and day.

    Parameters
    ----------
    attempts : Attempts
    candidates : sequence of Candidate
    masked : array, steps x sessions
        Sessions not to be counted at a step, because its tag was silent.
    depth : array, optional
        Another depth per session: the same shop with completions taken away.
    steps : sequence of int, optional
        All otherwise.
    """
    depth = attempts.depth if depth is None else depth
    group, design, names = _groups(attempts)
    wanted = range(len(attempts.steps)) if steps is None else steps
    return [_one_step(attempts, candidates, masked, depth, group, design, names, s) for s in wanted]


def _groups(attempts: Attempts) -> tuple[np.ndarray, np.ndarray, tuple[tuple[str, str], ...]]:
    """Number the combinations of adjusters and weekday, and lay out their columns; the first level is the base."""
    factors = list(attempts.adjusters)
    if len(attempts.dates) >= 14 and attempts.block == 1:
        factors.append(Factor("weekday", [str(d) for d in range(7)], attempts.weekday))
    code = np.zeros(len(attempts), np.int64)
    for factor in factors:
        code = code * (len(factor.levels) + 1) + factor.codes
    uniques, first, group = np.unique(code, return_index=True, return_inverse=True)
    columns, names = [np.ones(len(uniques))], [("all", "")]
    for factor in factors:
        for level in range(1, len(factor.levels)):
            columns.append((factor.codes[first] == level).astype(float))
            names.append((factor.name, factor.levels[level]))
    return group.ravel(), np.column_stack(columns) if len(uniques) else np.zeros((0, 1)), tuple(names)


def _one_step(attempts, candidates, masked, depth, group, design, names, step) -> StepCells:
    who = np.flatnonzero((depth >= step) & ~masked[step])
    passed = depth[who] > step
    code = np.zeros(len(who), np.int64)
    for factor in attempts.suspects:
        code = code * (len(factor.levels) + 2) + factor.at(step)[who] + 1
    _, first, cell = np.unique(code, return_index=True, return_inverse=True)
    cell, days = cell.ravel(), max(attempts.days, 1)
    combined = (cell * max(len(design), 1) + group[who]) * days + attempts.day[who]
    rows, where, row_of = np.unique(combined, return_index=True, return_inverse=True)
    row_of = row_of.ravel()
    factors = {f.name: f for f in [*attempts.suspects, *attempts.adjusters]}
    sample = who[first]
    cell_members = np.ones((len(candidates), len(first)), bool)
    group_members = np.zeros((len(candidates), len(design)), bool)
    columns = {name: j for j, name in enumerate(names)}
    for c, candidate in enumerate(candidates):
        if candidate.is_adjuster:
            ((column, level),) = candidate.parts
            group_members[c] = _has_level(design, names, columns, column, level)
            continue
        for column, level in candidate.parts:
            factor = factors[column]
            cell_members[c] &= factor.at(step)[sample] == factor.levels.index(level)
    return StepCells(
        step,
        who,
        passed,
        ~masked[step + 1 :, who].any(axis=0),
        row_of,
        cell[where],
        group[who][where],
        attempts.day[who][where],
        np.bincount(row_of, minlength=len(rows)).astype(float),
        np.bincount(row_of, passed, len(rows)),
        design,
        names,
        cell_members,
        group_members,
    )


def _has_level(design, names, columns, column, level) -> np.ndarray:
    if (column, level) in columns:
        return design[:, columns[column, level]] > 0
    others = [j for j, (name, _) in enumerate(names) if name == column]
    return design[:, others].sum(axis=1) == 0


def cells_table(attempts: Attempts, cells: Sequence[StepCells], value: np.ndarray | None = None) -> pd.DataFrame:
    """
    Return the cells as a table, for watching the same steps in the next audit.

    Returns
    -------
    DataFrame
        One row per step, day (first of its block), suspects and adjusters observed::

                  date     step  device  channel  at_risk  passed
            2026-03-02  payment  mobile  organic       12       9
    """
    parts = []
    for one in cells:
        frame = {"step": attempts.steps[one.step], "date": attempts.dates[attempts.day[one.who] * attempts.block]}
        for factor in [*attempts.suspects, *attempts.adjusters]:
            levels = np.array([*factor.levels, None], object)
            frame[factor.name] = levels[factor.at(one.step)[one.who]]
        frame["at_risk"], frame["passed"] = 1, one.passed.astype(int)
        if value is not None:
            frame["revenue"] = value[one.who] * (one.step == len(attempts.steps) - 1)
        keys = [k for k in frame if k not in ("at_risk", "passed", "revenue")]
        parts.append(pd.DataFrame(frame).groupby(keys, dropna=False, sort=True, observed=True).sum().reset_index())
    names = [f.name for f in [*attempts.suspects, *attempts.adjusters]]
    columns = ["step", "date", *names, "at_risk", "passed", *([] if value is None else ["revenue"])]
    return pd.concat(parts, ignore_index=True)[columns] if parts else pd.DataFrame(columns=columns)
