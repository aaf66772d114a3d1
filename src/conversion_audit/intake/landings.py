"""Where a session came from when its export does not say: read from the addresses and referrers of its own rows."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import pandas as pd

from conversion_audit.engine import AnyTable, Table, engine_of, statement
from conversion_audit.intake.channels import is_source, referral


def with_sources(
    facts: AnyTable,
    rows: AnyTable,
    numbered: AnyTable,
    texts: Mapping[str, AnyTable],
    own: Collection[str] = (),
) -> Table:
    """
    Fill in the source of sessions for which the export names none.

    Campaign tags (``utm_source`` ...) of the session's first tagged page come first, then a click id such as ``gclid``, then
    the first referrer that is neither the client's own host nor a payment provider: a search engine is organic, any other
    host a referral.

    Parameters
    ----------
    facts : table
        One row per session: session_id, session_number, visitor_id, source, medium, campaign, own_channel and others.
    rows, numbered : table
        row_id with page_url and referrer; row_id with session_number and event_number.
    texts : mapping
        ``pages`` and ``referrers``, as `pages.pages` and `pages.referrers` read them.
    own : collection of str
        The client's own hosts and its referral exclusions; the hosts of the export's own pages count as well.

    Returns
    -------
    Table
        `facts` with source, medium and campaign filled in where all of them, and own_channel, were missing. A session that
        shows none of the three signs stays without.
    """
    engine = engine_of(facts)
    found = {
        "facts": facts,
        "rows": rows,
        "numbered": numbered,
        "pages": texts["pages"],
        "referrers": texts["referrers"],
    }
    found["nameless"] = engine.create(statement(__file__, "nameless"), found, name="nameless")
    hosts = engine.query(statement(__file__, "hosts"), found)
    mine = {*own, *hosts.loc[hosts["is_own"], "host"]}
    foreign = [host for host in hosts.loc[~hosts["is_own"], "host"] if is_source(host, mine)]
    named = pd.DataFrame([(host, *referral(host, mine)) for host in foreign], columns=["host", "source", "medium"])
    found["named"] = engine.hold(named.astype("string"), "referrals")
    found["signs"] = engine.create(statement(__file__, "signs"), found, name="signs")
    return engine.create(statement(__file__, "with_sources"), found, name="facts")
