from __future__ import annotations

import pytest
from exports import FIXTURES, expected, opened, plain, rows_of

from conversion_audit.errors import DataError
from conversion_audit.intake.sources import recognise
from conversion_audit.intake.sources.numbers import number
from conversion_audit.tables import OUTCOMES, STAGE_COUNTS, check


@pytest.mark.parametrize(
    ("kind", "name", "beside", "order", "contract"),
    [
        ("stage_counts", "ads.csv", "expected_ads.json", "date, segment, stage", STAGE_COUNTS),
        ("stage_counts", "mails.csv", "expected_mails.json", "date, stage", STAGE_COUNTS),
        ("ga4_report", "traffic.csv", "expected.json", "segment, stage", STAGE_COUNTS),
        ("outcomes", "crm.csv", "expected.json", "lead_id, time", OUTCOMES),
    ],
)
def test_totals_are_read_as_they_stand_beside_them(tmp_path, kind, name, beside, order, contract):
    table = rows_of(kind, FIXTURES / kind, name, scratch=tmp_path)
    check(table, contract)
    assert plain(table, order) == expected(kind, beside)
    assert list(recognise(opened(FIXTURES / kind, name, scratch=tmp_path))) == [kind]


STAGES = {
    "Closed Won": "won", "closedwon": "won", "Gewonnen": "won", "customer": "won", "4 - New customer": "won", "Kunde": "won",
    "Not won": "not won", "nicht gewonnen": "nicht gewonnen", "Customer contacted": "customer contacted",
    "Awaiting customer": "awaiting customer", "Kundentermin vereinbart": "kundentermin vereinbart",
    "Marketing Qualified": "qualified", "MQL": "qualified", "Not qualified": "not qualified", "MySQL demo": "mysql demo",
    "Noch nicht qualifiziert": "noch nicht qualifiziert", "Unqualifiziert": "lost", "Closed - Lost": "lost",
    "closedlost": "lost", "Kunde verloren": "lost",
}  # fmt: skip


def test_only_stages_that_say_so_are_won_or_qualified(tmp_path):
    rows = "".join(f"L{n},{stage},2026-03-05\n" for n, stage in enumerate(STAGES))
    (tmp_path / "crm.csv").write_text("Lead ID,Stage,Date\n" + rows, encoding="utf-8")
    found = rows_of("outcomes", tmp_path, "crm.csv", scratch=tmp_path).frame().set_index("lead_id").stage
    assert {stage: found[f"L{n}"] for n, stage in enumerate(STAGES)} == STAGES


def test_a_lead_is_worth_the_first_value_given_at_a_stage(tmp_path):
    rows = "L1,won,2026-03-05,\nL1,won,2026-03-07,900\nL1,won,2026-03-09,950\nL2,won,2026-03-05,\n"
    (tmp_path / "crm.csv").write_text("Lead ID,Stage,Date,Amount\n" + rows, encoding="utf-8")
    found = plain(rows_of("outcomes", tmp_path, "crm.csv", scratch=tmp_path), "lead_id")
    assert found == [
        {"lead_id": "L1", "stage": "won", "time": "2026-03-05 00:00:00", "value": 900},
        {"lead_id": "L2", "stage": "won", "time": "2026-03-05 00:00:00"},
    ]


def test_what_a_report_forbids_is_said(tmp_path):
    assert rows_of("ga4_report", FIXTURES / "ga4_report", "traffic.csv", scratch=tmp_path).notes == (
        "lines of totals left out: 1",
        "some of the report's rows were merged into (other): its segments do not add up",
        "traffic.csv: thresholds hide small groups",
    )


def test_breakdowns_of_a_plausible_export_are_not_counted_twice(tmp_path):
    names = ("imported_visitors.csv", "imported_custom_events.csv", "imported_sources.csv")
    table = rows_of("plausible", FIXTURES / "plausible", *names, scratch=tmp_path)
    check(table, STAGE_COUNTS)
    assert plain(table, "date, stage") == expected("plausible", "expected.json")
    assert table.notes == ("files of breakdowns left out, because they count the same sessions again: 1",)
    assert list(recognise(opened(FIXTURES / "plausible", *names, scratch=tmp_path))) == ["plausible"]


def test_stages_may_be_named_by_hand(tmp_path):
    (tmp_path / "a.csv").write_text("when,seen,bought\n2026-03-02,10,1\n", encoding="utf-8")
    steps = {"impression": "seen", "paid": "bought"}
    table = rows_of("stage_counts", tmp_path, "a.csv", scratch=tmp_path / "s", columns={"date": "when"}, steps=steps)
    assert [(row["stage"], row["count"]) for row in plain(table, "stage")] == [("impression", 10), ("paid", 1)]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "when,seen\n2026-03-02,10\n",
            "a.csv: no stages\n    Columns found: when, seen.\n"
            "    Name them: columns: {stage: Step, count: Number}, or steps: {impression: Impressions, click: Clicks}.",
        ),
        (
            "Date,Impressions,Clicks\nsoon,900,30\nlater,1,1\n",
            "a.csv:1: the day of no line can be read (seen: 'soon')\n    Totals of unknown days belong to no period.\n"
            "    Export days as 2026-03-02, or name another column: columns: {date: Day}.",
        ),
    ],
    ids=["no stage", "no day"],
)
def test_totals_that_cannot_be_placed_are_refused_in_words(text, message, tmp_path):
    (tmp_path / "a.csv").write_text(text, encoding="utf-8")
    with pytest.raises(DataError) as error:
        rows_of("stage_counts", tmp_path, "a.csv", scratch=tmp_path / "s")
    assert str(error.value) == message


def test_what_google_ads_calls_a_total_is_no_campaign(tmp_path):
    lines = [
        "Campaign status,Campaign,Currency code,Clicks,Impr.,Conversions",
        'Enabled,Brand,GBP,"3,912","45,210",231.00',
        'Enabled,Generic,GBP,"9,233","812,334",98.50',
        "Enabled,Total Wellness,GBP,10,100, --",
        'Total: Campaigns, --,GBP,"13,155","857,644",329.50',
        'Total: Account, --,GBP,"13,155","857,644",329.50',
    ]
    (tmp_path / "a.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    german = 'Kampagne,Impr.,Klicks,Conversions\nMarke,"45.210",12,"98,50"\nGesamt: Konto,"45.210",12,"98,50"\n'
    (tmp_path / "b.csv").write_text(german, encoding="utf-8")
    table = rows_of("stage_counts", tmp_path, "a.csv", "b.csv", scratch=tmp_path / "s")
    found = {(row["segment"], row["stage"]): row["count"] for row in plain(table, "segment, stage")}
    assert found == {
        ("Brand", "impression"): 45_210, ("Brand", "click"): 3912, ("Brand", "paid"): 231,
        ("Generic", "impression"): 812_334, ("Generic", "click"): 9233, ("Generic", "paid"): 98.5,
        ("Total Wellness", "impression"): 100, ("Total Wellness", "click"): 10,
        ("Marke", "impression"): 45_210, ("Marke", "click"): 12, ("Marke", "paid"): 98.5,
    }  # fmt: skip
    assert table.notes == ("lines of totals left out: 3",)


def daily(first: int, last: int, more: int = 0) -> str:
    """Totals of some days of March, a line a day."""
    lines = "".join(f"2026-03-{day:02},A,{1000 + day + more},{20 + day % 3},5.00\n" for day in range(first, last + 1))
    return "Day,Campaign,Impressions,Clicks,Cost\n" + lines


@pytest.mark.parametrize(
    ("other", "days", "again"),
    [
        (daily(1, 10), 10, "lines that an earlier file has too, counted once: 10"),
        (daily(6, 15), 15, "lines that an earlier file has too, counted once: 5"),
        (daily(11, 15), 15, None),
        (daily(1, 10, more=7), 20, None),  # another account
    ],
)
def test_what_an_earlier_file_says_too_is_counted_once(tmp_path, other, days, again):
    (tmp_path / "a.csv").write_text(daily(1, 10), encoding="utf-8")
    (tmp_path / "b.csv").write_text(other, encoding="utf-8")
    found = rows_of("stage_counts", tmp_path, "a.csv", "b.csv", scratch=tmp_path)
    assert found.frame().cost.astype(float).sum() == 5.0 * days
    assert found.notes == ((again,) if again else ())


def test_each_file_is_read_by_its_own_columns(tmp_path):
    (tmp_path / "ads.csv").write_text("Campaign,Impressions,Clicks\nbrand,900,30\n", encoding="utf-8")
    mails = (
        "Title,Send Date,Total Recipients,Successful Deliveries,Unique Opens,Unique Clicks,Total Orders\n"
        'Drop,"Oct 03, 2026 09:00 am",12000,11850,4100,610,38\n'
    )
    (tmp_path / "mails.csv").write_text(mails, encoding="utf-8")
    table = rows_of("stage_counts", tmp_path, "ads.csv", "mails.csv", scratch=tmp_path / "s")
    assert [
        (row["segment"], row["stage"], row["count"], row.get("date", "")[:10]) for row in plain(table, '"count"')
    ] == [
        ("brand", "click", 30, ""),
        ("Drop", "paid", 38, "2026-10-03"),
        ("Drop", "call to action clicked", 610, "2026-10-03"),
        ("brand", "impression", 900, ""),
        ("Drop", "opened", 4100, "2026-10-03"),
        ("Drop", "delivered", 11850, "2026-10-03"),
        ("Drop", "follow-up sent", 12000, "2026-10-03"),
    ]


def test_a_column_named_by_hand_that_no_file_has_is_refused(tmp_path):
    (tmp_path / "a.csv").write_text("Day,Impressions,Clicks\n2026-03-02,900,30\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"a\.csv: no column 'Days' for 'date'; did you mean 'Day'\?"):
        rows_of("stage_counts", tmp_path, "a.csv", scratch=tmp_path / "s", columns={"date": "Days"})


@pytest.mark.parametrize(
    ("text", "decimal", "count"),
    [
        ("12", None, 12),
        ("1,234", None, 1234),
        ("1,234", ",", 1.234),
        ("1.234.567", None, 1234567),
        ("1.234,50", None, 1234.5),
        ("3.0", None, 3),
        ("98,50", None, 98.5),
        ("2.5", ",", None),
        ("many", None, None),
        (None, None, None),
        ("0", None, 0),
    ],
)
def test_counts_may_have_marks_and_parts(text, decimal, count):
    assert number(text, decimal) == count
