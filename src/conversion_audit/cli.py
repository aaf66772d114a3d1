"""The `audit` command. Everything heavy is imported by the command that needs it: help is instant."""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from conversion_audit import errors

AUDIT, RUNS, DATA, TRY = "Audit a client", "Look at runs", "Move and forget clients", "Try it"
HEADINGS = (AUDIT, RUNS, DATA, TRY)


class Grouped(TyperGroup):
    """Help in plain text, commands under the heading of what they are for. Rich would double the time of `--help`."""

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        for heading in HEADINGS:
            commands = [self.commands[name] for name in self.list_commands(ctx)]
            rows = [(one.name, one.get_short_help_str(200)) for one in commands if one.rich_help_panel == heading]
            with formatter.section(heading):
                formatter.write_dl(rows)


app = typer.Typer(
    name="audit",
    cls=Grouped,
    help="Micro-conversion audits: a raw analytics export in, a client-ready report out.",
    epilog="Exit codes: 0 done, 1 done but needs you, 2 usage or config, 3 locked, 4 data refused, 5 machine, "
    "70 a bug of ours, 130 interrupted.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)

Client = Annotated[str, typer.Argument(help="The client's folder under data/.", show_default=False)]
Json = Annotated[bool, typer.Option("--json", help="Answer with one JSON object, for schedulers.")]
Run = Annotated[str | None, typer.Option(metavar="RUN", help="Id of a run; the newest by default.", show_default=False)]
Start = Annotated[str | None, typer.Option(metavar="DAY", help="First day, e.g. 2026-03-02.", show_default=False)]
End = Annotated[str | None, typer.Option(metavar="DAY", help="Last day.", show_default=False)]
Where = Annotated[
    str | None,
    typer.Option(metavar="COLUMN=VALUE", help="Sessions to look at, e.g. device=mobile.", show_default=False),
]
Memory = Annotated[str | None, typer.Option(metavar="SIZE", help="Memory of the engine, e.g. 4GB.", show_default=False)]


Against = Annotated[
    str | None,
    typer.Option(
        metavar="RUN", help="Run to compare with, or last-year; the newest before by default.", show_default=False
    ),
]


@app.callback()
def _every_command(
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks. May stand anywhere.")] = False,
) -> None:
    pass


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
) -> None:
    """Take in an export and write a first audit.yaml from it."""
    from conversion_audit.new import new_client

    path = new_client(client, source or [], site=site)
    print(f"Wrote {_from_home(path)}. Lines marked # CHECK are guesses.")
    print(f"Next: audit run {client}")


@app.command(rich_help_panel=AUDIT)
def check(client: Client, as_json: Json = False) -> None:
    """Check config, chapters and export without running the chapters: can these numbers be trusted?"""
    from conversion_audit import data_check
    from conversion_audit.audit import open_audit
    from conversion_audit.running import chapters
    from conversion_audit.running.refused import os_errors

    with os_errors():
        audit = open_audit(client)
        planned = chapters.plan(audit.folders, audit.config.report.chapters)
        facts = {str(what): str(value) for what, value in audit.summary["value"].items()}
        checked = data_check.check(audit)
    facts["chapters"] = ", ".join(chapter.name for chapter in planned)
    lines = [*(f"{what:<32} {value}" for what, value in facts.items()), "", *checked.lines]
    status = "needs you" if checked.exit_code else "ok"
    _answer({"client": client, "status": status, **facts, "findings": checked.findings}, lines, as_json)
    raise typer.Exit(checked.exit_code)


@app.command(rich_help_panel=AUDIT)
def ask(
    client: Client,
    tools: Annotated[str, typer.Option(metavar="TOOL,...", help="The client's tools, e.g. ga4,shopify.")] = "",
    language: Annotated[str, typer.Option("--lang", metavar="LANGUAGE", help="en or de.")] = "en",
) -> None:
    """Write the e-mail that asks a client for its export, or for what the first one lacks."""
    from conversion_audit.data_check import request

    print(request(client, [tool.strip() for tool in tools.split(",") if tool.strip()], language), end="")


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
    _answer(published.answer(), _told(published), as_json)
    raise typer.Exit(published.exit_code)


@app.command(rich_help_panel=AUDIT)
def watch(client: Client, as_json: Json = False) -> None:
    """Hold a fresh export to the last run: exit code 1 with the alert where something broke."""
    from datetime import UTC, datetime

    from conversion_audit.running.refused import os_errors
    from conversion_audit.watching import watch_client

    with os_errors():
        seen = watch_client(client, datetime.now(UTC).date())
    _answer(seen.answer(), seen.lines(), as_json)
    raise typer.Exit(seen.exit_code)


@app.command("list", rich_help_panel=RUNS)
def list_clients(as_json: Json = False) -> None:
    """List clients: last run, verdict, age of the data."""
    from dataclasses import asdict
    from datetime import UTC, datetime

    from conversion_audit import runs

    lines = runs.overview(datetime.now(UTC).date())
    if as_json:
        return _answer({"clients": [asdict(line) for line in lines]}, [], True)
    _table(
        ["client", "last run", "verdict", "data until", "age"],
        [[line.client, (line.run or "")[:8], line.verdict, line.data_until or "", line.age] for line in lines],
    )
    return None


@app.command(rich_help_panel=RUNS)
def verify(
    client: Client,
    run: Run = None,
    files_only: Annotated[bool, typer.Option("--files-only", help="Do not count the headline anew.")] = False,
    as_json: Json = False,
) -> None:
    """Hold a run to its manifest: every file's hash, the headline counted anew."""
    from dataclasses import asdict

    from conversion_audit import runs

    found = runs.verify(client, run, files_only=files_only)
    verdict = f"{client} {found.run}: " + ("as published" if not found.differences else "differs")
    _answer(
        {"exit": int(bool(found.differences)), **asdict(found)}, [verdict, *found.differences, *found.notes], as_json
    )
    raise typer.Exit(errors.NEEDS_YOU if found.differences else errors.OK)


@app.command(rich_help_panel=RUNS)
def handover(
    client: Client,
    to: Annotated[Path | None, typer.Option(metavar="ZIP", help="The zip to write.", show_default=False)] = None,
    run: Run = None,
    partial: Annotated[bool, typer.Option("--partial", help="Even if a chapter could not be computed.")] = False,
) -> None:
    """Zip what the client receives: report, workbook, tables; nothing of the evidence."""
    from conversion_audit import archive

    print(_from_home(archive.handover(client, to, run, partial=partial)))


@app.command(rich_help_panel=AUDIT)
def label(
    client: Client,
    size: Annotated[int, typer.Option(min=50, help="How many sessions to draw.")] = 200,
) -> None:
    """Draw unclear sessions to check by hand; filled in, they correct the next run's true conversion rate."""
    from conversion_audit.lists import lay_labels

    path, checked = lay_labels(client, size)
    if checked is None:
        print(f"{_from_home(path)}: fill in could_buy with yes or no, at least 50 of them, then: audit run {client}")
    else:
        told = {name: round(value, 3) for name, value in checked.items()}
        print(f"{_from_home(path)} is used: " + ", ".join(f"{name} {value}" for name, value in told.items()))


@app.command(rich_help_panel=AUDIT)
def audience(
    client: Client,
    name: Annotated[str, typer.Argument(help="As the report names it, e.g. cart_leavers.")],
    raw_ids: Annotated[bool, typer.Option("--raw-ids", help="Yes, with the ids of the export.")] = False,
) -> None:
    """Write one audience with the ids of the export, on this machine only."""
    from conversion_audit.lists import write_audience

    path, people = write_audience(client, name, raw_ids=raw_ids)
    print(f"{_from_home(path)}: {people:,} rows with ids. Delete it when it is uploaded.")


@app.command(rich_help_panel=RUNS)
def explain(
    client: Client,
    reference: Annotated[str, typer.Argument(help="As the report prints it, e.g. funnel_steps or F-3k9.")],
    run: Run = None,
) -> None:
    """Tell what stands behind a figure, a table or a finding of the report."""
    from conversion_audit.explain import explain as explained

    print(explained(client, reference, run))


@app.command("receipt", rich_help_panel=RUNS)
def print_receipt(
    client: Client,
    reference: Annotated[str, typer.Argument(help="A finding of the last audit, e.g. F-3k9.")],
    against: Against = None,
) -> None:
    """Tell on one page what became of a finding: before, after, and what it is worth."""
    from conversion_audit.tickets import receipt_of

    print(receipt_of(client, reference, against), end="")


@app.command(rich_help_panel=RUNS)
def sql(
    client: Client,
    query: Annotated[
        str,
        typer.Argument(help="One SELECT, e.g. 'SELECT device, count(*) FROM sessions GROUP BY 1'."),
    ],
    csv: Annotated[bool, typer.Option("--csv", help="Print CSV instead of a table.")] = False,
) -> None:
    """Ask the client's prepared tables a question of your own."""
    from conversion_audit.ask_sql import answer

    frame = answer(client, query)
    if csv:
        print(frame.to_csv(index=False, lineterminator="\n"), end="")
    else:
        _table([str(name) for name in frame.columns], frame.head(200).astype("string").fillna("").values.tolist())


@app.command(rich_help_panel=DATA)
def pack(
    client: Client,
    to: Annotated[Path, typer.Option(metavar="ZIP", help="The zip to write.", show_default=False)],
    raw: Annotated[bool, typer.Option(help="With the export.")] = True,
) -> None:
    """Zip a whole client for a colleague: config, export, notes and runs."""
    from conversion_audit import archive

    print(archive.pack(client, to, raw=raw))


@app.command(rich_help_panel=DATA)
def unpack(
    path: Annotated[Path, typer.Argument(help="A zip that `audit pack` wrote.", show_default=False)],
) -> None:
    """Take in a client that a colleague packed."""
    from conversion_audit import archive

    print(f"Unpacked {archive.unpack(path)}.")


@app.command(rich_help_panel=DATA)
def forget(
    client: Client,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Remove everything of a client: its data and its reports."""
    from conversion_audit import runs

    if not yes and not _confirmed(client):
        raise errors.ConfigError(
            errors.Problem("nothing was removed", f"data/{client}", mend=f"Confirm with: audit forget {client} --yes")
        )
    for folder in runs.forget(client):
        print(f"Removed {folder}.")
    _write_index()


@app.command(rich_help_panel=TRY)
def demo(
    leads: Annotated[bool, typer.Option("--leads", help="The site that collects leads instead of the shop.")] = False,
    later: Annotated[bool, typer.Option("--later", help="Also the eight weeks that follow.")] = False,
) -> None:
    """Write a demo client's export, if it is not there."""
    from conversion_audit import demos

    client, written = demos.bring("leads" if leads else "shop", later=later)
    print(f"data/{client} {'is written' if written else 'is there'}. Next: audit run {client}")


def command() -> Any:
    """Return the whole command, as it is taken apart by its documentation."""
    return typer.main.get_command(app)


def main() -> None:
    """Run the command line."""
    for stream in (sys.stdout, sys.stderr):
        # A terminal that cannot show a client's name must not end an audit.
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    signal.signal(signal.SIGTERM, _interrupt)
    sys.exit(guarded(sys.argv[1:]))


def guarded(arguments: list[str]) -> int:
    """
    Run a command and return its exit code; whatever a user can cause is one message, never a traceback.

    Parameters
    ----------
    arguments : list of str
        What follows ``audit``.
    """
    debug, as_json = "--debug" in arguments, "--json" in arguments
    if debug:
        arguments = ["--debug", *(one for one in arguments if one != "--debug")]
    try:
        code = app(args=arguments, prog_name="audit", standalone_mode=False) or errors.OK
        if code != errors.INTERRUPTED:
            return code
        raise KeyboardInterrupt  # typer has turned it into a code already, without a word
    except errors.AuditError as error:
        return _refuse([str(problem) for problem in error.problems], error.exit_code, debug, as_json)
    except (KeyboardInterrupt, typer.Abort):
        words = "interrupted; nothing was published, the last report stands"
        return _refuse([words], errors.INTERRUPTED, False, as_json)
    except BrokenPipeError:
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115, PTH123  the reader is gone, and the interpreter still flushes
        return errors.OK
    except Exception as error:
        if _is_usage(error):
            return _refuse([error.format_message()], errors.USAGE, False, as_json)  # type: ignore[attr-defined]
        words = f"this is a bug of ours: {type(error).__name__}: {error}\n    See where with: audit --debug ..."
        return _refuse([words], errors.BUG, debug, as_json)


def _is_usage(error: Exception) -> bool:
    return hasattr(error, "format_message") and hasattr(error, "exit_code")


def _refuse(problems: list[str], code: int, debug: bool, as_json: bool) -> int:
    if debug:
        import traceback

        traceback.print_exc()
    if as_json:
        print(json.dumps({"status": "error", "exit": code, "errors": problems}, ensure_ascii=False))
    else:
        for problem in problems:
            print(f"audit: {problem}", file=sys.stderr)
    return code


def _interrupt(*_: Any) -> None:
    raise KeyboardInterrupt


def _answer(answer: dict[str, Any], lines: list[str], as_json: bool) -> None:
    if as_json:
        print(json.dumps(answer, ensure_ascii=False))
    else:
        print("\n".join(lines))


def _chosen(named: list[str], every: bool) -> list[str]:
    from conversion_audit.folders import clients

    if every == bool(named):
        raise errors.ConfigError(
            errors.Problem(
                "name clients, or say --all", mend="E.g. audit run acme, audit run acme globex, audit run --all"
            )
        )
    chosen = clients() if every else list(dict.fromkeys(named))
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
        print(f"{count} of {len(clients)}: {ended.client}: {ended.words}", file=sys.stderr, flush=True)

    ended = batch.run_all(clients, options, jobs, told)
    code = batch.exit_code(ended)
    page = _write_index()
    bad = [one for one in ended if one.exit_code]
    lines = [f"{len(ended) - len(bad)} of {len(ended)} clients are right. All runs: {page}"]
    lines += [f"{one.client} (exit {one.exit_code}): {one.words}" for one in bad]
    answers = [{"client": one.client, "exit": one.exit_code, **one.answer} for one in ended]
    _answer({"exit": code, "index": page, "clients": answers}, lines, as_json)
    return code


def _write_index() -> str:
    from datetime import UTC, datetime

    from conversion_audit.index import write_index

    return _from_home(write_index(datetime.now(UTC).date()))


def _told(published: Any) -> list[str]:
    lines = [f"{one['name']} {one['status']}: {one['reason']}" for one in published.chapters if one["reason"]]
    if published.status != "complete":
        lines.append("The report is partial and says so on its first page.")
    return [*lines, f"Report: {_from_home(published.report)}"]


def _from_home(path: Path) -> str:
    from conversion_audit.folders import home

    resolved = path.resolve()
    return os.path.relpath(resolved) if resolved.is_relative_to(home()) else str(path)


def _given(option: str, value: str | None) -> list[str]:
    return [option, value] if value else []


def _confirmed(client: str) -> bool:
    if not sys.stdin.isatty():
        return False
    return input(f"Type the client's name to remove everything of it ({client}): ").strip() == client


def _table(head: list[str], rows: list[list[Any]]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in head:
        table.add_column(Text(name), overflow="fold")
    for row in rows:
        table.add_row(*(Text(str(cell)) for cell in row))
    Console(width=None if sys.stdout.isatty() else 160).print(table)


if __name__ == "__main__":
    main()
