"""Each behavioural segment with the one treatment that suits it, from when, and what it is not to be shown."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import pandas as pd

# Segment -> what to do, and what to leave. Who buys anyway gets no offer; who came for service gets nothing of the shop.
RULES = {
    "repeat_buyers": ("recommend_bought", "no_offer"),
    "big_buyers": ("recommend_bought", "no_offer"),
    "buyers": ("recommend_bought", "no_offer"),
    "stopped_late": ("message_then_offer", "no_recommendation"),
    "stopped_early": ("message_then_offer", "no_early_offer"),
    "returning_lookers": ("recommend_viewed", "no_early_offer"),
    "one_time_lookers": ("recommend_viewed", "no_early_offer"),
    "browsers": ("recommend_viewed", "no_offer"),
    "came_for_service": ("leave_alone", "no_shop_messages"),
    "passers_by": ("leave_alone", "no_shop_messages"),
}
# The list that holds most of a segment, by the beginning of its name.
LISTS = {
    "repeat_buyers": "due_back",
    "big_buyers": "due_back",
    "buyers": "due_back",
    "stopped_late": "cart_leavers",
    "stopped_early": "cart_leavers",
    "returning_lookers": "research",
    "one_time_lookers": "stopped_at",
}
KEPT = 0.05
SAME = "recommend_same"


def segment_treatments(
    behaviour: pd.DataFrame,
    offer_day: float,
    value: float,
    lists: Sequence[str] = (),
    *,
    recommendable: Collection[str] = ("viewed", "bought"),
) -> pd.DataFrame:
    """
    Return what to do with each segment.

    Parameters
    ----------
    behaviour : DataFrame
        From `segments.segment_table`: segment, visitors, later_rate, later_low, later_high.
    offer_day : float
        Day by which most returners are back (`treatment.return_days`); NaN where it is not known.
    value : float
        What one completion is worth.
    lists : sequence of str
        Names of the audience lists there are, the most valuable first.
    recommendable : collection of str
        ``viewed``, ``bought``: where products surely occur together. Elsewhere nothing goes with anything, so that a
        recommendation is the same for all, or left out.

    Returns
    -------
    DataFrame
        One row per segment, in their order: segment, visitors, treatment, not_this, from_day (of an offer; NaN for other
        treatments), later_rate (complete later without any treatment) with its ends, one_in_twenty_value (worth if the
        treatment wins one in twenty of the others; NaN where they are left alone), audience (the list to use; missing where
        there is none, or they are left alone).
    """
    rows = behaviour[["segment", "visitors", "later_rate", "later_low", "later_high"]].reset_index(drop=True)
    treatment = rows.segment.map(lambda name: RULES.get(name, ("leave_alone", "no_shop_messages"))[0])
    treatment = treatment.replace({f"recommend_{one}": SAME for one in {"viewed", "bought"} - set(recommendable)})
    not_this = rows.segment.map(lambda name: RULES.get(name, ("leave_alone", "no_shop_messages"))[1])
    others = rows.visitors * (1 - rows.later_rate)
    named = {name: next((one for one in lists if one.startswith(start)), None) for name, start in LISTS.items()}
    table = rows.assign(
        treatment=treatment,
        not_this=not_this,
        from_day=treatment.map({"message_then_offer": offer_day}).astype(float),
        one_in_twenty_value=(others * KEPT * value).where(treatment != "leave_alone"),
        audience=rows.segment.map(named).astype("string"),
    )
    columns = ["segment", "visitors", "treatment", "not_this", "from_day", "later_rate", "later_low", "later_high"]
    return table[[*columns, "one_in_twenty_value", "audience"]]
