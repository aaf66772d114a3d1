"""audit.yaml: what differs from client to client, typed, checked, and wrong with a line number."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from decimal import Decimal
from functools import cached_property
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from conversion_audit import yaml_text
from conversion_audit.errors import ConfigError, Problem, closest
from conversion_audit.folders import Folders, home
from conversion_audit.leaks import WHOLE_SESSION, refuse_leaks, whole_session

_UNITS = {
    "s": 1,
    "sec": 1,
    "second": 1,
    "min": 60,
    "minute": 60,
    "h": 3600,
    "hour": 3600,
    "d": 86400,
    "day": 86400,
    "week": 604800,
}


def _share(value: Any) -> Any:
    if isinstance(value, str):
        text = value.strip().replace(",", ".")
        number = float(text.removesuffix("%").strip())
        value = number / 100 if text.endswith("%") else number
        if not 0 <= value <= 1:
            raise ValueError("is a share of 0 to 100 %: write e.g. '3 %'")
    return value


def _seconds(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([a-z]+?)s?\s*", value.lower() + " ")
    unit = found and (found[2] if found[2] in _UNITS else found[2].rstrip("s"))
    if not found or unit not in _UNITS:
        raise ValueError(
            f"{value} has no unit; write e.g. '30min', '7 days'" if value.isdigit() else "write e.g. '30min', '7 days'"
        )
    return float(found[1]) * _UNITS[unit]


def _zone(value: str) -> str:
    if value not in available_timezones():
        raise ValueError(f"is not a time zone{closest(value, available_timezones())}; write e.g. Europe/Berlin")
    ZoneInfo(value)
    return value


def _currency(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z]{3}", value):
        raise ValueError("is not a currency code; write e.g. EUR")
    return value.upper()


def _as_list(value: Any) -> Any:
    return value if isinstance(value, list) else [value]


Share = Annotated[float, BeforeValidator(_share)]
Duration = Annotated[float, BeforeValidator(_seconds)]
Names = Annotated[list[str], BeforeValidator(_as_list)]
Label = str | dict[str, str]
ZoneName = Annotated[str, AfterValidator(_zone)]
Currency = Annotated[str, AfterValidator(_currency)]


class Model(BaseModel):
    """Every part of the config: unknown keys are mistakes, values do not change after reading."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=False, ignored_types=(cached_property,))


class Period(Model):
    """First and last day, in the client's time zone, both included."""

    start: date
    end: date

    @model_validator(mode="after")
    def _in_order(self) -> Period:
        if self.end < self.start:
            raise ValueError(f"ends ({self.end}) before it starts ({self.start})")
        return self


class Source(Model):
    """One export: its kind, its files, and how to read what the kind leaves open."""

    kind: str
    files: Names
    columns: dict[str, Names] = {}
    timezone: ZoneName | None = None
    currency: Currency | None = None
    delimiter: str | None = None
    decimal: Literal[".", ","] | None = None
    encoding: str | None = None
    dedup: Literal["id", "exact"] = "id"
    salvage: bool = False
    session_timeout: Duration = 1800.0
    steps: dict[str, str] = {}
    page_events: Names = ["page_view"]
    join: dict[str, Any] = {}


class Rule(Model):
    """
    What a row of events must show to match. Several values of one key: any of them; several keys: all of them.

    `*` stands for any text and case is ignored. `seconds` is the least time on the page; `property`/`at_least` compare
    one exported property as a number; `where` compares columns or properties as text.
    """

    event: Names = []
    page: Names = []
    page_type: Names = []
    title: Names = []
    landing_page: Names = []
    referrer: Names = []
    campaign: Names = []
    channel: Names = []
    search_term: Names = []
    where: dict[str, Names] = {}
    seconds: float | None = None
    property: str | None = None
    at_least: float | None = None
    rule: Literal["single_page"] | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Rule:
        if not self.model_dump(include=set(Rule.model_fields), exclude_defaults=True):
            raise ValueError("matches nothing: give it an event, a page, a page_type or a rule")
        return self


class Goal(Rule):
    """A goal: what counts, what it is worth, what rate is aimed at."""

    value: Literal["revenue"] | Decimal | None = None
    target: Share | None = None
    label: Label | None = None


class MicroConversion(Rule):
    """A step between arriving and the goal."""

    type: Literal["destination", "time", "action", "negative"]
    label: Label | None = None
    target: Share | None = None


class Target(Model):
    """A rate to stay above or below."""

    at: float
    below: bool


def _target(value: Any) -> Any:
    if isinstance(value, str):
        text = value.strip()
        return {"below": text.startswith("<"), "at": _share(text.lstrip("<>= "))}
    return value


class Kpi(Model):
    """Of the sessions or visitors with `of`, the share with `reach`, or without `without`."""

    of: str
    reach: str | None = None
    without: str | None = None
    unit: Literal["session", "visitor"] = "session"
    target: Annotated[Target | None, BeforeValidator(_target)] = None
    label: Label | None = None

    @model_validator(mode="after")
    def _one_of(self) -> Kpi:
        if (self.reach is None) == (self.without is None):
            raise ValueError("needs exactly one of 'reach' and 'without'")
        return self


class Intent(Model):
    """
    What some visitors come for, and how a session shows it.

    `events` are tasks (strength 3); `pages`, `page_types` and `titles` are 3 as landing page, else 2; `hints` are pages
    that many shoppers read as well (1, never decides).
    """

    pages: Names = []
    page_types: Names = []
    events: Names = []
    titles: Names = []
    search_terms: Names = []
    landing_pages: Names = []
    campaigns: Names = []
    referrers: Names = []
    channels: Names = []
    visit_number: int | None = None
    hours: Names = []
    devices: Names = []
    countries: Names = []
    hints: Names = []
    success: Names = []
    can_buy: Literal["can", "cannot", "unclear"] = "cannot"
    label: Label | None = None

    @model_validator(mode="after")
    def _has_evidence(self) -> Intent:
        if not self.model_dump(exclude={"success", "can_buy", "label"}, exclude_defaults=True):
            raise ValueError("has no evidence: give it pages, events, titles or search_terms")
        return self


class Change(Model):
    """Something that was changed on the site, to be seen on the charts."""

    on: date
    what: str
    pages: Names = []


class Costs(Model):
    """What channels, people and goods cost."""

    channel: dict[str, Decimal] = {}
    people: dict[str, str] = {}
    tools: dict[str, Decimal] = {}
    day_rate: Decimal | None = None
    margin: Share | None = None


class Funnel(Model):
    """How the ordered funnel counts; see semantics in data/README.md."""

    order: Literal["sequential", "any_order", "strict"] = "sequential"
    entry: Literal["best", "first"] = "best"
    visitor_window: Duration = 30 * 86400.0
    session_window: Duration | None = None
    step_window: Duration | None = None
    ties: Literal["favour", "adverse"] = "favour"
    tolerance: float = 0.0
    range: Literal["entry", "both"] = "entry"
    exclude: Names = []


class Report(Model):
    """How the report is told."""

    detail: Literal["board", "full"] = "full"
    chapters: Names = []
    logo: str | None = None
    accent: Annotated[str, Field(pattern=r"^#[0-9a-fA-F]{6}$")] | None = None
    prepared_for: str | None = None
    on: date | None = None


class Agency(Model):
    """Who made the audit; usually in data/agency.yaml."""

    name: str | None = None
    contact: str | None = None
    footer: str | None = None
    logo: str | None = None
    accent: Annotated[str, Field(pattern=r"^#[0-9a-fA-F]{6}$")] | None = None


class EngineChoice(Model):
    """Where the heavy reductions run."""

    backend: Literal["duckdb", "spark"] = "duckdb"
    master: str = "local[*]"
    memory: str | None = None


class Config(Model):
    """One client's audit.yaml."""

    client: str
    timezone: ZoneName | None = None
    currency: Currency = "EUR"
    language: Literal["en", "de"] = "en"
    locale: str | None = None
    site: Literal["shop", "leads", "subscription", "content", "app"] = "shop"
    period: Period | None = None
    main_goal: str
    sources: list[Source]
    page_types: dict[str, Names] = {}
    goals: dict[str, Goal]
    micro_conversions: dict[str, MicroConversion] = {}
    journey: Names = []
    after_purchase: Names = []
    kpis: dict[str, Kpi] = {}
    intents: dict[str, Intent] = {}
    ineligible: dict[str, Rule] = {}
    internal: dict[str, Rule] = {}
    suspects: Names = ["device", "browser", "os", "country"]
    adjusters: Names = ["channel", "is_new"]
    changes: list[Change] = []
    costs: Costs = Costs()
    fx: dict[str, Decimal] = {}
    own_hosts: Names = []
    referral_exclusions: Names = []
    query_parameters: Names = []
    funnel: Funnel = Funnel()
    thresholds: dict[str, float] = {}
    report: Report = Report()
    agency: Agency = Agency()
    engine: EngineChoice = EngineChoice()
    accept_bad: Share = 0.01
    min_sessions: int = 30
    seed: int = 1

    @model_validator(mode="after")
    def _names_are_known(self) -> Config:
        both = set(self.goals) & set(self.micro_conversions)
        if both:
            raise ValueError(f"{sorted(both)[0]!r} is both a goal and a micro-conversion")
        if self.main_goal not in self.goals:
            raise ValueError(f"main_goal {self.main_goal!r} is not among goals{closest(self.main_goal, self.goals)}")
        return self

    def definition(self, name: str) -> Rule:
        """Return the rule a name stands for: a micro-conversion, else a goal, else an event of the export."""
        return self.micro_conversions.get(name) or self.goals.get(name) or Rule(event=[name])

    def label(self, name: str, language: str | None = None) -> str:
        """Return a name as the client reads it."""
        known = (
            self.micro_conversions.get(name) or self.goals.get(name) or self.kpis.get(name) or self.intents.get(name)
        )
        label = getattr(known, "label", None)
        if isinstance(label, dict):
            label = label.get(language or self.language) or next(iter(label.values()), None)
        return label or name.replace("_", " ").capitalize()

    @property
    def steps(self) -> list[str]:
        """The journey's steps, the main goal last; without a journey, the main goal alone."""
        steps = [step for step in self.journey if step != self.main_goal]
        return [*steps, self.main_goal]


def read_config(client: str) -> Config:
    """
    Read and check a client's audit.yaml.

    Parameters
    ----------
    client : str
        Folder under ``data/``.

    Returns
    -------
    Config
        With ``data/agency.yaml`` beneath it, where that exists.

    Raises
    ------
    ConfigError
        Listing every mistake with its line.
    """
    folders = Folders(client).existing()
    shown = f"data/{client}/audit.yaml"
    data, lines = yaml_text.read(folders.config, shown)
    agency = home() / "data" / "agency.yaml"
    if agency.is_file():
        beneath, _ = yaml_text.read(agency, "data/agency.yaml")
        data = {**beneath, **data}
    return typed(data, lines, shown)


def typed(data: dict[str, Any], lines: yaml_text.Lines, shown: str) -> Config:
    """Return the typed config of a read YAML mapping, or every mistake in it."""
    try:
        config = Config.model_validate(data)
    except ValidationError as error:
        raise ConfigError(*(_problem(one, data, lines, shown) for one in error.errors())) from None
    leaks = [replace(problem, where=_place(path, lines, shown)) for path, problem in _leaks(config)]
    if leaks:
        raise ConfigError(*leaks)
    return config


def _leaks(config: Config) -> list[tuple[tuple[str, ...], Problem]]:
    outcomes = {
        "goal": list(config.goals),
        "journey step": config.journey,
        "after-purchase step": config.after_purchase,
    }
    return refuse_leaks(config.intents, config.ineligible, outcomes, config.definition)


def _place(path: tuple, lines: yaml_text.Lines, shown: str) -> str:
    line = next((lines[path[:n]] for n in range(len(path), 0, -1) if path[:n] in lines), 0)
    return f"{shown}:{line}" if line else shown


def _problem(error: dict[str, Any], data: dict[str, Any], lines: yaml_text.Lines, shown: str) -> Problem:
    path = error["loc"]
    where = _place(path, lines, shown)
    key = ".".join(str(part) for part in path)
    if error["type"] == "extra_forbidden":
        if path[0] in ("intents", "ineligible") and path[-1] in WHOLE_SESSION:
            return replace(whole_session(path)[1], where=where)
        allowed = _keys_at(path[:-1])
        return Problem(
            f"unknown key '{path[-1]}'{closest(str(path[-1]), allowed)}",
            where,
            mend=f"Known keys here: {', '.join(allowed)}",
        )
    if error["type"] == "missing":
        return Problem(f"missing key '{key}'", where)
    seen = error["input"] if isinstance(error["input"], str) else ""
    what = error["msg"].removeprefix("Value error, ")
    return Problem(f"{key}: {what}" if key else what, where, seen=seen)


def _keys_at(path: tuple) -> list[str]:
    model: Any = Config
    for part in path:
        if isinstance(part, int) or not (isinstance(model, type) and issubclass(model, BaseModel)):
            continue
        field = model.model_fields.get(part)
        model = _model_in(field.annotation) if field else model
    return list(model.model_fields) if isinstance(model, type) and issubclass(model, BaseModel) else []


def _model_in(annotation: Any) -> Any:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    inner = [_model_in(part) for part in getattr(annotation, "__args__", ())]
    return next((part for part in inner if part is not None), None)
