"""What a run keeps, and which run the next one is compared with."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, timedelta
from types import SimpleNamespace

import inputs
import pandas as pd
import pytest

from conversion_audit import past
from conversion_audit.asked import read_conditions
from conversion_audit.audit import open_audit
from conversion_audit.engine import Engine
from conversion_audit.errors import ConfigError
from conversion_audit.folders import Folders
from conversion_audit.report import text
from conversion_audit.schema import Period

CELLS = pd.DataFrame({"kind": ["goal"], "name": ["purchase"], "of": [None], "date": pd.to_datetime(["2026-03-02"]),
                      "at_risk": [10], "passed": [1], "inflation": [1.0]})  # fmt: skip


def audit(
    start: str, end: str, first: str | None = None, inputs: dict | None = None, where: str | None = None
) -> SimpleNamespace:
    days = pd.DataFrame({"first": [pd.Timestamp(first or start)]})
    return SimpleNamespace(
        folders=Folders("acme"),
        period=Period(start=start, end=end),
        inputs=inputs or {"raw/a": "1"},
        where=read_conditions(where),
        on=lambda begin, last: audit(begin.isoformat(), last.isoformat(), where=where),
        config=SimpleNamespace(model_dump_json=lambda **_: json.dumps({"journey": ["a"]})),
        frame=lambda name: CELLS,
        table=lambda name: Engine().write(
            "SELECT * FROM this", Folders("acme").data / "cells.parquet", {"this": CELLS}
        ),
        engine=SimpleNamespace(query=lambda *_: days),
        every_session=None,
        findings=[],
    )


def run(one: SimpleNamespace, name: str, where: str | None = None) -> None:
    folder = one.folders.reports / name
    past.keep(one, folder / "evidence", pd.DataFrame({"finding": ["F-aaaa"], "place": [1]}))
    (folder / "evidence" / "findings.json").write_text(json.dumps({"findings": [{"id": "F-aaaa"}]}))
    period = {"start": one.period.start.isoformat(), "end": one.period.end.isoformat()}
    manifest = {"period": period, "inputs": one.inputs, "ledger": [], "asked": {"where": where}}
    (folder / "manifest.json").write_text(json.dumps(manifest))


FIRST, SECOND = "20260501T000000Z-aaaaaa", "20260601T000000Z-bbbbbb"
NOW = ("2026-04-27", "2026-06-21")


@pytest.fixture(autouse=True)
def _at_home(audit_home, monkeypatch):
    Folders("acme").data.mkdir()
    monkeypatch.delenv(past.AGAINST, raising=False)


def test_the_newest_run_of_another_period_is_compared_with(audit_home):
    run(audit("2026-03-02", "2026-04-26"), FIRST)
    run(audit(*NOW), SECOND)
    found = past.previous(audit(*NOW))
    assert (found.run, found.start, found.end) == (FIRST, date(2026, 3, 2), date(2026, 4, 26))
    assert found.config == {"journey": ["a"]} and found.findings == [{"id": "F-aaaa"}]
    assert found.plan == [{"finding": "F-aaaa", "place": 1}]
    pd.testing.assert_frame_equal(found.cells.drop(columns="of"), CELLS.drop(columns="of"), check_dtype=False)


def test_the_same_period_of_another_export_is_compared_with_as_well(audit_home):
    run(audit(*NOW), SECOND)
    assert past.previous(audit(*NOW), None) is None
    assert past.previous(audit(*NOW, inputs={"raw/a": "2"})).run == SECOND


def day_by_day(start: str, end: str, passed: int) -> pd.DataFrame:
    dates = pd.date_range(start, end)
    return pd.concat([CELLS.assign(date=date, passed=passed) for date in dates], ignore_index=True)


def test_days_that_both_periods_hold_are_not_after(audit_home):
    now = audit(*NOW)
    now.frame = lambda name: day_by_day(*NOW, passed=2)
    run(audit("2026-04-20", "2026-05-31"), FIRST)
    before = replace(past.previous(now), cells=day_by_day("2026-04-20", "2026-05-31", passed=1))
    assert past.new_from(now, before) == date(2026, 6, 1)
    after = past.after(now, before)
    assert (after.date.min(), len(after)) == (pd.Timestamp("2026-06-01"), 21)
    joined = past.joined(now, before)
    assert joined.date.is_unique and len(joined) == 63
    assert joined[joined.passed == 1].date.max() == pd.Timestamp("2026-04-26")  # a shared day as it is counted now
    key, record = past.compared(now, before)
    assert (key, record["first"], record["days"]) == ("change.against_shared", date(2026, 6, 1), 21)
    said = "now is only what came after, the 21\u00a0days from 1 Jun 2026 on."
    assert (
        text(key, record)
        == f"Compared with the audit of 20 Apr 2026 to 31 May 2026. It holds days of this period as well: {said}"
    )


def test_days_that_are_too_few_are_said_and_not_compared(audit_home):
    now = audit(*NOW)
    now.frame = lambda name: day_by_day(*NOW, passed=2)
    run(audit("2026-04-27", "2026-06-15"), SECOND)
    before = past.previous(now)
    assert past.new_from(now, before) is None and past.after(now, before).empty
    said = "After the audit of 27 Apr 2026 to 15 Jun 2026 this period has 6\u00a0more days: too few to tell what moved."
    assert text(*past.compared(now, before)) == said
    same = replace(before, end=now.period.end)
    said = "The audit before, of 27 Apr 2026 to 21 Jun 2026, holds every day of this period: nothing is new to compare."
    assert text(*past.compared(now, same)) == said
    run(audit("2026-03-02", "2026-04-26"), FIRST)  # an older run that leaves enough days is better
    found = past.previous(now)
    assert (found.run, past.new_from(now, found)) == (FIRST, date(2026, 4, 27))
    assert past.compared(now, found)[0] == "change.against_run" and len(past.after(now, found)) == 56


def test_a_run_of_later_days_is_no_past(audit_home):
    run(audit(*NOW), SECOND)
    assert past.previous(audit("2026-03-02", "2026-04-26")) is None


def test_a_run_of_other_sessions_is_no_past(audit_home):
    run(audit("2026-03-02", "2026-04-26"), FIRST)
    run(audit("2026-03-02", "2026-04-26"), SECOND, where="device=mobile")
    assert past.previous(audit(*NOW)).run == past.newest_cells("acme").run == FIRST
    assert past.previous(audit(*NOW, where="device = mobile")).run == SECOND
    assert past.previous(audit(*NOW, where="device=tablet")) is None
    assert past.previous(audit(*NOW), SECOND).run == SECOND


def test_without_a_run_the_days_before_in_the_export_are_taken(audit_home):
    found = past.previous(audit(*NOW, first="2026-03-02", where="device=mobile"))
    assert (found.start, found.end, found.where) == (date(2026, 3, 2), date(2026, 4, 26), {"device": "mobile"})
    assert (found.run, found.findings) == (None, None) and len(found.cells) == 1
    assert past.previous(audit(*NOW, first="2026-04-20")) is None


def test_a_named_run_and_last_year_are_taken(audit_home, monkeypatch):
    run(audit("2025-04-28", "2025-06-22"), FIRST)
    run(audit("2026-03-02", "2026-04-26"), SECOND)
    assert past.previous(audit(*NOW), FIRST).run == FIRST
    assert past.previous(audit(*NOW), past.LAST_YEAR).run == FIRST
    monkeypatch.setenv(past.AGAINST, FIRST)
    assert past.previous(audit(*NOW)).run == FIRST


def test_a_named_run_that_kept_nothing_is_refused(audit_home):
    folder = Folders("acme").reports / FIRST
    folder.mkdir(parents=True)
    (folder / "manifest.json").write_text("{}")
    with pytest.raises(ConfigError, match="cannot be compared with"):
        past.previous(audit(*NOW), FIRST)
    assert past.previous(audit(*NOW)) is None


def test_nothing_to_compare_with_is_none_and_not_an_error(audit_home):
    one = audit("2026-03-02", "2026-03-02")
    assert past.previous(one) is None and past.newest_cells("acme") is None
    before = past.nothing(CELLS)
    assert past.compared(one, None) == ("change.nothing", {"days": 1})
    assert len(past.joined(one, before)) == len(past.after(one, before)) == 1
    assert before.cells.empty and past.records(one, before) == [] and past.definitions(one, before) == {}


def test_the_watch_learns_from_the_newest_run(audit_home):
    run(audit("2026-03-02", "2026-04-26"), FIRST)
    run(audit(*NOW), SECOND)
    assert past.newest_cells("acme").run == SECOND


def shop(outage: bool = False) -> bytes:
    """Return four weeks of twenty visits a day: half on mobile buy, a fifth on desktop; `outage`: five days unseen."""
    rows = []
    for n in range(28 * 20):
        day, at = n // 20, pd.Timestamp("2026-03-02 09:00") + timedelta(days=n // 20, minutes=n % 20)
        device, buys = ("mobile", n % 4 == 1) if n % 2 else ("desktop", n % 10 == 0)
        row = {"id": f"e{n}", "at": str(at), "who": f"c{n}", "session": f"s{n}", "what": "page_view", "where": "/p/a"}
        row |= {"order": "", "worth": "", "money": "", "kind": device}
        rows.append(row)
        if buys and not (outage and 4 <= day < 9):
            bought = {"id": f"b{n}", "at": str(at + timedelta(minutes=1)), "what": "purchase", "where": "/done"}
            rows.append(row | bought | {"order": f"A{n}", "worth": "50.00", "money": "EUR"})
    return inputs.as_csv(rows)


PERIOD = "timezone: UTC\nperiod: {start: 2026-03-16, end: 2026-03-29}"


def test_the_period_before_is_of_the_same_sessions(audit_home):
    inputs.written(audit_home, shop(), inputs.config(device="kind", more=PERIOD))
    for where, rate in ((None, 0.35), ("device=mobile", 0.5)):
        found = open_audit("acme", where=where)
        goal = found.frame("goals").iloc[0]
        assert (goal.session_rate, goal.past_rate) == pytest.approx((rate, rate))
        cells = past.previous(found).cells.query("kind == 'goal'")
        assert cells.passed.sum() / cells.at_risk.sum() == pytest.approx(rate)


def test_the_period_before_leaves_out_its_blind_days(audit_home):
    inputs.written(audit_home, shop(outage=True), inputs.config(device="kind", more=PERIOD))
    found = open_audit("acme")
    goal = found.frame("goals").iloc[0]
    assert (goal.session_rate, goal.past_rate) == pytest.approx((0.35, 0.35))
    assert not [one for one in found.findings if one.claim in ("goals.rose", "goals.fell")]


def test_a_run_to_compare_with_is_looked_for_before_anything_is_run(audit_home):
    past.require("acme", None)
    past.require("acme", "last-year")
    with pytest.raises(ConfigError, match=r"there is no run 'nosuch' of acme\n    Runs here: none"):
        past.require("acme", "nosuch")
