"""Plain counts: bars, and the hours of the week."""

from __future__ import annotations

import pandas as pd
from babel.dates import get_day_names
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from conversion_audit.report.figures.style import (
    CONTEXT,
    INK,
    MUTED,
    accent,
    axes_for,
    beside,
    is_narrow,
    names_of,
    nothing_to_draw,
    pick,
    redrawable,
    tint,
)
from conversion_audit.report.formats import formatted, is_missing, kinds_of
from conversion_audit.report.voice import voice
from conversion_audit.report.words import text

_COUNTS = ("sessions", "visitors", "orders", "completions", "events", "revenue", "count", "credit", "value")
_MOST = 40


@redrawable
def plot_bars(counts: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """
    Draw one bar per row, longest value to the full width.

    Parameters
    ----------
    counts : DataFrame
        One row per bar, in the order to show (40 at most): its name in the first text column; its length, the first of
        sessions, visitors, orders, completions, events, revenue, count, credit, value, else the first number. Optional
        ``is_highlighted`` picks rows in accent.
    """
    rows = counts.reset_index(drop=True).head(_MOST)
    ax = axes_for(ax, height=0.45 + 0.34 * max(len(rows), 1))
    numbers = [c for c in rows if pd.api.types.is_numeric_dtype(rows[c]) and rows[c].dtype != bool]
    length = pick(rows, *_COUNTS) or next(iter(numbers), None)
    if rows.empty or length is None:
        return nothing_to_draw(ax, text("figures.nothing"))
    values = rows[length].astype(float)
    kind = kinds_of([length], {length: list(rows[length])})[length]
    widest = max(values.abs().max(), 1e-9)
    marked = rows["is_highlighted"].astype(bool) if "is_highlighted" in rows else pd.Series(True, index=rows.index)
    for place, value in values.items():
        ax.barh(
            place, 0 if is_missing(value) else value / widest, height=0.62, color=accent() if marked[place] else CONTEXT
        )
        words = formatted(value, kind)
        at = 0 if is_missing(value) else max(value / widest, 0)
        ax.annotate(words, (at, place), (6, 0), textcoords="offset points", va="center", fontsize=9, color=INK)
    ax.set_yticks(range(len(rows)), [beside(ax, value) for value in rows[names_of(rows)]])
    ax.set_ylim(len(rows) - 0.4, -0.6)
    ax.set_xlim(min(values.min() / widest, 0), 1.3 if is_narrow(ax) else 1.16)
    ax.set_xticks([])
    ax.spines["bottom"].set_visible(False)
    return ax


@redrawable
def plot_heat(hours: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """
    Draw the hours of the week: darker is more.

    Parameters
    ----------
    hours : DataFrame
        One row per weekday and hour: ``weekday`` (0 or 1 = Monday up to 6 or 7, or the name), ``hour`` (0 to 23) and the first of
        rate, sessions, visitors, orders, events, count. A missing hour stays white.
    """
    value = pick(hours, "rate", "conversion_rate", *_COUNTS)
    ax = axes_for(ax, height=2.5)
    if not len(hours) or value is None:
        return nothing_to_draw(ax, text("figures.nothing"))
    top = float(hours[value].max()) or 1.0
    first = 0 if pd.api.types.is_numeric_dtype(hours["weekday"]) and hours["weekday"].min() == 0 else 1
    for day, hour, amount in zip(hours["weekday"], hours["hour"], hours[value], strict=True):
        if not is_missing(amount):
            color = tint(accent(), 0.06 + 0.94 * float(amount) / top)
            ax.add_patch(Rectangle((float(hour), _weekday(day, first)), 0.94, 0.9, facecolor=color, clip_on=False))
    names = get_day_names("abbreviated", locale=voice().writes)
    ax.set_yticks([n + 0.45 for n in range(7)], [names[n] for n in range(7)])
    ax.set_xticks([n + 0.47 for n in range(0, 24, 3)], [f"{n:02d}" for n in range(0, 24, 3)])
    ax.set_xlim(0, 24)
    ax.set_ylim(7, 0)
    ax.spines["bottom"].set_visible(False)
    kind = kinds_of([value], {value: list(hours[value])})[value]
    words = text("figures.darkest", {"top": formatted(top, kind)})
    ax.set_title(words, fontsize=8.6, color=MUTED)
    return ax


def _weekday(day: object, first: int) -> int:
    if isinstance(day, str):
        return next((n for n, name in enumerate(_ENGLISH) if name.startswith(day[:3].lower())), 0)
    return int(day) - first


_ENGLISH = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
