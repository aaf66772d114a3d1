"""What reading an export changed or found odd: in words here, in every language in the report."""

import re
import tomllib
from pathlib import Path

import pytest

from conversion_audit.analysis.fitness.reading import remarks
from conversion_audit.intake.remarks import WORDS, Remark, table

TEXTS = Path(__file__).parents[1] / "src" / "conversion_audit" / "report" / "texts"


def places(text: str) -> set[str]:
    return set(re.findall(r"\{(\w+)", text))


@pytest.mark.parametrize("language", ["en", "de"])
def test_the_report_has_its_own_words_for_every_remark(language):
    texts = tomllib.loads((TEXTS / f"reading.{language}.toml").read_text(encoding="utf-8"))
    assert set(texts) - {"values"} == set(WORDS)
    assert {key: places(texts[key]) for key in WORDS} == {key: places(words) for key, words in WORDS.items()}


def test_a_remark_is_its_words_and_keeps_what_they_are_made_of():
    remark = Remark("line", file="a.csv", line=1204, reason="bad_quoting")
    assert remark == "a.csv: a line cannot be read: line 1,204 (bad_quoting)"
    assert (remark.key, remark.values) == ("line", {"file": "a.csv", "line": 1204, "reason": "bad_quoting"})


def test_every_remark_becomes_a_finding_with_its_own_sentence_and_an_assumed_zone_a_fault():
    found = remarks(table([Remark("empty", file="a.csv")], "UTC", is_assumed=True))
    assert [(one.kind, one.claim, one.values) for one in found] == [
        ("tracking", "fitness.zone_assumed", {"zone": "UTC"}),
        ("observation", "reading.empty", {"key": "a.csv: holds no rows", "file": "a.csv"}),
    ]


def test_a_zone_that_is_known_is_no_finding():
    assert remarks(table([], "Europe/Berlin", is_assumed=False)) == remarks(None) == []
