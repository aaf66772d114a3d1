"""What every figure shares: the house style, its colours, its page, and how it becomes SVG or PNG, always the same bytes."""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache, partial, wraps
from pathlib import Path
from textwrap import wrap
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
from matplotlib import font_manager
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from conversion_audit.report.figures.svg import small_svg
from conversion_audit.report.formats import formatted
from conversion_audit.report.voice import voice
from conversion_audit.report.words import row_label

INK, MUTED, LINE, TRACK, PAPER = "#1b2430", "#57616e", "#c3cad3", "#edf0f3", "#ffffff"
LOSS, REGAINED, CONTEXT = "#b9481a", "#d9a441", "#8b97a5"
WIDTH, NARROW = 7.6, 4.1
_FONTS = Path(__file__).parents[1] / "fonts"


@lru_cache(maxsize=1)
def _register_fonts() -> None:
    for path in sorted(_FONTS.glob("*.ttf")):
        font_manager.fontManager.addfont(path)


def use_style() -> None:
    """Draw in the house style from here on."""
    _register_fonts()
    plt.style.use("conversion_audit.report.house")


def accent() -> str:
    """Return the client's or agency's colour."""
    return voice().accent


def tint(color: str, strength: float) -> tuple[float, float, float]:
    """Return a colour mixed with the paper: 1 is the colour, 0 is white."""
    paper = mpl.colors.to_rgb(PAPER)
    return tuple(p + (c - p) * strength for c, p in zip(mpl.colors.to_rgb(color), paper, strict=True))


def readable(color: str) -> tuple[float, float, float]:
    """Return a line's colour for the words beside it: mixed with ink until they stand out from the paper (4.5 to one)."""
    plain, ink = mpl.colors.to_rgb(color), mpl.colors.to_rgb(INK)
    for share in (0, 0.15, 0.3, 0.45, 0.6):
        mixed = tuple(c + (i - c) * share for c, i in zip(plain, ink, strict=True))
        linear = [((c + 0.055) / 1.055) ** 2.4 for c in mixed]
        if 1.05 / (0.05 + 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]) >= 4.5:
            return mixed
    return ink


def axes_for(ax: Axes | None, height: float, width: float = WIDTH) -> Axes:
    """Return the axes to draw on: those given, else new ones in the house style, inches high and wide."""
    use_style()
    if ax is not None:
        return ax
    return plt.subplots(figsize=(width, height), layout="constrained")[1]


def redrawable(plot: Callable[..., Axes]) -> Callable[..., Axes]:
    """Let a figure be drawn again from its table, narrow, for a phone."""

    @wraps(plot)
    def draw(table: Any, ax: Axes | None = None) -> Axes:
        axes = plot(table, ax)
        if ax is None:
            axes.figure.redraw = partial(plot, table)
        return axes

    return draw


def narrow_one(figure: Figure) -> Figure | None:
    """Return a figure as a phone should show it, drawn anew; None where it cannot be drawn again."""
    redraw = getattr(figure, "redraw", None)
    if redraw is None:
        return None
    narrow, axes = plt.subplots(figsize=(NARROW, figure.get_size_inches()[1]), layout="constrained")
    redraw(axes)
    return narrow


def is_narrow(ax: Axes) -> bool:
    """Return whether a figure is drawn for a phone."""
    return ax.figure.get_size_inches()[0] < (WIDTH + NARROW) / 2


def named(value: Any, most: int = 34) -> str:
    """Return a name as it stands on a figure: the client's word for it, cut in the middle where it is too long."""
    shown = row_label(value)
    if len(shown) <= most:
        return shown
    tail = most // 3
    return f"{shown[: most - tail - 1].rstrip()}…{shown[-tail:].lstrip()}"


def beside(ax: Axes, value: Any, most: int = 34) -> str:
    """Return a name as it stands beside a row: on a phone on two lines."""
    if not is_narrow(ax):
        return named(value, most)
    return "\n".join(wrap(named(value, 30), 17, max_lines=2, placeholder="…"))


def percent_axis(ax: Axes, which: str = "x") -> None:
    """Write an axis in percent, in the client's way."""
    axis = getattr(ax, f"{which}axis")
    axis.set_major_locator(
        mpl.ticker.MaxNLocator(nbins=3 if is_narrow(ax) and which == "x" else 5, steps=[1, 2, 2.5, 5, 10])
    )
    axis.set_major_formatter(lambda value, _: formatted(round(value, 6), _percent_kind(value)))


def _percent_kind(value: float) -> str:
    return "percent0" if abs(value * 100 - round(value * 100)) < 1e-9 else "percent1"


def number_axis(ax: Axes, which: str = "x", kind: str = "short", bins: int = 5) -> None:
    """Write an axis in counts, money or durations, in the client's way."""
    axis = getattr(ax, f"{which}axis")
    axis.set_major_locator(
        mpl.ticker.MaxNLocator(nbins=3 if is_narrow(ax) and which == "x" else bins, steps=[1, 2, 2.5, 5, 10])
    )
    axis.set_major_formatter(lambda value, _: formatted(round(value, 6), kind))


def nothing_to_draw(ax: Axes, words: str) -> Axes:
    """Say on an empty figure why it is empty."""
    ax.set_axis_off()
    ax.text(0.5, 0.5, words, ha="center", va="center", color=MUTED, transform=ax.transAxes)
    return ax


def color_key(ax: Axes, parts: Iterable[tuple[Any, str]]) -> None:
    """Say above a figure what its colours mean."""
    handles, words = [], []
    for color, meaning in parts:
        handles.append(Patch(facecolor=color))
        words.append(meaning)
    look = {"handlelength": 0.8, "handleheight": 0.8, "columnspacing": 1.5, "labelcolor": MUTED, "fontsize": 8.8}
    legend_above(ax, handles, words, borderaxespad=0.6, **look)


def legend_above(ax: Axes, handles: Sequence[Any], words: Sequence[str], **look: Any) -> None:
    """Put a legend above a figure; on a phone from its very left, for beside the names of rows there is no room for it."""
    look |= {"borderpad": 0, "handletextpad": 0.5}
    if is_narrow(ax):
        ax.figure.legend(handles, words, loc="outside upper left", ncols=2, **look)
    else:
        ax.legend(handles, words, loc="lower left", bbox_to_anchor=(0, 1.0), ncols=len(words), **look)


def as_svg(figure: Figure) -> bytes:
    """Return a figure as small SVG: text as outlines, two decimals, no date, no random ids."""
    return small_svg(_saved(figure, "svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None}))


def as_png(figure: Figure) -> bytes:
    """Return a figure as PNG at double size."""
    return _saved(figure, "png", dpi=192, metadata={"Software": None})


def close(figure: Figure) -> None:
    """Forget a figure that was shown."""
    plt.close(figure)


def _saved(figure: Figure, kind: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    with warnings.catch_warnings(), mpl.rc_context({"svg.hashsalt": "conversion-audit", "svg.fonttype": "path"}):
        warnings.filterwarnings("ignore", message="Glyph .* missing")
        figure.savefig(buffer, format=kind, **options)
    return buffer.getvalue()


def pick(frame: Any, *names: str) -> str | None:
    """Return the first of these columns that the table holds and that is not empty, or None."""
    return next((name for name in names if name in frame and frame[name].notna().any()), None)


def names_of(frame: Any) -> str:
    """Return the column that names the rows: the first that is not a number, else the first."""
    from pandas.api.types import is_numeric_dtype

    return next((column for column in frame if not is_numeric_dtype(frame[column])), frame.columns[0])
