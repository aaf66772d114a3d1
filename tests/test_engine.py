"""Plain SQL on DuckDB: names, parameters, files and fences."""

import pandas as pd
import pytest

from conversion_audit.engine import Engine, engine_of, grouping_sets, like, quoted, statement

FRAME = pd.DataFrame({"a": [1, 2], "b": ["x", None]})


@pytest.fixture
def engine() -> Engine:
    return Engine()


def test_statements_stand_in_named_sections_beside_their_module(tmp_path):
    (tmp_path / "made.sql").write_text("-- name: one\nSELECT 1;\n\n-- name: two\n-- why\nSELECT 2;\n")
    assert statement(str(tmp_path / "made.py"), "one") == "SELECT 1"
    assert statement(str(tmp_path / "made.py"), "two") == "-- why\nSELECT 2"


def test_identifiers_are_quoted_whatever_they_contain():
    assert quoted('a"b') == '"a""b"'
    assert grouping_sets([[], ["device"], ["device", 'x"y']]) == '((), ("device"), ("device", "x""y"))'


def test_a_star_is_any_text_and_case_and_a_last_slash_are_ignored():
    assert like("/Help_*") == "/help\\_%"
    assert like("/help/") == "/help"
    assert like("/") == "/"


def test_frames_and_handles_answer_alike(engine):
    sql = "SELECT sum(a) AS n FROM t WHERE a >= $least"
    handle = engine.hold(FRAME)
    assert engine.query(sql, {"t": FRAME}, least=2).n[0] == engine.query(sql, {"t": handle}, least=2).n[0] == 2


def test_unused_parameters_are_dropped(engine):
    assert engine.query("SELECT $a AS a", {}, a=1, b=2).a[0] == 1


def test_a_view_keeps_its_tables_when_a_name_is_bound_anew(engine):
    view = engine.view("SELECT a + 1 AS a FROM t", {"t": engine.hold(FRAME)})
    engine.query("SELECT * FROM t", {"t": pd.DataFrame({"a": [100]})})
    assert view.frame().a.tolist() == [2, 3]


def test_a_column_without_any_value_stays_text(engine):
    assert engine.kinds(pd.DataFrame({"b": [None, None]})) == {"b": "VARCHAR"}


def test_a_file_is_written_whole_or_not_at_all(engine, tmp_path):
    path = tmp_path / "t.parquet"
    assert engine.write("SELECT * FROM t", path, {"t": FRAME}).frame().a.tolist() == [1, 2]
    with pytest.raises(Exception, match="Conversion Error"):
        engine.write("SELECT CAST(b AS INTEGER) AS b FROM t", tmp_path / "u.parquet", {"t": FRAME})
    assert [file.name for file in tmp_path.iterdir()] == ["t.parquet"]


def test_a_folder_of_files_is_one_table_and_gives_way_to_a_file(engine, tmp_path):
    folder = tmp_path / "t.parquet"
    folder.mkdir()
    for name in ("part-1", "part-0"):
        engine.write("SELECT * FROM t", folder / f"{name}.parquet", {"t": FRAME.assign(b=name)})
    assert sorted(engine.open(folder).frame().b) == ["part-0", "part-0", "part-1", "part-1"]
    assert len(engine.write("SELECT * FROM t", folder, {"t": FRAME})) == 2
    assert folder.is_file()


def test_the_engine_reads_and_writes_only_in_its_folders(tmp_path):
    inside, outside = tmp_path / "in", tmp_path / "out"
    inside.mkdir(), outside.mkdir()
    Engine().write("SELECT 1 AS a", outside / "t.parquet")
    fenced = Engine(folders=[inside], scratch=inside / "spill")
    assert len(fenced.write("SELECT 1 AS a", inside / "t.parquet")) == 1
    for act in (
        lambda: fenced.open(outside / "t.parquet"),
        lambda: fenced.write("SELECT 1 AS a", outside / "u.parquet"),
    ):
        with pytest.raises(Exception, match="Permission Error"):
            act()


def test_the_fence_cannot_be_taken_down(tmp_path):
    fenced = Engine(folders=[tmp_path])
    with pytest.raises(Exception, match="external access"):
        fenced.query("SET enable_external_access = true")


def test_names_with_quotes_are_only_names(tmp_path):
    engine = Engine(folders=[tmp_path])
    path = tmp_path / "it's; -- [x].parquet"
    assert len(engine.write("SELECT 1 AS a", path)) == 1
    assert len(engine.open(path)) == 1


def test_handles_stay_with_their_engine(engine):
    handle = Engine().hold(FRAME)
    with pytest.raises(ValueError, match="belongs to another engine"):
        engine.query("SELECT * FROM t", {"t": handle})
    assert engine_of(FRAME, handle) is handle.engine


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("seconds_between(TIMESTAMP '2026-03-01 10:00:00', TIMESTAMP '2026-03-01 10:00:01.5')", 1.5),
        ("""property('{"a b": "x", "n": 1}', 'a b')""", "x"),
        ("""property('{"a": 1}', 'b')""", None),
        ("number('1e3')", 1000.0),
        ("number('abc')", None),
        ("known('(not set)')", None),
        ("known(' Chrome ')", "Chrome"),
        ("CAST(local_time(TIMESTAMP '2026-07-01 22:30:00', 'Europe/Berlin') AS VARCHAR)", "2026-07-02 00:30:00"),
    ],
)
def test_macros_hold_what_differs_between_engines(engine, sql, expected):
    found = engine.query(f"SELECT {sql} AS x").x[0]
    assert pd.isna(found) if expected is None else found == expected


def test_earliest_skips_what_is_missing(engine):
    frame = pd.DataFrame({"v": [None, "b", "c"], "n": [1, 2, 3]})
    found = engine.query("SELECT earliest(v, n) AS a, latest(v, n) AS b FROM t", {"t": frame})
    assert found.values.tolist() == [["b", "c"]]
