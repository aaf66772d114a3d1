"""Tickets and receipts: complete, and harmless whatever the export holds."""

from __future__ import annotations

from datetime import date
from types import SimpleNamespace

import pandas as pd
import pytest

from conversion_audit import past, runs, tickets
from conversion_audit.errors import ConfigError
from conversion_audit.report.tickets import receipt, safe, ticket
from conversion_audit.report.voice import Voice, speaking
from conversion_audit.report.wording import cost_of

FINDING = {
    "id": "F-3k9a", "kind": "friction", "claim": "", "title": "Safari's card field takes no input", "next_step": None,
    "step": "payment", "segment": {"browser": "Safari"}, "since": None, "until": None, "rate": 0.62, "benchmark": 0.88,
    "sessions_at_risk": 923, "verdict": "likely friction", "values": {"of": "shipping"}, "owner": "checkout",
    "revenue": {"low": 32000, "estimate": 36000, "high": 40500}, "lost_orders": {"low": 195, "estimate": 221, "high": 243},
    "mechanism": {"message": "card number invalid"},
}  # fmt: skip
PLANNED = {"effort": "S", "owner": "checkout", "target_rate": 0.88, "guardrails": '["purchase"]'}
TEST = {"design": "split test", "per_arm": 47, "weeks": 1, "smallest_before_after_points": 0.05}
HOSTILE = (
    "<script>alert(1)</script> [x](javascript:alert(1)) @channel #12 `rm` |a|\n- [ ] task\n# title http://evil.example"
)


@pytest.fixture(autouse=True)
def _english():
    with speaking(Voice(labels={"payment": "Payment details", "shipping": "Delivery address", "purchase": "Purchase"})):
        yield


def test_a_ticket_holds_everything_a_tracker_needs():
    found = ticket(FINDING, PLANNED, TEST)
    assert found.splitlines()[0] == "# F-3k9a: Payment details: Safari"
    for words in (
        "## Who", "923", "## Since\n\nthe whole period", "## How to reproduce", "Delivery address", "62.0%", "88.0%",
        "card number invalid", "€32,000 to €40,000 of revenue", "none of these falls: Purchase", "47", "Effort S, for Website team",
    ):  # fmt: skip
        assert words in found, words


def test_a_ticket_names_the_price_that_the_page_names_and_a_shops_lost_orders():
    with speaking(Voice(site="shop")):
        found, priced = ticket(FINDING, PLANNED), cost_of(FINDING)
    low, high = priced.split(" of revenue")[0].split(" to ")
    assert f"It cost {low} to {high} of revenue" in found
    assert "It cost 195 to 243 orders" in found


def test_where_the_goal_is_what_shall_rise_nothing_else_must_not_fall():
    told = ticket(FINDING, {**PLANNED, "guardrails": "[]"}, TEST)
    assert "reaches 88.0%." in told and "falls" not in told


def test_one_session_stands_before_a_step_in_german():
    with speaking(Voice(language="de")):
        assert "1 Sitzung stand in" in ticket(FINDING | {"sessions_at_risk": 1}, PLANNED)


def test_an_incident_carries_its_dates():
    found = ticket(FINDING | {"kind": "incident", "since": "2026-05-18", "until": "2026-05-29"}, PLANNED, TEST)
    assert "18 May 2026 to 29 May 2026" in found and "comparable visitors" in found
    found = ticket(FINDING | {"kind": "incident", "values": {"benchmark_kind": "own_past"}}, PLANNED, TEST)
    assert "their own past let one expect 88.0%" in found and "comparable visitors" not in found


@pytest.mark.parametrize("place", ["title", "note", "segment", "message"])
def test_hostile_strings_stay_text(place):
    finding = dict(FINDING)
    if place == "segment":
        finding["segment"] = {"browser": HOSTILE}
    elif place == "message":
        finding["mechanism"] = {"message": HOSTILE}
    else:
        finding[place] = HOSTILE
    found = ticket(finding, PLANNED, TEST)
    assert "<script" not in found.replace("\\<", "")
    assert "http://" not in found and "javascript:" not in found
    assert "](" not in found.replace("\\]", "") and "`rm`" not in found
    headings = [line for line in found.splitlines() if line.startswith("#")]
    assert len(headings) == len(
        [
            line
            for line in ticket(FINDING | {"note": "n"} if place == "note" else FINDING, PLANNED, TEST).splitlines()
            if line.startswith("#")
        ]
    )


def test_text_is_one_line_and_begins_no_list():
    assert safe("- a\nb") == "\\- a b"
    assert safe("1. a") == "1\\. a"
    assert safe("@here") == "\\@here"
    assert "\u202e" not in safe("a\u202eb")


def test_a_finding_without_step_or_price_is_still_a_ticket():
    found = ticket({"id": "own 1", "kind": "own", "claim": "", "title": "Nobody finds the menu", "next_step": None})
    assert found.startswith("# own 1: Nobody finds the menu\n")
    assert "## Done when" in found and "## Evidence" not in found


def test_a_task_that_is_a_rate_or_a_share_says_what_would_be_done_and_says_its_claim_once():
    values = {"channel": "Paid Social", "cost_share": 0.39, "value_share_low": 0.15, "value_share_high": 0.2}
    found = ticket(
        {"id": "F-3uv4", "kind": "opportunity", "chapter": "05", "claim": "allocation.over", "values": values}
    )
    assert found.count("39%") == 1 and "chapter 5 of the report" in found
    assert "Paid Social no longer has surely more of the spend than of the value" in found
    served = {"intent": "returns", "success_rate": 0.23, "successes": 1388, "sessions": 5068}
    found = ticket({"id": "F-bj87", "kind": "service", "claim": "service.rate", "values": served})
    assert "surely more than 23% get what they came for" in found


def test_an_incident_that_is_over_is_not_to_be_reproduced_but_not_to_come_back():
    incident = FINDING | {"kind": "incident", "since": "2026-05-18", "until": "2026-05-29"}
    found = ticket(incident, PLANNED | {"is_over": True}, None)
    assert "Open the site" not in found and "nothing is left to reproduce" in found
    assert "It does not come back" in found and "## How we will know" not in found


FATE = {
    "finding": "F-3k9a", "step": "payment", "segment": '{"browser": "Safari"}', "done_on": "2026-04-26",
    "before_rate": 0.62, "before_at_risk": 923, "after_rate": 0.89, "after_at_risk": 820, "moved": 0.30, "moved_low": 0.22,
    "moved_high": 0.38, "moved_on": "2026-04-27", "value_a_month_low": 15000.0, "value_a_month_high": 26000.0,
    "value_a_month": 20000.0, "goal_value": float("nan"),
}  # fmt: skip
BEFORE, AFTER = (date(2026, 3, 2), date(2026, 4, 26)), (date(2026, 4, 27), date(2026, 6, 21))


def test_a_receipt_says_what_was_done_and_what_it_is_worth():
    found = receipt(FATE, BEFORE, AFTER)
    for words in (
        "F-3k9a",
        "2 Mar 2026 to 26 Apr 2026",
        "Reported as done on 26 Apr 2026",
        "62",
        "89",
        "€15,000 to €26,000 of revenue",
    ):
        assert words in found, words


def test_a_receipt_of_a_declared_worth_names_it_and_no_revenue():
    found = receipt(FATE | {"goal_value": 40.0}, BEFORE, AFTER)
    assert "€15,000 to €26,000 a month" in found and "at the €40.00 declared" in found
    assert "revenue" not in found


def test_a_receipt_is_of_the_newest_runs_days_where_they_are_later(monkeypatch):
    def opened(client, start="2026-03-02", end="2026-04-26"):
        return SimpleNamespace(period=SimpleNamespace(start=date.fromisoformat(start), end=date.fromisoformat(end)))

    monkeypatch.setattr("conversion_audit.audit.open_audit", opened)
    for newest, end in (({"start": "2026-04-27", "end": "2026-06-21"}, AFTER[1]), (None, BEFORE[1])):
        monkeypatch.setattr(runs, "newest", lambda client, newest=newest: newest and {"period": newest})
        assert tickets._latest("demo").period.end == end


def test_a_receipt_needs_days_after_the_earlier_audit(audit_home, monkeypatch):
    cells = pd.DataFrame({"date": pd.date_range("2026-04-27", "2026-06-21")})
    now = SimpleNamespace(period=SimpleNamespace(start=AFTER[0], end=AFTER[1]), frame=lambda name: cells)
    before = past.Previous("earlier", date(2026, 3, 2), date(2026, 6, 18), cells.iloc[:0], findings=[])
    monkeypatch.setattr(tickets, "_latest", lambda client: now)
    monkeypatch.setattr(past, "previous", lambda audit, against: before)
    with pytest.raises(
        ConfigError, match=r"too few days came after(.|\n)*It goes to 2026-06-18, this one to 2026-06-21"
    ):
        tickets.receipt_of("demo", "F-3k9a")


@pytest.mark.parametrize("has_earlier", [False, True])
def test_a_receipt_of_an_unknown_finding_names_those_of_the_newest_run(audit_home, monkeypatch, has_earlier):
    cells = pd.DataFrame({"date": pd.date_range("2026-04-27", "2026-06-21")})
    now = SimpleNamespace(period=SimpleNamespace(start=AFTER[0], end=AFTER[1]), frame=lambda name: cells)
    before = past.Previous("earlier", date(2026, 3, 2), date(2026, 6, 18), cells.iloc[:0], findings=[])
    newest = {"run": "now", "findings": [{"id": "F-3k9a"}, {"id": "F-49g5"}]}
    monkeypatch.setattr(tickets, "_latest", lambda client: now)
    monkeypatch.setattr(past, "previous", lambda audit, against: before if has_earlier else None)
    monkeypatch.setattr(runs, "newest", lambda client: newest)
    with pytest.raises(ConfigError) as told:
        tickets.receipt_of("demo", "F-3k9b")
    assert str(told.value) == (
        "reports/demo/now: there is no finding 'F-3k9b'; did you mean 'F-3k9a'?\n"
        "    Findings of that run: F-3k9a, F-49g5"
    )
    with pytest.raises(ConfigError, match="too few days came" if has_earlier else "there is no earlier audit"):
        tickets.receipt_of("demo", "F-3k9a")


def test_a_receipt_is_of_what_the_earlier_audit_had_found():
    fates = pd.DataFrame({"finding": ["F-3k9a", "F-49g5"], "fate": ["fixed", "new"]})
    assert tickets._followed(fates, "F-3k9a") == {"finding": "F-3k9a", "fate": "fixed"}
    with pytest.raises(ConfigError, match=r"F-49g5 is found for the first time\n    Findings that .*: F-3k9a"):
        tickets._followed(fates, "F-49g5")
    with pytest.raises(ConfigError, match=r"no finding 'F-3k9b' to follow; did you mean 'F-3k9a'\?"):
        tickets._followed(fates, "F-3k9b")


def test_a_receipt_puts_no_price_on_what_had_ended_by_itself():
    found = receipt(FATE | {"fate": "over"}, BEFORE, AFTER)
    assert "ended by itself" in found and "€" not in found


def test_a_receipt_says_that_it_did_not_move():
    still = FATE | {"moved": 0.01, "moved_low": -0.04, "moved_high": 0.06, "done_on": None}
    found = receipt(still, BEFORE, AFTER)
    assert "It did not move" in found and "Nobody has reported it as done" in found and "€" not in found
