"""Purchase events -> orders."""

import inputs
import pandas as pd
import pytest
from conftest import table

from conversion_audit.audit import open_audit
from conversion_audit.intake import ledger
from conversion_audit.intake.orders import items, order_lines, orders

NO_ITEMS = pd.DataFrame({"event_id": [], "item_id": [], "name": []}).astype("string").assign(price=0.0, quantity=0.0)


def bought(text: str, items: pd.DataFrame = NO_ITEMS) -> pd.DataFrame:
    rows = table(text, event_id="string", order_id="string", session_id="string")
    rows["time"] = pd.Timestamp("2026-03-01 22:30") + pd.to_timedelta(rows.pop("minute"), unit="min")
    rows["visitor_id"] = "d:" + rows.session_id
    for column in ("is_purchase", "is_refund"):
        if column not in rows:
            rows[column] = column == "is_purchase"
    rows["visitor_event_number"] = range(1, len(rows) + 1)
    rows = rows.assign(revenue=rows.amount)
    made = orders(rows, items, order_lines(rows, items), zone="Europe/Berlin")
    return made.frame().set_index("order_id").sort_index()


def test_a_reloaded_order_is_one_order_worth_its_first_amount():
    found = bought("""
        event_id order_id session_id minute amount
        e1       A        s1         0      -
        e2       A        s1         1      80
        e3       A        s2         9      80
    """)
    assert found.loc["A", ["revenue", "repeats", "differs", "session_id", "event_id"]].tolist() == [
        80,
        2,
        False,
        "s1",
        "e1",
    ]


def test_differing_amounts_are_said_and_the_first_is_kept():
    found = bought("""
        event_id order_id session_id minute amount
        e1       A        s1         0      274.28
        e2       A        s1         1      130.68
    """)
    assert found.loc["A", "revenue"] == 274.28
    assert bool(found.loc["A", "differs"])


def test_orders_without_an_id_are_never_merged():
    found = bought("""
        event_id order_id session_id minute amount
        e1       -        s1         0      10
        e2       -        s1         1      10
    """)
    assert found.index.tolist() == ["event:e1", "event:e2"]
    assert not found.has_id.any()


def test_a_refund_is_counted_beside_and_takes_no_order_away():
    found = bought("""
        event_id order_id session_id minute amount is_purchase is_refund
        e1       A        s1         0      80     True        False
        e2       A        s2         9      -30    False       True
    """)
    assert found.loc["A", ["revenue", "refunded"]].tolist() == [80, 30]


def test_the_day_is_the_clients():
    found = bought("""
        event_id order_id session_id minute amount
        e1       A        s1         45     10
    """)
    assert found.loc["A", "date"] == pd.Timestamp("2026-03-02")


def test_items_are_one_row_each_with_ids_as_text():
    rows = pd.DataFrame(
        {
            "event_id": ["e1", "e2"],
            "items": ['[{"item_id":"0012","price":"9.50","quantity":2},{"item_id":"1e5"}]', None],
        }
    )
    found = items(rows).frame()
    assert found.item_id.tolist() == ["0012", "1e5"]
    assert found.price.fillna(-1).tolist() == [9.5, -1]


def test_addresses_and_cards_are_masked_in_what_an_item_is_called_and_part_numbers_stay():
    listed = (
        '[{"name":"Card for jo@example.com","category":"0601 063 900","brand":"4111 1111 1111 1111"},{"name":"Hat"}]'
    )
    found = items(pd.DataFrame({"event_id": ["e1"], "items": [listed]})).frame()
    assert found.name.tolist() == ["Card for [email]", "Hat"]
    assert found.category.tolist()[0] == "0601 063 900"
    assert found.brand.tolist()[0] == "[card]"


def test_a_page_with_an_order_s_number_is_an_order_where_the_goal_is_that_page(audit_home):
    rows = [row | {"what": "page_view" if row["what"] == "purchase" else row["what"]} for row in inputs.clean()]
    rows += [rows[-1] | {"id": "x", "where": "/account/orders"}, rows[-1] | {"id": "y", "order": "", "worth": ""}]
    by_page = inputs.config().replace("{event: purchase, value: revenue}", "{page: /Done*, value: revenue}")
    audit = inputs.taken_in(audit_home, inputs.as_csv(rows), by_page)
    assert (audit.headline["orders"], audit.headline["revenue"]) == (20, 1000), "they were no orders, and worth nothing"
    assert ledger.totals(audit.ledger)["orders"]["analysed"] == 20
    both = by_page.replace("{page: /Done*", "{event: page_view, page: /done")
    (audit.folders.data / "audit.yaml").write_text(both, encoding="utf-8")
    again = open_audit("acme")
    assert again.headline["orders"] == 20, "not every page view is an order"


@pytest.mark.parametrize(
    "asked", ["event: Paid*", "event: PAID VIA CARD", "page: /done/", "event: paid*, page: /done*"]
)
def test_orders_are_found_by_the_pattern_that_finds_the_goal(audit_home, asked):
    rows = [row | {"what": row["what"].replace("purchase", "paid via card")} for row in inputs.clean()]
    text = inputs.config().replace("{event: purchase, value: revenue}", f"{{{asked}, value: revenue}}")
    audit = inputs.taken_in(audit_home, inputs.as_csv(rows), text)
    assert (audit.headline["orders"], audit.headline["revenue"]) == (20, 1000)
    assert ledger.totals(audit.ledger)["orders"]["analysed"] == 20


def test_a_goal_worth_its_revenue_may_ask_for_conditions(audit_home):
    rows = [row | {"what": row["what"].replace("purchase", "paid"), "renewal": "false"} for row in inputs.clean()]
    rows += [
        row | {"id": f"{row['id']}-2", "order": f"{row['order']}-2", "renewal": "true"} for row in rows if row["order"]
    ]
    text = inputs.config().replace("{event: purchase, value", '{event: Paid, where: {renewal: "FALSE"}, value')
    audit = inputs.taken_in(audit_home, inputs.as_csv(rows), text)
    assert (audit.headline["orders"], audit.headline["revenue"]) == (20, 1000), "what renews is no order"
    assert ledger.totals(audit.ledger)["orders"]["analysed"] == 20


def test_a_refund_without_an_amount_takes_the_whole_order_back():
    found = bought("""
        event_id order_id session_id minute amount is_purchase is_refund
        e1       A        s1         0      80     True        False
        e2       A        s2         9      -      False       True
        e3       B        s1         0      80     True        False
    """)
    assert found.refunded.tolist() == [80, 0]


def listed(*lines: str) -> pd.DataFrame:
    rows = pd.DataFrame([line.split() for line in lines], columns=["event_id", "name", "price"])
    return rows.astype({"price": float}).assign(item_id=rows["name"], quantity=1.0)


@pytest.mark.parametrize(
    ("amounts", "price", "revenue"),
    [
        ((20, 30), 99, 50),  # amounts differ: each is its line's
        ((25, 25), 25, 50),  # what the line costs
        ((50, 50), 25, 50),  # the order's, said in each line
        ((50, "-"), 25, 50),  # said in the first line only
    ],
)
def test_rows_of_one_moment_with_an_item_each_are_the_lines_of_an_order_and_no_reloads(amounts, price, revenue):
    rows = f"""
        event_id order_id session_id minute amount
        e1       A        s1         0      {amounts[0]}
        e2       A        s1         0      {amounts[1]}
        e3       A        s1         3      {amounts[0]}
    """
    found = bought(rows, listed(f"e1 shoe {price}", f"e2 hat {price}", f"e3 shoe {price}"))
    assert found.loc["A", ["revenue", "items", "repeats", "differs"]].tolist() == [revenue, 2, 1, False]


def test_the_same_item_said_twice_in_one_moment_is_a_reload():
    rows = """
        event_id order_id session_id minute amount
        e1       A        s1         0      50
        e2       A        s1         0      50
    """
    found = bought(rows, listed("e1 shoe 50", "e2 shoe 50"))
    assert found.loc["A", ["revenue", "items", "repeats"]].tolist() == [50, 1, 1]


def test_an_export_with_a_row_for_each_line_is_worth_the_sum_of_its_lines_and_says_so(audit_home):
    rows = []
    for row in inputs.clean():
        lines = [("shoe", "20.00"), ("hat", "30.00")] if row["what"] == "purchase" else [("", "")]
        rows += [row | {"id": f"{row['id']}{item}", "item": item, "worth": worth} for item, worth in lines]
    audit = inputs.taken_in(audit_home, inputs.as_csv(rows), inputs.config(item_name="item"))
    assert (audit.headline["orders"], audit.headline["revenue"]) == (20, 1000)
    assert audit.frame("orders")["items"].eq(2).all()
    assert inputs.remarks(audit) == ["20 orders have a row for each line: their amounts were added up"]


@pytest.mark.parametrize("nothing", ["(not set)", "0", "-", "null"])
def test_a_word_for_nothing_is_no_order_id_and_merges_no_orders(audit_home, nothing):
    rows = [row | {"order": row["order"] and nothing} for row in inputs.clean()]
    audit = inputs.taken_in(audit_home, inputs.as_csv(rows))
    assert (audit.headline["orders"], audit.headline["revenue"]) == (20, 1000)
    assert (int(audit.ledger.orders.sum()), float(audit.ledger.revenue.sum())) == (20, 1000)


def test_what_a_goal_s_event_takes_back_is_no_order(audit_home):
    rows = [row | {"what": row["what"].replace("purchase", "sale")} for row in inputs.clean()]
    rows.append(rows[-1] | {"id": "back", "order": "", "worth": "-50.00"})
    text = inputs.config().replace("event: purchase", "event: sale")
    audit = inputs.taken_in(audit_home, inputs.as_csv(rows), text)
    assert (audit.headline["orders"], audit.headline["revenue"]) == (20, 1000)
    assert (int(audit.ledger.orders.sum()), float(audit.ledger.revenue.sum())) == (20, 1000)
