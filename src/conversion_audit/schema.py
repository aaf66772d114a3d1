"""The parts of an audit.yaml: sources, rules, goals, intents, and how to count and to tell."""

from __future__ import annotations

from datetime import date
from decimal import Decimal, InvalidOperation
from functools import cached_property
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from conversion_audit.units import Currency, Duration, Effort, Files, Label, Names, Share, SparkMaster, ZoneName, share


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
    files: Files
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


def _worth(value: Any) -> Any:
    if isinstance(value, str) and value != "revenue":
        try:
            return Decimal(value)
        except InvalidOperation:
            raise ValueError("is neither revenue nor a number such as 12.50") from None
    return value


class Goal(Rule):
    """A goal: what counts, what it is worth, what rate is aimed at."""

    value: Annotated[Literal["revenue"] | Decimal | None, BeforeValidator(_worth)] = None
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
        return {"below": text.startswith("<"), "at": share(text.lstrip("<>= "))}
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
    people: dict[str, Effort] = {}
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
    """Where the heavy reductions run; `rows` is how many a table may have before its statements are Spark's."""

    backend: Literal["duckdb", "spark"] = "duckdb"
    master: SparkMaster = "local[*]"
    memory: str | None = None
    rows: Annotated[int, Field(ge=0)] = 20_000_000
    settings: dict[str, str] = {}
