"""Chapters: which notebooks a client's audit has, and each one executed by Papermill, strictly."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from conversion_audit.errors import ConfigError, MachineError, Problem, closest
from conversion_audit.folders import Folders, notebooks
from conversion_audit.running.kernels import ENGINE, Kernels, Place

if TYPE_CHECKING:
    from nbformat import NotebookNode

# nbformat's schema checker would build a grammar for internationalised addresses at import: 1.5 s that no notebook needs.
sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]

_NUMBERED = "[0-9][0-9]_*.ipynb"
_OUT_OF_MEMORY = ("MemoryError", "OutOfMemoryException", "ArrowMemoryError")
_NO_SPACE = ("No space left on device", "Disk quota exceeded", "File too large")


@dataclass(frozen=True)
class Chapter:
    """
    One numbered notebook.

    Parameters
    ----------
    path : Path
        The notebook. Its name is ``NN_verb_noun``.
    needs : tuple of str
        The tables without which it has nothing to say; ``a or b`` where one of the two is enough.
    parameters : frozenset of str
        The names in its cell tagged ``parameters``.
    """

    path: Path
    needs: tuple[str, ...]
    parameters: frozenset[str]

    @property
    def name(self) -> str:
        """Its file's name without the ending, e.g. ``03_segment_intent``."""
        return self.path.stem

    @property
    def number(self) -> str:
        """The two digits that order it."""
        return self.name[:2]


class ChapterFailed(Exception):
    """
    A chapter's own code raised; the other chapters stand.

    Parameters
    ----------
    chapter : Chapter
        Which one.
    cell : int
        Its cell, counted from 1 as JupyterLab shows them.
    line : str
        The last line of that cell.
    reason : str
        The exception's name and text.
    """

    def __init__(self, chapter: Chapter, cell: int, line: str, reason: str) -> None:
        self.chapter, self.cell, self.line, self.reason = chapter, cell, line, reason
        super().__init__(f"{chapter.name}, cell {cell} ({line!r}): {reason}")


def plan(folders: Folders, only: Sequence[str] = ()) -> list[Chapter]:
    """
    Return the client's chapters in order.

    A notebook under ``data/<client>/notebooks/`` replaces the chapter of its number, or adds one.

    Parameters
    ----------
    folders : Folders
        The client's.
    only : sequence of str
        Numbers or names of the chapters wanted; empty: all.

    Raises
    ------
    ConfigError
        If a wanted chapter does not exist, a notebook is not one of ours, or one of the client's own would be passed over.
    """
    chosen = list(there(folders).values())
    if only:
        unknown = [name for name in only if not any(name in (path.stem, path.name[:2]) for path in chosen)]
        if unknown:
            known = ", ".join(path.stem for path in chosen)
            raise ConfigError(
                *(Problem(f"there is no chapter {name!r}", mend=f"Chapters here: {known}") for name in unknown)
            )
        chosen = [path for path in chosen if path.stem in only or path.name[:2] in only]
    return [read(path) for path in chosen]


def there(folders: Folders) -> dict[str, Path]:
    """Return every notebook of a client's audit by its number, in order; raises as `plan` for those passed over."""
    paths = {path.name[:2]: path for path in notebooks().glob(_NUMBERED)} | _own(folders)
    return {number: paths[number] for number in sorted(paths)}


def _own(folders: Folders) -> dict[str, Path]:
    """Return the client's own chapters by number. What starts with no digit is somebody's scratch paper."""
    own: dict[str, Path] = {}
    problems = []
    for path in sorted((folders.data / "notebooks").glob("[0-9]*.ipynb")):
        number, where = path.name[:2], folders.relative(path)
        if not path.match(_NUMBERED):
            what, mend = "is no name of a chapter", "Name it with two digits and _, e.g. 08_my_question.ipynb."
            problems.append(Problem(f"{what}: it would be passed over", where, mend=mend))
        elif number in own:
            what, mend = (
                f"has the number of {own[number].name}",
                "Give one another number, or move it out of this folder.",
            )
            problems.append(Problem(f"{what}: one would be passed over", where, mend=mend))
        own[number] = path
    if problems:
        raise ConfigError(*problems)
    return own


def read(path: Path) -> Chapter:
    """
    Read what a notebook declares.

    Raises
    ------
    ConfigError
        If it is not a notebook, has no cell tagged ``parameters``, that cell declares no ``client``, or it needs a table
        that there is not.
    """
    import nbformat
    import papermill

    from conversion_audit.audit import KNOWN

    try:
        notebook = nbformat.read(path, as_version=4)
    except Exception as error:
        raise ConfigError(Problem("not a readable notebook", path.name, why=str(error)[:200])) from None
    declared = frozenset(papermill.inspect_notebook(str(path)))
    if "client" not in declared:
        raise ConfigError(
            Problem(
                "declares no parameter 'client'",
                path.name,
                why="Without a cell tagged 'parameters' that sets client, the notebook would read another client's data.",
                mend="Tag its second cell 'parameters' and write there: client: str = \"demo\"",
            )
        )
    needs = notebook.metadata.get("audit", {}).get("needs", [])
    absent = [name for need in needs for name in need.split(" or ") if name not in KNOWN]
    if absent:
        what, mend = f"needs {absent[0]!r}, which is no table{closest(absent[0], KNOWN)}", f"Tables: {', '.join(KNOWN)}"
        raise ConfigError(Problem(what, path.name, mend=mend))
    return Chapter(path, tuple(needs), declared)


def execute(
    chapter: Chapter,
    parameters: Mapping[str, Any],
    output: Path,
    kernels: Kernels,
    on_cell: Callable[[int, int], None] = lambda done, total: None,
    timeout: int = 3600,
) -> NotebookNode:
    """
    Execute a chapter in a kernel of its own.

    Parameters
    ----------
    chapter : Chapter
        What to execute.
    parameters : mapping
        Values for its parameters; None means that the notebook's own default holds.
    output : Path
        Where the executed notebook is written, also when it failed.
    kernels : Kernels
        The run's.
    on_cell : callable, optional
        Called with the number of cells done and of all cells.
    timeout : int, optional
        Seconds that one cell may take.

    Returns
    -------
    NotebookNode
        As executed.

    Raises
    ------
    ConfigError
        If a value is given for a parameter that the notebook does not declare.
    ChapterFailed
        If its code raised or left early.
    MachineError
        If its kernel died, could not start, took too long, or memory or disk ran out.
    """
    import nbformat
    import papermill

    given = {name: value for name, value in parameters.items() if value is not None}
    unknown = sorted(set(given) - chapter.parameters)
    if unknown:
        raise ConfigError(
            Problem(
                f"does not declare the parameter {unknown[0]!r}",
                chapter.path.name,
                why="Papermill would pass over it, and the chapter would answer another question than was asked.",
                mend=f"Its parameters: {', '.join(sorted(chapter.parameters))}",
            )
        )
    place = Place(on_cell)
    try:
        done = papermill.execute_notebook(
            str(chapter.path),
            str(output),
            parameters=given,
            engine_name=ENGINE,
            kernel_name="python3",
            progress_bar=False,
            request_save_on_cell_execute=False,
            autosave_cell_every=0,
            execution_timeout=timeout,
            start_timeout=180,
            place=place,
            kernels=kernels,
        )
    except Exception as error:
        raise _worded(chapter, place, error, timeout) from error
    _require_complete(chapter, nbformat.from_dict(done))
    return done


def executed(path: Path) -> NotebookNode:
    """Return an executed notebook as it was saved."""
    import nbformat

    return nbformat.read(path, as_version=4)


def last_line(source: str) -> str:
    """Return the last line of a cell that says something."""
    lines = [line.strip() for line in source.splitlines() if line.strip()]
    return lines[-1][:120] if lines else ""


def _worded(chapter: Chapter, place: Place, error: Exception, timeout: int) -> Exception:
    from jupyter_client.kernelspec import NoSuchKernel
    from nbclient.exceptions import CellTimeoutError, DeadKernelError
    from papermill.exceptions import PapermillExecutionError

    at = f"{chapter.name}, cell {place.cell}"
    why = f"The cell ends with: {last_line(place.source)}"
    if isinstance(error, PapermillExecutionError):
        if error.ename in _OUT_OF_MEMORY or any(text in error.evalue for text in _NO_SPACE):
            mend = "Give it less to hold at once: --memory 2GB, --jobs 1, or a shorter period with --start and --end."
            return MachineError(Problem(f"{error.ename}: {error.evalue[:200]}", at, why=why, mend=mend))
        return ChapterFailed(chapter, place.cell, last_line(place.source), f"{error.ename}: {error.evalue}"[:2000])
    if isinstance(error, CellTimeoutError):
        mend = "Set AUDIT_CELL_TIMEOUT to more seconds, or shorten the period with --start and --end."
        return MachineError(Problem(f"took longer than {timeout} seconds", at, why=why, mend=mend))
    if isinstance(error, DeadKernelError):
        mend = "Close other programs, or use --memory 2GB or --jobs 1; then run this again."
        return MachineError(Problem("the kernel stopped (out of memory?)", at, why=why, mend=mend))
    if isinstance(error, NoSuchKernel):
        mend = "Install it with: python -m ipykernel install --user"
        return MachineError(Problem("the kernel 'python3' is not installed", chapter.name, mend=mend))
    if isinstance(error, RuntimeError) and "Kernel" in str(error):
        mend = "Try again; if it stays so: python -m ipykernel install --user"
        return MachineError(Problem(f"the kernel did not start: {error}", chapter.name, mend=mend))
    return error


def _require_complete(chapter: Chapter, notebook: NotebookNode) -> None:
    """A cell that called sys.exit, or never ran, is no success, whatever Papermill returns."""
    number = 0
    for cell in notebook.cells:
        number += "injected-parameters" not in cell.metadata.get("tags", [])
        if cell.cell_type != "code" or not cell.source.strip():
            continue
        left = [output for output in cell.outputs if output.output_type == "error"]
        if left or cell.execution_count is None or cell.metadata.papermill.status != "completed":
            reason = f"{left[0].ename}: the chapter left early" if left else "the cell did not run"
            raise ChapterFailed(chapter, number, last_line(cell.source), reason)
