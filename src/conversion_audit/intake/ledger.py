"""Every row of the export under one terminal reason: nothing is lost, everything is counted."""

from __future__ import annotations

from datetime import date

import pandas as pd

from conversion_audit.engine import AnyTable, Table, engine_of, statement
from conversion_audit.errors import DataError, Problem

QUARANTINED, SET_ASIDE, ANALYSED = "quarantined", "set_aside", "analysed"


def ledger(fates: AnyTable, start: date, end: date) -> pd.DataFrame:
    """
    Count rows, orders and revenue by file and terminal reason.

    ``rows in = kept + quarantined`` and ``kept = analysed + set aside``; the same holds for orders and for revenue.
    Reasons are given in this order, first match first: unreadable (quarantined), duplicate, no_visit, no_consent,
    bot / internal / test, out_of_period, ok.

    Parameters
    ----------
    fates : table
        See `fates` in ``ledger.sql``: one row per file, reason and day.
    start, end : date
        The period, both days included.

    Returns
    -------
    DataFrame
        One row per file, status and reason (see `tables.LEDGER`)::

                       file      status     reason  rows  orders  revenue
            raw/a.json.gz    analysed         ok   980      12    840.0
            raw/a.json.gz   set_aside  duplicate    15       0      0.0
            raw/a.json.gz quarantined    no_time     5       1     70.0
    """
    sql = statement(__file__, "ledger")
    return engine_of(fates).query(sql, {"fates": fates}, start=start, end=end)


def fates(
    staged: AnyTable,
    repeated: AnyTable,
    numbered: AnyTable,
    owners: AnyTable,
    homes: AnyTable,
    sessions: AnyTable,
    purchases: AnyTable,
    orders: AnyTable,
    rates: pd.DataFrame,
    *,
    zone: str,
) -> Table:
    """
    Return each file's rows by status, reason and day of the session (see ``ledger.sql``).

    `rates` as in `sessions.events`.
    """
    found = {
        "staged": staged,
        "repeated": repeated,
        "numbered": numbered,
        "owners": owners,
        "homes": homes,
        "sessions": sessions,
        "purchases": purchases,
        "orders": orders,
    }
    asked = {"zone": zone, "currency": str(rates["currency"][0])}
    tables = {**found, "rates": rates}
    return engine_of(staged).create(statement(__file__, "fates"), tables, name="fates", **asked)


def totals(ledger: pd.DataFrame) -> dict[str, dict[str, float]]:
    """Return ``{"rows": {"in": .., "kept": .., "quarantined": .., "analysed": .., "set_aside": ..}, "orders": .., "revenue": ..}``."""
    found = {}
    for measure in ("rows", "orders", "revenue"):
        by = ledger.groupby("status")[measure].sum()
        parts = {status: float(by.get(status, 0)) for status in (QUARANTINED, SET_ASIDE, ANALYSED)}
        kept = parts[SET_ASIDE] + parts[ANALYSED]
        found[measure] = {"in": kept + parts[QUARANTINED], "kept": kept, **parts}
    return found


def stop_if_too_bad(ledger: pd.DataFrame, accept: float) -> None:
    """
    Refuse an export of which too much cannot be read.

    Parameters
    ----------
    ledger : DataFrame
        See `ledger`.
    accept : float
        Largest share of rows, of orders or of revenue that may be quarantined.

    Raises
    ------
    DataError
        With the share, the commonest reasons and what to type to accept it.
    """
    problems = []
    worst = ledger[ledger.status == QUARANTINED].groupby("reason").rows.sum().sort_values(ascending=False)
    reasons = ", ".join(f"{reason} {rows:,}" for reason, rows in worst.head(5).items())
    for measure, parts in totals(ledger).items():
        share = parts[QUARANTINED] / parts["in"] if parts["in"] else 0.0
        if share > accept:
            problems.append(
                Problem(
                    f"{share:.1%} of {measure} cannot be read ({parts[QUARANTINED]:,.0f} of {parts['in']:,.0f}); accepted: {accept:.1%}",
                    ", ".join(sorted(ledger[ledger.status == QUARANTINED].file.unique())[:3]),
                    why=f"Reasons: {reasons}. Numbers from the rest may mislead.",
                    mend=f"Mend the export, or write 'accept_bad: {share * 100 + 0.5:.0f} %' into audit.yaml to go on.",
                )
            )
    if problems:
        raise DataError(*problems)
