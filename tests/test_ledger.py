"""Every row under one terminal reason; the sums add up."""

from datetime import date

import inputs
import pandas as pd
import pytest
from conftest import table

from conversion_audit.errors import DataError
from conversion_audit.intake.ledger import fates, ledger, stop_if_too_bad, totals


@pytest.fixture
def counted() -> pd.DataFrame:
    staged = table(
        """
        file line event_id order_id is_purchase amount currency reject
        a    1    e1       -        False       -      -        -
        a    2    e2       A        True        80     EUR      -
        a    3    e2       A        True        80     EUR      -
        a    4    e3       B        True        70     -        no_event
        b    1    e4       -        False       -      -        -
        b    2    e5       C        True        20     usd      -
        b    3    e6       -        False       -      -        -
        b    4    e7       -        True        5      EUR      -
        b    5    e8       -        False       -      -        -
    """,
        order_id="string",
        currency="string",
        reject="string",
    )
    staged["row_id"] = range(1, len(staged) + 1)
    staged["time"] = pd.Timestamp("2026-03-01 12:00")
    staged = staged.assign(event="page_view", is_refund=False)
    repeated = pd.DataFrame({"row_id": [3], "event_id": ["e2"]})
    numbered = pd.DataFrame(
        {"row_id": [1, 2, 5, 6, 7, 8, 9], "session_number": pd.array([1, 1, 2, 3, None, 1, None], dtype="Int64")}
    )
    owners = pd.DataFrame({"session_id": ["s1", "bot", "late"], "session_number": [1, 2, 3]})
    sessions = pd.DataFrame(
        {
            "session_id": ["s1", "bot", "late"],
            "set_aside": pd.Series([None, "bot", None], dtype="string"),
            "date": pd.to_datetime(["2026-03-01", "2026-03-01", "2026-05-01"]),
        }
    )
    rates = pd.DataFrame({"currency": ["EUR", "USD"], "rate": [1.0, 0.5]})
    homes = pd.DataFrame(
        {"row_id": [8, 9], "session_id": pd.Series(["s1", None], dtype="string"), "is_joined": [True, False]}
    )
    orders = pd.DataFrame(
        {"order_id": ["A", "C", "event:e7"], "event_id": ["e2", "e5", "e7"], "revenue": [80.0, 10.0, 5.0]}
    )
    purchases = pd.DataFrame({"event_id": ["e2", "e5", "e7"], "row_id": [2, 6, 8]})
    made = fates(staged, repeated, numbered, owners, homes, sessions, purchases, orders, rates, zone="Europe/Berlin")
    return ledger(made, date(2026, 3, 1), date(2026, 3, 31))


def test_each_row_has_one_reason(counted):
    found = {(r.file, r.status, r.reason): (r.rows, r.orders, r.revenue) for r in counted.itertuples()}
    assert found == {
        ("a", "analysed", "ok"): (1 + 1, 1, 80),
        ("a", "set_aside", "duplicate"): (1, 0, 0),
        ("a", "quarantined", "no_event"): (1, 1, 70),
        ("b", "set_aside", "bot"): (1, 0, 0),
        ("b", "set_aside", "out_of_period"): (1, 1, 10),
        ("b", "set_aside", "no_consent"): (1, 0, 0),
        ("b", "set_aside", "no_visit"): (1, 0, 0),
        ("b", "analysed", "ok"): (1, 1, 5),
    }


def test_rows_orders_and_revenue_add_up(counted):
    for parts in totals(counted).values():
        assert parts["in"] == parts["kept"] + parts["quarantined"]
        assert parts["kept"] == parts["analysed"] + parts["set_aside"]
    assert totals(counted)["rows"]["in"] == 9


def test_amounts_of_several_currencies_are_revenue_of_the_client_s_own(audit_home):
    others = {"A0": "USD", "A1": "usd", "A2": "JPY"}  # of yen no rate is known
    rows = [{**row, "money": others.get(row["order"], row["money"])} for row in inputs.clean()]
    audit = inputs.taken_in(audit_home, inputs.as_csv(rows), inputs.config(more="timezone: UTC\nfx: {USD: 0.5}"))
    assert audit.headline["revenue"] == 17 * 50 + 2 * 25
    assert float(audit.ledger.revenue.sum()) == audit.headline["revenue"]


def test_orders_of_a_goal_whose_event_no_list_knows_are_orders_of_the_ledger(audit_home):
    rows = [{**row, "what": row["what"].replace("purchase", "checkout_done")} for row in inputs.clean()]
    text = inputs.config().replace("event: purchase", "event: checkout_done")
    audit = inputs.taken_in(audit_home, inputs.as_csv(rows), text)
    assert (audit.headline["orders"], audit.headline["revenue"]) == (20, 1000)
    assert (int(audit.ledger.orders.sum()), float(audit.ledger.revenue.sum())) == (20, 1000)


def analysed(audit) -> tuple[float, float]:
    """Orders and revenue that the ledger says were analysed."""
    found = totals(audit.ledger)
    return found["orders"]["analysed"], found["revenue"]["analysed"]


FIRST = next(row for row in inputs.clean() if row["what"] == "purchase")


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"id": "bad", "at": "not a time"}, "cast_failed"),  # the order's other row can be read
        ({"worth": ""}, "duplicate"),  # of two rows with one id the fuller counts
        ({"id": "reload", "at": "2026-03-20 10:00:00", "session": "77"}, "out_of_period"),
    ],
)
def test_an_order_is_where_the_row_that_placed_it_is(audit_home, more, reason):
    rows = [FIRST | more, *inputs.clean()]
    text = inputs.config(more="timezone: UTC\nperiod: {start: 2026-03-01, end: 2026-03-12}\naccept_bad: 5 %")
    audit = inputs.taken_in(audit_home, inputs.as_csv(rows), text)
    assert inputs.fates(audit) == {"ok": 80, reason: 1}
    assert (audit.headline["orders"], audit.headline["revenue"]) == analysed(audit) == (20, 1000)


def test_ids_that_begin_anew_in_each_file_are_no_repeats(audit_home):
    rows = inputs.clean()
    halves = {"a.csv": rows[:40], "b.csv": rows[40:]}
    files = {name: [row | {"id": str(n)} for n, row in enumerate(half)] for name, half in halves.items()}
    audit = inputs.taken_in(audit_home, {name: inputs.as_csv(half + half[:2]) for name, half in files.items()})
    assert inputs.fates(audit) == {"ok": 80, "duplicate": 4}
    assert analysed(audit) == (20, 1000)
    assert "ids were given twice" in inputs.remarks(audit)[0]


def test_a_row_exported_again_under_the_login_s_name_is_a_repeat(audit_home):
    rows = inputs.clean()
    again = [row | {"who": f"login-{row['who']}"} for row in rows[:8]]
    audit = inputs.taken_in(audit_home, {"a.csv": inputs.as_csv(rows), "b.csv": inputs.as_csv(again)})
    assert inputs.fates(audit) == {"ok": 80, "duplicate": 8}
    assert inputs.remarks(audit) == []


def test_orders_that_a_server_reports_with_the_session_alone_are_of_that_session(audit_home):
    rows = [
        row | {"who": "" if row["what"] == "purchase" and n % 8 == 3 else row["who"]}
        for n, row in enumerate(inputs.clean())
    ]
    assert sum(not row["who"] for row in rows) == 10
    audit = inputs.taken_in(audit_home, inputs.as_csv(rows))
    assert (audit.headline["sessions"], audit.headline["orders"]) == (20, 20)
    assert inputs.fates(audit) == {"ok": 80}


def test_too_many_unreadable_rows_stop_the_run_with_the_remedy(counted):
    with pytest.raises(DataError) as stopped:
        stop_if_too_bad(counted, 0.13)
    assert str(stopped.value) == (
        "- a: 25.0% of orders cannot be read (1 of 4); accepted: 13.0%\n"
        "    Reasons: no_event 1. Numbers from the rest may mislead.\n"
        "    Mend the export, or write 'accept_bad: 26 %' into audit.yaml to go on.\n"
        "- a: 42.4% of revenue cannot be read (70 of 165); accepted: 13.0%\n"
        "    Reasons: no_event 1. Numbers from the rest may mislead.\n"
        "    Mend the export, or write 'accept_bad: 43 %' into audit.yaml to go on."
    )
    stop_if_too_bad(counted, 0.5)
