"""Personal treatment: pairs beyond chance, the moment to speak up, the day to offer."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from conversion_audit.analysis import plan_claims, treatment, treatment_groups
from conversion_audit.analysis.statistics import clopper_pearson


def views(baskets: list[list[str]]) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Items, events and marks of sessions that viewed these products."""
    rows = [(f"s{n}", m, item, f"e{n}-{m}") for n, basket in enumerate(baskets) for m, item in enumerate(basket, 1)]
    frame = pd.DataFrame(rows, columns=["session_id", "event_number", "item_id", "event_id"])
    events = frame[["session_id", "event_number", "event_id"]].assign(currency="EUR")
    marks = frame[["session_id", "event_number"]].assign(name="product_view")
    items = frame[["event_id", "item_id"]].assign(name="Product " + frame.item_id, price=20.0)
    return items, events, marks


def test_products_that_go_together_are_recommended_with_lift_and_range():
    baskets = [["tent", "pegs"]] * 40 + [["tent"]] * 10 + [["shoes"]] * 200 + [["pegs"]] * 10
    found = treatment.recommendations(*views(baskets), "product_view")
    assert found[["item_id", "with_item_id", "together", "baskets"]].to_dict("records") == [
        {"item_id": "pegs", "with_item_id": "tent", "together": 40, "baskets": 50},
        {"item_id": "tent", "with_item_id": "pegs", "together": 40, "baskets": 50},
    ]
    first = found.iloc[0]
    assert first.lift == pytest.approx((40 / 50) / (50 / 260))
    assert 1 < first.lift_low < first.lift < first.lift_high
    assert found.pairs.tolist() == [6, 6]  # three products, each with each, whether they met or not
    low, _ = clopper_pearson(40, 50, 1 - 0.05 / 6)
    assert first.lift_low == pytest.approx(low / (50 / 260))
    assert first.with_name == "Product tent"
    assert first.without_it == 10 and np.isnan(
        first.one_in_twenty_value
    )  # priced in another currency than the client's
    priced = treatment.recommendations(*views(baskets), "product_view", currency="EUR")
    assert priced.one_in_twenty_value.tolist() == [0.05 * 10 * 20.0] * 2


def test_products_that_meet_by_chance_are_not_recommended():
    random = np.random.default_rng(1)
    baskets = [[str(one) for one in sorted(set(random.integers(0, 12, 3)))] for _ in range(1500)]
    assert len(treatment.recommendations(*views(baskets), "product_view")) <= 1


def test_of_many_products_none_surely_goes_with_another_by_chance():
    for seed in range(3):
        random = np.random.default_rng(seed)
        session, item = np.nonzero(random.random((6000, 300)) < random.uniform(0.004, 0.016, 300))
        held = pd.DataFrame({"session_id": session.astype(str), "item_id": item.astype(str)}).astype("string")
        words = pd.DataFrame({"name": "n", "price": 1.0}, index=[str(one) for one in range(300)])
        assert treatment.companions(held, words).empty


def test_rare_products_and_none_at_all_give_no_pair():
    assert treatment.recommendations(*views([["a", "b"]] * 5), "product_view").empty
    assert treatment.recommendations(*views([["a", "b"]] * 30), "another_name").empty


def waits(rows: list[tuple[int, int, int]]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["seconds", "ending", "sessions"])


def test_the_moment_is_where_leaving_overtakes_going_on_for_good():
    rows = [(second, 1, 9 if second < 60 else 1) for second in range(120)]
    rows += [(second, 2, 1 if second < 60 else 9) for second in range(120)]
    assert treatment.overtaking(waits(rows)) == pytest.approx(60, abs=3)


def test_where_going_on_always_leads_there_is_no_moment():
    assert np.isnan(treatment.overtaking(waits([(s, e, 6 if e == 1 else 2) for s in range(50) for e in (1, 2)])))
    assert np.isnan(treatment.overtaking(waits([(1, 2, 50)])))


def test_moments_count_who_is_still_there_and_would_go_on():
    start = pd.Timestamp("2026-03-02 10:00")
    sessions, marks = [], []
    for n in range(400):
        quick = n < 240
        begin, name = start + pd.Timedelta(minutes=n), f"s{n}"
        marks.append((name, "cart", begin))
        sessions.append((name, begin, 20.0 if quick else 300.0 + n))
        if quick:
            marks.append((name, "purchase", begin + pd.Timedelta(seconds=10 + n % 10)))
    marks = pd.DataFrame(marks, columns=["session_id", "name", "time"])
    sessions = pd.DataFrame(sessions, columns=["session_id", "start", "seconds"])
    found = treatment.moments(marks, sessions, ["cart", "purchase"], goal_rates=pd.Series({"cart": 1.0}), value=50.0)
    row = found.iloc[0]
    assert (row.sessions, row.went_on, row.left, row.still_there) == (400, 240, 160, 160)
    assert row.from_seconds > 300 and row.would_go_on_rate == 0
    assert row.one_in_ten_value == pytest.approx(0.1 * 160 * 50)
    assert plan_claims.moment(found)[0] == "treatment.popup"
    assert plan_claims.moment(found.iloc[:0]) == ("treatment.popup_none", {})


def returns(gaps: list[float | None]) -> tuple[pd.DataFrame, pd.DataFrame]:
    start, rows = pd.Timestamp("2026-03-02"), []
    for n, gap in enumerate(gaps):
        rows.append((f"v{n}", f"v{n}-1", start, 0))
        if gap is not None:
            rows.append((f"v{n}", f"v{n}-2", start + pd.Timedelta(days=gap), 0))
    rows.append(("last", "last-1", start + pd.Timedelta(days=60), 0))
    sessions = pd.DataFrame(rows, columns=["visitor_id", "session_id", "start", "orders"])
    marks = sessions[["session_id"]].assign(name="product_view")
    return marks, sessions


def test_an_offer_waits_until_most_returners_have_returned():
    marks, sessions = returns([1.0] * 50 + [4.0] * 30 + [20.0] * 20 + [None] * 100)
    found = treatment.return_days(marks, sessions, ["product_view", "purchase"], "purchase", value=100.0)
    assert (found["visitors"], found["returned"], found["half_day"], found["most_day"]) == (200, 100, 3.0, 8.0)
    assert found["waiting"] == 120 and found["one_in_twenty_value"] == pytest.approx(600)
    assert found["return_low"] < 0.5 < found["return_high"]


def test_who_could_not_be_watched_long_enough_is_not_counted():
    marks, sessions = returns([1.0] * 5)
    short = sessions.assign(start=sessions.start.where(sessions.visitor_id != "last", pd.Timestamp("2026-03-10")))
    found = treatment.return_days(marks, short, ["product_view"], "purchase")
    assert found["visitors"] == 0 and np.isnan(found["most_day"])
    assert plan_claims.offer(pd.DataFrame([found])) == [("treatment.offer_none", {})]


def test_those_who_came_for_something_else_are_left_alone():
    intents = pd.DataFrame({"intent": ["shop"] * 6 + ["returns"] * 3 + ["stores"]})
    found = treatment.not_to_show(intents, {"returns": "cannot", "stores": "unclear"})
    assert found.to_dict("records") == [{"intent": "returns", "sessions": 3, "sessions_share": 0.3}]


def test_each_segment_has_one_treatment_and_what_to_leave():
    from conversion_audit.analysis.segments import ORDER
    from conversion_audit.analysis.treatment_segments import RULES, segment_treatments

    assert set(RULES) == set(ORDER)
    behaviour = pd.DataFrame(
        {"segment": ["buyers", "stopped_late", "came_for_service"], "visitors": [10, 100, 50],
         "later_rate": [0.2, 0.1, 0.0], "later_low": 0.0, "later_high": 0.3}
    )  # fmt: skip
    found = segment_treatments(behaviour, 8.0, 50.0, ["stopped_at_cart", "cart_leavers"])
    assert found.treatment.tolist() == ["recommend_bought", "message_then_offer", "leave_alone"]
    assert found.from_day.fillna(0).tolist() == [0, 8, 0]
    assert found.one_in_twenty_value.fillna(0).tolist() == pytest.approx([20, 225, 0])
    assert found.audience.fillna("-").tolist() == ["-", "cart_leavers", "-"]


def test_where_nothing_goes_with_anything_no_group_is_told_what_goes_with_what():
    from conversion_audit.analysis.treatment_segments import segment_treatments

    behaviour = pd.DataFrame(
        {"segment": ["buyers", "browsers", "stopped_late"], "visitors": 10, "later_rate": 0.1, "later_low": 0.0,
         "later_high": 0.3}
    )  # fmt: skip
    found = {
        known: segment_treatments(behaviour, 8.0, 50.0, recommendable=known).treatment.tolist()
        for known in ((), ("viewed",))
    }
    assert found[()] == ["recommend_same", "recommend_same", "message_then_offer"]
    assert found[("viewed",)] == ["recommend_same", "recommend_viewed", "message_then_offer"]


def test_a_journey_of_one_step_and_a_shop_without_sessions_have_no_moment():
    marks = pd.DataFrame({"session_id": pd.Series(dtype="string"), "name": pd.Series(dtype="string"),
                          "time": pd.Series(dtype="datetime64[us]")})  # fmt: skip
    sessions = pd.DataFrame({"session_id": pd.Series(dtype="string"), "start": pd.Series(dtype="datetime64[us]"),
                             "seconds": pd.Series(dtype=float), "visitor_id": pd.Series(dtype="string"),
                             "orders": pd.Series(dtype="int64")})  # fmt: skip
    assert list(treatment.moments(marks, sessions, ["purchase"])) == treatment._MOMENTS
    assert treatment.moments(marks, sessions, ["view", "purchase"]).from_seconds.isna().all()
    assert treatment.return_days(marks, sessions, ["view"], "purchase")["visitors"] == 0


def visits(*rows: tuple[str, str, str, list[str]]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Sessions (session, visitor, day) and the marks they reached."""
    sessions = pd.DataFrame([row[:3] for row in rows], columns=["session_id", "visitor_id", "start"])
    marks = [(row[0], name) for row in rows for name in row[3]]
    sessions["start"] = pd.to_datetime(sessions.start)
    return sessions, pd.DataFrame(marks, columns=["session_id", "name"])


def grouped(monkeypatch, sessions, marks, intents, **can_buy) -> dict[tuple[str, str], list[str]]:
    monkeypatch.setattr(treatment_groups, "LEAST_SESSIONS", 1)
    made = treatment_groups.groups(intents, sessions, sessions, marks, ["view", "cart", "purchase"], can_buy).frame()
    return {name: sorted(rows.session_id) for name, rows in made.groupby(["grouped_by", "group_name"])}


def test_groups_are_known_before_the_session_ends(monkeypatch):
    sessions, marks = visits(
        ("a1", "a", "2026-03-01", ["view", "cart"]),
        ("a2", "a", "2026-03-02", ["view", "cart", "purchase"]),
        ("a3", "a", "2026-03-03", []),
        ("b1", "b", "2026-03-01", []),
        ("b2", "b", "2026-03-04", ["view"]),
        ("b3", "b", "2026-03-05", []),
    )
    intents = sessions[["session_id"]].assign(intent=["shop", "shop", "returns", None, "shop", "stores"])
    assert grouped(monkeypatch, sessions, marks, intents, shop="can", returns="cannot", stores="unclear") == {
        ("intent", "shop"): ["a1", "a2", "b2"],
        ("intent", "stores"): ["b3"],
        ("earlier_visits", "first_visit"): ["a1", "b1"],
        ("earlier_visits", "began_before"): ["a2"],
        ("earlier_visits", "bought_before"): ["a3"],
        ("earlier_visits", "came_before"): ["b2"],
        ("earlier_visits", "looked_before"): ["b3"],
    }


def test_small_groups_are_not_addressed():
    sessions, marks = visits(*((f"s{n}", f"v{n}", "2026-03-01", ["view"]) for n in range(99)))
    intents = sessions[["session_id"]].assign(intent="shop")
    assert len(treatment_groups.groups(intents, sessions, sessions, marks, ["view", "purchase"], {})) == 0


def test_each_group_gets_the_pairs_of_its_own_sessions_and_all_groups_together_no_more_errors():
    both = [["tent", "pegs"]] * 40 + [["tent"]] * 10 + [["shoes"]] * 200 + [["pegs"]] * 10
    items, events, marks = views([*both, *[["tent"], ["pegs"], ["shoes"]] * 50])
    held = treatment.baskets(items, events, marks, "product_view")
    words = treatment.words(items, events, "EUR")
    sessions = marks.session_id.drop_duplicates().reset_index(drop=True)
    first = sessions.str[1:].astype(int) < len(both)
    groups = pd.DataFrame({"grouped_by": "intent", "group_name": first.map({True: "shop", False: "gift"}),
                           "session_id": sessions})  # fmt: skip
    found = treatment_groups.surest(
        treatment_groups.by_group(
            groups, held, lambda rows, count: treatment.companions(rows, words, confidence=1 - 0.05 / count)
        ).assign(what="viewed")
    )
    alone = treatment.recommendations(*views(both), "product_view")
    assert found[["group_name", "what", "group_sessions", "item_id", "together"]].values.tolist() == [
        ["shop", "viewed", 260, "pegs", 40]
    ]
    assert found.lift[0] == alone.lift[0] and found.lift_low[0] < alone.lift_low[0]


def test_without_groups_the_columns_stay():
    empty = pd.DataFrame({"grouped_by": [], "group_name": [], "session_id": []}).astype("string")
    rows = pd.DataFrame({"session_id": pd.Series(["a"], dtype="string")})
    found = treatment_groups.by_group(empty, rows, lambda own, _: pd.DataFrame({"n": [len(own)]}))
    assert list(found) == ["grouped_by", "group_name", "group_sessions", "n"] and found.empty
