"""Look at runs: list, verify, handover, explain, receipt, sql."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from conversion_audit import errors
from conversion_audit.commands import terminal
from conversion_audit.commands.app import RUNS, Against, Client, End, Json, Run, Start, Where, app

if TYPE_CHECKING:
    import pandas as pd


@app.command("list", rich_help_panel=RUNS)
def list_clients(as_json: Json = False) -> None:
    """List clients: last run, verdict, age of the data."""
    from dataclasses import asdict
    from datetime import UTC, datetime

    from conversion_audit import runs

    lines = runs.overview(datetime.now(UTC).date())
    terminal.tell_strangers()
    if as_json:
        return terminal.answer({"clients": [asdict(line) for line in lines]}, [], True)
    terminal.table(
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
    terminal.answer(
        {"exit": int(bool(found.differences)), **asdict(found)}, [verdict, *found.differences, *found.notes], as_json
    )
    raise typer.Exit(errors.NEEDS_YOU if found.differences else errors.OK)


@app.command(rich_help_panel=RUNS)
def handover(
    client: Client,
    to: Annotated[
        Path | None, typer.Option(metavar="ZIP", help="The zip to write, or a folder for it.", show_default=False)
    ] = None,
    run: Run = None,
    partial: Annotated[bool, typer.Option("--partial", help="Even if a chapter could not be computed.")] = False,
) -> None:
    """Zip what the client receives: report, workbook, tables; nothing of the evidence."""
    from conversion_audit import archive

    print(terminal.from_home(archive.handover(client, to, run, partial=partial)))


@app.command(rich_help_panel=RUNS)
def explain(
    client: Client,
    reference: Annotated[str, typer.Argument(help="As the report prints it, e.g. funnel or F-3k9.")],
    run: Run = None,
) -> None:
    """Tell what stands behind a figure, a table or a finding of the report."""
    from conversion_audit.explain import explain as explained

    terminal.say(explained(client, reference, run))


@app.command("receipt", rich_help_panel=RUNS)
def print_receipt(
    client: Client,
    reference: Annotated[str, typer.Argument(help="A finding of the last audit, e.g. F-3k9.")],
    against: Against = None,
) -> None:
    """Tell on one page what became of a finding: before, after, and what it is worth."""
    from conversion_audit.tickets import receipt_of

    terminal.say(receipt_of(client, reference, against), end="")


@app.command(rich_help_panel=RUNS)
def sql(
    client: Client,
    table: Annotated[
        str | None,
        typer.Argument(metavar="[TABLE|SELECT]", help="E.g. funnel; without one, all there are.", show_default=False),
    ] = None,
    dialect: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Of a table: duckdb, bigquery or spark.", show_default="duckdb"),
    ] = None,
    dataset: Annotated[
        str | None,
        typer.Option(metavar="PROJECT.DATASET", help="Where GA4's events_* lie in BigQuery.", show_default=False),
    ] = None,
    start: Start = None,
    end: End = None,
    where: Where = None,
    csv: Annotated[bool, typer.Option("--csv", help="Rows of a SELECT as CSV instead of a table.")] = False,
) -> None:
    """Print the query behind a table, ready for a console; or answer a SELECT on the prepared tables."""
    from conversion_audit import ask_sql, behind

    if table is None and dialect in (None, "duckdb"):
        print("\n".join(behind.tables(client)))
    elif table is None:
        print(behind.reductions(client, dialect or "", dataset, start, end))
    elif not ask_sql.is_select(table):
        print(behind.query_behind(client, table, dialect or "duckdb", start, end, where))
    else:
        _answered(ask_sql.answer(client, table, start, end, where), csv)


def _answered(frame: pd.DataFrame, csv: bool) -> None:
    if csv:
        from conversion_audit.report.export import csv_bytes

        print(
            csv_bytes(list(frame.columns), frame.itertuples(index=False)).decode("utf-8").removeprefix("\ufeff"), end=""
        )
    else:
        rows = frame.head(200).astype("string").fillna("").values.tolist()
        terminal.table([str(name) for name in frame.columns], rows)
