"""Can the export be trusted, told on the command line, and asked of the client."""

import json

import pytest

from conversion_audit import cli, data_check
from conversion_audit.errors import ConfigError
from conversion_audit.recipes import fitness


def test_the_demo_shop_can_be_trusted_and_what_was_planted_is_said(small_audit):
    told = {finding.claim for finding in fitness.findings(small_audit)}
    assert {
        "fitness.filling",
        "fitness.no_user_agent",
        "fitness.set_aside",
        "fitness.consent_orders",
        "fitness.personal_data",
    } <= told
    checked = data_check.check(small_audit)
    assert checked.exit_code == 0
    assert any("personal data" in line for line in checked.lines)
    assert all(set(finding) == {"id", "severity", "voids", "claim", "next_step"} for finding in checked.findings)


def test_every_fault_has_its_words_in_both_languages_and_what_to_do(small_audit):
    from conversion_audit.report.words import sentences

    for language in ("en", "de"):
        known = sentences(language)
        for finding in fitness.findings(small_audit):
            assert finding.claim in known
            assert finding.kind != "tracking" or finding.next_step in known


def test_check_prints_the_verdict_and_its_findings(small_shop, monkeypatch, capsys):
    monkeypatch.setenv("AUDIT_HOME", str(small_shop))
    assert cli.guarded(["check", "demo", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["status"] == "ok"
    assert {"medium", "low", "info"} >= {finding["severity"] for finding in answer["findings"]}


TWO_MONTHS = """client: Acme
currency: EUR
timezone: UTC
main_goal: purchase
period: {start: 2026-03-01, end: 2026-03-31}
sources:
  - kind: table
    files: raw/march*.csv
    columns: {event_id: id, time: at, device_id: who, event: what}
goals:
  purchase: {event: purchase}
"""


def test_files_that_no_source_names_and_rows_of_other_days_are_told(audit_home):
    from conversion_audit.audit import open_audit
    from conversion_audit.running import cover

    raw = audit_home / "data" / "acme" / "raw"
    raw.mkdir(parents=True)
    (raw.parent / "audit.yaml").write_text(TWO_MONTHS, encoding="utf-8")
    rows = ["id,at,who,what", "1,2026-03-02 10:00,a,purchase", "2,2026-03-03 10:00,b,view", "3,2026-04-01 10:00,c,view"]
    (raw / "march.csv").write_text("\n".join(rows), encoding="utf-8")
    counted = (
        "2 of the 2 rows of this period were counted (100%); 0 were set aside and 0 could not be read. "
        "1\xa0row of the export is of other days. The workbook lists every reason."
    )
    assert cover.trust(open_audit("acme")) == [counted]
    (raw / "april.csv").write_text("\n".join(rows), encoding="utf-8")
    (raw / ".DS_Store").write_text("left by a system", encoding="utf-8")
    unread = "In no number: 1\xa0file in raw/ that no source in audit.yaml names (raw/april.csv)."
    assert cover.trust(open_audit("acme")) == [counted, unread]
    assert unread in data_check.check(open_audit("acme")).lines


def test_before_the_first_export_the_tools_are_asked_for(audit_home):
    assert "Google Analytics 4" in data_check.request("acme", ["ga4"])
    assert not (audit_home / "data" / "acme").exists()
    with pytest.raises(ConfigError, match="there is no export yet, so name the client's tools"):
        data_check.request("acme", [])


def test_after_it_only_what_is_missing_is_asked_for(small_shop, monkeypatch):
    monkeypatch.setenv("AUDIT_HOME", str(small_shop))
    written = data_check.request("demo", ["ga4"], "en")
    assert "Please leave out from now on: " in written
    assert "BigQuery" not in written
