"""Past one machine: the same statements on Spark give DuckDB's tables."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from typing import NamedTuple

import duckdb
import pandas as pd
import pytest
from conftest import REPOSITORY, table
from pandas.testing import assert_frame_equal

from conversion_audit import recipes
from conversion_audit.analysis import funnel
from conversion_audit.audit import Audit, open_audit
from conversion_audit.engine import Engine, Table, sections, spark_session, statement
from conversion_audit.engine.dialects import spoken
from conversion_audit.engine.recorded import Step
from conversion_audit.engine.spark import SparkEngine
from conversion_audit.engine.spark_kinds import in_spark, is_moment, name_in_spark, value_for_spark
from conversion_audit.errors import ConfigError, MachineError
from conversion_audit.intake import ledger, rows, sessions
from conversion_audit.prepared import INTAKE

PACKAGE = REPOSITORY / "src" / "conversion_audit"
number = count()
HAS_JAVA = bool(shutil.which("java") or os.environ.get("JAVA_HOME"))
on_spark = [
    pytest.mark.spark,
    pytest.mark.slow,
    pytest.mark.skipif(not find_spec("pyspark"), reason="pyspark is not installed: make test-all installs it"),
    pytest.mark.skipif(not HAS_JAVA, reason="Java 17 is not installed"),
]
# For tables of a few thousand rows Spark spends its time compiling: so it does less of that.
QUICK = {
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
    "spark.sql.shuffle.partitions": "2",
    "spark.sql.adaptive.enabled": "false",
    "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
}
# The heavy reductions; what the other tables read of these is small.
HEAVY = (
    *("marks", "sessions", "reached_sessions", "reached_visitors", "funnel_adverse", "page_transitions"),
    *("event_transitions", "stages", "paths_to_goal", "cells"),
)
EXPRESSIONS = (
    "seconds_between(t, TIMESTAMP '2026-03-29 10:00:01.5')",
    "CAST(add_seconds(t, 1.25) AS VARCHAR)",
    "CAST(local_time(t, 'Europe/Berlin') AS VARCHAR)",
    "property(p, 'a b')",
    "property(p, 'n')",
    "property(p, 'none')",
    "number(property(p, 'n'))",
    "number('1d')",
    "number(' 1e3 ')",
    "number('')",
    "known('(not set)')",
    "known(' Chrome ')",
    "matches(p, 'a.b')",
    "md5(p)",
    "n / 3",
    "7 / CAST(2 AS INTEGER)",
    "CAST(d AS DECIMAL(18, 4))",
    "p LIKE '%\\_%' ESCAPE '\\'",
    "$text || 'x'",
    "t > $moment",
    "t = $nothing",
)
LOG = """
session_id visitor_id event_number moment visitor_event_number visitor_moment time name detail
s1 v1 1 1 1 1 2026-03-02T10:00:00 view -
s1 v1 2 2 2 2 2026-03-02T10:01:00 cart -
s1 v1 3 2 3 2 2026-03-02T10:01:00 buy -
s2 v1 1 1 4 3 2026-03-03T09:00:00 cart -
s2 v1 2 2 5 4 2026-03-03T09:05:30 view -
s3 v2 1 1 1 1 2026-03-03T11:00:00 view -
s3 v2 2 2 2 2 2026-03-03T12:30:00 buy -
s3 v2 3 3 3 3 2026-03-03T12:31:00 view -
s3 v2 4 4 4 4 2026-03-03T12:32:00 cart -
s3 v2 5 5 5 5 2026-03-03T12:33:00 buy -
"""


SHARED = """SELECT t.name, u.name AS next, count(*) AS sessions, max(u.time) AS last
FROM t JOIN t u ON u.session_id = t.session_id AND u.event_number = t.event_number + 1
GROUP BY t.name, u.name ORDER BY t.name, u.name"""
WORKERS = {"spark.executor.memory": "512m", "spark.scheduler.minRegisteredResourcesRatio": "1.0"}
ON_CLUSTER = """
import sys
from pathlib import Path
from conversion_audit.engine.spark import SparkEngine
folder = Path(sys.argv[1])
engine = SparkEngine([folder], folder / "spill", master="local-cluster[2,1,1024]", rows=0, settings=eval(sys.argv[3]))
found = engine.query(sys.argv[2], {"t": engine.open(folder / "log.parquet")})
print(engine._session.sparkContext._jsc.sc().getExecutorMemoryStatus().size() - 1, "workers")
print(found.to_string())
"""


def marks() -> pd.DataFrame:
    return table(LOG, detail=str).astype({"detail": "string"})


def test_every_macro_has_a_body_in_spark_s_words():
    ours, theirs = (sections(str(PACKAGE / "engine" / f"{name}.sql")) for name in ("duckdb", "spark"))
    assert list(ours) == list(theirs)
    assert "KNOWN(" not in spoken("SELECT number(known(a)) AS x FROM t", "spark").upper()


def test_a_division_is_one_of_floats_and_a_moment_is_cast():
    assert spoken("SELECT a / b AS x FROM t", "spark") == (
        "SELECT CAST((`a`) AS DOUBLE) / CAST((`b`) AS DOUBLE) AS `x` FROM `t`"
    )
    assert spoken("SELECT a FROM t WHERE a > $b", "spark", (("b", "TIMESTAMP_NTZ"),)).endswith(
        "`a` > CAST(:b AS TIMESTAMP_NTZ)"
    )


def test_without_pyspark_or_java_it_says_what_to_type(monkeypatch):
    monkeypatch.setattr("conversion_audit.engine.spark_session.find_spec", lambda name: None)
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", "")
    with pytest.raises(MachineError) as told:
        SparkEngine()
    assert str(told.value) == (
        "- audit.yaml: engine: Spark needs the package pyspark, which is not installed\n"
        '    Type: .venv/bin/python -m pip install -e ".[spark]"\n'
        "- audit.yaml: engine: Spark needs Java 17 or newer, and there is none\n"
        "    Install it, e.g. with: sudo apt-get install openjdk-17-jre-headless; or set JAVA_HOME."
    )


def test_a_wrong_master_is_named_with_its_line(audit_home):
    (audit_home / "data" / "demo").mkdir()
    text = (REPOSITORY / "data" / "demo" / "audit.yaml").read_text(encoding="utf-8")
    config = audit_home / "data" / "demo" / "audit.yaml"
    config.write_text(text + "\nengine:\n  backend: spark\n  master: local(2)\n", encoding="utf-8")
    with pytest.raises(ConfigError) as told:
        open_audit("demo")
    assert str(told.value) == (
        f"data/demo/audit.yaml:{len(text.splitlines()) + 4}: engine.master: is no master of Spark; "
        "write e.g. 'local[4]', 'spark://host:7077' or 'yarn' (seen: 'local(2)')"
    )


@pytest.fixture(scope="module")
def spark(tmp_path_factory):
    folder = tmp_path_factory.mktemp("spark")
    engine = SparkEngine([folder], folder / "spill", "1GB", master="local[2]", rows=0, settings=QUICK)
    yield engine
    engine.close()


class TestOneStatement:
    pytestmark = on_spark

    def test_macros_casts_and_values_mean_the_same(self, spark):
        row = {"t": pd.Timestamp("2026-03-29 00:30"), "p": '{"a b": "x_y", "n": 1.5}', "n": 2, "d": 1.00005}
        asked = {"text": "it's `\\ \"", "moment": pd.Timestamp("2026-03-01"), "nothing": None}
        columns = ", ".join(f"{sql} AS c{n}" for n, sql in enumerate(EXPRESSIONS))
        frame = pd.DataFrame([row])
        found = spark.query(f"SELECT {columns} FROM t", {"t": far_table(spark, frame)}, **asked)
        assert_frame_equal(found, Engine().query(f"SELECT {columns} FROM t", {"t": frame}, **asked))

    def test_kinds_orders_and_sums_are_duckdb_s(self, spark):
        frame = marks()
        sql = """SELECT name, count(*) AS n, sum(event_number) AS numbers, avg(moment) AS mean, max(time) AS last,
                        quantile_of(event_number, 0.5) AS middle, latest(session_id, time) AS session_id,
                        count(*) FILTER (WHERE moment > 1) AS later, min(detail) AS detail
                 FROM t GROUP BY GROUPING SETS ((name), ()) ORDER BY name"""
        far = far_table(spark, frame)
        assert_frame_equal(spark.query(sql, {"t": far}), Engine().query(sql, {"t": frame}))
        made = spark.create(sql, {"t": far})
        assert spark.kinds(made) == Engine().kinds(Engine().query(sql, {"t": frame})) | {"numbers": "HUGEINT"}

    def test_a_view_keeps_its_tables_and_a_dropped_table_leaves_no_file(self, spark):
        far = far_table(spark, marks())
        view = spark.view("SELECT name FROM t WHERE moment = 1", {"t": far})
        spark.query("SELECT * FROM t", {"t": far_table(spark, marks().assign(name="other"))})
        assert sorted(view.frame().name) == ["cart", "view", "view"]
        assert len(view) == 3
        made = spark.create("SELECT * FROM v", {"v": view})
        folder = spark._made[made.name]
        spark.drop(made)
        assert not folder.exists()

    def test_a_name_with_quotes_is_only_a_name(self, spark):
        far = far_table(spark, pd.DataFrame({"it's `a\"b.c": [1, 2]}))
        found = spark.query('SELECT "it\'s `a""b.c" AS "x y" FROM t ORDER BY 1 DESC', {"t": far})
        assert found.to_dict("list") == {"x y": [2, 1]}

    def test_a_worker_that_fails_is_told_in_words(self, spark):
        with pytest.raises(MachineError) as told, spark_session.told():
            spark._session.sql("SELECT raise_error('no space left on device')").collect()
        assert "audit.yaml: engine: Spark could not finish" in str(told.value)
        assert "no space left on device" in str(told.value)


def far_table(spark, frame):
    """A frame as a table of Spark's."""
    held = spark.write("SELECT * FROM t", spark._folder / f"{next(number)}.parquet", {"t": frame})
    assert spark._is_far({"t": held})
    return held


class TestFunnel:
    pytestmark = on_spark

    @pytest.mark.parametrize(
        "options",
        [
            {"unit": "visitor", "window": 86_400.0, "until": pd.Timestamp("2026-03-04")},
            {"order": "any_order"},
            {"order": "strict"},
            {"step_window": 120.0, "tolerance": 60.0},
        ],
        ids=str,
    )
    def test_everybody_reaches_the_same_step_at_the_same_time(self, spark, options):
        steps = ["view", "cart", "buy"]
        ours = funnel.reached(marks(), steps, **options).frame()
        theirs = funnel.reached(far_table(spark, marks()), steps, **options).frame()
        keys = ["unit_id", "entry", "step"]
        assert len(ours)
        assert_frame_equal(in_order(theirs, keys), in_order(ours, keys))


def in_order(frame: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    return frame.sort_values(keys, kind="stable").reset_index(drop=True)


@pytest.fixture(scope="class")
def shops(tmp_path_factory):
    """Two homes with the same small shop: one audited by DuckDB alone, one whose heavy tables are Spark's."""
    from conversion_audit.demo import write_demo

    ours, theirs = (tmp_path_factory.mktemp(name) for name in ("ours", "theirs"))
    write_demo(ours / "data" / "demo" / "raw", sessions=800)
    text = (REPOSITORY / "data" / "demo" / "audit.yaml").read_text(encoding="utf-8")
    (ours / "data" / "demo" / "audit.yaml").write_text(text, encoding="utf-8")
    shutil.copytree(ours / "data", theirs / "data")
    settings = "".join(f"\n    {name}: '{value}'" for name, value in QUICK.items())
    chosen = f"\nengine:\n  backend: spark\n  master: local[2]\n  memory: 1GB\n  rows: 1000\n  settings:{settings}\n"
    far, planned = [], SparkEngine._planned
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(SparkEngine, "_planned", lambda self, sql, *rest: far.append(sql) or planned(self, sql, *rest))
        patch.setenv("AUDIT_HOME", str(ours))
        by_duckdb = open_audit("demo")
        steps = by_duckdb.engine.record()
        patch.setattr(by_duckdb.engine, "drop", lambda *tables: None)  # their columns are asked afterwards
        by_duckdb.prepare()
        patch.setenv("AUDIT_HOME", str(theirs))
        config = theirs / "data" / "demo" / "audit.yaml"
        config.write_text(text + chosen, encoding="utf-8")
        by_spark = open_audit("demo")
        for name in ("events", *HEAVY):
            by_spark.table(name)
        by_spark.engine.close()
        config.write_text(text, encoding="utf-8")
        after = open_audit("demo")
        made = {path.name for path in (theirs / "data" / "demo" / "prepared").iterdir()}
        after.prepare()
    return Shops(by_duckdb, after, made, list(steps), set(far))


class Shops(NamedTuple):
    """What the tests of the shop read."""

    ours: Audit
    theirs: Audit
    made: set[str]
    steps: list[Step]
    far: set[str]


class TestCluster:
    pytestmark = on_spark

    def test_two_workers_give_the_same_and_say_nothing(self, tmp_path):
        import pyspark

        logs = Path(pyspark.__file__).parent / "work"
        was_there = logs.exists()
        Engine().write("SELECT * FROM t", tmp_path / "log.parquet", {"t": marks()})
        ours = Engine().query(SHARED, {"t": marks()})
        asked = [sys.executable, "-c", ON_CLUSTER, str(tmp_path), SHARED, repr(QUICK | WORKERS)]
        done = subprocess.run(asked, capture_output=True, text=True, timeout=400)
        if not was_there:
            shutil.rmtree(logs, ignore_errors=True)
        assert done.stdout.splitlines() == ["2 workers", *ours.to_string().splitlines()]
        assert done.stderr == ""


class TestShop:
    pytestmark = on_spark

    def test_every_number_is_duckdb_s(self, shops, spark):
        """One test, so that test processes side by side do not each make the two shops."""
        assert [name for name in (*INTAKE, *recipes.TABLES) if difference(shops, name)] == []
        assert len(shops.ours.findings)
        assert repr(shops.theirs.headline) == repr(shops.ours.headline)
        assert repr(shops.theirs.findings) == repr(shops.ours.findings)
        # DuckDB reads what Spark made, and makes none of it again; Spark leaves nothing else behind.
        assert {shops.theirs.table(name).path.name for name in ("events", *HEAVY)} <= shops.made
        assert list((shops.theirs.folders.prepared / ".spill").glob("spark-*")) == []
        # What grows with the export ran on Spark, from the rows on: DuckDB would give the same, as long as it can.
        heavy = [
            statement(sessions.__file__, name) for name in ("add_sessions", "numbered", "facts", "events", "visits")
        ]
        assert {statement(rows.__file__, "repeated"), statement(ledger.__file__, "fates"), *heavy} <= shops.far
        every_portable_statement_can_be_planned(shops, spark)


def difference(shops: Shops, name: str) -> str:
    """What differs between a table by DuckDB and by Spark; no text where nothing does."""
    try:
        assert_same(shops.theirs.frame(name), shops.ours.frame(name))
    except AssertionError as error:
        return str(error)
    return ""


def every_portable_statement_can_be_planned(shops: Shops, spark: SparkEngine) -> None:
    """All that an audit asks, not only what ran on Spark above: on tables without rows, as far as the plan."""
    engine, session = shops.ours.engine, spark._session
    portable = {step.sql: step for step in shops.steps if step.sql and step.tables and step.sql not in duckdb_s_own()}
    held = {name for step in portable.values() for name in step.tables.values()}
    columns = {step.name: step.columns or columns_of(engine, step.name) for step in shops.steps if step.name in held}
    portable = {sql: step for sql, step in portable.items() if all(map(columns.get, step.tables.values()))}
    assert len(portable) > 100
    empty = {}
    for sql, step in portable.items():
        for name, made in step.tables.items():
            schema = ", ".join(f"{name_in_spark(column)} {in_spark(kind)}" for column, kind in columns[made].items())
            if schema not in empty:
                empty[schema] = session.createDataFrame([], schema)
            empty[schema].createOrReplaceTempView(name_in_spark(name))
        times = tuple((name, "TIMESTAMP_NTZ") for name, value in step.parameters.items() if is_moment(value))
        values = {name: value_for_spark(value) for name, value in step.parameters.items()}
        session.sql(spoken(sql, "spark", times), args=values or None)._jdf.queryExecution().executedPlan()


def columns_of(engine: Engine, name: str) -> dict[str, str]:
    """Columns of a recorded table; none where its file was of intake alone, whose statements have run on Spark."""
    try:
        return engine.kinds(Table(name, engine))
    except duckdb.Error:
        return {}


def duckdb_s_own() -> set[str]:
    """Statements of the files that may use DuckDB's own functions."""
    return {sql for path in PACKAGE.rglob("*.duckdb.sql") for sql in sections(str(path)).values()}


def assert_same(theirs: pd.DataFrame, ours: pd.DataFrame) -> None:
    """Equal whatever the order of rows: a table has none unless a query asks for it."""
    assert theirs.dtypes.to_dict() == ours.dtypes.to_dict()
    keys = [name for name in ours if ours[name].dtype.kind != "f"]
    by = [*keys, *(name for name in ours if name not in keys)]
    rows = [
        frame.assign(**{name: frame[name].astype(str) for name in keys}).sort_values(by, kind="stable")
        for frame in (theirs, ours)
    ]
    assert_frame_equal(*(frame.reset_index(drop=True) for frame in rows), rtol=1e-9, atol=1e-12)
