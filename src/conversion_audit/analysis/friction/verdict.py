"""From drafts to findings: what each gate said, and the one word it ends in."""

from __future__ import annotations

from typing import Any

import numpy as np

# A finding without a mechanism must hold against all comparisons made at once; so seldom would a quiet shop show one.
LIKELY_P = 0.02
LIKELY, UNEXPLAINED = "likely friction", "unexplained gap"


def verdict(p: float, comparisons: int, mechanism: str) -> str:
    """Return how a draft that stood every gate is called."""
    return LIKELY if mechanism != "none" or p * comparisons < LIKELY_P else UNEXPLAINED


def gate_records(draft, comparisons: int, left_out: int, machines: int) -> list[dict[str, Any]]:
    """
    Return the gates of a draft in their order, each with what it saw.

    Parameters
    ----------
    draft : Draft
    comparisons : int
        Comparisons the search made.
    left_out : int
        Sessions at this step under a silent tag.
    machines : int
        Sessions at a machine's pace.
    """
    judged, incident = draft.judged, draft.window is not None
    persistent = judged.gates[0]
    specific_z = draft.specific_z if incident else judged.gap / np.sqrt(judged.gap_variance)
    elsewhere = draft.elsewhere if incident else judged.usual
    return [
        {"gate": "tracking", "passed": True, "left_out_sessions": left_out},
        {"gate": "machines", "passed": True, "left_out_sessions": machines},
        {"gate": "enough", "passed": True, "sessions_at_risk": judged.sessions, "lost_orders_low": judged.lost_low,
         "loss_low": judged.loss_low},
        {"gate": "mix", "passed": True, "rate_elsewhere": judged.crude_elsewhere, "benchmark": judged.benchmark,
         "rate": judged.rate},
        {"gate": "step_specific", "passed": True, "gap": judged.gap, "gap_elsewhere": elsewhere, "z": specific_z},
        dict(persistent),
        {"gate": "mechanism", "passed": draft.mechanism.kind != "none", "kind": draft.mechanism.kind},
        {"gate": "verdict", "passed": verdict(draft.p, comparisons, draft.mechanism.kind) == LIKELY, "p": draft.p,
         "comparisons": comparisons, "z": draft.z},
    ]  # fmt: skip
