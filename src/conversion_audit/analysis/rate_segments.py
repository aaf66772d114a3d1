"""Where the true rate differs, which traffic hides it, and which answer of the client would narrow it most."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from conversion_audit.analysis.split import Split
from conversion_audit.analysis.true_rate import interval, ratio, totals_of, visitor_sums, wrong_shares
from conversion_audit.engine import AnyTable, engine_of, quoted, statement

HOMES = ("/", "/home", "/index", "/index.html", "/start")


def by_segment(
    intents: AnyTable, sessions: AnyTable, column: str, fitted: Split, min_sessions: int = 30
) -> pd.DataFrame:
    """
    Return the rates per value of one session column, or per ``month``.

    Parameters
    ----------
    intents : table
        From `split.with_chances`.
    sessions : table
        Contract `tables.SESSIONS`.
    column : str
        A column of sessions, or ``month``.
    fitted : Split
        The split that gave the chances.
    min_sessions : int
        Segments with fewer sessions are shown with counts alone.

    Returns
    -------
    DataFrame
        One row per value, the largest first::

             segment  sessions  converted  naive_rate  lower_rate  upper_rate  true_rate  true_low  true_high  cannot_share
             desktop     24100     812       0.034       0.039       0.044      0.041     0.036      0.049          0.58

        `true_rate` is NaN where no middle estimate holds. `cannot_sessions` is the expected number that could not
        buy (counted, where no estimate holds); `cannot_share` is this segment's part of all of them. `of` names the base.
    """
    engine = engine_of(intents, sessions)
    sql = (
        statement(__file__, "months")
        if column == "month"
        else f"SELECT session_id, {quoted(column)} AS segment FROM sessions"
    )
    segments = engine.create(sql, {"sessions": sessions}, name="segment_of")
    placed = engine.create(statement(__file__, "placed"), {"intents": intents, "segments": segments}, name="placed")
    table = visitor_sums(placed, wrong_shares(totals_of(intents), fitted))
    return _told(table, fitted, min_sessions)


def gap_claim(table: pd.DataFrame) -> tuple[str, dict]:
    """Return the sentence on the channel that most of the sessions that could not buy came through; from `by_segment`."""
    known = table.dropna(subset=["cannot_share"])
    if not len(known):
        return "true_rate.gap_nobody", {}
    named = known[known.segment != ""].sort_values(["cannot_share", "segment"], ascending=[False, True])
    return ("true_rate.gap_headline", named.iloc[0].to_dict()) if len(named) else ("goals.channels_unknown", {})


def question_claim(pages: pd.DataFrame) -> tuple[str, dict]:
    """Return the key and the record of the sentence that asks the client about a page."""
    if not len(pages):
        return "true_rate.pages_none", {}
    return "true_rate.pages_headline", pages.iloc[0].to_dict()


def questions(intents: AnyTable, sessions: AnyTable, record: Mapping[str, float]) -> pd.DataFrame:
    """
    Return the pages about which one answer of the client would move the bounds most.

    Returns
    -------
    DataFrame
        One row per landing page that says nothing about a purpose, the most telling first::

                      page  landings  converted  ambiguous  lower_if_not_rate  upper_if_so_rate
             /brand/tube        590       0        512         0.024        0.041

        `lower_if_not_rate`: the lower bound if its ambiguous visitors could not buy; `upper_if_so_rate`: the upper bound if
        they could. The home page is left out: nobody could answer for it.
    """
    homes = pd.DataFrame({"page": pd.Series(HOMES, dtype="string")})
    tables = {"intents": intents, "sessions": sessions, "homes": homes}
    pages = engine_of(intents, sessions).query(statement(__file__, "pages"), tables)
    converted, sure, unsure = (record[name] for name in ("converted", "can_buy", "ambiguous"))
    return pages.assign(
        lower_if_not_rate=[ratio(converted, sure + unsure - n) for n in pages.ambiguous],
        upper_if_so_rate=[ratio(converted, sure + n) for n in pages.ambiguous],
    )


def _told(table: pd.DataFrame, fitted: Split, min_sessions: int) -> pd.DataFrame:
    few = table.sessions < min_sessions
    intervals = np.array([interval(row) for _, row in table.iterrows()]).reshape(len(table), 2)
    known = fitted.holds and table.converted.sum() > 0
    cannot = table.sessions - table.expected if known else table.cannot_buy
    true = table.converted / table.expected.where(table.expected > 0) if known else pd.Series(np.nan, table.index)
    return pd.DataFrame(
        {
            "segment": table.segment,
            "sessions": table.sessions.astype("int64"),
            "converted": table.converted.astype("int64"),
            "naive_rate": (table.converted / table.sessions).mask(few),
            "lower_rate": (table.converted / (table.can_buy + table.ambiguous).replace(0, np.nan)).mask(few),
            "upper_rate": (table.converted / table.can_buy.replace(0, np.nan)).mask(few),
            "true_rate": true.mask(few),
            "true_low": pd.Series(intervals[:, 0], table.index).mask(few),
            "true_high": pd.Series(intervals[:, 1], table.index).mask(few),
            "cannot_sessions": cannot.astype(float),
            "cannot_share": cannot / cannot.sum() if cannot.sum() else np.nan,
            "of": "sessions",
        }
    )
