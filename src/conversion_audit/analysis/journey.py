"""What the funnel and the journey say: where most are lost, what is missing, what ties and late entries do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from conversion_audit.engine import AnyTable, engine_of, statement
from conversion_audit.findings import Finding

UNSEEN_SHARE = 0.05
TIED_SHARE = 0.05
FEWEST = 20


def goal_without(marks: AnyTable, steps: Sequence[str]) -> pd.DataFrame:
    """
    Return how many sessions with the last step show each earlier one.

    Parameters
    ----------
    marks : table
        Of the period.
    steps : sequence of str
        The journey, the goal last.

    Returns
    -------
    DataFrame
        One row per earlier step: step, goal_sessions, without_step, without_rate (of goal_sessions; NaN without any).
    """
    engine = engine_of(marks)
    numbered = pd.DataFrame({"name": list(steps), "step": range(1, len(steps) + 1)}).astype({"name": "string"})
    tables = {"marks": marks, "steps": numbered}
    with_step = engine.query(statement(__file__, "goal_without"), tables, last=len(steps)).set_index("step_number")
    total = int(engine.query(statement(__file__, "goal_sessions"), tables, last=len(steps)).n[0])
    numbers = range(1, len(steps))
    shown = with_step.with_step.reindex(numbers, fill_value=0).to_numpy()
    table = pd.DataFrame({"step": list(steps[:-1]), "goal_sessions": total, "without_step": total - shown})
    return table.assign(without_rate=table.without_step / table.goal_sessions.where(table.goal_sessions > 0))


def findings(funnel: pd.DataFrame, missing: pd.DataFrame, adverse: pd.DataFrame) -> list[Finding]:
    """
    Return what the funnel says.

    Parameters
    ----------
    funnel : DataFrame
        From `funnel_steps.funnel_table`.
    missing : DataFrame
        From `goal_without`.
    adverse : DataFrame
        `funnel_steps.step_table` of the same funnel under adverse order of ties.

    Returns
    -------
    list of Finding
        A step that never occurs or that goals lack, a first step that many skip (tracking); the step with the largest
        loss; ties that matter; an export too short for the visitors' window (observations).
    """
    if not len(funnel) or not funnel.sessions.sum():
        return []
    found = [_never_seen(row) for row in funnel.to_dict("records") if not row["sessions"]]
    found += [_goal_without(row) for row in _missing(missing, funnel)]
    found += _direct(funnel) + _widest(funnel) + _ties(funnel, adverse) + _late(funnel)
    return found


def _never_seen(row: dict[str, Any]) -> Finding:
    values = {"step": row["step"], "key": row["step"]}
    return Finding(
        "tracking", "02", "funnel.never_seen", "high", values=values, voids=("02", "04"),
        next_step="funnel.check_tracking", step=row["step"], owner="tracking",
    )  # fmt: skip


def _missing(missing: pd.DataFrame, funnel: pd.DataFrame) -> list[dict[str, Any]]:
    seen = set(funnel[funnel.sessions > 0].step)
    lacking = (missing.without_rate > UNSEEN_SHARE) & (missing.without_step >= 5) & missing.step.isin(seen)
    return missing[lacking].assign(goal=funnel.step.iloc[-1]).to_dict("records")


def _goal_without(row: dict[str, Any]) -> Finding:
    return Finding(
        "tracking", "02", "funnel.goal_without", "medium", values=row | {"key": row["step"]}, voids=("04",),
        next_step="funnel.check_tracking", step=row["step"], owner="tracking",
    )  # fmt: skip


def _direct(funnel: pd.DataFrame) -> list[Finding]:
    began = int(funnel.direct_sessions.sum())
    later = began - int(funnel.direct_sessions.iloc[0])
    if not began or later / began <= UNSEEN_SHARE or not funnel.sessions.iloc[0]:
        return []
    values = {"step": funnel.step.iloc[0], "later": later, "began": began, "later_rate": later / began}
    return [
        Finding("tracking", "02", "funnel.direct", "low", "watch", values=values, next_step="funnel.check_first_step")
    ]


def _widest(funnel: pd.DataFrame) -> list[Finding]:
    steps = funnel.iloc[1:]
    steps = steps[(steps.sessions > 0) & (steps.previous >= FEWEST)]
    if not len(steps):
        return []
    row = steps.assign(lost=steps.previous - steps.rated).sort_values(["lost", "step_number"], ascending=[False, True])
    values = row.iloc[0].to_dict()
    return [Finding("observation", "02", "funnel.widest", "info", values=values, step=values["step"])]


def _ties(funnel: pd.DataFrame, adverse: pd.DataFrame) -> list[Finding]:
    last, worst = funnel.iloc[-1], adverse.iloc[-1]
    tied = int(funnel.tied.max())
    if not last.sessions_in_order or tied / funnel.sessions_in_order.iloc[0] <= TIED_SHARE:
        return []
    values = {
        "tied": tied,
        "tied_rate": tied / funnel.sessions_in_order.iloc[0],
        "sessions_in_order": int(last.sessions_in_order),
        "adverse_sessions": int(worst.sessions_in_order),
    }
    return [Finding("observation", "02", "funnel.ties", "low", "watch", values=values)]


def _late(funnel: pd.DataFrame) -> list[Finding]:
    first = funnel.iloc[0]
    if not first.visitors_in_order or first.rated_visitors:
        return []
    values = {"visitors": int(first.visitors_in_order)}
    return [Finding("observation", "02", "funnel.too_short", "info", values=values)]
