"""What all rows of one session share in the GA4 export: ids, device, place, traffic source."""

from __future__ import annotations

import json
from typing import Any

import pandas as pd

from conversion_audit.demo.people import LANGUAGES
from conversion_audit.demo.story import text, whole

_GROUPS = {
    "organic_search": "Organic Search",
    "paid_search": "Paid Search",
    "paid_social": "Paid Social",
    "email": "Email",
    "direct": "Direct",
    "referral": "Referral",
    "affiliate": "Affiliates",
}
_REFERRERS = {
    "google": "https://www.google.com/",
    "facebook": "https://l.facebook.com/",
    "linkedin": "https://www.linkedin.com/",
}
_NAMES = ("source", "medium", "campaign")


def session_parts(who: pd.DataFrame, stream: str, host: str) -> dict[str, list[str]]:
    """
    Return the text that all rows of a session share, one list entry per session.

    ``head`` opens the parameters; ``query`` and ``referrer`` belong to the landing page, ``arrival`` to its first rows;
    ``user`` is the login id; ``tail`` closes the row. Where consent was denied, cookie, session and login are left out.
    """
    first = who.sort_values("start", kind="stable").drop_duplicates("person").set_index("person")
    people = who.assign(**{f"first_{name}": who["person"].map(first[name]) for name in _NAMES}).to_dict("records")
    return {
        "head": [_head(row) for row in people],
        "query": [_query(row) for row in people],
        "referrer": [_referrer(row) for row in people],
        "arrival": [_arrival(row) for row in people],
        "user": ["" if row["denies"] else f',"user_id":"C{row["person"] * 7919 % 9_999_991:07d}"' for row in people],
        "tail": [_tail(row, stream, host) for row in people],
    }


def _head(row: dict[str, Any]) -> str:
    staff = text("traffic_type", "internal")[1:] + "," if row["is_staff"] else ""
    if row["denies"]:
        return staff
    return (whole("ga_session_id", row["start"]) + whole("ga_session_number", row["number"]))[1:] + "," + staff


def _query(row: dict[str, Any]) -> str:
    """Return the landing page's query. A few newsletter links carry the reader's address, as some mailers write it."""
    source, medium, campaign = (row[name] for name in _NAMES)
    if row["channel"] == "paid_search":
        return f"gclid=Cj{row['cookie']}"
    if row["channel"] not in {"paid_social", "email", "affiliate"}:
        return ""
    address = f"&email=reader{row['person']}@example.org" if medium == "email" and row["cookie"] % 97 == 0 else ""
    return f"utm_source={source}&utm_medium={medium}&utm_campaign={campaign}{address}"


def _referrer(row: dict[str, Any]) -> str:
    if row["channel"] in {"direct", "email"}:
        return ""
    return text("page_referrer", _REFERRERS.get(row["source"], f"https://{row['source']}/"))


def _arrival(row: dict[str, Any]) -> str:
    if row["channel"] in {"direct", "organic_search", "referral"}:
        return ""
    source, medium, campaign = (row[name] for name in _NAMES)
    named = {"manual_source": source, "manual_medium": medium, "manual_campaign_name": campaign}
    found = {"gclid": f"Cj{row['cookie']}"} if row["channel"] == "paid_search" else named
    return ',"collected_traffic_source":' + _json(found)


def _tail(row: dict[str, Any], stream: str, host: str) -> str:
    source, medium, campaign = (row[name] for name in _NAMES)
    named = {"source": source, "medium": medium, "campaign_name": campaign}
    born = {"name": row["first_campaign"], "medium": row["first_medium"], "source": row["first_source"]}
    consent = "No" if row["denies"] else "Yes"
    rest = {
        "privacy_info": {"analytics_storage": consent, "ads_storage": consent},
        "device": {
            "category": row["device"],
            "operating_system": row["os"],
            "language": LANGUAGES[row["country"]],
            "web_info": {"browser": row["browser"], "hostname": host},
        },
        "geo": {"country": row["country"]},
        "traffic_source": born,
        "session_traffic_source_last_click": {
            "manual_campaign": named,
            "cross_channel_campaign": named | {"default_channel_group": _GROUPS[row["channel"]]},
        },
        "stream_id": stream,
        "platform": "WEB",
        "is_active_user": not row["denies"],
    }
    cookie = {} if row["denies"] else {"user_pseudo_id": f"{row['cookie']}.{1_700_000_000 + row['device_key']}"}
    return "," + _json(cookie | rest)[1:] + "\n"


def _json(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))
