"""The kind of device of rows that name a model, a maker or an operating system instead."""

from __future__ import annotations

import re

from conversion_audit.engine import Table, statement
from conversion_audit.intake.values import unknown

_KINDS = re.compile(
    r"\b(mobil|desktop|tablet|tv\b|smart|phone|handy|computer|console|wearable|watch|bot\b)", re.IGNORECASE
)
"""Words of a kind: what says one stays as the client says it."""

_MADE_OF = {
    "tablet": re.compile(r"ipad|kindle|galaxy tab|\bsm-[tpx]\d", re.IGNORECASE),
    "mobile": re.compile(
        r"iphone|ipod|\bios\b|android|\bpixel|galaxy|\bsm-|huawei|xiaomi|redmi|oneplus|motorola", re.IGNORECASE
    ),
    "desktop": re.compile(r"windows|\bmac|linux|ubuntu|chrome ?os|\bpc\b", re.IGNORECASE),
}
"""What tells a kind, tried in this order. A tablet with Android that does not say so is taken for a phone."""


def told(raw: Table) -> Table:
    """
    Return the rows with the kind of their device, where the export names its model, or the operating system alone.

    Parameters
    ----------
    raw : table
        See `tables.ROWS`.
    """
    pairs = raw.engine.query(statement(__file__, "named", stem="devices.duckdb"), {"rows": raw}).astype(object)
    pairs["kind"] = [kind(*map(unknown, pair)) for pair in pairs[["device", "os"]].itertuples(index=False)]
    kinds = pairs.dropna(subset=["kind"])
    if kinds.empty:
        return raw
    found = {"rows": raw, "kinds": raw.engine.hold(kinds.astype("string"), "device_kinds")}
    return raw.engine.view(statement(__file__, "told", stem="devices.duckdb"), found, name="device_rows")


def kind(device: str | None, os: str | None) -> str | None:
    """
    Say mobile, tablet or desktop for the name of a device, without one for its operating system; None: as exported.

    >>> kind("Apple iPhone 12", None), kind(None, "Windows"), kind("Mobile app", "Android"), kind("T-1000", "Android")
    ('mobile', 'desktop', None, None)
    """
    text = os if device is None else device
    if text is None or _KINDS.search(text):
        return None
    return next((name for name, pattern in _MADE_OF.items() if pattern.search(text)), None)
