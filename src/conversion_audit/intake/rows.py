"""A source's rows -> rows that are kept: ids, reasons, repeats, and texts cleaned once per distinct value."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime, timedelta

import pandas as pd

from conversion_audit.config import Config
from conversion_audit.engine import Table, engine_of, quoted, statement
from conversion_audit.errors import DataError, Problem
from conversion_audit.intake import pages, values
from conversion_audit.intake.privacy import SUSPICIOUS
from conversion_audit.intake.substitutes import substituted

EARLIEST = datetime(2005, 1, 1)
FUTURE = timedelta(days=2)
ODD_ID = (
    r"^\(?\d[\d()/ .-]*[ ()/-][\d()/ .-]*\d$|^[0\W_]+$|[^ -~]|%2540|^[A-Z]{2}\d{2}[A-Z0-9]{11}"
    r"|eyJ|^(sk|pk|rk|whsec|gh[pousr])_|^xox[abprs]-|^AKIA|^AIza|^glpat-|^SG\.|^[Bb]earer "
)
"""Ids to be looked at one by one: digits in groups may be a telephone's number, zeros and signs alone are nobody, a letter
that is not plain may hide any of this, and what begins like an account or a secret may be one."""

LEAST_OVERLAP = 0.01
"""Share of a file's rows that an earlier file holds too, above which the two overlap and do not merely look alike."""


def staged(rows: Table, now: datetime | None = None, *, required: bool = True, ids_tell: bool = True) -> Table:
    """
    Give every row a number, an id and, where it cannot be kept, the reason.

    Nothing is copied: each pass that follows reads what it needs from the rows themselves.

    Parameters
    ----------
    rows : table
        See `tables.ROWS`; a file's lines are different.
    now : datetime, optional
        Rows later than this by more than two days are not believed. Defaults to the clock.
    required : bool
        There must be a row; False where no source is one of events.
    ids_tell : bool
        Rows of one id are one row; False where ids were given twice (see `clashes`).

    Raises
    ------
    DataError
        If there is no row at all and one is required.
    """
    engine = engine_of(rows)
    latest = (now or datetime.now(UTC).replace(tzinfo=None)) + FUTURE
    sql = statement(__file__, "files")
    files = engine.create(sql, {"rows": rows}, name="files", earliest=EARLIEST, latest=latest, ids_tell=ids_tell)
    is_given = (
        ids_tell and not engine.query("SELECT count(*) AS n FROM files WHERE without_id > 0", {"files": files})["n"][0]
    )
    # Where an id must be made of all columns, each pass reads them all.
    sql = statement(__file__, "ids_given" if is_given else "ids_made")
    identified = engine.view(sql, {"rows": rows}, name="identified")
    table = engine.view(statement(__file__, "staged"), {"rows": identified, "files": files}, name="staged")
    if required and not len(table):
        why = "There is nothing to audit."
        raise DataError(Problem("no rows in any file", why=why, mend="Check the export's period and filters."))
    return table


def repeated(staged: Table) -> Table:
    """Return row_id and event_id of the rows that say again what an earlier row of the same id said."""
    return engine_of(staged).create(statement(__file__, "repeated"), {"staged": staged}, name="repeated")


def clashes(staged: Table, repeated: Table) -> int:
    """
    Count rows whose id a row of another event has, or one of another visitor at another time.

    Such ids were given twice: they begin anew in each file, or two tables number their rows each on its own.
    """
    if not len(repeated):
        return 0
    found = {"staged": staged, "repeated": repeated}
    return int(engine_of(staged).query(statement(__file__, "clashes"), found)["rows"][0])


def refuse_overlap(staged: Table, repeated: Table, may_overlap: Collection[str]) -> None:
    """
    Refuse files that repeat an earlier one and whose rows have no id to tell a repeat from a second event.

    Parameters
    ----------
    staged, repeated : table
        See above.
    may_overlap : collection of str
        Files that are byte for byte another one, or whose source says ``dedup: exact``: equal rows count once.

    Raises
    ------
    DataError
        Naming each pair of files and how many rows they share.
    """
    found = engine_of(staged).query(statement(__file__, "overlaps"), {"staged": staged, "repeated": repeated})
    found = found[(found["repeats"] > LEAST_OVERLAP * found["rows"]) & ~found["file"].isin(may_overlap)]
    why = "Its rows have no id, so nobody can say whether an equal row is a repeat or a second event."
    mend = "Remove one of the two files, or write `dedup: exact` on this source in audit.yaml to count equal rows once."
    problems = [
        Problem(f"{row.repeats:,} of its {row.rows:,} rows are also in {row.earlier}", row.file, why=why, mend=mend)
        for row in found.itertuples()
    ]
    if problems:
        raise DataError(*problems)


def odd_sources(staged: Table) -> Table:
    """Return names of sources, media and campaigns that hold personal data: value, clean, masked, kinds."""
    engine = engine_of(staged)
    # A table of the few that there are: asked at once, every row would be looked at.
    sources = engine.create(statement(__file__, "sources"), {"staged": staged}, name="sources")
    found = engine.query(statement(__file__, "odd_sources"), {"sources": sources}, pattern=SUSPICIOUS)
    cleaned = values.texts(found["value"].sort_values())
    return engine.hold(cleaned[cleaned["masked"] > 0].reset_index(drop=True), "odd_sources")


def odd_ids(ids: Table, key: bytes) -> Table:
    """Return ids that may be read as a person, or as nobody, and what stands for them (see `values.ids`): value, clean."""
    engine = engine_of(ids)
    illegal = pd.DataFrame({"word": pd.Series(sorted(values.ILLEGAL_IDS), dtype="string")})
    odd = engine.query(statement(__file__, "odd_ids"), {"ids": ids, "illegal": illegal}, odd=ODD_ID)
    found = values.ids(odd["value"], key)
    found["clean"] = found["clean"].where([not values.is_illegal_id(value) for value in found["value"]])
    return engine.create("SELECT value, clean FROM ids", {"ids": found}, name="odd_ids")


def accepted(staged: Table, odd_sources: Table, *, key: bytes) -> Table:
    """
    Return rows that can be read, with ids that may join people and sources that name nobody.

    Parameters
    ----------
    staged : table
        See above.
    odd_sources : table
        See above.
    key : bytes
        The client's own key: an id that is an address or a number becomes a keyed hash.
    """
    engine = engine_of(staged)
    odd = odd_ids(engine.view(statement(__file__, "ids"), {"staged": staged}, name="ids"), key)
    found = substituted(staged, ("device_id", "user_id", "order_id"), odd)
    found = substituted(found, ("source_session",), _hashed(odd))
    found = substituted(found, ("source", "medium", "campaign"), odd_sources)
    return engine.view(statement(__file__, "accepted"), {"staged": found}, name="accepted")


def with_ids(table: Table, column: str, key: bytes) -> Table:
    """Return a table of items or totals with ids as the rows have them: where those are hashed, only the same hash matches."""
    engine, name = table.engine, quoted(column)
    ids = engine.create(f"SELECT DISTINCT {name} AS id FROM t", {"t": table}, name="ids")
    return substituted(table, (column,), _hashed(odd_ids(ids, key)))


def _hashed(odd: Table) -> Table:
    """Odd ids without those that are words for nothing: such a word stays where it joins nobody."""
    return odd.engine.create("SELECT value, clean FROM odd WHERE clean IS NOT NULL", {"odd": odd}, name="hashed_ids")


def kept(accepted: Table, repeated: Table) -> Table:
    """Return accepted rows once each."""
    found = {"accepted": accepted, "repeated": repeated}
    return engine_of(accepted).view(statement(__file__, "kept"), found, name="kept")


def clean_texts(accepted: Table, config: Config, *, key: bytes) -> dict[str, Table]:
    """
    Clean pages, titles, referrers, searches, errors and suspicious properties.

    Returns
    -------
    dict
        Mapping tables, each with `value` (as exported), `clean` (as kept; pages: host, page, page_type, search_term) and
        `masked` (pieces of personal data replaced).
    """
    engine = engine_of(accepted)
    distinct = engine.query(statement(__file__, "texts"), {"rows": accepted})
    texts = {name: distinct[name].dropna().sort_values() for name in distinct}
    other = engine.query(statement(__file__, "suspicious"), {"rows": accepted}, pattern=SUSPICIOUS)["properties"]
    addresses = pages.pages(texts["page_url"], keep=config.query_parameters, own_hosts=config.own_hosts)
    types = values.page_types(addresses["page"].dropna().drop_duplicates(), config.page_types)
    cleaned = {
        "pages": addresses.merge(types, on="page", how="left"),
        "titles": values.texts(texts["page_title"]),
        "referrers": pages.referrers(texts["referrer"]).rename(columns={"referrer": "clean"}),
        "searches": values.texts(texts["search_term"]),
        "errors": values.texts(texts["error"]),
        "other": values.objects(other.sort_values(), key),
    }
    return {name: engine.hold(frame, name) for name, frame in cleaned.items()}


def masked_counts(clean: dict[str, Table]) -> pd.DataFrame:
    """Return how many distinct values of each field held personal data, and its kinds: field, values, masked, kinds."""
    frames = {name: table.frame() for name, table in clean.items()}
    hit = {name: frame[frame["masked"] > 0] for name, frame in frames.items()}
    counts = [
        (name, len(frame), int(frame["masked"].sum()), " ".join(sorted(set(" ".join(frame["kinds"]).split()))))
        for name, frame in hit.items()
    ]
    return pd.DataFrame(counts, columns=["field", "values", "masked", "kinds"])


def rejects(staged: Table) -> Table:
    """Return the quarantined rows (see `tables.REJECTS`), their values masked."""
    engine = engine_of(staged)
    found = engine.query(statement(__file__, "rejects"), {"staged": staged})
    masked = values.texts(found["value"].dropna().drop_duplicates()).set_index("value")["clean"]
    shown = found["value"].map(masked).astype("string").str.slice(0, 80).fillna("")
    return engine.hold(found.assign(value=shown), "rejects")
