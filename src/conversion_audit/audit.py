"""What every notebook opens: one client, one period, and every table by its name."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from datetime import date
from functools import cached_property
from typing import Any

import pandas as pd

from conversion_audit import asked, recipes
from conversion_audit.cleared import keep_answers_out_of_git
from conversion_audit.config import Config, read_config
from conversion_audit.engine import Table, statement
from conversion_audit.errors import ConfigError, Problem, closest
from conversion_audit.findings import Finding, plain, ranked
from conversion_audit.folders import Folders, home
from conversion_audit.prepared import INTAKE, Prepared, code, engine_in
from conversion_audit.schema import Period

KNOWN = (*INTAKE, *recipes.TABLES)  # every shared table there is
BLIND = "blind_days"
MADE_BY = ("analysis", "recipes")


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
    keep_answers_out_of_git(home())
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
    where : dict
        Column -> value: the sessions looked at; empty for all.
    """

    def __init__(
        self,
        folders: Folders,
        config: Config,
        start: str | None,
        end: str | None,
        where: Any,
        *,
        like: Audit | None = None,
    ) -> None:
        self.folders, self.config = folders, config
        self._asked = (asked.read_day(start, "start"), asked.read_day(end, "end"))
        self.where = asked.read_conditions(where)
        self._tables: dict[str, Table] = {}
        self._made: dict[str, Any] = {}
        self._is_beside = like is not None
        self.prepared = like.prepared if like else Prepared(folders, config, engine_in(folders, config.engine))
        self.engine = self.prepared.engine

    def on(self, start: date, end: date, *, every: bool = False) -> Audit:
        """Return the audit of the same sessions on other days, less those on which the goal was not recorded, or of every day."""
        other = Audit(self.folders, self.config, str(start), str(end), self.where, like=self)
        if every:
            other.blind_days = pd.DataFrame({"date": []})
        return other

    # Shared tables, by name.

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
                self._tables |= self.prepared.intake()
            elif name in recipes.TABLES:
                recipe = recipes.TABLES[name]
                self._tables[name] = self.prepared.table(name, self._parts(name), lambda: recipe.make(self))
            else:
                raise ConfigError(
                    Problem(f"no table {name!r}{closest(name, KNOWN)}", mend=f"Tables: {', '.join(KNOWN)}")
                )
        return self._tables[name]

    def once(self, name: str, make: Callable[[], Any]) -> Any:
        """Return what `make` gave the first time: several shared tables may come from one computation."""
        if name not in self._made:
            self._made[name] = make()
        return self._made[name]

    def frame(self, name: str) -> pd.DataFrame:
        """Return a small shared table as a DataFrame."""
        return self.table(name).frame()

    def has(self, name: str) -> bool:
        """Say whether the export gives any row of a shared table."""
        return len(self.table(name)) > 0

    def prepare(self) -> None:
        """
        Make every shared table now, so that notebooks only read.

        Raises
        ------
        ConfigError, DataError
            Where nothing of the export is asked for; where more of it is unreadable than `accept_bad` allows.
        """
        self.stop_if_empty()
        self.stop_if_too_bad()
        for name in ("events", *recipes.TABLES):
            self.table(name)
        recipes.intent.write_current(self)
        _ = self.findings

    def stop_if_empty(self) -> None:
        """Raise `ConfigError` where no day of the export, or no session, is in the period."""
        has_visits = self.has("visits")
        if self._days_seen and (has_visits or self.has("stage_counts")):
            asked.refuse_elsewhere(self.period, self._days_seen)
        if has_visits:
            asked.refuse_nothing(self.period, self.where, self.every_session, self.all_sessions, self.sessions)

    def stop_if_too_bad(self) -> None:
        """Raise `DataError` where more of the export is unreadable than `accept_bad` allows."""
        from conversion_audit.intake import ledger

        ledger.stop_if_too_bad(self.ledger, self.config.accept_bad)

    @property
    def inputs(self) -> dict[str, str]:
        """File of the export -> SHA-256."""
        return self.prepared.inputs

    def _parts(self, name: str) -> list[Any]:
        recipe = recipes.TABLES[name]
        parts = [name, self.prepared.intake_hash, *map(code, MADE_BY), self.prepared.config_part(recipe.keys)]
        if recipe.of_period:
            parts += self._scope + ([] if name == BLIND else [sorted(self.blind_days["date"].astype(str))])
        return parts + [self._parts(needed) for needed in recipe.needs if needed in recipes.TABLES]

    @property
    def _scope(self) -> list[Any]:
        labels = self.folders.data / "labels.csv"  # a sample checked by hand corrects the rules
        checked = hashlib.md5(labels.read_bytes()).hexdigest() if labels.is_file() else None
        return [str(self.period), sorted(self.where.items()), self.config.seed, checked]

    # The period, applied once, at session grain.

    @cached_property
    def period(self) -> Period:
        """
        First and last day looked at: asked for, else the config's, else the export's.

        Raises
        ------
        ConfigError
            Where it ends before it starts, and where totals name no day and nobody says of which days they are.
        """
        start, end = self._asked
        if self.config.period:
            start, end = start or self.config.period.start, end or self.config.period.end
        if not (start and end):
            if self._days_seen is None:
                raise asked.of_no_day(self.folders.client)
            first, last = self._days_seen
            start, end = start or first, end or last
        return asked.in_order(start, end, lambda: self._days_seen)

    @cached_property
    def _days_seen(self) -> tuple[date, date] | None:
        return asked.days_seen(self.table("visits"), self.table("stage_counts"))

    @property
    def last_day(self) -> date:
        """Last day of the export, the period's where its totals name none."""
        return self._days_seen[1] if self._days_seen else self.period.end

    @cached_property
    def blind_days(self) -> pd.DataFrame:
        """Days of the period that no rate contains: the goal was not recorded (see `fitness.blind_days`)."""
        # Those of days that are only compared with are not kept: they would push this period's out of prepared/.
        return recipes.TABLES[BLIND].make(self) if self._is_beside else self.frame(BLIND)

    @cached_property
    def every_session(self) -> Table:
        """Sessions of the whole export."""
        return self.table("sessions")

    @cached_property
    def all_sessions(self) -> Table:
        """Sessions of the period that meet `where`, bots, internal and test traffic included; none of a blind day."""
        return asked.narrowed(self.every_session, self.period, self.blind_days, self.where)

    @cached_property
    def sessions(self) -> Table:
        """Sessions of the period that count."""
        return self.engine.view(_sql("counted"), {"sessions": self.all_sessions}, name="sessions_of_period")

    def _of_sessions(self, name: str) -> Table:
        found = {"rows": self.table(name), "sessions": self.sessions}
        return self.engine.view(_sql("of_sessions"), found, name=f"{name}_of_period")

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
        found = {"items": self.table("items"), "events": self.events}
        return self.engine.view(_sql("items"), found, name="items_of_period")

    @cached_property
    def history(self) -> Table:
        """Marks of the whole export, set-aside sessions left out, with ``in_period``."""
        found = {"marks": self.table("marks"), "every": self.every_session, "sessions": self.sessions}
        return self.engine.view(_sql("history"), found, name="history")

    @property
    def book_orders(self) -> Table:
        """Orders of the shop's own books, where a source gives them."""
        return self.table("book_orders")

    @cached_property
    def ledger(self) -> pd.DataFrame:
        """Every row of the export under its one terminal reason (see `intake.ledger`)."""
        from conversion_audit.intake import ledger

        return ledger.ledger(self.table("fates"), self.period.start, self.period.end)

    # What it all says.

    @cached_property
    def summary(self) -> pd.DataFrame:
        """What there is: period, sessions, orders, rows by fate; raises `ConfigError` where nothing is: every notebook begins here."""
        self.stop_if_empty()
        return recipes.summary(self)

    @cached_property
    def headline(self) -> dict[str, Any]:
        """The manifest's headline numbers (documented in data/README.md)."""
        return plain(recipes.headline(self))

    @cached_property
    def findings(self) -> list[Finding]:
        """Every finding, ranked; computed once and kept in prepared/."""
        parts = [self.prepared.intake_hash, *map(code, MADE_BY), self.config.model_dump_json(), self._scope]
        make = lambda: plain([vars(finding) for finding in ranked(recipes.findings(self))])  # noqa: E731
        records = self.prepared.record("findings", parts, make)
        return [Finding.of(record) for record in records]


def _sql(name: str) -> str:
    return statement(__file__, name)
