"""Where goals come from and where they are left behind: channels, and what stays in the cart."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from conversion_audit.analysis.statistics import VISITOR_SUMS, repeat_wilson, wilson
from conversion_audit.engine import AnyTable, engine_of, statement


def channels(sessions: AnyTable, marks: AnyTable, orders: AnyTable, goal: str) -> pd.DataFrame:
    """
    Return what each channel brings.

    Parameters
    ----------
    sessions, marks, orders : table
        Of the period.
    goal : str
        The goal asked about.

    Returns
    -------
    DataFrame
        One row per channel, most goals first: channel, sessions, visitors, goal_sessions, goal_rate with goal_low and
        goal_high (of its sessions; allows for repeated visits), goal_share (of all sessions with the goal), orders, revenue,
        revenue_share. Orders and revenue are NaN where there are none at all.
    """
    tables = {"sessions": sessions, "marks": marks, "orders": orders}
    table = engine_of(sessions, marks, orders).query(statement(__file__, "channels"), tables, goal=goal)
    sums = [table.pop(name) for name in VISITOR_SUMS]
    table = table.astype({"sessions": int, "goal_sessions": int})
    low, high = repeat_wilson(table.goal_sessions, table.sessions, *sums)
    total = table.goal_sessions.sum()
    paid = table.revenue.astype(float).sum()
    some = bool(table.orders.fillna(0).sum())
    revenue = table.revenue.astype(float).fillna(0.0) if some and paid else np.nan
    return table.assign(
        goal_rate=table.goal_sessions / table.sessions,
        goal_low=low,
        goal_high=high,
        goal_share=table.goal_sessions / total if total else np.nan,
        orders=table.orders.astype(float).fillna(0.0) if some else np.nan,
        revenue=revenue,
        revenue_share=revenue / paid if paid else np.nan,
    )


def abandoned(
    marks: AnyTable, sessions: AnyTable, steps: Sequence[str], *, of: str, without: str
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """
    Return where sessions that began something left it.

    Parameters
    ----------
    marks, sessions : table
        Of the period.
    steps : sequence of str
        The journey: where on it they stopped.
    of, without : str
        Sessions that show `of` and not `without`, e.g. add_to_cart and purchase.

    Returns
    -------
    by_step, by_page : DataFrame
        Both with sessions and abandoned_share (of all such sessions) and its interval: one row per furthest step
        reached, in the journey's order; one row per page they left from, most often first.
    """
    numbered = pd.DataFrame({"name": list(steps), "step": range(1, len(steps) + 1)}).astype({"name": "string"})
    tables = {"marks": marks, "sessions": sessions, "steps": numbered}
    cells = engine_of(marks, sessions).query(statement(__file__, "abandoned"), tables, of=of, other=without)
    names = pd.Series(dict(enumerate(steps, 1)) | {0: of})
    by_step = cells.groupby("step_number", as_index=False).sessions.sum()
    by_step = by_step.assign(step=by_step.step_number.map(names))[["step", "sessions"]]
    by_page = cells.groupby("exit_page", as_index=False).sessions.sum()
    by_page = by_page.sort_values(["sessions", "exit_page"], ascending=[False, True], ignore_index=True)
    return _shares(by_step), _shares(by_page)


def _shares(table: pd.DataFrame) -> pd.DataFrame:
    total = int(table.sessions.sum())
    low, high = wilson(table.sessions, total)
    return table.assign(
        all_sessions=total,
        abandoned_share=table.sessions / (total or np.nan),
        abandoned_low=low,
        abandoned_high=high,
    )
