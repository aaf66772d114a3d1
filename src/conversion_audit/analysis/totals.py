"""What totals forbid: no visits at all, and reports that were merged, sampled or thinned before they were exported."""

from __future__ import annotations

from collections.abc import Sequence

from conversion_audit.findings import Finding

NEED_VISITS = ("00", "01", "02", "03", "05", "06")
"""Chapters that nobody can write from totals."""

LIMITS = (
    ("merged", "totals.other", "medium"),
    ("sampled", "totals.sampled", "medium"),
    ("thresholds", "totals.thresholds", "low"),
)
"""Key of a remark made while a report was read -> what it forbids, and how much that weakens chapter 04."""


def findings(has_events: bool, remarks: Sequence[str]) -> list[Finding]:
    """
    Say what totals forbid.

    Parameters
    ----------
    has_events : bool
        There are visits beside the totals.
    remarks : sequence of str
        Keys of what was remarked while the export was read.

    Returns
    -------
    list of Finding
        An observation where there are totals only; one finding on tracking for each limit, with the remarks that show it.
    """
    only = Finding("observation", "04", "totals.only", "medium", voids=NEED_VISITS, next_step="totals.only_next")
    found = [] if has_events else [only]
    for key, claim, severity in LIMITS:
        told = list(remarks).count(key)
        if told:
            values = {"remarks": told, "key": claim}
            found.append(
                Finding("tracking", "04", claim, severity, values=values, voids=("04",), next_step=f"{claim}_next",
                        owner="tracking")
            )  # fmt: skip
    return found
