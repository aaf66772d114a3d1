"""What every notebook opens."""

import os
import shutil

import pytest
from inputs import as_csv, clean, config, written

from conversion_audit.asked import nobody
from conversion_audit.audit import open_audit
from conversion_audit.config import Config
from conversion_audit.errors import ConfigError, DataError, MachineError
from conversion_audit.intake.ledger import totals
from conversion_audit.prepared import INTAKE_KEYS, code
from conversion_audit.recipes import TABLES


def count(audit, table, where: str = "TRUE") -> int:
    return int(audit.engine.query(f"SELECT count(*) AS n FROM t WHERE {where}", {"t": table}).n[0])


def test_rows_are_accounted_for_and_events_are_those_of_the_sessions(small_audit):
    rows = totals(small_audit.ledger)["rows"]
    assert rows["in"] == rows["kept"] + rows["quarantined"]
    assert rows["analysed"] == count(small_audit, small_audit.events)
    assert (
        count(small_audit, small_audit.table("events"))
        == rows["kept"] - small_audit.ledger.query("reason == 'duplicate'").rows.sum()
    )


def test_every_event_of_a_session_has_its_place_and_its_visitor(small_audit):
    sql = """SELECT count(*) AS n, count(DISTINCT e.session_id || ' ' || CAST(e.event_number AS VARCHAR)) AS places,
                    count(DISTINCT e.visitor_id || ' ' || CAST(e.visitor_event_number AS VARCHAR)) AS life,
                    count(CASE WHEN e.visitor_id <> s.visitor_id THEN 1 END) AS strangers
             FROM e JOIN s ON s.session_id = e.session_id"""
    found = small_audit.engine.query(sql, {"e": small_audit.table("events"), "s": small_audit.every_session}).iloc[0]
    assert found.places == found.life == found.n
    assert found.strangers == 0


def test_sessions_leave_out_what_is_set_aside_and_all_sessions_do_not(small_audit):
    aside = count(small_audit, small_audit.all_sessions, "set_aside IS NOT NULL")
    assert aside > 0
    assert count(small_audit, small_audit.all_sessions) - count(small_audit, small_audit.sessions) == aside


def test_the_period_cuts_sessions_by_their_local_start_day(small_shop, monkeypatch):
    monkeypatch.setenv("AUDIT_HOME", str(small_shop))
    week = open_audit("demo", "2026-03-09", "2026-03-15")
    days = week.engine.query("SELECT min(date) AS a, max(date) AS b FROM s", {"s": week.sessions}).iloc[0]
    assert (str(days.a.date()), str(days.b.date())) == ("2026-03-09", "2026-03-15")
    assert count(week, week.every_session) > count(week, week.sessions)
    assert count(week, week.history, "NOT in_period") > 0
    assert set(week.ledger.reason) >= {"ok", "out_of_period"}


def test_a_period_without_a_day_of_the_export_is_refused_in_one_sentence(small_shop, monkeypatch):
    monkeypatch.setenv("AUDIT_HOME", str(small_shop))
    first, last = open_audit("demo").period.start, open_audit("demo").period.end
    for asked, message in (
        (("2027-01-01", "2027-01-31"), "no day of the export lies in the period, 2027-01-01 to 2027-01-31\n"),
        (("2027-01-01", None), f"the period starts on 2027-01-01 and ends on {last}, before it\n"),
        (("2026-03-15", "2026-03-09"), "the period starts on 2026-03-15 and ends on 2026-03-09, before it\n"),
    ):
        with pytest.raises(ConfigError) as error:
            open_audit("demo", *asked).stop_if_empty()
        assert str(error.value).startswith(f"{message}    The export runs from {first} to {last}.\n    Name ")


def test_where_looks_at_some_sessions_only(small_shop, monkeypatch):
    monkeypatch.setenv("AUDIT_HOME", str(small_shop))
    mobile = open_audit("demo", where="device=mobile")
    assert mobile.engine.query("SELECT DISTINCT device FROM s", {"s": mobile.sessions}).device.tolist() == ["mobile"]
    with pytest.raises(ConfigError, match=r"where: no column 'devise'; did you mean 'device'\?"):
        _ = open_audit("demo", where={"devise": "mobile"}).sessions
    for where, message in (
        ("device=mobil", "where: no session has device 'mobil'; did you mean 'mobile'?\n    Values of device: "),
        (
            "device=mobile, os=Windows",
            "where: no session of the period meets it all (seen: 'device=mobile, os=Windows')",
        ),
    ):
        with pytest.raises(ConfigError) as error:
            open_audit("demo", where=where).stop_if_empty()
        assert str(error.value).startswith(message)
    empty = mobile.engine.view("SELECT * REPLACE (NULL AS device) FROM s", {"s": mobile.every_session})
    assert str(nobody(empty, {"device": "mobile"})).startswith("where: device is empty in every session\n")
    with pytest.raises(ConfigError, match=r"where is not 'column=value, \.\.\.'"):
        open_audit("demo", where="mobile")


def test_a_notebook_opened_by_hand_stops_at_its_summary_where_nothing_is_asked_for(small_shop, monkeypatch):
    monkeypatch.setenv("AUDIT_HOME", str(small_shop))
    with pytest.raises(ConfigError, match=r"where: no session has device 'mobil'; did you mean 'mobile'\?"):
        _ = open_audit("demo", where={"device": "mobil"}).summary
    with pytest.raises(ConfigError, match="no day of the export lies in the period"):
        _ = open_audit("demo", "2027-01-01", "2027-02-01").summary


def test_an_unknown_table_is_answered_with_the_closest(small_audit):
    with pytest.raises(ConfigError, match=r"no table 'event'; did you mean 'events'\?"):
        small_audit.table("event")


def test_shared_tables_are_made_once(small_shop, small_audit, monkeypatch):
    small_audit.prepare()
    monkeypatch.setattr(
        "conversion_audit.intake.prepare.take_in", lambda *_, **__: pytest.fail("read the export again")
    )
    for recipe in TABLES.values():
        monkeypatch.setattr(
            type(recipe), "make", property(lambda self: pytest.fail("made a table again")), raising=False
        )
    again = open_audit("demo")
    for name in TABLES:
        again.table(name)
    assert again.findings == small_audit.findings


@pytest.mark.parametrize("left", [0, 3, 60])
def test_a_prepared_file_that_lost_its_end_is_made_anew(small_shop, small_audit, tmp_path, monkeypatch, left):
    small_audit.table("goals"), small_audit.findings
    home = tmp_path / "home"
    shutil.copytree(small_shop, home)
    monkeypatch.setenv("AUDIT_HOME", str(home))
    for name in ("sessions", "goals", "findings"):
        for path in (home / "data/demo/prepared").glob(f"{name}-*"):
            os.truncate(path, left)
    again = open_audit("demo")
    assert again.frame("goals").equals(small_audit.frame("goals"))
    assert len(again.every_session) == len(small_audit.every_session)
    assert again.findings == small_audit.findings


@pytest.mark.parametrize("kept", ["", "3f" * 31, "not a key"])
def test_a_key_that_is_not_whole_is_refused_and_never_hashed_with(kept, audit_home):
    written(audit_home, as_csv(clean()))
    key = audit_home / "data/acme/.key"
    key.write_text(kept)
    with pytest.raises(MachineError) as refused:
        open_audit("acme").table("sessions")
    assert str(refused.value) == (
        "data/acme/.key: is no key of 64 hex digits\n"
        "    With less than a whole key, ids could be guessed from their hashes.\n"
        "    Put the key back from a backup, or remove the file: a new one is made, and hashed ids are then others."
    )
    key.unlink()
    assert len(open_audit("acme").table("sessions")) > 0
    assert (len(key.read_text()), key.stat().st_mode & 0o777) == (64, 0o600)


def test_a_changed_goal_makes_marks_anew_and_leaves_events_alone(small_shop, small_audit, tmp_path, monkeypatch):
    assert len(small_audit.marks)
    home = tmp_path / "home"
    shutil.copytree(small_shop, home)
    before = {path.name for path in (home / "data/demo/prepared").glob("events-*")}
    assert before
    config = home / "data/demo/audit.yaml"
    config.write_text(
        config.read_text(encoding="utf-8").replace(
            "micro_conversions:\n", "micro_conversions:\n  scrolled: {type: action, event: scroll}\n", 1
        ),
        encoding="utf-8",
    )
    monkeypatch.setenv("AUDIT_HOME", str(home))
    audit = open_audit("demo")
    assert count(audit, audit.marks, "name = 'scrolled'") >= 0
    assert "scrolled" in audit.config.micro_conversions
    assert {path.name for path in (home / "data/demo/prepared").glob("events-*")} == before


def test_an_export_with_too_many_bad_rows_is_refused(tmp_path, small_shop, monkeypatch):
    home = tmp_path / "home"
    shutil.copytree(small_shop / "data/demo/raw", home / "data/demo/raw")
    shutil.copy(small_shop / "data/demo/audit.yaml", home / "data/demo/audit.yaml")
    (home / "data/demo/raw/events_20260101.json.gz").unlink(missing_ok=True)
    (home / "data/demo/raw/events_20270101.json").write_text(
        '{"event_name": "x", "event_timestamp": "", "user_pseudo_id": "1"}\n' * 2000, encoding="utf-8"
    )
    config = home / "data/demo/audit.yaml"
    config.write_text(config.read_text(encoding="utf-8").replace("raw/events_*.json.gz", "raw/*"), encoding="utf-8")
    monkeypatch.setenv("AUDIT_HOME", str(home))
    with pytest.raises(DataError, match="of rows cannot be read"):
        open_audit("demo").prepare()


def test_two_groups_are_the_largest_two_unless_others_are_named(small_audit):
    from conversion_audit.recipes import journey

    pairs = [journey.compared(small_audit, "device", *named) for named in ((), (None, "mobile"), ("tablet", "mobile"))]
    assert [(pair["a"], pair["b"]) for pair in pairs] == [
        ("mobile", "desktop"),
        ("desktop", "mobile"),
        ("tablet", "mobile"),
    ]
    assert not pairs[0]["steps"].a_all.equals(pairs[0]["steps"].b_all)


def test_a_table_is_made_anew_when_the_code_that_asks_for_it_changes(small_audit, monkeypatch):
    before = small_audit._parts("campaigns")
    changed = lambda package: "other" if package == "recipes" else code(package)  # noqa: E731
    monkeypatch.setattr("conversion_audit.audit.code", changed)
    assert small_audit._parts("campaigns") != before


def test_a_table_is_made_anew_when_a_key_changes_that_its_recipe_reads(audit_home, monkeypatch):
    more = (
        "timezone: UTC\nmin_sessions: 1\nkpis: {left: {of: cart, without: purchase}}\ncosts: {channel: {direct: 5}}\n"
    )
    written(audit_home, as_csv(clean()), config(more=more + "intents: {returns: {pages: [/returns*], success: cart}}"))
    for name in TABLES:
        open_audit("acme").table(name)
    read, reads = Config.__getattribute__, set()
    seen = lambda self, name: reads.add(name) or read(self, name)  # noqa: E731
    monkeypatch.setattr(Config, "__getattribute__", seen)

    def keys(name: str) -> set[str]:
        return set(TABLES[name].keys).union(*(keys(one) for one in TABLES[name].needs if one in TABLES))

    forgotten = {}
    for name, recipe in TABLES.items():
        audit = open_audit("acme")
        for needed in recipe.needs:
            audit.table(needed)
        reads.clear()
        recipe.make(audit)
        forgotten[name] = reads & set(Config.model_fields) - keys(name) - {*INTAKE_KEYS, "seed", "period"}
    assert {name: left for name, left in forgotten.items() if left} == {}
