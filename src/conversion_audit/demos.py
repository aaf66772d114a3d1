"""The demo clients in the home: their export is written when it is absent or was written by other code."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

from conversion_audit.folders import Folders

CLIENTS = {"shop": "demo", "leads": "demo-leads"}
_REPOSITORY = Path(__file__).resolve().parents[2]


def bring(shop: str = "shop", *, later: bool = False) -> tuple[str, bool]:
    """
    Write a demo client's export and its audit.yaml, where they are not there yet.

    Parameters
    ----------
    shop : str
        ``shop`` or ``leads``.
    later : bool
        Also the eight weeks that follow: an audit's second period.

    Returns
    -------
    (str, bool)
        The client, and whether anything was written.
    """
    folders = Folders(CLIENTS[shop])
    written = folders.data / ".written"
    state = f"{_code()} {'later' if later else ''}".strip()
    ours = _REPOSITORY / "data" / folders.client / "audit.yaml"
    if not folders.config.is_file():
        folders.data.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ours, folders.config)
    if written.is_file() and written.read_text() == state and any(folders.raw.glob("events_*")):
        return folders.client, False
    _write(folders, shop, later)
    written.write_text(state)
    return folders.client, True


def _write(folders: Folders, shop: str, later: bool) -> None:
    """Aside first: a demo that was interrupted is not half a demo."""
    from conversion_audit.demo import write_demo

    aside = folders.data / ".raw"
    shutil.rmtree(aside, ignore_errors=True)
    write_demo(aside, shop=shop)
    if later:
        write_demo(aside, shop=shop, variant="later")
    shutil.rmtree(folders.raw, ignore_errors=True)
    aside.rename(folders.raw)


def _code() -> str:
    files = sorted((Path(__file__).parent / "demo").glob("*.py"))
    return hashlib.md5(b"".join(path.read_bytes() for path in files)).hexdigest()
