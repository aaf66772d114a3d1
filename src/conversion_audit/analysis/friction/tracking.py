"""
Where a step's event was not recorded although people got past it: a silent tag, not a friction.

Looked for before anything else. Sessions that show a later step, or the step's own page, must have the step's event; the
share that does not is compared over every run of days, for everyone and for each suspect value.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from conversion_audit.analysis.friction.attempts import Attempts
from conversion_audit.analysis.friction.cells import Candidate, member

LEAST_GAIN, LEAST_EXCESS, MOST_OUTAGES = 25.0, 0.10, 4
ALMOST_NONE, POISSON_P = 0.05, 1e-6
COLUMNS = ["step", "column", "level", "since", "until", "missing", "sessions", "missing_rate", "usual_rate"]


@dataclass(frozen=True)
class Outage:
    """A step's tag was silent for a segment (or everyone) from block `since` up to, not including, `until`."""

    step: int
    candidate: Candidate
    since: int
    until: int
    missing: float
    sessions: float
    usual: float
    gain: float


def find_outages(attempts: Attempts, candidates: list[Candidate]) -> tuple[list[Outage], np.ndarray]:
    """
    Find silent tags.

    Parameters
    ----------
    attempts : Attempts
    candidates : list of Candidate
        Everyone and single suspect values are tried.

    Returns
    -------
    (outages, masked)
        `masked` is bool, steps x sessions: sessions not to be counted at the step and at the one after it.
    """
    steps = len(attempts.steps)
    masked = np.zeros((steps, len(attempts)), bool)
    simple = [c for c in candidates if len(c.parts) <= 1 and not c.is_adjuster]
    outages: list[Outage] = []
    for step in range(steps):
        left = np.ones(len(attempts), bool)
        for _ in range(MOST_OUTAGES):
            found = _worst(attempts, simple, step, left)
            if found is None:
                break
            silent = (
                member(attempts, found.candidate, step) & (attempts.day >= found.since) & (attempts.day < found.until)
            )
            left &= ~silent
            masked[step : step + 2] |= silent
            outages.append(found)
    return outages, masked


def _worst(attempts: Attempts, simple: list[Candidate], step: int, left: np.ndarray) -> Outage | None:
    is_goal = step == len(attempts.steps) - 1
    if is_goal and not attempts.has_page[step]:
        return _no_goals(attempts, simple, step, left)
    got_past = left & ((attempts.depth > step + 1) | attempts.page_seen[step])
    missing = got_past & np.isnan(attempts.seconds[step])
    if not missing.any():
        return None
    shares = _per_day(attempts, missing) / np.maximum(_per_day(attempts, got_past), 1)
    usual = min(max(float(np.median(shares[_per_day(attempts, got_past) > 0])), 0.005), 0.95)
    best = None
    for candidate in simple:
        inside = member(attempts, candidate, step)
        found = _best_run(_per_day(attempts, missing & inside), _per_day(attempts, got_past & inside), usual)
        if found and (best is None or found[0] > best.gain + 1e-9):
            gain, since, until, lacks, of = found
            best = Outage(step, candidate, since, until, lacks, of, usual, gain)
    return best


def _per_day(attempts: Attempts, chosen: np.ndarray) -> np.ndarray:
    return np.bincount(attempts.day[chosen], minlength=attempts.days).astype(float)


def _runs(values: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    since, until = np.triu_indices(len(values) + 1, 1)
    running = np.concatenate([[0.0], np.cumsum(values)])
    return since, until, running[until] - running[since]


def _best_run(missing: np.ndarray, of: np.ndarray, usual: float) -> tuple[float, int, int, float, float] | None:
    since, until, lacks = _runs(missing)
    total = _runs(of)[2]
    with np.errstate(divide="ignore", invalid="ignore"):
        share = lacks / total
        gain = lacks * np.log(share / usual) + (total - lacks) * np.log((1 - share) / (1 - usual))
        gain = np.where(share >= 1, lacks * np.log(1 / usual), gain)
    gain = np.where((total > 0) & (share > usual + LEAST_EXCESS), gain, -np.inf)
    top = int(np.argmax(gain))
    if not gain[top] > LEAST_GAIN:
        return None
    return float(gain[top]), int(since[top]), int(until[top]), float(lacks[top]), float(total[top])


def _no_goals(attempts: Attempts, simple: list[Candidate], step: int, left: np.ndarray) -> Outage | None:
    """The goal has no later step: days on which (almost) none is recorded while the step before runs."""
    before, goals = left & attempts.at_risk(step), left & attempts.passed(step)
    best = None
    for candidate in simple:
        inside = member(attempts, candidate, step)
        of, got = _per_day(attempts, before & inside), _per_day(attempts, goals & inside)
        with np.errstate(divide="ignore", invalid="ignore"):
            usual = float(np.nanmedian(got / of)) if (of > 0).any() else 0.0
        since, until, reached = _runs(got)
        expected = usual * _runs(of)[2]
        p = np.exp(-expected) * (1 + expected) ** np.minimum(reached, 1)  # holds for none or one; more are rarer still
        silent = (reached <= ALMOST_NONE * expected) & (p < POISSON_P)
        gain = np.where(silent, expected - 20 * reached, -np.inf)
        top = int(np.argmax(gain))
        if np.isfinite(gain[top]) and (best is None or gain[top] > best.gain + 1e-9):
            missing = float(expected[top] - reached[top])
            best = Outage(
                step, candidate, int(since[top]), int(until[top]), missing, float(expected[top]), 0.0, float(gain[top])
            )
    return best


def outage_table(attempts: Attempts, outages: list[Outage]) -> pd.DataFrame:
    """
    Return the silent tags as a table.

    Returns
    -------
    DataFrame
        One row per outage: step, column, level ("" for everyone), since, until (dates, the last included; None where it
        reaches the period's edge), missing, sessions (that got past the step), missing_rate, usual_rate.
    """
    rows = []
    for one in outages:
        column, level = one.candidate.parts[0] if one.candidate.parts else ("", "")
        since, until = span(attempts, one.since, one.until)
        rows.append(
            (
                attempts.steps[one.step],
                column,
                level,
                since,
                until,
                one.missing,
                one.sessions,
                one.missing / one.sessions if one.sessions else np.nan,
                one.usual,
            )
        )
    return pd.DataFrame(rows, columns=COLUMNS)


def span(attempts: Attempts, since: int, until: int) -> tuple[str | None, str | None]:
    """Return a window's first and last day as ISO text, None at the period's edges."""
    first = None if since <= 0 else attempts.dates[since * attempts.block].date().isoformat()
    last = min(until * attempts.block, len(attempts.dates)) - 1
    return first, None if until >= attempts.days else attempts.dates[last].date().isoformat()
