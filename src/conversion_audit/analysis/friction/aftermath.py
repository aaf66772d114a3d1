"""What people did who were stopped: what came next, typical paths, and whether they came back."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from conversion_audit.analysis.friction.attempts import Attempts
from conversion_audit.analysis.friction.cells import Candidate, StepCells
from conversion_audit.analysis.friction.evidence import member_rows
from conversion_audit.analysis.friction.reading import number_sessions
from conversion_audit.engine import AnyTable, engine_of, statement

MOST_SESSIONS, MOST_SHOWN, MOST_PATHS, LONGEST_PATH = 1500, 6, 3, 6
LEFT = "(left)"
INSTEAD_COLUMNS = ["finding", "what", "sessions", "of", "rate", "rate_elsewhere"]
PATH_COLUMNS = ["finding", "path", "sessions", "of", "rate", "seconds"]


def stopped_sessions(
    attempts: Attempts, candidates: Sequence[Candidate], cells: Sequence[StepCells], drafts
) -> pd.DataFrame:
    """
    Return sessions that stood before a finding's step and did not take it, inside its segment and elsewhere.

    At most 1,500 of each, evenly spread; `event_number` and `seconds` are when they came to stand there.
    """
    parts = []
    for k, draft in enumerate(drafts):
        one = cells[draft.step]
        inside = member_rows(attempts, one, candidates[draft.candidate], draft.window)
        for chosen, is_inside in [(inside, True), (~inside, False)]:
            who = one.who[chosen & ~one.passed]
            who = who[:: max(1, len(who) // MOST_SESSIONS)][:MOST_SESSIONS]
            number = attempts.event_number[: draft.step, who].max(axis=0) if draft.step else np.zeros(len(who), int)
            parts.append(
                pd.DataFrame(
                    {
                        "finding": k,
                        "is_inside": is_inside,
                        "n": attempts.number[who],
                        "event_number": number,
                        "seconds": attempts.entered(draft.step)[who],
                    }
                )
            )
    columns = ["finding", "is_inside", "n", "event_number", "seconds"]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=columns)


def aftermath(
    stopped: pd.DataFrame, marks: AnyTable, sessions: AnyTable, events: AnyTable | None = None
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """
    Return what stopped sessions did next, and their most frequent paths, in one pass for all findings.

    Returns
    -------
    (instead, paths)
        Per finding and what came next::

             finding     what  sessions   of  rate  rate_elsewhere
                   0   (left)       410  700  0.59            0.71
                   0     help       120  700  0.17            0.05

        and per finding and path ``help > cart > (left)`` its sessions and median seconds. Paths name kinds of page (or
        events), never visitors; times are rounded to ten seconds.
    """
    if stopped.empty:
        return pd.DataFrame(columns=INSTEAD_COLUMNS), pd.DataFrame(columns=PATH_COLUMNS)
    engine = engine_of(marks, sessions, *([] if events is None else [events]))
    numbered = number_sessions(engine, sessions)
    name, table = ("after_marks", marks) if events is None else ("after", events)
    after = engine.query(
        statement(__file__, name, stem="reading"),
        {"stopped": stopped, "numbered": numbered, "marks" if events is None else "events": table},
    )
    after = after[(after.what != after.groupby(["finding", "n"]).what.shift()) & after.what.notna()]
    return _instead(stopped, after), _paths(stopped, after)


def _instead(stopped: pd.DataFrame, after: pd.DataFrame) -> pd.DataFrame:
    first = after.drop_duplicates(["finding", "n"])[["finding", "n", "what"]]
    known = stopped.merge(first, on=["finding", "n"], how="left").assign(what=lambda t: t.what.fillna(LEFT))
    counts = known.groupby(["finding", "is_inside", "what"]).size().rename("sessions").reset_index()
    counts["of"] = counts.groupby(["finding", "is_inside"]).sessions.transform("sum")
    counts["rate"] = counts.sessions / counts.of
    here = counts[counts.is_inside].drop(columns="is_inside")
    there = counts[~counts.is_inside][["finding", "what", "rate"]].rename(columns={"rate": "rate_elsewhere"})
    table = here.merge(there, on=["finding", "what"], how="left").fillna({"rate_elsewhere": 0.0})
    table = table.sort_values(["finding", "sessions", "what"], ascending=[True, False, True])
    return table.groupby("finding").head(MOST_SHOWN).reset_index(drop=True)[INSTEAD_COLUMNS]


def _paths(stopped: pd.DataFrame, after: pd.DataFrame) -> pd.DataFrame:
    inside = stopped[stopped.is_inside][["finding", "n"]]
    steps = after[after.is_inside].groupby(["finding", "n"]).head(LONGEST_PATH)
    walked = steps.groupby(["finding", "n"]).agg(path=("what", " > ".join), seconds=("seconds", "max")).reset_index()
    known = inside.merge(walked, on=["finding", "n"], how="left")
    known["path"] = known.path.fillna("").map(lambda path: f"{path} > {LEFT}" if path else LEFT)
    table = known.groupby(["finding", "path"]).agg(sessions=("n", "size"), seconds=("seconds", "median")).reset_index()
    table["of"] = table.groupby("finding").sessions.transform("sum")
    table["rate"] = table.sessions / table.of
    table["seconds"] = (table.seconds / 10).round() * 10
    table = table.sort_values(["finding", "sessions", "path"], ascending=[True, False, True])
    return table.groupby("finding").head(MOST_PATHS).reset_index(drop=True)[PATH_COLUMNS]
