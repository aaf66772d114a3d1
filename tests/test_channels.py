"""Channels by Google Analytics 4's default rules."""

import pandas as pd
import pytest
from conftest import real_data

from conversion_audit.intake.channels import channels, is_source, last_non_direct, referral


def channel(source=None, medium=None, campaign=None, own=()):
    frame = pd.DataFrame({"source": [source], "medium": [medium], "campaign": [campaign]}, dtype=object)
    return channels(frame, own)["channel"][0]


def test_all_published_expectations_are_met():
    rows = pd.read_csv(real_data("ga4_channel_expectations/expected_channels.csv"))
    named = channels(rows)
    assert len(named) == 30
    assert named.loc[named["channel"] != named["expected_channel"]].empty


@pytest.mark.parametrize(
    ("source", "medium", "campaign", "expected"),
    [
        ("(direct)", "(none)", None, "Direct"),
        ("(direct)", None, "(direct)", "Direct"),
        (None, None, None, None),
        ("(not set)", "(not set)", None, None),
        ("Google", "CPC", "Brand", "Paid Search"),
        ("google", "cpc", "Shopping DE", "Paid Shopping"),
        ("google", "cpc", "eshop", "Paid Shopping"),
        ("google", "cpc", "workshop", "Paid Search"),
        ("google", "cpm", None, "Paid Search"),
        ("dfa", "cpm", None, "Display"),
        ("m.facebook.com", "referral", None, "Organic Social"),
        ("www.facebook.com", "referral", None, "Organic Social"),
        ("blog.example.org", "referral", None, "Referral"),
        ("newsletter", "email", None, "Email"),
    ],
)
def test_channels_follow_the_rules_in_their_order(source, medium, campaign, expected):
    assert channel(source, medium, campaign) == expected


def test_own_hosts_and_payment_providers_are_no_source():
    assert channel("www.paypal.com", "referral") == "Direct"
    assert channel("checkout.shop.de", "referral", own=["shop.de"]) == "Direct"
    assert channel("checkout.shop.de", "referral") == "Referral"
    assert channel("shop.de", "email", own=["shop.de"]) == "Email"


def test_other_columns_and_the_input_stay():
    frame = pd.DataFrame({"source": ["google"], "medium": ["organic"], "campaign": [None], "sessions": [7]}, index=[3])
    named = channels(frame)
    assert named.loc[3].to_dict() == {
        "source": "google",
        "medium": "organic",
        "campaign": None,
        "sessions": 7,
        "channel": "Organic Search",
    }
    assert "channel" not in frame


def test_no_rows_give_no_rows():
    assert channels(pd.DataFrame({"source": [], "medium": [], "campaign": []})).empty


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("www.google.de", ("google", "organic")),
        ("de.search.yahoo.com", ("yahoo", "organic")),
        ("docs.google.com", ("docs.google.com", "referral")),
        ("www.blog.example.org", ("blog.example.org", "referral")),
        ("pay.shop.de", ("(direct)", "(none)")),
        ("www.paypal.com", ("(direct)", "(none)")),
        (None, ("(direct)", "(none)")),
    ],
)
def test_a_referrer_alone_gives_source_and_medium(host, expected):
    assert referral(host, ["*.shop.de"]) == expected


def test_a_host_that_only_ends_alike_is_a_source():
    assert is_source("notshop.de", ["shop.de"])
    assert not is_source("shop.de", ["*.shop.de"])


def sessions_of(rows):
    frame = pd.DataFrame(rows, columns=["visitor_id", "session_id", "start", "source"])
    return frame.assign(start=pd.to_datetime(frame["start"]), medium=None, campaign=None, channel=None)


def test_last_non_direct_is_as_published():
    given = pd.read_csv(real_data("ga4_ndjson_fixtures/last_non_direct_input.csv"))
    expected = pd.read_csv(real_data("ga4_ndjson_fixtures/last_non_direct_expected.csv"))
    sessions = pd.DataFrame(
        {
            "visitor_id": given["client_key"],
            "session_id": given["session_partition_key"],
            "start": pd.to_datetime(given["session_partition_timestamp"], unit="s"),
            "source": given["session_source"],
            "medium": given["session_medium"],
            "campaign": given["session_campaign"],
            "channel": given["session_default_channel_grouping"],
        }
    )
    found = last_non_direct(sessions).frame().set_index("session_id").loc[expected["session_partition_key"]]
    assert found["from_session_id"].tolist() == expected["session_partition_key_last_non_direct"].tolist()
    for ours, theirs in (
        ("source", "source"),
        ("medium", "medium"),
        ("campaign", "campaign"),
        ("channel", "default_channel_grouping"),
    ):
        assert found[ours].tolist() == expected[f"last_non_direct_{theirs}"].tolist()


def test_last_non_direct_looks_back_no_further_than_asked_edge_included():
    sessions = sessions_of(
        [("A", "1", "2026-03-01", "google"), ("A", "2", "2026-03-02", "(direct)"), ("A", "3", "2026-03-03", None)]
    )
    found = last_non_direct(sessions, days=1).frame().set_index("session_id")["from_session_id"]
    assert found.to_dict() == {"1": "1", "2": "1", "3": "3"}


def test_last_non_direct_breaks_ties_by_session_id_and_never_crosses_visitors():
    sessions = sessions_of(
        [("A", "1", "2026-03-01", "google"), ("A", "2", "2026-03-01", None), ("B", "3", "2026-03-02", None)]
    )
    found = last_non_direct(sessions).frame().set_index("session_id")["from_session_id"]
    assert found.to_dict() == {"1": "1", "2": "1", "3": "3"}
