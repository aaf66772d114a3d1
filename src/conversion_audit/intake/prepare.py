"""Raw export -> prepared tables: read, keep aside, clean, stitch, order, write. One direction, few passes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd

from conversion_audit.config import Config
from conversion_audit.engine import Engine, Table, statement
from conversion_audit.errors import DataError, Problem
from conversion_audit.intake import (
    channels,
    files,
    identity,
    ledger,
    orders,
    pages,
    sessions,
    sources,
    traffic,
    values,
    zones,
)
from conversion_audit.tables import CONTRACTS, check, empty

EARLIEST = datetime(2005, 1, 1)
FUTURE = timedelta(days=2)
SUSPICIOUS = r"@|%40|eyJ|(?i)(token|passw|secret|reset|iban)|\d[\d .-]{11,}\d|\+\d[\d ()/-]{6,}\d"
"""Texts of `properties` that may hold personal data; only these are looked at one by one."""


def open_sources(config: Config, folder: Path, scratch: Path) -> dict[int, list[files.InputFile]]:
    """Return the files of each source of the config, opened and recognised."""
    return {
        n: files.open_files(
            files.find(folder, source.files), folder, scratch, encoding=source.encoding, delimiter=source.delimiter
        )
        for n, source in enumerate(config.sources)
    }


def take_in(
    engine: Engine, config: Config, opened: Mapping[int, list[files.InputFile]], *, key: bytes, scratch: Path
) -> dict[str, Table]:
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
    given = read_rows(engine, config, opened, scratch)
    tables = {
        name: _together(engine, name, given.get(name, [])) for name in ("book_orders", "stage_counts", "outcomes")
    }
    rows = _together(engine, "rows", given.get("rows", []))
    zone = config.timezone or zones.zone_of(rows) or "UTC"
    tables |= prepare(engine, config, rows, zone=zone, key=key, scratch=scratch)
    if problems := files.changed(file for several in opened.values() for file in several):
        raise DataError(*problems)
    return tables


def _together(engine: Engine, name: str, tables: list[Table]) -> Table:
    """All tables of one kind as one; none: an empty one with the contract's columns."""
    if not tables:
        return engine.hold(empty(CONTRACTS[name]), name)
    union = " UNION ALL BY NAME ".join(f"SELECT * FROM t{n}" for n in range(len(tables)))
    return engine.view(union, {f"t{n}": table for n, table in enumerate(tables)}, name=name)


def read_rows(
    engine: Engine, config: Config, opened: Mapping[int, list[files.InputFile]], scratch: Path
) -> dict[str, list[Table]]:
    """Return what each source of the config gives, by what it gives: rows, book_orders, stage_counts, outcomes."""
    given: dict[str, list[Table]] = {}
    for n, source in enumerate(config.sources):
        module = sources.KINDS[source.kind]
        table = module.read(engine, source, opened[n], timezone=source.timezone or config.timezone, scratch=scratch)
        given.setdefault(module.GIVES, []).append(table)
    return given


def prepare(
    engine: Engine, config: Config, rows: Table, *, zone: str, key: bytes, scratch: Path, now: datetime | None = None
) -> dict[str, Table]:
    """
    Make the shared tables from a source's rows.

    Parameters
    ----------
    engine : Engine
        Where it runs.
    config : Config
        The client's config.
    rows : Table
        See `tables.ROWS`; every row of every event export.
    zone : str
        The client's time zone.
    key : bytes
        The client's own key, for ids that must not be read.
    scratch : Path
        Folder for what is thrown away afterwards.
    now : datetime, optional
        Rows later than this by more than two days are not believed. Defaults to the clock.

    Returns
    -------
    dict
        events, items, orders, visits, rejects, fates, masked.
    """
    latest = (now or datetime.now(UTC).replace(tzinfo=None)) + FUTURE
    staged = engine.write(
        statement(_rows(), "staged"), scratch / "staged.parquet", {"rows": rows}, earliest=EARLIEST, latest=latest
    )
    if not len(staged):
        raise DataError(
            Problem(
                "no rows in any file", why="There is nothing to audit.", mend="Check the export's period and filters."
            )
        )
    repeated = engine.create(statement(_rows(), "repeated"), {"staged": staged}, name="repeated")
    kept = _kept(engine, config, staged, repeated, key)
    keyed = sessions.add_sessions(kept, timeout_seconds=_timeout(config))
    owned = engine.view(statement(_sessions(), "owned"), {"rows": kept, "keyed": keyed}, name="owned")
    logins = engine.create(statement(_sessions(), "logins"), {"rows": owned}, name="logins")
    visitors = identity.session_visitors(logins)
    order = sessions.numbered(owned, visitors)
    facts = engine.create(statement(_sessions(), "session_facts"), {"rows": kept, "numbered": order}, name="facts")
    by_channel = _channels(engine, config, facts)
    clean = _clean_texts(engine, config, kept)
    rates = pd.DataFrame({"currency": [config.currency, *config.fx], "rate": [1.0, *map(float, config.fx.values())]})
    found = {"rows": kept, "numbered": order, "session_channels": by_channel, "rates": rates, **clean}
    events = engine.write(
        statement(_sessions(), "events"), scratch / "events.parquet", found, zone=zone, currency=config.currency
    )
    tables = {"events": events, "items": orders.items(kept)}
    purchases = engine.create(statement(_sessions(), "purchases"), {"rows": kept, "events": events}, name="purchases")
    tables["orders"] = orders.orders(purchases, tables["items"], zone=zone)
    aside = traffic.set_aside(events, kept, config.internal)
    tables["visits"] = engine.create(
        statement(_sessions(), "sessions"),
        {
            "events": events,
            "session_facts": facts,
            "session_channels": by_channel,
            "visitors": visitors,
            "orders": tables["orders"],
            "aside": aside,
        },
        name="visits",
        zone=zone,
    )
    tables["fates"] = ledger.fates(staged, repeated, order, tables["visits"], zone=zone)
    tables["rejects"] = _rejects(engine, staged)
    for name, table in tables.items():
        if name in CONTRACTS:
            check(table, CONTRACTS[name])
    tables["masked"] = engine.hold(_masked_counts(clean), "masked")
    return tables


def _rows() -> str:
    return str(Path(__file__).with_name("rows.py"))


def _sessions() -> str:
    return sessions.__file__


def _timeout(config: Config) -> float:
    return min(source.session_timeout for source in config.sources)


def _kept(engine: Engine, config: Config, staged: Table, repeated: Table, key: bytes) -> Table:
    illegal = pd.DataFrame({"word": pd.Series(sorted(values.ILLEGAL_IDS), dtype="string")})
    odd = engine.query(statement(_rows(), "odd_ids"), {"staged": staged, "illegal": illegal})
    ids = values.ids(odd["value"], key)
    ids = ids.assign(is_legal=[not values.is_illegal_id(value) for value in ids["value"]])
    ids["clean"] = ids["clean"].where(ids["is_legal"])
    worth = [goal.event for goal in config.goals.values() if goal.value == "revenue" and not goal.where]
    purchases = pd.DataFrame({"event": pd.Series([event for events in worth for event in events], dtype="string")})
    found = {
        "staged": staged,
        "repeated": repeated,
        "odd_ids": engine.hold(ids, "odd_ids"),
        "purchases": engine.hold(purchases.drop_duplicates(), "purchase_events"),
    }
    return engine.view(statement(_rows(), "kept"), found, name="kept")


def _channels(engine: Engine, config: Config, facts: Table) -> Table:
    """The channel of each session: the source's own grouping, else GA4's default rules on its first traffic source."""
    triples = engine.query(statement(_sessions(), "source_triples"), {"facts": facts})
    named = channels.channels(triples, own=(*config.own_hosts, *config.referral_exclusions))
    return engine.create(
        statement(_sessions(), "session_channels"), {"facts": facts, "named": named}, name="session_channels"
    )


def _clean_texts(engine: Engine, config: Config, kept: Table) -> dict[str, Table]:
    """Clean pages, titles, referrers, searches, errors and suspicious properties, once per distinct value."""

    def distinct(name: str, **parameters) -> pd.Series:
        return engine.query(statement(_rows(), f"distinct_{name}"), {"rows": kept}, **parameters)["value"]

    addresses = pages.pages(distinct("pages"), keep=config.query_parameters, own_hosts=config.own_hosts)
    types = values.page_types(addresses["page"].dropna().drop_duplicates(), config.page_types)
    cleaned = {
        "pages": addresses.merge(types, on="page", how="left"),
        "titles": values.texts(distinct("titles")),
        "referrers": pages.referrers(distinct("referrers")).rename(columns={"referrer": "clean"}),
        "searches": values.texts(distinct("searches")),
        "errors": values.texts(distinct("errors")),
        "other": values.texts(distinct("properties", pattern=SUSPICIOUS)),
    }
    return {name: engine.hold(frame, name) for name, frame in cleaned.items()}


def _masked_counts(clean: Mapping[str, Table]) -> pd.DataFrame:
    counts = {name: int(table.frame()["masked"].sum()) for name, table in clean.items()}
    return pd.DataFrame({"field": list(counts), "values": list(counts.values())})


def _rejects(engine: Engine, staged: Table) -> Table:
    found = engine.query(statement(ledger.__file__, "rejects"), {"staged": staged})
    masked = values.texts(found["value"].dropna().drop_duplicates()).set_index("value")["clean"]
    shown = found["value"].map(masked).str.slice(0, 80).fillna("")
    return engine.hold(found.assign(value=shown.astype("string")), "rejects")
