"""What is not the visitors: definitions that differ between two runs, and data that do."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

# Keys that change words, looks or speed, and no number.
_WORDING = ("report", "agency", "language", "locale", "engine", "changes", "client", "period", "costs")
_LABEL = "label"


def changed_definitions(before: Mapping[str, Any], after: Mapping[str, Any]) -> pd.DataFrame:
    """
    Return what counts otherwise than in the run before.

    Parameters
    ----------
    before, after : mapping
        Both configs as plain data.

    Returns
    -------
    DataFrame
        One row per changed value: key (``goals.purchase.event``), before, after (text; missing where the key was not
        there), and part (the first part of the key). Labels, wording and costs are left out: they change no count.
    """
    old, new = _flat(before), _flat(after)
    keys = [key for key in sorted({*old, *new}) if old.get(key) != new.get(key)]
    rows = [(key, key.split(".")[0], old.get(key), new.get(key)) for key in keys if not _is_wording(key)]
    return pd.DataFrame(rows, columns=["key", "part", "before", "after"]).astype(object)


def changed_data(
    before: Mapping[str, str],
    after: Mapping[str, str],
    ledger_before: Sequence[Mapping[str, Any]],
    ledger_after: Sequence[Mapping[str, Any]],
) -> pd.DataFrame:
    """
    Return how the exports of two runs differ.

    Parameters
    ----------
    before, after : mapping
        File -> hash.
    ledger_before, ledger_after : sequence of mapping
        Rows of the ledgers: status, reason, rows.

    Returns
    -------
    DataFrame
        what (files, files replaced, files removed; then rows by their fate), reason (of set-aside and quarantined rows),
        before, after (counts), before_share and after_share (of all rows; NaN for files).
    """
    replaced = sum(before[name] != after[name] for name in before.keys() & after.keys())
    rows: list[tuple] = [
        ("files", None, len(before), len(after), None, None),
        ("files replaced", None, 0, replaced, None, None),
        ("files removed", None, 0, len(before.keys() - after.keys()), None, None),
    ]
    old, new = _fates(ledger_before), _fates(ledger_after)
    totals = sum(old.values()) or 1, sum(new.values()) or 1
    for fate in sorted({*old, *new}):
        n_b, n_a = old.get(fate, 0), new.get(fate, 0)
        rows.append((*fate, n_b, n_a, n_b / totals[0], n_a / totals[1]))
    table = pd.DataFrame(rows, columns=["what", "reason", "before", "after", "before_share", "after_share"])
    return table.astype({"before_share": float, "after_share": float})


def _fates(ledger: Sequence[Mapping[str, Any]]) -> dict[tuple[str, str], int]:
    found: dict[tuple[str, str], int] = {}
    for row in ledger:
        fate = str(row["status"]), str(row["reason"])
        found[fate] = found.get(fate, 0) + int(row["rows"] or 0)
    return found


def _flat(value: Any, key: str = "") -> dict[str, str]:
    """Nested mappings as one level of texts; lists as JSON; what is empty does not count as said."""
    if isinstance(value, Mapping):
        found: dict[str, str] = {}
        for name, inner in value.items():
            found |= _flat(inner, f"{key}.{name}" if key else str(name))
        return found
    if value is None or value == [] or value == "":
        return {}
    return {key: value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True)}


def _is_wording(key: str) -> bool:
    parts = key.split(".")
    return parts[0] in _WORDING or _LABEL in parts or (parts[0] == "kpis" and "target" in parts)
