"""A rule that knows the outcome is refused when the config is read, by its name and with the reason."""

from __future__ import annotations

import pytest

from conversion_audit.config import typed
from conversion_audit.errors import ConfigError

BASE = {
    "client": "Acme",
    "main_goal": "purchase",
    "sources": [{"kind": "table", "files": "raw/events.csv"}],
    "goals": {"purchase": {"event": "purchase"}},
    "micro_conversions": {
        "product_view": {"type": "destination", "page": "/p/*"},
        "add_to_cart": {"type": "action", "event": "cart_add"},
        "return_filed": {"type": "action", "event": "return_request"},
        "returned": {"type": "destination", "page": "/returns/done"},
    },
    "journey": ["product_view", "add_to_cart", "purchase"],
    "after_purchase": ["review"],
}
MEND = "\n    Name what visitors do before: pages, titles, search terms, landing page, campaign, channel."
OUTCOME = "\n    A session recognised by its outcome raises the conversion rate by construction."
STEP = "\n    How far a session went may not say what it came for: the rate would rise by construction."
WHOLE = "\n    It is known only when the session is over, the outcome included."


def _read(**parts):
    return typed({**BASE, **parts}, {("intents", "keen", "events"): "audit.yaml:12", (): "audit.yaml"})


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        (
            {"events": ["purchase"]},
            "audit.yaml:12: intents.keen.events: names the goal 'purchase' (seen: 'purchase')" + OUTCOME + MEND,
        ),
        (
            {"events": ["cart_add"]},
            "audit.yaml:12: intents.keen.events: names the journey step 'add_to_cart' (seen: 'cart_add')" + STEP + MEND,
        ),
        (
            {"events": ["cart_*"]},
            "audit.yaml:12: intents.keen.events: names the journey step 'add_to_cart' (seen: 'cart_*')" + STEP + MEND,
        ),
        (
            {"pages": ["/p/hats"]},
            "audit.yaml: intents.keen.pages: names the journey step 'product_view' (seen: '/p/hats')" + STEP + MEND,
        ),
        (
            {"events": ["review"]},
            "audit.yaml:12: intents.keen.events: names the after-purchase step 'review' (seen: 'review')"
            "\n    Only buyers get there: the label would know the outcome." + MEND,
        ),
        (
            {"events": ["return_request"], "success": ["return_filed"]},
            "audit.yaml:12: intents.keen.events: names the intent's own success 'return_filed' (seen: 'return_request')"
            "\n    A purpose recognised by its own success would always succeed." + MEND,
        ),
        (
            {"pages": ["> 5"]},
            "audit.yaml: intents.keen: 'pages' is a number of the whole session" + WHOLE + MEND,
        ),
        (
            {"is_bounce": "false", "pages": ["/x"]},
            "audit.yaml: intents.keen: 'is_bounce' is a number of the whole session" + WHOLE + MEND,
        ),
    ],
)
def test_a_leaking_intent_is_refused_by_name_with_the_reason(rule, message):
    with pytest.raises(ConfigError) as error:
        _read(intents={"keen": rule})
    assert str(error.value) == message


def test_an_ineligible_rule_may_not_know_the_outcome_either():
    with pytest.raises(ConfigError) as error:
        _read(ineligible={"customers": {"event": "purchase"}, "heavy": {"where": {"orders": "1"}}})
    assert "ineligible.customers.event: names the goal 'purchase'" in str(error.value)
    assert "ineligible.heavy.where: 'orders' is a number of the whole session" in str(error.value)


def test_the_names_of_labels_are_taken():
    with pytest.raises(ConfigError, match="intents: 'shop' is a name the audit uses itself"):
        _read(intents={"shop": {"pages": "/x"}})


@pytest.mark.parametrize(
    "rule",
    [
        {"pages": ["/returns*"], "success": ["return_filed"]},
        {"pages": ["/returns*"], "success": ["returned"]},
        {"pages": ["/policy"], "titles": ["Returns"], "search_terms": ["refund"], "events": ["return_start"]},
        {"landing_pages": ["/brand"], "campaigns": ["brand*"], "channels": ["Email"], "visit_number": "3"},
    ],
)
def test_what_comes_before_the_outcome_may_be_named(rule):
    assert "returns" in _read(intents={"returns": rule}).intents
