"""The tables under ``data/<client>/prepared``: made once, named by a hash of what they are made from."""

from __future__ import annotations

import hashlib
import json
import re
import secrets
import shutil
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

from filelock import FileLock

from conversion_audit.config import Config
from conversion_audit.engine import AnyTable, Engine, Table
from conversion_audit.engine.files import gone, put, whole
from conversion_audit.errors import MachineError, Problem
from conversion_audit.folders import Folders
from conversion_audit.schema import EngineChoice

INTAKE = (
    "events",
    "items",
    "orders",
    "visits",
    "rejects",
    "fates",
    "masked",
    "aside",
    "timeouts",
    "remarks",
    "book_orders",
    "stage_counts",
    "outcomes",
)
_KEY_BYTES = 32
INTAKE_KEYS = (
    "timezone", "currency", "sources", "page_types", "goals", "own_hosts", "referral_exclusions",
    "query_parameters", "internal", "fx",
)  # fmt: skip


class Prepared:
    """
    A client's derived tables.

    Parameters
    ----------
    folders : Folders
        The client's folders.
    config : Config
        The client's config.
    engine : Engine
        Fenced to raw and prepared.

    Notes
    -----
    A table's file name carries a hash of its inputs, of the config keys it depends on and of the code that makes it.
    It is written beside and renamed, so that a killed run leaves nothing half-made; one that lost its end is made anew.
    """

    def __init__(self, folders: Folders, config: Config, engine: Engine) -> None:
        self.folders, self.config, self.engine = folders, config, engine
        self.folder = folders.prepared

    @cached_property
    def inputs(self) -> dict[str, str]:
        """File of the export -> SHA-256."""
        return {file.name: file.sha256 for files in self.files.values() for file in files}

    @cached_property
    def files(self) -> dict[int, list]:
        """The opened files of each source of the config."""
        from conversion_audit.intake import opened

        return opened.open_sources(self.config, self.folders.data, self.folder / ".inputs")

    @property
    def unread(self) -> list[str]:
        """Files in raw/ that no source of the config reads, sorted."""
        from conversion_audit.intake.files import is_export

        there = (path for path in sorted(self.folders.raw.rglob("*")) if is_export(path))
        names = (path.relative_to(self.folders.data).as_posix() for path in there)
        return [name for name in names if name not in self.inputs]

    @cached_property
    def intake_hash(self) -> str:
        """What the tables of intake are made from: inputs, config keys, code."""
        return short([sorted(self.inputs.items()), self.config_part(INTAKE_KEYS), code("intake"), code("engine")])

    def config_part(self, keys: Iterable[str]) -> str:
        """Return the named keys of the config, as text to hash."""
        return self.config.model_dump_json(include=set(keys))

    def intake(self) -> dict[str, Table]:
        """Return every table of intake, making them if the export, their config keys or their code are new."""
        paths = {name: self.folder / f"{name}-{self.intake_hash}.parquet" for name in INTAKE}
        with FileLock(self.folder / ".intake.lock"):
            if not all(whole(path) for path in paths.values()):
                self._take_in(paths)
        return {name: self.engine.open(path) for name, path in paths.items()}

    @property
    def expected(self) -> str | None:
        """What reading the export will take, in words; None where its tables are there."""
        from conversion_audit.intake import room

        if all(whole(self.folder / f"{name}-{self.intake_hash}.parquet") for name in INTAKE):
            return None
        return room.estimate([file for several in self.files.values() for file in several]).words

    def table(self, name: str, parts: list[Any], make: Callable[[], AnyTable]) -> Table:
        """Return the table made from `parts`, making it if there is none yet; older ones of its name go."""
        path = self.folder / f"{name}-{short(parts)}.parquet"
        with FileLock(self.folder / f".{name}.lock"):
            if not whole(path):
                self.engine.write("SELECT * FROM this", path, {"this": make()})
                self._forget(name, path)
        return self.engine.open(path)

    def record(self, name: str, parts: list[Any], make: Callable[[], Any]) -> Any:
        """The same for plain data, kept as JSON."""
        path = self.folder / f"{name}-{short(parts)}.json"
        with FileLock(self.folder / f".{name}.lock"):
            with suppress(OSError, ValueError):  # not there, or cut off
                return json.loads(path.read_text(encoding="utf-8"))
            beside = path.with_suffix(".tmp")
            beside.write_text(json.dumps(make()), encoding="utf-8")
            beside.replace(path)
            self._forget(name, path)
            return json.loads(path.read_text(encoding="utf-8"))

    def _take_in(self, paths: Mapping[str, Path]) -> None:
        from conversion_audit.intake import prepare, room

        scratch = self.folder / ".scratch"
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir()
        try:
            files = [file for several in self.files.values() for file in several]
            room.refuse_too_big(files, self.folder, limit=self.engine.memory)
            tables = prepare.take_in(self.engine, self.config, self.files, key=self.key, scratch=scratch)
            # What other tables still read as views comes first.
            for name, path in sorted(paths.items(), key=lambda item: tables[item[0]].path is not None):
                if tables[name].path:  # already a file of its own
                    put(tables[name].path, path)
                else:
                    self.engine.write("SELECT * FROM this", path, {"this": tables[name]})
                self._forget(name, path)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)

    def _forget(self, name: str, kept: Path) -> None:
        # A few periods or segments of the same table may live side by side; what is older goes.
        older = sorted(self.folder.glob(f"{name}-????????????{kept.suffix}"), key=lambda path: path.stat().st_mtime)
        for path in [path for path in older if path != kept][:-3]:
            gone(path)

    @cached_property
    def key(self) -> bytes:
        """
        The client's own key: ids that leave this machine are hashed with it.

        Raises
        ------
        MachineError
            If it cannot be written or is no key: with less of one, ids could be guessed from their hashes.
        """
        path, where = self.folders.data / ".key", f"data/{self.folders.client}/.key"
        try:
            if not path.is_file():
                beside = path.with_name(".key.tmp")
                beside.unlink(missing_ok=True)
                beside.touch(0o600)
                beside.write_text(secrets.token_hex(_KEY_BYTES), encoding="ascii")
                beside.replace(path)
            kept = path.read_text(encoding="ascii", errors="replace").strip()
        except OSError as error:
            raise MachineError(Problem(f"cannot be written: {error.strerror}", where)) from error
        if not re.fullmatch(rf"[0-9a-f]{{{2 * _KEY_BYTES}}}", kept):
            why = "With less than a whole key, ids could be guessed from their hashes."
            mend = (
                "Put the key back from a backup, or remove the file: a new one is made, and hashed ids are then others."
            )
            raise MachineError(Problem(f"is no key of {2 * _KEY_BYTES} hex digits", where, why=why, mend=mend))
        return bytes.fromhex(kept)


def engine_in(folders: Folders, chosen: EngineChoice) -> Engine:
    """Return the engine the config chose, fenced to raw and prepared; raises `MachineError` where it cannot write there."""
    try:
        folders.prepared.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        where = f"data/{folders.client}/prepared"
        raise MachineError(Problem(f"cannot be written: {error.strerror}", where)) from error
    fence, spill = [folders.raw, folders.prepared], folders.prepared / ".spill"
    if chosen.backend == "duckdb":
        return Engine(fence, spill, chosen.memory)
    from conversion_audit.engine.spark import SparkEngine

    return SparkEngine(fence, spill, chosen.memory, master=chosen.master, rows=chosen.rows, settings=chosen.settings)


def short(parts: Any) -> str:
    """Return twelve hex digits that stand for some plain data."""
    return hashlib.md5(json.dumps(parts, default=str).encode()).hexdigest()[:12]


@lru_cache
def code(package: str) -> str:
    """Return a hash of a package's code: what it makes is made anew when it changes."""
    folder = Path(__file__).parent / package
    files = sorted(path for path in folder.rglob("*") if path.suffix in {".py", ".sql", ".csv", ".yaml"})
    return short([(path.name, hashlib.md5(path.read_bytes()).hexdigest()) for path in files])
