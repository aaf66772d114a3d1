"""What each table of chapter 02 says: the key of its sentence and the record that fills it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from conversion_audit.analysis.funnel_segments import UNKNOWN
from conversion_audit.analysis.goal_claims import goes_with_claim
from conversion_audit.analysis.reconcile import REASONS
from conversion_audit.analysis.statistics import newcombe
from conversion_audit.analysis.transitions import EXIT, OTHER

Claim = tuple[str, dict[str, Any]]
ALIKE = 0.0005
"""Rates nearer to one another are printed alike."""


def funnel_claim(funnel: pd.DataFrame) -> Claim:
    """Return how many sessions go the whole way in order, and how many show the goal at all."""
    first, last = funnel.iloc[0], funnel.iloc[-1]
    if len(funnel) == 1:
        return "funnel.one_step", {"goal": last.step, "anyhow": int(last.sessions)}
    record = {"first_step": first.step, "goal": last.step, "entered": int(first.sessions_in_order)}
    record |= {"finished": int(last.sessions_in_order), "anyhow": int(last.sessions), "total_rate": last.total_rate}
    if not first.sessions_in_order:
        return "funnel.nobody", record
    return ("funnel.headline_anyhow" if record["anyhow"] > record["finished"] else "funnel.headline"), record


def widest_claim(funnel: pd.DataFrame) -> Claim:
    """Return the step before which most are lost, if anybody is."""
    if len(funnel) == 1:
        return "funnel.one_step_read", {"goal": funnel.step.iloc[0]}
    later = funnel.iloc[1:][funnel.iloc[1:].previous > 0]
    if not len(later):
        return "funnel.nobody", {"first_step": funnel.step.iloc[0]}
    if not (later.rated < later.previous).any():
        return "funnel.nobody_lost", {"first_step": funnel.step.iloc[0], "goal": funnel.step.iloc[-1]}
    return "funnel.widest", later.assign(lost=later.previous - later.rated).sort_values(
        ["lost", "step_number"], ascending=[False, True]
    ).iloc[0].to_dict()


def how_to_read(funnel: pd.DataFrame, adverse: pd.DataFrame) -> Claim:
    """Return how many sessions begin later, or took a step at the same instant as the one before, where any do."""
    tied = int(funnel.tied.max())
    record = {
        "tied": tied,
        "finished": int(funnel.sessions_in_order.iloc[-1]),
        "adverse_sessions": int(adverse.sessions_in_order.iloc[-1]),
        "skipped": int(funnel.direct_sessions.iloc[1:].sum()),
    }
    return f"funnel.read{'_skipped' * bool(record['skipped'])}{'_tied' * bool(tied)}", record


def visitor_claim(funnel: pd.DataFrame) -> Claim:
    """Return the same for visitors, of those whose time has passed."""
    first, last = funnel.iloc[0], funnel.iloc[-1]
    record = {"goal": last.step, "visitors": int(first.visitors_in_order), "finished": int(last.visitors_in_order)}
    record |= {"visitor_rate": last.visitor_rate, "rated": int(first.rated_visitors), "too_late": int(first.too_late)}
    return ("funnel.visitors" if first.rated_visitors else "funnel.visitors_too_short"), record


def segment_claim(segments: pd.DataFrame, fewest: int = 100) -> Claim:
    """Return who goes the whole way most and least often, by the first column whose segments of enough sessions differ."""
    ends = segments[segments.step_number == segments.step_number.max()]
    ends = ends[(ends.entrants >= fewest) & (ends.segment != UNKNOWN)]
    otherwise = "funnel.segments_few"
    for _, rows in ends.groupby("column", sort=False):
        if len(rows) > 1:
            rows = rows.sort_values(["total_rate", "segment"], ascending=[False, True])
            best, worst = rows.iloc[0], rows.iloc[-1]
            if best.total_rate - worst.total_rate < ALIKE:
                otherwise = "funnel.segments_alike"
                continue
            record = {"best": best.segment, "best_rate": best.total_rate, "worst": worst.segment}
            return "funnel.segments", record | {"worst_rate": worst.total_rate}
    return otherwise, {}


def time_claim(times: pd.DataFrame) -> Claim:
    """Return the step after which those who go on take longest."""
    known = times[times.median_seconds.notna()]
    if not len(known):
        return "journey.time_none", {}
    slow = known.sort_values(["median_seconds", "step"], ascending=[False, True]).iloc[0]
    return "journey.time_claim", slow.to_dict()


def instead_claim(instead: pd.DataFrame) -> Claim:
    """Return what most of those did who stopped at the step that most stop at."""
    if not len(instead):
        return "journey.instead_none", {}
    row = instead[instead.did != OTHER].sort_values(["stopped", "sessions"], ascending=False, kind="stable")
    return ("journey.instead_exit" if row.did.iloc[0] == EXIT else "journey.instead_claim"), row.iloc[0].to_dict()


def map_claim(nodes: pd.DataFrame) -> Claim:
    """Return where most visits begin and where most end."""
    if not len(nodes):
        return "journey.map_none", {}
    named = nodes[nodes.node != OTHER] if (nodes.node != OTHER).any() else nodes
    begins = named.sort_values(["entries", "node"], ascending=[False, True]).iloc[0]
    ends = named.sort_values(["exits", "node"], ascending=[False, True]).iloc[0]
    record = {"begins": begins.node, "entry_share": begins.entries / max(nodes.entries.sum(), 1), "ends": ends.node}
    return "journey.map_claim", record | {"exit_share": ends.exits / max(nodes.exits.sum(), 1)}


def path_claim(to_goal: pd.DataFrame, goal: str) -> Claim:
    """Return the most common way to the goal."""
    if not len(to_goal):
        return "journey.path_none", {"goal": goal}
    named = to_goal[to_goal.path != OTHER]
    key = "journey.path_named" if len(named) and to_goal.path.iloc[0] == OTHER else "journey.path_claim"
    return key, (named if len(named) else to_goal).iloc[0].to_dict() | {"goal": goal}


def loop_claim(pairs: pd.DataFrame) -> Claim:
    """Return the pair between which visitors go to and fro most often."""
    known = pairs[(pairs.node != OTHER) & (pairs.other != OTHER)]
    return ("journey.loop_claim", known.iloc[0].to_dict()) if len(known) else ("journey.loop_none", {})


def around_claim(around: pd.DataFrame, goal: str) -> Claim:
    """Return what most visitors do after the goal, of what the client declared, else of all."""
    after = around[around.when_it_was == "after"]
    declared = after[after.is_declared.astype(bool)] if len(after) else after
    rows = declared if len(declared) else after
    if not len(rows):
        return "journey.after_none", {"goal": goal}
    return "journey.after_claim", rows.iloc[0].to_dict() | {"goal": goal}


def hour_claim(hours: pd.DataFrame) -> Claim:
    """Return the busiest hour of the day."""
    if not len(hours):
        return "journey.hours_none", {}
    by_hour = hours.groupby("hour").sessions.sum()
    return "journey.hours_claim", {"hour": int(by_hour.idxmax()), "share": by_hour.max() / by_hour.sum()}


def landing_claim(pages: pd.DataFrame) -> Claim:
    """Return the landing page with the most goals, and the one whose visitors surely leave at once more often than others'."""
    pages = pages[pages.landing_page != "(not set)"]  # no page: sessions without any, such as a refund's alone
    rows = pages[pages.landing_page != "(other)"]
    if not len(rows):
        return ("journey.landing_few" if len(pages) else "journey.landing_none"), {}
    best = rows.sort_values(["goal_sessions", "landing_page"], ascending=[False, True]).iloc[0]
    left = rows.sort_values(["bounce_low", "landing_page"], ascending=[False, True]).iloc[0]
    others = pages[pages.landing_page != left.landing_page][["bounces", "sessions"]].sum()
    record = {"best": best.landing_page, "goal_sessions": int(best.goal_sessions), "goal_rate": best.goal_rate}
    key = "journey.landing_claim" if best.goal_sessions else "journey.landing_goalless"
    if rows.bounce_rate.isna().all():
        return f"{key}_untold", record
    # Chosen as the worst of several: each is held to its part of the error that one alone would have.
    counts = (left.bounces, left.sessions, others.bounces, others.sessions)
    if not newcombe(*counts, confidence=1 - 0.05 / len(rows))[0] > 0:
        return f"{key}_alike", record
    if best.goal_sessions and best.landing_page == left.landing_page:
        key = "journey.landing_claim_both"
    return key, record | {"left": left.landing_page, "bounce_rate": left.bounce_rate}


def groups_claim(rows: pd.DataFrame) -> Claim:
    """Return whether new and returning visitors differ in reaching the goal."""
    if not len(rows) or pd.isna(rows.difference_points.iloc[-1]):
        return "journey.groups_none", {}
    last = rows.iloc[-1].to_dict()
    apart = last["difference_points_low"] > 0 or last["difference_points_high"] < 0
    return ("journey.groups_differ" if apart else "journey.groups_alike"), last


def pair_claim(pair: Mapping[str, Any]) -> Claim:
    """Return what two groups of sessions differ in most, of what is beyond chance."""
    rows = pair["steps"]
    apart = rows[(rows.difference_points_low > 0) | (rows.difference_points_high < 0)]
    about = {name: pair[name] for name in ("column", "a", "b")}
    if not len(apart):
        return "journey.pair_alike", about
    most = apart.loc[apart.difference_points.abs().idxmax()]
    return "journey.pair_differ", about | most.to_dict()


def content_claim(table: pd.DataFrame) -> Claim:
    """Return which content or call to action goes most with the goal, either way."""
    return goes_with_claim(table, "journey.content")


def attribution_claim(table: pd.DataFrame) -> Claim:
    """Return the channel whose credit depends most on the rule, if any does."""
    shares = table.pivot_table(index="channel", columns="rule", values="credit_share")
    if not len(shares) or shares.isna().all(axis=None):
        return "attribution.none", {}
    if len(shares) == 1:
        return ("attribution.one" if shares.index[0] != UNKNOWN else "goals.channels_unknown"), {
            "channel": shares.index[0]
        }
    spread = shares.max(axis=1) - shares.min(axis=1)
    if spread.max() < 10 * ALIKE:  # told in whole percent
        return "attribution.alike", {}
    channel = spread.sort_values(ascending=False, kind="stable").index[0]
    record = {"channel": channel, "least": shares.loc[channel].min(), "most": shares.loc[channel].max()}
    return "attribution.headline", record


def reconcile_claim(table: pd.DataFrame, tool: str) -> Claim:
    """Return what one tool would count at the last step, and the reason that changes it most."""
    row = table[table.tool == tool].iloc[-1]
    reasons = row[list(REASONS)].astype(int)
    record = {"tool": tool, "ours": int(row.ours), "theirs": int(row.theirs), "step": row.step}
    if row.ours == row.theirs:  # reasons that cancel out leave nothing to explain
        return "reconcile.same", record
    return "reconcile.headline", record | {
        "reason": reasons.abs().idxmax(),
        "change": abs(int(reasons[reasons.abs().idxmax()])),
    }
