"""Sessions and marks -> cells: every step, goal and KPI counted by day and segment. Kept with each run, to compare and to watch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from conversion_audit.engine import AnyTable, Engine, Table, engine_of, quoted, statement

MOST_LEVELS = 14
OTHER, UNKNOWN = "(other)", "(unknown)"
STEP, GOAL, KPI, EVENT = "step", "goal", "kpi", "event"


def cells(
    marks: AnyTable,
    sessions: AnyTable,
    steps: Sequence[str],
    goals: Sequence[str],
    kpis: Sequence[Mapping[str, Any]],
    columns: Sequence[str],
) -> pd.DataFrame:
    """
    Count every step, goal and KPI by day and segment.

    A session is at risk for a step when it came as far as the step before, and passed it when it came further: the deepest
    step seen decides, so that skipped steps and lost tags do not break later ones. Visitor KPIs count on the day and in the
    segment of the visitor's first session.

    Parameters
    ----------
    marks, sessions : table
        Contracts `tables.MARKS` and `tables.SESSIONS`; of the period.
    steps : sequence of str
        The journey, the goal last.
    goals : sequence of str
        Names in marks; of all sessions.
    kpis : sequence of mapping
        Each with name, of, reach or without, unit.
    columns : sequence of str
        Columns of sessions that make segments; those it lacks are left out, rare values are one.

    Returns
    -------
    DataFrame
        One row per measure, day and combination of values observed::

            kind     name        of       date  device  channel  at_risk  passed  inflation
            step  payment  shipping 2026-03-02  mobile  Organic       12       9       1.02

        kind is step, goal, kpi, or event: then `passed` counts the day's sessions with that name, segments missing.
        `of` names the base; None is all sessions. `inflation`: by how much visitors who come back inflate a variance.
    """
    engine = engine_of(marks, sessions)
    known = engine.kinds(sessions)
    columns = [column for column in dict.fromkeys(columns) if column in known]
    coded, combinations = _coded(engine, sessions, columns)
    had = engine.create(statement(__file__, "had"), {"marks": marks, "sessions": sessions}, name="had")
    tables = {"marks": marks, "sessions": sessions, "coded": coded, "had": had}
    parts = [_steps(engine, tables, steps), _measures(engine, tables, goals, kpis)]
    found = pd.concat([part.merge(combinations, on="cell") for part in parts], ignore_index=True)
    events = engine.query(statement(__file__, "events"), tables).assign(kind=EVENT, of=None, inflation=1.0)
    engine.drop(coded, had)
    whole = pd.concat([found, events], ignore_index=True) if len(events) else found
    order = ["kind", "name", "of", "date", *columns, "at_risk", "passed", "inflation"]
    whole = whole.reindex(columns=order).astype({"at_risk": "int64", "passed": "int64", "of": object})
    whole["date"] = pd.to_datetime(whole.date).astype("datetime64[us]")
    return whole.assign(of=whole.of.where(whole.of.notna(), None))


def within(cells: pd.DataFrame, kind: str, name: str, segment: Mapping[str, str] | None = None) -> pd.DataFrame:
    """Return the cells of one measure, of one segment; a column the cells lack holds nobody."""
    rows = cells[(cells["kind"] == kind) & (cells["name"] == name)]
    for column, value in (segment or {}).items():
        rows = rows[rows[column] == value] if column in rows else rows.iloc[:0]
    return rows


def by_day(rows: pd.DataFrame) -> pd.DataFrame:
    """Return at_risk and passed of some cells, one row per day in order."""
    return rows.groupby("date", sort=True)[["at_risk", "passed"]].sum().reset_index()


def _coded(engine: Engine, sessions: AnyTable, columns: Sequence[str]) -> tuple[Table, pd.DataFrame]:
    """Sessions with a number for their combination of values, and the combinations; rare values as one."""
    tables: dict[str, AnyTable] = {"sessions": sessions}
    values, joins = [], []
    for n, column in enumerate(columns):
        named = f"SELECT CAST({quoted(column)} AS VARCHAR) AS value FROM sessions WHERE {quoted(column)} IS NOT NULL"
        sql = f"WITH named AS ({named}) {statement(__file__, 'levels')}"
        levels = engine.query(sql, {"sessions": sessions})
        tables[f"kept_{n}"] = levels.head(MOST_LEVELS)[["value"]].astype("string")
        text = f"CAST(sessions.{quoted(column)} AS VARCHAR)"
        joins.append(f" LEFT JOIN kept_{n} ON kept_{n}.value = {text}")
        values.append(
            f"CASE WHEN sessions.{quoted(column)} IS NULL THEN '{UNKNOWN}' "
            f"ELSE COALESCE(kept_{n}.value, '{OTHER}') END AS {quoted(column)}"
        )
    listed = ", ".join(quoted(column) for column in columns)
    number = f"DENSE_RANK() OVER (ORDER BY {listed})" if columns else "1"
    chosen = ", ".join(["sessions.session_id", "sessions.visitor_id", "sessions.date", *values])
    inner = f"SELECT {chosen} FROM sessions" + "".join(joins)
    coded = engine.create(f"SELECT *, {number} AS cell FROM ({inner}) AS named", tables, name="coded")
    distinct = ", ".join(["cell", *([listed] if columns else [])])
    return coded, engine.query(f"SELECT DISTINCT {distinct} FROM coded ORDER BY cell", {"coded": coded})


def _steps(engine: Engine, tables: Mapping[str, AnyTable], steps: Sequence[str]) -> pd.DataFrame:
    numbered = pd.DataFrame({"step": range(1, len(steps) + 1), "name": list(steps)}).astype({"name": "string"})
    depths = engine.create(statement(__file__, "depths"), {**tables, "steps": numbered}, name="depths")
    found = {**tables, "depths": depths, "steps": numbered}
    counted = engine.query(statement(__file__, "step_cells"), found)
    spread = engine.query(statement(__file__, "step_spread"), found).set_index("step")
    engine.drop(depths)
    parts = []
    for n, name in enumerate(steps, 1):
        rows = counted[counted.depth >= n - 1]
        rows = rows.assign(passed=rows.sessions.where(rows.depth >= n, 0))
        part = rows.groupby(["date", "cell"], sort=True)[["sessions", "passed"]].sum().reset_index()
        of = steps[n - 2] if n > 1 else None
        inflation = _inflation(spread.loc[n]) if n in spread.index else 1.0
        part = part.rename(columns={"sessions": "at_risk"}).assign(kind=STEP, name=name, of=of, inflation=inflation)
        parts.append(part)
    return pd.concat(parts, ignore_index=True)


def _measures(
    engine: Engine, tables: Mapping[str, AnyTable], goals: Sequence[str], kpis: Sequence[Mapping[str, Any]]
) -> pd.DataFrame:
    rows = [(GOAL, goal, None, goal, 0, 0) for goal in goals]
    rows += [
        (KPI, one["name"], one["of"], one.get("reach") or one.get("without"), int(not one.get("reach")),
         int(one.get("unit") == "visitor"))
        for one in kpis
    ]  # fmt: skip
    names = ["kind", "name", "base", "hit", "is_without", "is_visitor"]
    wanted = pd.DataFrame(rows, columns=names).astype({"base": "string", "hit": "string"})
    wanted = wanted.assign(number=range(len(rows)))
    firsts = engine.create(statement(__file__, "firsts"), tables, name="firsts")
    asked = wanted[["number", "base", "hit", "is_without", "is_visitor"]]
    found = {**tables, "measures": asked, "firsts": firsts}
    units = engine.create(statement(__file__, "measure_cells"), found, name="units")
    sums = engine.query(statement(__file__, "measure_sums"), {"units": units})
    spread = engine.query(statement(__file__, "measure_spread"), {"units": units}).set_index("number")
    engine.drop(units, firsts)
    inflation = {n: _inflation(row) for n, row in spread.iterrows()}
    known = wanted.rename(columns={"base": "of"})[["number", "kind", "name", "of"]].astype({"of": object})
    return sums.merge(known, on="number").assign(inflation=lambda t: t.number.map(inflation)).drop(columns="number")


def _inflation(sums: pd.Series) -> float:
    """Variance with visitors as clusters over the plain one; never below 1."""
    n, y = float(sums.n), float(sums.y)
    rate = y / n if n else 0.0
    plain = n * rate * (1 - rate)
    spread = float(sums.y_y) - 2 * rate * float(sums.n_y) + rate**2 * float(sums.n_n)
    return float(np.clip(spread / plain, 1.0, None)) if plain > 0 else 1.0
