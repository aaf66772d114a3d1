"""Move and forget clients, and try it: pack, unpack, forget, demo."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from conversion_audit import errors
from conversion_audit.commands import terminal
from conversion_audit.commands.app import DATA, TRY, Client, app


@app.command(rich_help_panel=DATA)
def pack(
    client: Client,
    to: Annotated[Path, typer.Option(metavar="ZIP", help="The zip to write, or a folder for it.", show_default=False)],
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
    terminal.write_index()


@app.command(rich_help_panel=DATA)
def forget(
    client: Client,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Remove everything of a client: its data and its reports."""
    from conversion_audit import runs

    if not yes and not terminal.confirmed(client):
        raise errors.ConfigError(
            errors.Problem("nothing was removed", f"data/{client}", mend=f"Confirm with: audit forget {client} --yes")
        )
    for folder in runs.forget(client):
        print(f"Removed {folder}.")
    terminal.write_index()


@app.command(rich_help_panel=TRY)
def demo(
    leads: Annotated[bool, typer.Option("--leads", help="The site that collects leads instead of the shop.")] = False,
    later: Annotated[bool, typer.Option("--later", help="Also the eight weeks that follow.")] = False,
) -> None:
    """Write a demo client's export, if it is not there."""
    from conversion_audit import demos

    client, written = demos.bring("leads" if leads else "shop", later=later)
    print(f"data/{client} {'is written' if written else 'is there'}. Next: audit run {client}")
