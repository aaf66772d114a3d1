"""reports/index.html: every client's newest run on one page, for us, never handed over."""

from __future__ import annotations

import os
from datetime import date
from html import escape
from pathlib import Path

from conversion_audit import runs
from conversion_audit.folders import home
from conversion_audit.running import publish

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1"><title>Audits</title>
<style>
body {{ font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 60rem; padding: 0 1rem; color: #1c2430; }}
table {{ border-collapse: collapse; width: 100%; }}
th, td {{ text-align: left; padding: .45rem .8rem .45rem 0; border-bottom: 1px solid #dfe3e8; }}
td.n {{ font-variant-numeric: tabular-nums; }}
.partial, .never {{ color: #9a3412; }}
</style></head><body><h1>Audits</h1>
<table><thead><tr><th scope="col">Client</th><th scope="col">Report</th><th scope="col">Status</th>
<th scope="col">High findings</th><th scope="col">Data until</th><th scope="col">Age</th></tr></thead>
<tbody>
{rows}
</tbody></table></body></html>
"""


def write_index(today: date) -> Path:
    """
    Write the page anew from the manifests that stand.

    Parameters
    ----------
    today : date
        The day from which the age of the data is counted.
    """
    path = home() / "reports" / "index.html"
    rows = "\n".join(_row(line) for line in runs.overview(today))
    # Clients that run side by side write it at the same time: each beside it, under a name of its own.
    beside = path.with_name(f".index-{os.getpid()}.html")
    publish.write(beside, _PAGE.format(rows=rows))
    beside.replace(path)
    return path


def _row(line: runs.Line) -> str:
    if line.run is None:
        return f'<tr><td>{escape(line.client)}</td><td></td><td class="never">never run</td><td></td><td></td><td></td></tr>'
    link = f'<a href="{escape(line.client)}/{escape(line.run)}/client/report.html">{escape(line.run[:8])}</a>'
    cells = [line.high, line.data_until, f"{line.age_days} days"]
    rest = "".join(f'<td class="n">{escape(str(cell))}</td>' for cell in cells)
    return f'<tr><td>{escape(line.name)}</td><td>{link}</td><td class="{escape(line.status)}">{escape(line.status)}</td>{rest}</tr>'
