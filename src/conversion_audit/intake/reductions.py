"""Queries that reduce a GA4 export where it lies, in BigQuery, to what an audit reads."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date

import sqlglot
from sqlglot import exp

from conversion_audit.engine import statement
from conversion_audit.schema import Rule
from conversion_audit.tables import EVENTS

USER = "user."
HEAD = """-- Reductions of the GA4 export of {client}, {first} to {last}, for BigQuery's console.
-- Written and parsed by sqlglot; not run here. BigQuery tells what each will read before it runs: look there first.
-- Exports from before July 2024 lack batch_* and session_traffic_source_last_click: take out what the console does not know.
--
-- Two ways to bring the results back:
-- 1. Export the reductions. Put EXPORT DATA before a query, copy the files to data/{client}/raw and name them in audit.yaml:
--      EXPORT DATA OPTIONS (uri = 'gs://YOUR-BUCKET/{client}/events_*.csv.gz', format = 'CSV', compression = 'GZIP', header = TRUE) AS
--      sources:
--        - {{kind: ga4, files: raw/events_*.csv.gz}}
--    Totals alone, where no row about a person may leave BigQuery:
--        - {{kind: stage_counts, files: raw/stages_*.csv.gz}}
-- 2. Read the export on Spark. Extract events_* as Parquet to where the Spark cluster reads, name the files as a source of
--    kind ga4, and say in audit.yaml: engine: {{backend: spark, master: "spark://..."}}
"""


def needed(rules: Iterable[Rule]) -> list[str]:
    """Return the exported parameters that rules read beyond the usual ones; user properties begin with ``user.``."""
    asked = {key for rule in rules for key in (rule.property, *rule.where) if key}
    return sorted(asked - set(EVENTS.columns))


def script(
    client: str, dataset: str, first: date, last: date, parameters: Sequence[str], steps: Sequence[tuple[str, str]]
) -> str:
    """
    Return the reductions as one script: the events, then the totals by stage.

    Parameters
    ----------
    client : str
        Named in its head.
    dataset : str
        Project and dataset of ``events_*``.
    first, last : date
        Days, both included: only their tables are read.
    parameters : sequence of str
        From `needed`.
    steps : sequence of (str, str)
        Event and the step it shows; none leaves the totals out.
    """
    asked = [events(dataset, first, last, parameters)]
    titles = ["Rows: one per event, read back as kind ga4"]
    if steps:
        asked.append(stages(dataset, first, last, steps))
        titles.append("Totals: sessions by day, step and device, read back as kind stage_counts")
    parts = [HEAD.format(client=client, first=first, last=last)]
    parts += [f"-- {title}\n{tree.sql('bigquery', pretty=True)};\n" for title, tree in zip(titles, asked, strict=True)]
    return "\n".join(parts)


def events(dataset: str, first: date, last: date, parameters: Sequence[str]) -> exp.Select:
    """Return the query of one row per event; its columns are those of a flat GA4 export."""
    select = _parsed("events")
    for name in parameters:
        if not name.startswith(USER) and name not in select.named_selects:
            value = _filled(_parsed("parameter"), {"key": name}).expressions[0]
            select = select.select(exp.alias_(value, name, quoted=True))
    if any(name.startswith(USER) for name in parameters):
        select = select.select(exp.alias_(_parsed("user_properties").expressions[0], "user_properties"))
    return _placed(_filled(select, _suffixes(first, last)), dataset)


def stages(dataset: str, first: date, last: date, steps: Sequence[tuple[str, str]]) -> exp.Select:
    """Return the query of sessions by day, step and device."""
    values = exp.values(list(steps), alias="given", columns=["event", "stage"])
    given = exp.select("event", "stage").from_(values).subquery("steps")
    select = _placed(_filled(_parsed("stages"), _suffixes(first, last)), dataset)
    for table in select.find_all(exp.Table):
        if table.name == "steps":
            table.replace(given)
    return select


def _parsed(name: str) -> exp.Select:
    return sqlglot.parse_one(statement(__file__, name, stem="reductions.bigquery"), read="bigquery")


def _suffixes(first: date, last: date) -> dict[str, str]:
    return {"first": f"{first:%Y%m%d}", "last": f"{last:%Y%m%d}"}


def _filled(select: exp.Select, values: dict[str, str]) -> exp.Select:
    for place in list(select.find_all(exp.Parameter)):
        place.replace(exp.Literal.string(values[place.name]))
    return select


def _placed(select: exp.Select, dataset: str) -> exp.Select:
    """Put the client's own tables in the place of ``events``."""
    project, _, name = dataset.rpartition(".")
    for table in list(select.find_all(exp.Table)):
        if table.name == "events" and not table.db:
            there = exp.table_("events_*", db=name, catalog=project or None, quoted=True, alias="events")
            table.replace(there)
    return select
