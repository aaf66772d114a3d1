"""Content and calls to action: what those who reached the goal met, compared with like visitors who did not."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from conversion_audit.analysis.goes_with import goes_with
from conversion_audit.engine import AnyTable, engine_of, statement

CALLS_TO_ACTION = ("select_promotion", "select_content", "cta_click", "click_to_call", "file_download", "video_start")


def content(
    events: AnyTable,
    marks: AnyTable,
    sessions: AnyTable,
    reached: AnyTable,
    steps: Sequence[str],
    *,
    ctas: Sequence[str] = CALLS_TO_ACTION,
) -> pd.DataFrame:
    """
    Compare sessions that met a content or call to action with like sessions that did not.

    Parameters
    ----------
    events, marks, sessions : table
        Of the period.
    reached : table
        From `funnel.reached` for sessions.
    steps : sequence of str
        The journey, the goal last.
    ctas : sequence of str
        Events that are calls to action; telephone, mail and outbound links are told by their address.

    Returns
    -------
    DataFrame
        As `goes_with`, with `kind` (cta or page) and `name` (the event, telephone, mail, outbound; or the page type).
        Kinds of page that the journey itself leads over say little: those who went on had to see them.
    """
    engine = engine_of(events, marks)
    asked = pd.DataFrame({"event": list(ctas)}, dtype="string")
    met = engine.create(statement(__file__, "content"), {"events": events, "ctas": asked}, name="content")
    names = engine.query("SELECT DISTINCT name FROM met ORDER BY name", {"met": met}).name
    table = goes_with(events, met, sessions, reached, steps, list(names))
    engine.drop(met)
    parts = table.name.astype(str).str.split(":", n=1)
    table.insert(0, "kind", parts.str[0])
    return table.assign(name=parts.str[1])
