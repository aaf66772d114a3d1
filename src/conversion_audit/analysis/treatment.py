"""Personal treatment: what to recommend, when to speak up, when to make an offer, and to whom not."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from conversion_audit.analysis.statistics import clopper_pearson, wilson
from conversion_audit.engine import AnyTable, Table, engine_of, statement

FEWEST_BASKETS, FEWEST_TOGETHER, MOST_ITEMS = 20, 5, 50
FEWEST_WAITING = 100
BINS = 40
WINDOW_DAYS = 28
_MOMENTS = [
    "step", "sessions", "went_on", "left", "from_seconds", "still_there", "would_go_on_rate", "would_go_on_low",
    "would_go_on_high", "one_in_ten_value",
]  # fmt: skip


def recommendations(
    items: AnyTable,
    events: AnyTable,
    marks: AnyTable,
    name: str,
    *,
    currency: str = "",
    most: int = 3,
    fewest: int = FEWEST_BASKETS,
    confidence: float = 0.95,
) -> pd.DataFrame:
    """
    Return, per item, what goes with it: sessions that viewed (or bought) one and the other.

    Parameters
    ----------
    items, events, marks : table
        Of the period.
    name : str
        The step whose events hold the items: the product view, or the purchase.
    currency : str
        The client's: prices in another are not used.
    most : int
        Items recommended per item.
    fewest : int
        Items in fewer sessions are left out.
    confidence : float
        Of all intervals together: each pair's own is wider, by the number of pairs looked at: each such item
        with each other.

    Returns
    -------
    DataFrame
        One row per item and companion, largest lift first within the item: item_id, name, with_item_id, with_name,
        together, baskets (sessions with the item), with_rate (together / baskets) with its ends, usual_rate (of all
        sessions), lift with lift_low and lift_high, pairs (looked at), without_it (sessions with the item that lack the
        companion: whom to show it; the others have it), one_in_twenty_value (worth if one in twenty of them takes it at its
        usual price; NaN where no price is known). Only pairs whose lift_low is above 1.
    """
    held = baskets(items, events, marks, name)
    return companions(held, words(items, events, currency), most=most, fewest=fewest, confidence=confidence)


def baskets(items: AnyTable, events: AnyTable, marks: AnyTable, name: str) -> Table:
    """Return which session viewed, or bought, which item: session_id, item_id."""
    tables = {"items": items, "events": events, "marks": marks}
    return engine_of(items, events, marks).create(statement(__file__, "baskets"), tables, name="baskets", shown=name)


def words(items: AnyTable, events: AnyTable, currency: str = "") -> pd.DataFrame:
    """Return each item's name and usual price, by item_id."""
    tables = {"items": items, "events": events}
    return engine_of(items, events).query(statement(__file__, "names"), tables, currency=currency).set_index("item_id")


def companions(
    baskets: AnyTable,
    words: pd.DataFrame,
    *,
    most: int = 3,
    fewest: int = FEWEST_BASKETS,
    confidence: float = 0.95,
) -> pd.DataFrame:
    """Return what goes with each item of `baskets`; see `recommendations`."""
    asked = {"fewest": fewest, "fewest_together": FEWEST_TOGETHER, "most": MOST_ITEMS}
    pairs = engine_of(baskets).query(statement(__file__, "pairs"), {"baskets": baskets}, **asked)
    return lifts(pairs, words, most, confidence)


def lifts(pairs: pd.DataFrame, words: pd.DataFrame, most: int = 3, confidence: float = 0.95) -> pd.DataFrame:
    """Return counted pairs with their lift; see `recommendations`."""
    # Wilson's interval is too narrow where a pair is expected less than once: by far most are.
    count = pairs.pairs.max() if len(pairs) else 1
    low, high = clopper_pearson(pairs.together, pairs.baskets, 1 - (1 - confidence) / count)
    usual = pairs.with_baskets / pairs.all_baskets
    rate = pairs.together / pairs.baskets
    table = pairs.assign(
        name=pairs.item_id.map(words["name"]),
        with_name=pairs.with_item_id.map(words["name"]),
        with_rate=rate,
        with_low=low,
        with_high=high,
        usual_rate=usual,
        lift=rate / usual,
        lift_low=low / usual,
        lift_high=high / usual,
        without_it=pairs.baskets - pairs.together,
        one_in_twenty_value=0.05
        * (pairs.baskets - pairs.together)
        * pairs.with_item_id.map(words["price"]).astype(float),
    )
    table = table[table.lift_low > 1].sort_values(
        ["item_id", "lift_low", "with_item_id"], ascending=[True, False, True]
    )
    table = table[table.groupby("item_id").cumcount() < most]
    columns = ["item_id", "name", "with_item_id", "with_name", "together", "baskets", "with_rate", "with_low"]
    columns += [
        "with_high",
        "usual_rate",
        "lift",
        "lift_low",
        "lift_high",
        "pairs",
        "without_it",
        "one_in_twenty_value",
    ]
    return table[columns].reset_index(drop=True)


def moments(
    marks: AnyTable,
    sessions: AnyTable,
    steps: Sequence[str],
    *,
    goal_rates: pd.Series | None = None,
    value: float = np.nan,
) -> pd.DataFrame:
    """
    Return, per step, the second from which more leave than go on: before it, a pop-up disturbs those who would go on anyway.

    Parameters
    ----------
    marks, sessions : table
        Of the period.
    steps : sequence of str
        The journey, the goal last.
    goal_rates : Series, optional
        Step -> share of those who go on from it that reach the goal.
    value : float
        What one completion is worth.

    Returns
    -------
    DataFrame
        One row per step but the last: step, sessions, went_on, left, from_seconds (NaN where leaving never overtakes, or
        fewer than 100 sessions), still_there (sessions at that second), would_go_on_rate of them without any pop-up, with
        its ends: do not show it before; one_in_ten_value: what it is worth if it keeps one in ten of
        those who would leave; NaN where leaving leads from the start.
    """
    numbered = pd.DataFrame({"step": range(1, len(steps) + 1), "name": list(steps)}).astype({"name": "string"})
    tables = {"marks": marks, "sessions": sessions, "steps": numbered}
    waits = engine_of(marks, sessions).query(statement(__file__, "waits"), tables, last=len(steps))
    rows = [_moment(waits[waits.step == n], steps[n - 1], goal_rates, value) for n in range(1, len(steps))]
    return pd.DataFrame(rows, columns=_MOMENTS)


def overtaking(waits: pd.DataFrame) -> float:
    """
    Return the second from which, in every longer stretch, more leave than go on; NaN where that never comes.

    Parameters
    ----------
    waits : DataFrame
        seconds, ending (1 went on, 2 left), sessions; of one step. Stretches hold equally many endings.
    """
    rows = waits.sort_values("seconds")
    total = rows.sessions.sum()
    if total < FEWEST_WAITING:
        return float("nan")
    stretch = np.minimum((rows.sessions.cumsum() - rows.sessions) * BINS // total, BINS - 1)
    stretch = rows.seconds.map(stretch.groupby(rows.seconds).min())
    ends = rows.assign(left=rows.sessions.where(rows.ending == 2, 0), stretch=stretch).groupby("stretch")
    counted = ends[["left", "sessions"]].sum().assign(begins=ends.seconds.min())
    losing = (counted.left * 2 > counted.sessions).to_numpy()
    # A lone odd stretch is chance: what counts is that the rest, taken together from there on, leaves.
    tail_left, tail_all = counted.left[::-1].cumsum()[::-1], counted.sessions[::-1].cumsum()[::-1]
    steady = losing & (pd.Series(losing).rolling(3, min_periods=1).sum().shift(-2).ffill() >= 2).to_numpy()
    places = np.flatnonzero(steady & (tail_left * 2 > tail_all).to_numpy())
    return float(counted.begins.iloc[places[0]]) if len(places) else float("nan")


def return_days(
    marks: AnyTable,
    sessions: AnyTable,
    steps: Sequence[str],
    goal: str,
    *,
    window: int = WINDOW_DAYS,
    value: float = np.nan,
) -> dict[str, float]:
    """
    Return by which day most of those come back who come back at all: an offer before it pays for visits that come anyway.

    Visitors count whose first session reached the journey without the goal, and who could be watched for the whole window.

    Parameters
    ----------
    marks, sessions : table
        Of the period.
    steps : sequence of str
        The journey.
    goal : str
        The main goal.
    window : int
        Days within which coming back counts.
    value : float
        What one completion is worth.

    Returns
    -------
    dict
        visitors, returned, return_rate with its ends, window_days, half_day and most_day (by which half, and four in five, of
        those who return have returned; NaN with fewer than 30), waiting (visitors not back by most_day), waiting_buyer_rate
        (of them, later buyers without an offer) and one_in_twenty_value (worth if an offer wins one in twenty of them).
    """
    numbered = pd.DataFrame({"name": [step for step in steps if step != goal]}).astype({"name": "string"})
    tables = {"marks": marks, "sessions": sessions, "steps": numbered}
    found = engine_of(marks, sessions).query(statement(__file__, "returns"), tables, goal=goal)
    watched = found[found.watched_days >= window]
    back = watched[(watched.is_back == 1) & (watched.days <= window)]
    half, most = np.quantile(back.days, [0.5, 0.8]) if len(back) >= 30 else (np.nan, np.nan)
    waiting = watched[~((watched.is_back == 1) & (watched.days <= most))] if np.isfinite(most) else watched.iloc[:0]
    low, high = wilson(len(back), len(watched))
    return {
        "visitors": len(watched),
        "returned": len(back),
        "return_rate": len(back) / len(watched) if len(watched) else np.nan,
        "return_low": float(low),
        "return_high": float(high),
        "window_days": window,
        "half_day": float(np.ceil(half)),
        "most_day": float(np.ceil(most)),
        "waiting": len(waiting),
        "waiting_buyer_rate": float(waiting.is_buyer_later.mean()) if len(waiting) else np.nan,
        "one_in_twenty_value": len(waiting) * 0.05 * value,
    }


def not_to_show(intents: AnyTable, can_buy: dict[str, str]) -> pd.DataFrame:
    """
    Return whom shop messages would only disturb: sessions that came for something that cannot be bought.

    Returns
    -------
    DataFrame
        One row per such intent, the largest first: intent, sessions, sessions_share (of all).
    """
    counted = engine_of(intents).query(
        "SELECT intent, COUNT(*) AS sessions FROM intents GROUP BY intent ORDER BY sessions DESC, intent",
        {"intents": intents},
    )
    total = int(counted.sessions.sum())
    rows = counted[counted.intent.map(can_buy) == "cannot"].reset_index(drop=True)
    return rows.assign(sessions_share=rows.sessions / total if total else np.nan)


def _moment(waits: pd.DataFrame, step: str, goal_rates: pd.Series | None, value: float) -> dict[str, object]:
    total, went = int(waits.sessions.sum()), int(waits.sessions[waits.ending == 1].sum())
    second = overtaking(waits)
    there = waits[waits.seconds >= second]
    still, on = int(there.sessions.sum()), int(there.sessions[there.ending == 1].sum())
    low, high = wilson(on, still)
    known = np.isfinite(second)
    reach = float(goal_rates.get(step, np.nan)) if goal_rates is not None else np.nan
    return {
        "step": step,
        "sessions": total,
        "went_on": went,
        "left": total - went,
        "from_seconds": second,
        "still_there": still if known else np.nan,
        "would_go_on_rate": on / still if known and still else np.nan,
        "would_go_on_low": float(low) if known else np.nan,
        "would_go_on_high": float(high) if known else np.nan,
        # Where leaving leads from the start there is no moment, and keeping one in ten would be a wish.
        "one_in_ten_value": 0.1 * (still - on) * reach * value if known and second > 0 else np.nan,
    }
