"""
Kernels forked from one warm process: every chapter still has a process of its own, and the imports are paid once.

Linux only; elsewhere, and with ``AUDIT_KERNELS=plain``, every kernel is started from nothing, as Jupyter does it.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.metadata import EntryPoint
from threading import Lock
from types import ModuleType
from typing import Any

from jupyter_client.provisioning import KernelProvisionerFactory, LocalProvisioner

from conversion_audit.running.sockets import SocketKernelManager

NAME = "conversion-audit-warm"
# Imported before the fork. Nothing here may start threads: no engine is opened, no Arrow table made.
PRELOAD = [
    "ipykernel.kernelapp",
    "ipykernel.ipkernel",
    "matplotlib_inline.backend_inline",
    "seaborn",
    "duckdb",
    "conversion_audit.audit",
    "conversion_audit.report",
    "conversion_audit.report.figures",
]
_one_at_a_time = Lock()
_BEFORE = {"MPLBACKEND": "module://matplotlib_inline.backend_inline", "OPENBLAS_NUM_THREADS": "1"}


def is_wanted() -> bool:
    """Say whether kernels are forked here."""
    return sys.platform == "linux" and os.environ.get("AUDIT_KERNELS") != "plain"


def start() -> None:
    """Start the warm process, once, and make its kernels known to Jupyter. It ends with this process."""
    from multiprocessing import forkserver

    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(PRELOAD)
    kept = {name: os.environ.get(name) for name in _BEFORE}
    os.environ.update(_BEFORE)
    try:
        with _without_main():
            forkserver.ensure_running()
    finally:
        for name, value in kept.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
    known = KernelProvisionerFactory.instance().provisioners
    known[NAME] = EntryPoint(NAME, f"{__name__}:WarmProvisioner", KernelProvisionerFactory.GROUP_NAME)


@contextmanager
def _without_main() -> Iterator[None]:
    """A new process would import the caller's script anew, and run it where that has no guard. A kernel needs none of it."""
    with _one_at_a_time:
        kept = sys.modules["__main__"]
        sys.modules["__main__"] = ModuleType("__main__")
        try:
            yield
        finally:
            sys.modules["__main__"] = kept


class WarmKernelManager(SocketKernelManager):
    """With the provisioner below."""

    @property
    def kernel_spec(self) -> Any:
        """The kernel's description, which names its provisioner."""
        found = super().kernel_spec
        found.metadata = {**found.metadata, "kernel_provisioner": {"provisioner_name": NAME}}
        return found


class WarmProvisioner(LocalProvisioner):
    """Starts a kernel by asking the warm process to fork."""

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> Any:
        """Fork a kernel; `cmd` is ``python -m ipykernel_launcher -f FILE ...``."""
        arguments = cmd[cmd.index("ipykernel_launcher") + 1 :]
        log = getattr(kwargs.get("stderr"), "name", os.devnull)
        # A process of this kind is ended with ours: a run that is over leaves no kernel.
        process = multiprocessing.get_context("forkserver").Process(
            target=serve, args=(arguments, dict(kwargs["env"]), log, kwargs.get("cwd")), daemon=True
        )
        with _without_main():
            process.start()
        self.process = _Forked(process)
        self.pid = self.pgid = process.pid
        return self.connection_info


class _Forked:
    """A forked process, spoken to as Jupyter speaks to one of `subprocess`."""

    stdin = stdout = stderr = None

    def __init__(self, process: Any) -> None:
        self._process, self.pid = process, process.pid

    def poll(self) -> int | None:
        return self._process.exitcode

    def wait(self) -> int | None:
        self._process.join()
        return self._process.exitcode

    def send_signal(self, number: int) -> None:
        os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


def serve(arguments: Sequence[str], environment: Mapping[str, str], log: str, folder: str | None) -> None:
    """Be a kernel. Called in a fresh fork of the warm process."""
    os.setsid()
    _let_go()
    os.environ.clear()
    os.environ.update(environment)
    if folder:
        os.chdir(folder)
    said = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.dup2(said, 1)
    os.dup2(said, 2)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    from ipykernel.kernelapp import launch_new_instance

    # A kernel ends when its parent does, and its parent is the warm process, which ends when ours does.
    parent = f"--IPKernelApp.parent_handle={os.getppid()}"
    launch_new_instance(argv=[*arguments, "--matplotlib=inline", parent])


def _let_go() -> None:
    """
    Close what keeps the warm process alive for the children of its children.

    It ends when nobody holds the other end of its pipe, and each fork is handed one: a kernel that kept it would wait for
    the warm process to end, and the warm process for the kernel.
    """
    from multiprocessing import forkserver

    handle = getattr(forkserver._forkserver, "_forkserver_alive_fd", None)
    if handle is not None:
        os.close(handle)
