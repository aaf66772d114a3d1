"""What an export holds, in a few lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from conversion_audit.analysis.stage_names import stage_order
from conversion_audit.engine import statement

if TYPE_CHECKING:
    from conversion_audit.audit import Audit


def summary(audit: Audit) -> pd.DataFrame:
    """
    Return what there is.

    Returns
    -------
    DataFrame
        ``value`` by ``what``: the period; sessions, visitors, events, orders and revenue of visits (where nothing
        is sold, sessions that reach the main goal), each stage's count of totals; rows by fate.
    """
    fates = audit.ledger.groupby(["status", "reason"]).rows.sum()
    rows = [("period", f"{audit.period.start} to {audit.period.end}")]
    rows += _visits(audit) if audit.has("visits") else _stages(audit)
    rows += [(_fate(status, reason), f"{n:,.0f}") for (status, reason), n in fates.items()]
    return pd.DataFrame(rows, columns=["what", "value"]).set_index("what")


def _fate(status: str, reason: str) -> str:
    return f"rows {status}" if reason == "ok" else f"rows {status}: {reason}".replace("_", " ")


def _visits(audit: Audit) -> list[tuple[str, str]]:
    counts = audit.engine.query(statement(__file__, "visits"), {"sessions": audit.sessions}).iloc[0].dropna()
    if not audit.config.sells and not counts.get("orders"):
        goal = audit.config.main_goal
        reached = audit.engine.query(statement(__file__, "reached"), {"marks": audit.marks}, goal=goal)["sessions"][0]
        counts = counts.drop(["orders", "revenue"], errors="ignore")
        counts[f"{audit.config.label(goal)} (sessions)"] = reached
    return [(str(name), f"{value:,.0f}") for name, value in counts.items()]


def _stages(audit: Audit) -> list[tuple[str, str]]:
    counts = audit.engine.query(statement(__file__, "stages"), {"stage_counts": audit.table("stage_counts")})
    by = counts.set_index("stage")["count"]
    return [(f"{stage} (totals)", f"{by[stage]:,.12g}") for stage in stage_order(counts)]
