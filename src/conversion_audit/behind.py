"""The query behind a table: what the engine is asked while it is made, as a script."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from conversion_audit.errors import ConfigError, Problem, closest
from conversion_audit.folders import Folders, home

if TYPE_CHECKING:
    from conversion_audit.audit import Audit
    from conversion_audit.engine.recorded import Step
    from conversion_audit.schema import Period

DIALECTS = {"duckdb": "DuckDB", "bigquery": "BigQuery", "spark": "Spark"}
DATASET = "your-project.analytics_123456789"


def query_behind(
    client: str,
    table: str,
    dialect: str = "duckdb",
    start: str | None = None,
    end: str | None = None,
    where: str | None = None,
) -> str:
    """
    Return the statements that make a shared table, with every value filled in.

    Parameters
    ----------
    client : str
        Folder under ``data/``.
    table : str
        Name of a shared table, as `Audit.table` takes it.
    dialect : str
        duckdb, bigquery or spark.
    start, end, where
        As `open_audit` takes them.

    Returns
    -------
    str
        A script for the console. In DuckDB's words it runs as it is in the folder that holds ``data/``; in the others'
        its base tables are the client's files in ``prepared/``, loaded under the names that its head gives.

    Raises
    ------
    ConfigError
        For an unknown table or dialect.
    """
    from conversion_audit import recipes
    from conversion_audit.audit import INTAKE, open_audit
    from conversion_audit.engine import script

    _known(table, [*INTAKE, *recipes.TABLES], "table", "Tables")
    _known(dialect, list(DIALECTS), "dialect", "Dialects")
    open_audit(client, start, end, where).table(table)  # so that all it is made from is there
    audit = open_audit(client, start, end, where)
    steps, results = recorded(audit, table)
    head = _head(audit, table, dialect, script.files(steps))
    return "\n".join([*head, "", script.script(steps, results, dialect, _from_home)])


def tables(client: str) -> list[str]:
    """Return the names of the tables that there are a query behind, by the part that makes them."""
    from conversion_audit import recipes
    from conversion_audit.audit import INTAKE

    Folders(client).existing()
    parts = {"The export, cleaned": INTAKE}
    parts |= {(part.__doc__ or "").splitlines()[0].rstrip("."): tuple(part.TABLES) for part in recipes.CHAPTERS}
    return [f"{title}:\n    {', '.join(names)}" for title, names in parts.items() if names]


def reductions(
    client: str, dialect: str, dataset: str | None = None, start: str | None = None, end: str | None = None
) -> str:
    """
    Return the queries that reduce a GA4 export where it lies, in BigQuery, to what an audit needs.

    Parameters
    ----------
    client : str
        Folder under ``data/``.
    dialect : str
        ``bigquery``: nothing else has GA4's own tables.
    dataset : str, optional
        Project and dataset of ``events_*``; a name to replace where it is not given.
    start, end : str, optional
        First and last day; the config's period otherwise.

    Raises
    ------
    ConfigError
        Where no source is a GA4 export, or no period is known.
    """
    from conversion_audit.analysis.rules import named_rules
    from conversion_audit.config import read_config
    from conversion_audit.intake.reductions import needed, script

    _known(dialect, list(DIALECTS), "dialect", "Dialects")
    config = read_config(client)
    if dialect != "bigquery" or all(source.kind != "ga4" for source in config.sources):
        mend = f"Name a table: audit sql {client} funnel --dialect {dialect}"
        why = "Reductions are for GA4 exports in BigQuery."
        raise ConfigError(Problem("no table is named", f"data/{client}/audit.yaml", why=why, mend=mend))
    first, last = _days(client, config.period, start, end)
    rules = named_rules(config)
    steps = [(event, name) for name in config.steps if name in rules for event in rules[name].event]
    return script(client, dataset or DATASET, first, last, needed(rules.values()), steps)


def _days(client: str, period: Period | None, start: str | None, end: str | None) -> tuple[date, date]:
    try:
        first = date.fromisoformat(start) if start else period and period.start
        last = date.fromisoformat(end) if end else period and period.end
    except ValueError as error:
        raise ConfigError(Problem("not a day", seen=str(start or end), mend="Write e.g. 2026-03-02.")) from error
    if not (first and last):
        mend = "Set `period: {start: 2026-03-02, end: 2026-04-26}`, or give --start and --end."
        raise ConfigError(Problem("no period", f"data/{client}/audit.yaml", mend=mend))
    return first, last


def recorded(audit: Audit, table: str) -> tuple[list[Step], list[str]]:
    """Return the steps that make a table, and the names of those whose rows it is."""
    from conversion_audit import recipes
    from conversion_audit.engine import Table
    from conversion_audit.engine.recorded import behind
    from conversion_audit.recipes.goals import past, until

    steps = audit.engine.record()
    if table not in recipes.TABLES:
        results = [audit.table(table).name]
        return behind(steps, results), results
    # What every table is cut to is asked once, before: it is a value in the statements, not a part of them.
    _ = audit.sessions, audit.marks, audit.history, audit.events, until(audit), past(audit).marks
    before = len(steps)
    made = recipes.TABLES[table].make(audit)
    asked = [step.name for step in steps[before:] if step.kind == "query"]
    results = [made.name] if isinstance(made, Table) else asked
    return behind(steps, results), results


def _known(name: str, names: list[str], what: str, many: str) -> None:
    if name not in names:
        hint = f"{many}: {', '.join(names)}"
        raise ConfigError(Problem(f"no {what} {name!r}{closest(name, names)}", mend=hint))


def _head(audit: Audit, table: str, dialect: str, given: dict[str, tuple[Path, ...]]) -> list[str]:
    head = [f"-- {table} of {audit.folders.client}, {audit.period.start} to {audit.period.end}."]
    if dialect == "duckdb":
        return [*head, "-- Run in the folder that holds data/. Rates and intervals are worked out from these rows."]
    head.append(
        f"-- Written for {DIALECTS[dialect]} by sqlglot; not run here. Load these files under these names first:"
    )
    return [*head, *(f"--   {name}  <-  {_from_home(path)}" for name, paths in given.items() for path in paths)]


def _from_home(path: Path) -> str:
    resolved = path.resolve()
    return resolved.relative_to(home()).as_posix() if resolved.is_relative_to(home()) else resolved.as_posix()
