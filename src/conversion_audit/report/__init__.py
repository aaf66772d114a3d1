"""How the audit is told: `show` in a notebook, one page and one workbook for the client."""

from conversion_audit.report.show import house, show
from conversion_audit.report.words import text

__all__ = ["house", "show", "text"]
