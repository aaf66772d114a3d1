"""What a user can meet: four kinds of error, each with its exit code, each listing every problem at once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

OK, NEEDS_YOU, USAGE, LOCKED, DATA, ENVIRONMENT, BUG, INTERRUPTED = 0, 1, 2, 3, 4, 5, 70, 130


@dataclass(frozen=True)
class Problem:
    """
    One thing that is wrong, told so that its reader can mend it.

    Parameters
    ----------
    what : str
        What is wrong, in a few words.
    where : str
        File, line and column as far as they are known, e.g. ``events.csv:12:amount``.
    seen : str
        The value seen, cut at 80 characters; personal data in it are masked where a command refuses.
    why : str
        Why it matters.
    mend : str
        What to type or do.
    """

    what: str
    where: str = ""
    seen: str = ""
    why: str = ""
    mend: str = ""

    def __str__(self) -> str:
        seen = f" (seen: {self.seen[:80]!r})" if self.seen else ""
        where = f"{self.where}: " if self.where else ""
        tail = "".join(f"\n    {line}" for line in (self.why, self.mend) if line)
        return f"{where}{self.what}{seen}{tail}"


class AuditError(Exception):
    """
    An error a user can cause and mend. `exit_code` is what the command line returns.

    Parameters
    ----------
    *problems : str or Problem
        Everything that is wrong, not only the first.
    """

    exit_code = BUG

    def __init__(self, *problems: str | Problem) -> None:
        self.problems = tuple(p if isinstance(p, Problem) else Problem(p) for p in problems)
        super().__init__(str(self))

    def __str__(self) -> str:
        if len(self.problems) == 1:
            return str(self.problems[0])
        return "\n".join(f"- {problem}" for problem in self.problems)


class ConfigError(AuditError):
    """The command or the configuration is wrong."""

    exit_code = USAGE


class LockedError(AuditError):
    """Another run of the same client is under way."""

    exit_code = LOCKED


class DataError(AuditError):
    """The export cannot carry an audit as it is."""

    exit_code = DATA


class MachineError(AuditError):
    """Disk, memory, permissions or an installed program."""

    exit_code = ENVIRONMENT


def closest(name: str, known: Iterable[str]) -> str:
    """Return ``; did you mean 'x'?`` for the closest known name, or nothing."""
    by_lower = {str(k).lower(): str(k) for k in known}
    found = get_close_matches(name.lower(), by_lower, n=1, cutoff=0.6)
    return f"; did you mean {by_lower[found[0]]!r}?" if found else ""


def listing(names: Sequence[str], most: int = 10) -> str:
    """Return the names as one readable line, the rest counted."""
    shown = ", ".join(str(name) for name in names[:most])
    return shown + (f" and {len(names) - most} more" if len(names) > most else "")
