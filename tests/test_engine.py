"""Plain SQL on DuckDB: names, parameters, files and fences."""

import pandas as pd
import pytest

from conversion_audit.engine import Engine, engine_of, grouping_sets, like, quoted, statement
from conversion_audit.errors import ConfigError
from conversion_audit.intake.values import UNKNOWN_TEXTS

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


def test_words_for_nothing_are_missing_in_whatever_case_and_all_others_stay(engine):
    said = [f"{before}{form}{behind}" for word in sorted({*UNKNOWN_TEXTS, "<other>", "unassigned", "unknown.unknown"})
            for form in (word, word.upper(), word.title()) for before in ("", "  ") for behind in ("", " ")]  # fmt: skip
    others = ["Nina", "u", " unknowns", "N/A!", "(notset)", "<", "ünknown", "Norway ", "\tnull", "0", "=none", "zz "]
    found = engine.query("SELECT v, known(v) AS x FROM t", {"t": pd.DataFrame({"v": said + others})})
    assert found.set_index("v").x.dropna().to_dict() == {text: text.strip(" ") for text in others}


PARTS = [{"after": after, "until": after + 2} for after in (0, 2, 4)]
IN_PARTS = "SELECT n, n * 2 AS twice FROM t WHERE n > $after AND n <= $until"
NUMBERS = pd.DataFrame({"n": [1, 2, 3, 4, 5]})


def test_a_table_made_in_parts_is_the_one_made_at_once(engine, tmp_path):
    whole = engine.query("SELECT n, n * 2 AS twice FROM t ORDER BY n", {"t": NUMBERS})
    written = engine.write(IN_PARTS, tmp_path / "t.parquet", {"t": NUMBERS}, parts=PARTS)
    for table in (engine.create(IN_PARTS, {"t": NUMBERS}, parts=PARTS), written):
        pd.testing.assert_frame_equal(table.frame().sort_values("n", ignore_index=True), whole)
    assert sorted(path.name for path in written.path.iterdir()) == ["000.parquet", "001.parquet", "002.parquet"]


def test_parts_take_the_place_of_a_file_and_a_file_that_of_parts(engine, tmp_path):
    path = tmp_path / "t.parquet"
    for parts, rows in ((PARTS[:1], 2), (PARTS, 5), (PARTS[1:2], 2)):
        assert len(engine.write(IN_PARTS, path, {"t": NUMBERS}, parts=parts)) == rows
        assert path.is_dir() == (len(parts) > 1)


def test_what_fails_in_a_later_part_leaves_nothing(engine, tmp_path):
    failing = "SELECT CASE WHEN n > 4 THEN error('no') END AS x FROM t WHERE n > $after AND n <= $until"
    with pytest.raises(Exception, match="no"):
        engine.write(failing, tmp_path / "t.parquet", {"t": NUMBERS}, parts=PARTS)
    assert not list(tmp_path.iterdir())


def test_parts_are_as_many_as_memory_asks_for():
    engine = Engine(memory="1GB")
    assert [engine.parts(size) for size in (0, 1e8, 1e9, 1e10)] == [1, 1, 4, 34]
    engine.record()
    assert engine.parts(1e10) == 1  # what is shown to others is the whole statement


def test_a_memory_that_is_no_size_is_refused_in_words():
    with pytest.raises(ConfigError, match=r"this is no size of memory \(seen: '4XB'\)\n    Write e\.g\. --memory 4GB"):
        Engine(memory="4XB")
    with pytest.raises(ConfigError, match=r"this is no size of memory \(seen: '-1GB'\)"):
        Engine(memory="-1GB")


def test_earliest_skips_what_is_missing(engine):
    frame = pd.DataFrame({"v": [None, "b", "c"], "n": [1, 2, 3]})
    found = engine.query("SELECT earliest(v, n) AS a, latest(v, n) AS b FROM t", {"t": frame})
    assert found.values.tolist() == [["b", "c"]]
