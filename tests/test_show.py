"""`show`: what leaves a notebook."""

from __future__ import annotations

import base64
import json

import matplotlib.pyplot as plt
import pandas as pd
import pytest
from conftest import table

from conversion_audit.findings import Finding
from conversion_audit.report import figures, show
from conversion_audit.report.show import bundles_of, table_data
from conversion_audit.report.tables import bundle_html, table_html
from conversion_audit.report.voice import Voice, speaking, voice


@pytest.fixture
def rates() -> pd.DataFrame:
    return table("""
        segment  sessions  step_rate  step_low  step_high  revenue
        mobile       1234     0.1234      0.11       0.13   1234.5
        desktop       200     0.3000      0.25       0.35        -
        tablet          3          -         -          -      2.0
    """)


def test_show_does_nothing_and_does_not_fail_outside_a_notebook(rates, capsys):
    show("one sentence")
    show(rates, name="rates")
    show([Finding(kind="friction", chapter="04", claim="page.unknown")])
    assert capsys.readouterr().out == ""


def test_a_table_travels_with_its_kinds(rates):
    assert bundles_of(rates, name="By Device!")[0] == {
        "kind": "table",
        "name": "by_device",
        "table": {
            "columns": ["segment", "sessions", "step_rate", "step_low", "step_high", "revenue"],
            "kinds": {
                "segment": "text",
                "sessions": "count",
                "step_rate": "percent",
                "step_low": "percent",
                "step_high": "percent",
                "revenue": "money",
            },
            "rows": [
                ["mobile", 1234, 0.1234, 0.11, 0.13, 1234.5],
                ["desktop", 200, 0.3, 0.25, 0.35, None],
                ["tablet", 3, None, None, None, 2.0],
            ],
            "labels": {"segment": {"desktop": "Desktop", "mobile": "Mobile", "tablet": "Tablet"}},
        },
    }


def test_a_bundle_is_json_and_the_table_is_left_as_it_was(rates):
    before = rates.copy()
    json.dumps(bundles_of(figures.plot_rates(rates), table=rates, claim="x", card={"n": 3})[0], allow_nan=False)
    pd.testing.assert_frame_equal(rates, before)


def test_a_figure_is_drawn_the_same_way_twice_and_closed(rates):
    before = plt.get_fignums()
    first, second = (bundles_of(figures.plot_rates(rates))[0] for _ in range(2))
    assert first == second
    assert b"<svg" in base64.b64decode(first["svg"])
    assert not {"svg", "png"}.isdisjoint(first)
    assert plt.get_fignums() == before


def test_a_heavy_figure_becomes_a_png():
    figure, axes = plt.subplots()
    axes.plot(range(30000), [n * 7919 % 1000 for n in range(30000)])
    plt.rcParams["path.simplify"] = False
    try:
        assert "png" in bundles_of(figure)[0]
    finally:
        plt.rcParams["path.simplify"] = True


def test_a_named_index_becomes_columns_and_a_series_a_table():
    counts = pd.Series([1, 2], index=pd.Index(["a", "b"], name="step"), name="sessions")
    assert table_data(counts)["columns"] == ["step", "sessions"]
    assert table_data(counts)["rows"] == [["a", 1], ["b", 2]]


def test_a_value_and_its_interval_share_one_cell(rates):
    html = table_html(table_data(rates), "By device")
    assert '<td class="n">12.3%<br><small class="i">11.0% – 13.0%</small></td>' in html
    assert "<caption>By device</caption>" in html
    assert html.count('scope="col"') == 4 and html.count('scope="row"') == 3


def test_what_stands_in_a_table_is_inert():
    html = table_html(table_data(pd.DataFrame({"<b>page</b>": ["<script>alert(1)</script>"]})))
    assert "<script" not in html and "<b>" not in html


def test_a_long_table_says_how_many_rows_are_not_shown():
    html = table_html(table_data(pd.DataFrame({"n": range(30)})))
    assert html.count("<tr>") == 26
    assert "5\u00a0more rows in the workbook." in html


def test_names_of_the_config_are_shown_as_the_client_calls_them():
    with speaking(Voice(labels={"add_to_cart": "Basket"})):
        data = table_data(pd.DataFrame({"step": ["add_to_cart"]}))
        assert ">Basket<" in table_html(data)
    assert ">Basket<" in bundle_html({"kind": "table", "table": data}, voice())


def test_a_kind_of_page_is_not_called_as_the_step_of_its_name():
    found = pd.DataFrame({"step": ["checkout"], "did": ["checkout"], "path": ["lookbook_2026 > checkout"]})
    given = {"labels": {"checkout": "Checkout begun"}, "pages": ("checkout", "lookbook_2026")}
    with speaking(Voice(**given)):
        data = table_data(found)
        assert data["labels"] == {
            "step": {"checkout": "Checkout begun"},
            "did": {"checkout": "Checkout"},
            "path": {"lookbook_2026 > checkout": "Lookbook 2026 › Checkout"},
        }
    with speaking(Voice(language="de", **given)):
        assert table_data(found)["labels"]["did"] == {"checkout": "Kasse"}


def test_columns_that_identify_a_person_never_leave_a_notebook():
    data = table_data(pd.DataFrame({"visitor_id": ["u:1"], "session_id": ["s"], "sessions": [3]}))
    assert data["columns"] == ["sessions"]


def test_an_empty_column_is_left_out_and_one_denominator_is_said_once():
    frame = pd.DataFrame({"device": ["mobile", None], "rate": [0.5, 0.4], "of": "sessions", "note": None})
    html = table_html(table_data(frame))
    assert html.count('<th scope="col"') == 2
    assert "Rates are of sessions." in html
    assert '<th scope="row">All</th>' in html


def test_a_table_without_rows_says_so_and_shows_no_empty_head():
    assert table_html(table_data(pd.DataFrame({"a": []}))) == '<p class="more">Nothing to list here.</p>'


def test_bounds_of_a_rate_never_stand_under_its_count():
    frame = pd.DataFrame({"step": ["cart"], "with": [71], "with_rate": [0.5], "with_low": [0.4], "with_high": [0.6]})
    html = table_html(table_data(frame.assign(step_rate=0.2, step_low=0.1, step_high=0.3)))
    assert '<th scope="row">cart</th><td class="n">71</td>' in html
    assert '50.0%<br><small class="i">40.0% – 60.0%</small>' in html
    assert '20.0%<br><small class="i">10.0% – 30.0%</small>' in html


def test_a_range_is_shown_where_its_middle_is_not_known():
    html = table_html(
        table_data(pd.DataFrame({"by": ["all"], "true_rate": [None], "true_low": 0.05, "true_high": 0.12}))
    )
    assert '–<br><small class="i">5.00% – 12.00%</small>' in html


def test_a_range_of_numbers_with_a_sign_is_told_in_words_for_a_dash_would_be_one_more_sign():
    frame = pd.DataFrame({"name": ["cart"], "moved": [-0.007], "moved_low": [-0.011], "moved_high": [-0.0003]})
    html = table_html({**table_data(frame), "kinds": {"name": "text", **dict.fromkeys(frame.columns[1:], "points")}})
    assert '<small class="i">−1.1\u00a0pts to −0.03\u00a0pts</small>' in html
    room = pd.DataFrame({"channel": ["social"], "room": [-0.03], "room_low": [-0.29], "room_high": [0.27]})
    assert '−0.03<br><small class="i">−0.29 to 0.27</small>' in table_html(table_data(room))


def test_only_the_columns_asked_for_stand_in_the_report_and_bounds_follow_their_rate(rates):
    table = table_data(
        pd.DataFrame({"step": ["a"], "n": [9], "step_rate": [0.5], "step_low": [0.4], "step_high": [0.6]})
    )
    html = table_html(table, chosen=["step", "step_rate"])
    assert "40.0% – 60.0%" in html and ">9<" not in html
    assert "more column" not in html


def test_a_finding_in_a_table_is_told_to_its_end():
    """The longest of the demo's plan, in German, has 186 letters: it ended in '… wurden beim Einlesen unkenntlich…'."""
    longest = "Der Export enthält personenbezogene Daten" + " und mehr" * 16
    assert longest in table_html(table_data(pd.DataFrame({"place": [1], "task": [longest]})))


def test_a_table_shows_as_many_columns_as_fit_and_counts_the_others():
    table = table_data(pd.DataFrame({f"column_{n:02}": [f"thirteen_long_{n}"] for n in range(12)}))
    html = table_html(table)
    assert html.count('<th scope="col"') == 5
    assert "7\u00a0more columns in the workbook." in html


def test_a_check_reads_as_what_held_not_as_what_was_suspected():
    checks = pd.DataFrame({"step": ["a", "a"], "gate": ["mix", "machines"], "holds": [True, True]})
    refused = pd.DataFrame({"step": ["a"], "reason": ["mix"]})
    html = table_html(table_data(checks))
    assert "not explained by who came" in html and "not explained by bots" in html
    assert "other people came" in table_html(table_data(refused))


def test_a_team_is_not_called_by_the_step_of_its_name_and_a_way_has_parts():
    frame = pd.DataFrame({"owner": ["checkout"], "path": ["home > cart"], "segment": ["mobile, Android"]})
    with speaking(Voice(labels={"checkout": "Checkout begun", "home": "Home", "cart": "Cart"}, site="shop")):
        html = table_html(table_data(frame))
    assert "Checkout team" in html and "Home › Cart" in html and "Mobile, Android" in html


def test_bare_bounds_are_of_the_rate_and_not_of_the_share_beside_it():
    columns = ["channel", "goal_share", "goal_rate", "goal_low", "goal_high"]
    rows = [["email", 0.256, 0.025, 0.023, 0.027]]
    kinds = dict.fromkeys(columns[1:], "percent") | {"channel": "name"}
    html = table_html({"columns": columns, "kinds": kinds, "rows": rows, "labels": {}})
    assert html.count('<small class="i">') == 1
    assert "25.6%</td>" in html and '2.50%<br><small class="i">2.30% – 2.70%</small>' in html
