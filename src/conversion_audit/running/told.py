"""What became of each chapter of a run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nbformat import NotebookNode

COMPLETE, SKIPPED, FAILED = "complete", "skipped", "failed"


@dataclass(frozen=True)
class Told:
    """A chapter after its turn: its status, the reason when it is not complete, and the executed notebook."""

    number: str
    name: str
    status: str
    reason: str = ""
    absent: tuple[str, ...] = ()
    notebook: NotebookNode | None = None

    def record(self) -> dict[str, Any]:
        """Return what the manifest keeps."""
        return {"name": self.name, "status": self.status, "reason": self.reason or None}
