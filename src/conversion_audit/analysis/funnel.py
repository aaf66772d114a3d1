"""Who reached which step of an ordered funnel, when, and by which chain of events."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Literal

import pandas as pd

from conversion_audit.analysis.funnel_rules import Rules, rules_of
from conversion_audit.analysis.funnel_states import exact_chains
from conversion_audit.engine import AnyTable, Engine, Table, engine_of, statement
from conversion_audit.errors import ConfigError, Problem

Unit = Literal["session", "visitor"]
_CHOICES = {
    "unit": ("session", "visitor"),
    "order": ("sequential", "any_order", "strict"),
    "entry": ("best", "first"),
    "ties": ("favour", "adverse"),
    "in_range": ("entry", "both"),
}


def reached(
    marks: AnyTable,
    steps: Sequence[str],
    *,
    unit: Unit = "session",
    order: Literal["sequential", "any_order", "strict"] = "sequential",
    entry: Literal["best", "first"] = "best",
    window: float | None = None,
    step_window: float | None = None,
    ties: Literal["favour", "adverse"] = "favour",
    tolerance: float = 0.0,
    exclude: Iterable[str] = (),
    in_range: Literal["entry", "both"] = "entry",
    until: pd.Timestamp | None = None,
) -> Table:
    """
    Return how far each session or visitor came, and by which events.

    A chain is one event per step. The next step is any event of a later moment, or of the same moment and not yet used
    by the chain. Of all chains of a unit the deepest counts, of those the one that begins first.

    Parameters
    ----------
    marks : table
        See `tables.MARKS`; a column ``in_period`` says where a chain may begin (everywhere without it).
    steps : sequence of str
        Names in `marks`, in order. A name may stand twice; an event fills one step at most.
    unit : str
        ``"session"`` or ``"visitor"``.
    order : str
        ``"sequential"``: other events may lie between. ``"any_order"``: the steps so far in whatever order.
        ``"strict"``: each step is the very next event of the export's order.
    entry : str
        ``"best"``, or ``"first"``: only the chain that begins at the first step-1 event.
    window : float, optional
        Seconds from the chain's entry to its last step, the edge included.
    step_window : float, optional
        Seconds from one step to the next, the edge included.
    ties : str
        ``"favour"``: events of one moment may count in either order. ``"adverse"``: a later moment is needed.
    tolerance : float
        Seconds within which the order of two steps does not matter; 0 compares moments.
    exclude : iterable of str
        Names that end a chain when they come after its entry; they end that chain only.
    in_range : str
        ``"entry"``: the entry lies in the period. ``"both"``: all events of the chain do.
    until : Timestamp, optional
        Last time of the export: chains that began too late for their window to have passed are told apart.

    Returns
    -------
    Table
        One row per unit, chain and step reached::

            unit_id  entry           entry_time  step  event_number  ...  is_counted  is_rated  session_id
                 s1      2  2026-03-02 10:00:00     1             2  ...        True      True          s1
                 s1      2  2026-03-02 10:00:00     2             5  ...        True      True          s1

        `entry` is the event number of the chain's first event, `is_tied` marks a step taken in the moment of the step
        before. Counts use rows with `is_counted`; rates those with `is_rated`, which leave out chains begun too late.
        A unit has one chain, or two where its best one began too late and an earlier one did not.

    Raises
    ------
    ConfigError
        For an empty list of steps or an unknown option.
    """
    _check(steps, unit=unit, order=order, entry=entry, ties=ties, in_range=in_range)
    exclude = list(exclude)
    rules = rules_of(order, entry, window, step_window, ties, tolerance, bool(exclude), len(steps))
    engine = engine_of(marks)
    named = pd.DataFrame(
        [(name, 0) for name in exclude] + [(name, n) for n, name in enumerate(steps, 1)], columns=["name", "step"]
    )
    tables = {"marks": marks if isinstance(marks, Table) else engine.hold(marks), "steps": engine.hold(named, "steps")}
    rules = replace(rules, has_period="in_period" in tables["marks"].columns)
    chains = _chains(engine, _step_events(engine, tables, unit, both=in_range == "both"), rules)
    picked = _picked(engine, chains, rules, until if unit == "visitor" else None)
    tables["picked"] = picked
    sql = statement(__file__, f"{unit}_reached")
    return (engine.view if rules.unlimited and unit == "session" else engine.create)(sql, tables, name="reached")


def _step_events(engine: Engine, tables: dict[str, Table], unit: Unit, *, both: bool) -> Table:
    """Return the events that fill a step. The period is asked above the join, where it costs nothing if it is all there is."""
    marked = with_period(engine, engine.view(statement(__file__, "marked_steps"), tables, name="marked"))
    step_events = engine.view(statement(__file__, f"{unit}_steps"), {"marked": marked}, name="step_events")
    within = "SELECT * FROM step_events WHERE in_period"
    return engine.view(within, {"step_events": step_events}, name="step_events") if both else step_events


def _chains(engine: Engine, asked: Table, rules: Rules) -> Table:
    """Return every chain: the quick way, and exactly for the units where that uses one event twice."""
    if rules.unlimited and engine.keeps_subqueries:
        step_events, chains = asked, _at_once(engine, asked, rules)
    else:
        step_events = engine.create("SELECT * FROM asked", {"asked": asked}, name="step_events")
        if rules.keeps_every_state:
            return exact_chains(engine, step_events, _entries(engine, step_events, rules), rules)
        chains = (_unlimited if rules.unlimited else _limited)(engine, step_events, rules)
    if rules.later:  # each step in a moment of its own
        return chains
    shared = engine.create(statement(__file__, "shared_events"), {"chains": chains}, **rules.parameters)
    if not len(shared):
        return chains
    only = "SELECT * FROM rows WHERE unit_id IN (SELECT unit_id FROM shared)"
    theirs = engine.create(only, {"rows": step_events, "shared": shared})
    exact = exact_chains(engine, theirs, _entries(engine, theirs, rules, every=rules.tolerance > 0), rules)
    columns = ", ".join(exact.columns)
    both = f"SELECT {columns} FROM chains WHERE unit_id NOT IN (SELECT unit_id FROM shared) UNION ALL SELECT {columns} FROM exact"
    return engine.create(both, {"chains": chains, "shared": shared, "exact": exact})


def _at_once(engine: Engine, step_events: Table, rules: Rules) -> Table:
    """The same as `_unlimited` in one statement: nothing but the chains is kept, a fifth less work."""
    first = _inside("first_entries", starts="starts_seen")
    starts = f"SELECT * FROM seen{_within(rules)}"
    parts = [("seen", "SELECT * FROM step_events"), ("starts_seen", starts), ("taken1", first)]
    for n in range(2, rules.steps + 1):
        following = _inside("next_step_unlimited", step_events="seen", chains=f"taken{n - 1}")
        parts.append((f"taken{n}", following.replace("$step", f"$step{n}")))
    named = ", ".join(f"{name} AS ({sql})" for name, sql in parts)
    sql = f"WITH {named} " + " UNION ALL ".join(f"SELECT * FROM {name}" for name, _ in parts[2:])
    numbers = {f"step{n}": n for n in range(2, rules.steps + 1)}
    return engine.create(sql, {"step_events": step_events}, name="chains", **rules.parameters, **numbers)


def _within(rules: Rules) -> str:
    """Where the period is all there is, a condition would be asked of every row in vain."""
    return " WHERE in_period" if rules.has_period else ""


def _inside(section: str, **tables: str) -> str:
    """Return a section that reads other parts of the same statement under its own tables' names."""
    names = ", ".join(f"{name} AS (SELECT * FROM {other})" for name, other in tables.items())
    return f"WITH {names} {statement(__file__, section)}"


def _unlimited(engine: Engine, step_events: Table, rules: Rules) -> Table:
    starts = engine.view(f"SELECT * FROM seen{_within(rules)}", {"seen": step_events})
    first = engine.create(statement(__file__, "first_entries"), {"starts": starts}, name="chain")
    return _stacked(engine, _following(engine, step_events, first, "next_step_unlimited", rules))


def _limited(engine: Engine, step_events: Table, rules: Rules) -> Table:
    entries = _entries(engine, step_events, rules)
    tables = {"entries": entries, "step_events": step_events}
    first = engine.create(statement(__file__, "first_step"), tables, name="chain", **rules.parameters)
    return _stacked(engine, _following(engine, step_events, first, "next_step", rules))


def _following(engine: Engine, step_events: Table, first: Table, section: str, rules: Rules) -> list[Table]:
    chains = [first]
    for step in range(2, rules.steps + 1):
        tables = {"chains": chains[-1], "step_events": step_events}
        sql = statement(__file__, section)
        chains.append(engine.create(sql, tables, name="chain", step=step, **rules.parameters))
    return chains


def _stacked(engine: Engine, chains: Sequence[Table]) -> Table:
    names = {f"taken{n}": chain for n, chain in enumerate(chains, 1)}
    stacked = engine.create(" UNION ALL ".join(f"SELECT * FROM {name}" for name in names), names, name="chains")
    engine.drop(*chains)
    return stacked


def _entries(engine: Engine, step_events: Table, rules: Rules, *, every: bool = False) -> Table:
    asked = rules.parameters | {"every": every or rules.parameters["every"]}
    entries = engine.create(statement(__file__, "entries"), {"step_events": step_events}, **asked)
    tables = {"entries": entries, "step_events": step_events}
    return engine.create(statement(__file__, "limited_entries"), tables, name="entries", **rules.parameters)


def _picked(engine: Engine, chains: Table, rules: Rules, until: pd.Timestamp | None) -> Table:
    if rules.unlimited:  # one chain a unit
        return engine.view("SELECT *, TRUE AS is_counted, TRUE AS is_rated FROM chains", {"chains": chains})
    horizon = {"horizon": rules.horizon, "until": until}
    return engine.create(statement(__file__, "picked"), {"chains": chains}, **rules.parameters, **horizon)


def with_period(engine: Engine, marks: AnyTable) -> Table:
    """Return marks with ``in_period``: where they do not say, all of them are."""
    held = marks if isinstance(marks, Table) else engine.hold(marks)
    if "in_period" in held.columns:
        return held
    return engine.view("SELECT *, TRUE AS in_period FROM marks", {"marks": held})


def _check(steps: Sequence[str], **chosen: str) -> None:
    problems = [] if len(steps) else [Problem("a funnel needs at least one step", "funnel")]
    problems += [
        Problem(f"'{name}' is one of {', '.join(_CHOICES[name])}", "funnel", seen=str(value))
        for name, value in chosen.items()
        if value not in _CHOICES[name]
    ]
    if problems:
        raise ConfigError(*problems)
