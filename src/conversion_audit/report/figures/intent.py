"""What visitors came for, and what that does to the conversion rate."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes

from conversion_audit.report.figures.style import (
    CONTEXT,
    INK,
    LOSS,
    MUTED,
    REGAINED,
    accent,
    axes_for,
    beside,
    color_key,
    is_narrow,
    legend_above,
    names_of,
    nothing_to_draw,
    percent_axis,
    pick,
    redrawable,
    tint,
)
from conversion_audit.report.formats import formatted, is_missing
from conversion_audit.report.words import text

_CAN = {"can": "can", "c": "can", "cannot": "cannot", "x": "cannot", "unclear": "unclear", "a": "unclear"}


@redrawable
def plot_intent(split: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """
    Draw what visitors came for: one bar per intent, in the colour of whether these visitors could buy.

    Parameters
    ----------
    split : DataFrame
        One row per intent, in the order to show: its name in the first text column (``intent``); ``can_buy`` (can,
        cannot, unclear) or ``class`` (C, X, A); the count (the first of soft_sessions, sessions, visitors) and optionally
        ``success_rate``.
    """
    rows = split.reset_index(drop=True)
    ax = axes_for(ax, height=0.85 + 0.4 * max(len(rows), 1))
    count = pick(rows, "soft_sessions", "sessions", "visitors")
    if rows.empty or count is None or not rows[count].sum():
        return nothing_to_draw(ax, text("figures.nothing"))
    kind, total = pick(rows, "can_buy", "class"), float(rows[count].sum())
    name = next((c for c in ("intent", "name", "label") if c in rows), names_of(rows))
    top = float(rows[count].max()) / total
    for place, row in rows.iterrows():
        color = _colors()[_CAN.get(str(row[kind]).lower(), "unclear") if kind else "unclear"]
        share = float(row[count]) / total
        ax.barh(place, max(share, top * 0.003), height=0.6, color=color)
        _share(ax, place, share, row[count])
        if "success_rate" in rows and not is_missing(row["success_rate"]):
            ax.text(
                top * (1.88 if is_narrow(ax) else 1.5),
                place,
                formatted(row["success_rate"], "percent0"),
                ha="right",
                va="center",
                color=INK,
            )
    ax.set_yticks(range(len(rows)), [beside(ax, value, 30) for value in rows[name]])
    ax.set_ylim(len(rows) - 0.4, -0.7)
    ax.set_xlim(0, top * (1.9 if is_narrow(ax) else 1.52))
    ax.set_xticks([])
    ax.spines["bottom"].set_visible(False)
    color_key(ax, [(color, text(f"figures.{kind_of}_buy")) for kind_of, color in _colors().items()])
    if pick(rows, "success_rate"):
        words = text("figures.succeed")
        ax.annotate(
            words,
            (top * (1.88 if is_narrow(ax) else 1.5), 1),
            (0, 7),
            ("data", "axes fraction"),
            "offset points",
            ha="right",
            fontsize=8.8,
            color=MUTED,
        )
    return ax


def _colors() -> dict[str, tuple | str]:
    return {"can": accent(), "unclear": tint(CONTEXT, 0.55), "cannot": REGAINED}


def _share(ax: Axes, place: int, share: float, count: float) -> None:
    words = f"{formatted(share, 'percent1')}   {formatted(count, 'count')}"
    ax.annotate(words, (share, place), (6, 0), textcoords="offset points", va="center", fontsize=9, color=MUTED)


@redrawable
def plot_true_rate(rates: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """
    Draw the conversion rate of all sessions beside that of those who could convert.

    Parameters
    ----------
    rates : DataFrame
        One row per group: its name in the first text column; ``naive`` (or naive_rate, naive_conversion_rate); ``lower``
        and ``upper`` (also with ``_rate``): the bounds; ``low`` and ``high``: the interval; ``estimate`` (or middle), which
        may be missing.
    """
    rows = rates.reset_index(drop=True)
    ax = axes_for(ax, height=1.15 + 0.52 * max(len(rows), 1))
    columns = {key: pick(rows, *names) for key, names in _TRUE.items()}
    if rows.empty or columns["naive"] is None:
        return nothing_to_draw(ax, text("figures.nothing"))
    tops = [float(rows[column].max()) for column in columns.values() if column]
    for place, row in rows.iterrows():
        _true(
            ax, place, {key: None if c is None or is_missing(row[c]) else float(row[c]) for key, c in columns.items()}
        )
    name = names_of(rows)
    ax.set_yticks(range(len(rows)), [beside(ax, value, 30) for value in rows[name]])
    ax.set_ylim(len(rows) - 0.45, -0.95)
    ax.set_xlim(0, min(max(tops) * 1.12, 1.04) or 1)
    ax.xaxis.grid(True)
    percent_axis(ax)
    _true_legend(ax, {key for key, column in columns.items() if column})
    return ax


_TRUE = {
    "naive": ("naive", "naive_rate", "naive_conversion_rate"),
    "lower": ("lower", "lower_rate"),
    "upper": ("upper", "upper_rate"),
    "low": ("low", "true_low", "interval_low"),
    "high": ("high", "true_high", "interval_high"),
    "estimate": ("estimate", "middle", "middle_rate", "true_rate"),
}


def _true(ax: Axes, y: int, row: dict[str, float | None]) -> None:
    if row["low"] is not None and row["high"] is not None:
        ax.plot([row["low"], row["high"]], [y, y], color=accent(), lw=1.4)
    if row["lower"] is not None and row["upper"] is not None:
        ax.barh(y, row["upper"] - row["lower"], left=row["lower"], height=0.3, color=tint(accent(), 0.35))
    if row["estimate"] is not None:
        ax.plot(row["estimate"], y, "o", color=accent(), ms=8, mec="white", mew=1.4)
        _value(ax, row["estimate"], y, accent())
    if row["naive"] is not None:
        ax.plot(row["naive"], y, "D", color=LOSS, ms=6, mec="white", mew=1.2)
        _value(ax, row["naive"], y, LOSS, -10)


def _value(ax: Axes, x: float, y: int, color: str, above: int = 12) -> None:
    words = formatted(x, "percent2" if x < 0.1 else "percent1")
    place = {"textcoords": "offset points", "ha": "center", "va": "center"}
    ax.annotate(words, (x, y), (0, above), fontsize=8.6, color=color, weight="bold", **place)


def _true_legend(ax: Axes, known: set[str]) -> None:
    handles = {
        "naive": ax.plot([], [], "D", color=LOSS, ms=6)[0],
        "middle": ax.plot([], [], "o", color=accent(), ms=7)[0],
        "bounds": ax.barh([0], [0], color=tint(accent(), 0.35)),
        "interval": ax.plot([], [], color=accent(), lw=1.4)[0],
    }
    needs = {"naive": {"naive"}, "middle": {"estimate"}, "bounds": {"lower", "upper"}, "interval": {"low", "high"}}
    drawn = [key for key in handles if needs[key] <= known]
    words = [text(f"figures.{key}") for key in drawn]
    legend_above(ax, [handles[key] for key in drawn], words, columnspacing=1.2, fontsize=7.4 if is_narrow(ax) else 8.6)
