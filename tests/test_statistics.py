"""Estimators against published numbers."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversion_audit.analysis import statistics

Y = np.array([81, 15, 0, 1])
N = np.array([263, 148, 20, 29])

BERKELEY_MEN = np.array([[512, 825], [353, 560], [120, 325], [138, 417], [53, 191], [22, 373]])
BERKELEY_WOMEN = np.array([[89, 108], [17, 25], [202, 593], [131, 375], [94, 393], [24, 341]])


def test_wilson_gives_newcombes_table():
    low, high = statistics.wilson(Y, N)
    assert low == pytest.approx([0.2553, 0.0624, 0, 0.0061], abs=5e-5)
    assert high == pytest.approx([0.3662, 0.1605, 0.1611, 0.1718], abs=5e-5)


def test_clopper_pearson_gives_newcombes_table():
    low, high = statistics.clopper_pearson(Y, N)
    assert low == pytest.approx([0.2527, 0.0578, 0, 0.0009], abs=5e-5)
    assert high == pytest.approx([0.3676, 0.1617, 0.1684, 0.1776], abs=5e-5)


def test_jeffreys_gives_known_intervals():
    low, high = statistics.jeffreys([0, 1], [20, 29])
    assert low == pytest.approx([0, 0.0037], abs=5e-5)
    assert high == pytest.approx([0.1166, 0.1501], abs=5e-5)


@pytest.mark.parametrize("interval", [statistics.wilson, statistics.clopper_pearson, statistics.jeffreys])
def test_a_rate_without_trials_is_unknown_and_a_full_one_ends_at_one(interval):
    low, high = interval([0, 5], [0, 5])
    assert np.isnan(low[0]) and np.isnan(high[0])
    assert high[1] == 1 and 0 < low[1] < 1


@given(st.integers(0, 200), st.integers(1, 200))
def test_wilson_holds_the_rate_and_stays_within_zero_and_one(successes, trials):
    successes = min(successes, trials)
    low, high = statistics.wilson(successes, trials)
    assert 0 <= low <= successes / trials <= high <= 1


def test_newcombe_gives_the_published_difference():
    low, high = statistics.newcombe(56, 70, 48, 80)
    assert (float(low), float(high)) == pytest.approx((0.0524, 0.3339), abs=5e-5)


def test_bh_passes_four_of_the_fifteen_published_p_values():
    p = [0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344]
    p += [0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1]
    passed, adjusted = statistics.bh(p, 0.05)
    assert passed.sum() == 4 and passed[:4].all()
    assert adjusted[3] == pytest.approx(0.035625)


def test_bh_keeps_the_order_given_and_leaves_missing_values_out():
    passed, adjusted = statistics.bh([0.9, np.nan, 0.001], 0.05)
    assert passed.tolist() == [False, False, True]
    assert adjusted[2] == pytest.approx(0.002) and np.isnan(adjusted[1])


def test_bh_of_nothing_is_nothing():
    passed, adjusted = statistics.bh([])
    assert len(passed) == len(adjusted) == 0


def test_berkeley_turns_round_within_departments():
    men, women = BERKELEY_MEN, BERKELEY_WOMEN
    assert men[:, 0].sum() / men[:, 1].sum() == pytest.approx(0.4452, abs=5e-5)
    assert women[:, 0].sum() / women[:, 1].sum() == pytest.approx(0.3035, abs=5e-5)
    everyone = men[:, 1] + women[:, 1]
    assert statistics.standardised(men[:, 0], men[:, 1], everyone) == pytest.approx(0.3873, abs=5e-5)
    assert statistics.standardised(women[:, 0], women[:, 1], everyone) == pytest.approx(0.4300, abs=5e-5)


def test_mantel_haenszel_gives_berkeleys_odds_ratio():
    men, women = BERKELEY_MEN, BERKELEY_WOMEN
    tables = [[[m, mn - m], [w, wn - w]] for (m, mn), (w, wn) in zip(men, women, strict=True)]
    found = statistics.mantel_haenszel(tables)
    assert found.odds_ratio == pytest.approx(0.90470, abs=5e-6)
    assert (found.low, found.high) == pytest.approx((0.772, 1.060), abs=5e-4)
    assert found.statistic == pytest.approx(1.5246, abs=5e-5)
    assert found.statistic_corrected == pytest.approx(1.4269, abs=5e-5)
    assert found.breslow_day == pytest.approx(18.826, abs=5e-4)


def test_half_a_success_gives_none_the_spread_of_jeffreys():
    random = np.random.default_rng(4)
    draws = np.zeros((20_000, 2)), random.poisson([6.0, 14.0], (20_000, 2)).astype(float)
    successes, trials = statistics.with_half(*draws, np.array([6.0, 14.0]), random)
    rate = successes.sum(1) / trials.sum(1)
    assert np.quantile(rate, 0.975) == pytest.approx(float(statistics.jeffreys(0, 20)[1]), rel=0.2)
    assert (successes[:, 1] / successes[:, 0]).round(6).tolist() == [round(14 / 6, 6)] * 20_000


def test_kitagawa_takes_berkeley_apart_exactly():
    men, women = BERKELEY_MEN, BERKELEY_WOMEN
    parts = statistics.kitagawa(men[:, 0], men[:, 1], women[:, 0], women[:, 1])
    assert parts == pytest.approx((0.141645, 0.177674, -0.036028), abs=5e-7)
    assert parts.mix + parts.rate == pytest.approx(parts.gap, abs=1e-15)


def test_kitagawa_counts_a_cell_of_one_side_as_mix():
    parts = statistics.kitagawa([10, 5], [100, 10], [10, 0], [100, 0])
    assert parts.rate == pytest.approx(0)
    assert parts.gap == pytest.approx(15 / 110 - 0.1)


def test_oaxaca_gives_the_published_parts():
    import statsmodels.api as sm

    cards = sm.datasets.ccard.load_pandas().data
    parts = statistics.oaxaca(cards, "AVGEXP", "OWNRENT", ["AGE", "INCOME", "INCOMESQ"])
    assert parts == pytest.approx((158.75044, 130.80954, 27.94091), abs=5e-6)


SIX_MP = [6, 6, 6, 6, 7, 9, 10, 10, 11, 13, 16, 17, 19, 20, 22, 23, 25, 32, 32, 34, 35]
SIX_MP_SEEN = [1, 1, 1, 0, 1, 0, 1, 0, 0, 1, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0]
PLACEBO = [1, 1, 2, 2, 3, 4, 4, 5, 5, 8, 8, 8, 8, 11, 11, 12, 12, 15, 17, 22, 23]


def test_kaplan_meier_gives_freireichs_curve():
    curve = statistics.kaplan_meier(SIX_MP, SIX_MP_SEEN)
    assert curve.time.tolist() == [6, 7, 10, 13, 16, 22, 23]
    assert curve.survival_rate.tolist() == pytest.approx(
        [0.8571, 0.8067, 0.7529, 0.6902, 0.6275, 0.5378, 0.4482], abs=5e-5
    )
    assert statistics.median_time(SIX_MP, SIX_MP_SEEN) == 23
    assert statistics.median_time(PLACEBO, [1] * 21) == 8


def test_logrank_gives_freireichs_test():
    found = statistics.logrank(SIX_MP, SIX_MP_SEEN, PLACEBO, [1] * 21)
    assert found.statistic == pytest.approx(16.793, abs=5e-4)
    assert found.p_value == pytest.approx(4.17e-5, rel=2e-3)


def test_a_wait_that_never_ends_has_no_median():
    assert np.isnan(statistics.median_time([1, 2, 3], [False, False, False]))
    assert statistics.kaplan_meier([], []).empty


def test_cumulative_incidence_adds_up_to_one_where_nobody_is_censored():
    table = statistics.cumulative_incidence([1, 2, 2, 3], [1, 2, 1, 1])
    assert table.next_rate.iloc[-1] + table.exit_rate.iloc[-1] == pytest.approx(1)
    assert table.next_rate.tolist() == pytest.approx([0.25, 0.5, 0.75])


def test_sample_size_prints_which_formula_it_used():
    assert statistics.sample_size(0.20, 0.05) == pytest.approx(1030.2, abs=0.05)
    assert statistics.sample_size(0.20, -0.05) == pytest.approx(973.4, abs=0.05)
    assert statistics.sample_size(0.20, 0.05, formula="arcsine") == pytest.approx(1091.9, abs=0.05)
    sizes = [statistics.sample_size(p, d, formula="arcsine") for p, d in [(0.10, 0.02), (0.03, 0.006), (0.05, 0.01)]]
    assert sizes == pytest.approx([3834.6, 13886.5, 8142.6], abs=0.1)


def test_minimum_effect_is_the_inverse_of_sample_size():
    assert statistics.minimum_effect(0.20, 1030.2) == pytest.approx(0.05, abs=1e-5)
    assert np.isnan(statistics.minimum_effect(0.20, 2))
    assert statistics.sample_size(0.2, 0) == float("inf")
    assert np.isnan(statistics.sample_size(0.99, 0.02))


def test_cusum_signals_where_the_handbook_does():
    values = [324.925, 324.675, 324.725, 324.350, 325.350, 325.225, 324.125, 324.525, 325.225, 324.600]
    values += [324.625, 325.150, 328.325, 327.250, 327.825, 328.500, 326.675, 327.775, 326.875, 328.350]
    table = statistics.cusum(values, 325, 0.3175, 4.1959)
    expected = [3.01, 4.94, 7.45, 10.63, 11.99, 14.44, 16.00, 19.04]
    assert table.upper.tail(8).tolist() == pytest.approx(expected, abs=0.006)
    assert table.is_signal.idxmax() == 13


def test_cusum_passes_over_a_missing_value():
    table = statistics.cusum([1, np.nan, 1], 0, 0, 10)
    assert table.upper.tolist() == [1, 1, 2]


def test_james_stein_pulls_the_eighteen_batters():
    hits = np.array([18, 17, 16, 15, 14, 14, 13, 12, 11, 11, 10, 10, 10, 10, 10, 9, 8, 7])
    mean = hits.mean() / 45
    pulled, factor = statistics.james_stein(hits / 45, mean * (1 - mean) / 45)
    assert mean == pytest.approx(0.2654, abs=5e-5)
    assert factor == pytest.approx(0.2117, abs=5e-4)
    assert pulled[0] == pytest.approx(0.294, abs=5e-4)


def test_shrunken_rates_use_the_prior_given():
    table = statistics.shrunken_rates([4, 300], [10, 1000], prior=(78.661, 224.875))
    assert table.shrunken_rate.tolist() == pytest.approx([0.2636, 0.2905], abs=5e-5)
    assert (table.shrunken_low < table.shrunken_rate).all() and (table.shrunken_rate < table.shrunken_high).all()


def test_beta_prior_finds_the_distribution_it_was_drawn_from():
    random = np.random.default_rng(5)
    trials = random.integers(50, 400, 800)
    rates = random.beta(20, 60, 800)
    a, b = statistics.beta_prior(random.binomial(trials, rates), trials)
    assert a / (a + b) == pytest.approx(0.25, abs=0.01)
    assert a + b == pytest.approx(80, rel=0.2)


def test_cluster_se_is_the_one_of_statsmodels():
    import statsmodels.api as sm

    random = np.random.default_rng(0)
    groups = random.integers(0, 200, 1000)
    values = random.random(1000) + 0.3 * (groups % 5)
    fitted = sm.OLS(values, np.ones(1000)).fit(cov_type="cluster", cov_kwds={"groups": groups, "use_correction": False})
    count = len(np.unique(groups))
    expected = fitted.bse[0] * np.sqrt(count / (count - 1))
    assert statistics.cluster_se(values, groups) == pytest.approx(expected, abs=1e-15)
    assert statistics.ratio_se(values, np.ones(1000), groups) == pytest.approx(expected, abs=1e-15)
    assert np.isnan(statistics.cluster_se([1, 2], ["a", "a"]))


def test_design_effect_is_one_where_nobody_comes_back():
    assert statistics.design_effect([1, -1, 0.5], ["a", "b", "c"]) == 1
    assert statistics.design_effect([1, 1, -1, -1], ["a", "a", "b", "b"]) == 2


def test_rogan_gladen_undoes_misreading():
    assert statistics.rogan_gladen(0.30, 0.9, 0.8) == pytest.approx(0.142857, abs=5e-7)
    assert statistics.rogan_gladen(0.05, 0.9, 0.8) == 0
    assert np.isnan(statistics.rogan_gladen(0.3, 0.5, 0.5))


def test_imbens_manski_lies_between_the_one_and_the_two_sided_interval():
    assert statistics.imbens_manski(0.5, 0.5, 0.1, 0.1) == pytest.approx((0.304, 0.696), abs=5e-4)
    assert statistics.imbens_manski(0, 1, 0.01, 0.01) == pytest.approx((-0.01645, 1.01645), abs=5e-5)
    with pytest.raises(ValueError, match=r"^lower bound 2 lies above upper bound 1$"):
        statistics.imbens_manski(2, 1, 0.1, 0.1)


def test_e_value_of_a_risk_ratio():
    assert statistics.e_value(2) == pytest.approx(2 + np.sqrt(2))
    assert statistics.e_value(0.5) == statistics.e_value(2)
    assert statistics.e_value(1) == 1
    assert np.isnan(statistics.e_value(0))


def test_true_rate_bounds_are_plain_algebra():
    orders, capable, ambiguous, other = 300, 6000, 3000, 1000
    assert orders / (capable + ambiguous + other) == pytest.approx(0.03)
    assert orders / (capable + ambiguous) == pytest.approx(0.03333, abs=5e-6)
    assert orders / capable == pytest.approx(0.05)


def test_series_go_in_as_well_as_arrays():
    frame = pd.DataFrame({"y": [1, 2], "n": [10, 20]})
    low, _ = statistics.wilson(frame.y, frame.n)
    assert low.shape == (2,)
