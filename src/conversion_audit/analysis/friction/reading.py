"""Sessions and marks -> attempts, in a number of passes that does not depend on what is asked."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from conversion_audit.analysis.friction.attempts import OTHER, UNKNOWN, Attempts, Factor
from conversion_audit.engine import AnyTable, Engine, Table, engine_of, quoted, statement

MOST_LEVELS = 14
MOST_MESSAGES = 40
# A person needs longer than this for an event, on average; and does not make this many in one visit.
FASTEST_PACE, FEWEST_PACED, MOST_EVENTS = 1.0, 10, 1000
PERIOD_DAYS = 120


def read(
    marks: AnyTable,
    sessions: AnyTable,
    steps: Sequence[str],
    suspects: Sequence[str],
    adjusters: Sequence[str],
    negatives: Sequence[str] = (),
    events: AnyTable | None = None,
) -> Attempts:
    """
    Read everything the diagnosis needs, in a number of passes that does not depend on what is asked.

    Parameters
    ----------
    marks : table
        See `tables.MARKS`.
    sessions : table
        See `tables.SESSIONS`: the sessions of the period that count.
    steps : sequence of str
        The journey, the goal last.
    suspects, adjusters : sequence of str
        Columns of sessions; a suspect may also be a column of events or ``properties.x``, read at the event that
        enters the tested step. Columns that neither table has are left out.
    negatives : sequence of str
        Names of negative micro-conversions in marks.
    events : table, optional
        See `tables.EVENTS`; without it, there are no error texts, own pages or event columns.

    Returns
    -------
    Attempts
        Sessions at a machine's pace left out and counted.
    """
    engine = engine_of(marks, sessions, *([] if events is None else [events]))
    sessions = sessions if isinstance(sessions, Table) else engine.hold(sessions)
    numbered = number_sessions(engine, sessions)
    names = pd.DataFrame({"step": range(len(steps)), "name": list(steps)})
    tables = {"marks": marks, "sessions": sessions, "numbered": numbered, "steps": names}
    if events is not None:
        tables["events"] = events
    known = engine.kinds(sessions)
    frame = _frame(engine, sessions, numbered, [c for c in dict.fromkeys([*suspects, *adjusters]) if c in known])
    reached = engine.query(statement(__file__, "reached"), tables)
    late = [c for c in suspects if c not in known]
    raw = _arrays(frame, reached, len(steps))
    seen = _own_pages(engine, tables, raw["seconds"]) if events is not None else (None, None)
    entering = _entering(engine, tables, reached, late, len(frame), len(steps)) if events is not None else []
    keep, machines = _people(frame, raw["visitor"])
    troubles = _troubles(engine, tables, list(negatives), events is not None)
    return _attempts(frame, raw, steps, suspects, adjusters, entering, troubles, seen, keep, machines)


def number_sessions(engine: Engine, sessions: AnyTable) -> Table:
    """Return session_id, start, n (from 0, by id) and visitor (a number) of every session."""
    return engine.create(statement(__file__, "numbered"), {"sessions": sessions}, name="numbered")


def _frame(engine: Engine, sessions: Table, numbered: Table, columns: list[str]) -> pd.DataFrame:
    known = engine.kinds(sessions)
    wanted = [c for c in ("date", "bucket", "orders", "revenue", "seconds", "events") if c in known]
    listed = ", ".join(
        [f"CAST(sessions.{quoted(c)} AS {_KINDS.get(c, 'VARCHAR')}) AS {quoted('own ' + c)}" for c in wanted]
        + [f"CAST(sessions.{quoted(c)} AS VARCHAR) AS {quoted(c)}" for c in columns]
    )
    sql = (
        f"SELECT numbered.visitor, seconds_between(TIMESTAMP '1970-01-01 00:00:00', numbered.start) AS started, {listed}"
        " FROM sessions JOIN numbered ON numbered.session_id = sessions.session_id ORDER BY numbered.n"
    )
    return engine.query(sql, {"sessions": sessions, "numbered": numbered})


_KINDS = {"date": "DATE", "orders": "BIGINT", "revenue": "DOUBLE", "seconds": "DOUBLE", "events": "BIGINT"}


def _arrays(frame: pd.DataFrame, reached: pd.DataFrame, steps: int) -> dict[str, np.ndarray]:
    count = len(frame)
    seconds, times = np.full((steps, count), np.nan), np.zeros((steps, count), np.int32)
    numbers = np.zeros((steps, count), np.int32)
    step, n = reached.step.to_numpy(int), reached.n.to_numpy(int)
    seconds[step, n] = reached.seconds.to_numpy(float)
    times[step, n] = reached.times.to_numpy(int)
    numbers[step, n] = reached.event_number.to_numpy(int)
    depth = np.zeros(count, np.int16)
    np.maximum.at(depth, n, (step + 1).astype(np.int16))
    return {
        "seconds": seconds,
        "times": times,
        "numbers": numbers,
        "depth": depth,
        "visitor": frame.visitor.to_numpy(int),
    }


def _people(frame: pd.DataFrame, visitor: np.ndarray) -> tuple[np.ndarray, int]:
    """Leave out sessions at a machine's pace, and visitors most of whose sessions are."""
    if not {"own events", "own seconds"} <= set(frame.columns):
        return np.ones(len(frame), bool), 0
    events = frame["own events"].fillna(0).to_numpy(float)
    seconds = frame["own seconds"].fillna(0).to_numpy(float)
    machine = ((events >= FEWEST_PACED) & (seconds < FASTEST_PACE * (events - 1))) | (events > MOST_EVENTS)
    size = int(visitor.max()) + 1 if len(visitor) else 0
    share = np.bincount(visitor, machine, size) / np.maximum(np.bincount(visitor, minlength=size), 1)
    machine = machine | (share > 0.5)[visitor] if size else machine
    return ~machine, int(machine.sum())


def _troubles(engine: Engine, tables: dict[str, AnyTable], negatives: list[str], has_events: bool) -> pd.DataFrame:
    listed = pd.DataFrame({"name": pd.Series(negatives, dtype="string")})
    found = engine.query(statement(__file__, "troubles"), {**tables, "negatives": listed})
    if has_events and "error" in engine.kinds(tables["events"]):
        texts = engine.query(statement(__file__, "messages"), tables)
        # One event is one trouble: its own text says more than the rule it matched.
        told = pd.MultiIndex.from_frame(texts[["n", "event_number"]])
        doubled = pd.MultiIndex.from_frame(found[["n", "event_number"]]).isin(told)
        found = pd.concat([found[~doubled], texts], ignore_index=True)
    most = found.message.value_counts().index[:MOST_MESSAGES]
    found = found[found.message.isin(most)]
    return found.sort_values(["n", "seconds", "event_number", "message"], ignore_index=True)


def _own_pages(engine: Engine, tables: dict[str, AnyTable], seconds: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Which steps have a page that comes with their event and hardly without it, and who saw it."""
    usual = engine.query(statement(__file__, "usual_pages"), tables)
    own = usual.drop_duplicates("step")
    has_page, seen = np.zeros(len(seconds), bool), np.zeros(seconds.shape, bool)
    own = own[~own.page.duplicated(keep=False)]
    if own.empty:
        return has_page, seen
    pages = engine.query(statement(__file__, "pages_seen"), {**tables, "companions": own[["step", "page"]]})
    seen[pages.step.to_numpy(int), pages.n.to_numpy(int)] = True
    for step in own.step.to_numpy(int):
        event = ~np.isnan(seconds[step])
        both = (event & seen[step]).sum()
        has_page[step] = both >= 0.9 * event.sum() > 0 and both > 0.6 * seen[step].sum()
    return has_page, seen & has_page[:, None]


def _entering(
    engine: Engine, tables: dict[str, AnyTable], reached: pd.DataFrame, columns: list[str], count: int, steps: int
) -> list[Factor]:
    """Values of event columns at the event that enters each step: the first event of the step before."""
    known = engine.kinds(tables["events"])
    listed = {c: _event_value(c) for c in columns if c in known or c.startswith("properties.")}
    if not listed:
        return []
    parameters = {f"key_{i}": c.removeprefix("properties.") for i, c in enumerate(listed)}
    values = ", ".join(
        f"{sql.replace('$key', f'$key_{i}')} AS {quoted(c)}" for i, (c, sql) in enumerate(listed.items())
    )
    first = reached.loc[reached.step < steps - 1, ["n", "step", "event_number"]]
    sql = (
        f"SELECT first.n, first.step + 1 AS step, {values} FROM first JOIN numbered ON numbered.n = first.n"
        " JOIN events ON events.session_id = numbered.session_id AND events.event_number = first.event_number"
        " ORDER BY first.n, first.step"
    )
    frame = engine.query(sql, {**tables, "first": first}, **parameters)
    return [_late_factor(frame, column, count, steps) for column in listed]


def _event_value(column: str) -> str:
    if column.startswith("properties."):
        return "property(events.properties, $key)"
    return f"CAST(events.{quoted(column)} AS VARCHAR)"


def _late_factor(frame: pd.DataFrame, column: str, count: int, steps: int) -> Factor:
    codes, levels = _coded(frame[column])
    placed = np.full((steps, count), -1, np.int16)
    placed[frame.step.to_numpy(int), frame.n.to_numpy(int)] = codes
    return Factor(column, levels, placed)


def _coded(values: pd.Series, most: int = MOST_LEVELS) -> tuple[np.ndarray, list[str]]:
    """Number the values, the most frequent first, the rest as one."""
    text = values.astype(object).where(values.notna(), UNKNOWN)
    codes, uniques = pd.factorize(text)
    counts = np.bincount(codes, minlength=len(uniques))
    order = sorted(range(len(uniques)), key=lambda i: (-counts[i], str(uniques[i])))
    rank = np.empty(len(uniques), np.int16)
    rank[order] = np.minimum(np.arange(len(order)), most).astype(np.int16)
    levels = [str(uniques[i]) for i in order[:most]] + ([OTHER] if len(order) > most else [])
    return rank[codes].astype(np.int16), levels


def _attempts(frame, raw, steps, suspects, adjusters, entering, troubles, seen, keep, machines) -> Attempts:
    def factor(name: str) -> Factor:
        codes, levels = _coded(frame.loc[keep, name])
        return Factor(name, levels, codes)

    late = {f.name: Factor(f.name, f.levels, f.codes[:, keep]) for f in entering}
    dates = pd.DatetimeIndex(pd.to_datetime(frame["own date"]))[keep].normalize()
    period = pd.date_range(dates.min(), dates.max()) if len(dates) else pd.DatetimeIndex([])
    block = max(1, int(np.ceil(len(period) / PERIOD_DAYS)))
    since = (dates - period[0]).days.to_numpy() if len(dates) else np.zeros(0, int)
    number = np.full(len(frame), -1)
    number[keep] = np.arange(keep.sum())
    troubles = troubles.assign(n=number[troubles.n.to_numpy(int)])
    has_page, page_seen = seen
    count = int(keep.sum())
    return Attempts(
        steps=list(steps),
        dates=period,
        block=block,
        depth=raw["depth"][keep],
        seconds=raw["seconds"][:, keep],
        times=raw["times"][:, keep],
        event_number=raw["numbers"][:, keep],
        day=(since // block).astype(np.int16),
        weekday=np.asarray(dates.day_of_week, np.int16) if len(dates) else np.zeros(0, np.int16),
        visitor=pd.factorize(raw["visitor"][keep])[0],
        bucket=_buckets(frame.loc[keep]),
        orders=frame["own orders"].fillna(0).to_numpy(float)[keep] if "own orders" in frame else np.zeros(count),
        revenue=frame["own revenue"].fillna(0).to_numpy(float)[keep] if "own revenue" in frame else np.zeros(count),
        start=frame.started.to_numpy(float)[keep],
        suspects=[factor(c) if c in frame else late[c] for c in suspects if c in frame or c in late],
        adjusters=[factor(c) for c in adjusters if c in frame and c not in suspects],
        troubles=troubles[troubles.n >= 0].reset_index(drop=True),
        has_page=np.zeros(len(steps), bool) if has_page is None else has_page,
        page_seen=np.zeros((len(steps), count), bool) if page_seen is None else page_seen[:, keep],
        machines=machines,
        number=np.flatnonzero(keep),
    )


def _buckets(frame: pd.DataFrame) -> np.ndarray:
    """Return the visitor's group, 0 to 255."""
    texts = frame["own bucket"].astype(object)
    codes, uniques = pd.factorize(texts)
    return np.array([int(str(u), 16) for u in uniques], np.int16)[codes] if len(frame) else np.zeros(0, np.int16)
