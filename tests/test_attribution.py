"""Attribution: published and recomputed answers, and the laws every rule keeps."""

from __future__ import annotations

from itertools import combinations
from math import factorial

import numpy as np
import pandas as pd
import pytest
from conftest import table
from pandas.testing import assert_frame_equal

from conversion_audit.analysis.attribution import WEIGHTS, attribution, markov, side_by_side, touches
from conversion_audit.analysis.journey_claims import attribution_claim


def paths(*walks: tuple[str, float], revenue: float = 10.0) -> pd.DataFrame:
    """Return touches of walks like ("A>B", 1): channels and goals; the last visit is the goal's."""
    rows = [
        (n, position, channel, float(len(walk.split(">")) - position), goals, goals * revenue)
        for n, (walk, goals) in enumerate(walks, 1)
        for position, channel in enumerate(walk.split(">"), 1)
    ]
    return pd.DataFrame(rows, columns=["path", "position", "channel", "age_days", "conversions", "revenue"])


def credit(walks: pd.DataFrame, rule: str) -> dict[str, float]:
    found = attribution(walks)
    return found[found.rule == rule].set_index("channel").credit.round(10).to_dict()


K12 = paths(("C1>C2>C3", 1.0), ("C1", 0.0), ("C2>C3", 0.0))
K13 = paths(("A>B>A>B>B>A", 1.0), ("A>B>B>A>A", 1.0), ("A>A", 1.0))
K14 = paths(("g", 1.0), ("g", 1.0), ("m", 1.0), ("g>m", 1.0), ("g", 0.0))


def test_markov_of_three_channels_in_a_row():
    assert markov(K12).removal_effect.round(10).to_dict() == {"C1": 0.5, "C2": 1.0, "C3": 1.0}
    assert credit(K12, "markov") == {"C2": 0.4, "C3": 0.4, "C1": 0.2}


def test_markov_where_all_paths_reach_the_goal():
    assert markov(K13).removal_effect.round(10).to_dict() == {"A": 1.0, "B": 0.5}
    assert credit(K13, "markov") == {"A": 2.0, "B": 1.0}


def test_markov_of_two_channels():
    assert markov(K14).removal_effect.round(10).to_dict() == {"g": 0.75, "m": 0.5}
    assert credit(K14, "markov") == {"g": 2.4, "m": 1.6}


def test_first_last_and_linear_touch():
    assert credit(K13, "first_touch") == {"A": 3.0, "B": 0.0}
    assert credit(K13, "last_touch") == {"A": 3.0, "B": 0.0}
    assert credit(K13, "linear") == {"A": 2.1, "B": 0.9}


SHARES = {"F": 0.20, "O": 0.10, "L": 0.17, "F>O": 0.17, "F>L": 0.30, "O>L": 0.0, "F>O>L": 0.06}


def test_shapley_of_three_channels():
    assert credit(paths(*SHARES.items()), "shapley") == {"F": 0.455, "L": 0.340, "O": 0.205}


def test_shapley_is_what_its_definition_says():
    channels = ["F", "O", "L"]
    worth = {frozenset(walk.split(">")): share for walk, share in SHARES.items()}

    def value(members) -> float:
        return sum(share for walked, share in worth.items() if walked <= set(members))

    for channel in channels:
        others = [c for c in channels if c != channel]
        gains = [
            factorial(len(s)) * factorial(2 - len(s)) / factorial(3) * (value([*s, channel]) - value(s))
            for n in range(3)
            for s in combinations(others, n)
        ]
        assert credit(paths(*SHARES.items()), "shapley")[channel] == pytest.approx(sum(gains))


def test_last_non_direct_skips_direct_visits_unless_there_is_nothing_else():
    assert credit(paths(("Email>Direct>Direct", 1.0), ("Direct>Direct", 1.0)), "last_non_direct") == {
        "Direct": 1.0,
        "Email": 1.0,
    }


def test_position_gives_forty_twenty_forty():
    assert credit(paths(("A>B>C>D", 1.0)), "position") == {"A": 0.4, "B": 0.1, "C": 0.1, "D": 0.4}
    assert credit(paths(("A>B", 1.0), ("C", 1.0)), "position") == {"C": 1.0, "A": 0.5, "B": 0.5}


def test_time_decay_halves_in_seven_days():
    walks = paths(("A>B", 1.0)).assign(age_days=[7.0, 0.0])
    assert credit(walks, "time_decay") == {"A": round(1 / 3, 10), "B": round(2 / 3, 10)}


def random_paths(seed: int) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    walks = [
        (">".join(random.choice(["A", "B", "C", "Direct"], random.integers(1, 6))), float(random.integers(0, 3)))
        for _ in range(40)
    ]
    return paths(*walks, ("A", 1.0), revenue=12.34)


@pytest.mark.parametrize("seed", range(10))
def test_credits_add_up_to_goals_and_revenue_under_every_rule(seed):
    walks = random_paths(seed)
    total = walks.drop_duplicates("path")
    sums = attribution(walks).groupby("rule")[["credit", "revenue", "credit_share"]].sum()
    assert set(sums.index) == {*WEIGHTS, "markov"}
    assert sums.credit.to_numpy() == pytest.approx(total.conversions.sum(), abs=1e-9)
    assert sums.revenue.to_numpy() == pytest.approx(total.revenue.sum(), abs=1e-7)
    assert sums.credit_share.to_numpy() == pytest.approx(1.0, abs=1e-12)


def test_names_of_channels_do_not_matter():
    walks = random_paths(1)
    renamed = walks.assign(channel=walks.channel.map({"A": "Z", "B": "Y", "C": "X", "Direct": "Direct"}))
    for rule in (*WEIGHTS, "markov"):
        mine, theirs = credit(walks, rule), credit(renamed, rule)
        assert {theirs["Z"], theirs["Y"], theirs["X"]} == {mine["A"], mine["B"], mine["C"]}


def test_a_single_channel_gets_all():
    found = attribution(paths(("A>A", 1.0), ("A", 2.0), ("A", 0.0)))
    assert found.credit.tolist() == [3.0] * 8
    assert found.revenue.tolist() == [30.0] * 8


def test_without_goals_there_is_no_share():
    found = attribution(paths(("A>B", 0.0)))
    assert found.credit.sum() == 0
    assert found.credit_share.isna().all()
    assert side_by_side(found).channel.tolist() == ["A", "B"]
    nothing = attribution(paths(("A", 0.0)).iloc[:0])
    assert len(nothing) == 0
    assert side_by_side(nothing).columns.tolist() == ["channel", "first_touch", "last_non_direct", "linear", "markov"]


def test_the_touches_are_left_as_they_were():
    before = K13.copy()
    attribution(K13)
    assert_frame_equal(before, K13)


SESSIONS = """
session_id visitor_id start               channel in_period
s1         v1         2026-03-01T10:00:00 Email   False
s2         v1         2026-03-03T10:00:00 Direct  True
s3         v1         2026-03-04T10:00:00 Search  True
s4         v2         2026-03-04T10:00:00 Search  True
s0         v1         2026-01-01T10:00:00 Affil   False
"""
MARKS = """
session_id name
s2         buy
s1         view
"""
ORDERS = """
session_id revenue goal
s2         20      buy
s2         5       buy
s3         7       rent
"""


def test_a_path_runs_from_one_goal_to_the_next_within_the_window():
    found = touches(table(SESSIONS), table(MARKS), table(ORDERS), "buy", in_orders=True)
    assert found[["path", "position", "channel", "age_days", "conversions", "revenue"]].to_numpy().tolist() == [
        [1, 1, "Email", 2.0, 2.0, 25.0],
        [1, 2, "Direct", 0.0, 2.0, 25.0],
        [2, 1, "Search", 0.0, 0.0, 0.0],
        [3, 1, "Search", 0.0, 0.0, 0.0],
    ]
    wide = side_by_side(attribution(found))
    assert wide.set_index("channel").first_touch.to_dict() == {"Direct": 0.0, "Email": 2.0, "Search": 0.0}


def test_a_goal_that_is_no_order_is_credited_with_no_other_goals_revenue():
    found = attribution(touches(table(SESSIONS), table(MARKS), table(ORDERS), "buy"))
    assert found.groupby("rule").credit.sum().tolist() == pytest.approx([1.0] * 8)
    assert found.revenue.isna().all()


def test_rules_that_agree_are_said_to():
    assert attribution_claim(attribution(paths(("Email", 2.0), ("Social", 2.0)))) == ("attribution.alike", {})
    assert attribution_claim(attribution(paths(("Email", 2.0)))) == ("attribution.one", {"channel": "Email"})
    unknown = attribution_claim(attribution(paths(("(not set)", 2.0))))
    assert unknown[0] == "goals.channels_unknown", "what no channel names agrees with nothing"
    assert attribution_claim(attribution(K13))[0] == "attribution.headline"
    assert attribution_claim(attribution(paths(("Email", 0.0)))) == ("attribution.none", {})
