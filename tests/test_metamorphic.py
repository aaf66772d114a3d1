"""Changes that must change nothing: the same visits, written otherwise, give identical headline numbers."""

from __future__ import annotations

import csv
import gzip
import json
import random
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import duckdb
import pytest

from conversion_audit.audit import open_audit
from conversion_audit.engine import Engine

WEEK = timedelta(days=7)


def rows_of(folder: Path) -> list[dict]:
    """Return the export's rows."""
    return [
        json.loads(line) for path in sorted(folder.glob("*.gz")) for line in gzip.open(path, "rt", encoding="utf-8")
    ]


def write(path: Path, rows: list[dict]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def shuffled(rows: list[dict], raw: Path) -> None:
    write(raw / "all.json", random.Random(1).sample(rows, len(rows)))


def in_seven_files(rows: list[dict], raw: Path) -> None:
    for n in range(7):
        write(raw / f"part{n}.json", rows[n::7])


def gzipped(rows: list[dict], raw: Path) -> None:
    with gzip.open(raw / "all.json.gz", "wt", encoding="utf-8") as file:
        file.writelines(json.dumps(row) + "\n" for row in rows)


def as_parquet(rows: list[dict], raw: Path) -> None:
    write(raw.parent / "all.json", rows)
    duckdb.execute(
        "COPY (SELECT * FROM read_json($1, format = 'newline_delimited', sample_size = -1)) TO $2 (FORMAT parquet)",
        [str(raw.parent / "all.json"), str(raw / "all.parquet")],
    )


def as_flat_csv(rows: list[dict], raw: Path) -> None:
    flat = [flattened(row) for row in rows]
    names = list(dict.fromkeys(name for row in flat for name in row))
    with (raw / "all.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, names)
        writer.writeheader()
        writer.writerows(flat)


def flattened(row: dict, before: str = "") -> dict[str, str]:
    """Return one text for each leaf of a row; each parameter under its own name."""
    found = {}
    for name, value in row.items():
        if isinstance(value, dict):
            found |= flattened(value, f"{before}{name}.")
        elif name == "event_params":
            found |= {f"event_params.{one['key']}": next(iter(one["value"].values())) for one in value}
        else:
            found[before + name] = json.dumps(value) if isinstance(value, list) else value
    return found


def users_renamed(rows: list[dict], raw: Path) -> None:
    names: dict[str, str] = {}

    def other(name: str | None) -> str | None:
        return name and names.setdefault(name, f"person-{len(names)}-x")

    renamed = [{**row, **{key: other(row[key]) for key in ("user_pseudo_id", "user_id") if key in row}} for row in rows]
    write(raw / "all.json", renamed)


def every_row_twice(rows: list[dict], raw: Path) -> None:
    write(raw / "all.json", [row for row in rows for _ in range(2)])


def intraday_beside_daily(rows: list[dict], raw: Path) -> None:
    write(raw / "events_20260302.json", rows)
    write(raw / "events_intraday_20260302.json", rows[len(rows) // 2 :])


def a_week_later(rows: list[dict], raw: Path) -> None:
    def day(text: str) -> str:
        return (date.fromisoformat(f"{text[:4]}-{text[4:6]}-{text[6:]}") + WEEK).strftime("%Y%m%d")

    def moved(row: dict) -> dict:
        micros = int(row["event_timestamp"]) + int(WEEK.total_seconds()) * 1_000_000
        return {**row, "event_timestamp": str(micros), "event_date": day(row["event_date"])}

    write(raw / "all.json", [moved(row) for row in rows])


@pytest.fixture(scope="module")
def shop(tmp_path_factory) -> tuple[list[dict], str]:
    """Return four weeks of a small shop that stays within one summer time, and its config."""
    from conftest import REPOSITORY

    from conversion_audit.demo import write_demo

    folder = tmp_path_factory.mktemp("export")
    write_demo(folder, sessions=900, weeks=3)
    config = (REPOSITORY / "data/demo/audit.yaml").read_text(encoding="utf-8").replace("raw/events_*.json.gz", "raw/*")
    lines = [line for line in config.splitlines() if not line.startswith("period:")]
    return rows_of(folder), "\n".join(lines) + "\n"


def headline(rows: list[dict], config: str, home: Path, way: Callable[[list[dict], Path], None]) -> dict:
    folder = home / "data" / "acme"
    (folder / "raw").mkdir(parents=True)
    (folder / "audit.yaml").write_text(config, encoding="utf-8")
    way(rows, folder / "raw")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AUDIT_HOME", str(home))
        return open_audit("acme").headline


@pytest.fixture(scope="module")
def expected(shop, tmp_path_factory) -> dict:
    return headline(*shop, tmp_path_factory.mktemp("plain"), lambda rows, raw: write(raw / "all.json", rows))


WAYS = (
    shuffled,
    in_seven_files,
    gzipped,
    as_parquet,
    as_flat_csv,
    users_renamed,
    every_row_twice,
    intraday_beside_daily,
    a_week_later,
)


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_the_same_visits_written_otherwise_give_the_same_headline(way, shop, expected, tmp_path):
    assert expected["sessions"] > 700
    assert headline(*shop, tmp_path, way) == expected


def test_an_export_prepared_in_parts_gives_the_same_tables(shop, tmp_path, monkeypatch):
    rows, config = shop
    homes, headlines = {name: tmp_path / name for name in ("whole", "parts")}, {}
    for name, home in homes.items():
        monkeypatch.setattr(Engine, "parts", lambda self, size, name=name: 1 if name == "whole" else 5)
        headlines[name] = headline(rows, config, home, lambda rows, raw: write(raw / "all.json", rows))
    made = {name: home / "data/acme/prepared" for name, home in homes.items()}
    next(made["parts"].glob("orders-*")).unlink()  # as when a run was killed: what stands is made anew, folders too
    monkeypatch.setenv("AUDIT_HOME", str(homes["parts"]))
    assert open_audit("acme").headline == headlines["parts"] == headlines["whole"]
    assert {path.name.split("-")[0] for path in made["parts"].iterdir() if path.is_dir() and path.suffix} == {
        "events",
        "visits",
    }
    for name in ("events", "visits", "orders", "items", "fates", "marks", "sessions"):
        found = [
            f"{folder}/{name}-*" + ("/*" if name in ("events", "visits") and which == "parts" else "")
            for which, folder in made.items()
        ]
        whole, parts = (f"SELECT * FROM read_parquet('{pattern}')" for pattern in found)
        assert duckdb.execute(f"SELECT count(*) FROM ({whole})").fetchall() > [(0,)], name
        for one, other in ((whole, parts), (parts, whole)):
            assert not duckdb.execute(f"({one}) EXCEPT ALL ({other})").fetchall(), name
