"""What stands for odd values of a table."""

import pandas as pd

from conversion_audit.engine import Engine
from conversion_audit.intake.substitutes import substituted


def test_odd_values_are_replaced_and_all_others_stay():
    engine = Engine()
    table = engine.hold(
        pd.DataFrame({"id": ["a@b.c", "n/a", "k1", None], "n": [1, 2, 3, 4], "other": ["k1", "n/a", None, "x"]})
    )
    odd = engine.hold(pd.DataFrame({"value": ["a@b.c", "n/a"], "clean": pd.array(["h1", None], dtype="string")}))
    found = substituted(table, ["id", "other"], odd)
    assert found.columns == ["id", "n", "other"]
    rows = found.frame().sort_values("n").astype(object)
    rows = rows.where(rows.notna(), None).values.tolist()
    assert rows == [["h1", 1, "k1"], [None, 2, None], ["k1", 3, None], [None, 4, "x"]]


def test_a_table_without_odd_values_is_itself():
    engine = Engine()
    table = engine.hold(pd.DataFrame({"id": ["k1"]}))
    none = engine.hold(pd.DataFrame({"value": ["x"], "clean": ["y"]}).iloc[:0])
    assert substituted(table, ["id"], none) is table
    assert substituted(table, [], table) is table
