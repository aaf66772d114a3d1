"""Kernels of one run: in an environment of their own, each cell reported, all of them stopped at once if need be."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

ENGINE = "conversion-audit"


class Kernels:
    """
    A folder for the profile and connection files of kernels, and the list of those that run.

    Nobody's IPython start-up files run in a kernel of ours, and no history of a client's code is kept anywhere.
    """

    def __init__(self) -> None:
        self._temporary = TemporaryDirectory(prefix="audit-", ignore_cleanup_errors=True)
        self._before: dict[str, str | None] = {}
        self.running: set[Any] = set()

    @property
    def folder(self) -> Path:
        """Removed at the end."""
        return Path(self._temporary.name)

    def __enter__(self) -> Kernels:
        # Without PREFER_ENV_PATH, "python3" may be the kernel of another Python of this person's.
        own = {"JUPYTER_PREFER_ENV_PATH": "1", "JUPYTER_RUNTIME_DIR": str(self.folder / "runtime")}
        self._before = {name: os.environ.get(name) for name in own}
        os.environ.update(own)
        Path(own["JUPYTER_RUNTIME_DIR"]).mkdir()
        register()
        from conversion_audit.running import warm

        if warm.is_wanted():
            warm.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        for name, value in self._before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
        self._temporary.cleanup()

    def environment(self) -> dict[str, str]:
        """Return the environment of a kernel: ours, without what a person's own settings would add."""
        own = {"PYDEVD_DISABLE_FILE_VALIDATION": "1", "PYTHONUTF8": "1", "JUPYTER_NO_CONFIG": "1"}
        # Chapters run side by side, and the heavy work is the engine's.
        own |= {"OPENBLAS_NUM_THREADS": "1", "MPLBACKEND": "module://matplotlib_inline.backend_inline"}
        return {**os.environ, **own, "IPYTHONDIR": str(self.folder / "ipython")}

    def stop(self) -> None:
        """End every running kernel; the executions that wait for them end with an error."""
        for client in list(self.running):
            provisioner = getattr(client.km, "provisioner", None)
            if provisioner is not None and provisioner.pid:
                with suppress(OSError):
                    os.kill(provisioner.pid, getattr(signal, "SIGKILL", signal.SIGTERM))


class Place:
    """Where an execution stands: a dead kernel does not say."""

    def __init__(self, on_cell: Callable[[int, int], None]) -> None:
        self.index, self.source, self._injected, self._on_cell = 0, "", False, on_cell

    def move(self, cell: Any, index: int, total: int) -> None:
        """Follow the execution to its next cell."""
        self.index, self.source = index, cell.source
        self._injected |= "injected-parameters" in cell.metadata.get("tags", [])
        self._on_cell(index, total)

    @property
    def cell(self) -> int:
        """The cell's number in the notebook as written, from 1, without the one that Papermill adds."""
        return self.index + (0 if self._injected else 1)


def _close_loop() -> None:
    """Close the event loop that the execution left in this thread: nobody else does, and the next one makes its own."""
    with suppress(RuntimeError):  # an execution that did not begin left none
        loop = asyncio.get_event_loop()
        if not loop.is_running():
            loop.close()


def register() -> None:
    """Make our Papermill engine known by its name."""
    from papermill.clientwrap import PapermillNotebookClient
    from papermill.engines import NBClientEngine, papermill_engines

    from conversion_audit.running import warm
    from conversion_audit.running.sockets import SocketKernelManager

    class ChapterEngine(NBClientEngine):
        """Papermill's own engine, which also says where it is and which kernels run."""

        @classmethod
        def execute_managed_notebook(
            cls, nb_man, kernel_name, place, kernels, start_timeout=60, execution_timeout=None, **_
        ):
            start = nb_man.cell_start

            def follow(cell, cell_index=None, **more):
                place.move(cell, cell_index, len(nb_man.nb.cells))
                return start(cell, cell_index, **more)

            nb_man.cell_start = follow
            client = PapermillNotebookClient(
                nb_man,
                kernel_name=kernel_name,
                startup_timeout=start_timeout,
                timeout=execution_timeout,
                kernel_manager_class=warm.WarmKernelManager if warm.is_wanted() else SocketKernelManager,
            )
            kernels.running.add(client)
            try:
                # What a kernel itself writes (not its cells) is for whoever looks for a fault, not for the terminal.
                with (kernels.folder / "kernels.log").open("ab") as log:
                    return client.execute(env=kernels.environment(), stdout=log, stderr=log)
            finally:
                kernels.running.discard(client)
                _close_loop()

    papermill_engines.register(ENGINE, ChapterEngine)
