"""audit watch: a fresh export held to the newest run, without notebooks, for a scheduler."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import pandas as pd

from conversion_audit import past
from conversion_audit.analysis import watch
from conversion_audit.analysis.alarm_limits import FALSE_ALARMS_A_YEAR
from conversion_audit.audit import open_audit
from conversion_audit.errors import NEEDS_YOU, OK, DataError, Problem

LEARNING_DAYS = 28


@dataclass(frozen=True)
class Watched:
    """
    What the watch saw.

    Parameters
    ----------
    client : str
        The client.
    baseline : str
        The run, or the days, that say what is usual.
    until : date
        Last day of the data.
    series : int
        Series watched.
    alarms : DataFrame
        From `analysis.watch.watch`.
    """

    client: str
    baseline: str
    until: date
    series: int
    alarms: pd.DataFrame

    @property
    def exit_code(self) -> int:
        """1 where there is an alarm that goes on, or that was over only within the last week."""
        return NEEDS_YOU if len(watch.pressing(self.alarms, self.until)) else OK

    def lines(self) -> list[str]:
        """Return the alert text: one line an alarm, or one that says that all is quiet."""
        from conversion_audit.report.alerts import alert_lines

        return alert_lines(self.alarms, self.series, self.until, FALSE_ALARMS_A_YEAR)

    def answer(self) -> dict[str, Any]:
        """Return what ``--json`` prints."""
        alarms = self.alarms.astype(object).where(self.alarms.notna(), None)
        days = {day: alarms[day].map(_iso, na_action="ignore") for day in ("since", "noticed", "over")}
        rows = alarms.assign(**days).to_dict("records")
        return {"client": self.client, "exit": self.exit_code, "baseline": self.baseline,
                "until": self.until.isoformat(), "series": self.series, "alarms": rows}  # fmt: skip


def watch_client(client: str, today: date | None = None) -> Watched:
    """
    Hold the days since the newest run to it; without a run, the last days of the export to those before.

    Parameters
    ----------
    client : str
        Folder under ``data/``.
    today : date, optional
        Data that end earlier than three days before are stale.

    Raises
    ------
    DataError
        Where there is neither a run nor four weeks of data to learn from.
    """
    from conversion_audit.report.voice import speak, voice_of

    audit = open_audit(client)
    speak(voice_of(audit.config))
    sql = "SELECT MIN(date) AS first, MAX(date) AS last FROM sessions WHERE set_aside IS NULL"
    first, last = (pd.Timestamp(day) for day in audit.engine.query(sql, {"sessions": audit.every_session}).iloc[0])
    before = past.newest_cells(client)
    if before is not None and pd.notna(last):
        baseline, name, start = before.cells, before.run or "", before.end + timedelta(days=1)
    else:
        if pd.isna(last) or (last - first).days + 1 < LEARNING_DAYS + 7:
            raise DataError(
                Problem("there is nothing to learn from yet", f"data/{client}",
                        why=f"The watch needs a run, or {LEARNING_DAYS + 7} days of data.",
                        mend=f"Make a run with: audit run {client}")
            )  # fmt: skip
        learnt = first + timedelta(days=max(LEARNING_DAYS, (last - first).days * 2 // 3))
        baseline = audit.on(first.date(), learnt.date()).frame("cells")
        name, start = f"{_iso(first)} to {_iso(learnt)}", (learnt + timedelta(days=1)).date()
    fresh = baseline.iloc[:0]
    if pd.Timestamp(start) <= last:
        # Days on which the goal fell silent are in no rate of a report; here they are what is looked for.
        fresh = audit.on(start, last.date(), every=True).frame("cells")
    config = audit.config
    alarms = watch.watch(baseline, fresh, config.suspects, config.adjusters, today=today)
    return Watched(client, name, last.date(), len(watch.watched(baseline, config.suspects)), alarms)


def _iso(day: pd.Timestamp) -> str:
    return day.date().isoformat()
