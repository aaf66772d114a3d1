"""One row is one event: nothing on the way from the export to the events may turn one into two, or two into one."""

import duckdb
import inputs
import pandas as pd
import pytest

from conversion_audit.audit import open_audit
from conversion_audit.errors import AuditError, ConfigError
from conversion_audit.intake.prepare import _refuse_multiplied
from conversion_audit.intake.sessions import channels

BY_STEPS = """\
client: Acme
currency: EUR
timezone: UTC
main_goal: purchase
accept_bad: 50 %
sources:
  - {kind: table, files: raw/*, columns: {device_id: who, session_id: sess, time: at}, steps: {view_item: viewed, purchase: bought}}
goals:
  purchase: {event: purchase}
micro_conversions:
  view: {type: action, event: view_item}
journey: [view]
"""


def by_steps() -> str:
    rows = (f"c{n},s{n},2026-03-02 10:{n:02}:00,1,{n % 2}\n" for n in range(20))
    return "who,sess,at,viewed,bought\n" + "".join(rows)


def test_an_empty_medium_beside_a_missing_one_is_no_second_source():
    said = pd.DataFrame({"source": ["news", "news"], "medium": [None, ""], "campaign": [None, None]}).astype("string")
    facts = said.assign(session_id=["s1", "s2"], session_number=[1, 2], visitor_id=["v1", "v2"], own_channel=None)
    found = channels(facts.astype({"own_channel": "string"}), said.assign(channel=["Referral", "Email"])).frame()
    assert sorted(zip(found["session_id"], found["channel"], strict=True)) == [("s1", "Referral"), ("s2", "Email")]


@pytest.mark.parametrize("rates", ["{USD: 0.5}", "{EUR: 1, USD: 0.5}", "{usd: 0.5}"])
def test_a_rate_for_the_own_currency_or_in_small_letters_changes_nothing(rates, audit_home):
    rows = inputs.changed(inputs.clean(), {4 * n + 3: {"money": "USD"} for n in range(10)})
    audit = inputs.taken_in(audit_home, inputs.as_csv(rows), inputs.config(more=f"timezone: UTC\nfx: {rates}"))
    assert len(audit.table("events")) == inputs.ROWS
    assert audit.headline["revenue"] == 750


@pytest.mark.parametrize("written", ["csv", "csv with a bad line", "parquet"])
def test_one_line_of_several_events_gives_each_its_own_number(written, audit_home, tmp_path):
    files = {"t.csv": (by_steps() + ('c99,"x\n' if "bad" in written else "")).encode()}
    if written == "parquet":
        (tmp_path / "t.csv").write_text(by_steps())
        duckdb.sql(f"COPY (FROM read_csv('{tmp_path}/t.csv', all_varchar = true)) TO '{tmp_path}/t.parquet'")
        files = {"t.parquet": (tmp_path / "t.parquet").read_bytes()}
    audit = inputs.taken_in(audit_home, files, BY_STEPS)
    assert audit.frame("events")["event"].value_counts().to_dict() == {
        "session_start": 20,
        "view_item": 20,
        "purchase": 10,
    }
    assert audit.headline["completions"] == 10


def test_a_file_that_two_sources_read_is_refused(audit_home):
    twice = BY_STEPS.replace(
        "goals:", "  - {kind: table, files: raw/t.csv, columns: {device_id: who, time: at, event: sess}}\ngoals:"
    )
    inputs.written(audit_home, {"t.csv": by_steps().encode()}, twice)
    with pytest.raises(ConfigError, match=r"raw/t\.csv: is read by 2 sources") as refused:
        open_audit("acme").table("events")
    assert "counted twice" in str(refused.value)


def test_events_that_are_not_as_many_as_their_rows_are_refused():
    staged, rejects, repeated = (pd.DataFrame({"row_id": found}) for found in ([1, 2, 3], [3], []))
    _refuse_multiplied(staged, rejects, repeated, pd.DataFrame({"event_id": ["a", "b"]}))
    with pytest.raises(AuditError, match="2 rows became 3 events"):
        _refuse_multiplied(staged, rejects, repeated, pd.DataFrame({"event_id": ["a", "b", "b"]}))


def test_rows_without_ids_are_equal_only_where_all_they_say_is(audit_home):
    rows = [{**row, "words": "", "fault": ""} for row in inputs.without(inputs.clean(), "id")]
    same = {
        "at": "2026-03-05 12:00:00",
        "who": "c1",
        "session": "1772000001",
        "where": "/",
        "order": "",
        "worth": "",
        "money": "",
    }
    rows += [{**same, "what": "search", "words": text, "fault": ""} for text in ("boots", "hats")]
    rows += [
        {**same, "what": "form_error", "words": "", "fault": text} for text in ("Postcode missing", "Card refused")
    ]
    mapped = tuple(name for name in inputs.COLUMNS if name != "event_id")
    text = inputs.config(mapped, search_term="words", error="fault")
    audit = inputs.taken_in(audit_home, inputs.as_csv(rows), text)
    assert inputs.fates(audit) == {"ok": inputs.ROWS + 4}


@pytest.mark.parametrize(("order", "refunded"), [("R1", 0), ("A3", 50)])
def test_a_refund_written_as_a_negative_purchase_is_no_order(order, refunded, audit_home):
    rows = inputs.clean()
    back = dict(rows[15], id="refund", at="2026-03-20 09:00:00", session="1772009999", worth="-50.00", order=order)
    audit = inputs.taken_in(audit_home, inputs.as_csv([*rows, back]))
    assert (audit.headline["orders"], audit.headline["revenue"]) == (20, 1000)
    sold = audit.frame("orders").set_index("order_id").loc["A3"]
    assert (sold["refunded"], sold["repeats"]) == (refunded, 0)


def test_a_source_is_taken_whole_from_the_first_row_that_names_one(audit_home):
    rows = [{**row, "src": "", "med": "", "camp": ""} for row in inputs.clean()]
    rows[0].update(src="google", med="organic")
    rows[2].update(src="newsletter", med="email", camp="spring_sale")
    text = inputs.config(medium="med", campaign="camp").replace('"medium"', '"source": "src", "medium"', 1)
    visits = inputs.taken_in(audit_home, inputs.as_csv(rows), text).frame("sessions").set_index("device_id")
    assert visits.loc["c0", ["source", "medium"]].tolist() == ["google", "organic"]
    assert pd.isna(visits.loc["c0", "campaign"])


def test_the_books_do_not_change_what_ends_a_session(audit_home):
    rows = inputs.without(
        inputs.changed(inputs.clean(), {4 * n + 3: {"at": f"2026-03-{2 + n % 10:02} 09:59:00"} for n in range(20)}),
        "session",
    )
    mapped = tuple(name for name in inputs.COLUMNS if name != "session_id")
    more = "    session_timeout: 60 min\n  - {kind: orders, files: books/*, columns: {order_id: id, time: at, revenue: sum}}\n"
    text = inputs.config(mapped, source=more).replace("raw/*\n", "raw/events.csv\n").replace("books/*", "raw/books.csv")
    books = "id,at,sum\n" + "".join(f"A{n},2026-03-{2 + n % 10:02} 10:00:00,50.00\n" for n in range(20))
    audit = inputs.taken_in(audit_home, {"events.csv": inputs.as_csv(rows), "books.csv": books.encode()}, text)
    assert len(audit.table("sessions")) == 20


def test_amounts_of_the_books_are_in_the_client_s_currency(audit_home):
    rows = [{**row, "money": "USD" if row["money"] else ""} for row in inputs.clean()]
    books = "id,at,sum,cur\n" + "".join(f"A{n},2026-03-{2 + n % 10:02} 10:00:00,50.00,USD\n" for n in range(20))
    source = (
        "  - {kind: orders, files: raw/books.csv, columns: {order_id: id, time: at, revenue: sum, currency: cur}}\n"
    )
    text = inputs.config(source=source, more="timezone: UTC\nfx: {USD: 0.5}").replace("raw/*\n", "raw/events.csv\n")
    audit = inputs.taken_in(audit_home, {"events.csv": inputs.as_csv(rows), "books.csv": books.encode()}, text)
    assert audit.headline["revenue"] == float(audit.book_orders.frame()["revenue"].sum()) == 500


def test_amounts_of_the_books_in_a_currency_without_a_rate_are_unknown_and_that_is_said(audit_home):
    books = "id,at,sum,cur\n" + "".join(
        f"A{n},2026-03-{2 + n % 10:02} 10:00:00,50.00,{'eur' if n else 'chf'}\n" for n in range(20)
    )
    source = (
        "  - {kind: orders, files: raw/books.csv, columns: {order_id: id, time: at, revenue: sum, currency: cur}}\n"
    )
    text = inputs.config(source=source).replace("raw/*\n", "raw/events.csv\n")
    audit = inputs.taken_in(
        audit_home, {"events.csv": inputs.as_csv(inputs.clean()), "books.csv": books.encode()}, text
    )
    assert audit.book_orders.frame()["revenue"].sum() == 19 * 50
    assert inputs.remarks(audit) == [
        "amounts in CHF, for which audit.yaml has no rate under `fx`, and which are therefore unknown: 1"
    ]


def test_a_file_outside_raw_is_refused_in_words(audit_home):
    inputs.written(audit_home, {}, inputs.config().replace("raw/*", "export/*"))
    (audit_home / "data" / "acme" / "export").mkdir()
    (audit_home / "data" / "acme" / "export" / "e.csv").write_bytes(inputs.as_csv(inputs.clean()))
    with pytest.raises(ConfigError, match=r"export/e\.csv: lies outside raw/"):
        open_audit("acme").table("events")


def test_a_corrected_encoding_is_read_anew(audit_home):
    rows = [{**row, "where": "/größe"} for row in inputs.clean()]
    data = inputs.as_csv(rows).decode().encode("cp1252")
    for encoding, page in (("cp850", False), ("cp1252", True)):
        audit = inputs.taken_in(audit_home, data, inputs.config(source=f"    encoding: {encoding}\n"))
        assert (audit.frame("events")["page"] == "/größe").all() == page


def test_a_lead_that_two_files_of_a_crm_name_is_one(audit_home):
    crm = "lead_id,stage,time,value\n" + "".join(f"A{n},won,2026-03-1{n % 10} 10:00:00,100\n" for n in range(20))
    several = "".join(f"  - {{kind: outcomes, files: raw/crm{n}.csv}}\n" for n in (1, 2))
    text = inputs.config(source=several).replace("raw/*\n", "raw/events.csv\n")
    files = {"events.csv": inputs.as_csv(inputs.clean()), "crm1.csv": crm.encode(), "crm2.csv": crm.encode()}
    stages = inputs.taken_in(audit_home, files, text).frame("lead_stages").set_index("channel")
    assert stages.loc["(all)", ["reached", "leads", "revenue"]].tolist() == [20, 20, 2000]
