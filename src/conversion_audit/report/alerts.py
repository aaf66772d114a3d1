"""The watch's alarms in words, for a terminal, a chat or an e-mail."""

from __future__ import annotations

from datetime import date

import pandas as pd

from conversion_audit.report.words import label, text


def alert_lines(alarms: pd.DataFrame, series: int, until: date, false_alarms: float) -> list[str]:
    """
    Return one line an alarm, and one on how often such a line is wrong.

    Parameters
    ----------
    alarms : DataFrame
        From the watch: kind, name, column, level, direction, since, noticed, rate, expected_rate, at_risk, days, over.
    series : int
        Series watched.
    until : date
        Last day of the data.
    false_alarms : float
        Budget a year.
    """
    about = {"series": series, "until": until, "false_alarms": false_alarms}
    if alarms.empty:
        return [text("watch.quiet", about)]
    return [*(_line(row) for row in alarms.to_dict("records")), text("watch.budget", about)]


def _line(row: dict) -> str:
    level = row.get("level")
    where = text("watch.everyone") if level is None or pd.isna(level) else label(level)
    key = f"watch.{row['direction']}" if row["kind"] == "step" else f"watch.{row['kind']}"
    return text(key if pd.isna(row["over"]) else f"{key}_over", row | {"where": where})
