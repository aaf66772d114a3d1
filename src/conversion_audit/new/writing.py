"""Suggestions -> the text of a first audit.yaml: each guess beside the count that speaks for it."""

from __future__ import annotations

import json
import re

from conversion_audit.new import words
from conversion_audit.new.profile import Profile
from conversion_audit.new.suggest import INTENT_LABELS, INTENT_SUCCESS, Suggestion

CHECK = "CHECK"
_PLAIN = re.compile(r"[A-Za-z_/$][\w/.$+-]*( [\w/.$+-]+)*")
_RESERVED = {"true", "false", "yes", "no", "on", "off", "null", "none", "y", "n"}


def scalar(value: str) -> str:
    """Return a text as YAML, quoted where it could be read as something else."""
    is_plain = _PLAIN.fullmatch(value) and value.lower() not in _RESERVED and value == value.strip()
    return value if is_plain else json.dumps(value, ensure_ascii=False)


def several(values: list[str]) -> str:
    """Return one text as it is, several as a YAML list."""
    return scalar(values[0]) if len(values) == 1 else "[" + ", ".join(map(scalar, values)) + "]"


def written(client: str, sources: list[dict], found: Profile, guess: Suggestion) -> str:
    """
    Return the text of audit.yaml.

    Parameters
    ----------
    client : str
        The client's folder name.
    sources : list of dict
        kind, files, reason, and where the kind is ``table`` columns; steps where one row is a session.
    found : Profile
        What the export holds.
    guess : Suggestion
        What it suggests.
    """
    parts = [
        _head(client, found, guess), source_part(sources), _page_types(guess), _goals(guess), _micro_conversions(guess),
        _journey(guess), _intents(guess), _causes(found, guess), _questions(found, guess),
    ]  # fmt: skip
    return "\n".join(part for part in parts if part)


def counted(number: float, noun: str) -> str:
    """Return a number of things, in words."""
    return f"{int(number):,} {noun if int(number) != 1 else noun.removesuffix('s')}"


def _head(client: str, found: Profile, guess: Suggestion) -> str:
    totals = found.totals
    lines = [
        f"# First version, written from the export itself: {counted(totals['rows'], 'rows')}, about "
        f"{counted(totals['sessions'], 'sessions')}, {counted(totals['visitors'], 'visitors')}.",
        f"# Lines marked {CHECK} are guesses that a person should look at.",
        "",
        f"client: {scalar(client.replace('-', ' ').replace('_', ' ').title())}",
        f"site: {guess.site}",
    ]
    if found.zone:
        lines.append(f"timezone: {found.zone}   # the zone in which every row's time falls on the row's own date")
    else:
        lines.append(f"# timezone: Europe/Berlin   # {CHECK}: the export does not say; days are UTC until this is set")
    lines += _currency(found)
    lines += _period(found)
    return "\n".join(lines)


def _period(found: Profile) -> list[str]:
    """Days follow the time zone: while that is open, a period that is the whole export is not fixed in another's days."""
    if not found.start:
        return []
    days, verb = f"period: {{start: {found.start}, end: {found.end}}}", "is" if found.odd_days == 1 else "are"
    if not found.zone and not found.odd_days:
        return [f"# {days}   # the whole export, as it is without this line; these days are UTC"]
    odd = f"; {counted(found.odd_days, 'days')} outside it {verb} almost empty" if found.odd_days else ""
    return [f"{days}   # the whole export{odd}"]


def _currency(found: Profile) -> list[str]:
    seen = [row for row in found.currencies.itertuples() if re.fullmatch(r"[A-Za-z]{3}", str(row.currency))]
    if not seen:
        return [f"currency: EUR   # {CHECK}: the export names none"]
    first = seen[0]
    said = counted(first.amounts, "amounts") if first.amounts else counted(first.rows, "rows")
    others = ", ".join(str(row.currency).upper() for row in seen[1:4])
    also = f"; {CHECK}: also {others}, give their rates under fx" if others and seen[1].amounts else ""
    return [f"currency: {first.currency.upper()}   # of {said}{also}"]


def source_part(sources: list[dict]) -> str:
    """Return the part of audit.yaml that names the sources."""
    lines = ["", "sources:"]
    for source in sources:
        lines.append(f"  - kind: {source['kind']}   # {comment(source['reason'])}")
        lines.append(f"    files: {several(source['files'])}")
        if source.get("join"):
            joined = ", ".join(f"{scalar(name)}: {scalar(key)}" for name, key in source["join"].items())
            lines.append(
                f"    join: {{{joined}}}   # {CHECK}: these files give no rows, they say more about those of the others"
            )
        if source.get("columns"):
            lines.append(f"    columns:   # {CHECK}: guessed from the columns' names")
            lines += [f"      {target}: {several(names)}" for target, names in source["columns"].items()]
        if source.get("steps"):
            lines.append(
                f"    steps:   # {CHECK}: one row is a session, and each of these one event of it where it is filled"
            )
            lines += [f"      {event}: {scalar(name)}" for event, name in source["steps"].items()]
        lines += [f"    {key}: {scalar(value)}   # {CHECK}" for key, value in source.get("also", {}).items()]
    return "\n".join(lines)


def comment(text: str) -> str:
    """Return a text of the export as it may stand in a comment of YAML."""
    return re.sub(r"[^\x20-\x7e\u00a0-\uffff]", " ", text).replace("\u2028", " ").replace("\u2029", " ")[:160]


def _page_types(guess: Suggestion) -> str:
    lines = ["", "# Which page is what: the first type that fits is taken, * is any text."]
    if not guess.page_types:
        return "\n".join([*lines, "page_types: {}   # no page's address says what it is"])
    lines.append("page_types:")
    for name, patterns in guess.page_types.items():
        listed = "[" + ", ".join(map(scalar, patterns)) + "]"
        lines.append(f"  {name}: {listed}   # {counted(guess.page_views[name], 'rows')}")
    if guess.untyped:
        lines.append(f"  # {CHECK}: without a type so far:")
        lines += [f"  #   {comment(pattern)}: {counted(rows, 'rows')}" for pattern, rows in guess.untyped]
    return "\n".join(lines)


def _goals(guess: Suggestion) -> str:
    goal = guess.goal
    mark = f"{CHECK}: {guess.goal_doubt}" if guess.goal_doubt else ""
    value = "value: revenue, " if guess.has_revenue else ""
    label = f"label: {{en: {scalar(goal.en)}, de: {scalar(goal.de)}}}"
    return "\n".join([
        "",
        "# Success, and what one is worth: `value: revenue` takes each order's own amount, a number is the same for all.",
        f"main_goal: {scalar(goal.name)}   # {mark}{counted(guess.goal_sessions, 'sessions')} reach{'es' if guess.goal_sessions == 1 else ''} it",
        "goals:",
        f"  {scalar(goal.name)}: {{event: {several(guess.goal_events)}, {value}{label}}}",
    ])  # fmt: skip


def _micro_conversions(guess: Suggestion) -> str:
    lines = ["", "# What lies between arriving and success, and what goes wrong.", "micro_conversions:"]
    for step in guess.steps:
        entry = step.usual
        if entry.name == guess.goal.name:
            continue
        label = f"label: {{en: {scalar(entry.en)}, de: {scalar(entry.de)}}}"
        rule = f"{{type: {entry.kind}, event: {several(step.events)}, {label}}}"
        lines.append(f"  {entry.name}: {rule}   # {counted(step.sessions, 'sessions')}")
    bounce = "{type: negative, rule: single_page, label: {en: Bounce, de: Absprung}}"
    return "\n".join([*lines, f"  bounce: {bounce}   # the source's own flag where it has one"])


def _journey(guess: Suggestion) -> str:
    sessions = {step.usual.name: step.sessions for step in guess.steps}
    counts = ", ".join(f"{sessions[name]:,}" for name in guess.journey)
    steps = [name for name in guess.journey if name != guess.goal.name]
    reach = f"sessions with each: {counts}, {guess.goal_sessions:,}" if steps else "no usual step was found: add yours"
    lines = [
        "",
        "# The way to the goal, in order.",
        f"journey: [{', '.join([*steps, scalar(guess.goal.name)])}]   # {CHECK}: {reach}",
    ]
    if guess.after:
        lines.append(f"after_purchase: [{', '.join(guess.after)}]")
    return "\n".join(lines)


def _intents(guess: Suggestion) -> str:
    if not guess.intents:
        return "\n# intents: {returns: {pages: [/returns*]}}   # no page's address says what else visitors come for"
    named = {step.usual.name for step in guess.steps}
    lines = [
        "",
        f"# What visitors come for who do not come to buy. {CHECK}: found by the words of addresses.",
        "intents:",
    ]
    for name, pages in guess.intents.items():
        entry = words.patterns()["intents"][name]
        en, de = INTENT_LABELS[name]
        parts = [f"pages: [{', '.join(map(scalar, pages))}]"]
        if name in guess.hints:
            parts.append(f"hints: [{', '.join(map(scalar, guess.hints[name]))}]")
        if INTENT_SUCCESS.get(name) in named:
            parts.append(f"success: {INTENT_SUCCESS[name]}")
        parts.append(f"can_buy: {entry['can_buy']}, label: {{en: {scalar(en)}, de: {scalar(de)}}}")
        lines.append(f"  {name}: {{{', '.join(parts)}}}   # {counted(guess.intent_views[name], 'rows')}")
    return "\n".join(lines)


def _causes(found: Profile, guess: Suggestion) -> str:
    suspects = [name for name in ("device", "browser", "os", "country") if found.known[name] > 1]
    suspects += ["page_type"] if guess.page_types else []
    adjusters = [name for name in ("channel", "campaign") if found.known[name] > 1]
    adjusters += ["is_new"] + (["landing_page"] if len(found.pages) else [])
    lines = [
        "",
        "# Where friction can live, and who came (never friction by rate alone).",
        f"suspects: [{', '.join(suspects)}]",
        f"adjusters: [{', '.join(adjusters)}]",
    ]
    if guess.hosts:
        rows = sum(count for _, count in guess.hosts)
        lines.append(
            f"own_hosts: [{', '.join(scalar(host) for host, _ in guess.hosts)}]   # of {counted(rows, 'rows')}"
        )
    return "\n".join(lines)


def _average(found: Profile) -> float:
    """An order's amount, of several currencies of those in the commonest: sums of different money say nothing."""
    paid = found.currencies[found.currencies["amounts"] > 0]
    of = paid.iloc[0] if len(paid) else found.totals
    return of["revenue"] / of["amounts"]


def _questions(found: Profile, guess: Suggestion) -> str:
    totals, goal = found.totals, guess.goal.name
    worth = "each order's own amount" if guess.has_revenue else "nothing yet: write value under goals"
    if guess.has_revenue and totals["amounts"]:
        worth += f", {_average(found):,.2f} on average"
    cannot = [name for name in guess.intents if words.patterns()["intents"][name]["can_buy"] == "cannot"]
    who = f"who comes for {', '.join(cannot)}" if cannot else "nobody that the export shows"
    hosts = ", ".join(host for host, _ in guess.hosts) or "the export names none"
    return "\n".join([
        "",
        f"# Five questions for the client. {CHECK} the guessed answers.",
        f"# 1. What is success?            Guessed: {comment(goal)} ({counted(guess.goal_sessions, 'sessions')}).",
        f"# 2. What is it worth?           Guessed: {worth}.",
        f"# 3. Who cannot buy?             Guessed: {who}. See intents, ineligible.",
        "# 4. What changed lately?        Guessed: nothing. See changes: [{on: 2026-04-03, what: new product video}].",
        f"# 5. Which hosts are yours?      Guessed: {comment(hosts)}. See own_hosts, referral_exclusions.",
        "",
    ])  # fmt: skip
