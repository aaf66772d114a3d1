"""A sample of sessions checked by hand: how often the rules are right, and the true rate that follows."""

from __future__ import annotations

import pandas as pd

from conversion_audit.analysis.statistics import wilson
from conversion_audit.engine import AnyTable, engine_of, statement
from conversion_audit.errors import DataError, Problem

COLUMNS = ["sample_code", "channel", "device", "landing_page", "path", "pages", "seconds", "could_buy", "note"]
YES = {"yes", "y", "ja", "j", "oui", "si", "1", "true", "x"}
NO = {"no", "n", "nein", "non", "0", "false"}
LEAST = 50  # answers, and at least a tenth of them in every class, or all the sessions of a smaller one
STEPS_SHOWN = 12


def label_sample(
    intents: AnyTable, sessions: AnyTable, events: AnyTable, size: int = 200, seed: int = 1
) -> pd.DataFrame:
    """
    Return sessions to check by hand: could this person have bought?

    Half of them are ambiguous, the rest from both sure classes; which is which is not shown, nor is any visitor. Buyers
    are left out: they could.

    Parameters
    ----------
    intents : table
        From `split.with_chances`.
    sessions, events : table
        Contracts `tables.SESSIONS` and `tables.EVENTS`; pages are masked already.
    size : int
        How many sessions.
    seed : int
        Draws the same sample again.

    Returns
    -------
    DataFrame
        One row per session, in no telling order::

            sample_code  channel  device  landing_page  path                        pages  seconds  could_buy  note
               0a91...   Direct   mobile             /  / > /help > contact_submit      2       41

        `could_buy` and `note` are empty: yes or no, and whatever helps.
    """
    engine = engine_of(intents, sessions)
    found = {"intents": intents, "sessions": sessions}
    sample = engine.query(statement(__file__, "sample"), found, seed=seed, size=size)
    rows = engine.query(statement(__file__, "paths"), {"events": events, "sample": sample})
    paths = {session: _path(one) for session, one in rows.groupby("session_id")}
    return sample.assign(path=sample.session_id.map(paths).fillna(""), could_buy="", note="")[COLUMNS]


def read_labels(answers: pd.DataFrame, intents: AnyTable, seed: int = 1, where: str = "labels.csv") -> dict | None:
    """
    Return how often the rules are right, from a sample checked by hand.

    Each class counts with its share of all sessions, buyers as able to buy. Blank answers are skipped.

    Parameters
    ----------
    answers : DataFrame
        From `label_sample`, with `could_buy` filled in.
    intents : table
        From `split.with_chances`.
    seed : int
        The seed of the sample.
    where : str
        Name of the file for messages.

    Returns
    -------
    dict or None
        checked, share (that the rules say could buy), sensitivity, specificity, wrong_can_buy and wrong_cannot_buy (of
        sure shoppers, and of sure others, the share the rules are wrong about: upper end of its 95 % interval). None with
        fewer than 50 answers, or fewer than 5 in a class that has not all its sessions checked: the split's middle stays.

    Raises
    ------
    DataError
        For every answer that is neither yes nor no, with its line.
    """
    given = _answers(answers, where)
    engine = engine_of(intents)
    strata = engine.query(statement(__file__, "strata"), {"intents": intents})
    checked = engine.query(statement(__file__, "checked"), {"intents": intents, "answers": given}, seed=seed)
    count = checked.groupby("class").checked.sum()
    size = strata.groupby("class").sessions.sum()
    needed = size.drop("buyer", errors="ignore").clip(upper=LEAST // 10)
    if checked.checked.sum() < LEAST or (count.reindex(needed.index, fill_value=0) < needed).any():
        return None
    weight = checked.checked * checked["class"].map(size) / checked["class"].map(count)
    able = weight[checked.could_buy == 1]
    unable = weight[checked.could_buy == 0]
    said = checked.is_said == 1
    buyers = float(size.get("buyer", 0))
    apparent = float(weight[said].sum()) + buyers
    return {
        "checked": int(checked.checked.sum()),
        "share": apparent / float(size.sum()),
        "sensitivity": (float(able[said].sum()) + buyers) / (float(able.sum()) + buyers),
        "specificity": float(unable[~said].sum() / unable.sum()) if len(unable) else 1.0,
        "wrong_can_buy": _most_wrong(checked[checked["class"] == "C"], could_buy=0),
        "wrong_cannot_buy": _most_wrong(checked[checked["class"] == "X"], could_buy=1),
    }


def calibration(answers: pd.DataFrame, intents: AnyTable, seed: int = 1, where: str = "labels.csv") -> pd.DataFrame:
    """
    Hold the fitted chances against what was checked by hand.

    Returns
    -------
    DataFrame
        One row per tenth of the fitted chance that holds a checked session::

             decile  checked  fitted  could_buy  could_buy_rate  could_buy_low  could_buy_high  of
                  7       23    0.76         18            0.78           0.58            0.90  checked sessions
    """
    found = {"intents": intents, "answers": _answers(answers, where)}
    table = engine_of(intents).query(statement(__file__, "deciles"), found, seed=seed).astype({"could_buy": "int64"})
    low, high = wilson(table.could_buy, table.checked)
    return table.assign(
        could_buy_rate=table.could_buy / table.checked, could_buy_low=low, could_buy_high=high, of="checked sessions"
    )


def _most_wrong(answered: pd.DataFrame, could_buy: int) -> float:
    """Upper end of the share of a class whose answer is not what the class says."""
    wrong = answered.checked[answered.could_buy == could_buy].sum()
    return float(wilson(wrong, answered.checked.sum())[1]) if len(answered) else 0.0


def _path(rows: pd.DataFrame) -> str:
    """Pages in order, tasks by their event name; repeats once, the middle of a long one left out."""
    steps: list[str] = []
    for event, page in zip(rows.event, rows.page, strict=True):
        for step in (page, event):
            if isinstance(step, str) and step not in steps[-2:] and step not in ("page_view", "session_start"):
                steps.append(step)
    if len(steps) > STEPS_SHOWN:
        steps = [*steps[: STEPS_SHOWN - 2], "...", steps[-1]]
    return " > ".join(steps)


def _answers(answers: pd.DataFrame, where: str) -> pd.DataFrame:
    missing = [name for name in ("sample_code", "could_buy") if name not in answers]
    if missing:
        raise DataError(*(Problem(f"missing column '{name}'", where) for name in missing))
    said = answers.could_buy.fillna("").astype(str).str.strip().str.lower()
    wrong = answers.index[(said != "") & ~said.isin(YES | NO)]
    if len(wrong):
        lines = [answers.index.get_loc(row) + 2 for row in wrong]
        raise DataError(
            *(
                Problem("is neither yes nor no", f"{where}:{line}:could_buy", seen=said[row], mend="Write yes or no.")
                for line, row in zip(lines, wrong, strict=True)
            )
        )
    known = answers.assign(could_buy=said.isin(YES).astype(int))[said != ""]
    return known[["sample_code", "could_buy"]].astype({"sample_code": "string"})
