"""
One measurement in a fresh process: ``python contest.py NAME LOG PREPARED`` prints its CPU, wall time, memory and result.

A peer runs under an interpreter of its own, so this file imports nothing of the house but inside the house's own entries.
"""

from __future__ import annotations

import importlib.util
import json
import os
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

STEPS = ["session_start", "view_item", "add_to_cart", "begin_checkout", "add_payment_info", "purchase"]
PAIRS = """
WITH moved AS (
    SELECT event, lead(event) OVER w AS target, row_number() OVER w AS n
    FROM log WINDOW w AS (PARTITION BY session ORDER BY time, event_id)
)
SELECT event AS source, coalesce(target, '(exit)') AS target, count(*) AS n FROM moved WHERE target IS NULL OR target <> event
GROUP BY ALL
UNION ALL SELECT '(start)', event, count(*) FROM moved WHERE n = 1 GROUP BY event
"""


def _duckdb(log: Path) -> Any:
    import duckdb

    engine = duckdb.connect(config={"threads": 2})
    engine.execute(f"CREATE VIEW log AS SELECT * FROM read_parquet('{log}')")
    return engine


def floor(log: Path, prepared: Path) -> Callable[[], Any]:
    """Read and hash the four columns that put a log into order, once."""
    engine = _duckdb(log)
    columns = ("session", "event", "time", "event_id")
    sql = f"SELECT {', '.join(f'bit_xor(hash({name}))' for name in columns)} FROM log"
    return lambda: [len(engine.execute(sql).fetchall())]


def _house(prepared: Path) -> Any:
    from conversion_audit.engine import Engine

    engine = Engine(threads=2)
    newest = lambda name: max(prepared.glob(f"{name}-*.parquet"), key=lambda path: path.stat().st_mtime)  # noqa: E731
    return engine, lambda name: engine.open(newest(name))


def house_funnel(log: Path, prepared: Path) -> Callable[[], Any]:
    """The product's own funnel on its marks: who reached what, when, and the mean seconds to get there."""
    from conversion_audit.analysis.funnel import reached

    engine, table = _house(prepared)
    marks = table("marks")
    answer = "SELECT step, count(*) AS n, avg(seconds_between(entry_time, time)) AS seconds FROM r GROUP BY step ORDER BY step"
    return lambda: engine.query(answer, {"r": reached(marks, STEPS)}).n.tolist()


def house_transitions(log: Path, prepared: Path) -> Callable[[], Any]:
    """The product's own transitions on its events."""
    from conversion_audit.analysis.transitions import event_transitions

    _, table = _house(prepared)
    events = table("events")
    return lambda: _pairs(event_transitions(events)[["source", "target", "transitions"]].values.tolist())


def house_dwell(log: Path, prepared: Path) -> Callable[[], Any]:
    """Median and slowest tenth of the seconds from each event to each next one."""
    engine, table = _house(prepared)
    events = table("events")
    sql = """SELECT event, next_event, quantile_of(seconds_to_next, [0.5, 0.9]) AS seconds FROM events
             WHERE next_event IS NOT NULL GROUP BY event, next_event"""
    return lambda: [len(engine.query(sql, {"events": events}))]


def duckdb_transitions(log: Path, prepared: Path) -> Callable[[], Any]:
    """A window over the raw log, as one writes it."""
    engine = _duckdb(log)
    return lambda: _pairs(engine.execute(PAIRS).fetchall())


def chdb_funnel(log: Path, prepared: Path) -> Callable[[], Any]:
    """ClickHouse's windowFunnel on the raw log: counts, no times."""
    import chdb

    conditions = ", ".join(f"event = '{step}'" for step in STEPS)
    depth = f"SELECT windowFunnel(1000000000)(toDateTime(time), {conditions}) AS d FROM file('{log}', Parquet) GROUP BY session"
    counts = ", ".join(f"countIf(d >= {n})" for n in range(1, len(STEPS) + 1))
    sql = f"SELECT {counts} FROM ({depth}) SETTINGS max_threads = 2"
    return lambda: [int(n) for n in str(chdb.query(sql, "CSV")).strip().split(",")]


def polars_funnel(log: Path, prepared: Path) -> Callable[[], Any]:
    """Polars, streaming: the earliest time of each step not before the step before."""
    import polars as pl

    def made() -> list[int]:
        rows = pl.scan_parquet(log).select("session", "event", "time").filter(pl.col("event").is_in(STEPS))
        taken = rows
        for n, step in enumerate(STEPS, 1):
            allowed = pl.col("event") == step
            allowed = allowed & (pl.col("time") >= pl.col(f"t{n - 1}")) if n > 1 else allowed
            taken = taken.with_columns(pl.col("time").filter(allowed).min().over("session").alias(f"t{n}"))
        found = taken.group_by("session").agg(pl.col(f"t{n}").first() for n in range(1, len(STEPS) + 1))
        counts = found.select(pl.col(f"t{n}").count() for n in range(1, len(STEPS) + 1)).collect(engine="streaming")
        return [int(n) for n in counts.row(0)]

    return made


def polars_transitions(log: Path, prepared: Path) -> Callable[[], Any]:
    """Polars: sort, shift, count."""
    import polars as pl

    def made() -> str:
        rows = pl.scan_parquet(log).select("session", "event", "time", "event_id").sort("session", "time", "event_id")
        same = pl.col("session") == pl.col("session").shift(-1)
        first = (pl.col("session") != pl.col("session").shift(1)).fill_null(True)
        moved = rows.with_columns(
            pl.when(same).then(pl.col("event").shift(-1)).otherwise(pl.lit("(exit)")).alias("target"), first=first
        )
        moved = (
            moved.group_by("event", "target").agg(n=pl.len(), firsts=pl.col("first").sum()).collect(engine="streaming")
        )
        rows = [(s, t, n) for s, t, n, _ in moved.iter_rows() if s != t]
        begun = moved.group_by("event").agg(pl.col("firsts").sum()).iter_rows()
        return _pairs([*rows, *(("(start)", event, n) for event, n in begun if n)])

    return made


def pandas_funnel(log: Path, prepared: Path) -> Callable[[], Any]:
    """Pandas as one writes it: the first time of a step, merged to the rows of the next."""
    import pandas as pd

    def made() -> list[int]:
        rows = _frame(log, ["session", "event", "time"])
        taken = rows[rows.event == STEPS[0]].groupby("session", sort=False).time.min()
        counts = [len(taken)]
        for step in STEPS[1:]:
            later = rows[rows.event == step].merge(taken.rename("before"), left_on="session", right_index=True)
            taken = later[later.time >= later.before].groupby("session", sort=False).time.min()
            counts.append(len(taken))
        return counts

    assert pd
    return made


def pandas_transitions(log: Path, prepared: Path) -> Callable[[], Any]:
    """Pandas as one writes it: sort, shift, count."""

    def made() -> str:
        rows = _frame(log, ["session", "event", "time", "event_id"]).sort_values(["session", "time", "event_id"])
        sessions = rows.groupby("session", sort=False)
        rows = rows.assign(target=sessions.event.shift(-1).fillna("(exit)"), first=~rows.session.duplicated())
        moved = rows[rows.event != rows.target].groupby(["event", "target"], observed=True).size()
        begun = rows[rows["first"]].event.value_counts()
        counted = [(str(s), str(t), int(n)) for (s, t), n in moved.items()]
        return _pairs([*counted, *(("(start)", event, int(n)) for event, n in begun.items())])

    return made


def retentioneering_funnel(log: Path, prepared: Path) -> Callable[[], Any]:
    """Retentioneering: the event stream built from a frame in which tied events stand in the order of the steps."""
    from retentioneering import Eventstream

    def made() -> list[int]:
        rows = _frame(log, ["session", "event", "time"])
        rows["place"] = rows.event.map({step: n for n, step in enumerate(STEPS)}).fillna(99)
        rows = rows.sort_values(["session", "time", "place"], ignore_index=True).drop(columns="place")
        stream = Eventstream(rows, schema={"path_cols": ["session"], "event_col": "event", "timestamp_col": "time"})
        return [int(step["unique_paths"]) for step in stream.funnel_data(steps=STEPS)["steps"]]

    return made


def _frame(log: Path, columns: list[str]) -> Any:
    import pandas as pd

    return pd.read_parquet(log, columns=columns)


def _pairs(rows: list[Any]) -> list[Any]:
    return sorted([str(source), str(target), int(n)] for source, target, n in rows)


CONTESTS = {
    name: made
    for name, made in list(globals().items())
    if callable(made) and not name.startswith("_") and getattr(made, "__module__", "") == __name__
}
PEERS = ("chdb", "polars", "pandas", "retentioneering")


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def peak_mb() -> float:
    """This program's own peak: what getrusage tells is at least what the process that started it held."""
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


def main(name: str, log: str, prepared: str) -> None:
    """Measure one contest; a peer that is not installed says so."""
    os.environ.update(RETENTIONEERING_NO_TRACK="1", DO_NOT_TRACK="1", POLARS_MAX_THREADS="2", OPENBLAS_NUM_THREADS="2")
    peer = name.split("_")[0]
    missing = [
        one
        for one in (peer, *(("pyarrow",) if peer in {"pandas", "retentioneering"} else ()))
        if one in (*PEERS, "pyarrow") and not importlib.util.find_spec(one)
    ]
    if missing:
        print(json.dumps({"skipped": f"{missing[0]} is not installed"}))
        return
    run = CONTESTS[name](Path(log), Path(prepared))
    cpu, wall = _cpu(), time.perf_counter()
    result = run()
    told = {"cpu": _cpu() - cpu, "wall": time.perf_counter() - wall, "result": result}
    print(json.dumps(told | {"peak_mb": peak_mb()}))


if __name__ == "__main__":
    main(*sys.argv[1:])
