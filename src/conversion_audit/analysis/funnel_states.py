"""Chains where the earliest event is not always the right one: an event fits two steps, or each step has a window."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from conversion_audit.engine import Engine, Table, statement

if TYPE_CHECKING:
    from conversion_audit.analysis.funnel_rules import Rules


def exact_chains(engine: Engine, step_events: Table, entries: Table, rules: Rules) -> Table:
    """
    Return the deepest chain of every entry, no event filling two steps.

    Step by step all states that a chain can be in are kept: its last event, and which events of that moment it has
    used. Among tied events with the same steps the first is enough, so states stay few.

    Parameters
    ----------
    step_events : table
        One row per event and step it can fill.
    entries : table
        One row per moment at which a chain can begin, with its limits.
    rules : Rules
        How the funnel counts.

    Returns
    -------
    Table
        One row per unit, entry and step reached: unit_id, entry, entry_time, entry_step, step, event_number, moment,
        time, is_tied.
    """
    bits = pd.DataFrame({"step": range(1, rules.steps + 1), "bit": [2**n for n in range(rules.steps)]})
    signed = engine.create(statement(__file__, "signed_events"), {"step_events": step_events, "bits": bits})
    states = [engine.create(statement(__file__, "no_step_yet"), {"entries": entries})]
    overlap = bool(engine.query(statement(__file__, "overlap"), {"signed": signed, "bits": bits}).overlap[0])
    settings = rules.parameters | {
        "overlap": overlap,
        "keep_all": rules.keeps_every_state or rules.rule == "any_order",
        "remember": rules.tolerance > 0 or rules.rule == "any_order",
    }
    for step in range(1, rules.steps + 1):
        tables = {"states": states[-1], "signed": signed}
        slack = rules.tolerance * (rules.steps - step)
        sql = statement(__file__, "next_states")
        states.append(engine.create(sql, tables, name="states", step=step, slack=slack, **settings))
    chains = _walked(engine, states[1:])
    engine.drop(signed, *states)
    return chains


def _walked(engine: Engine, states: list[Table]) -> Table:
    later = engine.create("SELECT * FROM states WHERE 1 = 0", {"states": states[-1]})
    walked = []
    for step in range(len(states), 0, -1):
        tables = {"states": states[step - 1], "later": later}
        later = engine.create(statement(__file__, "walked"), tables, name="walked", step=step)
        walked.append(later)
    names = {f"taken{n}": table for n, table in enumerate(walked)}
    columns = "unit_id, entry, entry_time, entry_step, step, event_number, moment, time, is_tied"
    return engine.create(" UNION ALL ".join(f"SELECT {columns} FROM {name}" for name in names), names, name="chains")
