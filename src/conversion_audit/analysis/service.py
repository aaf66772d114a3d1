"""Success for everyone who did not come to buy: did they get what they came for, and with what effort?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from conversion_audit.analysis.split import PADDED_TO, Split, landing_cells, soft_counts
from conversion_audit.analysis.statistics import VISITOR_SUMS, newcombe, repeat_effect, repeat_wilson, wilson
from conversion_audit.engine import AnyTable, Table, engine_of, statement
from conversion_audit.findings import Finding

DAYS = (30, 60, 90)
WELL_SERVED = 0.7
FEW = 30
# What a success rate is of.
EXPECTED, SHOWN = "sessions expected to have come for it", "sessions that showed it"


def served_sessions(
    intents: AnyTable, marks: AnyTable, sessions: AnyTable, success: Mapping[str, Sequence[str]]
) -> Table:
    """
    Return the sessions that came for something else, and whether each got it.

    Parameters
    ----------
    intents : table
        From `intent.session_intents`.
    marks, sessions : table
        Contracts `tables.MARKS` and `tables.SESSIONS`.
    success : mapping
        Intent -> names of its successes in `marks`; any of them counts.

    Returns
    -------
    Table
        One row per session of these intents: intent, session_id, visitor_id, start, pages, seconds, exit_page, is_served
        (missing where the intent has no success: whether it got what it came for cannot be known).
    """
    pairs = [(name, intent) for intent, names in success.items() for name in names]
    tables = {
        "intents": intents,
        "marks": marks,
        "sessions": sessions,
        "goals": pd.DataFrame(pairs, columns=["name", "intent"], dtype="string"),
        "wanted": pd.DataFrame(
            {"intent": pd.Series(list(success), dtype="string"), "is_declared": [bool(x) for x in success.values()]}
        ),
    }
    return engine_of(intents, marks, sessions).create(statement(__file__, "served"), tables, name="served")


def service_table(served: AnyTable, intents: AnyTable, fitted: Split, can_buy: Mapping[str, str]) -> pd.DataFrame:
    """
    Return, per intent other than shopping, how many came for it, got it, and how much effort that took.

    The base is the expected number of sessions that came for it, silent ones included, where the split holds; else the
    sessions that showed it, which makes the rate too high. `of` says which.

    Parameters
    ----------
    served : table
        From `served_sessions`.
    intents : table
        From `intent.session_intents`.
    fitted : Split
        From `split.split`.
    can_buy : mapping
        Intent -> whether its visitors can buy.

    Returns
    -------
    DataFrame
        One row per intent, the largest first::

             intent  sessions  soft_sessions   came  successes  success_rate  success_low  success_high  of
            returns       810          930.4  930.4        570         0.613        0.581         0.644  ...

        `came` is the base. `successes`, `success_rate` and `failures` are missing where no success is declared, or nobody
        came. Pages and seconds are medians, of those who succeeded and of those who did not. `failures` is the base less the
        successes. The interval allows for repeated visits, by `repeat_effect`.
    """
    table = engine_of(served).query(statement(__file__, "efforts"), {"served": served}).astype({"successes": "float64"})
    sums = engine_of(served).query(statement(__file__, "repeats"), {"served": served})
    effect = repeat_effect(table.successes, table.sessions, sums.hits_hits, sums.hits_tries, sums.tries_tries)
    cells = landing_cells(intents)
    landed = cells[cells.landing == "service"].groupby("landing_intent").sessions.sum()
    # A purpose that hardly anybody lands on is fitted from the others': its label is the better count.
    known = (table.intent.map(landed) >= PADDED_TO) & (fitted.holds and not fitted.everyone)
    expected = table.intent.map(soft_counts(cells, fitted)).where(known)
    # Nobody can have succeeded without having come: the base is never below what was seen.
    table["soft_sessions"] = expected.clip(lower=table.successes.fillna(0))
    base = table.soft_sessions.fillna(table.sessions)
    low, high = wilson(table.successes / effect, base / effect)
    return table.assign(
        can_buy=table.intent.map(can_buy),
        repeat_effect=effect,
        came=base,
        success_rate=table.successes / base.where(base > 0),
        success_low=low,
        success_high=high,
        failures=base - table.successes,
        of=np.where(table.soft_sessions.isna(), SHOWN, EXPECTED),
    ).sort_values(["sessions", "intent"], ascending=[False, True], ignore_index=True)


def service_rate(table: pd.DataFrame) -> dict:
    """
    Return the success rate of everyone who came for something that cannot be bought.

    Returns
    -------
    dict
        intents, successes, came, rate, low, high, of (`SHOWN` where silent sessions are in no intent's base). Rate and
        interval are NaN where no success is declared.
    """
    rows = table[(table.can_buy == "cannot") & table.success_rate.notna()]
    came, successes = float(rows.came.sum()), int(rows.successes.sum())
    effect = float((rows.came * rows.repeat_effect).sum()) / came if came else 1.0
    low, high = wilson(successes / effect, came / effect)
    rate = successes / came if came else float("nan")
    return {
        "intents": list(rows.intent),
        "successes": successes,
        "came": came,
        "rate": rate,
        "low": float(low),
        "high": float(high),
        "of": EXPECTED if (rows.of == EXPECTED).any() else SHOWN,
    }


def claim(rate: Mapping) -> str:
    """Return the key of the sentence about a record of `service_rate`."""
    if not rate["came"]:
        return "service.headline_none"
    return "service.headline" if rate["of"] == EXPECTED else "service.headline_shown"


def failure_claim(pages: pd.DataFrame, table: pd.DataFrame) -> tuple[str, dict]:
    """Return the key and the record of the sentence about where most sessions fail; `failure_pages`, `service_table`."""
    if not len(pages):
        is_unknown = len(table) and table.successes.isna().all()
        return "service.failures_unknown" if is_unknown else "service.failures_none", {}
    row = pages.sort_values(["failures", "page"], ascending=[False, True]).iloc[0]
    return "service.failures_headline", row.to_dict()


def failure_pages(served: AnyTable, most: int = 5) -> pd.DataFrame:
    """
    Return on which page sessions of each intent ended without what they came for.

    Returns
    -------
    DataFrame
        At most `most` rows per intent, the commonest first::

             intent      page  failures  sessions  all_failures  failure_share  failure_low  failure_high  of
            returns  /returns       140       310           298           0.47         0.41          0.53  ...

        Counted are sessions that showed the intent: where a silent one ended is not known. `all_failures`: on any page. Intervals
        allow for repeated visits.
    """
    table = engine_of(served).query(statement(__file__, "failures"), {"served": served})
    table = table.astype({"failures": "int64", "sessions": "int64"})
    total = table.groupby("intent").failures.transform("sum")
    sums = [table.pop(name) for name in VISITOR_SUMS]
    low, high = repeat_wilson(table.failures, total, *sums)
    shares = {"failure_share": table.failures / total, "failure_low": low, "failure_high": high}
    return (
        table.assign(all_failures=total, **shares, of="failed sessions of this intent")
        .groupby("intent")
        .head(most)
        .reset_index(drop=True)
    )


def come_back(
    served: AnyTable, history: AnyTable, every_session: AnyTable, goal: str, days: Sequence[int] = DAYS
) -> pd.DataFrame:
    """
    Compare how many visitors buy later, served and not served.

    Each visitor counts once, by the first session of the intent, and only where the export reaches as far as the days
    asked; what is bought in that session itself is no coming back. Being served goes with coming back; it need not be why.

    Parameters
    ----------
    served : table
        From `served_sessions`.
    history, every_session : table
        Marks and sessions of the whole export.
    goal : str
        Name of the goal that counts as buying.
    days : sequence of int
        Days to follow.

    Returns
    -------
    DataFrame
        One row per intent, days and outcome::

             intent  days  outcome  visitors  came_back  converted_later_rate  ...  of
            returns    30   served       402         61                 0.152       visitors

        `converted_later_low` and `converted_later_high` are the rate's interval.
    """
    tables = {
        "served": served,
        "history": history,
        "every_session": every_session,
        "windows": pd.DataFrame({"days": list(days)}),
    }
    table = (
        engine_of(served, history)
        .query(statement(__file__, "come_back"), tables, goal=goal)
        .astype({"came_back": "int64"})
    )
    low, high = wilson(table.came_back, table.visitors)
    return table.assign(
        outcome=np.where(table.is_served == 1, "served", "not served"),
        converted_later_rate=table.came_back / table.visitors,
        converted_later_low=low,
        converted_later_high=high,
        of="visitors",
    ).drop(columns="is_served")


def findings(table: pd.DataFrame, pages: pd.DataFrame, back: pd.DataFrame) -> list[Finding]:
    """
    Return one finding per intent with a declared success, and what goes with being served.

    Parameters
    ----------
    table, pages, back : DataFrame
        From `service_table`, `failure_pages` and `come_back`.
    """
    found = []
    for row in table[table.success_rate.notna() & (table.sessions >= FEW)].to_dict("records"):
        worst = pages[pages.intent == row["intent"]].head(1).to_dict("records")
        failed = row["success_low"] < WELL_SERVED
        ends = worst[0] if worst else dict.fromkeys(pages)
        names = ("page", "all_failures", "failure_share", "failure_low", "failure_high")
        values = {
            **row,
            "successes": int(row["successes"]),
            "key": row["intent"],
            **{name: ends[name] for name in names},
            "page_failures": ends["failures"],
        }
        found.append(
            Finding(
                kind="service",
                chapter="03",
                claim="service.rate",
                severity="medium" if failed and row["failures"] >= FEW else "info",
                verdict="counted",
                values=values,
                next_step="service.where_they_fail" if failed and worst else None,
                segment={"intent": row["intent"]},
                owner="customer_service",
            )
        )
    return found + _back(back)


def _back(back: pd.DataFrame) -> list[Finding]:
    found = []
    for (intent, days), pair in back.groupby(["intent", "days"]):
        sides = pair.set_index("outcome")
        if days != DAYS[0] or set(sides.index) != {"served", "not served"} or sides.visitors.min() < 50:
            continue
        well, ill = sides.loc["served"], sides.loc["not served"]
        low, _ = newcombe(well.came_back, well.visitors, ill.came_back, ill.visitors)
        if low > 0:
            values = {"key": intent, "intent": intent, "days": int(days), "served_rate": well.converted_later_rate}
            values |= {
                "served": int(well.visitors),
                "failed": int(ill.visitors),
                "failed_rate": ill.converted_later_rate,
            }
            found.append(
                Finding(
                    kind="observation",
                    chapter="03",
                    claim="service.served_come_back",
                    verdict="goes with",
                    values=values,
                    segment={"intent": intent},
                    owner="customer_service",
                )
            )
    return found
