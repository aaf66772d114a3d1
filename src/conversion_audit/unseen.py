"""Names in audit.yaml that the export never shows: each with its line, what was looked for, and what does occur."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches

import pandas as pd

from conversion_audit.analysis.rules import named_rules
from conversion_audit.audit import Audit
from conversion_audit.config import place_of, placed
from conversion_audit.engine import like, statement
from conversion_audit.errors import Problem, closest, listing
from conversion_audit.schema import Rule

MOST = 3
_WHY = {
    "journey": "A step that nothing shows looks as if everybody left before it.",
    "goals": "A goal that nothing shows counts as never reached.",
    "intents": "Who comes for it counts among those who could have bought.",
    "suspects": "Nothing is compared by it, so no friction is ever found there.",
    "adjusters": "Like is not compared with like by it: a change of who came can pass for friction.",
}
Keys = tuple[str | int, ...]


def unseen(audit: Audit) -> list[Problem]:
    """
    Find what audit.yaml names and the whole export, not only the period, never shows: a typing mistake, or a missing tag.

    Several values of one key stand for each other: only where all of them are missing is the key told.

    Returns
    -------
    list of Problem
        In the order of the config's parts; empty where every name occurs, or where the export has no events.
    """
    if not audit.has("events"):
        return []
    _, places = placed(audit.folders.config, f"data/{audit.folders.client}/audit.yaml")
    marked = set(audit.engine.query(_sql("marked"), {"marks": audit.table("marks")}).name)
    found = [*_rules(audit, marked), *_intents(audit, marked), *_columns(audit)]
    # Parts of agency.yaml have no line here: the client's own file is named.
    return [_problem(keys, what, mend, place_of(keys, places), audit) for keys, what, mend in found]


def _problem(keys: Keys, what: str, mend: str, where: str, audit: Audit) -> Problem:
    steps = set(audit.config.steps) - {audit.config.main_goal}
    part = "journey" if keys[0] == "micro_conversions" and keys[1] in steps else str(keys[0])
    return Problem(what, where, why=_WHY.get(part, "It counts nothing until that is mended."), mend=mend)


def _rules(audit: Audit, marked: set[str]) -> Iterator[tuple[Keys, str, str]]:
    rules = {name: rule for name, rule in named_rules(audit.config).items() if not rule.rule}
    looked = [
        (name, kind, value)
        for name, rule in rules.items()
        for kind in ("event", "page")
        for value in getattr(rule, kind)
    ]
    missing = _missing(audit, looked)
    defined = [*audit.config.micro_conversions, *audit.config.goals]
    for name, rule in rules.items():
        keys = _keys(audit, name)
        meant = "" if name in defined else closest(name, defined)
        parts = [kind for kind in ("event", "page") if getattr(rule, kind) and (name, kind) in missing]
        for kind in parts:
            values = getattr(rule, kind)
            said = ", ".join(repr(value) for value in values)
            what = f"{name}: no {kind} {said} in the export: seen 0 times{meant}"
            yield (*keys, kind), what, _near(audit, kind, values)
        if not parts and name not in marked:
            mend = "Each name in it occurs, but no event meets all of its conditions: loosen or correct them."
            yield keys, f"{name}: {_said(rule)}: seen 0 times", mend


def _intents(audit: Audit, marked: set[str]) -> Iterator[tuple[Keys, str, str]]:
    """Intents that no session shows."""
    shown = {name.split(":")[1] for name in marked if name.startswith("evidence:")}
    for name in audit.config.intents:
        if name not in shown:
            mend = "Look at its pages and events: how does this export name them?"
            yield ("intents", name), f"{name}: no session shows what it asks for: seen 0 times", mend


def _missing(audit: Audit, looked: list[tuple[str, str, str]]) -> set[tuple[str, str]]:
    """Return name and kind of those of which no value occurs."""
    rows = pd.DataFrame(looked, columns=["name", "kind", "value"]).astype("string")
    rows = rows.assign(pattern=rows.value.map(like).astype("string"), place=range(len(rows)))
    tables = {"events": audit.table("events"), "looked": rows}
    met = rows.loc[audit.engine.query(_sql("met"), tables).place]
    return {(name, kind) for name, kind, _ in looked} - set(zip(met.name, met.kind, strict=True))


def _said(rule: Rule) -> str:
    parts = rule.model_dump(include=set(Rule.model_fields), exclude_defaults=True)
    return ", ".join(f"{key} {value}" for key, value in parts.items()).replace("[", "").replace("]", "")


def _keys(audit: Audit, name: str) -> Keys:
    """Return where audit.yaml defines a name, else where it is used: there it stands for an event of that name."""
    config = audit.config
    for part in ("micro_conversions", "goals", "ineligible"):
        if name in getattr(config, part):
            return part, name
    for part in ("journey", "after_purchase"):
        if name in getattr(config, part):
            return part, getattr(config, part).index(name), name
    for intent, one in config.intents.items():
        if name in one.success:
            return "intents", intent, "success", name
    for key, kpi in config.kpis.items():
        if name in (kpi.of, kpi.reach, kpi.without):
            return "kpis", key, name
    return "funnel", "exclude", name


def _near(audit: Audit, kind: str, values: list[str]) -> str:
    """Say which names of the export are nearest, with their counts; where none is near, the most frequent ones."""
    tables = {"events": audit.table("events")}
    rows = audit.once(f"seen {kind}s", lambda: audit.engine.query(_sql(f"{kind}s_seen"), tables))
    times = dict(zip(rows.text, rows.times, strict=True))
    by_lower = {str(text).lower(): text for text in reversed(times)}
    near = [
        by_lower[text]
        for value in values
        for text in get_close_matches(value.strip("*").lower(), by_lower, n=MOST, cutoff=0.6)
    ]
    shown = [f"{text} ({times[text]:,})" for text in list(dict.fromkeys(near))[:MOST] or list(times)[:MOST]]
    if not shown:
        return f"The export names no {kind}s at all."
    return f"{'Nearest' if near else 'Most frequent'} in the export: {', '.join(shown)}."


def _columns(audit: Audit) -> Iterator[tuple[Keys, str, str]]:
    """Suspects and adjusters that are no column of sessions; a suspect may be one of events, or a property, too."""
    sessions = list(audit.sessions.columns)
    events = audit.table("events")
    for part, known in (("suspects", [*sessions, *events.columns]), ("adjusters", sessions)):
        for place, name in enumerate(getattr(audit.config, part)):
            key = name.removeprefix("properties.")
            if name in known:
                continue
            if part == "suspects" and key != name:
                if not audit.engine.query(_sql("property"), {"events": events}, key=key).times.iloc[0]:
                    mend = "Write properties.NAME with a name as the export spells it."
                    yield (part, place), f"suspects: no event has the property {key!r}: seen 0 times", mend
                continue
            mend = f"Columns: {listing(sessions, len(sessions))}."
            yield (part, place), f"{part}: there is no column {name!r}{closest(name, known)}", mend


def _sql(name: str) -> str:
    return statement(__file__, name)
