"""Totals without visits -> the text of a first audit.yaml: its goal is the last stage, and counts once events are there."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date

import pandas as pd

from conversion_audit.analysis.stages import stage_order
from conversion_audit.engine import Engine, Table
from conversion_audit.intake.files import InputFile
from conversion_audit.intake.sources import mapping
from conversion_audit.new import writing

_CURRENCY = {"currency", "currency_code", "waehrung", "währung", "waehrungscode", "währungscode"}


_GERMAN = {
    "click": "Klick",
    "session": "Sitzung",
    "opt-in": "Anmeldung",
    "key event": "Schlüsselereignis",
    "purchase": "Kauf",
    "paid": "Bezahlt",
    "shipped": "Verschickt",
}
"""Last stages of totals -> the goal in German."""


def read_stages(engine: Engine, tables: list[Table]) -> pd.DataFrame:
    """Return the stage counts of one or several sources: date, stage, segment, count, cost."""
    union = " UNION ALL BY NAME ".join(f"SELECT * FROM t{n}" for n in range(len(tables)))
    return engine.query(union, {f"t{n}": table for n, table in enumerate(tables)})


def currencies(opened: Iterable[InputFile]) -> list[str]:
    """Return the currency codes that the first rows of these files name, the most frequent first."""
    named = (
        str(record[column]).strip().upper()
        for file in opened
        for column in file.columns
        if mapping.plain(column) in _CURRENCY
        for record in file.records
        if record.get(column)
    )
    return [code for code, _ in Counter(code for code in named if re.fullmatch(r"[A-Z]{3}", code)).most_common()]


def written(
    client: str,
    sources: list[dict],
    counts: pd.DataFrame,
    site: str | None = None,
    days: Sequence[date] = (),
    found: Sequence[str] = (),
) -> str:
    """
    Return the text of audit.yaml.

    Parameters
    ----------
    client, sources
        See `writing.written`.
    counts : DataFrame
        See `tables.STAGE_COUNTS`.
    site : str, optional
        Kind of site; a shop otherwise.
    days : sequence of date
        Days that a report names where its rows have none.
    found : sequence of str
        See `currencies`.
    """
    order, totals = stage_order(counts), counts.groupby("stage")["count"].sum()
    last = order[-1]
    german = _GERMAN.get(last.lower())
    label = f", label: {{en: {last.capitalize()}, de: {german}}}" if german else ""
    name = re.sub(r"\W+", "_", last).strip("_").lower() or "goal"
    check = writing.CHECK
    stages = ", ".join(f"{writing.comment(stage)} {totals[stage]:,.12g}" for stage in order)
    segments = counts["segment"].nunique()
    lines = [
        f"# First version, written from totals: {writing.counted(len(order), 'stages')}, {writing.counted(segments, 'segments')}. "
        "There are no visits in it.",
        f"# Lines marked {check} are guesses that a person should look at.",
        "",
        f"client: {writing.scalar(client.replace('-', ' ').replace('_', ' ').title())}",
        f"site: {site or 'shop'}" + ("" if site else f"   # {check}"),
        _currency(found),
        *_period(counts, days),
        writing.source_part(sources),
        "",
        f"# Stages: {stages}",
        "# The goal is the last of them. Without events it never occurs; it counts once an export of events is added.",
        f"main_goal: {writing.scalar(name)}   # {check}",
        "goals:",
        f"  {writing.scalar(name)}: {{event: {writing.scalar(last)}{label}}}",
        "",
    ]
    return "\n".join(lines)


def _currency(found: Sequence[str]) -> str:
    if not found:
        return f"currency: EUR   # {writing.CHECK}: the files name none"
    others = f"; {writing.CHECK}: also {', '.join(found[1:4])}, and costs are added as they stand" if found[1:] else ""
    return f"currency: {found[0]}   # as the files say{others}"


def _period(counts: pd.DataFrame, named: Sequence[date]) -> list[str]:
    days = pd.to_datetime(pd.Series([*counts["date"].dropna(), *named]))
    if days.empty:
        return ["# period: {start: 2026-03-02, end: 2026-04-26}   # the totals name no days"]
    return [f"period: {{start: {days.min().date()}, end: {days.max().date()}}}   # every day of the totals"]
