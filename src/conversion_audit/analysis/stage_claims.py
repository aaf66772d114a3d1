"""What totals say: the headline, the chain, messages that were owed or lost, dearer clicks, and the weakest links."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from conversion_audit.analysis.stage_names import parameter
from conversion_audit.analysis.stages import by_week, joined_stages, stage_table, weak_links
from conversion_audit.engine import AnyTable
from conversion_audit.findings import Finding

NEVER_SENT, NOT_DELIVERED = 0.05, 0.05
_NO_VISITS = pd.DataFrame({"step": [], "at_risk": [], "passed": []})


def headline(counts: AnyTable, order: Sequence[str] | None = None) -> tuple[str, dict[str, object]]:
    """Return the key and the values of one sentence: how many of the first stage reach the last."""
    return _told("headline", joined_stages(counts, _NO_VISITS, order))


def chain_claim(chain: pd.DataFrame) -> tuple[str, dict[str, object]]:
    """Return the key and the values of what `joined_stages` shows: who of the first stage, or of the sessions, is left."""
    return _told("chain_claim", chain)


def _told(name: str, chain: pd.DataFrame) -> tuple[str, dict[str, object]]:
    values = _ends(chain[chain.source != "messages"])
    visits, messages = (chain[chain.source == source] for source in ("events", "messages"))
    if 0 < len(visits) < len(chain):  # a tool's counts are of its own channel, sessions are of all
        return f"stages.{name}_both", _ends(chain) | {"sessions": visits["count"].iloc[0]}
    if len(messages):
        return f"stages.{name}_messages", values | {f"message_{key}": value for key, value in _ends(messages).items()}
    return f"stages.{name}" if len(chain) > 1 else f"stages.{name}_one", values


def _ends(chain: pd.DataFrame) -> dict[str, object]:
    first, last = chain.iloc[0], chain.iloc[-1]
    return {"first": first.step, "first_count": first["count"], "last": last.step, "count": last["count"]}


def findings(counts: AnyTable, order: Sequence[str] | None = None) -> list[Finding]:
    """
    Return the named tests that failed and the weakest links.

    Click rate down while cost per click goes up; opted in but never sent; sent but not delivered; the clearest losses
    against siblings or own past.
    """
    frame = by_week(counts)
    table = stage_table(counts, order=order)
    weak = weak_links(counts, order)
    weak = weak[weak.is_weak]
    made = _gaps(table) + _dearer_clicks(weak, frame)
    for row in weak.head(3).itertuples():
        values = {"parameter": row.parameter, "rate_here": row.rate, "rate_there": row.benchmark_rate, "lost": row.lost}
        values |= {"benchmark_kind": row.benchmark_kind, "key": row.benchmark_kind}
        made.append(
            Finding("unexplained", "04", "stages.weak", "medium", "watch", values, step=row.stage, owner="acquisition",
                    segment={"segment": row.segment}, rate=row.rate, benchmark=row.benchmark_rate,
                    next_step=f"stages.weak_next_{row.benchmark_kind}")
        )  # fmt: skip
    return made


def _gaps(table: pd.DataFrame) -> list[Finding]:
    """Messages that were owed and not sent, or sent and not delivered."""
    limits = {
        ("opt_in_rate", "sent_rate"): ("stages.never_sent", NEVER_SENT),
        ("sent_rate", "delivery_rate"): ("stages.not_delivered", NOT_DELIVERED),
    }
    made = []
    for row in table.dropna(subset=["rate"]).itertuples():
        # Who only clicked is owed no message: the clicks may be another tool's.
        claim, limit = limits.get((parameter(row.of), row.parameter), (None, 1.0))
        if claim and row.rate_high < 1 - limit:
            values = {"missing": row.of_count - row.count, "missing_share": 1 - row.rate, "of": row.of}
            made.append(
                Finding(
                    "service",
                    "04",
                    claim,
                    "high",
                    "certain",
                    values,
                    step=row.stage,
                    owner="crm",
                    next_step=f"{claim}_next",
                )
            )
    return made


def _dearer_clicks(weak: pd.DataFrame, frame: pd.DataFrame) -> list[Finding]:
    made = []
    for row in weak[(weak.parameter == "click_rate") & (weak.benchmark_kind == "own_past")].itertuples():
        own = frame[frame.segment == row.segment]
        weeks = sorted(own.week.dropna().unique())
        late = own.week >= weeks[len(weeks) // 2]
        before, after = (_cost_per(own[part], row.stage) for part in (~late, late))
        if after > 1.05 * before:
            values = {
                "rate_before": row.benchmark_rate,
                "rate_after": row.rate,
                "cost_before": before,
                "cost_after": after,
            }
            made.append(
                Finding("unexplained", "04", "stages.dearer_clicks", "medium", "watch", values, step=row.stage,
                        segment={"segment": row.segment}, owner="acquisition", next_step="stages.dearer_clicks_next")
            )  # fmt: skip
    return made


def _cost_per(rows: pd.DataFrame, stage: str) -> float:
    count = rows.loc[rows.stage == stage, "count"].sum()
    return float(rows.cost.sum() / count) if count else float("nan")
