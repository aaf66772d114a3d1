"""From what a chapter shows back to the shared tables it asked for."""

from __future__ import annotations

import json

import pytest
from conftest import REPOSITORY

from conversion_audit.made_from import tables_behind
from conversion_audit.recipes import TABLES


def cells_of(notebook: str) -> list[str]:
    cells = json.loads((REPOSITORY / "notebooks" / f"{notebook}.ipynb").read_text(encoding="utf-8"))["cells"]
    return ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]


@pytest.mark.parametrize(
    ("notebook", "name", "tables"),
    [
        ("01_define_goals", "goals", ["goals"]),
        ("02_map_journey", "funnel_visitors", ["funnel"]),
        ("02_map_journey", "journey", ["stages"]),
        ("02_map_journey", "attribution_all", ["attribution"]),
        ("02_map_journey", "reconcile_all", ["reconcile"]),
        ("03_segment_intent", "true_rates", ["true_rates"]),
    ],
)
def test_what_the_chapters_show_leads_to_its_tables(notebook, name, tables):
    assert tables_behind(cells_of(notebook), name, TABLES) == tables


def test_names_are_followed_through_tuples_and_lists_of_names_and_circles_end():
    cells = [
        "a, b = (audit.frame(n) for n in ('one', 'two'))\nc, d = b.head(), a",
        "c = c.tail()\nshow(c, name='last')",
    ]
    assert tables_behind(cells, "last", {"one", "two"}) == []
    assert tables_behind([*cells[:1], "show(d.head(3), name='x', table=b)"], "x", {"one", "two"}) == ["one", "two"]
    assert tables_behind(cells, "never shown", {"one"}) == []
