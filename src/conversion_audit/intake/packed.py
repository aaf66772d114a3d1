"""Compressed and differently encoded files: first bytes, plain copies, and a stop for archives that explode."""

from __future__ import annotations

import codecs
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from conversion_audit.errors import DataError, Problem, listing

PEEK = 1 << 18
MOST_BYTES = 20 << 30
MOST_RATIO = 200
SMALL = 10 << 20
LONGEST_RECORD = 16 << 20
_CHUNK = 1 << 20


def is_gzip(start: bytes) -> bool:
    """Return whether these are the first bytes of a gzip file."""
    return start[:2] == b"\x1f\x8b"


def first_bytes(path: Path, *, unpack: bool = False, name: str = "", most: int = PEEK) -> bytes:
    """Return up to 256 kB, or more if asked, from the start of a file, unpacked if asked."""
    with path.open("rb") as file:
        if not unpack:
            return file.read(most)
        start = b""
        try:
            for chunk in _inflated(file):
                start += chunk
                if len(start) >= most:
                    break
        except (EOFError, zlib.error) as error:
            if not start:
                raise DataError(_cut(name, 0)) from error
        return start[:most]


def _inflated(file: BinaryIO) -> Iterator[bytes]:
    """Yield what a gzip file holds, member after member; EOFError comes after everything that can still be read."""
    inflater = zlib.decompressobj(wbits=31)
    while True:
        raw = inflater.unconsumed_tail or file.read(_CHUNK)
        if inflater.eof:
            raw = inflater.unused_data + raw
            if not raw.strip(b"\x00"):
                return
            inflater = zlib.decompressobj(wbits=31)
        elif not raw:
            raise EOFError("the compressed file ends in the middle")
        if piece := inflater.decompress(raw, _CHUNK):
            yield piece


def refuse_bomb(path: Path, name: str) -> None:
    """
    Raise DataError where a gzip file unpacks to far more than an export would.

    Its last four bytes say how much. Only if that is too much is it unpacked to see: a truncated file says anything.
    """
    size = path.stat().st_size
    limit = max(SMALL, MOST_RATIO * size)
    with path.open("rb") as file:
        file.seek(max(0, size - 4))
        if int.from_bytes(file.read(4), "little") <= limit:
            return
        file.seek(0)
        unpacked = 0
        with suppress(EOFError, zlib.error):
            for piece in _inflated(file):
                unpacked += len(piece)
                if unpacked > limit:
                    raise DataError(_bomb(name, unpacked, size))


def _bomb(name: str, unpacked: int, size: int) -> Problem:
    return Problem(
        f"unpacks to {unpacked / size:.0f} times its size",
        name,
        seen=f"{size:,} bytes hold at least {unpacked:,}",
        why=f"The limit is {MOST_RATIO} times, and {MOST_BYTES >> 30} GB in all: more is not an export but an accident or an attack.",
        mend="Unpack it yourself and put the plain file into raw/.",
    )


def _cut(name: str, rows: int) -> Problem:
    return Problem(
        "ends in the middle: the compressed file is truncated",
        name,
        seen=f"{rows:,} complete lines before the end",
        why="What is missing cannot be counted.",
        mend="Copy or export it again; or set `salvage: true` on this source to keep the complete lines.",
    )


def unzip(path: Path, name: str, folder: Path, allowed: tuple[str, ...]) -> list[Path]:
    """
    Unpack the exports of a zip archive into a folder of ours; names inside the archive never become paths.

    Raises
    ------
    DataError
        For a workbook, an archive without exports, one that is encrypted, damaged, nested, or explodes.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            inside = [info for info in archive.infolist() if not info.is_dir()]
            wanted = [i for i in inside if i.filename.lower().endswith(allowed) and not _is_hidden(i.filename)]
            if not wanted:
                raise DataError(_no_exports(name, [i.filename for i in inside], allowed))
            total = sum(info.file_size for info in wanted)
            if total > MOST_BYTES or (total > SMALL and total > MOST_RATIO * path.stat().st_size):
                raise DataError(_bomb(name, total, path.stat().st_size))
            folder.mkdir(parents=True, exist_ok=True)
            return [_member(archive, info, folder, number, name) for number, info in enumerate(wanted, 1)]
    except (zipfile.BadZipFile, RuntimeError, EOFError, zlib.error) as error:
        raise DataError(
            Problem(f"cannot be unpacked: {error}", name, mend="Unpack it yourself and put the files into raw/.")
        ) from error


def _is_hidden(member: str) -> bool:
    return any(part.startswith((".", "__MACOSX")) and part != ".." for part in PurePosixPath(member).parts)


def _no_exports(name: str, members: list[str], allowed: tuple[str, ...]) -> Problem:
    return Problem(
        "is an archive without an export in it",
        name,
        seen=listing(members, 5),
        why=f"Files that can be read end in {', '.join(allowed)}.",
        mend="Put the exported files themselves into raw/.",
    )


def _member(archive: zipfile.ZipFile, info: zipfile.ZipInfo, folder: Path, number: int, name: str) -> Path:
    plain = "".join(c if c.isalnum() or c in "._-" else "_" for c in PurePosixPath(info.filename).name)
    copy = folder / f"{number:04}-{plain[-80:]}"
    if copy.exists() and copy.stat().st_size == info.file_size:
        return copy
    with archive.open(info) as packed, copy.open("wb") as target:
        written = 0
        while chunk := packed.read(_CHUNK):
            written += len(chunk)
            if written > info.file_size:
                raise DataError(_bomb(name, written, max(1, info.compress_size)))
            target.write(chunk)
    return copy


def copy_as_utf8(path: Path, copy: Path, encoding: str, name: str) -> None:
    """Write a plain UTF-8 copy of a text file. Bytes that do not decode are left for the careful reader to count."""
    if copy.exists():
        return
    beside = copy.with_name(f".{copy.name}.tmp")
    try:
        with beside.open("wb") as target:
            for chunk in text_chunks(path, encoding, name):
                target.write(chunk)
        beside.replace(copy)
    finally:
        beside.unlink(missing_ok=True)


def text_chunks(path: Path, encoding: str, name: str) -> Iterator[bytes]:
    """Yield a text file's UTF-8 bytes without byte order mark; bytes that do not decode pass through undecoded."""
    size, seen, lines = path.stat().st_size, 0, 0
    decoder = None if encoding == "utf-8" else codecs.getincrementaldecoder(encoding)(errors="surrogateescape")
    with path.open("rb") as file:
        gzipped = is_gzip(file.read(2))
        file.seek(0)
        pieces = _inflated(file) if gzipped else iter(lambda: file.read(_CHUNK), b"")
        try:
            for piece in pieces:
                text = decoder.decode(piece).encode("utf-8", errors="surrogateescape") if decoder else piece
                yield text if seen else text.removeprefix(b"\xef\xbb\xbf")
                seen, lines = seen + len(piece), lines + text.count(b"\n")
                if gzipped and seen > SMALL and (seen > MOST_RATIO * size or seen > MOST_BYTES):
                    raise DataError(_bomb(name, seen, size))
        except (EOFError, zlib.error) as error:
            raise DataError(_cut(name, lines)) from error
