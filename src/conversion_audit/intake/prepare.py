"""Raw export -> prepared tables: read, keep aside, clean, stitch, order, write. One direction, few passes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

import pandas as pd

from conversion_audit.config import Config
from conversion_audit.engine import Engine, Table
from conversion_audit.errors import ConfigError, DataError, Problem, closest
from conversion_audit.intake import (
    channels,
    files,
    identity,
    landings,
    ledger,
    orders,
    rows,
    sessions,
    sources,
    traffic,
    zones,
)
from conversion_audit.tables import CONTRACTS, check, empty

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
    return opened


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
    for n, source in enumerate(config.sources):
        module = sources.KINDS[source.kind]
        table = module.read(engine, source, opened[n], timezone=source.timezone or config.timezone, scratch=scratch)
        given.setdefault(module.GIVES, []).append(table)
    totals = ("book_orders", "stage_counts", "outcomes")
    tables = {name: _together(engine, name, given.get(name, [])) for name in totals}
    tables |= prepare(config, _together(engine, "rows", given.get("rows", [])), key=key, scratch=scratch)
    if problems := files.changed(file for several in opened.values() for file in several):
        raise DataError(*problems)
    return tables


def _together(engine: Engine, name: str, tables: list[Table]) -> Table:
    """All tables of one kind as one; none: an empty one with the contract's columns."""
    if not tables:
        return engine.hold(empty(CONTRACTS[name]), name)
    union = " UNION ALL BY NAME ".join(f"SELECT * FROM t{n}" for n in range(len(tables)))
    return engine.view(union, {f"t{n}": table for n, table in enumerate(tables)}, name=name)


def prepare(config: Config, raw: Table, *, key: bytes, scratch: Path, now: datetime | None = None) -> dict[str, Table]:
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

    Returns
    -------
    dict
        events, items, orders, visits (sessions before the config's rules are known), rejects, fates, masked.
    """
    engine = raw.engine
    staged = rows.staged(engine, raw, scratch / "staged.parquet", now)
    repeated = rows.repeated(staged)
    worth = [
        event for goal in config.goals.values() if goal.value == "revenue" and not goal.where for event in goal.event
    ]
    kept = rows.kept(staged, repeated, key=key, purchase_events=worth)
    zone = config.timezone or zones.zone_of(kept) or "UTC"
    keyed = sessions.add_sessions(kept, timeout_seconds=min(source.session_timeout for source in config.sources))
    visitors = identity.session_visitors(sessions.logins(kept, keyed))
    numbered = sessions.numbered(kept, keyed, visitors)
    texts = rows.clean_texts(kept, config)
    own = (*config.own_hosts, *config.referral_exclusions)
    facts = landings.with_sources(sessions.facts(kept, numbered), kept, numbered, texts, own)
    named = channels.channels(sessions.source_triples(facts), own=own)
    if named["channel"].notna().any():  # the export knows sources, so a session without one came directly
        named["channel"] = named["channel"].fillna("Direct")
    by_channel = sessions.channels(facts, named)
    rates = pd.DataFrame({"currency": [config.currency, *config.fx], "rate": [1.0, *map(float, config.fx.values())]})
    events = sessions.events(kept, numbered, by_channel, texts, rates, path=scratch / "events.parquet", zone=zone)
    items = orders.items(kept)
    placed = orders.orders(sessions.purchases(kept, events), items, zone=zone)
    aside = traffic.set_aside(events, kept, config.internal)
    visits = sessions.visits(events, facts, by_channel, visitors, placed, aside, zone=zone)
    fates = ledger.fates(staged, repeated, numbered, visits, zone=zone)
    tables = {"events": events, "items": items, "orders": placed, "rejects": rows.rejects(staged)}
    for name, table in tables.items():
        check(table, CONTRACTS[name])
    masked = engine.hold(rows.masked_counts(texts), "masked")
    return {**tables, "visits": visits, "fates": fates, "masked": masked}
