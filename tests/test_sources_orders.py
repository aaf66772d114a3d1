from __future__ import annotations

import pytest
from exports import FIXTURES, expected, opened, plain, rows_of

from conversion_audit.errors import DataError
from conversion_audit.intake.sources import recognise
from conversion_audit.tables import BOOK_ORDERS, check

FOLDER = FIXTURES / "orders"


def test_the_books_give_one_row_an_order(tmp_path):
    books = rows_of("orders", FOLDER, "shopify.csv", scratch=tmp_path, timezone="Europe/Berlin")
    check(books, BOOK_ORDERS)
    assert plain(books, "time, order_id") == expected("orders", "expected.json")


def test_what_is_left_out_is_said(tmp_path):
    assert rows_of("orders", FOLDER, "shopify.csv", scratch=tmp_path).notes == (
        "rows of the order book that cannot be read: 1",
        "rows of the order book without an order id: 1",
        "orders of the book that never came about (cancelled, voided, failed, test): 1",
        "further rows of an order already counted: 1",
    )


def test_the_kind_is_told_from_the_columns(tmp_path):
    assert list(recognise(opened(FOLDER, "shopify.csv", scratch=tmp_path))) == ["orders"]


def test_a_missing_column_is_named_with_the_columns_found(tmp_path):
    with pytest.raises(DataError) as error:
        rows_of(
            "orders",
            FOLDER,
            "shopify.csv",
            scratch=tmp_path,
            columns={"order_id": "Name", "time": "Created", "revenue": "Total"},
        )
    assert str(error.value) == (
        "shopify.csv: no column 'Created' for 'time'; did you mean 'Created at'?\n"
        "    Columns found: Name, Email, Financial Status, Created at, Currency, Total, Lineitem name.\n"
        "    Name them under `columns` of this source, e.g. columns: {order_id: Name, time: Created at, revenue: Total}."
    )


def test_an_order_of_several_rows_is_dead_with_all_of_them_and_a_refunded_one_keeps_its_worth(tmp_path):
    lines = [
        "Name,Financial Status,Created at,Total,Lineitem name",
        "#1,refunded,2026-03-02 10:00:00 +0000,59.90,Hat",
        "#2,voided,2026-03-02 11:00:00 +0000,10.00,Hat",
        "#2,,2026-03-02 11:00:00 +0000,,Shoe",
        "#3,voided,2026-03-02 12:00:00 +0000,10.00,Hat",
        "#3,paid,2026-03-02 12:00:00 +0000,20.00,Shoe",
    ]
    (tmp_path / "books.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    books = rows_of("orders", tmp_path, "books.csv", scratch=tmp_path / "scratch")
    assert [(row["order_id"], row["revenue"]) for row in plain(books, "order_id")] == [("#1", 59.9), ("#3", 20)]
    assert books.notes == ("orders of the book that never came about (cancelled, voided, failed, test): 1",)


def test_a_status_of_woocommerce_is_read_without_the_letters_before_it(tmp_path):
    lines = ["order_id,status,date,total", "1,wc-completed,2026-03-02 10:00:00,59.90", "2,wc-cancelled,2026-03-02 11:00:00,10.00",
             "3,wc-failed,2026-03-02 12:00:00,10.00", "4,WC-Refunded,2026-03-02 13:00:00,20.00"]  # fmt: skip
    (tmp_path / "books.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    columns = {"order_id": "order_id", "time": "date", "revenue": "total", "status": "status"}
    books = rows_of("orders", tmp_path, "books.csv", scratch=tmp_path / "scratch", columns=columns)
    assert [row["order_id"] for row in plain(books, "order_id")] == ["1", "4"]
