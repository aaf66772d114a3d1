"""The sentences of the report: the same keys and placeholders in every language, plain words for clients."""

from __future__ import annotations

import datetime
import re

import pandas as pd
import pytest

from conversion_audit.config import Config
from conversion_audit.errors import ConfigError
from conversion_audit.report import house, text
from conversion_audit.report.formats import formatted, kinds_of, period_text
from conversion_audit.report.voice import Voice, speak, speaking, voice
from conversion_audit.report.wording import as_sentence, as_title
from conversion_audit.report.words import LANGUAGES, TEXTS, heading, label, placeholders, sentences

EN, DE = Voice(), Voice(language="de")
JARGON = (
    "imbens",
    "manski",
    "e-value",
    "dose-response",
    "dose response",
    "p-value",
    "logit",
    "bootstrap",
    "benjamini",
    "hochberg",
    "kaplan",
    "aalen",
    "markov",
    "shapley",
    "kitagawa",
    "oaxaca",
    "wilson",
    "jeffreys",
    "newcombe",
    "rogan",
    "heteroske",
    "posterior",
    "bayes",
    "cusum",
    "binomial",
    "standard error",
    "confidence interval",
    "statistically significant",
    "null hypothesis",
    "odds ratio",
    "cumulative incidence",
    "competing risk",
    "censored",
    "konfidenzintervall",
    "standardfehler",
    "signifikan",
)
MAY_NAME_METHODS = ("methods.", "columns.", "values.")


@pytest.fixture(autouse=True)
def _same_voice_after():
    before = voice()
    yield
    speak(before)


def test_every_text_stands_in_every_language():
    files = {language: {p.name.split(".")[0] for p in TEXTS.glob(f"*.{language}.toml")} for language in LANGUAGES}
    assert files["en"] == files["de"]
    assert sorted(sentences("en")) == sorted(sentences("de"))


def test_every_text_has_the_same_placeholders_in_every_language():
    different = [
        key for key in sentences("en") if placeholders(sentences("en")[key]) != placeholders(sentences("de")[key])
    ]
    assert different == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_text_is_empty_or_holds_a_brace_that_is_no_placeholder(language):
    for key, sentence in sentences(language).items():
        assert sentence.strip(), key
        bare = re.sub(r"\{\w+(:\w+)?( [^{}|]*\|[^{}|]*)?\}", "", sentence)
        assert "{" not in bare and "}" not in bare, key


@pytest.mark.parametrize("language", LANGUAGES)
def test_terms_of_statistics_stand_in_the_methods_only(language):
    found = [
        (key, word)
        for key, sentence in sentences(language).items()
        if not key.startswith(MAY_NAME_METHODS)
        for word in JARGON
        if word in sentence.lower() and not re.search(r"attribution|channel", key)
    ]
    assert found == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_is_said_to_cause_anything(language):
    causes = re.compile(r"\b(causes|drives|verursacht|treibt)\b")
    assert [key for key, sentence in sentences(language).items() if causes.search(sentence.lower())] == []
    reasons = re.compile(r"\b(because|weil)\b")
    told = {key: one for key, one in sentences(language).items() if key.startswith(("change.", "friction.", "goals."))}
    assert [key for key, sentence in told.items() if reasons.search(sentence.lower())] == []


def test_a_sentence_is_filled_in_the_clients_way_of_writing():
    record = {"low": "1", "high": "2"}
    assert text("page.cost_revenue", record) == "1 to 2 of revenue lost in this period"
    with speaking(DE):
        assert text("page.cost_revenue", record) == "1 bis 2 Umsatz in diesem Zeitraum verloren"


def test_a_count_takes_the_word_that_fits_it():
    assert text("page.also", {"count": 1}) == "1\u00a0further finding in the chapters"
    assert text("page.also", {"count": 1200}) == "1,200\u00a0further findings in the chapters"


def test_german_lists_stand_where_no_case_would_change_them_and_one_is_singular():
    found = {"kinds": "E-Mail-Adressen", "fields": "Seitenadressen, weitere Eigenschaften", "values": 26}
    with speaking(DE):
        assert "in Seitenadressen, weitere" not in text("fitness.personal_data", found)
        assert text("fitness.blind_claim", {"days": 1, "all_days": 56}).startswith("1\u00a0Tag fehlt in jeder Rate")


def test_several_things_are_listed_as_they_are_spoken():
    with speaking(Voice(locale="de_CH")):
        assert (label([1]), label([1, 2]), label(["x", "y", "z"])) == ("1", "1 and 2", "x, y and z")
    with speaking(DE):
        assert label([1, 2, 3]) == "1, 2 und 3"


def test_a_shop_may_have_its_own_wording():
    assert text("page.true_label") == "Those who could convert"
    with speaking(Voice(site="shop")):
        assert text("page.true_label") == "Those who could buy"


def test_a_record_may_be_a_series_a_frame_or_a_dataclass():
    frame = pd.DataFrame({"count": [2]})
    assert text("page.also", frame) == text("page.also", frame.iloc[0]) == text("page.also", {"count": 2})


def test_a_word_of_ours_begins_a_sentence_and_a_client_s_name_stays_as_it_is():
    record = {"segment": "(not set)", "rate": 0.4, "benchmark": 0.5, "step": "pay"}
    assert text("friction.friction", record).startswith("Not known: only 40")
    assert text("friction.friction", record | {"segment": "iOS"}).startswith("iOS: only 40")


def test_an_absent_value_is_called_unknown():
    assert text("page.reference", {"reference": None}) == "Ref. not known"
    assert text("page.also", {"count": float("nan")}).startswith("not known")


def test_an_unknown_key_says_which_is_meant():
    with pytest.raises(ConfigError) as error:
        text("page.sumary")
    assert str(error.value) == (
        "report/texts/*.en.toml: no text 'page.sumary'; did you mean 'page.summary'?\n    Add it."
    )


def test_a_record_without_a_placeholder_says_what_it_holds():
    with pytest.raises(ConfigError) as error:
        text("page.cost_revenue", {"low": 1})
    assert str(error.value) == "text 'page.cost_revenue' needs high\n    The record holds: low"


@pytest.mark.parametrize(
    ("value", "kind", "english", "german"),
    [
        (0.0397, "percent", "4.0%", "4,0\u00a0%"),
        (0.5, "percent", "50%", "50\u00a0%"),
        (0.0397, "percent2", "3.97%", "3,97\u00a0%"),
        (1234567, "count", "1,234,567", "1.234.567"),
        (12345.6, "money", "€12,346", "12.346\u00a0€"),
        (3.5, "money", "€3.50", "3,50\u00a0€"),
        (200, "duration", "3\u00a0min 20\u00a0s", "3\u00a0min 20\u00a0s"),
        (90061, "duration", "1\u00a0day 1\u00a0h", "1\u00a0Tag 1\u00a0h"),
        ("2026-04-03", "date", "3 Apr 2026", "03.04.2026"),
        (datetime.date(2026, 4, 3), "date", "3 Apr 2026", "03.04.2026"),
        (-0.012, "points", "−1.2\u00a0pts", "−1,2\u00a0Pp."),
        (-0.0003, "points", "−0.03\u00a0pts", "−0,03\u00a0Pp."),
        (-0.00001, "points", "±0.0\u00a0pts", "±0,0\u00a0Pp."),
        (0.0003, "percent1", "0.03%", "0,03\u00a0%"),
        (0.0, "percent1", "0.0%", "0,0\u00a0%"),
        (1e-9, "percent1", "0.0%", "0,0\u00a0%"),
        (-0.03, "money", "−€0.03", "−0,03\u00a0€"),
        (-3, "count", "−3", "−3"),
        (True, "flag", "yes", "ja"),
        ("false", "flag", "no", "nein"),
        (None, "money", "–", "–"),
        (float("inf"), "count", "–", "–"),
        (pd.NaT, "date", "–", "–"),
        ("not a number", "count", "not a number", "not a number"),
    ],
)
def test_values_are_written_as_the_client_writes_them(value, kind, english, german):
    with speaking(EN):
        assert formatted(value, kind) == english
    with speaking(DE):
        assert formatted(value, kind) == german


def test_text_from_an_export_cannot_reorder_what_stands_around_it():
    assert formatted("a\u202eb\x00c\u200bd\ne") == "abcd e"
    assert formatted("שלום") == "\u2068שלום\u2069"


def test_a_period_is_one_phrase():
    assert period_text("2026-03-02", "2026-04-26") == "2 March – 26 April 2026"
    assert period_text("2025-12-30", "2026-01-02") == "30 December 2025 – 2 January 2026"
    assert period_text("2026-03-02", "2026-03-02") == "2 March 2026"
    with speaking(DE):
        assert period_text("2026-03-02", "2026-04-26") == "2. März – 26. April 2026"


def test_kinds_follow_from_names_and_values():
    samples = {
        "segment": ["a"],
        "sessions": [3],
        "conversion_rate": [0.5],
        "conversion_low": [0.4],
        "conversion_high": [0.6],
        "revenue_low": [3.5],
        "item_value": [2.0],
        "seconds_to_next": [3],
        "is_new": [True],
        "mean": [2.5],
        "order_id": [12],
        "day": ["2026-01-01"],
        "empty": [None],
        "target": [0.65],
        "difference": [0.15],
        "difference_low": [0.1],
    }
    assert kinds_of(samples, samples) == {
        "segment": "text",
        "sessions": "count",
        "conversion_rate": "percent",
        "conversion_low": "percent",
        "conversion_high": "percent",
        "revenue_low": "money",
        "item_value": "money",
        "seconds_to_next": "duration",
        "is_new": "flag",
        "mean": "number",
        "order_id": "id",
        "day": "date",
        "empty": "text",
        "target": "percent",
        "difference": "points",
        "difference_low": "points",
    }


def test_the_house_speaks_the_clients_language_and_calls_things_by_their_labels():
    config = Config(
        client="Laden",
        language="de",
        currency="CHF",
        site="shop",
        main_goal="purchase",
        sources=[{"kind": "ga4", "files": "raw/*"}],
        goals={"purchase": {"event": ["purchase"], "label": {"en": "Order", "de": "Bestellung"}}},
        journey=["add_to_cart"],
        after_purchase=["repeat_purchase"],
    )
    house(config)
    assert label("purchase") == "Bestellung"
    assert label("repeat_purchase") == "Wieder gekauft", "it was “Repeat purchase” in either language"
    assert label("add_to_cart") == "Add to cart"
    assert heading("sessions") == "Sitzungen"
    assert heading("step_low") == "Vom Schritt davor (von)"
    assert formatted(12, "money") == "12,00\u00a0CHF"


def test_a_claim_ends_as_a_heading_or_as_a_sentence_does():
    one, two = "7 orders have no id (0.4%).", "3 things to do. The first: “Pay”"
    assert as_title(one) == "7 orders have no id (0.4%)" and as_sentence(one) == one
    assert as_title(two) == as_sentence(two) == "3 things to do. The first: “Pay”."
    assert as_title("−0.07 Pp. gehen damit einher.") == "−0.07 Pp. gehen damit einher"
    assert as_title("Can this be trusted?") == as_sentence("Can this be trusted?") == "Can this be trusted?"


def test_a_country_has_its_name_in_the_client_s_language_and_a_brand_of_that_name_stays():
    with speaking(DE):
        assert [label("Netherlands"), label("Türkiye"), label("Jordan"), label("DE")] == [
            "Niederlande",
            "Türkei",
            "Jordan",
            "DE",
        ]
    with speaking(EN):
        assert label("Netherlands") == "Netherlands"
