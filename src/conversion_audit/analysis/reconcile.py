"""Why this is not what the other tool says: the same log counted by its rules, and the difference taken apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from conversion_audit.analysis.funnel import reached, with_period
from conversion_audit.engine import AnyTable, Table, engine_of, statement

DAY = 86400.0
INSTANT = 1e-6
"""A tolerance below the clock's: events of one time are tied, whatever order the source gives them."""

PRESETS: dict[str, dict[str, Any]] = {
    "ga4_closed": {"window": None, "entry": "best", "in_range": "both", "tolerance": INSTANT},
    "mixpanel": {"window": 7 * DAY, "entry": "first", "in_range": "entry", "tolerance": 2.0},
    "amplitude": {"window": DAY, "entry": "best", "in_range": "entry", "whole_seconds": True},
    "posthog": {"window": 14 * DAY, "entry": "best", "in_range": "both", "tolerance": INSTANT},
}
"""How other tools count a closed funnel of people with their default settings.

ga4_closed: users, no window, all steps in the date range. mixpanel: the first entry in the range only, 7 days, steps
within 2 seconds in either order. amplitude: times cut to the second, either order inside it, 1 day. posthog: any entry
begins anew, 14 days, entry and completion in the range. All of them: one step after the other, and nothing ends a chain.
"""

TOOLS = {"ga4": "ga4_closed", "ga360": "ga4_closed", "mixpanel": "mixpanel", "amplitude": "amplitude"}
TOOLS |= {"posthog": "posthog"}
REASONS = ("by_unit", "by_order", "by_range", "by_window", "by_re_entry", "by_ties")
_CHANGED_BY = {
    "by_order": ("order", "exclude"),
    "by_range": ("in_range",),
    "by_window": ("window", "step_window"),
    "by_re_entry": ("entry",),
    "by_ties": ("ties", "tolerance", "whole_seconds"),
}


def reconcile(
    history: AnyTable,
    steps: Sequence[str],
    by_session: Mapping[str, Any],
    by_visitor: Mapping[str, Any],
    presets: Mapping[str, Mapping[str, Any]] = PRESETS,
) -> pd.DataFrame:
    """
    Count one log by each tool's rules and say what makes the difference.

    The rules are changed one after the other, in the order of the columns; each column is what that change adds, so
    that ours and the columns sum to theirs.

    Parameters
    ----------
    history : table
        Marks of the whole export with ``in_period``.
    steps : sequence of str
        The journey.
    by_session, by_visitor : mapping
        Our own settings, see `funnel_steps.options`.
    presets : mapping
        Tool -> what it does differently from our visitors' funnel.

    Returns
    -------
    DataFrame
        One row per tool and step::

            tool        step_number  step       ours  by_unit  by_order  by_range  by_window  by_re_entry  ...  theirs
            ga4_closed            1  view_item   430      -36         0         0          0            0  ...     394

        `ours` counts sessions; `by_unit` is the change to visitors with our settings, and so on.
    """
    engine = engine_of(history)
    # What ends a chain of ours belongs to the log as the steps do: without it, chains would go on that the funnel ends.
    named = pd.DataFrame({"name": [*steps, *by_session["exclude"], *by_visitor["exclude"]]}, dtype="string")
    found = {"marks": with_period(engine, history), "steps": named}
    log = engine.create(statement(__file__, "of_steps"), found, name="log")  # counted a dozen times: cut out once
    logs = {False: log, True: engine.view(statement(__file__, "whole_seconds"), {"marks": log})}
    counted: dict[tuple, list[int]] = {}

    def count(settings: Mapping[str, Any]) -> list[int]:
        key = tuple(sorted((name, str(value)) for name, value in settings.items()))
        if key not in counted:
            counted[key] = _counts(logs, steps, settings)
        return counted[key]

    ours = _complete(by_session)
    rows = []
    for tool, theirs in presets.items():
        current = _complete(by_visitor)
        counts = [count(ours), count(current)]
        for reason in REASONS[1:]:
            changed = {
                name: ({"ties": "favour"} | dict(theirs)).get(name, _DEFAULTS[name]) for name in _CHANGED_BY[reason]
            }
            current = current | changed
            counts.append(count(current))
        rows.append(_differences(tool, steps, counts))
    engine.drop(log)
    return pd.concat(rows, ignore_index=True)


_DEFAULTS = {"in_range": "entry", "window": None, "step_window": None, "entry": "best", "ties": "favour"}
_DEFAULTS |= {"tolerance": 0.0, "whole_seconds": False, "order": "sequential", "exclude": []}


def _complete(settings: Mapping[str, Any]) -> dict[str, Any]:
    return {"whole_seconds": False} | dict(settings)


def _counts(logs: Mapping[bool, Table], steps: Sequence[str], settings: Mapping[str, Any]) -> list[int]:
    options = {name: value for name, value in settings.items() if name != "whole_seconds"}
    log = logs[settings["whole_seconds"]]
    rows = reached(log, steps, **options)
    found = log.engine.query(
        "SELECT step, COUNT(*) AS n FROM rows WHERE is_counted GROUP BY step", {"rows": rows}
    ).set_index("step")
    return [int(found.n.get(number, 0)) for number in range(1, len(steps) + 1)]


def _differences(tool: str, steps: Sequence[str], counts: list[list[int]]) -> pd.DataFrame:
    changes = {
        reason: [after - before for before, after in zip(counts[n], counts[n + 1], strict=True)]
        for n, reason in enumerate(REASONS)
    }
    numbers = range(1, len(steps) + 1)
    start = {"tool": tool, "step_number": numbers, "step": list(steps), "ours": counts[0]}
    return pd.DataFrame(start | changes | {"theirs": counts[-1]})
