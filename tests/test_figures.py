"""Figures: every one drawn from what a notebook may hand it, however odd, and the same way twice."""

from __future__ import annotations

import base64
import warnings
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot as plt
from matplotlib.colors import to_rgb

from conversion_audit.report import figures
from conversion_audit.report.figures import style
from conversion_audit.report.show import bundles_of
from conversion_audit.report.voice import Voice, speaking

LONG = "a very long name of a step that nobody would give to a step if they had to read it in a figure " * 3
ODD = ["$x_1$ & $\\frac{a}{b}$", LONG, "שלום עולם", "مرحبا", "<script>alert(1)</script>", "日本語 🎉", "", "a\nb\x00c"]


def funnel(names: list[str], counts: list[float]) -> pd.DataFrame:
    return pd.DataFrame({"step": names, "sessions": counts, "regained": [0] + [c // 10 for c in counts[:-1]]})


def flow(names: list[str], counts: list[float]) -> pd.DataFrame:
    rows = [(0, "start", name, count) for name, count in zip(names, counts, strict=True)]
    rows += [(1, name, "(exit)", count) for name, count in zip(names, counts, strict=True)]
    return pd.DataFrame(rows, columns=["stage", "source", "target", "sessions"])


def intent(names: list[str], counts: list[float]) -> pd.DataFrame:
    kinds = (["can", "unclear", "cannot"] * len(names))[: len(names)]
    return pd.DataFrame({"intent": names, "can_buy": kinds, "sessions": counts, "success_rate": [0.5] * len(names)})


def true_rate(names: list[str], counts: list[float]) -> pd.DataFrame:
    rate = [min(count, 1) / 30 for count in counts]
    return pd.DataFrame({"group": names, "naive": rate}).assign(
        lower=lambda f: f.naive * 1.1,
        upper=lambda f: f.naive * 2,
        low=lambda f: f.naive,
        high=lambda f: f.naive * 3,
        estimate=None,
    )


def step_map(names: list[str], counts: list[float]) -> pd.DataFrame:
    rates = [min(count, 1) / 2 or None for count in counts]
    return pd.DataFrame({"segment": names, "step": "payment", "rate": rates, "verdict": "likely friction"})


def forest(names: list[str], counts: list[float]) -> pd.DataFrame:
    return pd.DataFrame({"name": names, "revenue": counts, "revenue_low": [c * 0.5 for c in counts]}).assign(
        revenue_high=lambda f: f.revenue * 2, verdict="likely friction"
    )


def times(names: list[str], counts: list[float]) -> pd.DataFrame:
    return pd.DataFrame({"step": names, "seconds": counts, "share": [0.5] * len(names), "exit_share": 0.2})


def waterfall(names: list[str], counts: list[float]) -> pd.DataFrame:
    return pd.DataFrame({"part": names, "effect": [c / 1e12 for c in counts], "low": None, "high": None})


def control(names: list[str], counts: list[float]) -> pd.DataFrame:
    days = pd.date_range("2026-01-01", periods=len(names))
    return pd.DataFrame({"date": days, "rate": [c / 1e12 for c in counts], "change": names, "is_alarm": True})


def rates(names: list[str], counts: list[float]) -> pd.DataFrame:
    rate = [min(count, 1) / 2 if count else None for count in counts]
    return pd.DataFrame({"segment": names, "sessions": counts, "conversion_rate": rate}).assign(
        conversion_low=lambda f: f.conversion_rate, conversion_high=lambda f: f.conversion_rate
    )


def bars(names: list[str], counts: list[float]) -> pd.DataFrame:
    return pd.DataFrame({"channel": names, "sessions": counts})


def heat(names: list[str], counts: list[float]) -> pd.DataFrame:
    hours = range(len(names))
    return pd.DataFrame({"weekday": [n % 7 for n in hours], "hour": [n % 24 for n in hours], "sessions": counts})


FIGURES = {
    figures.plot_funnel: funnel,
    figures.plot_flow: flow,
    figures.plot_intent: intent,
    figures.plot_true_rate: true_rate,
    figures.plot_map: step_map,
    figures.plot_forest: forest,
    figures.plot_times: times,
    figures.plot_waterfall: waterfall,
    figures.plot_control: control,
    figures.plot_rates: rates,
    figures.plot_bars: bars,
    figures.plot_heat: heat,
}
CASES = {
    "one row": (["only"], [12]),
    "odd names": (ODD, [80, 70, 60, 50, 40, 30, 20, 10]),
    "forty": ([f"category {n}" for n in range(40)], list(range(400, 0, -10))),
    "zeros": (["a", "b", "c"], [0, 0, 0]),
    "huge": (["a", "b"], [10**12, 10**11]),
}
EACH = pytest.mark.parametrize("plot", FIGURES, ids=lambda plot: plot.__name__)


def drawn(plot, frame: pd.DataFrame) -> bytes:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        bundle = bundles_of(plot(frame))[0]
    return base64.b64decode(bundle.get("svg") or bundle["png"])


@EACH
@pytest.mark.parametrize("case", CASES)
def test_every_figure_draws_every_odd_table_without_a_warning(plot, case):
    picture = drawn(plot, FIGURES[plot](*CASES[case]))
    assert picture.startswith((b"<svg", b"\x89PNG"))
    assert b"<script" not in picture and b"nan" not in picture[:20_000]


@EACH
def test_a_table_without_rows_says_that_there_is_nothing_to_draw(plot):
    empty = FIGURES[plot](["a"], [1]).head(0)
    axes = plot(empty)
    assert [words.get_text() for words in axes.texts] == ["Nothing to draw: no rows"]
    plt.close(axes.figure)


@EACH
def test_the_same_table_gives_the_same_bytes_and_stays_as_it_was(plot):
    frame = FIGURES[plot](["b", "a", "c"], [30, 20, 10])
    before = frame.copy()
    assert drawn(plot, frame) == drawn(plot, frame)
    pd.testing.assert_frame_equal(frame, before)


@EACH
def test_a_figure_draws_on_the_axes_it_is_given(plot):
    figure, axes = plt.subplots()
    assert plot(FIGURES[plot](["a", "b"], [30, 20]), ax=axes) is axes
    plt.close(figure)


@EACH
def test_every_figure_documents_its_columns(plot):
    assert "Parameters\n" in plot.__doc__ and ": DataFrame" in plot.__doc__


def test_dollars_are_dollars_and_no_formula():
    axes = figures.plot_bars(bars(["$x_1$"], [3]))
    axes.figure.canvas.draw()
    assert axes.get_yticklabels()[0].get_text() == "$x_1$"
    assert not axes.get_yticklabels()[0].get_parse_math()
    plt.close(axes.figure)


def test_what_enters_a_node_of_the_flow_leaves_it():
    from conversion_audit.report.figures.flow import _links

    names = [f"page {n}" for n in range(30)]
    links = _links(flow(names, list(range(1, 31))), "source", "target", "sessions")
    first, second = (links[links["stage"] == stage]["count"].sum() for stage in (0, 1))
    assert first == second == sum(range(1, 31))
    middle = links[links["stage"] == 0].groupby("target")["count"].sum()
    assert (
        middle.sort_index().tolist()
        == links[links["stage"] == 1].groupby("source")["count"].sum().sort_index().tolist()
    )


def test_lost_visitors_who_come_back_are_never_more_than_those_lost():
    axes = figures.plot_funnel(pd.DataFrame({"step": ["a", "b"], "sessions": [10, 8], "regained": [0, 99]}))
    widths = [round(bar.get_width(), 6) for bar in axes.patches]
    assert widths == [1.0, 0.8, 0.2]
    plt.close(axes.figure)


def test_only_what_is_certain_has_a_colour():
    cells = pd.DataFrame(
        {"segment": ["a", "b"], "step": "pay", "rate": [0.5, 0.1], "verdict": ["likely friction", "unexplained gap"]}
    )
    axes = figures.plot_map(cells)
    import matplotlib.colors as colors

    assert [colors.to_hex(patch.get_facecolor()) for patch in axes.patches] == [style.LOSS, "#f1f3f5"]
    plt.close(axes.figure)


def _seen_by(color: str, kind: str) -> np.ndarray:
    """Return a colour as someone sees it who lacks one kind of cone (Viénot, Brettel and Mollon 1999)."""
    from matplotlib.colors import to_rgb

    linear = np.array(to_rgb(color)) ** 2.2
    to_cones = np.array([[17.8824, 43.5161, 4.11935], [3.45565, 27.1554, 3.86714], [0.0299566, 0.184309, 1.46709]])
    missing = {
        "protan": np.array([[0, 2.02344, -2.52581], [0, 1, 0], [0, 0, 1]]),
        "deutan": np.array([[1, 0, 0], [0.494207, 0, 1.24827], [0, 0, 1]]),
    }[kind]
    seen = np.linalg.inv(to_cones) @ missing @ to_cones @ linear
    return np.clip(seen, 0, 1) ** (1 / 2.2)


@pytest.mark.parametrize("kind", ["protan", "deutan"])
def test_the_colours_that_carry_meaning_differ_for_the_colour_blind(kind):
    meaning = [style.accent(), style.LOSS, style.REGAINED, style.CONTEXT]
    seen = [_seen_by(color, kind) for color in meaning]
    distances = [np.linalg.norm(a - b) for n, a in enumerate(seen) for b in seen[:n]]
    assert min(distances) > 0.12


@pytest.mark.parametrize("language", ["en", "de"])
def test_the_key_of_the_colours_is_whole_on_a_phone(language):
    split = pd.DataFrame(
        {
            "intent": ["Returning something", "Shopping", "Looking for help"],
            "sessions": [9, 50, 6],
            "can_buy": ["cannot", "can", "unclear"],
        }
    )
    with speaking(Voice(language=language, site="shop")):
        narrow = style.narrow_one(figures.plot_intent(split).figure)
    narrow.draw_without_rendering()
    keys = [*narrow.legends, *(ax.get_legend() for ax in narrow.axes if ax.get_legend())]
    assert keys and all(one.get_window_extent().x1 <= narrow.bbox.x1 for one in keys)


def test_counts_of_millions_stand_beside_the_bar_and_not_on_it():
    steps = pd.DataFrame({"step": ["Shown", "Second page of the quote form"], "count": [11_554_867, 34_467]})
    wide = figures.plot_funnel(steps).figure
    for figure in (wide, style.narrow_one(wide)):
        figure.draw_without_rendering()
        (ax,) = figure.axes
        ends = max(bar.get_window_extent().x1 for bar in ax.patches)
        counts = [one for one in ax.texts if one.get_text() in {"11,554,867", "34,467"}]
        assert len(counts) == 2 and all(one.get_window_extent().x0 > ends for one in counts)
        assert max(one.get_window_extent().x1 for one in ax.texts) <= figure.bbox.x1


def test_names_of_lines_are_dark_enough_to_be_read():
    """An amber line may be light, amber words may not: 4.5 to one against the paper."""
    axes = figures.plot_times(pd.concat(times([name], [n]) for n, name in enumerate("abcdefg", 1)))
    assert len(axes.texts) == 7
    for name in axes.texts:
        light = np.array([((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(name.get_color())]) @ [0.2126, 0.7152, 0.0722]
        assert 1.05 / (light + 0.05) >= 4.5
    plt.close(axes.figure)


def test_the_key_of_the_true_rate_names_only_what_is_drawn():
    rates_ = pd.DataFrame({"by": ["session"], "naive_rate": 0.05, "lower_rate": 0.07, "upper_rate": 0.1})
    without = [one.get_text() for one in figures.plot_true_rate(rates_).get_legend().get_texts()]
    known = rates_.assign(true_rate=0.08, low=0.06, high=0.12)
    assert without == ["all sessions", "lowest to highest"]
    assert len(figures.plot_true_rate(known).get_legend().get_texts()) == 4


def test_the_steps_over_the_map_are_whole_names():
    steps = ["Solution page", "Quote form opened", "Quote form begun", "Quote form second page", "Quote requested"]
    cells = pd.DataFrame({"segment": "a", "step": steps, "rate": 0.5})
    wide = figures.plot_map(cells).figure
    for figure in (wide, style.narrow_one(wide)):
        figure.draw_without_rendering()
        heads = figure.axes[0].get_xticklabels()
        assert [one.get_text().replace("\n", " ") for one in heads] == steps
        assert min(one.get_window_extent().y0 for one in heads) >= 0
    many = pd.concat(
        [cells.replace("Quote form second page", "Anfrageformular zweite Seite").assign(segment=s) for s in "abcdefgh"]
    )
    narrow = style.narrow_one(figures.plot_map(many).figure)
    assert "Anfrageformular zweite Seite" in [one.get_text() for one in narrow.axes[0].get_xticklabels()]
    boxes = [one.get_window_extent() for one in wide.axes[0].get_xticklabels()]
    assert all(left.x1 < right.x0 for left, right in pairwise(boxes))


def test_what_was_changed_is_written_whole_beside_its_line_and_no_other_line_crosses_it():
    days = pd.date_range("2026-01-01", periods=56)
    changes = {28: 'paid social campaign "Spring story"', 32: "new product video", 54: "another page for payment"}
    rate = pd.DataFrame({"date": days, "rate": 0.03, "change": [changes.get(n) for n in range(56)]})
    wide = figures.plot_control(rate).figure
    for figure in (wide, style.narrow_one(wide)):
        figure.draw_without_rendering()
        (ax,) = figure.axes
        assert [one.get_text() for one in ax.texts] == list(changes.values())
        assert all(one.get_window_extent().x0 >= 0 and one.get_window_extent().x1 <= figure.bbox.x1 for one in ax.texts)
        assert all(one.get_bbox_patch() is not None and one.get_zorder() > 2 for one in ax.texts)
