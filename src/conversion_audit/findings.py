"""What the audit found: one record, one list, ranked; chapters, report and plan all read it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

KINDS = (
    "friction",
    "incident",
    "tracking",
    "mix",
    "unexplained",
    "strength",
    "opportunity",
    "service",
    "goal",
    "observation",
)
SEVERITIES = ("high", "medium", "low", "info")
SCHEMA = 1
_ALPHABET = "23456789abcdefghjkmnpqrstuvwxyz"


@dataclass(frozen=True)
class Finding:
    """
    One finding. Made by `analysis`, worded by `report`.

    Parameters
    ----------
    kind : str
        One of `KINDS`.
    chapter : str
        Number of the chapter that shows it, e.g. ``"04"``.
    claim : str
        Key of the sentence in ``report/texts``; its placeholders are filled from `values`.
    severity : str
        One of `SEVERITIES`.
    verdict : str
        How sure it is, in one word or two: ``"likely friction"``, ``"certain"``, ``"watch"``.
    values : mapping
        Every number the sentence needs. Rates are fractions; absent is None.
    voids : sequence of str
        Chapters whose conclusions this finding weakens.
    next_step : str
        Key of the sentence that says what to do.
    step, segment, since, until, rate, benchmark, sessions_at_risk, lost_orders, lost_orders_net, revenue, gates, mechanism
        Friction keys; None where they do not apply. `segment` maps column to value; dates are ISO texts.
    owner : str
        checkout, content, crm, customer_service, acquisition or tracking.
    """

    kind: str
    chapter: str
    claim: str
    severity: str = "info"
    verdict: str = "certain"
    values: Mapping[str, Any] = field(default_factory=dict)
    voids: tuple[str, ...] = ()
    next_step: str | None = None
    step: str | None = None
    segment: Mapping[str, str] | None = None
    since: str | None = None
    until: str | None = None
    rate: float | None = None
    benchmark: float | None = None
    sessions_at_risk: int | None = None
    lost_orders: Mapping[str, float] | None = None
    lost_orders_net: Mapping[str, float] | None = None
    revenue: Mapping[str, float] | None = None
    gates: tuple[Mapping[str, Any], ...] | None = None
    mechanism: Mapping[str, Any] | None = None
    owner: str | None = None
    title: str | None = None
    note: str | None = None

    @property
    def id(self) -> str:
        """Stable from run to run: kind, claim, step and segment, and for what has days of its own the first. Printed F-3k9."""
        parts = [self.kind, self.claim, self.step, sorted((self.segment or {}).items())]
        parts.append(self.values.get("key"))
        if self.kind == "incident" or (self.kind == "unexplained" and self.since):
            parts.append(self.since)
        number = int.from_bytes(hashlib.md5(json.dumps(parts, default=str).encode()).digest()[:8], "big")
        digits = ""
        for _ in range(4):
            number, digit = divmod(number, len(_ALPHABET))
            digits += _ALPHABET[digit]
        return f"F-{digits}"

    @classmethod
    def of(cls, fields: Mapping[str, Any]) -> Finding:
        """Return the finding whose fields were kept as plain data."""
        return cls(**{key: tuple(value) if isinstance(value, list) else value for key, value in fields.items()})

    def record(self) -> dict[str, Any]:
        """Return the finding as plain data for findings.json."""
        return plain({"id": self.id, **asdict(self)})


def ranked(findings: Iterable[Finding]) -> list[Finding]:
    """Return the findings in the order they are told: severity, then lower bound of what they cost, then id."""

    def place(finding: Finding) -> tuple:
        cost = (finding.revenue or finding.lost_orders or {}).get("low") or 0
        return SEVERITIES.index(finding.severity), -cost, KINDS.index(finding.kind), finding.id

    unique = {finding.id: finding for finding in findings}
    return sorted((one for one in unique.values() if not _is_told(one, unique.values())), key=place)


def _is_told(finding: Finding, others: Iterable[Finding]) -> bool:
    """Whether chapter 00 tells of the same silence of a step, for everyone: one fault is one task."""
    if finding.kind != "tracking" or finding.chapter == "00" or finding.segment or not (finding.since or finding.until):
        return False
    same = (one for one in others if one.chapter == "00" and one.step == finding.step and one.since and not one.segment)
    return any(finding.since in (None, one.since) and finding.until in (None, one.until) for one in same)


def levels(segment: Mapping[str, Any]) -> list[str]:
    """Return a segment's values, each by the name of its word: true and false alone say nothing of who that is."""
    return [f"is_new_{value}".lower() if column == "is_new" else str(value) for column, value in segment.items()]


def declared_worth(finding: Mapping[str, Any]) -> float | None:
    """Return what the config declares a lost completion of a finding's record to be worth; None where its order says, or nobody."""
    return (finding.get("values") or {}).get("goal_value")


def plain(value: Any) -> Any:
    """Return a value as JSON can hold it: numpy numbers unwrapped, NaN and NaT as None, floats at 10 significant digits."""
    if isinstance(value, Mapping):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple, set)):
        return [plain(v) for v in value]
    if value is None or isinstance(value, (bool, str)):
        return value
    if hasattr(value, "item") and not hasattr(value, "isoformat"):
        value = value.item()
    if hasattr(value, "isoformat"):
        text = value.isoformat()
        return None if text == "NaT" else text
    if isinstance(value, float):
        return float(f"{value:.10g}") if value == value and abs(value) != float("inf") else None
    return value if isinstance(value, (int, bool, str)) or value is None else str(value)
