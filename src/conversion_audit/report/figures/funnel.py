"""The ordered funnel: who goes on, who is lost, and who of them comes back."""

from __future__ import annotations

from typing import Any

import pandas as pd
from matplotlib.axes import Axes

from conversion_audit.report.figures.style import (
    INK,
    LOSS,
    MUTED,
    REGAINED,
    accent,
    axes_for,
    beside,
    color_key,
    is_narrow,
    nothing_to_draw,
    pick,
    redrawable,
    tint,
)
from conversion_audit.report.formats import formatted, is_missing
from conversion_audit.report.words import text

_COUNTS = ("sessions_in_order", "visitors_in_order", "reached", "sessions", "visitors", "count")
# Points: beside the longest bar, for a digit of a count, for a share, and for one with a longer heading.
_GAP, _DIGIT, _SHARE, _SHARE_BEFORE = 8, 6.2, 48, 58


@redrawable
def plot_funnel(steps: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """
    Draw one bar per step, and beside it those of the step before who did not come this far.

    Parameters
    ----------
    steps : DataFrame
        One row per step, in order: ``step``; how many reach it in order (the first of sessions_in_order,
        visitors_in_order, reached, sessions, visitors, count); optional ``regained`` (of those lost before this step, how
        many reached it later), ``step_rate`` (of the step before; else the ratio of the counts is written) and ``source``
        (shares are of the same source: a tool's counts are no base of sessions).
    """
    rows = steps.reset_index(drop=True)
    ax = axes_for(ax, height=0.95 + 0.46 * max(len(rows), 1))
    count = pick(rows, *_COUNTS)
    if rows.empty or count is None or not rows[count].max():
        return nothing_to_draw(ax, text("figures.nothing"))
    widest, places = float(rows[count].max()), _places(ax, rows[count])
    by_source = rows.groupby(rows.get("source", lambda _: ""), sort=False)[count]
    first, before = by_source.transform("first"), by_source.shift()
    for place, row in rows.iterrows():
        reached = None if is_missing(before[place]) else before[place]
        _step(ax, place, row, float(row[count]), reached, widest)
        _numbers(ax, place, row, row[count], first[place], reached, places)
    _frame(ax, rows, count, places)
    return ax


def _step(ax: Axes, place: int, row: pd.Series, count: float, before: float | None, widest: float) -> None:
    ax.barh(place, max(count / widest, 0.002), height=0.62, color=accent())
    lost = max(float(before or 0) - count, 0)
    regained = row.get("regained", 0)
    regained = 0.0 if is_missing(regained) else min(float(regained), lost)
    if regained:
        ax.barh(place, regained / widest, left=count / widest, height=0.62, color=REGAINED)
    if lost > regained:
        ax.barh(
            place, (lost - regained) / widest, left=(count + regained) / widest, height=0.62, color=tint(LOSS, 0.18)
        )


def _numbers(
    ax: Axes, place: int, row: pd.Series, count: float, first: float, before: float | None, places: tuple
) -> None:
    rate = row.get("step_rate")
    if is_missing(rate):
        rate = count / before if before else None
    cells = (
        formatted(count, "count"),
        formatted(count / first, "percent1") if first else formatted(None),
        "" if before is None else formatted(rate, "percent1"),
    )
    for column, (right, words) in enumerate(zip(places, cells, strict=True)):
        if right is not None:
            look = {"color": MUTED} if column else {"color": INK, "fontweight": "bold"}
            _beyond(ax, right, place, words, va="center", **look)


def _places(ax: Axes, counts: pd.Series) -> tuple[float | None, ...]:
    """Where the numbers end, in points beyond the longest bar: count, share of the first step, of the step before."""
    digits = max(len(formatted(count, "count")) for count in counts)
    count = _GAP + _DIGIT * max(digits, 6)
    return (
        (count, None, count + _SHARE_BEFORE)
        if is_narrow(ax)
        else (count, count + _SHARE, count + _SHARE + _SHARE_BEFORE)
    )


def _beyond(ax: Axes, right: float, place: float, words: str, **look: Any) -> None:
    """Write beyond the longest bar, however wide the names of the steps leave it."""
    ax.annotate(words, (1, place), (right, 0), textcoords="offset points", ha="right", annotation_clip=False, **look)


def _frame(ax: Axes, rows: pd.DataFrame, count: str, places: tuple[float | None, ...]) -> None:
    ax.set_yticks(range(len(rows)), [beside(ax, name, 30) for name in rows["step"]])
    ax.set_ylim(len(rows) - 0.45, -0.95)
    ax.set_xlim(0, 1)
    ax.set_xticks([])
    ax.spines["bottom"].set_visible(False)
    unit = text(f"figures.{'counted' if count == 'count' else 'visitors' if 'visitor' in count else 'sessions'}")
    heads = (unit, text("figures.of_first"), text("figures.of_step_before"))
    for right, words in zip(places, heads, strict=True):
        if right is not None:
            _beyond(ax, right, -0.5, words, va="bottom", fontsize=8.3, color=MUTED, linespacing=1.05)
    regained = "regained" in rows and rows["regained"].fillna(0).gt(0).any()
    parts = [(accent(), text("figures.go_on"))] + ([(REGAINED, text("figures.come_back"))] if regained else [])
    if len(rows) > 1:
        color_key(ax, [*parts, (tint(LOSS, 0.18), text("figures.leave"))])
