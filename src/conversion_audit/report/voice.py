"""How the report speaks: language, locale, currency, labels and accent of one client."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

ACCENT = "#0f5b66"


@dataclass(frozen=True)
class Voice:
    """
    Everything that words and figures need to know about the client.

    Parameters
    ----------
    language : str
        Language of the texts, ``"en"`` or ``"de"``.
    locale : str
        How numbers, money and dates are written, e.g. ``"de_AT"``; the language where it is empty.
    currency : str
        ISO 4217 code of every amount.
    labels : mapping
        Name in the config -> words for the client.
    pages : sequence of str
        Kinds of page in the config.
    accent : str
        One colour, as ``#rrggbb``.
    site : str
        Kind of site (shop, leads, ...); a sentence may have its own wording for a kind.
    sells : bool
        Some goal is worth each order's own amount; else orders and amounts that are all nothing are not shown.
    """

    language: str = "en"
    locale: str = ""
    currency: str = "EUR"
    labels: Mapping[str, str] = field(default_factory=dict)
    pages: Sequence[str] = ()
    accent: str = ACCENT
    site: str = ""
    sells: bool = True

    @property
    def writes(self) -> str:
        """Return the locale numbers and dates are written in."""
        return self.locale or {"en": "en_GB", "de": "de_DE"}.get(self.language, "en_GB")


_current = Voice()


def voice() -> Voice:
    """Return the voice in use."""
    return _current


def speak(new: Voice) -> None:
    """Use a voice from now on."""
    global _current
    _current = new


@contextmanager
def speaking(new: Voice) -> Iterator[Voice]:
    """Use a voice inside a block, then return to the one before."""
    before = _current
    speak(new)
    try:
        yield new
    finally:
        speak(before)


def voice_of(config: Any) -> Voice:
    """Return the voice of a client's config: its labels are those of every name the config defines or mentions."""
    names = {*config.micro_conversions, *config.goals, *config.kpis, *config.intents, *config.steps}
    # A second purchase needs no definition, so that it has our word in either language and no label of the config's.
    names |= {*config.after_purchase, *config.page_types} - {"repeat_purchase"}
    return Voice(
        language=config.language,
        locale=(config.locale or "").replace("-", "_"),
        currency=config.currency,
        labels={name: config.label(name) for name in sorted(names)},
        pages=tuple(config.page_types),
        accent=config.report.accent or config.agency.accent or ACCENT,
        site=config.site,
        sells=config.sells,
    )
