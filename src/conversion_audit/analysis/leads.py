"""What became of leads: the goal on the site beside the stages that the CRM says they reached."""

from __future__ import annotations

import numpy as np
import pandas as pd

from conversion_audit.analysis.fitness.gaps import fault, note
from conversion_audit.analysis.statistics import wilson
from conversion_audit.engine import AnyTable, engine_of, statement
from conversion_audit.findings import Finding

ALL = "(all)"
WON = "won"


def lead_stages(marks: AnyTable, events: AnyTable, sessions: AnyTable, outcomes: AnyTable, goal: str) -> pd.DataFrame:
    """
    Return how many leads of each channel reached each stage of the CRM.

    A lead is a goal whose event has the property ``lead_id``, else an order id; it belongs to the channel of the session
    in which it first came. Goals without either, or with a word for nothing, cannot be followed and are not counted.

    Parameters
    ----------
    marks, events, sessions : table
        Of the period.
    outcomes : table
        See `tables.OUTCOMES`.
    goal : str
        The goal asked about.

    Returns
    -------
    DataFrame
        One row per channel and stage, all channels together first::

            channel  stage      reached  leads  reached_rate  reached_low  reached_high  revenue
            (all)    qualified        2      3          0.67         0.21          0.94      NaN
            (all)    won              1      3          0.33         0.06          0.79   1200.0

        `reached_rate` is of the channel's leads; `revenue` is the value the CRM gives, NaN where it gives none. No row
        where no lead can be followed.
    """
    engine = engine_of(marks, events, sessions, outcomes)
    named = _named(marks, events, goal)
    leads = engine.create(statement(__file__, "channels"), {"named": named, "sessions": sessions}, name="leads")
    table = engine.query(statement(__file__, "stages"), {"leads": leads, "outcomes": outcomes})
    low, high = wilson(table.reached, table.leads)
    rates = {"reached_rate": table.reached / table.leads, "reached_low": low, "reached_high": high}
    table = table.assign(**rates, revenue=table.revenue.astype(float).where(table.reached > 0, np.nan))
    return table[["channel", "stage", "reached", "leads", "reached_rate", "reached_low", "reached_high", "revenue"]]


def _named(marks: AnyTable, events: AnyTable, goal: str) -> AnyTable:
    """The goal's marks with the id of their lead."""
    found = {"marks": marks, "events": events}
    return engine_of(marks, events).create(statement(__file__, "named"), found, name="named_leads", goal=goal)


def claim(table: pd.DataFrame) -> tuple[str, dict[str, object]]:
    """Return the key and the values of one sentence: how many leads were won, else reached the commonest stage."""
    whole = table[(table.channel == ALL) & (table.reached > 0)]
    if not len(whole):
        return "leads.none", {}
    won = whole[whole.stage == WON]
    row = (won if len(won) else whole).iloc[0]
    return "leads.claim", {"stage": row.stage, "reached": row.reached, "leads": row.leads, "rate": row.reached_rate}


def crm_match(marks: AnyTable, events: AnyTable, outcomes: AnyTable, goal: str) -> list[Finding]:
    """Say how many of the goal's leads the CRM knows by their ids: a fault where it knows none, or where none has an id."""
    if not len(outcomes):
        return []
    found = {"named": _named(marks, events, goal), "outcomes": outcomes}
    row = engine_of(marks, events, outcomes).query(statement(__file__, "match"), found).iloc[0]
    counts = {name: int(count) for name, count in row.items()} | {"goal": goal}
    if not counts["goals"]:
        return []
    if not counts["known"]:
        return [fault("crm_none" if counts["leads"] else "crm_no_id", "medium", ("01",), counts)]
    return [note("crm_some", counts)]
