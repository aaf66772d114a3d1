"""What the report says about itself: for whom, by whom, of when, how far to trust it, and what we would like to be told."""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from conversion_audit.errors import ConfigError, Problem, listing
from conversion_audit.folders import Folders

if TYPE_CHECKING:
    from conversion_audit.audit import Audit
    from conversion_audit.config import Config

_PICTURES = {".png": "png", ".jpg": "jpeg", ".jpeg": "jpeg", ".webp": "webp", ".svg": "svg+xml"}
_LARGEST_LOGO = 500_000
_GUESS = re.compile(r"#\s*CHECK")


def about(audit: Audit) -> dict[str, Any]:
    """
    Return what `report.page.render` is told about the run, in the client's language.

    Parameters
    ----------
    audit : Audit
        Prepared.
    """
    from conversion_audit.report.voice import speaking, voice_of

    config, folders = audit.config, audit.folders
    voice = voice_of(config)
    with speaking(voice):
        return {
            "client": config.client,
            "language": config.language,
            "locale": config.locale,
            "currency": config.currency,
            "site": config.site,
            "labels": dict(voice.labels),
            "page_kinds": list(voice.pages),
            "period": {"start": audit.period.start, "end": audit.period.end},
            "only": only(audit),
            # A clock would give another report every day: the date is asked for, or absent.
            "prepared_on": config.report.on,
            "prepared_for": config.report.prepared_for,
            "agency": {**config.agency.model_dump(exclude={"logo"}, exclude_none=True)},
            "accent": config.report.accent or config.agency.accent,
            "logo": picture(folders, config.report.logo or config.agency.logo),
            "headline": audit.headline,
            "detail": config.report.detail,
            "trust": trust(audit),
            "questions": questions(folders.config.read_text(encoding="utf-8"), config),
            "notes": notes(folders),
        }


def trust(audit: Audit) -> list[str]:
    """Return which sessions were looked at, where not all were, how many rows were counted, and files that nobody reads."""
    from conversion_audit.report.words import text

    narrowed = [text("cover.only", {"only": only(audit)})] if audit.where else []
    of_other_days = audit.ledger.reason == "out_of_period"
    by_status = audit.ledger[~of_other_days].groupby("status").rows.sum()
    rows, other = int(by_status.sum()), int(audit.ledger[of_other_days].rows.sum())
    counted = []
    if rows:
        record = {name: int(by_status.get(name, 0)) for name in ("analysed", "set_aside", "quarantined")}
        record |= {"rows": rows, "share": record["analysed"] / rows, "other_days": other}
        counted = [text("cover.ledger_days" if other else "cover.ledger", record)]
    return [*narrowed, *counted, *unread(audit)]


def only(audit: Audit) -> str:
    """Return which sessions were looked at, in words; nothing where all were."""
    from conversion_audit.report.words import heading, label

    return "; ".join(f"{heading(column)}: {label(value)}" for column, value in audit.where.items())


def unread(audit: Audit) -> list[str]:
    """Return a sentence of files in raw/ that no source reads, if there are any."""
    from conversion_audit.report.words import text

    names = audit.prepared.unread
    return [text("cover.unread", {"files": len(names), "names": listing(names, 5)})] if names else []


def questions(yaml: str, config: Config) -> list[str]:
    """
    Return one question for each part of audit.yaml that still holds a guess.

    Parameters
    ----------
    yaml : str
        The file's text; a guess is a line that ends in ``# CHECK``.
    config : Config
        The same, read.
    """
    from conversion_audit.report.words import has_text, text

    parts = dict.fromkeys(part for part, line in _parts(yaml) if _GUESS.search(line))
    known = [part for part in parts if has_text(f"cover.question.{part}")]
    return [text(f"cover.question.{part}", {"value": _value(config, part)}) for part in known]


def _parts(yaml: str) -> list[tuple[str, str]]:
    """Return each line with the top-level key it stands under."""
    part, found = "", []
    for line in yaml.splitlines():
        if key := re.match(r"(\w+):", line):
            part = key[1]
        found.append((part, line))
    return found


def _value(config: Config, part: str) -> str:
    value = getattr(config, part, "")
    names: Sequence[str] = list(value) if isinstance(value, (list, dict)) else [str(value)]
    return ", ".join(
        config.label(name) if isinstance(value, (list, dict)) or part == "main_goal" else name for name in names
    )


def notes(folders: Folders) -> dict[str, str]:
    """
    Return the consultant's commentary by chapter number, from ``data/<client>/notes/NN.md``; what starts with no digit is none.

    Raises
    ------
    ConfigError
        For each that is not UTF-8 text.
    """
    found, problems = {}, []
    for path in sorted((folders.data / "notes").glob("[0-9]*.md")):
        try:
            found[path.stem] = path.read_text(encoding="utf-8-sig")
        except UnicodeDecodeError:
            where = f"data/{folders.client}/notes/{path.name}"
            problems.append(Problem("is not UTF-8 text", where, mend="Save it as UTF-8."))
    if problems:
        raise ConfigError(*problems)
    return found


def picture(folders: Folders, name: str | None) -> str | None:
    """
    Return a logo as a data address.

    Parameters
    ----------
    folders : Folders
        The client's.
    name : str, optional
        File in ``data/<client>/`` or, for the agency's, in ``data/``.

    Raises
    ------
    ConfigError
        If it is not there, lies elsewhere, is no picture, or is too large for a page.
    """
    if not name:
        return None
    for folder in (folders.data, folders.data.parent):
        path = (folder / name).resolve()
        if path.is_file() and path.is_relative_to(folder.resolve()):
            return _data_address(path)
    mend = f"Put the file into data/{folders.client}/ or, for the agency's, into data/."
    raise ConfigError(Problem("the logo is not there", f"data/{folders.client}/audit.yaml", name, mend=mend))


def _data_address(path: Path) -> str:
    kind = _PICTURES.get(path.suffix.lower())
    if kind is None or path.stat().st_size > _LARGEST_LOGO:
        mend = f"Use a {', '.join(sorted(_PICTURES))} of at most {_LARGEST_LOGO // 1000} kB."
        raise ConfigError(Problem("the logo is not a picture for a page", path.name, mend=mend))
    return f"data:image/{kind};base64,{base64.b64encode(path.read_bytes()).decode('ascii')}"


def reason(config: Config, status: str, absent: Sequence[str] = ()) -> str:
    """
    Return why a chapter is not complete, for the client: no cell, no traceback, no path.

    Parameters
    ----------
    config : Config
        The client's, for its language.
    status : str
        failed, skipped or complete.
    absent : sequence of str
        The tables that a skipped chapter would need.
        Nothing more is told of a failure than that it is one; the manifest holds the rest.
    """
    from conversion_audit.report.voice import speaking, voice_of
    from conversion_audit.report.words import text

    with speaking(voice_of(config)):
        if status == "skipped":
            return text("cover.absent", {"tables": ", ".join(absent)})
        return text("cover.failed") if status == "failed" else ""
