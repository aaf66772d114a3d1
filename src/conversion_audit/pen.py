"""The consultant's pen in a run: review.yaml is read for the report, and laid ready by the first run."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from conversion_audit import review
from conversion_audit.errors import ConfigError, Problem
from conversion_audit.folders import Folders
from conversion_audit.running import chapters, cover
from conversion_audit.running.publish import write

if TYPE_CHECKING:
    from conversion_audit.audit import Audit


def path_of(folders: Folders) -> Path:
    """Return where a client's review.yaml is."""
    return folders.data / "review.yaml"


def require_shown(folders: Folders) -> None:
    """
    Hold what was written by hand to the chapters there are, before the work.

    Raises
    ------
    ConfigError
        For what cannot be read, and for notes and own findings that no chapter of the report would show.
    """
    path, numbers = path_of(folders), tuple(chapters.there(folders))
    review.read_review(path, f"data/{folders.client}/{path.name}", numbers)
    strange = [name for name in cover.notes(folders) if name not in numbers]
    mend = f"Name it after a chapter: {', '.join(f'{number}.md' for number in numbers)}."
    what, notes = "no chapter has that number: it would not be shown", f"data/{folders.client}/notes"
    if strange:
        raise ConfigError(*(Problem(what, f"{notes}/{name}.md", mend=mend) for name in strange))


def reviewed(audit: Audit) -> review.Reviewed:
    """Return the audit's findings as the consultant wants them told."""
    path = path_of(audit.folders)
    return review.reviewed(audit.findings, review.read_review(path, f"data/{audit.folders.client}/{path.name}"))


def offer(audit: Audit) -> None:
    """Lay the pen ready, once: every finding by its id, with nothing said yet. A folder that is read-only stays so."""
    from conversion_audit.report.voice import speaking, voice_of
    from conversion_audit.report.wording import claim_of

    path = path_of(audit.folders)
    if path.exists():
        return
    with speaking(voice_of(audit.config)), suppress(OSError):
        write(path, review.offered({one.id: claim_of(one.record()) for one in audit.findings}))
