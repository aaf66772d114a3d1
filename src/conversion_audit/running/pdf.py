"""The report, printed by an installed Chromium: an extra, since its bytes differ from print to print."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

from conversion_audit.errors import MachineError, Problem

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "microsoft-edge")


def browser() -> str:
    """
    Return the path of an installed browser that can print.

    Raises
    ------
    MachineError
        If there is none.
    """
    for name in BROWSERS:
        found = shutil.which(name)
        if found:
            return found
    raise MachineError(
        Problem(
            "no browser that can print is installed",
            why="--pdf prints the report.",
            mend="Install chromium, or print report.html yourself.",
        )
    )


def print_pdf(page: Path, pdf: Path) -> None:
    """
    Print a page to a PDF.

    Parameters
    ----------
    page, pdf : Path
        From and to.

    Raises
    ------
    MachineError
        If there is no browser, or it does not print.
    """
    with TemporaryDirectory(prefix="audit-print-", ignore_cleanup_errors=True) as profile:
        command = [
            browser(),
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-background-networking",
            "--no-first-run",
            "--no-pdf-header-footer",
            f"--user-data-dir={profile}",
            f"--print-to-pdf={pdf}",
            page.as_uri(),
        ]
        try:
            done = subprocess.run(command, capture_output=True, stdin=subprocess.DEVNULL, timeout=120)
        except subprocess.TimeoutExpired:
            done = None
    if done is None or done.returncode or not pdf.is_file():
        raise MachineError(
            Problem("the browser did not print the report", why="--pdf asks for it.", mend="Run again without --pdf.")
        )
