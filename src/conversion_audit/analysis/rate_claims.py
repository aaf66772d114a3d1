"""What the true rate says: the sentence, the checks behind it, and what would narrow it."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from conversion_audit.analysis.true_rate import plain_row
from conversion_audit.findings import Finding


def rate_table(records: Mapping[str, Mapping]) -> pd.DataFrame:
    """
    Put several records side by side.

    Parameters
    ----------
    records : mapping
        How it was counted -> record of `true_rate`.

    Returns
    -------
    DataFrame
        One row per record::

            counted     sessions  converted  expected_sessions  naive_rate  lower_rate  upper_rate  true_rate  true_low  ...
            by_session     40000    1650            32353.0       0.041       0.048       0.054      0.051     0.047  ...

        `sessions` counts visitors where the record does. `true_rate` and its denominator, `expected_sessions`, are NaN
        where no middle estimate holds. `surely_able`, `ambiguous` and `cannot_buy` add up to `sessions`.
    """
    columns = {"naive": "naive_rate", "lower": "lower_rate", "upper": "upper_rate", "estimate": "true_rate"}
    columns |= {"low": "true_low", "high": "true_high"}
    rows = [
        {
            "counted": name,
            **{key: one[key] for key in ("sessions", "visitors", "converted")},
            "surely_able": one["can_buy"],
            **{key: one[key] for key in ("ambiguous", "cannot_buy")},
            "expected_sessions": float("nan") if one["estimate"] is None else one["expected"],
        }
        | {new: float("nan") if one[old] is None else one[old] for old, new in columns.items()}
        for name, one in records.items()
    ]
    return pd.DataFrame(rows).assign(of="those who could have bought")


def claim(record: Mapping) -> str:
    """
    Return the key of the sentence that tells a record: with a middle estimate, or without.

    Where only those who converted showed what they came for, all of them did: a rate of one says nothing.
    """
    if record["estimate"] is None:
        return "true_rate.at_least" if record["upper"] >= 1 else "true_rate.between"
    return "true_rate.everyone" if record["source"] == "everyone" else "true_rate.understated"


def figure_claim(record: Mapping) -> str:
    """Return the key of the sentence over the picture: of the range, where there is one and it says something."""
    key = claim(record)
    return "true_rate.figure_claim" if record["low"] < record["high"] and key != "true_rate.at_least" else key


def check_table(record: Mapping) -> pd.DataFrame:
    """
    Return the checks that a middle estimate must pass.

    Returns
    -------
    DataFrame
        One row per check::

                      check    seen  needed  seen_share  allowed_share   holds
           service_landings  3929.0   100.0           -              -    True
                     misfit       -       -       0.003           0.03    True

        Counts are at least, shares at most. Empty where no session showed a purpose that excludes buying: there is nothing to check.
    """
    rows = pd.DataFrame(record["checks"], columns=["name", "value", "limit", "passed"])
    counts = rows.name.str.endswith("landings").astype(bool)
    return pd.DataFrame(
        {
            "check": rows.name,
            "seen": rows.value.where(counts),
            "needed": rows.limit.where(counts),
            "seen_share": rows.value.mask(counts),
            "allowed_share": rows.limit.mask(counts),
            "holds": rows.passed,
        }
    )


def check_claim(record: Mapping) -> tuple[str, dict]:
    """Return the key and the record of the sentence about the checks."""
    if not record["checks"]:
        return "true_rate.checks_none", {}
    failed = len(record["gates"])
    counts = {"failed": failed, "count": len(record["checks"])}
    return ("true_rate.checks_headline" if failed else "true_rate.checks_ok"), counts


def advice(record: Mapping) -> tuple[str, dict]:
    """Return the key and the record of the sentence on what to do with the rate, or on what would narrow it."""
    if record["estimate"] is not None:
        return "true_rate.use", {}
    failed = [check["name"] for check in record["gates"]]
    if not failed:
        return "true_rate.narrow_none", {}
    # More days bring more landings; they do not change what a silent landing is like.
    longer = any(check["name"].endswith("landings") and check["value"] for check in record["gates"])
    key = "true_rate.narrow_longer" if longer else "true_rate.narrow"
    return key, {"failed": failed, "ambiguous": record["ambiguous"]}


def findings(record: Mapping, pages: pd.DataFrame) -> list[Finding]:
    """
    Return what the true rate says, and the page about which the client should be asked.

    Parameters
    ----------
    record : mapping
        From `true_rate`.
    pages : DataFrame
        From `questions`.
    """
    known = record["estimate"] is not None
    told = {name: value for name, value in record.items() if not isinstance(value, (list, dict))}
    found = [
        Finding(
            kind="observation",
            chapter="03",
            claim=claim(record),
            severity="info",
            verdict="estimated" if known else "bounded",
            values={**told, **advice(record)[1]},
            next_step=advice(record)[0],
            owner="acquisition",
        )
    ]
    if len(pages) and pages.ambiguous[0] >= 0.02 * record["sessions"]:
        page = plain_row(pages.iloc[0])
        found.append(
            Finding(
                kind="observation",
                chapter="03",
                claim="true_rate.page_question",
                severity="low",
                verdict="question",
                values={**page, "key": page["page"], "lower": record["lower"], "upper": record["upper"]},
                next_step="true_rate.page_question_next",
                owner="tracking",
            )
        )
    return found
