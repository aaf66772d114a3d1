"""
Measure the product against a plain scan and against its peers, on made-up logs: ``python -m tests.benchmarks``.

The tables are printed and written into the README. Logs and prepared tables stay in the folder named by ``--folder``.
"""

from __future__ import annotations

import argparse
import importlib.util
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.benchmarks import log, measured, page, pipeline

MILLION = 1_000_000
HEAVY = {"pandas_funnel", "pandas_transitions", "retentioneering_funnel", "polars_transitions"}
LITTLE_MEMORY = "3GB"


def main() -> None:
    """Run what is asked for and write the README's part."""
    asked = _arguments()
    by_size, others, days = {}, [], datetime.now(UTC).date().isoformat()
    for size in asked.events:
        records = one_size(asked, size)
        by_size[str(size)] = page.size_table(records)
        print(f"\n{size} million events\n{by_size[str(size)]}", flush=True)
    if asked.jobs:
        home = asked.folder / "1"
        log.write_client(home, MILLION)
        others = [pipeline.help_seconds(home), pipeline.check_share(home), pipeline.chapters_share(home), *_intake()]
        print("\n" + page.goals_table(others))
        for name, seconds in pipeline.profile(home)[:20]:
            print(f"{seconds:6.2f} CPU s  {name}")
    if asked.write:
        page.write(page.block(days, by_size, others))


def one_size(asked: argparse.Namespace, size: int) -> list[dict[str, Any]]:
    """Measure one size: its log, its prepared tables, every contest."""
    home = asked.folder / str(size)
    raw = log.write_client(home, size * MILLION)
    told = pipeline.prepare(home, LITTLE_MEMORY if size > 10 else None)
    skip = HEAVY if size > 10 else set()
    found = measured.run_all(raw, home / "data" / "bench" / "prepared", asked.peers, asked.rounds, skip)
    records = [one.record for one in found]
    return [*records, *pipeline.prepare_record(told, records[0]["cpu_seconds"])]


def _intake() -> list[dict[str, Any]]:
    if importlib.util.find_spec("tests.benchmarks.prepare") is None:
        return []
    from tests.benchmarks import prepare

    return prepare.measure()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    sizes = lambda text: [int(one) for one in text.split(",")]  # noqa: E731
    parser.add_argument("--events", type=sizes, default=[1, 10], help="millions of events, e.g. 1,10,50")
    parser.add_argument("--rounds", type=int, default=3, help="rounds of each contest")
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "conversion-audit-bench")
    parser.add_argument("--peers", type=Path, help="interpreter that has chdb, Polars and retentioneering")
    parser.add_argument("--no-jobs", dest="jobs", action="store_false", help="leave runs of the command out")
    parser.add_argument("--no-write", dest="write", action="store_false", help="leave the README as it is")
    return parser.parse_args()


if __name__ == "__main__":
    main()
