"""
Web-server logs in the combined format of Apache and nginx, plain or gzipped: one line a request.

Follows "Log Files: Combined Log Format" (httpd.apache.org/docs/current/logs.html). What to know of it:

- A visitor is an address and a user agent: many people behind one address are one visitor, and one person on two networks
  is two. It is an estimate, and the report says so. The address itself is never kept: only its hash.
- Pages are successful GET requests of no picture, script, style or font, those too that the browser had kept (304: not
  modified); other requests keep their own name ("asset", "post", "request failed") and are not page views. Bots name
  themselves in the user agent.
- There are no orders, no devices but what the user agent says, and no sessions: they are made by inactivity.
"""

from __future__ import annotations

from pathlib import Path

from conversion_audit import config
from conversion_audit.engine import Engine, Table, statement
from conversion_audit.intake.files import InputFile
from conversion_audit.intake.sources import casting
from conversion_audit.intake.sources.reading import Reading, gather

KIND = "logs"
TITLE = "Web-server logs, combined format"
GIVES = "rows"
NEEDS = ("line",)


def recognises(file: InputFile) -> str | None:
    """Return why this looks like a web server's log, in words, or None."""
    return "its lines are requests to a web server" if file.columns == NEEDS and not file.has_header else None


def read(
    engine: Engine, source: config.Source, files: list[InputFile], *, timezone: str | None, scratch: Path
) -> Table:
    """
    Read a web server's logs.

    Parameters
    ----------
    engine, source, files, timezone, scratch
        See `table.read`. Times name their zone.

    Returns
    -------
    Table
        See `tables.ROWS`; a line of another form is a reject.
    """
    reading = Reading(
        statement(__file__, "mapped", stem="logs.duckdb"),
        {"line": "text"},
        scratch,
        source.salvage,
        columns=casting.MAPPED,
    )
    mapped = gather(engine, files, reading)
    return casting.cast(mapped, casting.Settings(timezone, ".", page_events=("page_view",)))
