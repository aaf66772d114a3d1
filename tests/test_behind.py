"""`audit sql CLIENT TABLE`: the statements behind a table, which give the same rows in an engine of one's own."""

from __future__ import annotations

import duckdb
import pandas as pd
import pytest
import sqlglot

from conversion_audit import behind
from conversion_audit.audit import open_audit
from conversion_audit.cli import guarded
from conversion_audit.engine import Engine, script
from conversion_audit.engine.recorded import Step
from conversion_audit.errors import ConfigError
from conversion_audit.recipes import TABLES

# Whole tables, counts that rates are made of, marks and sessions themselves, and a reduction with tables of values.
SHOWN = ["marks", "sessions", "reached_sessions", "funnel", "page_transitions", "ladder", "hours"]


@pytest.fixture
def here(small_shop, monkeypatch):
    monkeypatch.setenv("AUDIT_HOME", str(small_shop))
    monkeypatch.chdir(small_shop)
    return small_shop


def results_of(text: str) -> list[pd.DataFrame]:
    """Run a printed script in a DuckDB that knows nothing of the house; every SELECT's rows."""
    found = []
    with duckdb.connect() as fresh:
        for statement in duckdb.extract_statements(text):
            rows = fresh.execute(statement)
            if statement.type == duckdb.StatementType.SELECT:
                found.append(rows.df())
    return found


def alike(one: pd.DataFrame, other: pd.DataFrame) -> None:
    assert list(one.columns) == list(other.columns)
    columns = list(one.columns)
    ordered = [frame.astype("string").sort_values(columns).index for frame in (one, other)]
    pd.testing.assert_frame_equal(
        one.loc[ordered[0]].reset_index(drop=True), other.loc[ordered[1]].reset_index(drop=True), check_dtype=False
    )


@pytest.mark.parametrize(
    "table", [*SHOWN, *(pytest.param(name, marks=pytest.mark.slow) for name in TABLES if name not in SHOWN)]
)
def test_the_printed_script_gives_the_same_rows_in_a_fresh_duckdb(here, table, monkeypatch):
    printed = results_of(behind.query_behind("demo", table))
    asked = []
    query = Engine.query
    monkeypatch.setattr(Engine, "query", lambda *a, **k: asked.append(query(*a, **k)) or asked[-1].copy())
    audit = open_audit("demo")
    _, results = behind.recorded(audit, table)
    # Asked a second time, an audit remembers parts of the answer: the rows are those of the first.
    first = asked[-len(results) :] if results else []
    made = TABLES[table].make(audit)
    expected = [made.frame()] if hasattr(made, "engine") else first
    assert len(printed) == len(expected) == len(results)
    for one, other in zip(printed, expected, strict=True):
        alike(one, other)


def test_the_funnel_s_counts_are_those_of_the_report(here):
    funnel = open_audit("demo").frame("funnel")
    shown, _, depths, *_ = results_of(behind.query_behind("demo", "funnel"))
    assert shown.sessions.tolist() == funnel.sessions.tolist()
    assert shown.visitors.tolist() == funnel.visitors.tolist()
    in_order = [int(depths.units[depths.depth >= step].sum()) for step in funnel.step_number]
    assert in_order == funnel.sessions_in_order.tolist()


@pytest.mark.parametrize("dialect", ["bigquery", "spark"])
@pytest.mark.parametrize("table", ["reached_sessions", "ladder"])
def test_other_dialects_parse_and_name_the_files_to_load(here, table, dialect):
    text = behind.query_behind("demo", table, dialect)
    statements = sqlglot.parse(text, read=dialect, error_level=sqlglot.ErrorLevel.RAISE)
    assert [one for one in statements if one is None] == []
    assert "not run here" in text
    assert "read_parquet" not in text and "seconds_between" not in text and "$" not in text
    assert "data/demo/prepared/" in text


def test_every_value_is_a_literal_whatever_it_holds():
    step = Step(
        "create", "made_1", "SELECT * FROM t WHERE a = $a AND b > $b", {"t": "t_2"}, {"a": "O'Neil; --", "b": -1.5}
    )
    rows = Step("rows", "t_2", columns={"a": "VARCHAR", "b": "DOUBLE"}, rows=(("O'Neil; --", None), ("x", 2.0)))
    text = script.script([rows, step], ["made_1"], "duckdb", str)
    assert text == (
        "CREATE OR REPLACE TEMP TABLE t_given AS\n"
        "SELECT\n"
        "  CAST(a AS TEXT) AS a,\n"
        "  CAST(b AS DOUBLE) AS b\n"
        "FROM (VALUES\n"
        "  ('O''Neil; --', NULL),\n"
        "  ('x', 2.0)) AS given(a, b);\n"
        "\n"
        "SELECT\n"
        "  *\n"
        "FROM t_given AS t\n"
        "WHERE\n"
        "  a = 'O''Neil; --' AND b > -1.5;"
    )


def test_an_unknown_table_or_dialect_is_answered_with_the_closest(here):
    with pytest.raises(ConfigError, match=r"no table 'funel'; did you mean 'funnel'\?"):
        behind.query_behind("demo", "funel")
    with pytest.raises(ConfigError, match=r"no dialect 'sparc'; did you mean 'spark'\?"):
        behind.query_behind("demo", "funnel", "sparc")


@pytest.mark.parametrize(
    "query",
    [
        "FROM '{raw}'",
        "SELECT (SELECT max(content) FROM read_text('{raw}')) AS a FROM sessions",
        "SUMMARIZE SELECT * FROM read_csv('{raw}')",
        "FROM query('SELECT * FROM sessions')",
        "WITH a AS (SELECT 1 AS b) INSERT INTO a SELECT * FROM a",
    ],
)
def test_a_query_opens_no_file_and_changes_nothing(here, capsys, query):
    (raw,) = list((here / "data" / "demo" / "raw").iterdir())[:1]
    assert guarded(["sql", "demo", query.format(raw=raw), "--csv"]) == 2
    seen = capsys.readouterr()
    assert not seen.out and ("reads tables, no files" in seen.err or "this is no SELECT" in seen.err)


def test_the_command_prints_a_table_s_query_answers_a_select_and_lists_tables(here, capsys):
    assert guarded(["sql", "demo", "data_days"]) == 0
    assert capsys.readouterr().out.startswith("-- data_days of demo, 2026-03-02 to 2026-04-26.\n")
    assert guarded(["sql", "demo", "SELECT count(*) AS n FROM sessions", "--csv"]) == 0
    assert capsys.readouterr().out.splitlines()[0] == "n"
    assert guarded(["sql", "demo", "SELECT '=1+1' AS a, -2.5 AS b", "--csv"]) == 0
    assert capsys.readouterr().out == "a,b\n'=1+1,-2.5\n"
    assert guarded(["sql", "demo", "SELECT sum(rows) > 0 AS a FROM ledger", "--csv"]) == 0
    assert capsys.readouterr().out == "a\nTrue\n"
    assert guarded(["sql", "demo", "SELECT 1; SELECT 2"]) == 2
    assert "these are several queries" in capsys.readouterr().err
    assert guarded(["sql", "demo", "SELECT 'a"]) == 2
    assert "unterminated" in capsys.readouterr().err
    assert guarded(["sql", "demo", "SUMMARIZE sessions", "--csv"]) == 0
    assert guarded(["sql", "demo", "WITH a AS (FROM range(3)) SELECT count(*) AS n FROM a", "--csv"]) == 0
    assert capsys.readouterr().out.endswith("n\n3\n")
    assert guarded(["sql", "demo"]) == 0
    assert "funnel" in capsys.readouterr().out
    assert guarded(["sql", "demo", "--dialect", "spark"]) == 2
    assert "Name a table: audit sql demo funnel --dialect spark" in capsys.readouterr().err
