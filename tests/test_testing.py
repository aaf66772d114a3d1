"""How we will know: published sample sizes, and an answer where there is too little traffic."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from conversion_audit.analysis import plan_claims, testing
from conversion_audit.analysis.statistics import minimum_effect, sample_size


def planned(**more) -> pd.DataFrame:
    row = {"finding": "F-aaaa", "step": "checkout", "segment": "{}", "rate": 0.2, "target_rate": 0.25,
           "sessions_at_risk": 12_000, "visitors_at_risk": 10_300, "days": 70, "is_over": False}  # fmt: skip
    return pd.DataFrame([row | more])


def test_sample_sizes_are_those_of_the_published_calculators():
    assert sample_size(0.20, 0.05) == pytest.approx(1030.2, abs=0.1)
    assert sample_size(0.20, -0.05) == pytest.approx(973.4, abs=0.1)
    assert sample_size(0.20, 0.05, formula="arcsine") == pytest.approx(1091.9, abs=0.1)
    assert sample_size(0.10, 0.02, formula="arcsine") == pytest.approx(3834.6, abs=0.1)
    assert sample_size(0.03, 0.006, formula="arcsine") == pytest.approx(13_886.5, abs=0.5)
    assert sample_size(0.05, 0.01, formula="arcsine") == pytest.approx(8142.6, abs=0.1)


def test_a_task_gets_its_test_in_visitors_and_weeks():
    found = testing.design_table(planned()).iloc[0]
    assert (found.per_arm, found.per_arm_arcsine) == (1031, 1092)
    assert found.visitors_a_week == 1030
    assert (found.weeks, found.design) == (3, "split test")
    assert found.smallest_points == pytest.approx(minimum_effect(0.2, 4120))


def test_the_same_visitor_twice_makes_the_test_longer():
    plain = testing.design_table(planned()).iloc[0]
    shared = testing.design_table(planned(), inflation=1.2).iloc[0]
    assert shared.per_arm == pytest.approx(1.2 * plain.per_arm, rel=0.01)


@pytest.mark.parametrize(
    ("visitors", "design"), [(10_300, "split test"), (1_500, "before and after"), (150, "too few")]
)
def test_too_little_traffic_is_said_with_what_to_do_then(visitors, design):
    assert testing.design_table(planned(visitors_at_risk=visitors)).design[0] == design


def test_a_task_without_rate_or_target_has_no_test():
    for more in ({"rate": np.nan}, {"target_rate": 0.1}, {"visitors_at_risk": 0}, {"visitors_at_risk": None}):
        row = testing.design_table(planned(**more)).iloc[0]
        assert row.design == "no rate" and np.isnan(row.per_arm)
    assert plan_claims.tests_headline(testing.design_table(planned(rate=np.nan))) == ("testing.headline_none", {})


def test_a_task_of_totals_has_no_sessions_and_no_test():
    both = pd.concat([planned(), planned(visitors_at_risk=None)], ignore_index=True)
    assert testing.design_table(both).design.tolist() == [testing.TEST, testing.NO_RATE]


def test_an_incident_has_the_traffic_of_its_own_days():
    row = testing.design_table(planned(days=7, visitors_at_risk=700)).iloc[0]
    assert row.visitors_a_week == 700


def test_what_is_over_is_not_tested():
    assert testing.design_table(pd.concat([planned(is_over=True), planned(finding="F-bbbb")])).finding.tolist() == [
        "F-bbbb"
    ]


def test_before_and_after_pays_for_its_siblings():
    alone = testing.before_after_effect(0.2, 1000, 1000, 0)
    beside = testing.before_after_effect(0.2, 1000, 1000, 5000)
    assert alone == pytest.approx((1.959964 + 0.841621) * np.sqrt(0.16 * 2 / 1000), rel=1e-5)
    assert beside > alone
    assert np.isnan(testing.before_after_effect(0.0, 10, 10, 0))


def test_no_plan_no_tests():
    assert len(testing.design_table(planned().iloc[:0])) == 0


def test_the_sentence_counts_what_can_be_tested():
    both = pd.concat([planned(), planned(visitors_at_risk=150)], ignore_index=True)
    key, record = plan_claims.tests_headline(testing.design_table(both))
    assert (key, record) == ("testing.headline", {"tests": 1, "others": 1, "weeks": 8})
