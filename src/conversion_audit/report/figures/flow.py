"""How visitors move: bands from stage to stage whose widths add up at every node."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import PathPatch
from matplotlib.path import Path

from conversion_audit.report.figures.style import (
    CONTEXT,
    INK,
    LOSS,
    MUTED,
    accent,
    axes_for,
    is_narrow,
    named,
    nothing_to_draw,
    pick,
    redrawable,
    tint,
)
from conversion_audit.report.formats import formatted
from conversion_audit.report.words import page_kind, text

_SOURCES = ("source", "from_step", "from", "page_type", "step")
_TARGETS = ("target", "to_step", "to", "next_page_type", "next_step")
_COUNTS = ("sessions", "visitors", "transitions", "events", "count")
_EXIT = "(exit)"
_MOST = 7
_GAP = 0.03
_BAR = 0.022

Node = tuple[int, str]


@redrawable
def plot_flow(flow: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """
    Draw a flow from stage to stage; what enters a node leaves it.

    Parameters
    ----------
    flow : DataFrame
        One row per link: ``stage`` (0, 1, ...: the column the link starts in; all 0 where absent), ``source``, ``target``
        (also from_step/to_step, from/to, page_type/next_page_type) and how many take it (the first of sessions,
        visitors, transitions, events, count). A target ``(exit)`` is drawn as leaving; an optional ``is_goal`` marks
        links that end in the goal.
    """
    source, target, count = pick(flow, *_SOURCES), pick(flow, *_TARGETS), pick(flow, *_COUNTS)
    if not len(flow) or None in (source, target, count) or not flow[count].sum():
        return nothing_to_draw(axes_for(ax, 2), text("figures.nothing"))
    links = _links(flow, source, target, count)
    nodes = _nodes(links)
    deepest = max(sum(1 for stage, _ in nodes if stage == column) for column in {stage for stage, _ in nodes})
    ax = axes_for(ax, height=max(2.8, 1.0 + 0.46 * deepest))
    places = _places(nodes)
    goals = _goals(flow, target)
    _bands(ax, links, nodes, places, goals)
    _bars(ax, nodes, places, goals)
    ax.set_axis_off()
    ax.set_xlim(-0.02, max(stage for stage, _ in nodes) + 0.42)
    ax.set_ylim(1.02, -0.06)
    return ax


def _links(flow: pd.DataFrame, source: str, target: str, count: str) -> pd.DataFrame:
    """Return stage, source, target, count; small nodes of a stage are one node `other`, so that sums still hold."""
    links = pd.DataFrame(
        {
            "stage": flow["stage"].astype(int) if "stage" in flow else 0,
            "source": flow[source].astype(str),
            "target": flow[target].astype(str),
            "count": flow[count].astype(float),
        }
    )
    links["stage"] -= links["stage"].min()
    ends = pd.concat(
        [
            links[["stage", "source", "count"]].set_axis(["stage", "name", "count"], axis=1),
            links.assign(stage=links["stage"] + 1)[["stage", "target", "count"]].set_axis(
                ["stage", "name", "count"], axis=1
            ),
        ]
    )
    sizes = ends.groupby(["stage", "name"])["count"].max().sort_values(ascending=False, kind="stable")
    kept = {key for _, part in sizes.groupby(level=0, sort=True) for key in part.index[:_MOST]}
    kept |= {key for key in sizes.index if key[1] == _EXIT}
    other = text("figures.other")
    return (
        links.assign(
            source=[s if (n, s) in kept else other for n, s in zip(links["stage"], links["source"], strict=True)],
            target=[t if (n + 1, t) in kept else other for n, t in zip(links["stage"], links["target"], strict=True)],
        )
        .groupby(["stage", "source", "target"], as_index=False)["count"]
        .sum()
    )


def _nodes(links: pd.DataFrame) -> dict[Node, float]:
    """Return each node's size: what enters or what leaves it, whichever is more."""
    sizes: dict[Node, list[float]] = {}
    for stage, source, target, count in links.itertuples(index=False):
        sizes.setdefault((stage, source), [0.0, 0.0])[1] += count
        sizes.setdefault((stage + 1, target), [0.0, 0.0])[0] += count
    order = sorted(sizes, key=lambda node: (node[0], node[1] == _EXIT, -max(sizes[node]), node[1]))
    return {node: max(sizes[node]) for node in order}


def _places(nodes: dict[Node, float]) -> dict[Node, tuple[float, float]]:
    """Return each node's top and bottom; one scale for all stages."""
    stages = sorted({stage for stage, _ in nodes})
    columns = [[node for node in nodes if node[0] == stage] for stage in stages]
    scale = min((1 - _GAP * (len(column) - 1)) / max(sum(nodes[node] for node in column), 1e-9) for column in columns)
    places = {}
    for column in columns:
        top = 0.0
        for node in column:
            places[node] = (top, top + nodes[node] * scale)
            top += nodes[node] * scale + _GAP
    return places


def _goals(flow: pd.DataFrame, target: str) -> set[str]:
    return set(flow.loc[flow["is_goal"].astype(bool), target].astype(str)) if "is_goal" in flow else set()


def _bands(ax: Axes, links: pd.DataFrame, nodes: dict, places: dict, goals: set[str]) -> None:
    leaving = {node: place[0] for node, place in places.items()}
    arriving = dict(leaving)
    rank = {node: n for n, node in enumerate(nodes)}
    rows = sorted(links.itertuples(index=False), key=lambda one: (rank[one[0], one[1]], rank[one[0] + 1, one[2]]))
    for stage, source, target, count in rows:
        start, end = (stage, source), (stage + 1, target)
        high = count * _height(nodes, places, start)
        _band(ax, stage, leaving[start], arriving[end], high, _color(target, goals))
        leaving[start] += high
        arriving[end] += high


def _height(nodes: dict, places: dict, node: Node) -> float:
    top, bottom = places[node]
    return (bottom - top) / nodes[node]


def _color(name: str, goals: set[str]) -> tuple[float, float, float]:
    if name == _EXIT:
        return tint(LOSS, 0.22)
    return tint(accent(), 0.55) if name in goals else tint(CONTEXT, 0.32)


def _band(ax: Axes, stage: int, start: float, end: float, high: float, color: tuple) -> None:
    left, right = stage + _BAR, stage + 1.0
    middle = (left + right) / 2
    points = [
        (left, start), (middle, start), (middle, end), (right, end),
        (right, end + high), (middle, end + high), (middle, start + high), (left, start + high), (left, start),
    ]  # fmt: skip
    codes = [Path.MOVETO, *[Path.CURVE4] * 3, Path.LINETO, *[Path.CURVE4] * 3, Path.CLOSEPOLY]
    ax.add_patch(PathPatch(Path(points, codes), facecolor=color, edgecolor="white", linewidth=0.5, clip_on=False))


def _bars(ax: Axes, nodes: dict, places: dict, goals: set[str]) -> None:
    for (stage, name), size in nodes.items():
        top, bottom = places[stage, name]
        color = LOSS if name == _EXIT else accent() if name in goals else INK
        ax.barh((top + bottom) / 2, _BAR, left=stage, height=max(bottom - top, 0.003), color=color)
        words = (
            text("figures.exit_short" if is_narrow(ax) else "figures.exit")
            if name == _EXIT
            else named(page_kind(name), 10 if is_narrow(ax) else 22)
        )
        thin = bottom - top < 0.075
        lines = f"{words}  {formatted(size, 'count')}" if thin else words
        at = (stage + _BAR, (top + bottom) / 2)
        place = {"textcoords": "offset points", "va": "center"}
        ax.annotate(lines, at, (4, 0 if thin else 4), fontsize=7.4 if is_narrow(ax) else 8.8, color=INK, **place)
        if not thin:
            ax.annotate(formatted(size, "count"), at, (4, -6.5), fontsize=8, color=MUTED, **place)
