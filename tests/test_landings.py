"""Where a session came from when its export does not say."""

import pandas as pd

from conversion_audit.intake.landings import with_sources
from conversion_audit.intake.pages import pages, referrers


def sources(events, given=None, own=()):
    """Source, medium and campaign of each session, from rows of (session, page_url, referrer)."""
    rows = pd.DataFrame(events, columns=["session_id", "page_url", "referrer"]).astype("string")
    rows["row_id"] = range(len(rows))
    names = sorted(set(rows["session_id"]))
    numbered = pd.DataFrame({"row_id": rows["row_id"], "session_number": rows["session_id"].map(names.index)})
    numbered["event_number"] = rows.groupby("session_id").cumcount() + 1
    facts = pd.DataFrame({"session_id": names, "session_number": range(len(names)), "visitor_id": names})
    for column in ("source_session", "source", "medium", "campaign", "own_channel"):
        facts[column] = pd.Series([(given or {}).get((name, column)) for name in names], dtype="string")
    facts = facts.assign(bounced=0, visit_number=1)
    texts = {"pages": pages(rows["page_url"]), "referrers": referrers(rows["referrer"])}
    before = facts.copy()
    found = with_sources(facts, rows, numbered, texts, own).frame().sort_values("session_id")
    pd.testing.assert_frame_equal(facts, before)
    found = found[["session_id", "source", "medium", "campaign"]].astype(object)
    return {row[0]: tuple(row[1:]) for row in found.where(found.notna(), None).values.tolist()}


HOME = "https://shop.de/"


def test_tags_come_before_click_ids_and_click_ids_before_referrers():
    found = sources(
        [
            ("a", HOME + "?gclid=x", "https://www.google.com/"),
            ("a", HOME + "p?utm_source=nl&utm_medium=email&utm_campaign=May", HOME),
            ("b", HOME + "?gclid=x", "https://www.google.com/"),
            ("c", HOME, "https://www.google.com/search?q=hat"),
            ("d", HOME, "https://blog.example.org/post"),
        ]
    )
    assert found == {
        "a": ("nl", "email", "May"),
        "b": ("google", "cpc", None),
        "c": ("google", "organic", None),
        "d": ("blog.example.org", "referral", None),
    }


def test_own_pages_and_payment_providers_are_no_source():
    found = sources(
        [
            ("a", HOME, None),
            ("a", HOME + "cart", HOME),
            ("a", HOME + "thanks", "https://www.paypal.com/checkout"),
            ("b", HOME, "https://old.shop.de/"),
            ("c", HOME, "https://partner.example/"),
        ],
        own=["*.shop.de", "partner.example"],
    )
    assert found == {"a": (None, None, None), "b": (None, None, None), "c": (None, None, None)}


def test_what_the_export_says_stands():
    events = [("a", HOME + "?utm_source=x", None), ("b", HOME, "https://blog.example.org/")]
    given = {("a", "source"): "google", ("a", "medium"): "organic", ("b", "own_channel"): "Direct"}
    assert sources(events, given) == {"a": ("google", "organic", None), "b": (None, None, None)}


def test_a_session_without_any_sign_stays_without():
    assert sources([("a", None, None)]) == {"a": (None, None, None)}
