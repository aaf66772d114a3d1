"""The command as a whole: its headings, its help, and the options that several commands share."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from typer.core import TyperGroup

import conversion_audit

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


def _version(asked: bool) -> None:
    if asked:
        print(f"audit {conversion_audit.__version__}")
        raise typer.Exit


@app.callback()
def _every_command(
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks. May stand anywhere.")] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Say which version this is.")
    ] = False,
) -> None:
    pass
