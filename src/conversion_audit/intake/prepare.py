"""Raw export -> prepared tables: read, keep aside, clean, stitch, order, write. One direction, few passes."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from pathlib import Path

import pandas as pd

from conversion_audit.config import Config
from conversion_audit.engine import Engine, Table
from conversion_audit.errors import AuditError, DataError, Problem
from conversion_audit.intake import (
    agents,
    channels,
    currencies,
    devices,
    files,
    identity,
    landings,
    ledger,
    orders,
    remarks,
    rows,
    sessions,
    sold,
    sources,
    strays,
    traffic,
    zones,
)
from conversion_audit.intake.opened import Opened, may_overlap
from conversion_audit.intake.remarks import Remark
from conversion_audit.intake.sources.stored import united
from conversion_audit.tables import CONTRACTS, check, empty

START_TIMES = ("ga4", "ga360")
"""Kinds whose session ids are times of start: that two people share one means nothing."""


def take_in(engine: Engine, config: Config, opened: Opened, *, key: bytes, scratch: Path) -> dict[str, Table]:
    """
    Make every table of intake from the opened files.

    Returns
    -------
    dict
        events, items, orders, visits, rejects, fates, masked, book_orders, stage_counts, outcomes; a table that no
        source gives is empty.

    Raises
    ------
    DataError
        Where the export cannot carry an audit, or a file changed while it was read.
    """
    given: dict[str, list[Table]] = {}
    notes: list[Remark] = []
    for n, source in enumerate(config.sources):
        module = sources.KINDS[source.kind]
        table = module.read(engine, source, opened[n], timezone=source.timezone or config.timezone, scratch=scratch)
        given.setdefault(module.GIVES, []).append(table)
        notes += getattr(table, "notes", ())
    totals = ("book_orders", "stage_counts", "outcomes")
    tables = {name: _together(engine, name, given.get(name, [])) for name in totals}
    for name, column, amount in (("book_orders", "order_id", "revenue"), ("outcomes", "lead_id", "value")):
        notes += currencies.without_rate(config, tables[name], amount)
        tables[name] = rows.with_ids(currencies.converted(config, tables[name], amount), column, key)
    notes += [Remark("empty", file=file.name) for several in opened.values() for file in several if file.is_empty]
    raw = devices.told(agents.told(_together(engine, "rows", given.get("rows", []))))
    raw = engine.there(sold.marked(raw, list(config.goals.values()), config.own_hosts))
    tables |= prepare(
        config,
        raw,
        key=key,
        scratch=scratch,
        may_overlap=may_overlap(config, opened),
        notes=notes,
        required="rows" in given or not any(map(len, tables.values())),
    )
    if problems := files.changed(file for several in opened.values() for file in several):
        raise DataError(*problems)
    return tables


def _together(engine: Engine, name: str, tables: list[Table]) -> Table:
    """All tables of one kind as one; none: an empty one with the contract's columns."""
    if not tables:
        return engine.hold(empty(CONTRACTS[name]), name)
    return united(engine, tables, name)


def _refuse_multiplied(staged: Table, rejects: Table, repeated: Table, events: Table) -> None:
    """Every accepted row is one event, once: a join that turned one into two would pass for traffic."""
    kept = len(staged) - len(rejects) - len(repeated)
    if len(events) != kept:
        raise AuditError(
            Problem(f"{kept:,} rows became {len(events):,} events", "events", why="No rate of them would hold.")
        )


def prepare(
    config: Config,
    raw: Table,
    *,
    key: bytes,
    scratch: Path,
    now: datetime | None = None,
    may_overlap: Collection[str] = (),
    notes: Sequence[Remark] = (),
    required: bool = True,
) -> dict[str, Table]:
    """
    Make the shared tables from a source's rows.

    Parameters
    ----------
    config : Config
        The client's config.
    raw : Table
        See `tables.ROWS`; every row of every event export.
    key : bytes
        The client's own key, for ids that must not be read.
    scratch : Path
        Folder for what is thrown away afterwards.
    now : datetime, optional
        See `rows.staged`.
    may_overlap : collection of str
        See `rows.refuse_overlap`.
    notes : sequence of Remark
        What reading the files changed or found odd.
    required : bool
        There must be a row: False for a client who has totals, books or outcomes only.

    Returns
    -------
    dict
        events, items, orders, visits (sessions before the config's rules are known), rejects, fates, masked, aside
        (what set a session aside), timeouts (sessions by the gap that ends one), remarks (the notes, and the time zone).
    """
    staged, repeated, twice = _told_apart(raw, now, required=required)
    rows.refuse_overlap(staged, repeated, may_overlap)
    odd_sources = rows.odd_sources(staged)
    accepted = rows.accepted(staged, odd_sources, key=key)
    kept = rows.kept(accepted, repeated)
    found_zone = config.timezone or zones.zone_of(kept)
    zone = found_zone or "UTC"
    gaps = [source.session_timeout for source in config.sources if sources.KINDS[source.kind].GIVES == "rows"]
    timeout_seconds = min(gaps, default=0.0)
    outside = strays.strays(kept)
    owners, numbered, homes = _in_sessions(config, kept, outside, timeout_seconds)
    texts = rows.clean_texts(accepted, config, key=key)
    facts, by_channel = _facts(config, accepted, numbered, owners, texts)
    rates = currencies.rates(config)
    events = sessions.events(accepted, numbered, by_channel, texts, rates, path=scratch / "events.parquet", zone=zone)
    rejects = rows.rejects(staged)
    _refuse_multiplied(staged, rejects, repeated, events)
    items = rows.with_ids(orders.items(kept), "item_id", key)
    bought = sessions.purchases(kept, events)
    lines = orders.order_lines(bought, items)
    placed = orders.orders(bought, items, lines, zone=zone)
    aside = traffic.set_aside(events, accepted, placed, config.internal)
    path = scratch / "visits.parquet"
    visits = sessions.visits(events, facts, by_channel, owners, placed, aside, path=path, zone=zone)
    fates = ledger.fates(staged, repeated, numbered, owners, homes, visits, bought, placed, rates, zone=zone)
    tables = {"events": events, "items": items, "orders": placed, "rejects": rejects, "aside": aside}
    for name, table in tables.items():
        check(table, CONTRACTS[name])
    told = [*notes, *twice, *orders.remarks(lines), *_same_ids(config, facts)]
    told += strays.remarks(homes, timeout_seconds=timeout_seconds)
    small = {
        "masked": rows.masked_counts({**texts, "sources": odd_sources}),
        "timeouts": sessions.timeouts(kept, outside, timeout_seconds=timeout_seconds),
        "remarks": remarks.table(told, zone, is_assumed=found_zone is None),
    }
    held = {name: raw.engine.hold(frame, name) for name, frame in small.items()}
    return {**tables, "visits": visits, "fates": fates, **held}


def _told_apart(raw: Table, now: datetime | None, *, required: bool) -> tuple[Table, Table, list[Remark]]:
    """The rows with their ids, those that say again what another said, and what is to be said of ids given twice."""
    staged = rows.staged(raw, now, required=required)
    repeated = rows.repeated(staged)
    if not (clashes := rows.clashes(staged, repeated)):
        return staged, repeated, []
    raw.engine.drop(repeated)
    staged = rows.staged(raw, now, required=required, ids_tell=False)
    return staged, rows.repeated(staged), [Remark("ids_twice", rows=clashes)]


def _in_sessions(config: Config, kept: Table, outside: Table, timeout_seconds: float) -> tuple[Table, Table, Table]:
    """Whose each session is, the place of each row in its session and in its visitor's life, and where strays belong."""
    keyed = sessions.add_sessions(kept, timeout_seconds=timeout_seconds)
    # An event that is a goal under conditions only, as a payment that renews nothing, shows no visit by its name.
    goals = {event for goal in config.goals.values() if not goal.where for event in goal.event}
    homes = strays.homes(keyed, outside, goals, timeout_seconds=timeout_seconds)
    placed = strays.at_home(keyed, homes) if len(outside) else keyed
    owners = sessions.owners(identity.session_visitors(sessions.logins(placed)))
    numbered = sessions.numbered(placed, owners)
    kept.engine.drop(*{keyed, placed})
    return owners, numbered, homes


def _facts(
    config: Config, accepted: Table, numbered: Table, owners: Table, texts: Mapping[str, Table]
) -> tuple[Table, Table]:
    """What only the rows know of each session, and its channel."""
    own = (*config.own_hosts, *config.referral_exclusions)
    facts = landings.with_sources(sessions.facts(accepted, numbered, owners), accepted, numbered, texts, own)
    return facts, sessions.channels(facts, _named_channels(facts, own))


def _named_channels(facts: Table, own: Collection[str]) -> pd.DataFrame:
    """The channel of each source, medium and campaign; where the export knows sources, a session without one came directly."""
    named = channels.channels(sessions.source_triples(facts), own=own)
    return named.assign(channel=named["channel"].fillna("Direct")) if named["channel"].notna().any() else named


def _same_ids(config: Config, facts: Table) -> list[Remark]:
    """What is to be said of session ids that several people share."""
    is_odd = any(source.kind not in START_TIMES for source in config.sources)
    shared = sessions.shared_ids(facts) if is_odd else 0
    return [Remark("same_session", ids=shared)] if shared else []
