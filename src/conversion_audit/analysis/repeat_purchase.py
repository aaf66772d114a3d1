"""Who buys again, and which products bring buyers back. Who has not yet had the time is not counted as lost."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from conversion_audit.analysis.statistics import kaplan_meier, wilson
from conversion_audit.engine import AnyTable, engine_of, statement

DAYS = (30, 60, 90)


def waits(orders: AnyTable, sessions: AnyTable, until: pd.Timestamp) -> pd.DataFrame:
    """
    Return one row per buyer: days from the first order to the second, or to the end of the export.

    Parameters
    ----------
    orders, sessions : table
        Of the whole export; orders of sessions that are set aside do not count.
    until : Timestamp
        Last time of the export, naive UTC.

    Returns
    -------
    DataFrame
        visitor_id, order_id, time, days, is_repeat (False: no second order until `until`).
    """
    return engine_of(orders).query(statement(__file__, "waits"), {"orders": orders, "sessions": sessions}, until=until)


def repeat_rates(days: Sequence[float], is_repeat: Sequence[bool], at: Sequence[float] = DAYS) -> pd.DataFrame:
    """
    Return the share of buyers who have bought again after so many days.

    Parameters
    ----------
    days, is_repeat : sequence
        From `waits`.
    at : sequence of number
        Days after the first order.

    Returns
    -------
    DataFrame
        One row per number of days: days, buyers, at_risk (still observed then), repeats, repeat_rate, repeat_low,
        repeat_high. NaN where nobody has been observed for so long.

    References
    ----------
    Kaplan and Meier 1958; Greenwood 1926; interval on the scale of log(-log); Wilson 1927 where none or all bought again.
    """
    waited, again = np.asarray(days, float), np.asarray(is_repeat, bool)
    curve = kaplan_meier(waited, again)
    return pd.DataFrame([_at(limit, curve, waited, again) for limit in at])


def products(
    first: pd.DataFrame, waited: pd.DataFrame, at: Sequence[float] = DAYS, *, fewest: int = 30
) -> pd.DataFrame:
    """
    Return, per product in the first order, how many of its buyers bought again.

    Parameters
    ----------
    first : DataFrame
        visitor_id, product (see `first_products`).
    waited : DataFrame
        From `waits`.
    at : sequence of number
        Days after the first order.
    fewest : int
        Products with fewer first buyers are left out.

    Returns
    -------
    DataFrame
        One row per product, most often bought again first: product, buyers, repeats, and for each number of days
        repeat_30_rate, repeat_30_low, repeat_30_high and so on. NaN where nobody has been observed for so long.
    """
    both = first.merge(waited, on="visitor_id")
    rows = []
    for product, mine in both.groupby("product", sort=True):
        if len(mine) >= fewest:
            rates = repeat_rates(mine.days, mine.is_repeat, at).set_index("days")
            row = {"product": product, "buyers": len(mine), "repeats": int(mine.is_repeat.sum())}
            for limit in at:
                row |= {
                    f"repeat_{limit:g}_{part}": rates.loc[limit, f"repeat_{part}"] for part in ("rate", "low", "high")
                }
            rows.append(row)
    names = [f"repeat_{limit:g}_{part}" for limit in at for part in ("rate", "low", "high")]
    table = pd.DataFrame(rows, columns=["product", "buyers", "repeats", *names])
    known = [name for name in names if name.endswith("_rate") and table[name].notna().any()]
    by = known[-1:] or ["buyers"]
    return table.sort_values([*by, "product"], ascending=[False, True]).reset_index(drop=True)


def first_products(waited: pd.DataFrame, events: AnyTable, items: AnyTable) -> pd.DataFrame:
    """Return what buyers bought in their first order: visitor_id, product."""
    tables = {"waits": waited, "events": events, "items": items}
    return engine_of(events, items).query(statement(__file__, "first_products"), tables)


def _at(limit: float, curve: pd.DataFrame, waited: np.ndarray, again: np.ndarray) -> dict[str, float]:
    so_far = curve[curve.time <= limit]
    observed = len(waited) > 0 and waited.max() >= limit
    survival = float(so_far.survival_rate.iloc[-1]) if len(so_far) else 1.0
    row = {"days": limit, "buyers": len(waited), "at_risk": int((waited >= limit).sum())}
    row |= {"repeats": int((again & (waited <= limit)).sum())}
    # Where none or all bought again the curve has no variance: of those known until then, Wilson's interval.
    known = row["at_risk"] if survival == 1 else row["repeats"]
    low, high = _interval(so_far, survival) if 0 < survival < 1 else wilson(known * (1 - survival), known)
    values = (1 - survival, float(low), float(high)) if observed or survival == 0 else (np.nan,) * 3
    return row | dict(zip(("repeat_rate", "repeat_low", "repeat_high"), values, strict=True))


def _interval(so_far: pd.DataFrame, survival: float) -> tuple[float, float]:
    """Of the share that bought again: Greenwood's variance, on the scale of log(-log) so that it stays within 0 and 1."""
    spread = (so_far.events / (so_far.at_risk * (so_far.at_risk - so_far.events))).sum()
    width = 1.959964 * np.sqrt(spread) / abs(np.log(survival))
    return 1 - survival ** np.exp(-width), 1 - survival ** np.exp(width)
