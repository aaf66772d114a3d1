"""How visitors really move: from page to page, forward and backward, in circles, to the goal and out."""

from __future__ import annotations

from typing import Literal

import pandas as pd

from conversion_audit.analysis.statistics import newcombe, wilson
from conversion_audit.engine import AnyTable, Table, engine_of, statement

START, EXIT, OTHER = "(start)", "(exit)", "(other)"  # no page or event of a site has such a name


def stays(events: AnyTable, kind: Literal["page", "event"] = "page", *, most: int = 15) -> Table:
    """
    Return what each session went through: one row per stay on a kind of page (or in an event).

    Parameters
    ----------
    events : table
        Of the period.
    kind : str
        ``"page"``: the page type, else the page. ``"event"``: the event's name.
    most : int
        The most frequent nodes keep their name, the others become ``(other)``.

    Returns
    -------
    Table
        session_id, n (1..), node, event_number (its first), views, seconds (missing where the export does not say).
    """
    engine = engine_of(events)
    nodes = engine.create(statement(__file__, f"{kind}_nodes"), {"events": events}, name="nodes")
    named = engine.create(statement(__file__, "named_nodes"), {"nodes": nodes}, name="nodes", most=most)
    made = engine.create(statement(__file__, "visits"), {"nodes": named}, name="stays")
    engine.drop(nodes, named)
    return made


def of_sessions(stays: AnyTable, sessions: AnyTable) -> Table:
    """Return the stays of some sessions."""
    sql = "SELECT * FROM stays WHERE session_id IN (SELECT session_id FROM sessions)"
    return engine_of(stays, sessions).create(sql, {"stays": stays, "sessions": sessions}, name="stays")


def transitions(stays: AnyTable) -> pd.DataFrame:
    """
    Return how often visitors go from one node to the next.

    Parameters
    ----------
    stays : table
        From `stays`.

    Returns
    -------
    DataFrame
        One row per pair, most frequent first, ``(start)`` and ``(exit)`` included::

            source    target   transitions  sessions  departures  forward_rate  ...  arrivals  backward_rate
            (start)   home            1200      1200        2556         0.469  ...      1500          0.800

        forward_rate: of the departures from the source; backward_rate: of the arrivals at the target; each with its
        interval (transitions taken as independent).
    """
    return _with_rates(engine_of(stays).query(statement(__file__, "transitions"), {"visits": stays}))


def event_transitions(events: AnyTable, *, most: int = 15) -> pd.DataFrame:
    """
    Return how often one event follows another: `transitions` of the stays in events, in one pass over the events.

    Each event knows the next of its session, so nothing is sorted; in return nobody counts in how many sessions a pair is.

    Parameters
    ----------
    events : table
        Of the period.
    most : int
        The most frequent events keep their name, the others become ``(other)``.

    Returns
    -------
    DataFrame
        As `transitions`, without `sessions`.
    """
    pairs = engine_of(events).query(statement(__file__, "event_pairs"), {"events": events})
    sizes = pairs.groupby("event").transitions.sum().rename("n").reset_index()
    kept = set(sizes.sort_values(["n", "event"], ascending=[False, True]).event.head(most))
    source = pairs.event.where(pairs.event.isin(kept), OTHER)
    after = pairs.next_event.where(pairs.next_event.isin(kept), OTHER).where(pairs.next_event.notna(), EXIT)
    moved = pd.DataFrame({"source": source, "target": after, "transitions": pairs.transitions})
    begun = pd.DataFrame({"source": START, "target": source, "transitions": pairs.firsts})
    links = pd.concat([moved[moved.source != moved.target], begun[begun.transitions > 0]])
    links = links.groupby(["source", "target"], as_index=False).transitions.sum()
    order = ["transitions", "source", "target"]
    return _with_rates(links.sort_values(order, ascending=[False, True, True], ignore_index=True))


def _with_rates(table: pd.DataFrame) -> pd.DataFrame:
    departures = table.groupby("source").transitions.transform("sum")
    arrivals = table.groupby("target").transitions.transform("sum")
    forward_low, forward_high = wilson(table.transitions, departures)
    backward_low, backward_high = wilson(table.transitions, arrivals)
    return table.assign(
        departures=departures,
        forward_rate=table.transitions / departures,
        forward_low=forward_low,
        forward_high=forward_high,
        arrivals=arrivals,
        backward_rate=table.transitions / arrivals,
        backward_low=backward_low,
        backward_high=backward_high,
    )


def journey_map(links: pd.DataFrame) -> pd.DataFrame:
    """
    Return each node's traffic: what comes in goes out.

    Parameters
    ----------
    links : DataFrame
        From `transitions`.

    Returns
    -------
    DataFrame
        One row per node, busiest first: node, entries (sessions that begin here), arrivals (from other nodes),
        departures (to other nodes), exits (sessions that end here), stays (entries + arrivals = departures + exits),
        exit_rate with its interval (of the stays), most_next (where most go from here).
    """
    inner = links[(links.source != START) & (links.target != EXIT)]
    table = pd.DataFrame(
        {
            "entries": links[links.source == START].set_index("target").transitions,
            "arrivals": inner.groupby("target").transitions.sum(),
            "departures": inner.groupby("source").transitions.sum(),
            "exits": links[links.target == EXIT].set_index("source").transitions,
            "most_next": inner.drop_duplicates("source").set_index("source").target,
        }
    )
    counts = ["entries", "arrivals", "departures", "exits"]
    table = table.fillna(dict.fromkeys(counts, 0)).astype(dict.fromkeys(counts, int))
    table = table.assign(stays=table.entries + table.arrivals)
    low, high = wilson(table.exits, table.stays)
    table = table.assign(exit_rate=table.exits / table.stays, exit_low=low, exit_high=high)
    table = table.rename_axis("node").reset_index()
    return table.sort_values(["stays", "node"], ascending=[False, True], ignore_index=True)


def compare(a: pd.DataFrame, b: pd.DataFrame) -> pd.DataFrame:
    """
    Return two groups' ways side by side: where each goes from a node, a minus b.

    Parameters
    ----------
    a, b : DataFrame
        From `transitions`, of each group's stays.

    Returns
    -------
    DataFrame
        One row per pair that either group takes, largest difference first: source, target, a_transitions,
        a_departures, a_rate, the same for b, difference_points with difference_points_low and difference_points_high.
        NaN where a group never leaves the source.

    References
    ----------
    Newcombe 1998.
    """
    key = ["source", "target"]
    both = pd.concat([a[key], b[key]]).drop_duplicates()
    for group, links in (("a", a), ("b", b)):
        mine = links[[*key, "transitions"]].rename(columns={"transitions": f"{group}_transitions"})
        both = both.merge(mine, on=key, how="left").fillna({f"{group}_transitions": 0})
        sizes = links.groupby("source").transitions.sum()
        both[f"{group}_departures"] = both.source.map(sizes).fillna(0).astype(int)
        both[f"{group}_rate"] = both[f"{group}_transitions"] / both[f"{group}_departures"].where(lambda n: n > 0)
    low, high = newcombe(both.a_transitions, both.a_departures, both.b_transitions, both.b_departures)
    both = both.astype({"a_transitions": int, "b_transitions": int}).assign(
        difference_points=both.a_rate - both.b_rate, difference_points_low=low, difference_points_high=high
    )
    order = both.difference_points.abs().sort_values(ascending=False, kind="stable").index
    return both.loc[order].reset_index(drop=True)


def stages(stays: AnyTable, *, count: int = 3) -> pd.DataFrame:
    """Return the first stays of every session as a flow: stage (0..), source, target (``(exit)``: left), sessions."""
    return engine_of(stays).query(statement(__file__, "stages"), {"visits": stays}, stages=count)


def paths(stays: AnyTable, marks: AnyTable, goal: str, *, most: int = 10) -> tuple[pd.DataFrame, pd.DataFrame]:
    """
    Return the last four stays before the goal, and before leaving without it.

    Parameters
    ----------
    stays : table
        From `stays`.
    marks : table
        Of the period.
    goal : str
        The goal; its first time in a session counts.
    most : int
        Rows of each table.

    Returns
    -------
    to_goal, to_exit : DataFrame
        path (``a > b > c``), sessions, all_sessions (that reach the goal; that do not), path_share with its interval.
    """
    tables = {"visits": stays, "marks": marks}
    table = engine_of(stays, marks).query(statement(__file__, "paths"), tables, goal=goal)
    low, high = wilson(table.sessions, table.all_sessions)
    table = table.assign(path_share=table.sessions / table.all_sessions, path_low=low, path_high=high)
    table = table.astype({"all_sessions": int})
    parts = [table[table.is_goal == wanted].drop(columns="is_goal") for wanted in (1, 0)]
    return parts[0].head(most).reset_index(drop=True), parts[1].head(most).reset_index(drop=True)


def rework(stays: AnyTable) -> pd.DataFrame:
    """
    Return where visitors come back to what they had left.

    Returns
    -------
    DataFrame
        One row per node, most returns first: node, sessions, returning_sessions, return_rate with its interval (of the
        sessions that were there), returns, views, median_seconds (per session whose time there is known; NaN where
        none is).
    """
    table = engine_of(stays).query(statement(__file__, "rework"), {"visits": stays})
    low, high = wilson(table.returning_sessions, table.sessions)
    return table.assign(return_rate=table.returning_sessions / table.sessions, return_low=low, return_high=high).astype(
        {"returning_sessions": int, "returns": int, "views": int}
    )


def back_and_forth(stays: AnyTable) -> pd.DataFrame:
    """Return the pairs between which visitors go to and fro: node, other, times (there and back, from either), sessions."""
    return engine_of(stays).query(statement(__file__, "back_and_forth"), {"visits": stays})
