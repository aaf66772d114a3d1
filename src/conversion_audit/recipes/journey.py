"""Chapter 02: how visitors move."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conversion_audit.findings import Finding
from conversion_audit.recipes.recipe import Recipe

if TYPE_CHECKING:
    from conversion_audit.audit import Audit

TABLES: dict[str, Recipe] = {}


def findings(audit: Audit) -> list[Finding]:
    """Return what the chapter claims."""
    return []
