"""What moved: the parts of a change, and a series inside its control limits."""

from __future__ import annotations

import matplotlib.dates as mdates
import pandas as pd
from matplotlib.axes import Axes

from conversion_audit.report.figures.style import (
    CONTEXT,
    INK,
    LINE,
    LOSS,
    MUTED,
    PAPER,
    TRACK,
    accent,
    axes_for,
    beside,
    is_narrow,
    named,
    names_of,
    nothing_to_draw,
    percent_axis,
    pick,
    redrawable,
)
from conversion_audit.report.formats import formatted, is_missing
from conversion_audit.report.words import text

_TOTALS = {"start", "end", "before", "after", "total"}


@redrawable
def plot_waterfall(parts: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """
    Draw how one rate became another: mix, rate, part by part.

    Parameters
    ----------
    parts : DataFrame
        One row per bar, in order: its name in the first text column (``part``); ``effect`` (or change, contribution,
        amount) in fractions: for a total the rate itself, for a part what it adds; ``kind``, where start, end, before, after
        or total marks a total (without ``kind`` the first and the last row are totals). Optional ``low``, ``high`` of a part.
    """
    rows = parts.reset_index(drop=True)
    effect = pick(rows, "effect", "change", "contribution", "amount", "rate")
    ax = axes_for(ax, height=0.9 + 0.44 * max(len(rows), 1))
    if rows.empty or effect is None:
        return nothing_to_draw(ax, text("figures.nothing"))
    level, ends = 0.0, []
    for place, row in rows.iterrows():
        total = _is_total(row, place, len(rows))
        start, end = (0.0, float(row[effect])) if total else (level, level + float(row[effect]))
        _bar(ax, place, start, end, total)
        if place:
            ax.plot([level, level], [place - 1, place], color=LINE, lw=0.8, zorder=0)
        _effect(ax, place, row, start, end, total)
        level, ends = end, [*ends, start, end]
    name = next((c for c in ("part", "name") if c in rows), names_of(rows))
    ax.set_yticks(range(len(rows)), [beside(ax, value) for value in rows[name]])
    ax.set_ylim(len(rows) - 0.4, -0.6)
    ax.set_xlim(min(0.0, *ends) * 1.1, max(ends) * (1.9 if is_narrow(ax) else 1.35) or 1)
    ax.xaxis.grid(True)
    percent_axis(ax)
    return ax


def _is_total(row: pd.Series, place: int, rows: int) -> bool:
    if "kind" in row.index:
        return str(row["kind"]).lower() in _TOTALS
    return place in (0, rows - 1)


def _bar(ax: Axes, y: int, start: float, end: float, total: bool) -> None:
    color = INK if total else (accent() if end >= start else LOSS)
    ax.barh(y, end - start, left=start, height=0.55, color=color)


def _effect(ax: Axes, y: int, row: pd.Series, start: float, end: float, total: bool) -> None:
    words = formatted(end, "percent2") if total else formatted(end - start, "points")
    if not total and not is_narrow(ax) and not is_missing(row.get("low")) and not is_missing(row.get("high")):
        bounds = {"low": formatted(row["low"], "points"), "high": formatted(row["high"], "points")}
        words += f"  ({text('figures.interval_words', bounds)})"
    weight = "bold" if total else "normal"
    place = (max(start, end), y)
    ax.annotate(words, place, (7, 0), textcoords="offset points", va="center", fontsize=9, weight=weight, color=INK)


@redrawable
def plot_control(series: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """
    Draw a rate day by day inside the limits it should keep.

    Parameters
    ----------
    series : DataFrame
        One row per day (or week): ``date`` (or day, week); ``rate`` (or step_rate); optional ``expected`` (or centre,
        benchmark), ``expected_low`` and ``expected_high`` (the limits), ``is_alarm`` (marked), ``is_open`` (still filling up, greyed) and ``change``
        (text: something that was changed that day).
    """
    rows = series.reset_index(drop=True)
    day, rate = pick(rows, "date", "day", "week", "local_date"), pick(rows, "rate", "step_rate", "value", "share")
    ax = axes_for(ax, height=2.9)
    if rows.empty or day is None or rate is None:
        return nothing_to_draw(ax, text("figures.nothing"))
    rows = rows.assign(**{day: pd.to_datetime(rows[day])}).sort_values(day, kind="stable")
    _limits(ax, rows, day)
    ax.plot(rows[day], rows[rate], color=CONTEXT, lw=1.1)
    ax.plot(rows[day], rows[rate], "o", color=INK, ms=3)
    _marks(ax, rows, day, rate)
    ends = rows[[c for c in (rate, "expected_low", "expected_high") if c in rows]].astype(float)
    ax.set_ylim(0, float(ends.max().max()) * 1.3 or 1)
    percent_axis(ax, "y")
    ax.yaxis.grid(True)
    _day_axis(ax, rows[day])
    return ax


def _limits(ax: Axes, rows: pd.DataFrame, day: str) -> None:
    if {"expected_low", "expected_high"} <= set(rows):
        bounds = (rows[bound].astype(float) for bound in ("expected_low", "expected_high"))
        ax.fill_between(rows[day], *bounds, color=TRACK, lw=0)
    centre = pick(rows, "expected", "centre", "benchmark", "expected_rate")
    if centre:
        ax.plot(rows[day], rows[centre], color=accent(), lw=1.4)


def _marks(ax: Axes, rows: pd.DataFrame, day: str, rate: str) -> None:
    if "is_open" in rows:
        late = rows[rows["is_open"].astype(bool)]
        ax.plot(late[day], late[rate], "o", color="white", mec=CONTEXT, ms=4)
    if "is_alarm" in rows:
        alarms = rows[rows["is_alarm"].astype(bool)]
        ax.plot(alarms[day], alarms[rate], "o", color=LOSS, ms=6, mec="white", mew=1)
    if "change" not in rows:
        return
    first, last = rows[day].min(), rows[day].max()
    for place, row in enumerate(rows[rows["change"].notna()].to_dict("records")):
        ax.axvline(row[day], color=INK, lw=0.8, ls=(0, (2, 2)))
        left = (row[day] - first) / max(last - first, pd.Timedelta(days=1)) > 0.6
        # Changes a few days apart would write over each other: every other name stands one line lower, on paper of its own.
        ax.annotate(
            named(row["change"], 42), (row[day], 1), (-4 if left else 4, -2 - 13 * (place % 3)), zorder=5,
            xycoords=("data", "axes fraction"), textcoords="offset points", ha="right" if left else "left", va="top",
            fontsize=7.4 if is_narrow(ax) else 8.4, color=MUTED, bbox={"facecolor": PAPER, "edgecolor": "none", "pad": 0.8},
        )  # fmt: skip


def _day_axis(ax: Axes, days: pd.Series) -> None:
    """A few of the days themselves, evenly apart, the first among them."""
    shown = days.drop_duplicates()
    apart = -(-len(shown) // (3 if is_narrow(ax) else 5))
    ticks = shown.iloc[::apart]
    ax.set_xticks([mdates.date2num(day) for day in ticks], [formatted(day.date(), "date") for day in ticks])
