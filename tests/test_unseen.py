"""What audit.yaml names and the export never shows is told with its line, at `audit check`."""

import json

import pytest

from conversion_audit import cli

YAML = """client: Acme
timezone: UTC
main_goal: purchase
sources:
  - {kind: table, files: raw/events.csv, columns: {event_id: id, time: at, device_id: who, event: what, page_url: url}}
goals:
  purchase: {event: purchase}
  lead: {event: generate_leed}
micro_conversions:
  cart: {type: action, event: add_to_cart}
  terms: {type: destination, page: /shiping*}
  either: {type: action, event: [view, viewed]}
  dear: {type: action, event: add_to_cart, where: {device: watch}}
journey: [cart, veiw]
suspects: [device, brwser, properties.size]
adjusters: [is_new]
"""
ROWS = """id,at,who,what,url
1,2026-03-02 10:00:00,a,view,https://acme.example/shipping
2,2026-03-02 10:01:00,a,add_to_cart,https://acme.example/hat
3,2026-03-02 10:02:00,a,purchase,https://acme.example/thanks
4,2026-03-03 10:00:00,b,generate_lead,https://acme.example/hat
"""


@pytest.fixture
def acme(audit_home):
    raw = audit_home / "data" / "acme" / "raw"
    raw.mkdir(parents=True)
    (raw / "events.csv").write_text(ROWS, encoding="utf-8")
    (raw.parent / "audit.yaml").write_text(YAML, encoding="utf-8")
    return raw.parent / "audit.yaml"


def unseen(capsys) -> list[str]:
    cli.guarded(["check", "acme", "--json"])
    return json.loads(capsys.readouterr().out)["unseen"]


def test_what_never_occurs_is_told_with_its_line_the_count_and_the_nearest_names(acme, capsys):
    told = unseen(capsys)
    assert [line.split("\n")[0] for line in told] == [
        "data/acme/audit.yaml:11: terms: no page '/shiping*' in the export: seen 0 times",
        "data/acme/audit.yaml:13: dear: event 'add_to_cart', where {'device': 'watch'}: seen 0 times",
        "data/acme/audit.yaml:8: lead: no event 'generate_leed' in the export: seen 0 times",
        "data/acme/audit.yaml:14: veiw: no event 'veiw' in the export: seen 0 times",
        "data/acme/audit.yaml:15: suspects: there is no column 'brwser'; did you mean 'browser'?",
        "data/acme/audit.yaml:15: suspects: no event has the property 'size': seen 0 times",
    ]
    assert told[0].endswith("It counts nothing until that is mended.\n    Nearest in the export: /shipping (1).")
    assert told[2].endswith("counts as never reached.\n    Nearest in the export: generate_lead (1).")
    assert told[3].endswith("as if everybody left before it.\n    Nearest in the export: view (1).")


def test_a_config_whose_every_name_occurs_is_left_in_peace(acme, capsys):
    mended = YAML.replace("leed", "lead").replace("shiping", "shipping").replace("veiw", "view")
    mended = mended.replace("brwser, properties.size", "browser").replace(", where: {device: watch}", "")
    acme.write_text(mended, encoding="utf-8")
    assert unseen(capsys) == []


def test_the_demo_names_nothing_that_never_occurs(small_audit):
    from conversion_audit.unseen import unseen

    assert unseen(small_audit) == []


def test_an_intent_that_no_session_shows_is_told(acme, capsys):
    intents = "intents:\n  delivery: {pages: [/shipping]}\n  returns: {pages: [/retuns], label: Returns}\n"
    acme.write_text(YAML + intents, encoding="utf-8")
    told = [line for line in unseen(capsys) if "returns" in line or "delivery" in line]
    assert [line.split("\n")[0] for line in told] == [
        "data/acme/audit.yaml:19: returns: no session shows what it asks for: seen 0 times"
    ]
