"""Profile -> suggestions: goal, steps, journey, page types, intents, each with the count that speaks for it."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, field

import pandas as pd

from conversion_audit.new import usual, words
from conversion_audit.new.profile import Profile

MOST_PATTERNS = 8
INTENT_LABELS = {
    "returns": ("Returns", "Rücksendung"),
    "support": ("Support", "Kundendienst"),
    "order_tracking": ("Order tracking", "Sendungsverfolgung"),
    "account": ("Account", "Kundenkonto"),
    "store_finder": ("Store finder", "Filialsuche"),
    "careers": ("Careers", "Karriere"),
    "press": ("Press", "Presse"),
    "wholesale": ("Wholesale", "Großhandel"),
}
INTENT_SUCCESS = {
    "returns": "return_filed", "support": "contact_sent", "order_tracking": "order_tracking", "store_finder": "store_found",
    "careers": "job_applied",
}  # fmt: skip


@dataclass(frozen=True)
class Step:
    """A suggested micro-conversion: its usual form, the export's events for it, and the sessions that have one."""

    usual: usual.Usual
    events: list[str]
    sessions: int


@dataclass(frozen=True)
class Suggestion:
    """Everything that `audit new` suggests."""

    site: str
    goal: usual.Usual
    goal_events: list[str]
    goal_sessions: int
    goal_doubt: str
    has_revenue: bool
    steps: list[Step]
    journey: list[str]
    after: list[str]
    page_types: dict[str, list[str]]
    page_views: dict[str, int]
    intents: dict[str, list[str]]
    intent_views: dict[str, int]
    hints: dict[str, list[str]]
    untyped: list[tuple[str, int]]
    hosts: list[tuple[str, int]] = field(default_factory=list)


def suggest(found: Profile, site: str | None = None) -> Suggestion:
    """
    Return what a first audit.yaml should say.

    Parameters
    ----------
    found : Profile
        See `profile.profile`.
    site : str, optional
        Kind of site; without it, the first of shop, leads, subscription, app, content whose goal the export has.
    """
    sessions = dict(zip(found.events["event"], found.events["sessions"], strict=True))
    site, goal, events, doubt = _goal(found, sessions, site)
    steps = _steps(sessions, set(events))
    types, counts, intents, intent_views, hints, untyped = _pages(found.pages, site)
    named = {step.usual.name for step in steps}
    after = [step.usual.name for step in steps if step.usual.part == "after"]
    ways = usual.WAYS.get(site, ("journey",))
    return Suggestion(
        site, goal, events, max((sessions[event] for event in events), default=0), doubt,
        bool(found.events[found.events["event"].isin(events)]["amounts"].sum()),
        steps,
        [entry.name for entry in usual.STEPS if entry.part in ways and entry.name in named],
        [*after, "repeat_purchase"] if goal.name == "purchase" else after,
        types, counts, intents, intent_views, hints, untyped, _hosts(found.pages),
    )  # fmt: skip


def _goal(found: Profile, sessions: dict[str, int], site: str | None) -> tuple[str, usual.Usual, list[str], str]:
    kinds = (site,) if site else tuple(usual.GOALS)
    for kind, goal in [(name, one) for name in kinds for one in usual.GOALS[name]]:
        events = usual.found(goal, sessions)
        sold = list(found.events[found.events["is_purchase"]]["event"]) if kind == "shop" else []
        if events or sold:
            return kind, goal, list(dict.fromkeys([*events[:1], *sold])), ""
        paid = _paid(found.events) if kind == "shop" else None
        if paid:
            return kind, goal, [paid], "by its order numbers with amounts, not by its name; "
    event, doubt = _likeliest(found.events, sessions)
    name = re.sub(r"\W+", "_", event).strip("_").lower() or "goal"
    return site or usual.site_of(event) or "content", usual.Usual(name, "goal", event, event, event), [event], doubt


def _likeliest(events: pd.DataFrame, sessions: dict[str, int]) -> tuple[str, str]:
    """The event that may be the goal though no list knows its name, and what speaks for it."""
    wrong = {event for entry in usual.STEPS if entry.kind == "negative" for event in usual.found(entry, sessions)}
    wrong |= {event for event in sessions if usual.is_setback(event)}
    automatic = {usual.plain(name) for name in usual.AUTOMATIC}
    spoken = [event for event in sessions if event not in wrong and usual.plain(event) not in automatic]
    paid = set(events.loc[events["amounts"] > 0, "event"])
    ranks = [
        ([event for event in spoken if event in paid], "no usual goal was found, this event carries amounts; "),
        ([e for e in spoken if usual.is_done(e)], "no usual goal was found, this event sounds like one; "),
        (spoken, "no usual goal was found, this is the rarest event; "),
    ]
    for candidates, doubt in ranks:
        if candidates:
            return min(candidates, key=lambda event: (sessions[event], event)), doubt
    return next(iter(sessions), "page_view"), ranks[-1][1]


def _paid(events: pd.DataFrame) -> str | None:
    """The event that carries most orders, whatever it is called: an order number and a positive amount in most of its rows."""
    carrying = events[2 * events["orders"] >= events["rows"].clip(lower=1)]
    return (
        None if carrying.empty else str(carrying.sort_values("orders", ascending=False, kind="stable")["event"].iloc[0])
    )


def page_event(events: pd.DataFrame) -> str | None:
    """
    Return the event that is a page view, where the export knows none and a table's rows name their page.

    The name decides; where none is usual, the event that is seen on most addresses does, the commoner one of two.
    """
    if events["is_page"].any():
        return None
    addressed = events[events["addresses"] > 0].sort_values(["addresses", "rows"], ascending=False, kind="stable")
    names = {usual.plain(name) for name in usual.PAGE_VIEWS}
    named = [event for event in addressed["event"] if usual.plain(event) in names]
    return next(iter([*named, *addressed["event"]]), None)


def _steps(sessions: dict[str, int], goal_events: set[str]) -> list[Step]:
    steps, taken = [], set(goal_events)
    for entry in usual.STEPS:
        events = [event for event in usual.found(entry, sessions) if event not in taken]
        if events:
            taken |= set(events)
            steps.append(Step(entry, events, max(sessions[event] for event in events)))
    return steps


def _pages(pages: pd.DataFrame, site: str) -> tuple[dict, dict, dict, dict, dict, list]:
    """Return page types, their rows, pages of intents, their rows, hints, and first segments without a type."""
    types: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    intents: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    hints: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    untyped: dict[str, int] = defaultdict(int)
    for page, views in zip(pages["page"], pages["rows"], strict=True):
        about = words.page_of(page)
        if words.is_home(page):
            types["home"][page] += views
        elif about is None:
            untyped["/" + page.split("/")[1] + ("/*" if page.count("/") > 1 else "")] += views
        else:
            pattern = _pattern(page, about.place)
            # Who goes where one signs up or asks comes for the goal, not for an account that is there or for help.
            is_way = words.is_way_to(site, page)
            types["contact" if is_way and site == "leads" else about.name][pattern] += views
            if about.group == "intents" and not is_way:
                (hints if about.is_hint else intents)[about.name][pattern] += views
    counts = {name: sum(found.values()) for name, found in types.items()}
    rest = sorted(untyped.items(), key=lambda pair: (-pair[1], pair[0]))
    visited = {name: sum([*intents[name].values(), *hints.get(name, {}).values()]) for name in intents}
    return _most(types), counts, _most(intents), visited, _most(hints), rest[:MOST_PATTERNS]


def _pattern(page: str, place: int) -> str:
    parts = page.split("?", 1)[0].strip("/").split("/")
    head = "/" + "/".join(parts[: place + 1])
    return head + "/*" if len(parts) > place + 1 else head


def _most(found: dict[str, dict[str, int]]) -> dict[str, list[str]]:
    order = sorted(found, key=lambda name: (-sum(found[name].values()), name))
    return {
        name: [pattern for pattern, _ in sorted(found[name].items(), key=lambda pair: (-pair[1], pair[0]))][
            :MOST_PATTERNS
        ]
        for name in order
    }


def _hosts(pages: pd.DataFrame) -> list[tuple[str, int]]:
    if pages["host"].isna().all():
        return []
    counts = pages.dropna(subset="host").groupby("host")["rows"].sum().sort_values(ascending=False, kind="stable")
    return [(str(host), int(rows)) for host, rows in counts[counts >= counts.sum() / 100].items()]
