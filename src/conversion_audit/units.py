"""What a consultant writes, as types: ``3 %``, ``30min``, ``Europe/Berlin``, ``EUR``, one value or a list."""

from __future__ import annotations

import re
from typing import Annotated, Any
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AfterValidator, BeforeValidator

from conversion_audit.errors import closest

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
DAYS = re.compile(r"\s*(\d+(?:[.,]\d+)?)\s*(?:days?|d|tage?)\s*", re.IGNORECASE)
_AMOUNT = re.compile(r"\s*\d+(?:[.,]\d\d?)?\s*")  # three digits behind a mark may be thousands


def share(value: Any) -> Any:
    """Return a share written as ``3 %`` or ``0.03`` as a fraction."""
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


def _master(value: str) -> str:
    if not re.fullmatch(r"local|local\[[\d*]+(,\d+)?\]|local-cluster\[\d+,\d+,\d+\]|yarn|(spark|k8s)://\S+", value):
        raise ValueError("is no master of Spark; write e.g. 'local[4]', 'spark://host:7077' or 'yarn'")
    return value


def _currency(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z]{3}", value):
        raise ValueError("is not a currency code; write e.g. EUR")
    return value.upper()


def _effort(value: str) -> str:
    if not (DAYS.fullmatch(value) or _AMOUNT.fullmatch(value)):
        raise ValueError("is neither days nor an amount; write e.g. '5 days' or '12000'")
    return value


def _as_list(value: Any) -> Any:
    return value if isinstance(value, list) else [value]


def _files(value: list[str]) -> list[str]:
    if not value or not all(one.strip() for one in value):
        raise ValueError("names no file; write e.g. raw/*.csv")
    return value


Share = Annotated[float, BeforeValidator(share)]
Duration = Annotated[float, BeforeValidator(_seconds)]
Names = Annotated[list[str], BeforeValidator(_as_list)]
Files = Annotated[Names, AfterValidator(_files)]
Label = str | dict[str, str]
ZoneName = Annotated[str, AfterValidator(_zone)]
Currency = Annotated[str, AfterValidator(_currency)]
Effort = Annotated[str, AfterValidator(_effort)]
SparkMaster = Annotated[str, AfterValidator(_master)]
