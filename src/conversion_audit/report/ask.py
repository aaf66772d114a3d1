"""The e-mail that asks a client for the right export, or for what the first one lacked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date

from conversion_audit.errors import ConfigError, Problem, closest
from conversion_audit.findings import Finding
from conversion_audit.report.voice import Voice, speaking
from conversion_audit.report.wording import record_of
from conversion_audit.report.words import has_text, sentences, text

PARTS = ("access", "path", "fields")
NOT = ("not_names", "not_payment", "not_people")


def tools() -> list[str]:
    """Return the tools whose exports can be asked for, in the order of the texts."""
    return [key.split(".")[2] for key in sentences("en") if key.startswith("ask.tool.") and key.endswith(".name")]


def email(
    wanted: Sequence[str],
    language: str = "en",
    missing: Iterable[Finding] | None = None,
    *,
    client: str = "",
    period: tuple[date, date] | None = None,
    sender: str = "",
    labels: Mapping[str, str] | None = None,
) -> str:
    """
    Write the e-mail that asks for an export.

    Parameters
    ----------
    wanted : sequence of str
        Tools, e.g. ``["ga4", "shopify"]``; see `tools`.
    language : str
        ``"en"`` or ``"de"``.
    missing : iterable of Finding, optional
        What the check of a first export found. Then the e-mail asks for that alone, and for none of it that another export
        could not mend.
    client : str
        The client's name, for the subject.
    period : (date, date), optional
        First and last day wanted; else the e-mail says how much is enough.
    sender : str
        Who signs.
    labels : mapping, optional
        Name of the config -> words for the client.

    Returns
    -------
    str
        Plain text, the subject in its first line.

    Raises
    ------
    ConfigError
        For a tool or a language that is not known.
    """
    if language not in ("en", "de"):
        raise ConfigError(Problem("no such language", seen=language, mend="Write en or de."))
    unknown = [tool for tool in wanted if tool not in tools()]
    if unknown:
        hint = f"Tools: {', '.join(tools())}"
        raise ConfigError(*(Problem(f"no tool {tool!r}{closest(tool, tools())}", mend=hint) for tool in unknown))
    with speaking(Voice(language=language, labels=labels or {})):
        body = _first(wanted, period) if missing is None else _again(list(missing))
        subject = text("ask.subject" if missing is None else "ask.subject_again", {"client": client or "…"})
        ending = [text("ask.regards"), *([sender] if sender else [])]
        paragraphs = [subject, text("ask.greeting"), *body, "\n".join(ending)]
    return "\n\n".join(paragraphs) + "\n"


def _first(wanted: Sequence[str], period: tuple[date, date] | None) -> list[str]:
    """Everything: tools, period, what not to send, how."""
    asked = [_tool(number, tool) for number, tool in enumerate(dict.fromkeys(wanted), 1)]
    days = {} if period is None else {"start": period[0], "end": period[1]}
    when = text("ask.period_given", days) if days else text("ask.period")
    return [
        text("ask.opening"),
        *asked,
        _section("period_heading", [when, text("ask.zone")]),
        _section("not_heading", [text(f"ask.{key}") for key in NOT]),
        _section("how_heading", [text("ask.how")]),
        text("ask.closing"),
    ]


def _tool(number: int, tool: str) -> str:
    lines = [text(f"ask.{part}", {"what": text(f"ask.tool.{tool}.{part}")}) for part in PARTS]
    return "\n".join([f"{number}. {text(f'ask.tool.{tool}.name')}", *(f"   - {line}" for line in lines)])


def _again(missing: Sequence[Finding]) -> list[str]:
    """Only what the first export lacked and another one can bring."""
    found = [(_key(finding), finding) for finding in missing]
    asked = [text(key, record_of(finding.record())) for key, finding in found if has_text(key)]
    if not asked:
        return [text("ask.complete"), *([text("ask.nothing")] if found else [])]
    kept_out = _section("not_heading", [text(f"ask.{key}") for key in NOT])
    return [text("ask.opening_again"), _section("missing_heading", asked), kept_out, text("ask.closing")]


def _key(finding: Finding) -> str:
    return f"ask.missing.{finding.claim.split('.')[-1]}"


def _section(heading: str, lines: Sequence[str]) -> str:
    return "\n".join([f"{text(f'ask.{heading}')}:", *(f"- {line}" for line in dict.fromkeys(lines))])
