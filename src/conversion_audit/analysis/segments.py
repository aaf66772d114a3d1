"""Visitors by what they did: a few segments, named, sized, with what they bought and whether they buy later."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from conversion_audit.analysis.statistics import newcombe, wilson
from conversion_audit.engine import AnyTable, Table, engine_of, statement
from conversion_audit.findings import Finding

ORDER = (
    "repeat_buyers",
    "big_buyers",
    "buyers",
    "stopped_late",
    "stopped_early",
    "returning_lookers",
    "one_time_lookers",
    "browsers",
    "came_for_service",
    "passers_by",
)

FEW = 30  # visitors: of fewer, the share who buy later says nothing of "such visitors"
FEWEST_BUYERS = 10  # who buy later: of fewer, what they have in common may be chance however many visitors there are
LEAST_DAYS = 14  # so that each half of the period has every weekday
_COLUMNS = [
    "segment", "visitors", "visitor_share", "sessions", "completions", "revenue", "revenue_per_visitor", "median_pages",
    "later_rate", "later_low", "later_high", "later_buyers", "early_visitors", "of",
    "trait", "value", "trait_share", "overall_share",
]  # fmt: skip


def people(marks: AnyTable, sessions: AnyTable, intents: AnyTable, steps: Sequence[str], goal: str) -> Table:
    """
    Return each visitor's furthest step, visits and purchases, and the segment they fall into.

    The first rule that holds decides: bought twice or more; bought once, among the top fifth by revenue; bought once;
    reached the third step or further; the second; the first in several visits; the first in one; only looked at shelves;
    came for something else; none of it.

    Parameters
    ----------
    marks, sessions : table
        Contracts `tables.MARKS` and `tables.SESSIONS`.
    intents : table
        From `intent.session_intents`.
    steps : sequence of str
        The journey.
    goal : str
        Name of the main goal.

    Returns
    -------
    Table
        One row per visitor: visitor_id, furthest (0: no step), sessions, pages, seconds, completions (sessions with
        the goal), orders, revenue, first_seen, last_seen, shows_shop, shows_service, segment.
    """
    journey = [step for step in steps if step != goal]
    places = pd.DataFrame({"step": pd.Series(journey, dtype="string"), "place": range(1, len(journey) + 1)})
    engine = engine_of(marks, sessions)
    tables = {"marks": marks, "sessions": sessions, "intents": intents, "steps": places}
    made = engine.create(statement(__file__, "people"), tables, name="people", goal=goal)
    return engine.create(statement(__file__, "named"), {"people": made}, name="named")


def segment_table(
    marks: AnyTable, sessions: AnyTable, intents: AnyTable, steps: Sequence[str], goal: str
) -> pd.DataFrame:
    """
    Return the segments with their size, what they bought, and how many of them buy later.

    What a segment is named for includes buying, so its own rate says nothing. `later_rate` does: visitors placed by
    their sessions of the first half of the period, and the share of them who bought in a session of the second.

    Returns
    -------
    DataFrame
        One row per segment that has visitors, buyers first::

                   segment  visitors  visitor_share  revenue  later_buyers  early_visitors  later_rate  trait  value  of
             stopped_early      1140          0.038      0.0            21             480       0.044  channel  Email

        `trait` and `value` name what the segment has most beyond its due; missing where nothing stands out.
        `later_rate` is NaN where nobody of the segment was there in the first half, and in fewer than `LEAST_DAYS` days.
    """
    engine = engine_of(marks, sessions)
    named = people(marks, sessions, intents, steps, goal)
    sizes = engine.query(statement(__file__, "sizes"), {"named": named}).astype(
        {"sessions": "int64", "completions": "int64"}
    )
    traits = engine.create(statement(__file__, "session_traits"), {"sessions": sessions}, name="traits")
    standing_out = engine.query(statement(__file__, "traits"), {"named": named, "traits": traits})
    table = sizes.merge(_later(marks, sessions, intents, steps, goal), on="segment", how="left")
    table = table.merge(standing_out, on="segment", how="left")
    low, high = wilson(table.later_buyers.fillna(0), table.early_visitors.fillna(0))
    return table.assign(
        visitor_share=table.visitors / table.visitors.sum(),
        revenue_per_visitor=table.revenue / table.visitors,
        later_rate=table.later_buyers / table.early_visitors,
        later_low=low,
        later_high=high,
        of="visitors of the first half of the period",
        place=table.segment.map(ORDER.index),
    ).sort_values("place", ignore_index=True)[_COLUMNS]  # fmt: skip


def halves(marks: AnyTable, sessions: AnyTable, intents: AnyTable) -> tuple[Table, Table, Table, Table]:
    """
    Cut the period in the middle, so that what visitors did can be held against what they bought later.

    A period of fewer than `LEAST_DAYS` days has no first half.

    Returns
    -------
    tuple of Table
        Sessions begun before the cut, their marks, the marks of the sessions begun from it on, and the labels of the
        sessions before it.
    """
    engine = engine_of(marks, sessions)
    cut = engine.query(statement(__file__, "middle"), {"sessions": sessions}, least_days=LEAST_DAYS)
    tables: dict[str, AnyTable] = {"sessions": sessions, "marks": marks, "cut": cut}
    before, earlier, after = (
        engine.create(statement(__file__, name), tables, name=name) for name in ("before", "earlier", "after")
    )
    labelled = engine.create(statement(__file__, "labelled"), {"intents": intents, "sessions": before}, name="labelled")
    return before, earlier, after, labelled


def _later(marks: AnyTable, sessions: AnyTable, intents: AnyTable, steps: Sequence[str], goal: str) -> pd.DataFrame:
    engine = engine_of(marks, sessions)
    before, earlier, after, labelled = halves(marks, sessions, intents)
    named = people(earlier, before, labelled, steps, goal)
    return engine.query(statement(__file__, "later"), {"named": named, "later_marks": after}, goal=goal)


def clusters(visitors: AnyTable, seed: int = 1, most: int = 2_000, tries: int = 10, agreement: float = 0.75) -> dict:
    """
    Look for groups of visitors without rules, and say whether they hold.

    For each number of groups, visitors are drawn anew and grouped again; the groups hold if two draws put the same
    visitors together. What is compared: furthest step, visits, pages, time, and whether they came for service.

    Parameters
    ----------
    visitors : table
        From `people`.
    seed : int
        Draws the same visitors again.
    most : int
        Visitors used.
    tries : int
        Draws per number of groups.
    agreement : float
        Mean agreement (`rand_index`) from which groups are said to hold.

    Returns
    -------
    dict
        holds, groups, agreement, rules_agreement (how far the groups only repeat the segments named by rule), visitors,
        tries (DataFrame: groups, agreement, agreement_low), profile (DataFrame, one row per group: visitors, furthest,
        sessions, pages, seconds as medians). With fewer than 200 visitors: holds False, groups 0, agreements NaN, empty tables.
    """
    rows = engine_of(visitors).query(statement(__file__, "features"), {"people": visitors}, seed=seed, most=most)
    values = _standardised(rows[["furthest", "visits", "log_pages", "log_seconds", "shows_service"]])
    if len(values) < 200 or not values.shape[1]:
        return {
            "holds": False,
            "agreement": float("nan"),
            "rules_agreement": float("nan"),
            "groups": 0,
            "visitors": len(values),
            "tries": pd.DataFrame(),
            "profile": pd.DataFrame(),
        }
    table = pd.DataFrame([_stability(values, k, seed, tries) for k in range(2, 7)])
    best = table.sort_values(["agreement", "groups"], ascending=[False, True]).iloc[0]
    labels = _grouped(values, np.arange(len(values)), int(best.groups), np.random.default_rng(seed))
    return {
        "holds": bool(best.agreement >= agreement),
        "groups": int(best.groups),
        "agreement": float(best.agreement),
        "rules_agreement": rand_index(labels, rows.segment.to_numpy()),
        "visitors": len(values),
        "tries": table,
        "profile": _profile(rows, labels),
    }


def _standardised(rows: pd.DataFrame) -> np.ndarray:
    values = rows.to_numpy(float)
    spread = values.std(axis=0) if len(values) else np.zeros(values.shape[1])
    return (values[:, spread > 0] - values[:, spread > 0].mean(axis=0)) / spread[spread > 0]


def _profile(rows: pd.DataFrame, labels: np.ndarray) -> pd.DataFrame:
    groups = rows.assign(group=labels).groupby("group")
    medians = groups[["furthest", "sessions", "pages", "seconds"]].median()
    table = medians.assign(visitors=groups.size()).sort_values("visitors", ascending=False).reset_index(drop=True)
    return table.assign(group=range(1, len(table) + 1))


def _stability(values: np.ndarray, groups: int, seed: int, tries: int) -> dict:
    rng = np.random.default_rng([seed, groups])
    labels = [_grouped(values, rng.choice(len(values), len(values)), groups, rng) for _ in range(tries)]
    scores = [rand_index(a, b) for a, b in zip(labels[::2], labels[1::2], strict=True)]
    return {"groups": groups, "agreement": float(np.mean(scores)), "agreement_low": float(np.min(scores))}


def _grouped(values: np.ndarray, drawn: np.ndarray, groups: int, rng: np.random.Generator) -> np.ndarray:
    """Group a draw, then put every visitor to the nearest centre; the best of three starts."""
    from scipy.cluster.vq import kmeans2, vq

    fits = [kmeans2(values[drawn], groups, minit="++", seed=rng)[0] for _ in range(3)]
    placed = [vq(values, centres) for centres in fits]
    return min(placed, key=lambda one: (one[1] ** 2).sum())[0]


def rand_index(a: np.ndarray, b: np.ndarray) -> float:
    """
    Return how far two groupings put the same pairs together: 1 the same, 0 as by chance.

    References
    ----------
    Hubert and Arabie 1985.
    """
    together = pd.crosstab(a, b).to_numpy(float)
    pairs = (together * (together - 1) / 2).sum()
    rows, columns = (together.sum(axis=k) for k in (1, 0))
    left, right = (rows * (rows - 1) / 2).sum(), (columns * (columns - 1) / 2).sum()
    every = len(a) * (len(a) - 1) / 2
    chance = left * right / every if every else 0.0
    most = (left + right) / 2
    return float((pairs - chance) / (most - chance)) if most != chance else 1.0


def cluster_claim(found: Mapping) -> str:
    """Return the key of the sentence about the groups of `clusters`."""
    if not found["groups"]:
        return "segments.clusters_few"
    return "segments.clusters_hold" if found["holds"] else "segments.clusters_fail"


def claim(table: pd.DataFrame) -> tuple[str, dict]:
    """Return how many got as far as the first step and no further, and the share of such visitors who buy later."""
    rows = table[table.segment.isin(["one_time_lookers", "returning_lookers"])]
    visitors, early = int(rows.visitors.sum()), rows.early_visitors.sum()
    if not visitors or early < FEW:
        return f"segments.headline_{'undated' if visitors else 'none'}", {"visitors": visitors}
    return "segments.headline", {"visitors": visitors, "later_rate": float(rows.later_buyers.sum() / early)}


def findings(table: pd.DataFrame, least: int = 100) -> list[Finding]:
    """
    Return the segment without a purchase whose visitors surely buy later more than the others do: the one worth writing to.

    It is chosen among several, so each is held to its part of the error that one alone would have (Bonferroni).
    """
    every = table[~table.segment.str.contains("buyers")]
    known = every[(every.early_visitors >= least) & (every.later_buyers >= FEWEST_BUYERS)]
    if not len(known) or len(every) < 2:
        return []
    row = known.sort_values("later_low", ascending=False).iloc[0]
    others = every[every.segment != row.segment][["later_buyers", "early_visitors"]].sum()
    if not others.early_visitors:
        return []
    rate = others.later_buyers / others.early_visitors
    counts = (row.later_buyers, row.early_visitors, others.later_buyers, others.early_visitors)
    if not newcombe(*counts, confidence=1 - 0.05 / len(known))[0] > 0:
        return []
    values = {name: row[name] for name in ("segment", "visitors", "later_rate", "later_low", "later_high")}
    return [
        Finding(
            kind="opportunity",
            chapter="03",
            claim="segments.buy_later",
            severity="low",
            verdict="goes with",
            values={**values, "visitors": int(row.visitors), "others_rate": float(rate), "key": row.segment},
            next_step="segments.write_to_them",
            owner="crm",
        )
    ]
