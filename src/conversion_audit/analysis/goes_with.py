"""Which micro-conversions go with the goal, among sessions that had the same chance. Never what causes it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from conversion_audit.analysis.statistics import bh, design_effect, e_value, wilson
from conversion_audit.engine import AnyTable, engine_of, statement

FEWEST = 20


def goes_with(
    events: AnyTable,
    marks: AnyTable,
    sessions: AnyTable,
    reached: AnyTable,
    steps: Sequence[str],
    names: Sequence[str],
) -> pd.DataFrame:
    """
    Compare sessions that met a micro-conversion with like sessions that did not.

    Compared are sessions that reached the same step. With it: the micro-conversion came before the next step (before
    the session's end, where there was none). Asked: did they reach the goal? Odds are adjusted for channel, device,
    visit number and the time until the step, so that keen visitors are compared with keen ones, as far as that shows;
    and for the pages seen from the step to the next one: who looks around for longer meets more of everything.

    Parameters
    ----------
    events, marks, sessions : table
        Of the period.
    reached : table
        From `funnel.reached` for sessions.
    steps : sequence of str
        The journey, the goal last.
    names : sequence of str
        Micro-conversions that are no steps.

    Returns
    -------
    DataFrame
        One row per micro-conversion met by enough sessions, what is beyond chance first, the strongest either way: name,
        step (where the chance began), sessions (compared; at most 60,000, chosen by hash), met, met_goals, met_rate and
        its interval, unmet, unmet_goals, unmet_rate and its interval, odds_ratio, odds_low, odds_high (adjusted), is_shown
        (beyond chance when all rows are looked at together, false discovery rate 10 %), e_value (how strongly something
        unseen would have to go with both to explain it away). Intervals allow for repeated visits. NaN odds: cannot be
        fitted.

    References
    ----------
    Benjamini and Hochberg 1995; VanderWeele and Ding 2017.
    """
    engine = engine_of(events, marks, sessions, reached)
    tables = {"events": events, "sessions": sessions, "reached": reached}
    chances = engine.create(statement(__file__, "chances"), tables, name="chances", last=len(steps))
    asked = [name for name in names if name not in steps]
    named = pd.DataFrame({"name": asked}, dtype="string")
    met = engine.query(statement(__file__, "exposures"), {"chances": chances, "marks": marks, "names": named})
    best = met.sort_values(["name", "met", "step"]).drop_duplicates("name", keep="last")
    rows = []
    for one in best[best.met >= FEWEST].itertuples():
        sql = statement(__file__, "cases")
        cases = engine.query(sql, {"chances": chances, "marks": marks}, name=one.name, step=int(one.step))
        if (cases.is_with == 0).sum() >= FEWEST:  # where all meet it there is nobody to compare with
            rows.append({"name": one.name, "step": steps[int(one.step) - 1]} | _compared(cases))
    engine.drop(chances)
    return _judged(pd.DataFrame(rows, columns=_COLUMNS))


_COLUMNS = ["name", "step", "sessions", "met", "met_goals", "met_low", "met_high"]
_COLUMNS += ["unmet", "unmet_goals", "unmet_low", "unmet_high"]
_COLUMNS += ["odds_ratio", "odds_low", "odds_high", "p_value"]


def _compared(cases: pd.DataFrame) -> dict[str, float]:
    having, lacking = cases[cases.is_with == 1], cases[cases.is_with == 0]
    counts = {
        "sessions": len(cases),
        "met": len(having),
        "met_goals": int(having.is_goal.sum()),
        "unmet": len(lacking),
        "unmet_goals": int(lacking.is_goal.sum()),
    }
    for part, rows in (("met", having), ("unmet", lacking)):
        counts[f"{part}_low"], counts[f"{part}_high"] = _interval(rows)
    cells = [counts["met_goals"], counts["met"] - counts["met_goals"]]
    cells += [counts["unmet_goals"], counts["unmet"] - counts["unmet_goals"]]
    return counts | (_adjusted(cases) if min(cells) >= 5 else dict.fromkeys(_COLUMNS[-4:], np.nan))


def _interval(cases: pd.DataFrame) -> tuple[float, float]:
    """Of the share that reached the goal: Wilson's, visits of one visitor allowed for."""
    effect = design_effect(cases.is_goal - cases.is_goal.mean(), cases.visitor_id)
    low, high = wilson(cases.is_goal.sum() / effect, len(cases) / effect)
    return float(low), float(high)


def _adjusted(cases: pd.DataFrame) -> dict[str, float]:
    """Odds ratio of a logistic regression on cells; its variance times the design effect of visitors who return."""
    import warnings

    import statsmodels.api as sm

    covariates = _covariates(cases)
    cells = covariates.assign(is_goal=cases.is_goal.to_numpy(), tries=1).groupby(list(covariates), as_index=False)
    counts = cells[["is_goal", "tries"]].sum()
    model = sm.GLM(
        np.column_stack([counts.is_goal, counts.tries - counts.is_goal]),
        _design(counts[list(covariates)]),
        family=sm.families.Binomial(),
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fit = model.fit()
    expected = covariates.merge(counts.assign(chance=fit.fittedvalues), on=list(covariates), how="left").chance
    effect = design_effect(cases.is_goal.to_numpy() - expected.to_numpy(), cases.visitor_id)
    slope, error = float(fit.params[1]), float(fit.bse[1]) * np.sqrt(effect)
    if not np.isfinite([slope, error]).all() or abs(slope) > 10:
        return dict.fromkeys(_COLUMNS[-4:], np.nan)
    from scipy.stats import norm

    values = (np.exp(slope), np.exp(slope - _Z * error), np.exp(slope + _Z * error), 2 * norm.sf(abs(slope / error)))
    return dict(zip(_COLUMNS[-4:], map(float, values), strict=True))


_Z = 1.959964


def _covariates(cases: pd.DataFrame) -> pd.DataFrame:
    """
    What is held alike: whether it was met, time until the step (in doublings), visit, pages, device and channel.

    Pages stand in groups of half a doubling: what more of them do to the chance need follow no line.
    """
    table = pd.DataFrame(
        {
            "is_with": cases.is_with.to_numpy(),
            "time": np.log2(1 + cases.seconds_before.clip(lower=0)).round().to_numpy(),
            "visit": cases.visit_number.fillna(1).clip(1, 3).to_numpy(),
            "pages": np.floor(2 * np.log2(cases.pages.clip(lower=1))).to_numpy(),
        }
    )
    for column in ("device", "channel"):
        values = cases[column].fillna("(not set)")
        common = values.value_counts()
        table[column] = values.where(values.isin(common.index[common >= 30][:8]), "(other)").to_numpy()
    return table


def _design(cells: pd.DataFrame) -> np.ndarray:
    levels = pd.get_dummies(cells[["visit", "pages", "device", "channel"]].astype(str), drop_first=True, dtype=float)
    own = cells[["is_with", "time"]].astype(float)
    design = np.column_stack([np.ones(len(cells)), own, own.time**2, levels])
    return design[:, [0, 1, *(n for n in range(2, design.shape[1]) if np.ptp(design[:, n]) > 0)]]


def _judged(table: pd.DataFrame) -> pd.DataFrame:
    shown, _ = bh(table.p_value.to_numpy(float), 0.10)
    table = table.assign(
        met_rate=table.met_goals / table.met.where(table.met > 0),
        unmet_rate=table.unmet_goals / table.unmet.where(table.unmet > 0),
        is_shown=shown,
    )
    # An odds ratio is near the ratio of rates where the goal is rare, and near its square where it is not.
    rare = (table.met_goals + table.unmet_goals) < 0.15 * table.sessions
    ratios = table.odds_ratio.astype(float).where(rare, np.sqrt(table.odds_ratio.astype(float)))
    table["e_value"] = [e_value(ratio) for ratio in ratios]
    order = ["name", "step", "sessions", "met", "met_goals", "met_rate", "met_low", "met_high"]
    order += ["unmet", "unmet_goals", "unmet_rate", "unmet_low", "unmet_high"]
    order += ["odds_ratio", "odds_low", "odds_high", "is_shown", "e_value"]
    strength = np.log(table.odds_ratio.astype(float)).abs()
    table = table.assign(strength=strength).sort_values(
        ["is_shown", "strength", "name"], ascending=[False, False, True]
    )
    return table[order].reset_index(drop=True)
