"""Clients who have totals only, and what totals forbid."""

from __future__ import annotations

import pandas as pd
import pytest
from conftest import table
from exports import FIXTURES

from conversion_audit import data_check, runner
from conversion_audit.analysis import leads, totals
from conversion_audit.audit import open_audit
from conversion_audit.config import read_config
from conversion_audit.errors import ConfigError, DataError
from conversion_audit.new import new_client
from conversion_audit.tables import EVENTS, ORDERS, SESSIONS, check

MAILS = {"Sent": 500, "Delivered": 400, "Opens": 200, "Orders": 20}


@pytest.fixture
def totals_file(tmp_path):
    """Eight weeks of two campaigns; in the second, fewer click in the later half."""
    rows = []
    for day in range(56):
        for campaign in ("spring", "brand"):
            clicks = 140 if campaign == "brand" and day >= 28 else 200
            counts = {"Impressions": 10_000 + day, "Clicks": clicks, "Leads": clicks // 4, **MAILS}
            rows.append({"Date": pd.Timestamp("2026-03-02") + pd.Timedelta(days=day), "Campaign": campaign, **counts})
    path = tmp_path / "sent" / "totals.csv"
    path.parent.mkdir()
    pd.DataFrame(rows).assign(Spend="50.00").to_csv(path, index=False)
    return path


def test_totals_alone_get_a_config_whose_goal_is_the_last_stage(audit_home, totals_file):
    text = new_client("ads", [totals_file]).read_text(encoding="utf-8")
    config = read_config("ads")
    assert (config.main_goal, config.steps, config.sources[0].kind) == ("paid", ["paid"], "stage_counts")
    assert (str(config.period.start), str(config.period.end)) == ("2026-03-02", "2026-04-26")
    assert "# The goal is the last of them. Without events it never occurs" in text
    assert config.label("paid", "de") == "Bezahlt"


def test_a_report_without_days_has_the_period_of_its_preamble(audit_home):
    new_client("site", [FIXTURES / "ga4_report" / "traffic.csv"])
    config = read_config("site")
    assert (config.main_goal, str(config.period.start), str(config.period.end)) == (
        "key_event",
        "2026-03-02",
        "2026-03-08",
    )


def test_without_events_every_shared_table_is_there_and_empty(audit_home, totals_file):
    new_client("ads", [totals_file])
    audit = open_audit("ads")
    audit.prepare()
    for rows, contract in ((audit.events, EVENTS), (audit.every_session, SESSIONS), (audit.orders, ORDERS)):
        check(rows, contract)
        assert len(rows) == 0
    assert not audit.has("events") and audit.has("stage_counts")
    assert audit.headline["naive_conversion_rate"] is None and audit.headline["sessions"] == 0
    claims = [finding.claim for finding in audit.findings]
    assert "totals.only" in claims and "stages.dearer_clicks" in claims and "stages.not_delivered" in claims
    assert {claim.split(".")[0] for claim in claims} == {"totals", "stages"}


def test_the_period_is_that_of_the_totals(audit_home, totals_file):
    config = new_client("ads", [totals_file])
    config.write_text("".join(line for line in config.open(encoding="utf-8") if not line.startswith("period")))
    assert str(open_audit("ads").period.end) == "2026-04-26"


def test_totals_without_a_day_ask_for_their_period(audit_home, tmp_path):
    (tmp_path / "funnel.csv").write_text("Step,Number\nImpressions,9000\nClicks,300\nOrders,12\n", encoding="utf-8")
    new_client("ads", [tmp_path / "funnel.csv"])
    with pytest.raises(ConfigError) as asked:
        _ = open_audit("ads").period
    assert str(asked.value) == (
        "data/ads/audit.yaml: the period is not known\n"
        "    The export holds totals, and they name no day.\n"
        "    Write the days they are of into audit.yaml: period: {start: 2026-03-02, end: 2026-04-26}"
    )
    config = audit_home / "data" / "ads" / "audit.yaml"
    config.write_text(
        config.read_text(encoding="utf-8") + "\nperiod: {start: 2026-03-02, end: 2026-03-08}\n", encoding="utf-8"
    )
    assert str(open_audit("ads").period.start) == "2026-03-02"


def test_no_events_and_no_totals_are_nothing_to_audit(audit_home):
    raw = audit_home / "data" / "acme" / "raw"
    raw.mkdir(parents=True)
    (raw / "totals.csv").write_text("Date,Impressions,Clicks\n2026-03-02,many,few\n", encoding="utf-8")
    (raw.parent / "audit.yaml").write_text(
        "client: A\nmain_goal: paid\ngoals: {paid: {event: paid}}\nsources: [{kind: stage_counts, files: raw}]\n",
        encoding="utf-8",
    )
    with pytest.raises(DataError, match="no rows in any file"):
        open_audit("acme").prepare()


def test_a_run_reports_the_stages_and_says_what_is_left_out(audit_home, totals_file):
    new_client("ads", [totals_file])
    published = runner.run("ads")
    statuses = {one["name"]: one["status"] for one in published.chapters}
    assert [name for name, status in statuses.items() if status == "complete"] == ["04_diagnose_friction"]
    assert "failed" not in statuses.values() and published.exit_code == 0
    page = published.report.read_text(encoding="utf-8")
    assert "These are totals of tools, not visits." in page and "The export holds totals, no visits" in page
    assert "click rate (CTR)" in page and "open rate" in page and "NaN" not in page
    assert sorted(path.stem for path in (published.folder / "client" / "tables").iterdir()) == [
        "stage_chain",
        "stages",
        "stages_weak",
    ]


def test_what_a_report_s_remarks_forbid_is_told_once_each():
    found = totals.findings(True, ["merged", "sampled", "thresholds", "thresholds", "totals_left"])
    assert [(one.kind, one.claim, one.voids) for one in found] == [
        ("tracking", "totals.other", ("04",)),
        ("tracking", "totals.sampled", ("04",)),
        ("tracking", "totals.thresholds", ("04",)),
    ]
    assert totals.findings(True, []) == []


def test_a_report_s_limits_reach_the_findings(audit_home):
    new_client("site", [FIXTURES / "ga4_report" / "traffic.csv"])
    claims = {finding.claim for finding in open_audit("site").findings}
    assert {"totals.only", "totals.other", "totals.thresholds"} <= claims


def test_leads_are_followed_into_the_crm_by_channel():
    frame = leads.lead_stages(*lead_tables(), "lead")
    shown = frame.assign(rate=frame.reached_rate.round(2))[["channel", "stage", "reached", "leads", "rate"]]
    assert [tuple(row) for row in shown.itertuples(index=False)] == [
        ("(all)", "qualified", 2, 3, 0.67),
        ("(all)", "won", 1, 3, 0.33),
        ("Email", "qualified", 1, 2, 0.5),
        ("Email", "won", 1, 2, 0.5),
        ("(not set)", "qualified", 1, 1, 1.0),
        ("(not set)", "won", 0, 1, 0.0),
    ]
    assert frame.revenue[frame.stage == "won"].tolist()[0] == 1200.0
    assert leads.claim(frame) == ("leads.claim", {"stage": "won", "reached": 1, "leads": 3, "rate": 1 / 3})


def test_a_crm_with_other_ids_is_said_and_is_no_zero():
    marks, events, sessions, outcomes = lead_tables()
    other = outcomes.assign(lead_id="x" + outcomes.lead_id)
    assert leads.claim(leads.lead_stages(marks, events, sessions, other, "lead")) == ("leads.none", {})
    nothing = leads.lead_stages(marks[:0], events, sessions, outcomes, "lead")
    assert len(nothing) == 0 and leads.claim(nothing) == ("leads.none", {})


def test_a_lead_without_a_real_id_is_none_and_spaces_are_not_part_of_one():
    marks, events, sessions, outcomes = lead_tables()
    ids = ["undefined", "null", "", "L9", " L3 ", "   "]  # b's first goal has an order instead
    events["properties"] = [f'{{"lead_id":"{one}"}}' for one in ids]
    frame = leads.lead_stages(marks, events, sessions, outcomes, "lead")
    found = frame[["channel", "stage", "reached", "leads"]].to_numpy().tolist()
    assert found == [
        ["(all)", "qualified", 1, 2],
        ["(all)", "won", 0, 2],
        ["(not set)", "qualified", 1, 1],
        ["(not set)", "won", 0, 1],
        ["Email", "qualified", 0, 1],
        ["Email", "won", 0, 1],
    ]


def lead_tables():
    """Four goals of three sessions: one names its lead twice, one names none."""
    marks = table("""
        session_id event_number time                name
        a          1            2026-03-02T10:00:00 lead
        a          2            2026-03-02T10:05:00 lead
        b          1            2026-03-02T11:00:00 lead
        b          2            2026-03-02T11:00:00 view
        c          1            2026-03-02T12:00:00 lead
        c          2            2026-03-02T12:01:00 lead
    """)
    events = table("""
        session_id event_number order_id properties
        a          1            -        {"lead_id":"L1"}
        a          2            -        {"lead_id":"L1"}
        b          1            O2       {}
        b          2            O9       {}
        c          1            -        {"lead_id":"L3"}
        c          2            -        {}
    """)
    events["properties"] = ['{"lead_id":"L1"}', '{"lead_id":"L1"}', "{}", "{}", '{"lead_id":"L3"}', "{}"]
    sessions = pd.DataFrame({"session_id": ["a", "b", "c"], "channel": ["Email", "Email", None]})
    outcomes = pd.DataFrame(
        {
            "lead_id": ["L1", "L1", "L3", "L8"],
            "stage": ["qualified", "won", "qualified", "won"],
            "value": [None, 1200.0, None, 5.0],
        }
    )
    return marks, events, sessions, outcomes


def test_audit_check_tells_what_totals_forbid_and_asks_for_no_tags(audit_home, totals_file):
    new_client("ads", [totals_file])
    checked = data_check.check(open_audit("ads"))
    assert checked.exit_code == 0
    assert [one["claim"].split(":")[0] for one in checked.findings] == ["The export holds totals, no visits"]
    assert checked.lines[0].startswith(
        "The numbers can be used, with 1\u00a0reservation that matters in 6\u00a0chapters: 0, 1, 2,"
    )
    assert open_audit("ads").summary["value"].to_dict() == {
        "period": "2026-03-02 to 2026-04-26",
        "impression (totals)": "1,123,080",
        "click (totals)": "20,720",
        "opt-in (totals)": "5,180",
        "follow-up sent (totals)": "56,000",
        "delivered (totals)": "44,800",
        "opened (totals)": "22,400",
        "paid (totals)": "2,240",
    }


def test_what_reading_totals_left_out_is_told(audit_home, tmp_path):
    lines = "Day,Campaign,Impressions,Clicks\n2026-03-02,a,900,30\n2026-03-02,b,800,many\nTotal: Account,--,1700,30\n"
    (tmp_path / "ads.csv").write_text(lines, encoding="utf-8")
    new_client("ads", [tmp_path / "ads.csv"])
    claims = [finding.claim for finding in open_audit("ads").findings]
    assert sorted(claim for claim in claims if claim.startswith("reading.")) == [
        "reading.totals_left",
        "reading.totals_no_number",
    ]
