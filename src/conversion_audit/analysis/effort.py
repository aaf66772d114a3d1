"""Time and effort as friction: waiting, going in circles, errors again and again, detours, and what was never seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
import pandas as pd

from conversion_audit.analysis.effort_rounds import FEWEST, detour_table, round_table
from conversion_audit.analysis.effort_waits import wait_table
from conversion_audit.analysis.friction.attempts import Attempts
from conversion_audit.analysis.friction.reading import number_sessions, read
from conversion_audit.engine import AnyTable, engine_of, statement
from conversion_audit.findings import Finding

SEEN = 75.0
# Where exports say how far a page was seen: event -> property with a percentage.
SEEN_KEYS = {
    "scroll": "percent_scrolled",
    "page_scroll": "percent",
    "scroll_depth": "percent",
    "element_visibility": "percent_visible",
    "view_element": "percent_visible",
}


@dataclass(frozen=True)
class Effort:
    """
    What the way costs people, step by step.

    Attributes
    ----------
    waits : DataFrame
        See `wait_table`.
    rounds : DataFrame
        See `round_table`.
    detours : DataFrame
        See `detour_table`.
    unseen : DataFrame
        See `unseen_table`; empty where the export does not say.
    """

    waits: pd.DataFrame
    rounds: pd.DataFrame
    detours: pd.DataFrame
    unseen: pd.DataFrame

    def to_tables(self) -> dict[str, pd.DataFrame]:
        """Return the tables by name."""
        return {one.name: getattr(self, one.name) for one in fields(self)}

    @classmethod
    def from_tables(cls, kept: dict[str, pd.DataFrame]) -> Effort:
        """Return them from kept tables."""
        return cls(**{one.name: kept[one.name] for one in fields(cls)})


def effort(
    marks: AnyTable,
    sessions: AnyTable,
    steps: Sequence[str],
    suspects: Sequence[str],
    *,
    negatives: Sequence[str] = (),
    beside: Sequence[str] = (),
    events: AnyTable | None = None,
) -> Effort:
    """
    Return what the way to the goal costs people, where the rates look fine as well.

    Parameters
    ----------
    marks, sessions : table
        See `tables.MARKS`, `tables.SESSIONS`.
    steps : sequence of str
        The journey, the goal last.
    suspects : sequence of str
        Columns of sessions to compare.
    negatives : sequence of str
        Names of errors in marks.
    beside : sequence of str
        Names in marks that are no step: where detours lead (shipping terms, help, a coupon search).
    events : table, optional
        For error texts and for how far a page was seen.
    """
    attempts = read(marks, sessions, steps, suspects, [], negatives, events)
    engine = engine_of(marks, sessions, *([] if events is None else [events]))
    numbered = number_sessions(engine, sessions)
    aside = [name for name in beside if name not in steps and name not in negatives]
    names = pd.DataFrame({"name": pd.Series([*dict.fromkeys([*steps, *aside])], dtype="string")})
    tables = {"marks": marks, "numbered": numbered, "names": names}
    moves = engine.query(statement(__file__, "moves"), tables)
    moves = moves.assign(n=pd.Index(attempts.number).get_indexer(moves.n))
    moves = moves[moves.n >= 0]
    unseen = _unseen(engine, attempts, numbered, events) if events is not None else unseen_table(attempts, None)
    return Effort(wait_table(attempts), round_table(attempts, moves), detour_table(attempts, moves, aside), unseen)


def unseen_table(attempts: Attempts, seen: pd.DataFrame | None) -> pd.DataFrame:
    """
    Return how much of the page people saw while they stood before a step.

    Parameters
    ----------
    seen : DataFrame or None
        n, step, share_seen (0 to 100).

    Returns
    -------
    DataFrame
        One row per step: step, of (at risk), unseen (of whom no record says that they saw three quarters of the page),
        unseen_rate, passed_unseen_rate, passed_seen_rate. Empty where the export never says how far people saw. Many
        exports record only the end of the page; who stays longer also sees more.
    """
    rows = []
    for step, part in seen.groupby("step") if seen is not None else []:
        far = np.zeros(len(attempts), bool)
        far[part.n.to_numpy(int)[part.share_seen.to_numpy(float) >= SEEN]] = True
        risk, passed = attempts.at_risk(int(step)), attempts.passed(int(step))
        rates = [float(passed[one].mean()) if one.any() else np.nan for one in (risk & ~far, risk & far)]
        of, unseen = int(risk.sum()), int((risk & ~far).sum())
        rows.append((attempts.steps[int(step)], of, unseen, unseen / of if of else np.nan, *rates))
    return pd.DataFrame(rows, columns=["step", "of", "unseen", "unseen_rate", "passed_unseen_rate", "passed_seen_rate"])


def _unseen(engine, attempts: Attempts, numbered: AnyTable, events: AnyTable) -> pd.DataFrame:
    parts = []
    for step in range(1, len(attempts.steps)):
        who = np.flatnonzero(attempts.at_risk(step))
        until = attempts.event_number[step, who]
        parts.append(
            pd.DataFrame(
                {
                    "n": attempts.number[who],
                    "own": who,
                    "step": step,
                    "event_number": attempts.event_number[:step, who].max(axis=0),
                    "until": pd.array(np.where(until > 0, until, -1), dtype="Int64"),
                }
            )
        )
    if not parts:
        return unseen_table(attempts, None)
    standing = pd.concat(parts, ignore_index=True)
    standing["until"] = standing.until.where(standing.until > 0)
    keys = pd.DataFrame({"event": list(SEEN_KEYS), "key": list(SEEN_KEYS.values())})
    tables = {"events": events, "numbered": numbered, "standing": standing, "keys": keys}
    found = engine.query(statement(__file__, "seen_before"), tables).dropna(subset=["share_seen"])
    own = standing[["n", "step", "own"]]
    return unseen_table(attempts, found.merge(own, on=["n", "step"]).assign(n=lambda t: t.own))


def findings(found: Effort) -> list[Finding]:
    """Return where the way costs people most, even where the rates look fine: slow segments and going in circles."""
    slow = found.waits[found.waits.is_slow].sort_values("z", ascending=False).head(3)
    made = [
        Finding(
            kind="observation",
            chapter="04",
            claim="effort.slow",
            severity="low",
            verdict="watch",
            values={"times": row.times_as_long, "seconds": row.median_seconds, "sessions": int(row.passed)},
            step=row.step,
            segment={row["column"]: row["level"]},
            owner="checkout",
        )
        for _, row in slow.iterrows()
    ]
    circles = found.rounds[(found.rounds.sessions >= FEWEST) & (found.rounds.difference_high < -0.05)]
    circles = circles.sort_values("sessions", ascending=False).head(2)
    return made + [
        Finding(
            kind="observation",
            chapter="04",
            claim=f"effort.{row.kind}",
            severity="low",
            verdict="watch",
            values={
                "sessions": int(row.sessions),
                "share": row.rate,
                "here": row.passed_with_rate,
                "else": row.passed_without_rate,
            },
            step=row.step,
        )
        for _, row in circles.iterrows()
    ]
