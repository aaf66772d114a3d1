"""Can the export be trusted, told on the command line; and the e-mail that asks the client for what it lacks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from conversion_audit import errors
from conversion_audit.analysis.fitness import verdict
from conversion_audit.audit import Audit, open_audit
from conversion_audit.findings import Finding, ranked
from conversion_audit.folders import Folders
from conversion_audit.recipes import fitness
from conversion_audit.report import ask
from conversion_audit.report.voice import speaking, voice_of
from conversion_audit.report.wording import claim_of, next_step_of
from conversion_audit.report.words import text
from conversion_audit.running.cover import unread
from conversion_audit.unseen import unseen


@dataclass(frozen=True)
class Checked:
    """
    What the checks of chapter 00 say.

    Attributes
    ----------
    lines : list of str
        For people: the verdict, then each finding with the chapters it weakens and what to do; before them each name of
        audit.yaml that never occurs, with its line.
    findings : list of dict
        For programs: id, severity, claim, voids, next_step, in words.
    exit_code : int
        1 where a fault must be mended first, else 0.
    unseen : list of str
        See `unseen.unseen`, in words.
    """

    lines: list[str]
    findings: list[dict[str, Any]]
    exit_code: int
    unseen: list[str]


def check(audit: Audit) -> Checked:
    """
    Check the export of an opened audit: seconds, no notebooks. The words are English, the names the client's.

    Raises
    ------
    ConfigError
        Where no day of the export, or no session, is in the period.
    DataError
        Where more of the export is unreadable than `accept_bad` allows.
    """
    audit.stop_if_empty()
    audit.stop_if_too_bad()
    found, missing = ranked(fitness.findings(audit)), [str(problem) for problem in unseen(audit)]
    with speaking(replace(voice_of(audit.config), language="en")):
        said = verdict(found)
        told = [_told(finding) for finding in found]
        lines = [text(said["claim"], said), *unread(audit), *missing, *(line for one in told for line in _lines(one))]
    return Checked(lines, told, errors.NEEDS_YOU if said["high"] else errors.OK, missing)


def _told(finding: Finding) -> dict[str, Any]:
    record = finding.record()
    words = {"claim": claim_of(record), "next_step": next_step_of(record)}
    return {"id": finding.id, "severity": finding.severity, "voids": list(finding.voids), **words}


def _lines(told: dict[str, Any]) -> list[str]:
    weakens = f" (weakens {', '.join(told['voids'])})" if told["voids"] else ""
    lines = [f"{told['severity']:<6}  {told['claim']}{weakens}"]
    return [*lines, f"        {told['next_step']}"] if told["next_step"] and told["severity"] != "info" else lines


def request(client: str, tools: Sequence[str], language: str = "en") -> str:
    """
    Write the e-mail that asks a client for its export.

    Parameters
    ----------
    client : str
        The client's folder under ``data/``; it need not exist yet.
    tools : sequence of str
        See `report.ask.tools`. Before the first export they are what is asked for; afterwards only what the check found
        missing is.
    language : str
        ``"en"`` or ``"de"``.

    Raises
    ------
    ConfigError
        For an unknown tool or language, or no tool where there is no export yet.
    """
    folders = Folders(client)
    if not (folders.config.is_file() and folders.raw.is_dir() and any(folders.raw.iterdir())):
        if not tools:
            mend = f"E.g. audit ask {client} --tools ga4,shopify. Tools: {', '.join(ask.tools())}"
            raise errors.ConfigError(errors.Problem("there is no export yet, so name the client's tools", mend=mend))
        return ask.email(tools, language, client=client)
    audit = open_audit(client)
    labels = {name: audit.config.label(name, language) for name in voice_of(audit.config).labels}
    missing = fitness.findings(audit)
    return ask.email(
        tools, language, missing, client=audit.config.client, sender=audit.config.agency.name or "", labels=labels
    )
