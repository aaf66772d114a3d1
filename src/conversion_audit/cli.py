"""The `audit` command. Everything heavy is imported by the command that needs it: help is instant."""

from __future__ import annotations

import os
import signal
import sys
from typing import Any

import typer

from conversion_audit import errors
from conversion_audit.commands import audits, clients, runs, terminal  # noqa: F401  each brings its commands
from conversion_audit.commands.app import HEADINGS, app

__all__ = ["HEADINGS", "command", "guarded", "main"]


def command() -> Any:
    """Return the whole command, as it is taken apart by its documentation."""
    return typer.main.get_command(app)


def main() -> None:
    """Run the command line."""
    for stream in (sys.stdout, sys.stderr):
        # A terminal that cannot show a client's name must not end an audit.
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    for name in ("SIGTERM", "SIGHUP"):  # stopped, or its terminal closed; Windows has no such
        number = getattr(signal, name, None)
        if number and signal.getsignal(number) != signal.SIG_IGN:  # nohup wants it to go on
            signal.signal(number, _interrupt)
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
        return terminal.refuse([str(problem) for problem in error.problems], error.exit_code, debug, as_json)
    except (KeyboardInterrupt, typer.Abort):
        words = "interrupted; nothing was published, the last report stands"
        return terminal.refuse([words], errors.INTERRUPTED, False, as_json)
    except BrokenPipeError:
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115, PTH123  the reader is gone, and the interpreter still flushes
        return errors.OK
    except SystemExit as left:
        if not isinstance(left.__context__, BrokenPipeError):
            raise
        return errors.OK  # the same, noticed by typer or rich, whose code 1 would say that somebody is needed
    except Exception as error:
        if _is_usage(error):
            return terminal.refuse([_usage(error)], errors.USAGE, False, as_json)
        from conversion_audit.running.refused import worded

        if refused := worded(error, why=""):
            return terminal.refuse([str(refused)], refused.exit_code, debug, as_json)
        words = f"this is a bug of ours: {type(error).__name__}: {error}\n    See where with: audit --debug ..."
        return terminal.refuse([words], errors.BUG, debug, as_json)


def _usage(error: Any) -> str:
    """What is wrong with the line typed, and where it says how to type it."""
    ctx = getattr(error, "ctx", None)
    told = error.format_message()
    if ctx and "extra argument" in told:
        named = [
            f"{one.opts[0]} {one.metavar}"
            for one in ctx.command.params
            if one.param_type_name == "option" and one.metavar
        ]
        told += f"\n    Options that take a value: {', '.join(named)}" if named else ""
    return f"{told}\n    See: {ctx.command_path if ctx else 'audit'} --help"


def _is_usage(error: Exception) -> bool:
    return hasattr(error, "format_message") and hasattr(error, "exit_code")


def _interrupt(*_: Any) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    main()
