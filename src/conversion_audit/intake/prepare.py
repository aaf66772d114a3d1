"""Raw export -> prepared tables: read, keep aside, clean, stitch, order, write. One direction, few passes."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from pathlib import Path

import pandas as pd

from conversion_audit.config import Config
from conversion_audit.engine import Engine, Table, quoted
from conversion_audit.errors import AuditError, ConfigError, DataError, Problem, closest
from conversion_audit.intake import (
    channels,
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
    traffic,
    zones,
)
from conversion_audit.intake.remarks import Remark
from conversion_audit.intake.sources.stored import united
from conversion_audit.tables import CONTRACTS, check, empty

START_TIMES = ("ga4", "ga360")
"""Kinds whose session ids are times of start: that two people share one means nothing."""

Opened = Mapping[int, list[files.InputFile]]


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
    """A file that two sources of one kind of table read would be counted twice."""
    read_by: dict[tuple[str, str], list[str]] = {}
    for n, source in enumerate(config.sources):
        for file in opened[n]:
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
        tables[name] = rows.with_ids(_converted(config, tables[name], amount), column, key)
    notes += [Remark("empty", file=file.name) for several in opened.values() for file in several if file.is_empty]
    raw = sold.on_pages(_together(engine, "rows", given.get("rows", [])), config.goals.values(), config.own_hosts)
    raw = engine.there(raw)
    tables |= prepare(
        config,
        raw,
        key=key,
        scratch=scratch,
        may_overlap=_may_overlap(config, opened),
        notes=notes,
        required="rows" in given or not any(map(len, tables.values())),
    )
    if problems := files.changed(file for several in opened.values() for file in several):
        raise DataError(*problems)
    return tables


def _may_overlap(config: Config, opened: Opened) -> set[str]:
    """Files whose rows may repeat an earlier file's though they have no ids: copies, and sources that say so."""
    several = [(config.sources[n].dedup, file) for n, files_of in opened.items() for file in files_of]
    prints = [file.sha256 for _, file in several]
    return {file.name for dedup, file in several if dedup == "exact" or prints.count(file.sha256) > 1}


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


def _converted(config: Config, table: Table, amount: str) -> Table:
    """The table with its amounts in the client's currency; one in a currency without a rate is missing, as an event's is."""
    if "currency" not in table.columns:
        return table
    named = ", ".join(f"t.{quoted(name)}" for name in table.columns if name != amount)
    worth = f"CAST(t.{quoted(amount)} * x.rate AS DECIMAL(18, 4)) AS {quoted(amount)}"
    sql = f"SELECT {named}, {worth} FROM t LEFT JOIN rates x ON x.currency = coalesce(t.currency, $currency)"
    found = {"t": table, "rates": _rates(config)}
    return table.engine.create(sql, found, name=table.name, currency=config.currency)


def _rates(config: Config) -> pd.DataFrame:
    """Each currency with its rate into the client's own, which is the first and always 1."""
    rates = {name.upper(): float(rate) for name, rate in config.fx.items()}
    rates = {config.currency: 1.0, **{name: rate for name, rate in rates.items() if name != config.currency}}
    return pd.DataFrame({"currency": list(rates), "rate": list(rates.values())})


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
    engine = raw.engine
    staged = rows.staged(raw, now, required=required)
    repeated = rows.repeated(staged)
    rows.refuse_overlap(staged, repeated, may_overlap)
    odd_sources = rows.odd_sources(staged)
    accepted = rows.accepted(staged, odd_sources, key=key)
    kept = rows.kept(accepted, repeated)
    found_zone = config.timezone or zones.zone_of(kept)
    zone = found_zone or "UTC"
    gaps = [source.session_timeout for source in config.sources if sources.KINDS[source.kind].GIVES == "rows"]
    timeout_seconds = min(gaps, default=0.0)
    owners, numbered = _in_sessions(kept, timeout_seconds)
    texts = rows.clean_texts(accepted, config, key=key)
    own = (*config.own_hosts, *config.referral_exclusions)
    facts = landings.with_sources(sessions.facts(accepted, numbered, owners), accepted, numbered, texts, own)
    by_channel = sessions.channels(facts, _named_channels(facts, own))
    rates = _rates(config)
    events = sessions.events(accepted, numbered, by_channel, texts, rates, path=scratch / "events.parquet", zone=zone)
    rejects = rows.rejects(staged)
    _refuse_multiplied(staged, rejects, repeated, events)
    items = rows.with_ids(orders.items(kept), "item_id", key)
    worth = sold.events(config.goals.values())
    placed = orders.orders(sessions.purchases(kept, events, worth), items, zone=zone)
    aside = traffic.set_aside(events, accepted, config.internal)
    path = scratch / "visits.parquet"
    visits = sessions.visits(events, facts, by_channel, owners, placed, aside, path=path, zone=zone)
    fates = ledger.fates(staged, repeated, numbered, owners, visits, rates, worth, zone=zone)
    tables = {"events": events, "items": items, "orders": placed, "rejects": rejects, "aside": aside}
    for name, table in tables.items():
        check(table, CONTRACTS[name])
    small = {
        "masked": rows.masked_counts({**texts, "sources": odd_sources}),
        "timeouts": sessions.timeouts(kept, timeout_seconds=timeout_seconds),
        "remarks": remarks.table([*notes, *_same_ids(config, facts)], zone, is_assumed=found_zone is None),
    }
    held = {name: engine.hold(frame, name) for name, frame in small.items()}
    return {**tables, "visits": visits, "fates": fates, **held}


def _in_sessions(kept: Table, timeout_seconds: float) -> tuple[Table, Table]:
    """Whose each session is, and the place of each row in its session and in its visitor's life."""
    keyed = sessions.add_sessions(kept, timeout_seconds=timeout_seconds)
    owners = sessions.owners(identity.session_visitors(sessions.logins(keyed)))
    numbered = sessions.numbered(keyed, owners)
    kept.engine.drop(keyed)
    return owners, numbered


def _named_channels(facts: Table, own: Collection[str]) -> pd.DataFrame:
    """The channel of each source, medium and campaign; where the export knows sources, a session without one came directly."""
    named = channels.channels(sessions.source_triples(facts), own=own)
    return named.assign(channel=named["channel"].fillna("Direct")) if named["channel"].notna().any() else named


def _same_ids(config: Config, facts: Table) -> list[Remark]:
    """What is to be said of session ids that several people share."""
    is_odd = any(source.kind not in START_TIMES for source in config.sources)
    shared = sessions.shared_ids(facts) if is_odd else 0
    return [Remark("same_session", ids=shared)] if shared else []
