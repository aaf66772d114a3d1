"""Figures made for this argument. Each takes a finished table and returns the axes it drew on; none computes."""

from conversion_audit.report.figures.rates import plot_rates

__all__ = ["plot_rates"]
