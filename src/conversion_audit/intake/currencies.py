"""Amounts of other currencies -> the client's own."""

from __future__ import annotations

import pandas as pd

from conversion_audit.config import Config
from conversion_audit.engine import Table, quoted
from conversion_audit.intake.remarks import Remark

MOST_NAMED = 5
"""Currencies without a rate that are named."""


def rates(config: Config) -> pd.DataFrame:
    """Return each currency with its rate into the client's own, which is the first and always 1: currency, rate."""
    given = {name.upper(): float(rate) for name, rate in config.fx.items()}
    given = {config.currency: 1.0, **{name: rate for name, rate in given.items() if name != config.currency}}
    return pd.DataFrame({"currency": list(given), "rate": list(given.values())})


def converted(config: Config, table: Table, amount: str) -> Table:
    """Return a table with its amounts in the client's currency; one in a currency without a rate is missing, as an event's is."""
    if "currency" not in table.columns:
        return table
    named = ", ".join(f"t.{quoted(name)}" for name in table.columns if name != amount)
    worth = f"CAST(t.{quoted(amount)} * x.rate AS DECIMAL(18, 4)) AS {quoted(amount)}"
    sql = f"SELECT {named}, {worth} FROM t LEFT JOIN rates x ON x.currency = coalesce(upper(known(t.currency)), $currency)"
    return table.engine.create(sql, {"t": table, "rates": rates(config)}, name=table.name, currency=config.currency)


def without_rate(config: Config, table: Table, amount: str) -> list[Remark]:
    """Return what is to be said of totals in currencies without a rate: what they are worth is unknown."""
    if "currency" not in table.columns:
        return []
    sql = (
        "SELECT upper(known(t.currency)) AS currency, count(*) AS n FROM t LEFT JOIN rates x ON x.currency = upper(known(t.currency)) "
        f"WHERE t.{quoted(amount)} IS NOT NULL AND known(t.currency) IS NOT NULL AND x.rate IS NULL GROUP BY 1 ORDER BY n DESC, 1"
    )
    found = table.engine.query(sql, {"t": table, "rates": rates(config)}).head(MOST_NAMED)
    return [
        Remark("no_rate", rows=int(row.n), currency=row.currency if len(row.currency) == 3 else "?")
        for row in found.itertuples()
    ]
