"""
Which shared table is made how, and which findings follow: where intake and analysis are tied together.

One module per chapter (and `held`, what there is). Each has ``TABLES`` (name -> `Recipe`) and ``findings(audit)``; nothing is computed here, only asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from conversion_audit.findings import Finding
from conversion_audit.recipes import fitness, friction, goals, held, intent, journey, marks, plan
from conversion_audit.recipes.recipe import Recipe

if TYPE_CHECKING:
    import pandas as pd

    from conversion_audit.audit import Audit

__all__ = ["TABLES", "Recipe", "findings", "headline", "summary"]

CHAPTERS = (marks, fitness, goals, journey, intent, friction, plan)

TABLES: dict[str, Recipe] = {name: recipe for chapter in CHAPTERS for name, recipe in chapter.TABLES.items()}


def findings(audit: Audit) -> list[Finding]:
    """Return every finding of every chapter, unranked."""
    # Without visits there is nothing to claim but what totals say, and what they forbid.
    chapters = CHAPTERS if audit.has("events") else (friction,)
    return [finding for chapter in chapters for finding in chapter.findings(audit)]


def headline(audit: Audit) -> dict[str, Any]:
    """Return the headline numbers of the manifest."""
    return intent.headline(audit)


def summary(audit: Audit) -> pd.DataFrame:
    """Return what the export holds, in a few lines."""
    return held.summary(audit)
