"""What every notebook opens: one client, one period, and every table by its name."""

from __future__ import annotations

import hashlib
import json
import secrets
import shutil
from collections.abc import Mapping
from datetime import date
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import pandas as pd
from filelock import FileLock

from conversion_audit import recipes
from conversion_audit.config import Config, Period, read_config
from conversion_audit.engine import Engine, Table, statement
from conversion_audit.errors import ConfigError, MachineError, Problem, closest
from conversion_audit.findings import Finding, plain, ranked
from conversion_audit.folders import Folders

INTAKE = (
    "events",
    "items",
    "orders",
    "visits",
    "rejects",
    "fates",
    "masked",
    "book_orders",
    "stage_counts",
    "outcomes",
)
INTAKE_KEYS = (
    "timezone", "currency", "sources", "page_types", "goals", "own_hosts", "referral_exclusions",
    "query_parameters", "internal", "fx",
)  # fmt: skip


def open_audit(
    client: str, start: str | None = None, end: str | None = None, where: Mapping[str, str] | str | None = None
) -> Audit:
    """
    Open a client's audit.

    Parameters
    ----------
    client : str
        Folder under ``data/``.
    start, end : str, optional
        First and last day, ISO; the config's period, else the whole export.
    where : mapping or str, optional
        Sessions to look at, e.g. ``{"device": "mobile"}`` or ``"device=mobile, country=Germany"``.

    Raises
    ------
    ConfigError
        For an unknown client, a broken config, or a `where` that names no column of sessions.
    DataError
        Where the export cannot be read.
    """
    return Audit(Folders(client).existing(), read_config(client), start, end, where)


class Audit:
    """
    One client's tables for one period; see `open_audit`.

    Attributes
    ----------
    sessions, all_sessions, every_session : Table
        Of the period without what is set aside (bots, internal, test); of the period with it; of the whole export.
    marks, history : Table
        Marks of `sessions`; marks of the whole export with a column ``in_period``.
    events, items, orders : Table
        Of `sessions`.
    """

    def __init__(self, folders: Folders, config: Config, start: str | None, end: str | None, where: Any) -> None:
        self.folders, self.config = folders, config
        self._asked = (_day(start, "start"), _day(end, "end"))
        self._where = _conditions(where)
        self._tables: dict[str, Table] = {}
        try:
            folders.prepared.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise MachineError(
                Problem(f"cannot be written: {error.strerror}", f"data/{folders.client}/prepared")
            ) from error
        self.engine = Engine(
            folders=[folders.raw, folders.prepared],
            scratch=folders.prepared / ".spill",
            memory=config.engine.memory,
        )

    # Shared tables, cached in prepared/ under a hash of what they are made from.

    def table(self, name: str) -> Table:
        """
        Return a shared table by name, making it if its inputs, config keys or code are new.

        Raises
        ------
        ConfigError
            For a name that is no table, with the closest one.
        """
        if name not in self._tables:
            if name in INTAKE:
                self._open_intake()
            elif name in recipes.TABLES:
                self._tables[name] = self._made(name, recipes.TABLES[name])
            else:
                known = [*INTAKE, *recipes.TABLES]
                raise ConfigError(
                    Problem(f"no table {name!r}{closest(name, known)}", mend=f"Tables: {', '.join(known)}")
                )
        return self._tables[name]

    def frame(self, name: str) -> pd.DataFrame:
        """Return a small shared table as a DataFrame."""
        return self.table(name).frame()

    def has(self, name: str) -> bool:
        """Say whether the export gives any row of a shared table."""
        try:
            return len(self.table(name)) > 0
        except KeyError:
            return False

    def prepare(self) -> None:
        """Make every shared table now, so that notebooks only read."""
        self._open_intake()
        for name in recipes.TABLES:
            self.table(name)
        _ = self.findings

    def _made(self, name: str, recipe: recipes.Recipe) -> Table:
        path = self.folders.prepared / f"{name}-{self._hash_of(name, recipe)}.parquet"
        with FileLock(self.folders.prepared / f".{name}.lock"):
            if not path.is_file():
                made = recipe.make(self)
                self.engine.write("SELECT * FROM this", path, {"this": made})
        return self.engine.open(path)

    def _hash_of(self, name: str, recipe: recipes.Recipe) -> str:
        parts = [name, self.intake_hash, _code("analysis"), self._config_part(recipe.keys)]
        if recipe.of_period:
            parts += [self.period.start, self.period.end, sorted(self._where.items()), self.config.seed]
        for needed in recipe.needs:
            if needed in recipes.TABLES:
                parts.append(self._hash_of(needed, recipes.TABLES[needed]))
        return _short(parts)

    def _config_part(self, keys: tuple[str, ...]) -> str:
        return self.config.model_dump_json(include=set(keys))

    @cached_property
    def inputs(self) -> dict[str, str]:
        """File of the export -> SHA-256."""
        return {file.name: file.sha256 for files in self._files.values() for file in files}

    @cached_property
    def _files(self) -> dict[int, list]:
        from conversion_audit.intake import prepare

        return prepare.open_sources(self.config, self.folders.data, self.folders.prepared / ".inputs")

    @cached_property
    def intake_hash(self) -> str:
        """What the tables of intake are made from: inputs, config keys, code."""
        return _short([sorted(self.inputs.items()), self._config_part(INTAKE_KEYS), _code("intake"), _code("engine")])

    def _open_intake(self) -> None:
        paths = {name: self.folders.prepared / f"{name}-{self.intake_hash}.parquet" for name in INTAKE}
        with FileLock(self.folders.prepared / ".intake.lock"):
            if not all(path.is_file() for path in paths.values()):
                self._take_in(paths)
        self._tables |= {name: self.engine.open(path) for name, path in paths.items()}

    def _take_in(self, paths: Mapping[str, Path]) -> None:
        from conversion_audit.intake import prepare

        scratch = self.folders.prepared / ".scratch"
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir()
        try:
            tables = prepare.take_in(self.engine, self.config, self._files, key=self._key, scratch=scratch)
            for name, path in paths.items():
                self.engine.write("SELECT * FROM this", path, {"this": tables[name]})
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
        for old in self.folders.prepared.glob("*-*.parquet"):
            if old.name.split("-")[0] in INTAKE and old not in paths.values():
                old.unlink(missing_ok=True)

    @cached_property
    def _key(self) -> bytes:
        path = self.folders.data / ".key"
        if not path.is_file():
            path.write_text(secrets.token_hex(32), encoding="ascii")
            path.chmod(0o600)
        return bytes.fromhex(path.read_text(encoding="ascii"))

    # The period, applied once, at session grain.

    @cached_property
    def period(self) -> Period:
        """First and last day looked at."""
        start, end = self._asked
        config = self.config.period
        if not (start or config) or not (end or config):
            days = self.engine.query(_sql("days"), {"visits": self.table("visits")}).iloc[0]
            first, last = (value.date() if pd.notna(value) else date(1970, 1, 1) for value in days)
        else:
            first, last = config.start if config else start, config.end if config else end
        return Period(start=start or first, end=end or last)

    @cached_property
    def every_session(self) -> Table:
        """Sessions of the whole export."""
        return self.table("sessions")

    @cached_property
    def all_sessions(self) -> Table:
        """Sessions of the period that meet `where`, bots, internal and test traffic included."""
        unknown = [column for column in self._where if column not in self.every_session.columns]
        if unknown:
            known = self.every_session.columns
            raise ConfigError(
                *(
                    Problem(f"where: no column {c!r}{closest(c, known)}", mend=f"Columns: {', '.join(known)}")
                    for c in unknown
                )
            )
        asked = pd.DataFrame({"start": [pd.Timestamp(self.period.start)], "end": [pd.Timestamp(self.period.end)]})
        found = {"sessions": self.every_session, "period": self.engine.hold(asked, "period")}
        table = self.engine.view(_sql("in_period"), found, name="all_sessions")
        for column, value in self._where.items():
            wanted = self.engine.hold(pd.DataFrame({column: [value]}), "wanted")
            table = self.engine.view(
                f'SELECT s.* FROM s JOIN w ON lower(CAST(s."{column}" AS VARCHAR)) = lower(w."{column}")',
                {"s": table, "w": wanted},
            )
        return self.engine.create("SELECT * FROM this", {"this": table}, name="all_sessions")

    @cached_property
    def sessions(self) -> Table:
        """Sessions of the period that count."""
        return self.engine.view(_sql("counted"), {"sessions": self.all_sessions}, name="sessions")

    def _of_sessions(self, name: str) -> Table:
        found = {"rows": self.table(name), "sessions": self.sessions}
        return self.engine.view(_sql("of_sessions"), found, name=name)

    @cached_property
    def events(self) -> Table:
        """Events of `sessions`."""
        return self._of_sessions("events")

    @cached_property
    def orders(self) -> Table:
        """Orders of `sessions`."""
        return self._of_sessions("orders")

    @cached_property
    def marks(self) -> Table:
        """Marks of `sessions`."""
        return self._of_sessions("marks")

    @cached_property
    def items(self) -> Table:
        """Items of `events`."""
        return self.engine.view(_sql("items"), {"items": self.table("items"), "events": self.events}, name="items")

    @cached_property
    def history(self) -> Table:
        """Marks of the whole export, set-aside sessions left out, with ``in_period``."""
        found = {"marks": self.table("marks"), "every": self.every_session, "sessions": self.sessions}
        return self.engine.view(_sql("history"), found, name="history")

    @cached_property
    def book_orders(self) -> Table:
        """Orders of the shop's own books, where a source gives them."""
        return self.table("book_orders")

    @cached_property
    def rejects(self) -> Table:
        """Quarantined rows."""
        return self.table("rejects")

    @cached_property
    def ledger(self) -> pd.DataFrame:
        """Every row of the export under its one terminal reason (see `intake.ledger`)."""
        from conversion_audit.intake import ledger

        return ledger.ledger(self.table("fates"), self.period.start, self.period.end)

    # What it all says.

    @cached_property
    def summary(self) -> pd.DataFrame:
        """What there is: period, rows by fate, sessions, visitors, orders, revenue."""
        counts = self.engine.query(_sql("summary"), {"sessions": self.sessions}).iloc[0]
        fates = self.ledger.groupby(["status", "reason"]).rows.sum()
        rows = [("period", f"{self.period.start} to {self.period.end}"), *((k, f"{v:,.0f}") for k, v in counts.items())]
        rows += [(f"rows {status}: {reason}", f"{n:,}") for (status, reason), n in fates.items()]
        return pd.DataFrame(rows, columns=["what", "value"]).set_index("what")

    @cached_property
    def headline(self) -> dict[str, Any]:
        """The manifest's headline numbers (documented in data/README.md)."""
        return plain(recipes.headline(self))

    @cached_property
    def findings(self) -> list[Finding]:
        """Every finding, ranked; computed once and kept in prepared/."""
        key = [
            self.intake_hash,
            _code("analysis"),
            self.config.model_dump_json(),
            str(self.period),
            sorted(self._where.items()),
        ]
        path = self.folders.prepared / f"findings-{_short(key)}.json"
        with FileLock(self.folders.prepared / ".findings.lock"):
            if not path.is_file():
                records = [plain(vars(finding)) for finding in ranked(recipes.findings(self))]
                for old in self.folders.prepared.glob("findings-*.json"):
                    old.unlink(missing_ok=True)
                beside = path.with_suffix(".tmp")
                beside.write_text(json.dumps(records), encoding="utf-8")
                beside.replace(path)
        return [Finding(**_tuples(record)) for record in json.loads(path.read_text(encoding="utf-8"))]


def _sql(name: str) -> str:
    return statement(__file__, name)


def _tuples(record: dict[str, Any]) -> dict[str, Any]:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in record.items()}


def _short(parts: list[Any]) -> str:
    return hashlib.md5(json.dumps(parts, default=str).encode()).hexdigest()[:12]


@lru_cache
def _code(package: str) -> str:
    """A hash of a package's code: what it makes is made anew when it changes."""
    files = sorted(
        path for path in (Path(__file__).parent / package).rglob("*") if path.suffix in {".py", ".sql", ".csv", ".yaml"}
    )
    return _short([(path.name, hashlib.md5(path.read_bytes()).hexdigest()) for path in files])


def _day(value: str | None, name: str) -> date | None:
    try:
        return None if value is None else date.fromisoformat(str(value))
    except ValueError as error:
        raise ConfigError(Problem(f"{name} is not a day", seen=str(value), mend="Write e.g. 2026-03-02.")) from error


def _conditions(where: Mapping[str, str] | str | None) -> dict[str, str]:
    if not isinstance(where, str):
        return {key: str(value) for key, value in (where or {}).items()}
    pairs = [part.split("=", 1) for part in where.split(",") if part.strip()]
    if any(len(pair) != 2 for pair in pairs):
        raise ConfigError(Problem("where is not 'column=value, ...'", seen=where, mend="Write e.g. device=mobile."))
    return {key.strip(): value.strip() for key, value in pairs}
