"""Figures made for this argument. Each takes a finished table and returns the axes it drew on; none computes."""

from conversion_audit.report.figures.change import plot_control, plot_waterfall
from conversion_audit.report.figures.counts import plot_bars, plot_heat
from conversion_audit.report.figures.flow import plot_flow
from conversion_audit.report.figures.friction import plot_forest, plot_map
from conversion_audit.report.figures.funnel import plot_funnel
from conversion_audit.report.figures.intent import plot_intent, plot_true_rate
from conversion_audit.report.figures.rates import plot_rates
from conversion_audit.report.figures.times import plot_times

__all__ = [
    "plot_bars",
    "plot_control",
    "plot_flow",
    "plot_forest",
    "plot_funnel",
    "plot_heat",
    "plot_intent",
    "plot_map",
    "plot_rates",
    "plot_times",
    "plot_true_rate",
    "plot_waterfall",
]
