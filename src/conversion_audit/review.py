"""review.yaml, the consultant's pen: findings reworded, hidden, annotated, completed, and own ones added; numbers never change."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any

from conversion_audit import yaml_text
from conversion_audit.errors import ConfigError, Problem, closest
from conversion_audit.findings import SEVERITIES, Finding

KEYS = ("hide", "title", "note", "owner", "effort", "status", "done_on")
OWN_KEYS = ("title", "note", "next_step", "chapter", "severity", "owner", "effort", "status", "step")
EFFORTS = ("S", "M", "L")
STATUSES = ("open", "accepted", "rejected", "done")


@dataclass(frozen=True)
class Review:
    """
    What the consultant wrote.

    Parameters
    ----------
    edits : mapping
        Finding id -> some of `KEYS`.
    own : sequence of mapping
        Findings from user tests or conversations: some of `OWN_KEYS`, a title at least.
    """

    edits: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    own: Sequence[Mapping[str, Any]] = ()

    @property
    def says_nothing(self) -> bool:
        """Return whether it is as a first run offers it."""
        return not self.edits and not self.own


@dataclass(frozen=True)
class Reviewed:
    """
    Findings after the review.

    Parameters
    ----------
    findings : list of dict
        Records as in findings.json, those hidden left out, own ones added after the others of their severity.
    hidden : int
        How many were hidden.
    orphans : list of dict
        ``id`` of an edit whose finding is not there, and ``nearest``, the finding most like it, or None.
    """

    findings: list[dict[str, Any]]
    hidden: int
    orphans: list[dict[str, Any]]

    def about(self) -> dict[str, Any]:
        """Return what the page's methods say about it."""
        return {"hidden": self.hidden, "orphans": self.orphans}


def read_review(path: Path, shown: str = "review.yaml", chapters: Collection[str] = ()) -> Review:
    """
    Read and check a client's review.yaml.

    Parameters
    ----------
    path : Path
        Absent means: nothing reviewed.
    shown : str
        Its name in messages.
    chapters : collection of str
        Numbers of the chapters there are, to which own findings are held; empty: to none.

    Returns
    -------
    Review
        Checked.

    Raises
    ------
    ConfigError
        Listing every mistake with its line.
    """
    if not path.is_file() or not path.read_bytes().strip():
        return Review()
    data, lines = yaml_text.read(path, shown)
    problems, edits, own = [], {}, data.get("own") or []
    for key, edit in data.items():
        if key == "own" or not edit:
            continue
        problems += _mistakes(edit, KEYS, (key,), lines, shown)
        edits[key] = edit
    for place, one in enumerate(own if isinstance(own, list) else []):
        problems += _mistakes(one, OWN_KEYS, ("own", place), lines, shown)
        if chapters and isinstance(one, Mapping) and (number := _chapter(one)).isdigit() and number not in chapters:
            where, mend = _line(("own", place, "chapter"), lines, shown), f"Chapters here: {', '.join(chapters)}"
            problems.append(Problem("there is no such chapter, so it would not be shown", where, number, mend=mend))
        if isinstance(one, Mapping) and not one.get("title"):
            problems.append(Problem("an own finding needs a title", _line(("own", place), lines, shown)))
    if not isinstance(own, list):
        problems.append(
            Problem("own: is a list of findings", _line(("own",), lines, shown), mend="Begin each with '-'.")
        )
    if problems:
        raise ConfigError(*problems)
    return Review(edits, tuple(own))


def _mistakes(edit: Any, keys: Sequence[str], path: tuple, lines: yaml_text.Lines, shown: str) -> list[Problem]:
    if not isinstance(edit, Mapping):
        return [Problem(f"{path[0]}: write {', '.join(keys)} below it", _line(path, lines, shown))]
    problems = [
        Problem(f"unknown key {key!r}{closest(str(key), keys)}", _line((*path, key), lines, shown))
        for key in edit
        if key not in keys
    ]
    for key, allowed in (("effort", EFFORTS), ("status", STATUSES), ("severity", SEVERITIES)):
        if edit.get(key) and edit[key] not in allowed:
            mend = f"One of: {', '.join(allowed)}"
            problems.append(
                Problem(f"{key} is not known", _line((*path, key), lines, shown), seen=str(edit[key]), mend=mend)
            )
    if edit.get("chapter") and not re.fullmatch(r"\d{1,2}", str(edit["chapter"])):
        where, mend = _line((*path, "chapter"), lines, shown), "Write its number, e.g. 04."
        problems.append(Problem("chapter is not known", where, seen=str(edit["chapter"]), mend=mend))
    return problems


def _line(path: tuple, lines: yaml_text.Lines, shown: str) -> str:
    line = next((lines[path[:n]] for n in range(len(path), 0, -1) if path[:n] in lines), 0)
    return f"{shown}:{line}" if line else shown


def reviewed(findings: Iterable[Finding | Mapping[str, Any]], review: Review) -> Reviewed:
    """
    Return the findings as the consultant wants them told.

    Parameters
    ----------
    findings : iterable of Finding or dict
        Ranked.
    review : Review
        From `read_review`.

    Returns
    -------
    Reviewed
        Edited words are shown, every number stays as it was.
    """
    records = [dict(one) if isinstance(one, Mapping) else one.record() for one in findings]
    known = {one["id"] for one in records}
    told = [one | _words(review.edits.get(one["id"], {})) for one in records if not _hides(review, one["id"])]
    told += [_own(one, place) for place, one in enumerate(review.own, 1)]
    order = {severity: n for n, severity in enumerate(SEVERITIES)}
    return Reviewed(
        findings=sorted(told, key=lambda one: order.get(one.get("severity"), len(order))),
        hidden=sum(_hides(review, one["id"]) for one in records),
        orphans=[
            {"id": key, "nearest": nearest(edit, records)} for key, edit in review.edits.items() if key not in known
        ],
    )


def _hides(review: Review, finding: str) -> bool:
    """`hide: no` is text here, and means no."""
    reason = str(review.edits.get(finding, {}).get("hide") or "")
    return reason.strip().lower() not in {"", "no", "false", "none", "null"}


def _words(edit: Mapping[str, Any]) -> dict[str, Any]:
    return {key: str(value) for key, value in edit.items() if key != "hide" and value}


def _chapter(own: Mapping[str, Any]) -> str:
    """The two digits of the chapter that an own finding stands in."""
    return str(own.get("chapter") or "04").zfill(2)


def _own(one: Mapping[str, Any], place: int) -> dict[str, Any]:
    words = {key: str(value) for key, value in one.items() if value}
    given = {"severity": "medium", **words}
    return {
        **Finding(kind="observation", chapter="", claim="", verdict="").record(),
        **given,
        "chapter": _chapter(one),
        "id": f"own {place}",
        "kind": "own",
    }


def nearest(edit: Mapping[str, Any], records: Sequence[Mapping[str, Any]]) -> str | None:
    """Return the id of the finding whose words are most like those of an edit, or None where there is no likeness."""
    words = " ".join(str(edit.get(key) or "") for key in ("title", "note")).lower()
    likeness = (
        {one["id"]: SequenceMatcher(None, words, _haystack(one)).ratio() for one in records} if words.strip() else {}
    )
    best = max(likeness, key=lambda key: (likeness[key], key), default=None)
    return best if best and likeness[best] > 0.2 else None


def _haystack(record: Mapping[str, Any]) -> str:
    parts = [record.get("claim"), record.get("step"), *(record.get("segment") or {}).values()]
    return " ".join(str(part) for part in parts if part).replace("_", " ").replace(".", " ").lower()


def offered(claims: Mapping[str, str]) -> str:
    """
    Return the review.yaml that a first run offers: every finding by its id, with nothing said yet.

    Parameters
    ----------
    claims : mapping
        Finding id -> its claim in the client's words.
    """
    head = (
        "# Your pen: what you write here is shown in the next run's report; numbers never change.\n"
        f"# Under an id: {', '.join(KEYS)} (effort: {', '.join(EFFORTS)}; status: {', '.join(STATUSES)}).\n"
        f"# Under own: a list of your own findings, each with some of {', '.join(OWN_KEYS)}.\n"
    )
    body = "".join(f"\n# {' '.join(claim.split())}\n{key}:\n" for key, claim in claims.items())
    return f"{head}{body}\nown: []\n"
