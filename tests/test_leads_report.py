"""A site that sells nothing: its report, workbook and tickets speak of no purchase and name no amount."""

from __future__ import annotations

import html
import re
import zipfile
from pathlib import Path

import pytest
from conftest import REPOSITORY

# Whole words. "In order" and "order of steps" are no orders.
SALES = re.compile(
    r"\b(purchas\w*|buy(?:s|ers?|ing)?|bought|orders|ordered|an order|order rate|each order|revenues?|carts?|checkouts?"
    r"|baskets?|shop\w*|products?|discounts?|sold)\b|€|\bEUR\b",
    re.IGNORECASE,
)
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def handed_over(tmp_path_factory) -> Path:
    """The folder that a client would receive: the demo site for leads, fewer sessions of it, audited once."""
    from conversion_audit import runner
    from conversion_audit.demo import write_demo

    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AUDIT_HOME", str(home))
        client = home / "data" / "demo-leads"
        write_demo(client / "raw", shop="leads", sessions=6_000)
        (client / "audit.yaml").write_bytes((REPOSITORY / "data" / "demo-leads" / "audit.yaml").read_bytes())
        published = runner.run("demo-leads")
    assert published.status == "complete", published.chapters
    return published.folder / "client"


def sales_in(text: str) -> list[str]:
    return [text[max(0, found.start() - 60) : found.end() + 40] for found in SALES.finditer(text)]


def test_the_report_speaks_of_no_purchase_and_no_amount(handed_over):
    page = (handed_over / "report.html").read_text(encoding="utf-8")
    page = re.sub(r"<(script|style)\b.*?</\1>", " ", page, flags=re.DOTALL)
    assert sales_in(re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", page)))) == []


def test_its_tickets_do_not_either_and_its_tables_hold_no_amount(handed_over):
    tickets = {path.name: path.read_text("utf-8") for path in (handed_over / "tickets").rglob("*") if path.is_file()}
    assert {name: sales_in(text) for name, text in tickets.items() if sales_in(text)} == {}
    heads = [path.read_text("utf-8").splitlines()[0] for path in (handed_over / "tables").glob("*.csv")]
    assert [head for head in heads if "revenue" in head] == []


def test_its_workbook_does_not_either(handed_over):
    with zipfile.ZipFile(handed_over / "audit.xlsx") as book:
        cells = " ".join(
            html.unescape(re.sub(r"<[^>]+>", " ", book.read(name).decode("utf-8")))
            for name in book.namelist()
            if name.endswith(("sharedStrings.xml", "workbook.xml"))
        )
    assert sales_in(cells) == []
