"""The files of a run: what is handed over, and the evidence beside it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from conversion_audit import pen
from conversion_audit.running import cover, evidence, publish

if TYPE_CHECKING:
    from conversion_audit.audit import Audit
    from conversion_audit.running.told import Told


def save_report(draft: publish.Draft, audit: Audit, told: Sequence[Told]) -> None:
    """
    Write the page, the workbook and the tables that the chapters showed; findings and rejected rows as evidence.

    Parameters
    ----------
    draft : Draft
        Where.
    audit : Audit
        Prepared.
    told : sequence of Told
        The chapters, in order.
    """
    from conversion_audit.report import export, page

    reviewed = pen.reviewed(audit)
    facts = {**cover.about(audit), "review": reviewed.about()}
    book = [
        page.chapter(one.number, one.name, one.status, one.notebook, cover.reason(audit.config, one.status, one.absent))
        for one in told
    ]
    publish.write(draft.client / "report.html", page.render(book, reviewed.findings, facts))
    export.save_tables(book, draft.client / "tables")
    export.save_workbook(book, draft.client / "audit.xlsx", facts)
    evidence.save_findings(audit.findings, audit.folders.client, draft.run, draft.evidence / "findings.json")
    evidence.save_rejects(audit.frame("rejects"), draft.evidence / "bad_rows.ndjson.gz")


def save_lists(draft: publish.Draft, audit: Audit) -> None:
    """Write audience lists and tickets in the words of the report, and keep what the next audit compares with."""
    from conversion_audit import tickets
    from conversion_audit.recipes import intent
    from conversion_audit.report import export
    from conversion_audit.report.voice import speaking, voice_of

    with speaking(voice_of(audit.config)):
        export.save_lists(intent.audience_lists(audit, audit.prepared.key), draft.client / "audiences")
    tickets.keep(audit, pen.reviewed(audit).findings, draft.client, draft.evidence)
