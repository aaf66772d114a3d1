"""A table with one row a session: which of its columns are steps, told from their names and values."""

from __future__ import annotations

import re
from itertools import chain

from conversion_audit.intake.files import InputFile
from conversion_audit.intake.sources import mapping
from conversion_audit.new import usual

_STEP = re.compile(
    r"|\d{1,6}([.,]\d+)?|true|false|t|f|yes|no|y|n|ja|nein|x|(\d{4}-\d\d-\d\d|\d{1,2}[./]\d{1,2}[./]\d{4}).*",
    re.IGNORECASE,
)
"""What a step's column holds: nothing, a flag, a count, or when."""


def steps(file: InputFile) -> dict[str, str]:
    """
    Return the steps of a table with one row a session.

    Parameters
    ----------
    file : InputFile
        Of no kind that is known.

    Returns
    -------
    dict
        Name of the event -> column, in the order of the journey, the goal last. Empty unless a column says when and
        another whose, and at least one is headed as a usual step or goal and holds flags, counts or times.
    """
    guess = mapping.guess(file)
    if "time" not in guess or not {"device_id", "user_id", "source_session"} & set(guess):
        return {}
    taken = {name for names in guess.values() for name in names}
    free = {usual.plain(name): name for name in reversed(file.columns) if name not in taken and _is_step(file, name)}
    found = {}
    for entry in (*usual.STEPS, *chain.from_iterable(usual.GOALS.values())):
        heading = next((name for name in usual.headings(entry) if name in free), None)
        if heading:
            found[entry.events.split(",")[0]] = free.pop(heading)
    return found


def _is_step(file: InputFile, name: str) -> bool:
    values = [str(record.get(name) if record.get(name) is not None else "").strip() for record in file.records]
    return any(values) and all(_STEP.fullmatch(value) for value in values)
