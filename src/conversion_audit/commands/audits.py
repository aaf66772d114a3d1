"""Audit a client: new, check, ask, run, watch, label, audience."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any

import typer

from conversion_audit import errors
from conversion_audit.commands import terminal
from conversion_audit.commands.app import AUDIT, Against, Client, End, Json, Memory, Start, Where, app


@app.command(rich_help_panel=AUDIT)
def new(
    client: Client,
    source: Annotated[
        list[Path] | None,
        typer.Option(
            "--from",
            metavar="PATH",
            help="The export: files or folders. Not needed where data/CLIENT/raw holds it.",
            show_default=False,
        ),
    ] = None,
    site: Annotated[
        str | None, typer.Option(metavar="KIND", help="shop, leads, subscription, content or app.", show_default=False)
    ] = None,
    columns: Annotated[
        str,
        typer.Option(
            metavar="TARGET=COLUMN,...", help="Columns whose headings do not tell, e.g. time=Created at,event=Action."
        ),
    ] = "",
) -> None:
    """Take in an export and write a first audit.yaml from it."""
    from conversion_audit.new import new_client

    path = new_client(client, source or [], site=site, columns=columns)
    print(f"Wrote {terminal.from_home(path)}. Lines marked # CHECK are guesses.")
    print(f"Next: audit run {client}")


@app.command(rich_help_panel=AUDIT)
def check(client: Client, as_json: Json = False) -> None:
    """Check config, chapters and export without running the chapters: can these numbers be trusted?"""
    from conversion_audit import data_check, pen
    from conversion_audit.audit import open_audit
    from conversion_audit.running import chapters
    from conversion_audit.running.refused import os_errors

    with os_errors():
        audit = open_audit(client)
        planned = chapters.plan(audit.folders, audit.config.report.chapters)
        pen.require_shown(audit.folders)
        checked = data_check.check(audit)
        facts = {str(what): str(value) for what, value in audit.summary["value"].items()}
    facts["chapters"] = ", ".join(chapter.name for chapter in planned)
    lines = [*(f"{what:<32} {value}" for what, value in facts.items()), "", *checked.lines]
    status = "needs you" if checked.exit_code else "ok"
    told = {"client": client, "status": status, **facts, "findings": checked.findings, "unseen": checked.unseen}
    terminal.answer(told, lines, as_json)
    raise typer.Exit(checked.exit_code)


@app.command(rich_help_panel=AUDIT)
def ask(
    client: Client,
    tools: Annotated[str, typer.Option(metavar="TOOL,...", help="The client's tools, e.g. ga4,shopify.")] = "",
    language: Annotated[str, typer.Option("--lang", metavar="LANGUAGE", help="en or de.")] = "en",
) -> None:
    """Write the e-mail that asks a client for its export, or for what the first one lacks."""
    from conversion_audit.data_check import request

    terminal.say(request(client, [tool.strip() for tool in tools.split(",") if tool.strip()], language), end="")


@app.command(rich_help_panel=AUDIT)
def run(
    clients: Annotated[list[str] | None, typer.Argument(help="One client or several.", show_default=False)] = None,
    every: Annotated[bool, typer.Option("--all", help="Every client under data/.")] = False,
    start: Start = None,
    end: End = None,
    where: Where = None,
    resume: Annotated[bool, typer.Option("--resume", help="Leave clients whose last run is right as it is.")] = False,
    pdf: Annotated[bool, typer.Option("--pdf", help="Also print the report (needs Chromium).")] = False,
    jobs: Annotated[
        int | None,
        typer.Option(min=1, metavar="N", help="Chapters, or clients, at the same time.", show_default="as the cores"),
    ] = None,
    memory: Memory = None,
    against: Against = None,
    as_json: Json = False,
) -> None:
    """Audit clients: export in, report out."""
    if memory:
        os.environ["AUDIT_MEMORY"] = memory
    if against:
        os.environ["AUDIT_AGAINST"] = against
    chosen = _chosen(clients or [], every)
    if len(chosen) > 1 or every:
        options = [*_given("--start", start), *_given("--end", end), *_given("--where", where)]
        options += ["--resume"] * resume + ["--pdf"] * pdf
        raise typer.Exit(_run_many(chosen, options, jobs, as_json))
    from conversion_audit.runner import Asked
    from conversion_audit.runner import run as run_one
    from conversion_audit.running.progress import progress

    more = {} if jobs is None else {"jobs": jobs}
    asked = Asked(start=start, end=end, where=where, pdf=pdf, resume=resume, **more)
    with progress(chosen[0]) as display:
        published = run_one(chosen[0], asked, display)
    terminal.write_index()
    terminal.answer(published.answer(), _told(published), as_json)
    raise typer.Exit(published.exit_code)


@app.command(rich_help_panel=AUDIT)
def watch(client: Client, as_json: Json = False) -> None:
    """Hold a fresh export to the last run: exit code 1 with the alert where something broke."""
    from datetime import UTC, datetime

    from conversion_audit.running.refused import os_errors
    from conversion_audit.watching import watch_client

    with os_errors():
        seen = watch_client(client, datetime.now(UTC).date())
    terminal.answer(seen.answer(), seen.lines(), as_json)
    raise typer.Exit(seen.exit_code)


@app.command(rich_help_panel=AUDIT)
def label(
    client: Client,
    size: Annotated[int, typer.Option(min=50, help="How many sessions to draw.")] = 200,
) -> None:
    """Draw unclear sessions to check by hand; filled in, they correct the next run's true conversion rate."""
    from conversion_audit.lists import lay_labels

    path, checked = lay_labels(client, size)
    if checked is None:
        print(
            f"{terminal.from_home(path)}: fill in could_buy with yes or no, at least 50 of them, then: audit run {client}"
        )
    else:
        told = {name: round(value, 3) for name, value in checked.items()}
        print(f"{terminal.from_home(path)} is used: " + ", ".join(f"{name} {value}" for name, value in told.items()))


@app.command(rich_help_panel=AUDIT)
def audience(
    client: Client,
    name: Annotated[str, typer.Argument(help="As the report names it, e.g. cart_leavers.")],
    raw_ids: Annotated[bool, typer.Option("--raw-ids", help="Yes, with the ids of the export.")] = False,
) -> None:
    """Write one audience with the ids of the export, on this machine only."""
    from conversion_audit.lists import write_audience

    path, people = write_audience(client, name, raw_ids=raw_ids)
    print(f"{terminal.from_home(path)}: {people:,} rows with ids. Delete it when it is uploaded.")


def _chosen(named: list[str], every: bool) -> list[str]:
    from conversion_audit.folders import clients

    if every == bool(named):
        raise errors.ConfigError(
            errors.Problem(
                "name clients, or say --all", mend="E.g. audit run acme, audit run acme globex, audit run --all"
            )
        )
    chosen = clients() if every else list(dict.fromkeys(named))
    if every:
        terminal.tell_strangers()
    if not chosen:
        raise errors.ConfigError(
            errors.Problem(
                "there are no clients yet", "data/", mend="Make one with: audit new acme --from PATH-TO-EXPORT"
            )
        )
    return chosen


def _run_many(clients: list[str], options: list[str], jobs: int | None, as_json: bool) -> int:
    from conversion_audit import batch

    def told(ended: batch.Ended, count: int) -> None:
        terminal.say(f"{count} of {len(clients)}: {ended.client}: {ended.words}", error=True)

    ended = batch.run_all(clients, options, jobs, told)
    code = batch.exit_code(ended)
    page = terminal.write_index()
    bad = [one for one in ended if one.exit_code]
    lines = [f"{len(ended) - len(bad)} of {len(ended)} clients are right. All runs: {page}"]
    lines += [f"{one.client} (exit {one.exit_code}): {one.words}" for one in bad]
    answers = [{"client": one.client, "exit": one.exit_code, **one.answer} for one in ended]
    terminal.answer({"exit": code, "index": page, "clients": answers}, lines, as_json)
    return code


def _told(published: Any) -> list[str]:
    lines = [f"{one['name']} {one['status']}: {one['reason']}" for one in published.chapters if one["reason"]]
    if published.status != "complete":
        lines.append("The report is partial and says so on its first page.")
    return [*lines, f"Report: {terminal.from_home(published.report)}"]


def _given(option: str, value: str | None) -> list[str]:
    return [option, value] if value else []
