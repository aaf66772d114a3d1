"""The e-mail that asks for an export."""

from datetime import date

import pytest

from conversion_audit.analysis.fitness.gaps import fault, note
from conversion_audit.errors import ConfigError
from conversion_audit.report.ask import PARTS, email, tools


def test_every_named_tool_can_be_asked_for_in_both_languages():
    named = {"ga4", "ga360", "mixpanel", "kissmetrics", "amplitude", "posthog", "matomo", "segment"}
    named |= {"shopify", "woocommerce", "google_ads", "meta", "klaviyo"}
    assert named <= set(tools())
    for language, words in (
        ("en", ("Right needed: ", "Where: ", "What: ")),
        ("de", ("Nötiges Recht: ", "Wo: ", "Was: ")),
    ):
        written = email(tools(), language)
        assert [written.count(word) for word in words] == [len(tools())] * len(PARTS)


def test_the_first_e_mail_says_what_where_when_and_what_not():
    written = email(["ga4", "shopify"], "en", client="Acme", sender="Jo")
    assert written.startswith("Data for the audit of Acme\n\nHello,\n\n")
    assert "1. Google Analytics 4\n   - Right needed: " in written
    assert "2. Shopify: the shop’s own orders" in written
    assert "Period:\n- The last eight full weeks at least" in written
    assert "Please do not send:\n- Names, e-mail addresses" in written
    assert written.endswith("Kind regards\nJo\n")


def test_a_given_period_is_named():
    assert "1 March 2026 to 30 April 2026" in email(
        ["ga4"], "en", period=(date(2026, 3, 1), date(2026, 4, 30))
    ).replace("1 Mar 2026 to 30 Apr 2026", "1 March 2026 to 30 April 2026")


def test_a_tool_named_twice_is_asked_for_once():
    assert email(["ga4", "ga4"]).count("Google Analytics 4\n") == 1


def test_after_a_first_export_only_what_is_missing_is_asked_for():
    missing = [
        fault("without_id", "low", ("01",), {"unnumbered_orders": 15, "orders": 900, "rate": 0.02}),
        fault("silent_segment", "high", ("02",), {"step": "pay", "value": "Safari", "events": 0, "expected": 90.0}),
        note("no_user_agent", {}),
    ]
    written = email(["ga4"], "en", missing, client="Acme")
    assert written.startswith("A few more data for the audit of Acme")
    assert "Still missing:\n- The order number of 15\u00a0orders.\n\nPlease do not send:" in written
    assert "Google Analytics" not in written and "Safari" not in written


def test_steps_are_named_in_the_clients_words():
    missing = [fault("step_never", "high", ("02",), {"step": "pay", "events": "page_view, purchase"}, step="pay")]
    assert "“Payment”" in email([], "en", missing, labels={"pay": "Payment"})


def test_nothing_missing_is_said():
    assert "Nothing is missing" in email([], "en", [])
    only_seen = [
        fault("silent_segment", "high", ("02",), {"step": "pay", "value": "Safari", "events": 0, "expected": 90.0})
    ]
    assert "Nothing of this can be mended by another export" in email([], "en", only_seen)


def test_an_unknown_tool_or_language_is_refused_with_the_closest():
    with pytest.raises(ConfigError) as refused:
        email(["shopfy"])
    assert str(refused.value) == f"no tool 'shopfy'; did you mean 'shopify'?\n    Tools: {', '.join(tools())}"
    with pytest.raises(ConfigError) as refused:
        email(["ga4"], "fr")
    assert str(refused.value) == "no such language (seen: 'fr')\n    Write en or de."
