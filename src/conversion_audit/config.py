"""audit.yaml: what differs from client to client, typed, checked, and wrong with a line number."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, ValidationError, model_validator

from conversion_audit import yaml_text
from conversion_audit.errors import ConfigError, Problem, closest
from conversion_audit.folders import Folders, home
from conversion_audit.leaks import WHOLE_SESSION, refuse_leaks, whole_session
from conversion_audit.schema import (
    Agency,
    Change,
    Costs,
    EngineChoice,
    Funnel,
    Goal,
    Intent,
    Kpi,
    MicroConversion,
    Model,
    Period,
    Report,
    Rule,
    Source,
)
from conversion_audit.units import Currency, Names, Share, ZoneName

Places = dict[tuple[str | int, ...], str]
_WORDS = {
    "too_short": "names nothing",
    "dict_type": "should be lines of 'key: value' below it",
    "model_type": "should be lines of 'key: value' below it",
    "list_type": "should be a list",
    "date": "is not a day; write e.g. 2026-03-02",
    "bool": "is neither true nor false",
    "int_": "is not a whole number",
    "float": "is not a number",
    "decimal": "is not a number",
    "string_type": "should be one text",
}
"""Part of a mistake's type -> its words, where the type's own are of programming."""


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
    sources: Annotated[list[Source], Field(min_length=1)]
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

    @property
    def sells(self) -> bool:
        """Whether the main goal is worth each order's own amount."""
        return self.main_goal in self.goals and self.goals[self.main_goal].value == "revenue"


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
    data, places = placed(folders.config, shown)
    agency = home() / "data" / "agency.yaml"
    if agency.is_file():
        beneath, below = placed(agency, "data/agency.yaml")
        data, places = _over(data, beneath), below | places
    return typed(data, places)


def placed(path: Path, shown: str) -> tuple[dict[str, Any], Places]:
    """Return a YAML mapping and path of keys -> file and line; raises `ConfigError` as `yaml_text.read` does."""
    data, lines = yaml_text.read(path, shown)
    return data, {keys: f"{shown}:{line}" for keys, line in lines.items()} | {(): shown}


def _over(data: dict[str, Any], beneath: dict[str, Any]) -> dict[str, Any]:
    """Return `beneath` with what `data` says in its place; sections are put together key by key."""
    both = {key for key in data if isinstance(data[key], dict) and isinstance(beneath.get(key), dict)}
    return {**beneath, **data, **{key: _over(data[key], beneath[key]) for key in sorted(both)}}


def typed(data: dict[str, Any], places: Places) -> Config:
    """Return the typed config of a read YAML mapping (see `placed`), or every mistake in it."""
    try:
        config = Config.model_validate(data)
    except ValidationError as error:
        raise ConfigError(*(_problem(one, places) for one in error.errors())) from None
    leaks = [replace(problem, where=place_of(path, places)) for path, problem in _leaks(config)]
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


def place_of(path: tuple[str | int, ...], places: Places) -> str:
    """Return file and line of a path of keys; of keys that are not written, those of the part that would hold them."""
    return next(places[path[:n]] for n in range(len(path), -1, -1) if path[:n] in places)


def _problem(error: dict[str, Any], places: Places) -> Problem:
    path = error["loc"]
    where = place_of(path, places)
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
    what = next((words for kind, words in _WORDS.items() if kind in error["type"]), error["msg"])
    what = what.removeprefix("Value error, ").removeprefix("Input ")
    if not path:  # a mistake between keys: its sentence begins with the key that names what is not there
        where = place_of((what.split(" ")[0].rstrip(":"),), places)
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
