"""Which files each source of the config reads, opened, and what speaks against reading them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from conversion_audit.config import Config
from conversion_audit.errors import ConfigError, Problem, closest
from conversion_audit.intake import files, sources

Opened = Mapping[int, list[files.InputFile]]
"""The place of a source in the config -> its files."""


def open_sources(config: Config, folder: Path, scratch: Path) -> dict[int, list[files.InputFile]]:
    """
    Return the opened files of each source of the config.

    Raises
    ------
    ConfigError
        For a kind that does not exist.
    DataError
        For files that are missing or cannot be read.
    """
    unknown = [source.kind for source in config.sources if source.kind not in sources.KINDS]
    if unknown:
        hint = f"Kinds: {', '.join(sources.KINDS)}"
        raise ConfigError(*(Problem(f"sources: no kind {k!r}{closest(k, sources.KINDS)}", mend=hint) for k in unknown))
    opened = {
        n: files.open_files(
            files.find(folder, source.files), folder, scratch, encoding=source.encoding, delimiter=source.delimiter
        )
        for n, source in enumerate(config.sources)
    }
    for n, source in enumerate(config.sources):
        sources.refuse_strangers(source.kind, opened[n])
    _refuse_outside(opened)
    _refuse_shared(config, opened)
    return opened


def _refuse_outside(opened: Opened) -> None:
    """The engine reads below raw/ alone."""
    mend = "Move the file into raw/, and write `files: raw/...` on this source in audit.yaml."
    names = dict.fromkeys(file.name for several in opened.values() for file in several)
    outside = [Problem("lies outside raw/", name, mend=mend) for name in names if not name.startswith("raw/")]
    if outside:
        raise ConfigError(*outside)


def _refuse_shared(config: Config, opened: Opened) -> None:
    """A file that two sources of one kind of table read would be counted twice; one that is looked up gives no rows."""
    read_by: dict[tuple[str, str], list[str]] = {}
    for n, source in enumerate(config.sources):
        for file in (one for one in opened[n] if not sources.table.join_key(source, one)):
            given = (sources.KINDS[source.kind].GIVES, file.name)
            read_by.setdefault(given, []).append(f"{source.kind} ({', '.join(source.files)})")
    why = "Each of its rows would be counted twice."
    mend = "Narrow `files` of one of the two in audit.yaml; where one row is several events, one source with `steps` reads them."
    shared = [
        Problem(f"is read by {len(by)} sources: {' and '.join(by)}", name, why=why, mend=mend)
        for (_, name), by in read_by.items()
        if len(by) > 1
    ]
    if shared:
        raise ConfigError(*shared)


def may_overlap(config: Config, opened: Opened) -> set[str]:
    """Files whose rows may repeat an earlier file's though they have no ids: copies, and sources that say so."""
    several = [(config.sources[n].dedup, file) for n, files_of in opened.items() for file in files_of]
    prints = [file.sha256 for _, file in several]
    return {file.name for dedup, file in several if dedup == "exact" or prints.count(file.sha256) > 1}
