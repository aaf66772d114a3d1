"""What reading an export changed or found odd: each remark in words, with the key and values by which a report says it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import pandas as pd

WORDS = {
    "empty": "{file}: holds no rows",
    "encoding": "{file}: read as {encoding}",
    "columns": "{file}: repeated or unnamed columns were numbered: {columns}",
    "preamble": "{file}: lines above the header left out: {lines:,}",
    "line": "{file}: a line cannot be read: line {line:,} ({reason})",
    "lines": "{file}: {lines:,} lines cannot be read, the first is line {line:,} ({reason})",
    "cut": "{file}: truncated; its complete lines were kept because of `salvage: true`",
    "units": "{file}: the time column holds {units}; each row was converted by its own",
    "hour_twice": "{file}: {rows:,} times lie in the hour that the clock shows twice; {second:,} of them are the second, by the order of rows",
    "same_session": "{ids:,} session ids occur with more than one device; a session is an id together with its device",
    "ids_twice": "{rows:,} rows have the id of a row of another event or visitor: ids were given twice; id, time, event and visitor together tell rows apart",
    "lines_summed": "{orders:,} orders have a row for each line: their amounts were added up",
    "lines_once": "{orders:,} orders have a row for each line, each with the order's amount: counted once",
    "strays": "{rows:,} rows lie beside the visits: each falls in one ({minutes} minutes)",
    "strays_out": "{rows:,} rows lie beside the visits: {joined:,} fall in one ({minutes} minutes), {outside:,} in none",
    "strays_left": "{rows:,} rows lie beside the visits: {joined:,} fall in one ({minutes} minutes), {outside:,} in none; the rest make {sessions:,}",
    "books_unreadable": "rows of the order book that cannot be read: {rows:,}",
    "books_nameless": "rows of the order book without an order id: {rows:,}",
    "books_dead": "orders of the book that never came about (cancelled, voided, failed, test): {rows:,}",
    "books_repeated": "further rows of an order already counted: {rows:,}",
    "no_rate": "amounts in {currency}, for which audit.yaml has no rate under `fx`, and which are therefore unknown: {rows:,}",
    "leads": "rows of the CRM's export that cannot be read, or name no lead or stage: {rows:,}",
    "breakdowns": "files of breakdowns left out, because they count the same sessions again: {files:,}",
    "totals_left": "lines of totals left out: {lines:,}",
    "totals_again": "lines that an earlier file has too, counted once: {lines:,}",
    "totals_unreadable": "lines that cannot be read: {lines:,}",
    "totals_no_number": "counts that are no numbers: {lines:,}",
    "merged": "some of the report's rows were merged into (other): its segments do not add up",
    "sampled": "{file}: the report is an estimate from a sample of sessions",
    "thresholds": "{file}: thresholds hide small groups",
}
"""Key -> the remark in words. The report has its own words for each key, in every language."""


class Remark(str):
    """
    A remark in words.

    Attributes
    ----------
    key : str
        One of `WORDS`.
    values : dict
        What stands in the places of its words.
    """

    key: str
    values: dict[str, Any]

    def __new__(cls, key: str, **values: Any) -> Remark:
        """Make the remark of a key."""
        made = super().__new__(cls, WORDS[key].format(**values))
        made.key, made.values = key, values
        return made


def table(remarks: Iterable[Remark], zone: str, *, is_assumed: bool) -> pd.DataFrame:
    """
    Return what is to be said of how the export was read.

    Returns
    -------
    DataFrame
        One row per remark, the time zone first::

            topic    key       text                       values
            zone     zone      Europe/Berlin              {"zone": "Europe/Berlin"}
            reading  encoding  raw/a.csv: read as cp1252  {"file": "raw/a.csv", "encoding": "cp1252"}

        `topic` is zone, zone_assumed or reading; `values` is a JSON object.
    """
    topic = "zone_assumed" if is_assumed else "zone"
    told = [(topic, topic, zone, json.dumps({"zone": zone}))]
    told += [("reading", one.key, str(one), json.dumps(one.values)) for one in remarks]
    return pd.DataFrame(told, columns=["topic", "key", "text", "values"]).astype("string")
