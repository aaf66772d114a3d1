"""One log counted by the rules of five tools; the parts of each difference add up."""

from __future__ import annotations

import pandas as pd
import pytest
from test_funnel import as_marks, log, random_logs

from conversion_audit.analysis import journey_claims
from conversion_audit.analysis.funnel_steps import options
from conversion_audit.analysis.reconcile import PRESETS, REASONS, reconcile
from conversion_audit.config import Funnel

DAY = 24 * 60


def compared(marks: pd.DataFrame, steps: str) -> pd.DataFrame:
    settings = Funnel().model_dump()
    return reconcile(marks, list(steps), options(settings, "session"), options(settings, "visitor"))


def last_step(events: list[tuple[str, float]], steps: str = "AB") -> pd.DataFrame:
    found = compared(log(events), steps).set_index(["tool", "step"])
    return found.xs(steps[-1], level="step")


def test_the_parts_of_every_difference_add_up():
    found = compared(as_marks(random_logs(300, seed=5)), "ABC")
    assert (found.ours + found[list(REASONS)].sum(axis=1)).tolist() == found.theirs.tolist()
    assert set(found.tool) == set(PRESETS)


def test_a_window_explains_a_late_step():
    found = last_step([("A", 0), ("B", 10 * DAY)])
    assert found.theirs.to_dict() == {"ga4_closed": 1, "mixpanel": 0, "amplitude": 0, "posthog": 1}
    assert found.by_window.to_dict() == {"ga4_closed": 0, "mixpanel": -1, "amplitude": -1, "posthog": 0}


def test_a_second_entry_is_lost_where_only_the_first_counts():
    found = last_step([("A", 0), ("A", 10 * DAY), ("B", 10 * DAY + 60)])
    assert found.theirs.to_dict() == {"ga4_closed": 1, "mixpanel": 0, "amplitude": 1, "posthog": 1}
    assert found.by_re_entry["mixpanel"] == -1


def test_seconds_decide_where_the_order_inside_them_does_not_count():
    near = last_step([("B", 0), ("A", 1 / 60)])
    assert near.theirs.to_dict() == {"ga4_closed": 0, "mixpanel": 1, "amplitude": 0, "posthog": 0}
    within = last_step([("B", 0.001), ("A", 0.002)])
    assert within.theirs.to_dict() == {"ga4_closed": 0, "mixpanel": 1, "amplitude": 1, "posthog": 0}
    assert within.by_ties.to_dict() == {"ga4_closed": 0, "mixpanel": 1, "amplitude": 1, "posthog": 0}


def test_the_unit_explains_visitors_who_come_back():
    marks = log([("A", 0), ("B", DAY)]).assign(session_id=["s1", "s2"])
    found = compared(marks, "AB").query("tool == 'ga4_closed'").set_index("step")
    assert found.ours.to_dict() == {"A": 1, "B": 0}
    assert found.by_unit.to_dict() == {"A": 0, "B": 1}


def test_the_range_explains_steps_after_the_period():
    marks = log([("A", 0), ("B", DAY)]).assign(session_id=["s1", "s2"], in_period=[True, False])
    found = compared(marks, "AB").query("step == 'B'").set_index("tool")
    assert found.theirs.to_dict() == {"ga4_closed": 0, "mixpanel": 1, "amplitude": 1, "posthog": 0}
    assert found.by_range.to_dict() == {"ga4_closed": -1, "mixpanel": 0, "amplitude": 0, "posthog": -1}


@pytest.mark.parametrize("steps", ["A", "AB"])
def test_an_empty_log_counts_nothing(steps):
    found = compared(log([("A", 0)]).iloc[:0], steps)
    assert found.ours.sum() == found.theirs.sum() == 0


def ended() -> pd.DataFrame:
    return pd.concat([log([("A", 0), ("X", 1), ("B", 2)], "s1"), log([("A", 0), ("B", 1)], "s2")], ignore_index=True)


@pytest.mark.parametrize(
    ("marks", "settings", "ours", "by_order", "theirs"),
    [
        (ended(), {"exclude": ["X"]}, 1, 1, 2),
        (log([("B", 0), ("A", 1)]), {"order": "any_order"}, 1, -1, 0),
        (ended(), {"order": "strict"}, 1, 1, 2),
    ],
)
def test_our_own_order_and_what_ends_a_chain_are_a_reason(marks, settings, ours, by_order, theirs):
    asked = Funnel(**settings).model_dump()
    found = reconcile(marks, ["A", "B"], options(asked, "session"), options(asked, "visitor"))
    last = found[found.step == "B"]
    assert last[["ours", "by_order", "theirs"]].to_numpy().tolist() == [[ours, by_order, theirs]] * len(PRESETS)
    assert (last.ours + last[list(REASONS)].sum(axis=1)).tolist() == last.theirs.tolist()


def test_reasons_that_cancel_out_are_told_as_the_same_count():
    one = log([("A", 0), ("B", 1), ("A", 150), ("B", 151)]).assign(session_id=["s1", "s1", "s2", "s2"])
    marks = pd.concat([one, log([("B", 0), ("A", 1 / 60)], "s3")], ignore_index=True)
    found = compared(marks, "AB")
    row = found[(found.tool == "mixpanel") & (found.step == "B")].iloc[0]
    assert (row.ours, row.by_unit, row.by_ties, row.theirs) == (2, -1, 1, 2)
    same = {"tool": "mixpanel", "step": "B", "ours": 2, "theirs": 2}
    assert journey_claims.reconcile_claim(found, "mixpanel") == ("reconcile.same", same)
    assert journey_claims.reconcile_claim(found, "ga4_closed") == (
        "reconcile.headline",
        {"tool": "ga4_closed", "step": "B", "ours": 2, "theirs": 1, "reason": "by_unit", "change": 1},
    )
