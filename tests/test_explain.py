"""`audit explain`: what stands behind a reference of the report."""

from __future__ import annotations

import json

import pandas as pd
import pytest

from conversion_audit import explain
from conversion_audit.errors import ConfigError
from conversion_audit.findings import Finding
from conversion_audit.report.show import MIME, bundles_of

FINDING = Finding(kind="strength", chapter="01", claim="page.trust_good", values={"rate": 0.5})


@pytest.fixture
def folder(tmp_path, monkeypatch):
    evidence = tmp_path / "run" / "evidence"
    evidence.mkdir(parents=True)
    frame = pd.DataFrame({"step": ["cart"], "sessions": [3]})
    bundle = bundles_of(
        frame, name="steps", claim="Three carts", read="Longer is more.", card={"unit": "session", "n": 3}
    )[0]
    cell = {
        "cell_type": "code",
        "source": ["show(steps,\n", "     name='steps')"],
        "outputs": [{"data": {MIME: bundle}}],
    }
    notebook = {"cells": [{"cell_type": "markdown", "source": "# ?"}, cell]}
    (evidence / "02_map_journey.ipynb").write_text(json.dumps(notebook))
    (evidence / "findings.json").write_text(json.dumps({"findings": [FINDING.record()]}))
    (tmp_path / "run" / "manifest.json").write_text(json.dumps({"name": "Acme"}))
    monkeypatch.setattr(explain.runs, "folder_of", lambda client, run=None: tmp_path / "run")
    return tmp_path / "run"


def test_a_reference_is_told_with_its_card_its_table_and_its_code(folder):
    assert explain.explain("acme", "steps") == (
        "Three carts\n"
        "\n"
        "Longer is more.\n"
        "\n"
        "How it was counted\n"
        "    unit  session\n"
        "    n     3\n"
        "\n"
        "step  sessions\n"
        "cart         3\n"
        "\n"
        "Made in chapter 02_map_journey, cell 2\n"
        "    show(steps,\n"
        "         name='steps')"
    )


def test_the_query_behind_a_table_is_told(folder, small_shop, monkeypatch):
    monkeypatch.setenv("AUDIT_HOME", str(small_shop))
    cell = {"cell_type": "code", "source": ['days = audit.frame("data_days")\n', "show(days, name='steps')"]}
    path = folder / "evidence" / "02_map_journey.ipynb"
    book = json.loads(path.read_text())
    cell["outputs"] = book["cells"][1]["outputs"]
    path.write_text(json.dumps({"cells": [cell]}))
    about = {"name": "Acme", "period": {"start": "2026-03-09", "end": "2026-03-15"}, "asked": {"where": None}}
    (folder / "manifest.json").write_text(json.dumps(about))
    told = explain.explain("demo", "steps")
    assert "\n\n-- data_days of demo, 2026-03-09 to 2026-03-15.\n" in told
    assert "read_parquet(['data/demo/prepared/event_counts-" in told
    monkeypatch.setenv("AUDIT_HOME", str(folder))
    assert "The query behind it cannot be told: " in explain.explain("demo", "steps")


def test_a_finding_is_told_with_every_value(folder):
    told = explain.explain("acme", FINDING.id)
    assert told.startswith("No fault of the data was found that would change a conclusion.")
    assert told.endswith("Values\n    rate  0.5")


def test_what_holds_values_itself_stands_below_its_name(folder):
    gates = [{"gate": "enough", "passed": True, "z": None}, {"gate": "mix", "passed": False}]
    alike = [{"what": "help", "rate": 0.5}, {"what": "(left)", "rate": 0.25}]
    values = {
        "of": "cart",
        "loss": {"low": 1, "high": 2.5},
        "gates": gates,
        "instead": alike,
        "also": [],
        "days": [1, 2],
    }
    found = Finding("observation", "02", "funnel.ties", values={"tied": 3, "tied_rate": 0.5, "sessions_in_order": 6, "adverse_sessions": 3} | values)  # fmt: skip
    (folder / "evidence" / "findings.json").write_text(json.dumps({"findings": [found.record()]}))
    assert explain.explain("acme", found.id).endswith(
        "    of                 cart\n"
        "    loss\n"
        "        low   1\n"
        "        high  2.5\n"
        "    gates\n"
        "        gate enough, passed true, z -\n"
        "        gate mix, passed false\n"
        "    instead\n"
        "          what  rate\n"
        "          help  0.50\n"
        "        (left)  0.25\n"
        "    also               []\n"
        "    days               [1, 2]"
    )


def test_a_finding_is_told_in_the_words_of_the_report_however_its_id_is_spelled(folder):
    found = Finding("observation", "02", "funnel.ties", values={"tied": 3, "tied_rate": 0.5, "sessions_in_order": 6, "adverse_sessions": 3})  # fmt: skip
    config = {
        "client": "Acme",
        "language": "de",
        "main_goal": "paid",
        "sources": [{"kind": "ga4", "files": "raw/*"}],
        "goals": {"paid": {"event": "purchase"}},
    }
    (folder / "evidence" / "findings.json").write_text(json.dumps({"findings": [found.record()]}))
    (folder / "evidence" / "config.json").write_text(json.dumps(config))
    assert explain.explain("acme", found.id.lower()).startswith("3 Sitzungen (50\u00a0%) tun einen Schritt")


def test_an_unknown_reference_names_those_there_are(folder):
    with pytest.raises(ConfigError) as error:
        explain.explain("acme", "step")
    assert str(error.value) == (
        "reports/acme/run: the report has no reference 'step'; did you mean 'steps'?\n"
        f"    References: steps, {FINDING.id}"
    )
