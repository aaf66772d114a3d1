"""What the funnel says: where most are lost, and what ties and late entries do."""

from __future__ import annotations

import pandas as pd

from conversion_audit.findings import Finding

TIED_SHARE = 0.05
FEWEST = 20


def findings(funnel: pd.DataFrame, adverse: pd.DataFrame) -> list[Finding]:
    """
    Return what the funnel says.

    Parameters
    ----------
    funnel : DataFrame
        From `funnel_steps.funnel_table`.
    adverse : DataFrame
        `funnel_steps.step_table` of the same funnel under adverse order of ties.

    Returns
    -------
    list of Finding
        The step with the largest loss; ties that matter; an export too short for the visitors' window. What is wrong
        with the recording of steps is told in chapter 00.
    """
    if not len(funnel) or not funnel.sessions.sum():
        return []
    return _widest(funnel) + _ties(funnel, adverse) + _late(funnel)


def _widest(funnel: pd.DataFrame) -> list[Finding]:
    steps = funnel.iloc[1:]
    steps = steps[(steps.sessions > 0) & (steps.previous >= FEWEST) & (steps.rated < steps.previous)]
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
