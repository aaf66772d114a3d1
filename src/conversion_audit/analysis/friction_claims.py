"""What each table of chapter 04 says, and the tables as they are shown: the key of a sentence and the record that fills it."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd

from conversion_audit.analysis.friction import Diagnosis, headline_leak, is_timeless
from conversion_audit.analysis.friction.verdict import LIKELY
from conversion_audit.findings import levels

Claim = tuple[str, dict[str, Any]]
FEWEST_SHOWN = 30


def headline(diagnosis: Diagnosis) -> Claim:
    """Return how many places stop people, and what they cost together."""
    likely = diagnosis.found[diagnosis.found.verdict == LIKELY]
    if not len(likely) and is_timeless(diagnosis):
        return "friction.headline_timeless", {}
    if not len(likely):
        visible = headline_leak(diagnosis.leaks) is not None
        return ("friction.headline_none" if visible else "friction.headline_small"), {}
    joint = diagnosis.joint.iloc[0]
    cost = {"count": len(likely), "low": joint.lost_orders_low, "high": joint.lost_orders_high}
    if not (likely.revenue_lost_high > 0).all():
        return "friction.headline", cost
    cost |= {"money_low": joint.revenue_lost_low, "money_high": joint.revenue_lost_high}
    declared = diagnosis.about.goal_value.iloc[0]
    if pd.isna(declared):
        return "friction.headline_money", cost
    return "friction.headline_value", cost | {"goal_value": declared}


def steps_claim(steps: pd.DataFrame) -> Claim:
    """Return after which step fewest sessions go on."""
    known = steps[(steps.unit == "session") & (steps.at_risk > 0)].dropna(subset=["of"])
    if not len(known):
        return "friction.steps_none", {}
    return "friction.steps_claim", known.sort_values("step_rate").iloc[0].to_dict()


def prices(diagnosis: Diagnosis) -> pd.DataFrame:
    """Return the findings with what they cost, the costliest first, as the client reads them."""
    # What the figure draws comes first: as many columns stand in the report as fit.
    cost = [f"{name}{end}" for name in ("lost_orders", "revenue_lost") for end in ("", "_low", "_high")]
    names = ["step", "segment", *cost, "verdict", "mechanism", "since", "until", "sessions_at_risk", "step_rate"]
    names += ["benchmark_rate", "loss_share", "lost_orders_net_low", "lost_orders_net_high", "come_back_rate"]
    names += ["kept_share"]
    table = named(diagnosis.found)[names]
    if diagnosis.about.goal_value.isna().all():
        return table
    return table.rename(columns=lambda name: name.replace("revenue_lost", "value_lost"))


def named(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table whose segments are words instead of JSON."""
    return table.assign(segment=[_words(text) for text in table.segment])


def _words(segment: str) -> str:
    return ", ".join(levels(json.loads(segment))) or "everyone"


def of_findings(diagnosis: Diagnosis, table: pd.DataFrame) -> pd.DataFrame:
    """Return a table of findings by number with each finding's step and segment instead of the number."""
    names = named(diagnosis.found)[["finding", "step", "segment"]]
    joined = table.merge(names, on="finding", how="left", suffixes=("", "_of_finding")).drop(columns="finding")
    return joined[["step", "segment", *[c for c in joined if c not in ("step", "segment")]]]


def gates(diagnosis: Diagnosis) -> pd.DataFrame:
    """Return each finding's checks, one row per finding and check."""
    return of_findings(diagnosis, diagnosis.gates.drop(columns="value")).rename(columns={"passed": "holds"})


def benchmarks(diagnosis: Diagnosis) -> pd.DataFrame:
    """Return each finding's benchmarks, those that do not apply left out."""
    return of_findings(diagnosis, diagnosis.benchmarks.dropna(subset=["benchmark_rate"])).rename(
        columns={"kind": "benchmark_kind"}
    )


def segment_map(diagnosis: Diagnosis) -> pd.DataFrame:
    """
    Return every suspect value at every step that it comes to, and the findings' own segments, with the verdict that gives a
    cell colour.

    Returns
    -------
    DataFrame
        One row per segment and step: segment, step, step_rate (NaN under 30 at risk), expected_rate, at_risk, passed,
        verdict ("" where there is none).
    """
    rows = diagnosis.segments[~diagnosis.segments.is_adjuster.astype(bool) & (diagnosis.segments.at_risk > 0)]
    rows = rows.assign(segment=rows.level)[["segment", "step", "at_risk", "passed", "step_rate", "expected_rate"]]
    rows["step_rate"] = rows.step_rate.where(rows.at_risk >= FEWEST_SHOWN)
    found = named(diagnosis.found)
    verdicts = dict(zip(zip(found.segment, found.step, strict=True), found.verdict, strict=True))
    own = found[~found.segment.isin(set(rows.segment))].rename(
        columns={"sessions_at_risk": "at_risk", "benchmark_rate": "expected_rate"}
    )
    rows = pd.concat([rows, own[rows.columns]], ignore_index=True) if len(own) else rows
    return rows.assign(verdict=[verdicts.get(key, "") for key in zip(rows.segment, rows.step, strict=True)])


def map_claim(cells: pd.DataFrame) -> Claim:
    """Return how many of the map's cells are findings."""
    certain = int((cells.verdict == LIKELY).sum())
    record = {"certain": certain, "cells": int(cells.step_rate.notna().sum())}
    if not record["cells"]:
        return "friction.map_empty", record
    return ("friction.map_claim" if certain else "friction.map_none"), record


def moved_claim(bars: pd.DataFrame) -> Claim:
    """Return what of a change goes with who came, and what remains among comparable people, each with its range."""
    parts = bars.set_index("part")[["effect", "low", "high"]].to_dict("index")
    effects = {part: ends["effect"] for part, ends in parts.items()}
    ranges = {f"{part}_{end}": parts[part][end] for part in ("mix", "rate") for end in ("low", "high")}
    return "friction.moved_claim", effects | ranges


def leaks(diagnosis: Diagnosis) -> pd.DataFrame:
    """Return the smallest losses that would have been found, without the columns only the method needs."""
    return diagnosis.leaks.drop(columns=["copies", "found", "column"])


def refused(diagnosis: Diagnosis) -> pd.DataFrame:
    """Return what was refused and by which check, the costliest first."""
    table = named(diagnosis.refused).drop(columns=["p", "is_adjuster"])
    return table.sort_values("lost_orders", ascending=False, ignore_index=True)


def waits(table: pd.DataFrame) -> pd.DataFrame:
    """Return how long steps take: everyone, and the segments that are clearly slower."""
    shown = table[(table["column"] == "") | table.is_slow.astype(bool)]
    return shown.assign(segment=np.where(shown.level == "", "everyone", shown.level)).drop(
        columns=["column", "level", "z"]
    )[["step", "segment", "passed", "median_seconds", "p90_seconds", "times_as_long", "is_slow"]]


def reversed_claim(by: pd.DataFrame) -> Claim:
    """Return the adjuster by which the whole says the opposite of its parts, if there is one."""
    turned = by[by.is_reversed.astype(bool)]
    return (
        ("friction.reversed_claim", {"adjuster": turned.adjuster.iloc[0]})
        if len(turned)
        else ("friction.not_reversed", {})
    )


def refused_claim(diagnosis: Diagnosis) -> Claim:
    """Return whether anything suspicious was refused."""
    return ("friction.refused_claim" if len(diagnosis.refused) else "friction.refused_none"), {}


def rounds(table: pd.DataFrame) -> pd.DataFrame:
    """Return going in circles where enough people do it to say how many go on."""
    return table[table.sessions >= FEWEST_SHOWN].reset_index(drop=True)
