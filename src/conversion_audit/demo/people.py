"""Who comes, when, on which device and from where: one row per session."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

ZONE = ZoneInfo("Europe/Berlin")
COUNTRIES = {
    "Germany": 0.58,
    "Austria": 0.10,
    "Switzerland": 0.08,
    "Netherlands": 0.11,
    "France": 0.08,
    "Belgium": 0.05,
}
LANGUAGES = {
    "Germany": "de-de",
    "Austria": "de-at",
    "Switzerland": "de-ch",
    "Netherlands": "nl-nl",
    "France": "fr-fr",
    "Belgium": "nl-be",
}
DEVICES = [
    ("mobile", "iOS", "Safari", 0.260),
    ("mobile", "iOS", "Chrome", 0.035),
    ("mobile", "Android", "Chrome", 0.220),
    ("mobile", "Android", "Samsung Internet", 0.045),
    ("mobile", "Android", "Firefox", 0.010),
    ("desktop", "Windows", "Chrome", 0.170),
    ("desktop", "Windows", "Edge", 0.070),
    ("desktop", "Windows", "Firefox", 0.045),
    ("desktop", "Macintosh", "Safari", 0.060),
    ("desktop", "Macintosh", "Chrome", 0.040),
    ("desktop", "Linux", "Firefox", 0.010),
    ("tablet", "iOS", "Safari", 0.025),
    ("tablet", "Android", "Chrome", 0.010),
]
_VISITS = [0.64, 0.18, 0.09, 0.05, 0.025, 0.015]


class Traffic(NamedTuple):
    """
    How people come to a site.

    ``channels``: source, medium, campaigns, share of sessions, weight on mobile, weight on a later visit; the third one may
    grow in the second half. ``weekdays`` from Monday and ``hours`` are weights, ``devices`` shares.
    """

    channels: dict[str, tuple[str, str, tuple[str, ...], float, float, float]]
    weekdays: list[float]
    hours: list[float]
    devices: list[float]


SHOPPERS = Traffic(
    {
        "organic_search": ("google", "organic", ("(organic)",), 0.34, 1.0, 0.9),
        "paid_search": ("google", "cpc", ("brand", "jackets_spring", "boots_generic"), 0.17, 1.0, 0.8),
        "paid_social": ("facebook", "paid_social", ("spring_story", "retargeting"), 0.08, 1.7, 0.6),
        "email": ("newsletter", "email", ("weekly_mail", "cart_reminder"), 0.09, 1.0, 2.0),
        "direct": ("(direct)", "(none)", ("(direct)",), 0.20, 0.9, 1.6),
        "referral": ("trailmagazine.example", "referral", ("(referral)",), 0.08, 0.9, 0.8),
        "affiliate": ("couponfox.example", "affiliate", ("partner_network",), 0.04, 1.0, 0.9),
    },
    [1.06, 1.0, 0.98, 0.99, 0.93, 0.94, 1.10],
    [6, 3, 2, 1, 1, 3, 9, 17, 26, 32, 35, 36, 39, 37, 34, 33, 34, 38, 44, 52, 58, 52, 34, 15],
    [share for *_, share in DEVICES],
)
PLANNERS = Traffic(
    {
        "organic_search": ("google", "organic", ("(organic)",), 0.44, 1.0, 0.9),
        "paid_search": ("google", "cpc", ("brand", "school_ventilation"), 0.16, 1.0, 0.8),
        "paid_social": ("linkedin", "paid_social", ("air_at_school",), 0.06, 1.2, 0.6),
        "email": ("newsletter", "email", ("quarterly_letter",), 0.05, 1.0, 2.0),
        "direct": ("(direct)", "(none)", ("(direct)",), 0.21, 0.9, 1.6),
        "referral": ("buildingweekly.example", "referral", ("(referral)",), 0.08, 0.9, 0.8),
    },
    [1.25, 1.3, 1.25, 1.2, 1.0, 0.3, 0.3],
    [1, 1, 1, 1, 1, 3, 12, 34, 58, 66, 68, 64, 48, 54, 60, 58, 50, 36, 20, 14, 12, 9, 5, 2],
    [share * (0.55 if device == "mobile" else 1.6) for device, *_, share in DEVICES],
)


def draw(rng: np.random.Generator, shares: list[float] | np.ndarray, size: int) -> np.ndarray:
    """Return random positions in a list of shares."""
    edges = np.cumsum(np.asarray(shares, dtype=float))
    return np.searchsorted(edges / edges[-1], rng.random(size), side="right").clip(0, len(edges) - 1)


def draw_rows(rng: np.random.Generator, weights: np.ndarray) -> np.ndarray:
    """Return one random position in each row of a table of weights."""
    edges = np.cumsum(weights, axis=1)
    return (edges < rng.random((len(edges), 1)) * edges[:, -1:]).sum(axis=1)


def people(rng: np.random.Generator, size: int, first_id: int, devices: list[float]) -> pd.DataFrame:
    """Return persons: country, account, one device or two, and their ids."""
    account = rng.random(size) < 0.38
    second = account & (rng.random(size) < 0.14)
    return pd.DataFrame(
        {
            "person": np.arange(first_id, first_id + size),
            "country": draw(rng, list(COUNTRIES.values()), size),
            "has_account": account,
            "device_1": draw(rng, devices, size),
            "device_2": np.where(second, draw(rng, devices, size), -1),
            "is_known": rng.random(size) < 0.27,
            "denies": rng.random(size) < 0.04,
            "is_staff": rng.random(size) < 0.003,
            "cookie": rng.integers(100_000_000, 2_000_000_000, size),
        }
    )


def crowd(seed: int, sessions: int, later: bool, devices: list[float]) -> pd.DataFrame:
    """Return the persons of a period; of the later period, one in six was here in the first."""
    size = int(sessions / 1.62)
    first = people(np.random.default_rng([seed, 1]), size, 1, devices)
    if not later:
        return first
    back = first.tail(size // 6).assign(is_known=True)
    new = people(np.random.default_rng([seed, 2]), size - len(back), size + 1, devices)
    return pd.concat([back, new], ignore_index=True)


def midnights(start: date, days: int) -> np.ndarray:
    """Return the UTC second at which each local day begins, and the one after the last."""
    local = [datetime.combine(start + timedelta(days=n), datetime.min.time(), ZONE) for n in range(days + 1)]
    return np.array([int(moment.timestamp()) for moment in local])


def sessions_table(
    rng: np.random.Generator,
    crowd: pd.DataFrame,
    sessions: int,
    start: date,
    days: int,
    traffic: Traffic,
    shift: float,
) -> pd.DataFrame:
    """
    Return one row per session, in time order within a device.

    Parameters
    ----------
    rng : numpy Generator
    crowd : DataFrame
        Persons, see `people`.
    sessions : int
        How many sessions.
    start : date
        First day.
    days : int
        Length of the period.
    traffic : Traffic
        Channels, and when people come.
    shift : float
        Paid social's share in the second half, as a multiple of that in the first half.

    Returns
    -------
    DataFrame
        person, device_key, day, start (UTC second), channel, source, medium, campaign, device, os, browser, country, number, is_new ...
    """
    visits = 1 + draw(rng, _VISITS, len(crowd))
    who = crowd.loc[crowd.index.repeat(visits)].head(sessions).reset_index(drop=True)
    size = len(who)
    visit = who.groupby("person").cumcount().to_numpy()
    who["day"] = _days(rng, who["person"].to_numpy(), visit, start, days, traffic.weekdays)
    on_second = (who["device_2"] >= 0) & (rng.random(size) < 0.4)
    kind = np.where(on_second, who["device_2"], who["device_1"])
    for place, name in enumerate(("device", "os", "browser")):
        who[name] = np.array([row[place] for row in DEVICES])[kind]
    who["country"] = np.array(list(COUNTRIES))[who["country"]]
    who["device_key"] = who["person"] * 2 + on_second
    who["start"] = (
        midnights(start, days)[who["day"]] + 3600 * draw(rng, traffic.hours, size) + rng.integers(0, 3600, size)
    )
    who = who.sort_values(["device_key", "start"], kind="stable").reset_index(drop=True)
    who["start"] = _apart(who["device_key"].to_numpy(), who["start"].to_numpy())
    who["day"] = (np.searchsorted(midnights(start, days), who["start"], side="right") - 1).clip(0, days - 1)
    who["number"] = 1 + who.groupby("device_key").cumcount() + 3 * who["is_known"]
    who["is_new"] = who["number"] == 1
    return who.assign(**_arrivals(rng, who, days, traffic.channels, shift))


def _days(
    rng: np.random.Generator, person: np.ndarray, visit: np.ndarray, start: date, days: int, weekdays: list[float]
) -> np.ndarray:
    """Return each session's day: a first day by weekday, later visits some days after; what runs over starts anew."""
    weekday = [weekdays[(start + timedelta(days=n)).weekday()] for n in range(days)]
    gaps = np.where(visit == 0, draw(rng, weekday, len(visit)), rng.exponential(6.0, len(visit)))
    total = pd.Series(gaps).groupby(person).cumsum().to_numpy()
    return (total % days).astype(int)


def _apart(device: np.ndarray, start: np.ndarray) -> np.ndarray:
    """Return starts of which no two of one device are closer than three hours."""
    start = start.copy()
    for _ in range(8):
        close = (device[1:] == device[:-1]) & (start[1:] < start[:-1] + 10_800)
        start[1:][close] = start[:-1][close] + 10_800
    return start


def _arrivals(
    rng: np.random.Generator, who: pd.DataFrame, days: int, channels: dict[str, tuple], shift: float
) -> dict[str, np.ndarray]:
    """Return how each session came. Where nothing shifts, paid social has its mean weight of a period with a shift."""
    rows = list(channels.values())
    weights = np.tile([row[3] for row in rows], (len(who), 1))
    weights *= np.where((who["device"] == "mobile").to_numpy()[:, None], [row[4] for row in rows], 1.0)
    weights *= np.where(who["is_new"].to_numpy()[:, None], 1.0, [row[5] for row in rows])
    weights[:, 2] *= np.where(who["day"] < days / 2, 1.0, shift) if shift != 1.0 else 1.62
    chosen = draw_rows(rng, weights)
    campaigns = [
        row[2][int(luck * len(row[2]))]
        for row, luck in zip([rows[n] for n in chosen], rng.random(len(who)), strict=True)
    ]
    return {
        "channel": np.array(list(channels))[chosen],
        "source": np.array([row[0] for row in rows])[chosen],
        "medium": np.array([row[1] for row in rows])[chosen],
        "campaign": np.array(campaigns),
    }
