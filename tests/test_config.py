"""audit.yaml: every mistake told with its line, nothing guessed."""

import pytest

from conversion_audit.config import read_config
from conversion_audit.errors import ConfigError

GOOD = """\
client: Northlight Outfitters
timezone: Europe/Berlin
currency: eur
period: {start: 2026-03-02, end: 2026-04-26}
main_goal: purchase
sources:
  - {kind: ga4, files: raw/*.json.gz, session_timeout: 30min}
goals:
  purchase: {event: purchase, value: revenue, target: 3 %}
  lead: {event: generate_lead, value: 12.50}
micro_conversions:
  product_view: {type: destination, event: view_item, label: {en: Product page, de: Produktseite}}
  guide_read: {type: time, page: /guides/*, seconds: 45}
journey: [product_view, purchase]
kpis: {cart_abandonment: {of: product_view, without: purchase, target: "< 65 %"}}
intents: {returns: {pages: [/returns*]}}
"""


@pytest.fixture
def config(audit_home):
    """Return a function that writes an audit.yaml and reads it."""

    def read(text: str = GOOD, **replaced: str):
        for old, new in replaced.items():
            assert old in text
            text = text.replace(old, new)
        folder = audit_home / "data" / "acme"
        folder.mkdir(exist_ok=True)
        (folder / "audit.yaml").write_text(text, encoding="utf-8")
        return read_config("acme")

    return read


def refused(config, text: str) -> str:
    with pytest.raises(ConfigError) as error:
        config(text)
    assert error.value.exit_code == 2
    return str(error.value)


@pytest.mark.parametrize("written", ["12,000", "12.000", "5 dayz", "a lot"])
def test_people_are_days_or_an_amount_and_never_guessed(config, written):
    message = refused(
        config, GOOD + f'costs: {{people: {{checkout: 5 days, crm: 2.5 d, tracking: 12000, content: "{written}"}}}}\n'
    )
    assert "costs.people.content: is neither days nor an amount; write e.g. '5 days' or '12000'" in message


def test_a_good_config_is_typed(config):
    found = config()
    assert found.currency == "EUR"
    assert found.goals["purchase"].target == 0.03
    assert str(found.goals["lead"].value) == "12.50"
    assert found.sources[0].session_timeout == 1800
    assert found.sources[0].files == ["raw/*.json.gz"]
    assert (found.kpis["cart_abandonment"].target.at, found.kpis["cart_abandonment"].target.below) == (0.65, True)
    assert found.label("product_view", "de") == "Produktseite"
    assert found.label("guide_read") == "Guide read"
    assert found.steps == ["product_view", "purchase"]


def test_a_name_is_a_micro_conversion_else_a_goal_else_an_event(config):
    found = config()
    assert found.definition("product_view").event == ["view_item"]
    assert found.definition("lead").event == ["generate_lead"]
    assert found.definition("scroll").event == ["scroll"]


def test_values_stay_text_until_the_schema_types_them(config):
    text = GOOD.replace("client: Northlight Outfitters", "client: NO").replace("event: view_item", "event: 1.10")
    found = config(text)
    assert found.client == "NO"
    assert found.micro_conversions["product_view"].event == ["1.10"]


def test_every_mistake_is_listed_with_its_line_and_the_closest_name(config):
    text = GOOD.replace("Europe/Berlin", "Europe/Berln").replace("session_timeout: 30min", "session_timeout: 30")
    text = text.replace("main_goal: purchase", "main_goals: purchase").replace("type: time", "typ: time")
    message = refused(config, text)
    assert "data/acme/audit.yaml:2: timezone: is not a time zone; did you mean 'Europe/Berlin'?" in message
    assert (
        "data/acme/audit.yaml:7: sources.0.session_timeout: 30 has no unit; write e.g. '30min', '7 days' (seen: '30')"
        in message
    )
    assert "missing key 'main_goal'" in message
    assert "data/acme/audit.yaml:5: unknown key 'main_goals'; did you mean 'main_goal'?" in message
    assert "data/acme/audit.yaml:13: unknown key 'typ'; did you mean 'type'?" in message


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("client: x\nclient: y\n", "data/acme/audit.yaml:2: key 'client' stands twice, first in line 1\n    Keep one of them."),
        ("a: &x [1]\n", "data/acme/audit.yaml:1: anchors and aliases are not used here\n    Write the value out."),
        ("a: !!python/object/apply:os.system [ls]\n", "data/acme/audit.yaml:1: tag 'tag:yaml.org,2002:python/object/apply:os.system' is not allowed\n    Write plain values."),
        ("a: [1\n", "data/acme/audit.yaml:2: cannot be read as YAML: expected ',' or ']', but got '<stream end>'\n    Check indentation, quotes and colons."),
        ("- a\n", "data/acme/audit.yaml: should be a list of 'key: value' lines"),
    ],
)  # fmt: skip
def test_yaml_that_could_mean_two_things_is_refused(config, line, message):
    assert refused(config, line) == message


def test_a_main_goal_that_is_no_goal_is_named(config):
    assert refused(config, GOOD.replace("main_goal: purchase", "main_goal: purchas")) == (
        "data/acme/audit.yaml:5: main_goal 'purchas' is not among goals; did you mean 'purchase'?"
    )


def test_an_unknown_client_is_answered_with_those_there_are(audit_home, config):
    config()
    with pytest.raises(ConfigError) as error:
        read_config("acm")
    assert str(error.value) == (
        "data/acm/audit.yaml: there is no client 'acm'; did you mean 'acme'?\n"
        "    Clients here: acme.\n"
        "    Make it with: audit new acm --from PATH-TO-EXPORT"
    )


def test_the_agencys_file_lies_beneath(audit_home, config):
    (audit_home / "data" / "agency.yaml").write_text("agency: {name: Measured & Co}\nlanguage: de\n", encoding="utf-8")
    assert config().agency.name == "Measured & Co"
    assert config().language == "de"
    assert config(GOOD + "language: en\n").language == "en"


def test_its_sections_are_put_together_and_its_mistakes_are_its_own(audit_home, config):
    agency = audit_home / "data" / "agency.yaml"
    agency.write_text("agency:\n  name: Measured & Co\n  footer: Vienna\n", encoding="utf-8")
    found = config(GOOD + "agency: {footer: Graz}\n").agency
    assert (found.name, found.footer) == ("Measured & Co", "Graz")
    agency.write_text("language: de\nname: Measured & Co\n", encoding="utf-8")
    assert refused(config, GOOD).startswith("data/agency.yaml:2: unknown key 'name'\n")
    agency.write_text("seed: seven\n", encoding="utf-8")
    assert refused(config, GOOD) == "data/agency.yaml:1: seed: is not a whole number (seen: 'seven')"


@pytest.mark.parametrize(
    ("key", "message"),
    [
        ("sources: []", "sources: names nothing"),
        ("period: march", "period: should be lines of 'key: value' below it (seen: 'march')"),
        ("period: {start: 7, end: 2026-03-02}", "period.start: is not a day; write e.g. 2026-03-02 (seen: '7')"),
        ("sources: [raw]", "sources.0: should be lines of 'key: value' below it (seen: 'raw')"),
        ("sources: [{kind: ga4, files: ''}]", "sources.0.files: names no file; write e.g. raw/*.csv"),
        ("sources: [{kind: ga4, files: []}]", "sources.0.files: names no file; write e.g. raw/*.csv"),
        ("sources: [{kind: ga4, files: a, salvage: maybe}]", "sources.0.salvage: is neither true nor false (seen: 'maybe')"),
    ],
)  # fmt: skip
def test_what_is_no_value_of_its_kind_is_refused_in_the_words_of_a_config(config, key, message):
    name = key.split(":")[0]
    gone = (f"{name}:", "  - ") if name == "sources" else f"{name}:"
    lines = [line for line in GOOD.splitlines() if not line.startswith(gone)]
    assert refused(config, "\n".join([*lines, key])) == f"data/acme/audit.yaml:{len(lines) + 1}: {message}"


def test_a_file_too_large_is_not_read(config):
    assert refused(config, "#" * 1_000_001) == "data/acme/audit.yaml: larger than 1 MB\n    No configuration is."


def test_a_goal_s_worth_and_a_word_of_a_few_are_refused_in_one_sentence_each(config):
    text = GOOD.replace("value: 12.50", "value: 12.50 EUR").replace("type: time", "type: tme")
    assert refused(config, text) == (
        "- data/acme/audit.yaml:10: goals.lead.value: is neither revenue nor a number such as 12.50 (seen: '12.50 EUR')\n"
        "- data/acme/audit.yaml:13: micro_conversions.guide_read.type: should be 'destination', 'time', 'action' or 'negative' (seen: 'tme')"
    )
