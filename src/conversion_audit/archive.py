"""Zip archives: what is handed over to the client, and a whole client on its way to a colleague."""

from __future__ import annotations

import re
import shutil
import zipfile
import zlib
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from conversion_audit import runs
from conversion_audit.errors import ConfigError, DataError, Problem
from conversion_audit.folders import Folders, home
from conversion_audit.running import manifest, publish
from conversion_audit.running.lock import locked

LARGEST = 20 * 2**30
RATIO = 200
_EPOCH = (1980, 1, 1, 0, 0, 0)
_PRIVATE = 0o600  # the client's key, and a zip that holds it, are nobody else's to read


def handover(client: str, to: Path | None = None, run: str | None = None, *, partial: bool = False) -> Path:
    """
    Zip what the client receives: the folder ``client/`` of a run, and nothing else.

    Parameters
    ----------
    client : str
        Folder under ``reports/``.
    to : Path, optional
        The zip, or a folder for it; by default ``reports/<client>/handover/<client>_<first day>_<last day>.zip``.
    run : str, optional
        The newest by default.
    partial : bool
        Hand over a run in which a chapter could not be computed.

    Raises
    ------
    DataError
        If the run was changed after it was published, or is partial.
    """
    folder = runs.folder_of(client, run)
    wrong = list(runs.altered(folder))
    if wrong:
        mend = f"Make a new run with: audit run {client}"
        raise DataError(*(Problem(sentence, f"reports/{client}/{folder.name}", mend=mend) for sentence in wrong))
    found = manifest.read(folder)
    if found["status"] != "complete" and not partial:
        failed = ", ".join(one["name"] for one in found["chapters"] if one["status"] == "failed")
        why = "The report says on its first page that it is partial."
        mend = "Mend it and run again, or hand it over as it is with --partial."
        raise DataError(Problem(f"the run is partial: {failed}", f"reports/{client}/{folder.name}", why=why, mend=mend))
    only = [f"{column}-{value}" for column, value in runs.where_of(found).items()]
    parts = [client, found["period"]["start"], found["period"]["end"], *only]
    name = "_".join(re.sub(r"[^\w-]", "-", part) for part in parts) + ".zip"
    path = _within(to, name) if to else Folders(client).reports / "handover" / name
    files = sorted(one for one in (folder / "client").rglob("*") if one.is_file())
    _zip(path, ((one, one.relative_to(folder / "client").as_posix()) for one in files))
    return path


def pack(client: str, to: Path, *, raw: bool = True) -> Path:
    """
    Zip a whole client: its data without what can be derived, and its runs.

    Parameters
    ----------
    client : str
        Folder under ``data/``.
    to : Path
        The zip, or a folder for ``<client>.zip``. It holds what the client sent: guard it like the export itself.
    raw : bool
        With the export.
    """
    folders = Folders(client).existing()
    left_out = {folders.prepared, folders.lists, *(() if raw else (folders.raw,))}
    with locked(folders):
        files = [
            path
            for folder in (folders.data, folders.reports)
            for path in sorted(folder.rglob("*"))
            if path.is_file() and not path.is_symlink() and not left_out & {*path.parents}
        ]
        kept = [path for path in files if path.name not in {".lock", ".holder", "latest"}]
        path = _within(to, f"{client}.zip")
        _zip(path, ((one, one.relative_to(home()).as_posix()) for one in kept), mode=_PRIVATE)
    return path


def _within(to: Path, name: str) -> Path:
    """Return where a zip goes: under its own name into a folder that is there; raises `ConfigError` for a device or pipe."""
    if to.exists() and not (to.is_dir() or to.is_file()):
        raise ConfigError(Problem("is no file and no folder", str(to), mend="Name a zip to write."))
    return to / name if to.is_dir() else to


def unpack(path: Path, largest: int = LARGEST) -> str:
    """
    Take in a client that `pack` zipped.

    Parameters
    ----------
    path : Path
        The zip.
    largest : int
        Bytes that its content may have.

    Returns
    -------
    str
        The client.

    Raises
    ------
    DataError
        If it is no such zip, damaged or locked, its names lead elsewhere, or it would grow beyond measure.
    ConfigError
        If the client is here already.
    """
    try:
        archive = zipfile.ZipFile(path)
    except (OSError, zipfile.BadZipFile) as error:
        raise DataError(Problem("not a readable zip", path.name, why=str(error)[:100])) from None
    with archive:
        client = _only_client(archive, path)
        _require_small(archive, path, largest)
        if f"data/{client}/audit.yaml" not in archive.namelist():
            mend = "Unpack a zip that audit pack wrote."
            raise DataError(Problem(f"the archive holds no data/{client}/audit.yaml", path.name, mend=mend))
        folders = Folders(client)
        if folders.data.exists() or folders.reports.exists():
            mend = f"Remove it first with: audit forget {client}"
            raise ConfigError(Problem(f"there is a client {client!r} already", f"data/{client}", mend=mend))
        try:
            _extract(archive, folders)
        except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError) as error:  # RuntimeError: a password
            mend = f"Copy it again, or pack it again with: audit pack {client} --to ZIP"
            raise DataError(
                Problem("a file in the archive cannot be read", path.name, why=str(error), mend=mend)
            ) from None
    return client


def _only_client(archive: zipfile.ZipFile, path: Path) -> str:
    found = set()
    for name in archive.namelist():
        parts = PurePosixPath(name).parts
        if (
            "\\" in name
            or name.startswith("/")
            or ".." in parts
            or len(parts) < 3
            or parts[0] not in {"data", "reports"}
        ):
            why = "A packed client holds only data/<client>/ and reports/<client>/."
            raise DataError(
                Problem("the archive holds a file that is not a client's", path.name, ascii(name)[1:-1], why)
            )
        found.add(parts[1])
    if len(found) != 1:
        raise DataError(Problem(f"the archive holds {len(found)} clients, not one", path.name))
    return found.pop()


def _require_small(archive: zipfile.ZipFile, path: Path, largest: int) -> None:
    size = sum(one.file_size for one in archive.infolist())
    ratio = size / max(1, path.stat().st_size)
    if size > largest or (ratio > RATIO and size > 50e6):
        raise DataError(
            Problem(
                f"the archive would grow to {size / 1e6:,.0f} MB ({ratio:,.0f} times its size)",
                path.name,
                why=f"Limits: {largest / 1e6:,.0f} MB and {RATIO} times.",
                mend="If it is what it should be, unpack it by hand into data/ and reports/.",
            )
        )


def _extract(archive: zipfile.ZipFile, folders: Folders) -> None:
    """Aside first, then two renames: a client is here whole or not at all."""
    aside = home() / "data" / f".unpack-{folders.client}"
    shutil.rmtree(aside, ignore_errors=True)
    try:
        for one in archive.infolist():
            if one.is_dir():
                continue
            target = aside / one.filename
            target.parent.mkdir(parents=True, exist_ok=True)
            target.touch(_PRIVATE if target.name == ".key" else 0o666)
            with archive.open(one) as source, target.open("wb") as file:
                _copy(source, file, one)
        folders.reports.parent.mkdir(parents=True, exist_ok=True)
        if (aside / "reports" / folders.client).exists():
            (aside / "reports" / folders.client).rename(folders.reports)
        (aside / "data" / folders.client).rename(folders.data)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    there = publish.published(folders.reports)
    if there:
        publish.point(folders.reports, there[-1])


def _copy(source, file, one: zipfile.ZipInfo) -> None:
    """A member's header may lie about its size: count what really comes out."""
    left = one.file_size
    while block := source.read(min(2**20, left + 1)):
        left -= len(block)
        if left < 0:
            raise DataError(Problem("the archive holds more than it says", ascii(one.filename)[1:-1]))
        file.write(block)


def _zip(path: Path, files: Iterable[tuple[Path, str]], mode: int = 0o666) -> None:
    """Write a zip with the same bytes for the same files, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.tmp")
    beside.unlink(missing_ok=True)
    try:
        beside.touch(mode)
        with zipfile.ZipFile(beside, "w", zipfile.ZIP_DEFLATED) as archive:
            for source, name in files:
                entry = zipfile.ZipInfo(name, _EPOCH)
                entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
                entry.file_size = source.stat().st_size
                with source.open("rb") as reader, archive.open(entry, "w") as writer:
                    shutil.copyfileobj(reader, writer)
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
