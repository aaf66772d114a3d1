"""How long visitors take to the next step, and how many leave instead."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes

from conversion_audit.report.figures.style import (
    CONTEXT,
    INK,
    LOSS,
    REGAINED,
    accent,
    axes_for,
    is_narrow,
    named,
    nothing_to_draw,
    percent_axis,
    pick,
    readable,
    redrawable,
)
from conversion_audit.report.formats import formatted
from conversion_audit.report.words import text

_COLORS = (LOSS, REGAINED, "#3d7fb5", "#7a5a86", CONTEXT, INK)
_TICKS = (1, 5, 15, 60, 300, 900, 3600, 4 * 3600, 86400, 3 * 86400, 7 * 86400, 30 * 86400, 90 * 86400)


@redrawable
def plot_times(curves: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """
    Draw, over the time since a step, the share that has gone on (and, dashed, the share that has left).

    Parameters
    ----------
    curves : DataFrame
        One row per line and time: ``seconds`` (since the step; also days), ``share`` (or next_share, rate, incidence;
        cumulative, of those who reached the step), optional ``low``/``high``, ``exit_share`` (dashed) and the column
        that names the lines: the first of series, step, segment, outcome, channel, group.
    """
    seconds = pick(curves, "seconds", "days", "day")
    share = pick(curves, "share", "next_share", "next_rate", "rate", "incidence", "repeat_rate")
    ax = axes_for(ax, height=3.3)
    if not len(curves) or seconds is None or share is None:
        return nothing_to_draw(ax, text("figures.nothing"))
    by = pick(curves, "series", "step", "segment", "outcome", "channel", "group")
    lines = dict(list(curves.groupby(by, sort=False))) if by else {"": curves}
    ends: list[tuple[float, float, str, str]] = []
    unit = 1.0 if seconds == "seconds" else 86400.0
    for n, (name, line) in enumerate(list(lines.items())[:7]):
        color = accent() if n == 0 else _COLORS[(n - 1) % len(_COLORS)]
        line = line.sort_values(seconds, kind="stable")
        _line(ax, line, seconds, unit, share, color)
        ends.append((float(line[seconds].iloc[-1]) * unit, float(line[share].iloc[-1]), str(name), color))
    _time_axis(ax, curves[seconds].astype(float) * unit)
    ax.set_ylim(0, min(float(curves[[c for c in (share, "exit_share") if c in curves]].max().max()) * 1.12, 1.03) or 1)
    _name_lines(ax, ends)
    percent_axis(ax, "y")
    ax.yaxis.grid(True)
    return ax


def _line(ax: Axes, line: pd.DataFrame, seconds: str, unit: float, share: str, color: str) -> None:
    at = line[seconds].astype(float) * unit
    ax.step(at, line[share], where="post", color=color, lw=2)
    low, high = pick(line, "low", f"{share}_low"), pick(line, "high", f"{share}_high")
    if low and high:
        ax.fill_between(at, line[low].astype(float), line[high].astype(float), step="post", color=color, alpha=0.14)
    if pick(line, "exit_share"):
        ax.step(at, line["exit_share"], where="post", color=color, lw=1.3, ls=(0, (3, 2)))


def _name_lines(ax: Axes, ends: list[tuple[float, float, str, str]]) -> None:
    """Write each line's name beside its end; names that would touch move apart."""
    least, below = 0.085 * ax.get_ylim()[1], -1.0
    right = max((at for at, *_ in ends), default=0.0)
    for _, share, name, color in sorted(ends, key=lambda end: end[1]):
        below = max(share, below + least)
        words = named(name, 14 if is_narrow(ax) else 26)
        ax.annotate(words, (right, below), (6, 0), textcoords="offset points", va="center", color=readable(color))


def _time_axis(ax: Axes, seconds: pd.Series) -> None:
    """Minutes and days on one axis: a logarithmic one where the times span more than two orders."""
    positive = seconds[seconds > 0]
    if len(positive) and positive.max() / positive.min() > 100:
        ax.set_xscale("symlog", linthresh=max(positive.min(), 1))
    most = seconds.max()
    ticks = _ticks(positive)[:: -2 if is_narrow(ax) else 1]
    ax.set_xticks(ticks, [formatted(tick, "duration") for tick in ticks])
    ax.minorticks_off()
    ax.set_xlim(0, most * (4 if ax.get_xscale() == "symlog" else 1.35) or 1)


def _ticks(seconds: pd.Series) -> list[float]:
    if seconds.empty:
        return [0]
    inside = [tick for tick in _TICKS if seconds.min() <= tick <= seconds.max()]
    return inside[-6:] or [float(seconds.max())]
