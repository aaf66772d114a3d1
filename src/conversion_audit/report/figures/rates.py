"""Rates with their intervals: one dot and one line for each row."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes

from conversion_audit.report.figures.style import (
    CONTEXT,
    INK,
    LINE,
    MUTED,
    accent,
    axes_for,
    beside,
    is_narrow,
    nothing_to_draw,
    percent_axis,
    redrawable,
)
from conversion_audit.report.formats import formatted, is_missing
from conversion_audit.report.words import text

_COUNTS = ("n", "of_count", "denominator", "sessions", "visitors", "at_risk", "base")


@redrawable
def plot_rates(rates: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """
    Draw each row's rate as a dot with its interval.

    Parameters
    ----------
    rates : DataFrame
        One row per thing compared: a first text column that names it; ``rate`` or the first ``*_rate``; its
        ``*_low`` and ``*_high`` (or ``low``, ``high``); and, written beside the name, the count it rests on: the first of
        n, denominator, sessions, visitors, at_risk. Optional ``target`` or ``benchmark`` (fraction) is a tick,
        optional ``is_highlighted`` picks rows in accent. A missing rate is written as "too few".
    """
    rows = rates.reset_index(drop=True)
    ax = axes_for(ax, height=0.9 + 0.36 * max(len(rows), 1))
    if rows.empty:
        return nothing_to_draw(ax, text("figures.nothing"))
    names, rate, low, high, count = columns_of(rows)
    marked = rows["is_highlighted"] if "is_highlighted" in rows else pd.Series(True, index=rows.index)
    top = 0.0
    for place, row in rows.iterrows():
        color = accent() if marked[place] else CONTEXT
        top = max(top, _row(ax, len(rows) - 1 - place, row, rate, low, high, color))
    ax.set_yticks(
        range(len(rows)),
        [_named_row(ax, row, names, count) for _, row in rows.iloc[::-1].iterrows()],
    )
    ax.set_ylim(-0.7, len(rows) - 0.3)
    ax.set_xlim(0, min(top * 1.22, 1.12) or 1)
    ax.xaxis.grid(True)
    percent_axis(ax)
    return ax


def columns_of(rows: pd.DataFrame) -> tuple[str, str, str | None, str | None, str | None]:
    """Return the columns a table of rates is read by: name, rate, low, high, count."""
    rate = next((c for c in rows if c == "rate" or c.endswith("_rate")), None) or next(
        c for c in rows if c.endswith("_share") or c == "share"
    )
    stem = rate.removesuffix("_rate").removesuffix("_share")
    low = next((c for c in (f"{rate}_low", f"{stem}_low", "low") if c in rows), None)
    high = next((c for c in (f"{rate}_high", f"{stem}_high", "high") if c in rows), None)
    names = next((c for c in rows if not pd.api.types.is_numeric_dtype(rows[c])), rate)
    return names, rate, low, high, next((c for c in _COUNTS if c in rows and rows[c].dtype != object), None)


def _named_row(ax: Axes, row: pd.Series, names: str, count: str | None) -> str:
    shown = beside(ax, row[names])
    if count is None or is_narrow(ax) or is_missing(row[count]):
        return shown
    return f"{shown}  ({formatted(row[count], 'count')})"


def _row(ax: Axes, y: int, row: pd.Series, rate: str, low: str | None, high: str | None, color: str) -> float:
    """Draw one row and return how far right it reaches."""
    if is_missing(row[rate]):
        ax.text(0, y, text("figures.too_few"), color=MUTED, va="center", fontsize=8.5)
        return 0.0
    value = float(row[rate])
    reach = value
    if low and high and not is_missing(row[low]) and not is_missing(row[high]):
        ax.plot([row[low], row[high]], [y, y], color=color, lw=5, alpha=0.28, solid_capstyle="butt")
        reach = float(row[high])
    for tick in ("target", "benchmark", "benchmark_rate"):
        if tick in row.index and not is_missing(row[tick]):
            ax.plot([row[tick]] * 2, [y - 0.28, y + 0.28], color=INK, lw=1.2)
            reach = max(reach, float(row[tick]))
    ax.plot([value], [y], "o", color=color, ms=6.5, mec="white", mew=1.2)
    ax.annotate(
        formatted(value, "percent1"), (reach, y), (8, 0), textcoords="offset points", va="center", fontsize=9, color=INK
    )
    ax.axhline(y - 0.5, color=LINE, lw=0.4, alpha=0.5)
    return reach
