"""Rules that would know the outcome beforehand: refused when the config is read."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any

from conversion_audit.errors import Problem

WHOLE_SESSION = ("events", "pages", "seconds", "is_bounce", "is_single_page", "exit_page", "orders", "revenue")
RESERVED = ("shop", "unknown")
MEND = "Name what visitors do before: pages, titles, search terms, landing page, campaign, channel."
_WHY = {
    "goal": "A session recognised by its outcome raises the conversion rate by construction.",
    "journey step": "How far a session went may not say what it came for: the rate would rise by construction.",
    "after-purchase step": "Only buyers get there: the label would know the outcome.",
    "success": "A purpose recognised by its own success would always succeed.",
    "whole session": "It is known only when the session is over, the outcome included.",
}
_INTENT_KEYS = {
    "events": "event",
    "pages": "page",
    "hints": "page",
    "landing_pages": "page",
    "page_types": "page_type",
    "titles": "title",
}
_COMPARISON = re.compile(r"\s*[<>=]*\s*\d+([.,]\d+)?\s*")

Path = tuple[str, ...]


def refuse_leaks(
    intents: Mapping[str, Any],
    ineligible: Mapping[str, Any],
    outcomes: Mapping[str, Sequence[str]],
    definition: Any,
) -> list[tuple[Path, Problem]]:
    """
    Find rules about what visitors came for that name what came of it.

    A rule may not name a goal, a step of the journey or after the purchase, the intent's own success, nor a number that
    is known only when the session is over. Otherwise the true conversion rate would rise by construction.

    Parameters
    ----------
    intents, ineligible : mapping
        Name -> rule, as in audit.yaml.
    outcomes : mapping
        ``goal``, ``journey step``, ``after-purchase step`` -> names.
    definition : callable
        Name -> the rule it stands for.

    Returns
    -------
    list of (path, Problem)
        Path in the config, e.g. ``("intents", "keen", "events")``, and what is wrong with it.
    """
    known = [(kind, name, definition(name)) for kind, names in outcomes.items() for name in names]
    found: list[tuple[Path, Problem]] = []
    for name, intent in intents.items():
        own = [("success", success, definition(success)) for success in intent.success]
        values = {key: getattr(intent, key) for key in _INTENT_KEYS}
        found += [_reserved(name)] if name in RESERVED else []
        found += _leaks(("intents", name), values, [*known, *own])
        found += _numbers(("intents", name), {key: values[key] for key in ("events", "pages")})
    for name, rule in ineligible.items():
        values = {key: getattr(rule, key) for key in ("event", "page", "page_type", "title")}
        found += _leaks(("ineligible", name), values, known)
        found += [whole_session(("ineligible", name, "where", key)) for key in rule.where if key in WHOLE_SESSION]
    return found


def whole_session(path: Path) -> tuple[Path, Problem]:
    """Return the problem of a rule that names a whole-session number."""
    what = f"{'.'.join(path[:-1])}: '{path[-1]}' is a number of the whole session"
    return path, Problem(what, why=_WHY["whole session"], mend=MEND)


def _leaks(path: Path, values: Mapping[str, Sequence[str]], known: Iterable[tuple]) -> Iterator[tuple[Path, Problem]]:
    known = list(known)
    for key, patterns in values.items():
        for pattern in patterns:
            hit = next((one for one in known if _names(key, pattern, *one)), None)
            if hit:
                what = f"{'.'.join(path)}.{key}: names the {_called(*hit[:2])}"
                yield (*path, key), Problem(what, seen=pattern, why=_WHY[hit[0]], mend=MEND)


def _names(key: str, pattern: str, kind: str, name: str, rule: Any) -> bool:
    """Whether a pattern names an outcome: by its name, or by matching what defines it."""
    column = _INTENT_KEYS.get(key, key)
    if column in ("event", "page_type") and pattern.lower() == name.lower():
        return True
    texts = getattr(rule, column)
    # A section of pages may hold its own success page; only the page itself is the success.
    wide = column == "event" or kind in ("goal", "journey step")
    return any(_covers(text, pattern) or (wide and _covers(pattern, text)) for text in texts)


def _covers(pattern: str, text: str) -> bool:
    return fnmatchcase(text.lower(), pattern.lower().replace("[", "[[]").replace("?", "[?]"))


def _numbers(path: Path, values: Mapping[str, Sequence[str]]) -> Iterator[tuple[Path, Problem]]:
    yield from (whole_session((*path, key)) for key, texts in values.items() if any(map(_COMPARISON.fullmatch, texts)))


def _called(kind: str, name: str) -> str:
    return f"intent's own success '{name}'" if kind == "success" else f"{kind} '{name}'"


def _reserved(name: str) -> tuple[Path, Problem]:
    what = f"intents: '{name}' is a name the audit uses itself"
    return ("intents", name), Problem(what, mend="Give the intent another name.")
