"""What files there are and whether they can be read: found, recognised by their first bytes, decoded."""

from __future__ import annotations

import os
import stat
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from conversion_audit.errors import DataError, Problem, listing
from conversion_audit.intake import packed, peek
from conversion_audit.intake.fingerprints import fingerprints
from conversion_audit.intake.remarks import Remark

MEMBERS = (".csv", ".tsv", ".txt", ".json", ".jsonl", ".ndjson", ".parquet", ".log", ".gz")


@dataclass(frozen=True)
class InputFile:
    """
    One file of an export, ready to be read.

    Parameters
    ----------
    path : Path
        What to read: the file itself, or a plain UTF-8 copy of it in scratch.
    name : str
        How it is called in messages and in `ROWS.file`.
    format : str
        ``ndjson`` (one JSON object a line), ``array`` (one JSON array of objects), ``json`` (objects over several lines),
        ``csv`` (any delimited text), ``parquet``, ``empty``.
    gzipped : bool
        `path` is compressed.
    sha256, size, modified : str, int, int
        Fingerprint of the client's file, and its size and time when it was opened.
    encoding : str
        What its text was before it became UTF-8.
    delimiter, skip : str, int
        Of delimited text: the separator, and the lines before the header.
    has_header : bool
        Its first line names the columns. A format without a header knows no quotes either.
    columns : tuple of str
        Header, or keys of the first records; repeated names get ``_2``, ``_3``.
    records : tuple of dict
        The first records, to recognise the kind by.
    rows : int, optional
        How many there are, where the file says so itself.
    notes : tuple of Remark
        What was done to make it readable, in words.
    """

    path: Path
    name: str
    format: str
    gzipped: bool = False
    sha256: str = ""
    size: int = 0
    modified: int = 0
    encoding: str = "utf-8"
    delimiter: str = ","
    skip: int = 0
    has_header: bool = True
    columns: tuple[str, ...] = ()
    records: tuple[dict, ...] = ()
    rows: int | None = None
    notes: tuple[Remark, ...] = ()
    original: Path | None = None

    @property
    def is_empty(self) -> bool:
        """There is no row in it."""
        return not self.records and self.format in ("empty", "csv")


def find(folder: Path, patterns: Sequence[str]) -> list[Path]:
    """
    Return the files below a client's folder that match the patterns, sorted by name.

    Parameters
    ----------
    folder : Path
        The client's folder. Nothing outside it is read, whatever a pattern or a link says.
    patterns : sequence of str
        Glob patterns or plain paths relative to it; a folder stands for all files below it.

    Raises
    ------
    DataError
        For a pattern that matches nothing, a link that leads outside, a pipe or device, a file without permission.
    """
    found: dict[Path, None] = {}
    problems: list[Problem] = []
    for pattern in patterns:
        try:
            matched = _matches(folder, pattern)
        except OSError as error:
            mend = "Give the file a shorter name, and correct `files` in audit.yaml."
            problems.append(Problem(f"cannot be looked for: {error.strerror}", pattern, mend=mend))
            continue
        if not matched:
            problems.append(_nothing_matches(folder, pattern))
        problems += [problem for path in matched if (problem := _refused(folder, path))]
        found.update(dict.fromkeys(matched))
    if problems:
        raise DataError(*problems)
    return sorted(found)


def _matches(folder: Path, pattern: str) -> list[Path]:
    if Path(pattern).is_absolute() or ".." in Path(pattern).parts:
        return []
    plain = folder / pattern
    if os.path.lexists(plain):
        return sorted(p for p in plain.rglob("*") if is_export(p)) if plain.is_dir() else [plain]
    return sorted(p for p in folder.glob(pattern) if not p.is_dir())


def is_export(path: Path) -> bool:
    """Return whether a path is a file that somebody put there: no folder, and nothing that systems leave behind."""
    hidden = path.name.startswith(".") and not path.name.endswith(".icloud")
    return not path.is_dir() and not hidden and path.name not in ("_SUCCESS", "Thumbs.db")


def _nothing_matches(folder: Path, pattern: str) -> Problem:
    raw = folder / "raw"
    there = [p.relative_to(folder).as_posix() for p in sorted(raw.rglob("*")) if p.is_file()] if raw.is_dir() else []
    return Problem(
        "no file matches",
        pattern,
        why=f"Files there: {listing(there) or 'none'}.",
        mend="Put the export into raw/, or correct `files` in audit.yaml.",
    )


def _refused(folder: Path, path: Path) -> Problem | None:
    name = path.relative_to(folder).as_posix()
    if path.is_symlink() and folder.resolve() not in path.resolve().parents:
        return Problem("is a link that leads outside the client's folder", name, mend="Copy the file here instead.")
    try:
        mode = path.stat().st_mode
    except OSError as error:
        return Problem(f"cannot be opened: {error.strerror}", name, mend="Put the file there again.")
    if not stat.S_ISREG(mode):
        return Problem("is not a regular file", name, why="A pipe or device never ends.", mend="Save it as a file.")
    if not os.access(path, os.R_OK):
        return Problem("cannot be opened: no permission to read", name, mend=f"Run: chmod u+r {path.name}")
    return None


def open_files(
    paths: Iterable[Path], folder: Path, scratch: Path, *, encoding: str | None = None, delimiter: str | None = None
) -> list[InputFile]:
    """
    Open the files of one source.

    Parameters
    ----------
    paths : iterable of Path
        From `find`.
    folder : Path
        The client's folder; names are relative to it.
    scratch : Path
        Where plain copies of packed or differently encoded files go.
    encoding, delimiter : str, optional
        Declared in the config; found out otherwise.

    Returns
    -------
    list of InputFile
        In the order of `paths`; a zip gives one per member. Files without rows stay in the list.

    Raises
    ------
    DataError
        Listing every file that cannot be read, and what it is instead; or if no file holds a row.
    """
    scratch.mkdir(parents=True, exist_ok=True)
    cache = scratch / "fingerprints.json"
    opened: list[InputFile] = []
    problems: list[Problem] = []
    paths = list(paths)
    prints = fingerprints(paths, cache)
    for path in paths:
        try:
            opened += _open(path, _relative(path, folder), scratch, encoding, delimiter, prints[path])
        except DataError as error:
            problems += error.problems
    if not problems and opened and all(file.is_empty for file in opened):
        problems = [_without_rows(file) for file in opened]
    if problems:
        raise DataError(*problems)
    return opened


def _relative(path: Path, folder: Path) -> str:
    return path.relative_to(folder).as_posix() if folder in path.parents else path.name


def _open(
    path: Path, name: str, scratch: Path, encoding: str | None, delimiter: str | None, sha256: str
) -> list[InputFile]:
    about = path.stat()
    made = InputFile(path, name, "empty", sha256=sha256, size=about.st_size, modified=about.st_mtime_ns, original=path)
    start = packed.first_bytes(path)
    if problem := peek.not_an_export(start, path, name):
        raise DataError(problem)
    if zipfile.is_zipfile(path) and start[:2] == b"PK":
        members = packed.unzip(path, name, scratch / sha256[:16], MEMBERS)
        parts = [replace(made, path=part, name=f"{name}/{part.name}") for part in members]
        return [_with_contents(part, scratch, encoding, delimiter) for part in parts]
    return [_with_contents(made, scratch, encoding, delimiter)]


def _with_contents(file: InputFile, scratch: Path, encoding: str | None, delimiter: str | None) -> InputFile:
    start = packed.first_bytes(file.path)
    if start[:4] == b"PAR1":
        columns, records, rows = peek.parquet(file.path, file.name)
        return replace(file, format="parquet", columns=columns, records=records, rows=rows)
    if packed.is_gzip(start):
        packed.refuse_bomb(file.path, file.name)
        file = replace(file, gzipped=True)
        start = packed.first_bytes(file.path, unpack=True, name=file.name)
        if problem := peek.not_an_export(start, file.path, file.name):
            raise DataError(problem)
    if not start.strip(b"\x00\t\r\n \xef\xbb\xbf"):
        return file
    found, has_mark = peek.encoding_of(start, encoding, file.name)
    shape = peek.shape_of(peek.decoded(start, found), delimiter)
    if not shape.records and len(start) == packed.PEEK:  # the first record is longer than what was looked at
        start = packed.first_bytes(file.path, unpack=file.gzipped, name=file.name, most=packed.LONGEST_RECORD)
        shape = peek.shape_of(peek.decoded(start, found), delimiter)
    if not shape.records and (problem := peek.old_mac(peek.decoded(start, found), file.name)):
        raise DataError(problem)
    file = replace(
        file,
        format=shape.format,
        encoding=found,
        delimiter=shape.delimiter,
        skip=shape.skip,
        has_header=shape.has_header,
        columns=shape.columns,
        records=shape.records,
        notes=(*file.notes, *_notes(file.name, shape)),
    )
    if found != "utf-8" or (has_mark and file.format != "csv"):
        file = _as_plain_text(file, scratch)
    return file


def _notes(name: str, shape: peek.Shape) -> list[Remark]:
    above = [Remark("preamble", file=name, lines=shape.above)] if shape.above else []
    return above + [Remark("columns", file=name, columns=names) for names in shape.renamed]


def _as_plain_text(file: InputFile, scratch: Path) -> InputFile:
    copy = scratch / f"{file.sha256[:16]}-{file.encoding}-{file.path.name.removesuffix('.gz')}.txt"
    packed.copy_as_utf8(file.path, copy, file.encoding, file.name)
    note = () if file.encoding == "utf-8" else (Remark("encoding", file=file.name, encoding=file.encoding),)
    return replace(file, path=copy, gzipped=False, notes=(*file.notes, *note))


def _without_rows(file: InputFile) -> Problem:
    if file.size == 0:
        return Problem("is empty (0 bytes)", file.name, why="There is nothing to audit.", mend="Export it again.")
    return Problem("has a header but no rows", file.name, why="There is nothing to audit.", mend="Export it again.")


def changed(files: Iterable[InputFile]) -> list[Problem]:
    """Return a problem for each file that is no longer what it was when it was opened."""
    problems = []
    for file in files:
        path = file.original or file.path
        now = path.stat() if path.exists() else None
        if now is None or (now.st_size, now.st_mtime_ns) != (file.size, file.modified):
            problems.append(
                Problem(
                    "file changed while being read",
                    file.name,
                    why="Half of it may be old and half new.",
                    mend="Wait until the export is complete, then run again.",
                )
            )
    return problems
