"""What teams are handed: a ticket for each task of the plan, and a receipt for what was done."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from conversion_audit import past, review, runs
from conversion_audit.analysis import change_fates, testing
from conversion_audit.errors import ConfigError, Problem, closest
from conversion_audit.recipes import plan as chapter
from conversion_audit.report.tickets import receipt, ticket
from conversion_audit.report.voice import speaking, voice_of

if TYPE_CHECKING:
    import pandas as pd

    from conversion_audit.audit import Audit


def tickets(audit: Audit, findings: Iterable[Mapping[str, Any]], planned: pd.DataFrame) -> dict[str, str]:
    """
    Return a Markdown text for each task of the plan.

    Parameters
    ----------
    audit : Audit
        Opened.
    findings : iterable of mapping
        Reviewed records.
    planned : DataFrame
        From `analysis.plan`.

    Returns
    -------
    dict
        File name, e.g. ``F-3k9a.md``, -> text.
    """
    rows = {row["finding"]: row for row in planned.to_dict("records")}
    tests = {row["finding"]: row for row in testing.design_table(planned).to_dict("records")}
    with speaking(voice_of(audit.config)):
        return {
            f"{one['id'].replace(' ', '-')}.md": ticket(one, rows[one["id"]], tests.get(one["id"]))
            for one in findings
            if one["id"] in rows
        }


def keep(audit: Audit, findings: Iterable[Mapping[str, Any]], client: Path, evidence: Path) -> None:
    """Write the tickets of a run, and what the next audit compares with."""
    planned = chapter.plan_of(audit)
    past.keep(audit, evidence, planned)
    for name, text in tickets(audit, findings, planned).items():
        (client / "tickets").mkdir(exist_ok=True)
        (client / "tickets" / name).write_text(text, encoding="utf-8", newline="\n")


def receipt_of(client: str, finding: str, against: str | None = None) -> str:
    """
    Return one page on what became of a finding of the last audit.

    Parameters
    ----------
    client : str
        Folder under ``data/``.
    finding : str
        Its id, e.g. ``F-3k9a``.
    against : str, optional
        See `past.previous`.

    Raises
    ------
    ConfigError
        If nothing has this id, there is no earlier audit, too little came after it, or it did not find this.
    """
    audit = _latest(client)
    before = past.previous(audit, against)
    if before is None or before.findings is None:
        _refuse_unknown(client, finding)
        mend = f"Make a run now, audit the next export, and ask then: audit run {client}"
        raise ConfigError(Problem("there is no earlier audit to compare with", f"reports/{client}", mend=mend))
    first, cells = past.new_from(audit, before), past.after(audit, before)
    if first is None:
        _refuse_unknown(client, finding, before.findings)
        why = f"It goes to {before.end}, this one to {audit.period.end}: what became of a finding is told by new days only."
        raise ConfigError(
            Problem("too few days came after the earlier audit", f"reports/{client}/{before.run}", why=why)
        )
    path = audit.folders.data / "review.yaml"
    edits = dict(review.read_review(path, f"data/{client}/{path.name}").edits)
    records = [one.record() for one in audit.findings]
    found = change_fates.fates(before.findings, records, before.cells, cells, edits)
    with speaking(voice_of(audit.config)):
        return receipt(_followed(found, finding), (before.start, before.end), (first, audit.period.end))


def _refuse_unknown(client: str, finding: str, earlier: Iterable[Mapping[str, Any]] = ()) -> None:
    """Raise `ConfigError` for an id that neither the newest run nor the earlier findings have: waiting would not help it."""
    newest = runs.newest(client)
    ids = [one["id"] for one in newest["findings"]] if newest else []
    if not newest or finding in {*ids, *(one["id"] for one in earlier)}:
        return
    mend = f"Findings of that run: {', '.join(ids) or 'none'}"
    what = f"there is no finding {finding!r}{closest(finding, ids)}"
    raise ConfigError(Problem(what, f"reports/{client}/{newest['run']}", mend=mend))


def _followed(fates: pd.DataFrame, finding: str) -> dict[str, Any]:
    """Return what became of a finding of the earlier audit; raises `ConfigError` for one that it did not have."""
    rows = fates[fates.finding == finding]
    if len(rows) and rows.fate.iloc[0] != change_fates.NEW:
        return rows.iloc[0].to_dict()
    known = list(fates.finding[fates.fate != change_fates.NEW])
    unknown, first = (
        f"no finding {finding!r} to follow{closest(finding, known)}",
        f"{finding} is found for the first time",
    )
    mend = f"Findings that can be followed: {', '.join(known) or 'none'}"
    raise ConfigError(Problem(first if len(rows) else unknown, mend=mend))


def _latest(client: str) -> Audit:
    """The audit of the config's period, or of the newest run's where that ends later: a run may be asked for other days."""
    from conversion_audit.audit import open_audit

    audit = open_audit(client)
    period = (runs.newest(client) or {}).get("period") or {}
    if (period.get("end") or "") > audit.period.end.isoformat():
        return open_audit(client, period["start"], period["end"])
    return audit
