"""The true conversion rate: conversions among sessions that could have become one, between bounds that hold."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from conversion_audit.analysis.split import Split
from conversion_audit.analysis.statistics import imbens_manski, rogan_gladen, wilson
from conversion_audit.engine import AnyTable, Table, engine_of, statement

ASSUMED_WRONG = 0.05  # of the sessions that look like shopping, where no split says how many are not
FEW_CONVERTED = 10  # below, or as few that did not, the interval is Wilson's: a standard error means little


def true_rate(intents: AnyTable, fitted: Split, checked: Mapping[str, float] | None = None) -> dict:
    """
    Return the conversion rate of those who could convert: bounds, middle and interval.

    With O sessions that converted, C sessions that only shopped or bought, X sessions that only showed a
    purpose that cannot buy, A the rest: bounds O / (C + A) and O / C; robust bounds O / (C + A + f X) and
    O / (C - e C'), where e and f are the shares of C' (C without buyers) and X that the split thinks wrong, or that a
    checked sample leaves possible; the middle is O / the sum of every session's chance to have been able to buy. The
    interval lies around the robust bounds.

    Parameters
    ----------
    intents : table
        From `split.with_chances`, one row per session; or from `visitors`, one row per visitor.
    fitted : Split
        The split that gave the chances.
    checked : mapping, optional
        From `labels.read_labels`: how often the rules are right in a sample checked by hand. It replaces the middle,
        e and f.

    Returns
    -------
    dict
        naive, lower, upper, robust_lower, robust_upper, estimate (None where a check failed), low, high, sessions,
        visitors, converted, can_buy, ambiguous, cannot_buy, buyers_elsewhere (buyers whose evidence did not say so),
        expected (the middle's denominator), understated, understated_low, understated_high (true over naive, less
        one), source (split, hand-checked, everyone or None), gates (failed checks: name, value, limit), checks (all).
        Rates are NaN where nobody is in the denominator.

    References
    ----------
    Imbens and Manski 2004 (interval); Rogan and Gladen 1978 (checked sample).
    """
    totals = totals_of(intents)
    wrong = wrong_shares(totals, fitted, checked)
    everything = engine_of(intents).view(statement(__file__, "everything"), {"intents": intents}, name="everything")
    sums = visitor_sums(everything, wrong)
    low, high = interval(sums.iloc[0]) if len(sums) else (float("nan"), float("nan"))
    record = {
        **totals,
        **bounds(**{name: totals[name] for name in ("converted", "can_buy", "ambiguous", "cannot_buy")}),
    }
    record |= {
        "robust_lower": ratio(record["converted"], sums.wide.sum()),
        "robust_upper": ratio(record["converted"], sums.narrow.sum()),
        "low": low,
        "high": high,
        "wrong_can_buy": wrong[0],
        "wrong_cannot_buy": wrong[1],
        "checks": list(fitted.checks),
        "gates": [check for check in fitted.checks if not check["passed"]],
    }
    record |= _middle(record, fitted, checked)
    return {**record, **_understated(record)}


def bounds(converted: float, can_buy: float, ambiguous: float, cannot_buy: float) -> dict[str, float]:
    """
    Return the naive rate and the bounds that hold if the rules make no mistake.

    >>> {name: round(rate, 5) for name, rate in bounds(300, 6000, 3000, 1000).items()}
    {'naive': 0.03, 'lower': 0.03333, 'upper': 0.05}
    """
    return {
        "naive": ratio(converted, can_buy + ambiguous + cannot_buy),
        "lower": ratio(converted, can_buy + ambiguous),
        "upper": ratio(converted, can_buy),
    }


def wrong_shares(
    totals: Mapping[str, float], fitted: Split, checked: Mapping[str, float] | None = None
) -> tuple[float, float]:
    """
    Return e and f: shares of sure shoppers, and of sure others, that the split thinks wrong.

    Without a split that holds, everyone might have been able to buy (f = 1) and `ASSUMED_WRONG` of shoppers not. A
    checked sample knows better than either: bounds by what the split thinks need not hold the estimate by the sample.
    """
    if checked:
        return checked["wrong_can_buy"], checked["wrong_cannot_buy"]
    if fitted.everyone:
        return 0.0, 1.0
    wrong_can, wrong_cannot = (np.nan_to_num(totals[name]) for name in ("wrong_can_buy", "wrong_cannot_buy"))
    if fitted.holds:
        return float(wrong_can), float(wrong_cannot)
    return max(ASSUMED_WRONG, float(wrong_can)), 1.0


def visitors(intents: AnyTable) -> Table:
    """
    Return one row per visitor in the columns that `true_rate` reads.

    A visitor showed what any of their sessions showed; the chance to have been able to buy is that of at least one
    session, taken as independent.
    """
    return engine_of(intents).create(statement(__file__, "visitors"), {"intents": intents}, name="intent_visitors")


def headline(record: Mapping) -> dict:
    """Return what the manifest holds: bounds, estimate and its denominator or None, interval, and why there is none."""
    kept = {name: record[name] for name in ("lower", "upper", "estimate", "low", "high", "gates")}
    return kept | {"expected": None if record["estimate"] is None else record["expected"]}


def totals_of(intents: AnyTable) -> dict:
    """Return sessions, visitors, converted, the classes and the expected number that could buy."""
    return plain_row(engine_of(intents).query(statement(__file__, "totals"), {"intents": intents}).iloc[0])


def visitor_sums(placed: AnyTable, wrong: tuple[float, float]) -> pd.DataFrame:
    """
    Return counts per segment, and the sums over visitors from which clustered errors follow.

    Parameters
    ----------
    placed : table
        visitor_id, class, is_buyer, chance, segment.
    wrong : tuple
        From `wrong_shares`.
    """
    shares = {"wrong_can_buy": wrong[0], "wrong_cannot_buy": wrong[1]}
    return engine_of(placed).query(statement(__file__, "segments"), {"placed": placed}, **shares)


def interval(row: pd.Series) -> tuple[float, float]:
    """Return the interval around the robust bounds of one row of `visitor_sums`, clustered by visitor."""
    if not row.wide or not row.narrow:
        return float("nan"), float("nan")
    if min(row.converted, row.wide - row.converted) < FEW_CONVERTED:
        return float(wilson(row.converted, row.wide)[0]), float(wilson(row.converted, row.narrow)[1])
    lower, upper = row.converted / row.wide, row.converted / row.narrow
    errors = [_clustered(row, name) for name in ("wide", "narrow")]
    low, high = imbens_manski(min(lower, upper), upper, *errors)
    return float(max(0.0, low)), float(min(1.0, high))


def _clustered(row: pd.Series, base: str) -> float:
    """Standard error of those that converted over a base, from sums over visitors."""
    rate, groups = row.converted / row[base], row.visitors
    squares = row.converted_squared - 2 * rate * row[f"converted_{base}"] + rate**2 * row[f"{base}_squared"]
    return float(np.sqrt(max(squares, 0.0) * groups / (groups - 1)) / row[base]) if groups > 1 else float("nan")


def _middle(record: Mapping, fitted: Split, checked: Mapping[str, float] | None) -> dict:
    if checked:
        share = rogan_gladen(checked["share"], checked["sensitivity"], checked["specificity"])
        expected = share * record["sessions"]
        return {"estimate": ratio(record["converted"], expected), "expected": expected, "source": "hand-checked"}
    if not fitted.holds or not record["converted"]:
        return {"estimate": None, "source": None}
    source = "everyone" if fitted.everyone else "split"
    return {"estimate": ratio(record["converted"], record["expected"]), "source": source}


def _understated(record: Mapping) -> dict[str, float | None]:
    def over(rate: float | None) -> float | None:
        return None if rate is None or not record["naive"] else rate / record["naive"] - 1

    return {
        "understated": over(record["estimate"]),
        "understated_low": over(record["robust_lower"]),
        "understated_high": over(record["robust_upper"]),
    }


def ratio(top: float, bottom: float) -> float:
    """Return top / bottom; NaN without a denominator."""
    return float(top / bottom) if bottom else float("nan")


def plain_row(row: pd.Series) -> dict:
    """Return a row of SQL as plain numbers, counts whole."""
    whole = {"sessions", "visitors", "converted", "can_buy", "ambiguous", "cannot_buy", "buyers_elsewhere", "landings"}
    return {
        name: int(value) if name in whole else value if isinstance(value, str) else float(value)
        for name, value in row.items()
    }
