"""Marks -> what each session came for: a label with its evidence, and whether it could have bought."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from conversion_audit.analysis.statistics import VISITOR_SUMS, repeat_wilson, wilson
from conversion_audit.engine import AnyTable, Table, engine_of, statement
from conversion_audit.findings import Finding

SHOP = "shop"
UNKNOWN = "unknown"
STRENGTHS = (1, 2, 3)
# Where a session lands: on goods (nothing left to learn), or on a shelf (shows what shoppers do next).
LANDING_TYPES = {"product": 3, "cart": 3, "checkout": 3, "category": 2, "search": 2}


def session_intents(
    marks: AnyTable,
    sessions: AnyTable,
    steps: Sequence[str],
    goal: str,
    intents: Mapping[str, str],
    ineligible: Sequence[str] = (),
) -> Table:
    """
    Say for every session what it came for, on which evidence, and whether it could have bought.

    Evidence is read up to and including the session's first row of the journey; rows of the goal are never read. That
    closing row counts as shopping evidence of one strength, whichever step it is. The strongest evidence gives the
    label (3 a task, or landing on the intent's page; 2 its page read later; 1 a hint, which never decides; + 0.5 for a
    second distinct page); ties go to the earlier one.

    Parameters
    ----------
    marks : table
        Rows of the contract `tables.MARKS`, evidence named ``evidence:<intent>:<strength>`` and ``evidence:shop:<2|3>``.
    sessions : table
        The sessions to label, contract `tables.SESSIONS`.
    steps : sequence of str
        The journey. The goal among them is left out.
    goal : str
        Name of the main goal. A session with one of its rows is a buyer; that sets no label.
    intents : mapping
        Intent -> ``can``, ``cannot`` or ``unclear``: whether someone who comes for it could buy as well.
    ineligible : sequence of str
        Names of marks that bar a visitor (country not served, staff): all their sessions are left out.

    Returns
    -------
    Table
        One row per eligible session::

            session_id  intent   runner_up  evidence   strength  class  landing  later    is_buyer
                    s1  shop     returns    /p/red          3.5  A      neutral  both            1
                    s2  returns  -          /returns        3.0  X      service  silent          0
                    s3  unknown  -          -               0.0  A      neutral  silent          0

        `class`: C only shopping evidence, X only evidence of intents that cannot buy, A everything else. `landing`:
        product, shelf (category or search), service or neutral. `later`: what followed the landing inside the window.
        `runner_up` and `evidence` are missing where there was none. Also visitor_id, device_id, source_session, date,
        channel, landing_intent, entry_step, shows_shop, shows_service, shows_unclear.
    """
    engine = engine_of(marks, sessions)
    journey = [step for step in steps if step != goal]
    tables: dict[str, AnyTable] = {
        "sessions": sessions,
        "steps": _texts("step", journey).assign(place=range(1, len(journey) + 1)),
        "rules": evidence_rules(intents),
        "ineligible": _texts("name", ineligible),
        "landing_types": pd.DataFrame({"page_type": list(LANDING_TYPES), "strength": list(LANDING_TYPES.values())}),
        "marks": marks,
    }
    for section in ("read", "entries", "evidence", "scores", "summaries", "labelled"):
        tables[section] = made = engine.create(
            statement(__file__, section), tables, name=f"intent_{section}", goal=goal, shop=SHOP
        )
    return made


def evidence_rules(intents: Mapping[str, str]) -> pd.DataFrame:
    """
    Return what each evidence name in `marks` stands for.

    Returns
    -------
    DataFrame
        One row per intent and strength::

                            name   intent can_buy  strength
                evidence:shop:2     shop     can         2
            evidence:returns:3  returns  cannot         3
    """
    known = {SHOP: "can", **intents}
    rows = [(f"evidence:{name}:{n}", name, can, n) for name, can in known.items() for n in STRENGTHS]
    return pd.DataFrame(rows, columns=["name", "intent", "can_buy", "strength"])


def intent_table(intents: AnyTable, can_buy: Mapping[str, str]) -> pd.DataFrame:
    """
    Count sessions per label.

    Parameters
    ----------
    intents : table
        From `session_intents`.
    can_buy : mapping
        Intent -> ``can``, ``cannot`` or ``unclear``.

    Returns
    -------
    DataFrame
        One row per label, the largest first::

            intent  can_buy  sessions  visitors  session_share  converted  conversion_rate  conversion_low  ...  of
              shop      can      6120      5230           0.72        231            0.038           0.033  ...  sessions

        A label's conversion rate is a description: labels are not a base for the true rate, classes are. Its interval
        allows for repeated visits.
    """
    table = engine_of(intents).query(statement(__file__, "by_intent"), {"intents": intents})
    sums = [table.pop(name) for name in VISITOR_SUMS]
    low, high = repeat_wilson(table.converted, table.sessions, *sums)
    return table.assign(
        can_buy=table.intent.map({SHOP: "can", UNKNOWN: "unclear", **can_buy}),
        session_share=table.sessions / table.sessions.sum(),
        conversion_rate=table.converted / table.sessions,
        conversion_low=low,
        conversion_high=high,
        of="sessions",
    )


def intent_summary(table: pd.DataFrame) -> dict:
    """Return shares of sessions that came to shop, came for something else, and do not say; from `intent_table`."""
    share = table.groupby("can_buy").sessions.sum().reindex(["can", "cannot", "unclear"], fill_value=0)
    total = int(table.sessions.sum())
    shares = share / total if total else share * float("nan")
    return {
        "sessions": total,
        "shop_share": float(shares["can"]),
        "service_share": float(shares["cannot"]),
        "unknown_share": float(shares["unclear"]),
        "service_sessions": int(share["cannot"]),
    }


def entries_claim(entries: pd.DataFrame) -> tuple[str, dict]:
    """Return the share of journeys that begin at the first step; from `entry_steps`."""
    if not entries.sessions.sum():
        return "intent.entries_none", {}
    return "intent.entries_claim", {"first_share": float(entries.session_share[0])}


def entry_steps(intents: AnyTable, steps: Sequence[str], goal: str) -> pd.DataFrame:
    """
    Count at which step sessions entered the journey.

    Returns
    -------
    DataFrame
        One row per step of the journey without the goal::

                     step  sessions  session_share  of
             product_view      4100          0.954  sessions that entered the journey
              add_to_cart       198          0.046  sessions that entered the journey

        `session_share` is NaN where no session entered.
    """
    journey = [step for step in steps if step != goal]
    places = _texts("step", journey).assign(place=range(1, len(journey) + 1))
    table = engine_of(intents).query(statement(__file__, "entry_steps"), {"intents": intents, "steps": places})
    total = table.sessions.sum()
    share = table.sessions / total if total else float("nan")
    return table.assign(session_share=share, of="sessions that entered the journey")


def findings(entries: pd.DataFrame, most: float = 0.05) -> list[Finding]:
    """Return a finding where surely more than `most` of the journeys enter after the first step: it is under-tracked."""
    later = int(entries.sessions[1:].sum())
    total = int(entries.sessions.sum())
    if not total or wilson(later, total)[0] <= most:
        return []
    values = {"step": entries.step[0], "later": later, "entered": total, "rate": later / total}
    return [
        Finding(
            kind="tracking",
            chapter="03",
            claim="intent.first_step_missing",
            severity="medium",
            verdict="likely",
            values=values,
            voids=("02",),
            next_step="intent.first_step_missing_next",
            step=str(entries.step[0]),
            owner="tracking",
        )
    ]


def _texts(column: str, values: Sequence[str]) -> pd.DataFrame:
    return pd.DataFrame({column: pd.Series(list(values), dtype="string")})
