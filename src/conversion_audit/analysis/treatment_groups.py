"""Recommendations and moments for each group of sessions: what suits all of them may suit none."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import pandas as pd

from conversion_audit.engine import AnyTable, Table, engine_of, statement

LEAST_SESSIONS = 100
HEADS = ["grouped_by", "group_name", "group_sessions"]


def groups(
    intents: AnyTable,
    sessions: AnyTable,
    every: AnyTable,
    history: AnyTable,
    steps: Sequence[str],
    can_buy: Mapping[str, str],
) -> Table:
    """
    Return which session belongs to which group: to its intent, and to what its visitor had done before it.

    Both are known without knowing how the session ends; a segment by furthest step would only say again where it ended.
    Intents that cannot buy are left out, they are shown nothing (`treatment.not_to_show`); so are groups of fewer than
    100 sessions and, before, sessions without a visitor id.

    Parameters
    ----------
    intents : table
        From `intent.session_intents`.
    sessions, every : table
        Of the period, and of the whole export.
    history : table
        Marks of the whole export.
    steps : sequence of str
        The journey, the goal last.
    can_buy : mapping
        Intent -> can, cannot or unclear.

    Returns
    -------
    Table
        One row per session and kind of group: grouped_by (``intent`` or ``earlier_visits``), group_name (an intent; or
        first_visit, came_before, looked_before, began_before, bought_before: the furthest step of earlier visits), session_id.
    """
    quiet = pd.DataFrame(
        {"intent": pd.Series([name for name, one in can_buy.items() if one == "cannot"], dtype="string")}
    )
    places = pd.DataFrame({"name": pd.Series(list(steps), dtype="string"), "place": range(1, len(steps) + 1)})
    tables = {"intents": intents, "sessions": sessions, "every_one": every, "history": history}
    tables |= {"steps": places, "quiet": quiet}
    sql = statement(__file__, "groups")
    return engine_of(sessions, every).create(sql, tables, name="groups", goal=len(steps), least=LEAST_SESSIONS)


def by_group(groups: AnyTable, rows: AnyTable, make: Callable[[AnyTable, int], pd.DataFrame]) -> pd.DataFrame:
    """
    Return what `make` gives for the rows of each group, one below the other.

    Parameters
    ----------
    groups : table
        From `groups`.
    rows : table
        Of the period, with session_id.
    make : callable
        Rows of one group, number of groups -> table.

    Returns
    -------
    DataFrame
        In front grouped_by, group_name and group_sessions, then the columns of `make`; intents first, the largest group first.
    """
    engine = engine_of(groups, rows)
    sizes = engine.query(statement(__file__, "sizes"), {"groups": groups})
    nothing = {"grouped_by": "", "group_name": "", "sessions": 0}  # its empty table tells the columns
    parts = []
    for row in [nothing, *sizes.to_dict("records")]:
        asked = {name: row[name] for name in HEADS[:2]}
        own = engine.create(statement(__file__, "own"), {"groups": groups, "rows": rows}, name="own", **asked)
        made = make(own, len(sizes))
        engine.drop(own)
        parts.append(made.assign(**asked, group_sessions=row["sessions"])[[*HEADS, *made.columns]])
    return pd.concat([part for part in parts[1:] if len(part)] or [parts[0].iloc[:0]], ignore_index=True)


def surest(pairs: pd.DataFrame, most: int = 3) -> pd.DataFrame:
    """
    Return each group's surest pairs, `what` (viewed or bought) after the group's name.

    A pair stands once, from the product whose companion is the surer; of pairs no surer than another, the first by product.
    """
    table = pairs.sort_values(["lift_low", "item_id"], ascending=[False, True], kind="stable")
    both = ["item_id", "with_item_id"]
    pair = table[both].min(axis=1).astype("string") + "\0" + table[both].max(axis=1).astype("string")
    by = [*HEADS[:2], "what"]
    table = table.assign(pair=pair).drop_duplicates([*by, "pair"]).drop(columns="pair")
    kept = table.groupby(by, sort=False).head(most).index
    columns = [*HEADS, "what", *(name for name in pairs.columns if name not in (*HEADS, "what"))]
    return pairs.loc[sorted(kept), columns].reset_index(drop=True)
