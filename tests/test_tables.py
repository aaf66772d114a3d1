"""The contracts hold frames and Parquet alike."""

import pandas as pd
import pytest

from conversion_audit.engine import Engine
from conversion_audit.errors import AuditError
from conversion_audit.tables import CONTRACTS, Column, Contract, check, empty

PEOPLE = Contract(
    "people", "one row per person", {"name": Column("text", "Name"), "age": Column("int", "Age", "not said")}
)


def test_a_table_that_keeps_its_contract_passes_as_frame_and_as_file(tmp_path):
    frame = pd.DataFrame({"name": ["a"], "age": pd.array([None], dtype="Int64"), "more": [1.5]})
    check(frame, PEOPLE)
    check(Engine().write("SELECT * FROM t", tmp_path / "t.parquet", {"t": frame}), PEOPLE)


def test_every_breach_is_named_at_once():
    frame = pd.DataFrame({"nam": ["a"], "age": ["x"]})
    with pytest.raises(AuditError) as error:
        check(frame, PEOPLE)
    assert (
        str(error.value)
        == "- people: missing column 'name'; did you mean 'nam'?\n- people: column 'age' should be int, is VARCHAR"
    )


def test_a_forbidden_null_is_counted():
    with pytest.raises(AuditError) as error:
        check(pd.DataFrame({"name": ["a", None], "age": [1, 2]}), PEOPLE)
    assert str(error.value) == "people: column 'name' is missing in 1 rows"


@pytest.mark.parametrize("name", sorted(CONTRACTS))
def test_an_empty_table_keeps_its_contract(name):
    check(empty(CONTRACTS[name]), CONTRACTS[name])
