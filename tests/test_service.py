"""Everyone who did not come to buy: did they get what they came for?"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from conftest import table
from pandas.testing import assert_frame_equal
from worlds_intent import GOAL, INTENTS, ORDINARY, STEPS, SUCCESS, World, shop

from conversion_audit.analysis import service
from conversion_audit.analysis.intent import session_intents
from conversion_audit.analysis.split import landing_cells, soft_counts, split
from conversion_audit.analysis.statistics import wilson
from conversion_audit.report.wording import claim_of, next_step_of

WANTED = {"returns": ["return_filed"], "support": []}
INTENT_ROWS = """
    session_id  visitor_id  intent   runner_up  class  is_buyer  landing  landing_intent  later   channel
    s1          v1          returns  -          X      0         service  returns         silent  Direct
    s2          v2          returns  -          X      0         service  returns         silent  Direct
    s3          v2          returns  -          X      0         service  returns         silent  Direct
    s4          v3          support  -          X      0         service  support         silent  Direct
    s5          v4          shop     -          C      1         shelf    -               shop    Direct
"""
SESSIONS = """
    session_id  visitor_id  start       pages  seconds  exit_page
    s1          v1          2026-01-01  2      40       /returns
    s2          v2          2026-01-02  6      90       /help
    s3          v2          2026-02-02  4      60       /returns
    s4          v3          2026-01-03  1      5        /help
    s5          v4          2026-04-20  9      300      /thanks
"""
MARKS = """
    session_id  visitor_id  time        name
    s1          v1          2026-01-01  return_filed
    s3          v2          2026-02-02  return_filed
    s5          v4          2026-04-20  purchase
    s9          v1          2026-01-20  purchase
    s8          v2          2026-03-20  purchase
"""


def _read(text: str) -> pd.DataFrame:
    return table(text, session_id="str", visitor_id="str", landing_intent="object", runner_up="object")


def _served() -> pd.DataFrame:
    made = service.served_sessions(_read(INTENT_ROWS), _read(MARKS), _read(SESSIONS), WANTED)
    return made.frame().sort_values("session_id", ignore_index=True)


def test_a_session_is_served_when_its_own_success_is_in_it():
    assert list(_served().session_id) == ["s1", "s2", "s3", "s4"]
    assert list(_served().is_served.fillna(-1)) == [1, 0, 1, -1]  # of support nobody has said what counts as success


def test_without_a_split_the_base_is_what_was_seen_and_says_so():
    intents = _read(INTENT_ROWS)
    fitted = split(landing_cells(intents), INTENTS)
    result = service.service_table(_served(), intents, fitted, INTENTS)
    expected = table(
        """
        intent   sessions  visitors  successes  success_rate  success_pages  failure_seconds  failures
        returns  3         2         2          0.666667      3              90               1
        support  1         1         -          -             -              -                -
        """
    )
    assert_frame_equal(result[expected.columns], expected, check_dtype=False, rtol=1e-4)
    assert set(result["of"]) == {"sessions that showed it"}
    assert service.claim(service.service_rate(result)) == "service.headline_shown"


def test_a_finding_quotes_the_denominator_its_rate_is_of_and_fails_where_it_was_seen_to():
    row = {"intent": "returns", "sessions": 5068, "successes": 1388, "came": 5983.0, "success_rate": 1388 / 5983}
    row |= {"success_low": 0.22, "success_high": 0.24, "failures": 4595.0, "of": service.EXPECTED}
    page = {"intent": "returns", "page": "/returns", "failures": 1579, "all_failures": 3680}
    page |= {"failure_share": 1579 / 3680, "failure_low": 0.41, "failure_high": 0.45}
    back = pd.DataFrame(columns=["intent", "days", "outcome", "visitors"])
    record = service.findings(pd.DataFrame([row]), pd.DataFrame([page]), back)[0].record()
    assert claim_of(record) == (
        "returns: 23% got what they came for (1,388 of 5,983 sessions expected to have come for it, "
        "silent ones included; 22% to 24%)"
    )
    assert "of 3,680\u00a0sessions that showed it and did not get it, 1,579 end there, 43% (41% to 45%)" in (
        next_step_of(record) or ""
    )


def test_the_rate_of_all_counts_only_intents_with_a_success():
    intents = _read(INTENT_ROWS)
    fitted = split(landing_cells(intents), INTENTS)
    rate = service.service_rate(service.service_table(_served(), intents, fitted, INTENTS))
    assert (rate["intents"], rate["successes"], rate["came"], round(rate["rate"], 3)) == (["returns"], 2, 3.0, 0.667)


def test_success_rates_allow_for_repeated_visits():
    served, intents = _served().assign(visitor_id=["v1", "v2", "v3", "v4"]), _read(INTENT_ROWS)
    fitted = split(landing_cells(intents), INTENTS)
    found = []
    for rows in (served, pd.concat([served, served.assign(session_id=served.session_id + " again")])):
        made = service.service_table(rows, intents, fitted, INTENTS)
        rate = service.service_rate(made)
        found.append([rate["low"], rate["high"], *made.loc[0, ["success_low", "success_high"]]])
    assert found[1] == pytest.approx(found[0])


def test_failures_are_placed_on_the_page_where_the_session_ended():
    expected = table(
        """
        intent   page   failures  sessions  all_failures  failure_share
        returns  /help  1         1         1             1.0
        """
    )
    assert_frame_equal(service.failure_pages(_served())[expected.columns], expected, check_dtype=False)


def test_the_share_of_failures_on_a_page_allows_for_visitors_who_fail_again_and_again():
    served = pd.DataFrame({"n": range(400)}).assign(person=lambda t: t.n // 4)
    served = served.assign(
        intent="returns", visitor_id="v" + served.person.astype(str), is_served=0,
        exit_page=np.where(served.person < 30, "/returns", "/help"),
    )  # fmt: skip
    first, second = service.failure_pages(served).itertuples()
    assert (first.page, first.failures, second.failures, first.all_failures) == ("/help", 280, 120, 400)
    assert (second.failure_low, second.failure_high) == pytest.approx([float(x) for x in wilson(30, 100)])


def test_where_no_success_is_declared_nobody_is_said_to_have_failed():
    intents = _read(INTENT_ROWS)
    fitted = split(landing_cells(intents), INTENTS)
    served = service.served_sessions(intents, _read(MARKS), _read(SESSIONS), {"returns": [], "support": []})
    made, pages = service.service_table(served, intents, fitted, INTENTS), service.failure_pages(served)
    assert made[["successes", "failures", "failure_seconds"]].isna().all().all() and not len(pages)
    assert service.failure_claim(pages, made) == ("service.failures_unknown", {})


def test_visitors_are_followed_from_their_first_session_and_only_as_far_as_the_export_reaches():
    result = service.come_back(_served(), _read(MARKS), _read(SESSIONS), GOAL, days=(30, 90, 200))
    expected = table(
        """
        intent   days  visitors  came_back  outcome
        returns  30    1         1          served
        returns  30    1         0          not_served
        returns  90    1         1          served
        returns  90    1         1          not_served
        """
    ).replace("not_served", "not served")
    assert_frame_equal(result[expected.columns], expected, check_dtype=False)


def test_what_is_bought_in_the_session_of_the_intent_itself_is_no_coming_back():
    at_once = pd.concat(
        [_read(MARKS), _read(MARKS).tail(1).assign(session_id="s2", time=pd.Timestamp("2026-01-02 00:10"))]
    )
    result = service.come_back(_served(), at_once, _read(SESSIONS), GOAL, days=(30,))
    assert result.set_index("outcome").came_back.to_dict() == {"served": 1, "not served": 0}


def test_no_session_of_an_intent_gives_empty_tables():
    empty = _served().head(0)
    intents = _read(INTENT_ROWS).head(0)
    fitted = split(landing_cells(intents), INTENTS)
    made = service.service_table(empty, intents, fitted, INTENTS)
    assert len(made) == 0
    assert pd.isna(service.service_rate(made)["rate"])
    assert (
        service.findings(
            made, service.failure_pages(empty), service.come_back(empty, _read(MARKS), _read(SESSIONS), GOAL)
        )
        == []
    )


def test_inputs_are_left_unchanged():
    intents, marks, sessions = _read(INTENT_ROWS), _read(MARKS), _read(SESSIONS)
    before = intents.copy(), marks.copy(), sessions.copy()
    service.served_sessions(intents, marks, sessions, WANTED)
    for left, right in zip((intents, marks, sessions), before, strict=True):
        assert_frame_equal(left, right)


def _measured(world: World, seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    marks, sessions, truth = shop(world, seed)
    sessions = sessions.assign(exit_page=sessions.landing_page)
    intents = session_intents(marks, sessions, STEPS, GOAL, INTENTS)
    fitted = split(landing_cells(intents), INTENTS)
    success = {name: [done] for name, done in SUCCESS.items()}
    made = service.service_table(service.served_sessions(intents, marks, sessions, success), intents, fitted, INTENTS)
    done = truth.session_id.isin(marks[marks.name.isin(SUCCESS.values())].session_id)
    assert soft_counts(landing_cells(intents), fitted).sum() == pytest.approx((~truth.can_buy).sum(), rel=0.05)
    real = pd.DataFrame({"done": done, "came": 1}).groupby(truth.purpose).sum().loc[list(SUCCESS)]
    return made.set_index("intent"), real.assign(rate=real.done / real.came)


def test_success_over_the_soft_count_is_near_the_truth_and_over_the_label_too_high():
    made, truth = _measured(World(sessions=16_000), 3)
    total = truth.done.sum() / truth.came.sum()
    assert made.success_rate.tolist() == pytest.approx((made.successes / made.came).tolist())
    assert made.successes.sum() / made.soft_sessions.sum() == pytest.approx(total, rel=0.08)
    assert made.successes.sum() / made.sessions.sum() > 1.1 * total


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(10))
def test_success_rates_are_within_five_percent_of_the_truth(seed):
    made, truth = _measured(ORDINARY, seed)
    for intent in SUCCESS:
        assert made.success_rate[intent] == pytest.approx(truth.rate[intent], rel=0.06)
