"""Which columns the files of one source have: every key of JSON, not only the first records', and one spelling of each."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Sequence
from contextlib import suppress
from dataclasses import replace

import duckdb

from conversion_audit.engine import Engine, quoted, statement
from conversion_audit.errors import DataError, Problem
from conversion_audit.intake.careful import DEEPEST, depth
from conversion_audit.intake.files import InputFile
from conversion_audit.intake.sources.reading import JSON_FORMATS

MOST = 1000
"""Columns that a statement is still quick with. Of more, those come first that somebody asked for."""


def settled(engine: Engine, files: Sequence[InputFile], wanted: Collection[str] = ()) -> list[InputFile]:
    """
    Return files with all their columns, each spelled alike in all of them.

    Files are recognised by their first records. A key that only later records have, or that is empty in the first, is
    looked for here, and some records that have it stand behind the first. ``Order`` in one file is ``order`` in
    another's words: delimited text and Parquet take the spelling of the first file that has it.

    Parameters
    ----------
    engine : Engine
        What reads the files.
    files : sequence of InputFile
        From `files.open_files`.
    wanted : collection of str
        Names that a mapping asks for; of ``items.price`` every field of ``items`` is looked for.

    Raises
    ------
    DataError
        For keys of JSON that differ in nothing but capitals: no table can hold both.
    """
    found = [_with_late_keys(engine, file, wanted) if file.format in JSON_FORMATS else file for file in files]
    found = [_with_late_objects(engine, file) if file.format == "parquet" else file for file in found]
    if problems := _alike(file for file in found if file.format in JSON_FORMATS):
        raise DataError(*problems)
    spelled: dict[str, str] = {}
    for file in found:
        for name in file.columns:
            spelled.setdefault(name.lower(), name)
    return [_spelled(file, spelled) for file in found]


def _with_late_keys(engine: Engine, file: InputFile, wanted: Collection[str]) -> InputFile:
    parameters = {"paths": [str(file.path)], "format": JSON_FORMATS[file.format]}
    parameters |= {"compression": "gzip" if file.gzipped else "none", "lenient": file.format == "ndjson"}
    asked = {name.split(".", 1)[0]: "." in name for name in wanted}
    told = {key for record in file.records for key, value in record.items() if value not in (None, "", [], {})}
    with suppress(duckdb.Error):  # a damaged file is told by whoever reads it
        keys = engine.query(statement(__file__, "keys", stem="reading.duckdb"), **parameters)["key"]
        late = [key for key in keys if key not in told or asked.get(key)]
        late = sorted(late, key=lambda key: key not in asked)[: max(len(asked), MOST - len(told))]
        if late:
            sql = statement(__file__, "late", stem="reading.duckdb")
            records = tuple(_read(text) for text in engine.query(sql, late=late, **parameters)["json"].unique())
            return replace(file, columns=(*dict.fromkeys((*file.columns, *late)),), records=(*file.records, *records))
    return file


def _with_late_objects(engine: Engine, file: InputFile) -> InputFile:
    """A Parquet file with a record for each column of objects that is empty in its first rows."""
    told = {key for record in file.records for key, value in record.items() if value}
    paths = [str(file.path)]
    with suppress(duckdb.Error):
        described = engine.query("DESCRIBE SELECT * FROM read_parquet($paths)", paths=paths)
        kinds = zip(described["column_name"], described["column_type"], strict=True)
        for name in [name for name, kind in kinds if "STRUCT(" in kind and name not in told]:
            is_filled = f"{quoted(name)} IS NOT NULL AND CAST({quoted(name)} AS VARCHAR) <> '[]'"
            sql = f"SELECT CAST(to_json({quoted(name)}) AS VARCHAR) AS value FROM read_parquet($paths) WHERE {is_filled} LIMIT 1"
            records = ({name: json.loads(text)} for text in engine.query(sql, paths=paths)["value"])
            file = replace(file, records=(*file.records, *records))
    return file


def _read(text: str) -> dict:
    """A record, without anything in it where it is nested too deep to be kept."""
    try:
        record = json.loads(text, parse_float=str)
    except (ValueError, RecursionError):
        return {}
    return record if depth(record) <= DEEPEST else {}


def _alike(files: Iterable[InputFile]) -> list[Problem]:
    """A problem for each pair of JSON keys that differ in nothing but capitals."""
    seen: dict[str, str] = {}
    problems = []
    for file in files:
        for name in file.columns:
            if seen.setdefault(name.lower(), name) != name:
                what = f"the keys {seen[name.lower()]!r} and {name!r} differ only in capitals"
                why = "Nobody can say whether they mean the same."
                problems.append(Problem(what, file.name, why=why, mend="Export them under one name, or under two."))
    return problems


def _spelled(file: InputFile, spelled: dict[str, str]) -> InputFile:
    if all(spelled[name.lower()] == name for name in file.columns):
        return file
    records = tuple({spelled.get(key.lower(), key): value for key, value in record.items()} for record in file.records)
    return replace(file, columns=tuple(spelled[name.lower()] for name in file.columns), records=records)
