"""The whole diagnosis of a journey, as small tables that can be kept and shown."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

import numpy as np
import pandas as pd

from conversion_audit.analysis.friction import gates, selection, tables, together
from conversion_audit.analysis.friction.aftermath import aftermath, stopped_sessions
from conversion_audit.analysis.friction.attempts import Attempts
from conversion_audit.analysis.friction.cells import Candidate, StepCells, cells_table, find_candidates, step_cells
from conversion_audit.analysis.friction.drafts import Search, own_columns
from conversion_audit.analysis.friction.leak import smallest_leaks
from conversion_audit.analysis.friction.price import Price, price
from conversion_audit.analysis.friction.reading import read
from conversion_audit.analysis.friction.tracking import find_outages, outage_table
from conversion_audit.analysis.friction.verdict import LIKELY, gate_records, verdict
from conversion_audit.engine import AnyTable


@dataclass(frozen=True)
class Diagnosis:
    """
    What was found, how sure it is, and what was looked at.

    Attributes
    ----------
    about : DataFrame
        One row: sessions, visitors, goals, days, start, end, comparisons, shown, fdr, machine_sessions, seed,
        goal_value (declared; NaN without).
    steps, segments, found, refused, benchmarks, joint, outages, leaks : DataFrame
        See `tables`, `together.replay`, `tracking.outage_table`, `leak.smallest_leaks`.
    gates, mechanisms : DataFrame
        Long: finding, gate, passed, value (JSON); finding, name, value of the mechanism's numbers (JSON).
    instead, paths : DataFrame
        See `aftermath.aftermath`.
    cells : DataFrame
        See `cells.cells_table`.
    """

    about: pd.DataFrame
    steps: pd.DataFrame
    segments: pd.DataFrame
    found: pd.DataFrame
    refused: pd.DataFrame
    gates: pd.DataFrame
    mechanisms: pd.DataFrame
    benchmarks: pd.DataFrame
    joint: pd.DataFrame
    outages: pd.DataFrame
    instead: pd.DataFrame
    paths: pd.DataFrame
    leaks: pd.DataFrame
    cells: pd.DataFrame

    def to_tables(self) -> dict[str, pd.DataFrame]:
        """Return the tables by name."""
        return {one.name: getattr(self, one.name) for one in fields(self)}

    @classmethod
    def from_tables(cls, kept: dict[str, pd.DataFrame]) -> Diagnosis:
        """Return a diagnosis from kept tables."""
        return cls(**{one.name: kept[one.name] for one in fields(cls)})


def diagnose(
    marks: AnyTable,
    sessions: AnyTable,
    steps: Sequence[str],
    suspects: Sequence[str],
    adjusters: Sequence[str],
    *,
    negatives: Sequence[str] = (),
    events: AnyTable | None = None,
    earns: bool = True,
    goal_value: float | None = None,
    seed: int = 1,
) -> Diagnosis:
    """
    Find where people who want to go on are stopped, how sure that is, and what it costs.

    The tables are passed over a constant number of times; everything after works on counts. Silent tags are looked for
    first and their days left out. Every segment's rate at every step is compared with comparable traffic, less what the
    segment differs by at its other steps; every run of days with the segment's own other days. What stands all gates is
    priced; what does not is kept with the gate that refused it.

    Parameters
    ----------
    marks : table
        See `tables.MARKS`.
    sessions : table
        See `tables.SESSIONS`: the sessions that count.
    steps : sequence of str
        The journey, the goal last.
    suspects : sequence of str
        Where friction can live: columns of sessions, or of events (also ``properties.x``), then read at the event that
        enters the tested step.
    adjusters : sequence of str
        Who came: standardised away, never named for a rate alone.
    negatives : sequence of str
        Names of negative micro-conversions in marks.
    events : table, optional
        See `tables.EVENTS`: error texts, own pages, page types.
    earns : bool
        Whether the goal is worth the revenue of its orders; else what is lost has no price, whatever else was sold.
    goal_value : float, optional
        What one completion is declared to be worth: then that is the price of each that is lost.
    seed : int
        For resampling.

    Returns
    -------
    Diagnosis

    References
    ----------
    Benjamini and Hochberg 1995 (comparisons); the scan of windows uses the tail of the maximum of a two-dimensional
    Gaussian field, its constant simulated.
    """
    attempts = read(marks, sessions, steps, suspects, adjusters, negatives, events)
    attempts = attempts if earns else _at(attempts, goal_value or 0.0)
    candidates = find_candidates(attempts)
    outages, masked = find_outages(attempts, candidates)
    cells = step_cells(attempts, candidates, masked)
    found = selection.search(attempts, candidates, cells)
    found, prices = _priced(attempts, candidates, cells, found, seed)
    stopped = stopped_sessions(attempts, candidates, cells, found.drafts)
    instead, paths = aftermath(stopped, marks, sessions, events)
    return Diagnosis(
        about=_about(attempts, found, seed, goal_value),
        steps=tables.step_table(attempts, cells, found.states),
        segments=tables.segment_table(attempts, candidates, found.states, found.differences, found.comparisons),
        found=tables.finding_table(attempts, candidates, found, prices),
        refused=tables.refused_table(attempts, candidates, found),
        gates=_gates(attempts, found, masked),
        mechanisms=_mechanisms(found),
        benchmarks=tables.benchmark_table(candidates, found, prices),
        joint=_joint(attempts, candidates, cells, found, prices),
        outages=outage_table(attempts, outages),
        instead=instead,
        paths=paths,
        leaks=smallest_leaks(attempts, candidates, found.states, found.differences, found.comparisons, seed),
        cells=cells_table(attempts, cells, attempts.revenue),
    )


def _at(attempts: Attempts, value: float) -> Attempts:
    """Every session that reached the goal earned the same, once."""
    reached = attempts.depth == len(attempts.steps)
    return replace(attempts, orders=reached.astype(np.int64), revenue=reached * value)


def _priced(
    attempts: Attempts, candidates: list[Candidate], cells: list[StepCells], found: Search, seed: int
) -> tuple[Search, list[Price]]:
    """Price every finding; refuse what turns out to cost too little, the costliest first."""
    kept, refused = [], list(found.refused)
    for draft in found.drafts:
        one = _price(attempts, candidates, cells, found, draft, seed)
        if one.low < gates.LEAST_ORDERS:
            refused.append((draft, "too_few_orders"))
        else:
            kept.append((draft, one))
    kept.sort(key=lambda pair: (-pair[1].low, pair[0].step, pair[0].candidate))
    drafts = [draft for draft, _ in kept]
    return Search(drafts, refused, found.comparisons, found.cut, found.states, found.differences), [
        one for _, one in kept
    ]


def _price(attempts, candidates, cells, found, draft, seed) -> Price:
    state = found.states[draft.step]
    place = [d for d in found.drafts if d.step == draft.step].index(draft)
    own = own_columns(cells[draft.step], candidates, found.drafts)[1][place]
    s, c = draft.step, draft.candidate
    noise = 0.0
    if draft.window is None:
        noise = float(np.sqrt(found.differences.tau[s, c] ** 2 + found.differences.usual_variance[s, c]))
    random = np.random.default_rng([seed, s, c])
    return price(attempts, candidates, draft, draft.judged, state.fit, own, found.cut, noise, random)


def _joint(attempts, candidates, cells, found: Search, prices: list[Price]) -> pd.DataFrame:
    """The likely frictions replayed together: a gap without an explanation is no promise."""
    likely = [
        (draft, cost)
        for draft, cost in zip(found.drafts, prices, strict=True)
        if verdict(draft.p, found.comparisons, draft.mechanism.kind) == LIKELY
    ]
    return together.replay(attempts, candidates, cells, [draft for draft, _ in likely], [cost for _, cost in likely])


def _about(attempts: Attempts, found: Search, seed: int, goal_value: float | None) -> pd.DataFrame:
    some = len(attempts.dates) > 0
    return pd.DataFrame(
        [
            {
                "sessions": len(attempts),
                "visitors": len(np.unique(attempts.visitor)),
                "goals": int((attempts.depth == len(attempts.steps)).sum()),
                "days": len(attempts.dates),
                "start": attempts.dates[0].date().isoformat() if some else None,
                "end": attempts.dates[-1].date().isoformat() if some else None,
                "comparisons": found.comparisons,
                "shown": len(found.drafts),
                "fdr": selection.FDR,
                "machine_sessions": attempts.machines,
                "seed": seed,
                "goal_value": np.nan if goal_value is None else goal_value,
            }
        ]
    )


def _gates(attempts: Attempts, found: Search, masked: np.ndarray) -> pd.DataFrame:
    rows = []
    for k, draft in enumerate(found.drafts):
        left_out = int((masked[draft.step] & attempts.at_risk(draft.step)).sum())
        for record in gate_records(draft, found.comparisons, left_out, attempts.machines):
            values = {key: _plain(v) for key, v in record.items() if key not in ("gate", "passed")}
            rows.append((k, record["gate"], bool(record["passed"]), json.dumps(values)))
    return pd.DataFrame(rows, columns=["finding", "gate", "passed", "value"])


def _mechanisms(found: Search) -> pd.DataFrame:
    rows = [
        (k, draft.mechanism.kind, name, json.dumps(value))
        for k, draft in enumerate(found.drafts)
        for name, value in draft.mechanism.numbers.items()
    ]
    return pd.DataFrame(rows, columns=["finding", "mechanism", "name", "value"])


def _plain(value: object) -> object:
    value = value.item() if hasattr(value, "item") else value
    return (
        round(value, 6)
        if isinstance(value, float) and np.isfinite(value)
        else str(value)
        if isinstance(value, float)
        else value
    )
