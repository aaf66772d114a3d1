"""Lists a person works on by hand."""

import shutil

import pandas as pd
import pytest

from conversion_audit.errors import ConfigError, DataError
from conversion_audit.lists import lay_labels, write_audience


@pytest.fixture
def shop(small_shop, tmp_path, monkeypatch):
    """Return a copy of the small shop that a test may write into."""
    home = tmp_path / "home"
    shutil.copytree(small_shop, home)
    monkeypatch.setenv("AUDIT_HOME", str(home))
    return home / "data" / "demo"


def test_a_sample_is_laid_ready_once_and_read_when_it_is_filled_in(shop):
    path, checked = lay_labels("demo", 120)
    sample = pd.read_csv(path, dtype="string", keep_default_na=False)
    assert (path, checked) == (shop / "labels.csv", None)
    assert len(sample) == 120
    assert not {"visitor_id", "device_id", "session_id"} & set(sample.columns)
    sample.assign(could_buy=["yes", "no"] * 60).to_csv(path, index=False)
    _, checked = lay_labels("demo")
    assert checked["checked"] == 120
    assert 0 <= checked["sensitivity"] <= 1


@pytest.mark.parametrize(("mark", "encoding"), [(";", "cp1252"), (";", "utf-8-sig"), ("\t", "utf-8"), (",", "cp1252")])
def test_a_sample_is_read_as_any_spreadsheet_saves_it(shop, mark, encoding):
    path, _ = lay_labels("demo", 60)
    sample = pd.read_csv(path, dtype="string", keep_default_na=False)
    filled = sample.assign(could_buy=["ja", "nein"] * 30, note="größer")
    filled.to_csv(path, index=False, sep=mark, encoding=encoding)
    assert lay_labels("demo")[1]["checked"] == 60
    path.write_text("")
    with pytest.raises(DataError, match=r"data/demo/labels\.csv: cannot be read as a table"):
        lay_labels("demo")


def test_an_answer_that_is_neither_yes_nor_no_is_named_with_its_line(shop):
    path, _ = lay_labels("demo", 60)
    sample = pd.read_csv(path, dtype="string", keep_default_na=False)
    sample.loc[3, "could_buy"] = "perhaps"
    sample.to_csv(path, index=False)
    with pytest.raises(DataError, match=r"data/demo/labels\.csv:5"):
        lay_labels("demo")


def test_ids_are_written_only_when_asked_for_by_that_name_and_never_into_a_run(shop):
    with pytest.raises(ConfigError, match="this writes visitors' own ids"):
        write_audience("demo", "cart_leavers", raw_ids=False)
    with pytest.raises(ConfigError, match=r"no audience 'nobody'"):
        write_audience("demo", "nobody", raw_ids=False)
    assert not (shop / "audiences").exists()
