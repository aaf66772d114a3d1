"""Where everything of a client lives, and which names a client may have."""

from __future__ import annotations

import os
import re
import unicodedata
from dataclasses import dataclass
from pathlib import Path

from conversion_audit.errors import ConfigError, Problem, closest, listing

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")
_RESERVED = {"con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(1, 10))}


def home() -> Path:
    """Return the folder that holds ``data/`` and ``reports/``: AUDIT_HOME, else the repository."""
    named = os.environ.get("AUDIT_HOME")
    return Path(named).resolve() if named else Path(__file__).resolve().parents[2]


def notebooks() -> Path:
    """Return the folder of the numbered notebooks."""
    return Path(__file__).resolve().parents[2] / "notebooks"


@dataclass(frozen=True)
class Folders:
    """
    The folders of one client.

    Parameters
    ----------
    client : str
        One part of a path: lower-case letters, digits, ``-`` and ``_``.

    Raises
    ------
    ConfigError
        If the name is not allowed, or its folder is a link that leads elsewhere.
    """

    client: str

    def __post_init__(self) -> None:
        name = self.client
        if not is_name(name):
            raise ConfigError(
                Problem(
                    "not a client name",
                    seen=ascii(name)[1:-1],
                    why="A client's name becomes a folder under data/ and reports/.",
                    mend="Use up to 63 of a-z, 0-9, '-' and '_', starting with a letter or digit, e.g. acme-shop.",
                )
            )
        for parent in ("data", "reports"):
            if (home() / parent / name).resolve() != (home() / parent).resolve() / name:
                raise ConfigError(
                    Problem(
                        "the client's folder is a link that leads elsewhere",
                        f"{parent}/{name}",
                        why="Clients are kept apart by their folders.",
                        mend="Replace the link by a real folder.",
                    )
                )

    @property
    def data(self) -> Path:
        """``data/<client>``: what the client sent, and what we know of them."""
        return home() / "data" / self.client

    @property
    def raw(self) -> Path:
        """The export. Read only."""
        return self.data / "raw"

    @property
    def prepared(self) -> Path:
        """Derived tables. Disposable."""
        return self.data / "prepared"

    @property
    def lists(self) -> Path:
        """Audiences with the ids of the export; they stay on this machine."""
        return self.data / "audiences"

    @property
    def config(self) -> Path:
        """The client's audit.yaml."""
        return self.data / "audit.yaml"

    @property
    def reports(self) -> Path:
        """All runs of the client."""
        return home() / "reports" / self.client

    def left(self) -> list[Path]:
        """Return what a killed ``audit new`` or ``audit unpack`` of the client left beside its folder."""
        ours = re.compile(rf"\.(new-{self.client}-[a-z0-9_]+|unpack-{self.client})")
        return sorted(path for path in self.data.parent.glob(".*") if ours.fullmatch(path.name))

    def existing(self) -> Folders:
        """Return self, or say which clients there are."""
        if not self.config.is_file():
            known, new = clients(), f"audit new {self.client}"
            has_export = self.raw.is_dir() and any(self.raw.iterdir())
            raise ConfigError(
                Problem(
                    f"there is no client {self.client!r}{closest(self.client, known)}",
                    f"data/{self.client}/audit.yaml",
                    why=f"Clients here: {listing(known) or 'none yet'}.",
                    mend=f"Its export lies there; write its audit.yaml with: {new}"
                    if has_export
                    else f"Make it with: {new} --from PATH-TO-EXPORT",
                )
            )
        return self

    def relative(self, path: Path) -> str:
        """Return a path as it may be shown: relative to the client's folder, else its name only."""
        try:
            return path.relative_to(self.data).as_posix()
        except ValueError:
            return path.name


def clients() -> list[str]:
    """Return the names of all clients that have an audit.yaml."""
    return [name for name in _configured() if is_name(name)]


def strangers() -> list[str]:
    """Return the folders that have an audit.yaml under a name that no client may have."""
    return [name for name in _configured() if not is_name(name)]


def is_name(text: str) -> bool:
    """Return whether a client may be called so."""
    return unicodedata.normalize("NFKC", text) == text and bool(_NAME.fullmatch(text)) and text not in _RESERVED


def _configured() -> list[str]:
    return sorted(path.parent.name for path in (home() / "data").glob("*/audit.yaml"))
