"""Where people who want to go on are stopped: the map of steps and segments, and what each friction costs."""

from __future__ import annotations

from textwrap import wrap

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import FancyBboxPatch

from conversion_audit.report.figures.style import (
    CONTEXT,
    INK,
    LOSS,
    MUTED,
    accent,
    axes_for,
    beside,
    is_narrow,
    named,
    names_of,
    nothing_to_draw,
    number_axis,
    percent_axis,
    pick,
    redrawable,
    tint,
)
from conversion_audit.report.formats import formatted, is_missing
from conversion_audit.report.words import in_column, text

_CERTAIN = {"likely friction", "likely_friction", "friction", "certain"}
_MOST = 40


@redrawable
def plot_map(cells: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """
    Draw a map of steps and segments: every cell says its rate, only what is certain has a colour.

    Parameters
    ----------
    cells : DataFrame
        One row per cell: ``segment`` (rows, in order of appearance), ``step`` (columns), ``rate`` (or step_rate; missing is
        written "too few"), and what decides the colour: ``verdict`` ("likely friction" is coloured) or ``is_certain``;
        optional ``benchmark`` (or expected_rate) tells better from worse.
    """
    rows = cells.reset_index(drop=True)
    rate = pick(rows, "rate", "step_rate")
    if rows.empty or rate is None:
        return nothing_to_draw(axes_for(ax, 1.5), text("figures.nothing"))
    segments, steps = list(dict.fromkeys(rows["segment"]))[:_MOST], list(dict.fromkeys(rows["step"]))
    ax = axes_for(ax, height=0.9 + 0.36 * max(len(segments), 2))
    for row in rows[rows["segment"].isin(segments)].to_dict("records"):
        _cell(ax, steps.index(row["step"]), segments.index(row["segment"]), row, rate)
    narrow = is_narrow(ax)
    longest = 30 if len(segments) > 6 else 22  # letters, slanted: a tall map has room for more
    ax.set_xticks(range(len(steps)), [_head(step, longest if narrow else 0) for step in steps])
    ax.set_yticks(range(len(segments)), [beside(ax, in_column("segment", segment), 32) for segment in segments])
    ax.xaxis.tick_top()
    ax.tick_params(axis="x", labelsize=8.6 if len(steps) <= 6 else 7, rotation=60 if narrow and len(steps) > 2 else 0)
    ax.set_xlim(-0.5, len(steps) - 0.5)
    ax.set_ylim(len(segments) - 0.5, -0.5)
    for side in ax.spines.values():
        side.set_visible(False)
    return ax


def _head(step: str, slanted: int) -> str:
    """Cut in the middle, two steps of one form would have one name: on two lines, or slanted on a phone, they are whole."""
    return named(step, slanted) if slanted else "\n".join(wrap(named(step, 30), 14, max_lines=2, placeholder="…"))


def _cell(ax: Axes, x: int, y: int, row: dict, rate: str) -> None:
    worse = is_missing(row.get("benchmark", row.get("expected_rate"))) or row[rate] < (
        row.get("benchmark", row.get("expected_rate"))
    )
    certain = bool(row.get("is_certain")) or str(row.get("verdict", "")).lower() in _CERTAIN
    color = (LOSS if worse else accent()) if certain and not is_missing(row[rate]) else "#f1f3f5"
    ax.add_patch(
        FancyBboxPatch(
            (x - 0.46, y - 0.42), 0.92, 0.84, boxstyle="round,pad=0,rounding_size=0.06", facecolor=color, clip_on=False
        )
    )
    words = text("figures.too_few") if is_missing(row[rate]) else formatted(row[rate], "percent1")
    ink = "white" if certain and not is_missing(row[rate]) else MUTED if is_missing(row[rate]) else INK
    size = (7.2 if is_missing(row[rate]) else 9) - (2 if is_narrow(ax) else 0)
    ax.text(x, y, words, ha="center", va="center", color=ink, fontsize=size, weight="bold" if certain else "normal")


_COSTS = (
    ("revenue_estimate", "revenue_low", "revenue_high", "money"),
    ("revenue", "revenue_low", "revenue_high", "money"),
    ("value", "value_low", "value_high", "money"),
    ("lost_orders_estimate", "lost_orders_low", "lost_orders_high", "count"),
    ("lost_orders", "lost_orders_low", "lost_orders_high", "count"),
    ("estimate", "low", "high", "count"),
    ("difference", "difference_low", "difference_high", "percent"),
    ("difference", "low", "high", "percent"),
)


@redrawable
def plot_forest(frictions: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """
    Draw what each friction costs, with its interval; also any difference with its interval.

    Parameters
    ----------
    frictions : DataFrame
        One row per friction, most costly first: its name in ``claim``, ``name`` or the first text columns (``step`` and
        ``segment`` are joined); the first of these that is there: revenue_estimate or revenue with revenue_low/_high
        (money), lost_orders_estimate or lost_orders with lost_orders_low/_high (counts), estimate with low/high (counts),
        difference with difference_low/_high or low/high (share). ``verdict`` "likely friction" is drawn in
        colour, other verdicts in grey; without verdicts all are in accent.
    """
    rows = frictions.reset_index(drop=True)
    columns = next((c for c in _COSTS if set(c[:3]) <= set(rows) and rows[c[1]].notna().any()), None)
    ax = axes_for(ax, height=0.95 + 0.42 * max(len(rows), 1))
    if rows.empty or columns is None:
        return nothing_to_draw(ax, text("figures.nothing"))
    estimate, low, high, kind = columns
    for place, row in rows.iterrows():
        _cost(ax, place, row, (estimate, low, high), kind)
    ax.set_yticks(range(len(rows)), [beside(ax, _name(row), 42) for _, row in rows.iterrows()])
    ax.set_ylim(len(rows) - 0.4, -0.6)
    ends = rows[[low, high]].astype(float)
    least, most = min(ends.min().min(), 0), max(ends.max().max(), 0)
    ax.set_xlim(least - 0.02 * (most - least), most + (0.9 if is_narrow(ax) else 0.3) * (most - least) or 1)
    ax.axvline(0, color=INK, lw=0.8)
    ax.xaxis.grid(True)
    percent_axis(ax) if kind == "percent" else number_axis(ax, kind=kind)
    return ax


def _name(row: pd.Series) -> str:
    for column in ("claim", "title", "name", "finding"):
        if column in row.index and not is_missing(row[column]):
            return str(row[column])
    parts = [named(in_column(c, row[c])) for c in ("step", "segment") if c in row.index and not is_missing(row[c])]
    return " · ".join(parts) or named(row[names_of(row.to_frame().T.infer_objects())])


def _cost(ax: Axes, y: int, row: pd.Series, columns: tuple[str, str, str], kind: str) -> None:
    estimate, low, high = (row[column] for column in columns)
    if is_missing(low) or is_missing(high):
        ax.annotate(text("figures.cannot_say"), (0, y), (6, 0), textcoords="offset points", va="center", color=MUTED)
        return
    color = accent()
    if "verdict" in row.index:
        color = LOSS if str(row["verdict"]).lower() in _CERTAIN else CONTEXT
    ax.plot([low, high], [y, y], color=tint(color, 0.35), lw=6, solid_capstyle="butt")
    if not is_missing(estimate):
        ax.plot([estimate], [y], "o", color=color, ms=7, mec="white", mew=1.3)
    shown = "points" if kind == "percent" else kind
    words = text("figures.interval_words", {"low": formatted(low, shown), "high": formatted(high, shown)})
    ax.annotate(words, (high, y), (8, 0), textcoords="offset points", va="center", fontsize=8.8, color=INK)
