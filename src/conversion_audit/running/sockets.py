"""How a run speaks to its kernels: through sockets in its own folder, which nobody else has and no other kernel takes."""

from __future__ import annotations

import sys
from pathlib import Path
from uuid import uuid4

from jupyter_client.manager import AsyncKernelManager
from jupyter_core.paths import jupyter_runtime_dir
from traitlets import default

# A socket's whole name may be 104 bytes long on macOS, 108 on Linux.
LONGEST_FOLDER = 85


class SocketKernelManager(AsyncKernelManager):
    """
    Jupyter's own, but no ports of the machine.

    Jupyter looks for free ports, lets them go and has the kernel take them: of kernels started at one moment by several
    processes, two may be given the same one, and each reads what is meant for the other. Ports remain where a system has
    no such sockets (Windows), or where the folder's name is too long for one.
    """

    @default("transport")
    def _own_transport(self) -> str:
        return "tcp" if sys.platform == "win32" or len(str(_folder()).encode()) > LONGEST_FOLDER else "ipc"

    @default("ip")
    def _own_ip(self) -> str:
        return str(_folder() / uuid4().hex[:12]) if self.transport == "ipc" else "127.0.0.1"


def _folder() -> Path:
    return Path(jupyter_runtime_dir())
