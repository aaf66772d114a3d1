"""Chapter 06 as it is told: what moved and why, what became of the plan, in sentences and small tables."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pandas as pd

from conversion_audit.analysis.cells import GOAL
from conversion_audit.analysis.change_fates import NEW
from conversion_audit.analysis.plan_claims import places, where
from conversion_audit.findings import Finding

_DRAWN = ("fixed", "improved", "worse", "over", NEW)
_SEVERITY = {"fixed": "info", "improved": "info", "over": "info", "unmoved": "medium", "worse": "high", NEW: "medium"}


def goal_claim(measures: pd.DataFrame, goal: str) -> tuple[str, dict[str, Any]]:
    """Return the sentence on the main goal: how it moved, and whether other people came or they were served otherwise."""
    row = goal_row(measures, goal)
    return f"change.goal_{row['moved']}", row.to_dict()


def goal_row(measures: pd.DataFrame, goal: str) -> pd.Series:
    """Return the main goal's change."""
    return measures[(measures["kind"] == GOAL) & (measures["name"] == goal)].iloc[0]


def measures_shown(measures: pd.DataFrame) -> pd.DataFrame:
    """Return every measure with its change in points, as shown."""
    names = {"change": "change_points", "mix": "mix_points", "rate": "rate_points"}
    names |= {f"{name}_{end}": f"{new}_{end}" for name, new in names.items() for end in ("low", "high")}
    columns = ["name", "kind", "before_at_risk", "before_rate", "after_at_risk", "after_rate", *names, "moved"]
    return measures[[c for c in columns if not c.startswith(("mix_", "rate_"))]].rename(columns=names)


def marks_shown(marks: pd.DataFrame) -> pd.DataFrame:
    """Return the changes of the site with what stands out first; measures whose days are too few left out."""
    if marks.empty:
        return marks
    known = marks[marks.before_rate.notna()].rename(
        columns={"change": "change_points", "change_low": "change_points_low", "change_high": "change_points_high",
                 "usual_change": "usual_points", "on": "date"}
    )  # fmt: skip
    columns = ["date", "what", "name", "kind", "before_rate", "after_rate", "change_points"]
    columns += ["change_points_low", "change_points_high", "usual_points", "stands_out"]
    return known.sort_values(["date", "stands_out"], ascending=[True, False], kind="stable")[columns].reset_index(
        drop=True
    )


def fates_shown(fates: pd.DataFrame) -> pd.DataFrame:
    """Return what became of each finding, as shown."""
    columns = ["finding", "step", "segment", "fate", "before_rate", "after_rate", "siblings_before_rate"]
    columns += ["siblings_after_rate", "moved", "moved_low", "moved_high", "moved_on", "done_on", "value_a_month"]
    names = {"moved": "moved_points", "moved_low": "moved_points_low", "moved_high": "moved_points_high"}
    return fates[columns].assign(segment=fates.segment.map(where)).rename(columns=names)


def charted(fates: pd.DataFrame, most: int = 4) -> list[dict[str, Any]]:
    """Return what moved, to be drawn day by day: finding, step, segment (mapping), where."""
    moved = fates[fates.fate.isin(_DRAWN)] if len(fates) else fates
    order = moved.moved.abs().sort_values(ascending=False, kind="stable").index
    rows = moved.loc[order].head(most)[["finding", "step", "segment"]].to_dict("records")
    return [row | {"segment": json.loads(row["segment"]), "where": places(row["segment"])} for row in rows]


def daily_claim(daily: pd.DataFrame, what: str, record: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """Return what a chart by day shows; `what`: goal or step, `record`: what its sentence names."""
    out = int(daily.is_alarm.sum())
    return f"change.{what}_days{'_out' if out else ''}", {**record, "days": len(daily), "out": out}


def daily_read(before: pd.DataFrame) -> str:
    """Return how the band of a chart by day is to be read: held to the days before, or to the period's own."""
    return "change.daily_read" if len(before) else "change.daily_read_own"


def findings(fates: pd.DataFrame) -> list[Finding]:
    """Return what became of each finding as findings, what is worse or new first."""
    made = []
    for row in fates.to_dict("records"):
        fate = row["fate"]
        key = f"change.{fate.replace(' ', '_')}"
        if fate == NEW and not isinstance(row["moved_on"], str):
            key = "change.new_whole"
        elif fate == NEW and row["until"]:
            key = "change.new_over"
        values = {
            name: None if _missing(value) else value for name, value in row.items() if name not in ("kind", "segment")
        }
        made.append(
            Finding(
                kind="incident" if fate == NEW and row["kind"] == "incident" else "observation",
                chapter="06",
                claim=key,
                severity=_SEVERITY.get(fate, "info"),
                verdict="certain" if fate != "cannot say" else "cannot say",
                values=values | {"where": places(row["segment"]), "key": row["finding"]},
                step=row["step"],
                since=values["moved_on"],
                rate=values["after_rate"],
                sessions_at_risk=values["after_at_risk"],
            )
        )
    order = {"high": 0, "medium": 1, "low": 2, "info": 3}
    return sorted(made, key=lambda one: order[one.severity])


def _missing(value: Any) -> bool:
    return value is None or (isinstance(value, float) and value != value)
