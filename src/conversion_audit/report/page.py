"""Chapters and findings -> the one page that is handed over: self-contained, no script, no request, everything escaped."""

from __future__ import annotations

import base64
import colorsys
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from conversion_audit.report import summary
from conversion_audit.report.book import blocks, details, finding_view, findings_first, without_repeats
from conversion_audit.report.formats import formatted, period_text
from conversion_audit.report.markdown import markdown_html
from conversion_audit.report.show import MIME
from conversion_audit.report.voice import ACCENT, Voice, speaking, voice
from conversion_audit.report.wording import as_sentence, as_title
from conversion_audit.report.words import has_text, sentences, text, text_or

if TYPE_CHECKING:
    from jinja2 import Template
    from nbformat import NotebookNode

    from conversion_audit.findings import Finding

HERE = Path(__file__).parent
MOST_BYTES, _AROUND = 1_450_000, 120
_SLUG = re.compile(r"[^0-9a-z]")
_COLOR = re.compile(r"#[0-9a-fA-F]{6}")


def bundles(notebook: NotebookNode | Mapping[str, Any]) -> list[dict[str, Any]]:
    """
    Return what an executed notebook showed, in order.

    Parameters
    ----------
    notebook : NotebookNode
        Executed. Only what `show` displayed is read; with ``audit.export_markdown`` in its metadata (a client's own
        chapter) its Markdown cells after the first heading, too.
    """
    markdown = notebook.get("metadata", {}).get("audit", {}).get("export_markdown", False)
    found = []
    for cell in notebook.get("cells", []):
        for output in cell.get("outputs", []):
            data = output.get("data", {}).get(MIME)
            found += [dict(data)] if data else []
        if markdown and cell.get("cell_type") == "markdown":
            found.append({"kind": "markdown", "text": _without_title(_source(cell))})
    return found


def chapter(
    number: str, name: str, status: str, notebook: NotebookNode | Mapping[str, Any] | None, reason: str = ""
) -> dict[str, Any]:
    """
    Return a chapter as `render` and the exports take it.

    Parameters
    ----------
    number, name : str
        ``"03"`` and ``"03_segment_intent"``.
    status : str
        complete, skipped or failed.
    notebook : NotebookNode or None
        Executed, where it was.
    reason : str
        Why it is not complete, in words.
    """
    return {
        "number": number,
        "name": name,
        "question": _title(notebook) or name[3:].replace("_", " ").capitalize(),
        "status": status,
        "reason": reason,
        "bundles": bundles(notebook) if notebook is not None else [],
    }


def render(chapters: Sequence[Mapping[str, Any]], findings: Sequence[Any], about: Mapping[str, Any]) -> str:
    """
    Return the report as one HTML page.

    Parameters
    ----------
    chapters : list of dict
        From `chapter`: number, question, status, reason, bundles; optional name.
    findings : list of Finding or dict
        Ranked, as they are to be told; own findings and edits of the review included.
    about : mapping
        client, language, locale, currency, site, labels, page_kinds, period {start, end}, only (sessions), prepared_on,
        prepared_for, agency {name, contact, footer, logo, accent}, accent, logo, headline (as in the manifest), detail
        (board or full), trust (sentences), questions (sentences), notes {chapter number: Markdown}, review {hidden,
        orphans}. All but client may be absent.

    Returns
    -------
    str
        The same bytes for the same input: nothing in it knows the time or the machine.
    """
    records = [_record(one) for one in findings]
    with speaking(voice_for(about)):
        plain = _template().render(**_view(_within(chapters, 0), records, about))
        # Narrow pictures for phones fill what room is left.
        room = MOST_BYTES - len(plain.encode("utf-8"))
        return _template().render(**_view(_within(chapters, room), records, about))


def voice_for(about: Mapping[str, Any]) -> Voice:
    """Return the voice of the page; the accent is darkened until text in it can be read on white."""
    agency = about.get("agency") or {}
    return Voice(
        language=about.get("language") or "en",
        locale=(about.get("locale") or "").replace("-", "_"),
        currency=about.get("currency") or "EUR",
        labels=about.get("labels") or {},
        pages=about.get("page_kinds") or (),
        accent=readable(about.get("accent") or agency.get("accent") or ACCENT),
        site=about.get("site") or "",
    )


def readable(color: str, least: float = 5.0) -> str:
    """Return a colour, darkened until its contrast with white is at least `least`."""
    color = color if _COLOR.fullmatch(color) else ACCENT
    red, green, blue = (int(color[n : n + 2], 16) / 255 for n in (1, 3, 5))
    hue, light, saturation = colorsys.rgb_to_hls(red, green, blue)
    while 1.05 / (_luminance(red, green, blue) + 0.05) < least and light > 0:
        light -= 0.01
        red, green, blue = colorsys.hls_to_rgb(hue, max(light, 0), saturation)
    return "#" + "".join(f"{round(part * 255):02x}" for part in (red, green, blue))


def _luminance(*parts: float) -> float:
    linear = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def _record(finding: Finding | Mapping[str, Any]) -> dict[str, Any]:
    return dict(finding) if isinstance(finding, Mapping) else finding.record()


def _view(chapters: list, findings: list[dict[str, Any]], about: Mapping[str, Any]) -> dict[str, Any]:
    agency, period, board = about.get("agency") or {}, about.get("period") or {}, about.get("detail") == "board"
    told = [_chapter_view(one, findings, about, board) for one in chapters]
    return {
        "t": text,
        "css": _css(),
        "language": about.get("language") or "en",
        "accent": readable(about.get("accent") or agency.get("accent") or ACCENT),
        "board": board,
        "client": formatted(about.get("client")),
        "period": period_text(period["start"], period["end"]) if period.get("start") and period.get("end") else "",
        "only": formatted(about.get("only") or ""),
        "prepared_on": formatted(about["prepared_on"], "date") if about.get("prepared_on") else "",
        "prepared_for": about.get("prepared_for") or "",
        "agency": {key: formatted(agency.get(key) or "") for key in ("name", "contact", "footer")},
        "logo": _logo(about.get("logo") or agency.get("logo")),
        "partial": _partial(told),
        "summary": summary.view(findings, about, chapters),
        "chapters": told,
        "methods": _methods(findings),
        "glossary": _glossary(),
        "review": _review(about.get("review") or {}),
    }


def _chapter_view(
    chapter: Mapping[str, Any], findings: list[dict[str, Any]], about: Mapping[str, Any], board: bool
) -> dict[str, Any]:
    number = str(chapter["number"])
    shown, inside = blocks(chapter.get("bundles") or [], findings, number, board)
    return {
        "id": f"chapter-{_SLUG.sub('', number)}",
        "number": number.lstrip("0") or "0",
        "question": text_or(f"chapters.{chapter.get('name')}", "") or formatted(chapter.get("question")),
        "short": text_or(f"chapters.short.{chapter.get('name')}", "") or formatted(chapter.get("question")),
        "status": chapter.get("status", "complete"),
        "reason": formatted(chapter.get("reason") or ""),
        "lead": next((block["text"] for block in shown if block["kind"] == "lead"), ""),
        "blocks": [block for block in shown if block["kind"] != "lead"],
        "details": [] if board else details(chapter.get("bundles") or []),
        "findings_first": findings_first(chapter.get("bundles") or []),
        "findings": without_repeats([finding_view(one) for one in inside]),
        "note": markdown_html((about.get("notes") or {}).get(number, "")),
    }


def _within(chapters: Sequence[Mapping[str, Any]], most: int) -> list[dict[str, Any]]:
    """Return the chapters with narrow pictures as long as they add up to less than this; the others scroll on a phone."""
    told = []
    for one in chapters:
        bundles = []
        for bundle in one.get("bundles") or []:
            most -= len(bundle.get("svg_narrow") or "") + _AROUND
            kept = most >= 0 or "svg_narrow" not in bundle
            bundles.append(bundle if kept else {key: bundle[key] for key in bundle if key != "svg_narrow"})
        told.append({**one, "bundles": bundles})
    return told


def _partial(chapters: list[dict[str, Any]]) -> str:
    broken = [text("page.quoted", {"words": one["question"]}) for one in chapters if one["status"] == "failed"]
    return text("page.partial", {"chapters": ", ".join(broken)}) if broken else ""


def _methods(findings: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the sections of the methods, those on visits or those on totals; paragraphs are separated by an empty line."""
    names = [key.split(".")[1] for key in sentences(voice().language) if re.fullmatch(r"methods\.\w+\.title", key)]
    return [
        {
            "title": text(f"methods.{name}.title"),
            "paragraphs": [part.strip() for part in text(f"methods.{name}.text").split("\n\n")],
        }
        for name in names
        if name.startswith("totals") == summary.only_totals(findings)
    ]


def _glossary() -> list[tuple[str, str]]:
    terms = [key for key in sentences(voice().language) if key.startswith("glossary.") and key.endswith(".term")]
    pairs = [(text(key), text(key.removesuffix("term") + "text")) for key in terms]
    return sorted(pairs, key=lambda pair: pair[0].casefold())


def _review(review: Mapping[str, Any]) -> list[str]:
    """Return what the methods say about the consultant's review."""
    hidden = int(review.get("hidden") or 0)
    said = [text("page.hidden_many" if hidden > 1 else "page.hidden", {"count": hidden})] if hidden else []
    for orphan in review.get("orphans") or []:
        key = "page.orphan" if orphan.get("nearest") else "page.orphan_none"
        said.append(text(key, {"nearest": "", **orphan}))
    return said


def _logo(logo: Any) -> str:
    """Only a picture that stands in the page itself: an address would be a request."""
    allowed = (
        "data:image/png;base64,",
        "data:image/jpeg;base64,",
        "data:image/svg+xml;base64,",
        "data:image/webp;base64,",
    )
    return logo if isinstance(logo, str) and logo.startswith(allowed) else ""


@lru_cache(maxsize=1)
def _css() -> str:
    font = base64.b64encode((HERE / "fonts" / "Inter.woff2").read_bytes()).decode("ascii")
    return (HERE / "template" / "page.css").read_text(encoding="utf-8").replace("INTER_WOFF2", font)


@lru_cache(maxsize=1)
def _template() -> Template:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    folder = FileSystemLoader(HERE / "template")
    environment = Environment(
        loader=folder, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {"as_title": as_title, "as_sentence": as_sentence}
    return environment.get_template("page.html.j2")


def _source(cell: Mapping[str, Any]) -> str:
    source = cell.get("source", "")
    return source if isinstance(source, str) else "".join(source)


def _title(notebook: Mapping[str, Any] | None) -> str:
    """Return the first heading of a notebook."""
    for cell in (notebook or {}).get("cells", []):
        if cell.get("cell_type") == "markdown":
            for line in _source(cell).splitlines():
                if line.startswith("# "):
                    return line[2:].strip()
    return ""


def _without_title(source: str) -> str:
    return "\n".join(line for line in source.splitlines() if not line.startswith("# "))


__all__ = ["bundles", "chapter", "has_text", "readable", "render", "voice_for"]
