"""review.yaml: words change, numbers do not."""

from __future__ import annotations

import pytest

from conversion_audit.errors import ConfigError
from conversion_audit.findings import Finding
from conversion_audit.review import Review, offered, read_review, reviewed

FRICTION = Finding(
    kind="friction", chapter="04", claim="friction.likely", severity="high", step="payment", values={"rate": 0.4}
)
TRACKING = Finding(kind="tracking", chapter="00", claim="fitness.gap", severity="low", step="checkout")


def written(tmp_path, text: str):
    path = tmp_path / "review.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_nothing_written_changes_nothing(tmp_path):
    told = reviewed([FRICTION, TRACKING], read_review(tmp_path / "review.yaml"))
    assert told.findings == [FRICTION.record(), TRACKING.record()]
    assert told.about() == {"hidden": 0, "orphans": []}


def test_words_are_edited_and_numbers_stay(tmp_path):
    path = written(
        tmp_path,
        f"{FRICTION.id}:\n  title: Cards fail\n  note: seen in tests\n  owner: Ada\n  effort: S\n  status: accepted\n",
    )
    told = reviewed([FRICTION], read_review(path)).findings[0]
    assert {key: told[key] for key in ("title", "note", "owner", "effort", "status")} == {
        "title": "Cards fail",
        "note": "seen in tests",
        "owner": "Ada",
        "effort": "S",
        "status": "accepted",
    }
    assert told["values"] == {"rate": 0.4} and told["claim"] == "friction.likely"


def test_what_is_hidden_is_counted(tmp_path):
    path = written(tmp_path, f"{FRICTION.id}: {{hide: known and accepted}}\n{TRACKING.id}: {{hide: no}}\n")
    told = reviewed([FRICTION, TRACKING], read_review(path))
    assert [one["id"] for one in told.findings] == [TRACKING.id]
    assert told.hidden == 1


def test_own_findings_join_by_severity(tmp_path):
    path = written(
        tmp_path,
        "own:\n  - {title: The button is below the fold, severity: high, chapter: '02'}\n  - title: Small print\n",
    )
    told = reviewed([FRICTION, TRACKING], read_review(path)).findings
    assert [(one["id"], one["kind"], one["severity"], one["chapter"]) for one in told] == [
        (FRICTION.id, "friction", "high", "04"),
        ("own 1", "own", "high", "02"),
        ("own 2", "own", "medium", "04"),
        (TRACKING.id, "tracking", "low", "00"),
    ]


def test_an_own_finding_stands_in_its_chapter_however_the_number_is_written(tmp_path):
    own = "own:\n  - {title: Seen in tests, chapter: 2}\n  - {title: Heard of, chapter: 06}\n  - title: Said\n"
    told = reviewed([], read_review(written(tmp_path, own))).findings
    assert [(one["title"], one["chapter"]) for one in told] == [
        ("Seen in tests", "02"), ("Heard of", "06"), ("Said", "04"),
    ]  # fmt: skip
    with pytest.raises(ConfigError) as refused:
        read_review(written(tmp_path, "own:\n  - {title: Seen, chapter: checkout}\n"))
    assert str(refused.value) == (
        "review.yaml:2: chapter is not known (seen: 'checkout')\n    Write its number, e.g. 04."
    )


def test_an_own_finding_in_a_chapter_that_is_not_there_is_told(tmp_path):
    path = written(tmp_path, "own:\n  - {title: Seen, chapter: 6}\n  - title: Said\n    chapter: 14\n")
    assert len(read_review(path).own) == 2
    with pytest.raises(ConfigError) as refused:
        read_review(path, chapters=("00", "04", "06"))
    assert str(refused.value) == (
        "review.yaml:4: there is no such chapter, so it would not be shown (seen: '14')\n    Chapters here: 00, 04, 06"
    )


def test_an_edit_whose_finding_is_gone_is_listed_with_the_nearest(tmp_path):
    path = written(tmp_path, "F-gone: {title: payment fails}\nF-lost: {effort: L}\n")
    assert reviewed([FRICTION, TRACKING], read_review(path)).orphans == [
        {"id": "F-gone", "nearest": FRICTION.id},
        {"id": "F-lost", "nearest": None},
    ]


def test_every_mistake_is_told_with_its_line(tmp_path):
    path = written(tmp_path, "F-1:\n  efort: S\n  status: maybe\nF-2: yes\nown:\n  - note: no title\n")
    with pytest.raises(ConfigError) as error:
        read_review(path, "data/acme/review.yaml")
    assert str(error.value) == (
        "- data/acme/review.yaml:2: unknown key 'efort'; did you mean 'effort'?\n"
        "- data/acme/review.yaml:3: status is not known (seen: 'maybe')\n    One of: open, accepted, rejected, done\n"
        "- data/acme/review.yaml:4: F-2: write hide, title, note, owner, effort, status, done_on below it\n"
        "- data/acme/review.yaml:6: an own finding needs a title"
    )


def test_what_an_editor_saved_in_another_encoding_is_told(tmp_path):
    (tmp_path / "review.yaml").write_bytes("own:\n  - title: Straße\n".encode("cp1252"))
    with pytest.raises(ConfigError) as refused:
        read_review(tmp_path / "review.yaml")
    assert str(refused.value) == "review.yaml: is not UTF-8 text\n    Save it as UTF-8."


def test_what_a_first_run_offers_reads_back_as_nothing_said(tmp_path):
    path = written(tmp_path, offered({FRICTION.id: "47% pass: {odd} # words\n second line", TRACKING.id: "x"}))
    assert read_review(path) == Review()
    assert read_review(path).says_nothing
