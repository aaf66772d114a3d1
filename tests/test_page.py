"""The page that is handed over: complete, in order, self-contained, and inert whatever an export holds."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from itertools import pairwise

import pandas as pd
import pytest
import report_sample as sample

from conversion_audit.findings import Finding
from conversion_audit.report import export, page
from conversion_audit.report.book import finding_view
from conversion_audit.report.show import MIME, bundles_of
from conversion_audit.report.wording import claim_of, cost_of

PAYLOADS = [
    "<script>alert(1)</script>",
    "</script><script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg onload=alert(1)>",
    "<svg><script>alert(1)</script></svg>",
    '"><script>alert(1)</script>',
    "'><script>alert(1)</script>",
    '" onmouseover="alert(1)',
    "' onfocus='alert(1)' autofocus='",
    "<a href=javascript:alert(1)>x</a>",
    "javascript:alert(1)",
    "<iframe src=javascript:alert(1)></iframe>",
    "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
    "<object data=https://evil.example/x></object>",
    "<embed src=//evil.example/x>",
    "<link rel=stylesheet href=//evil.example/x.css>",
    "<meta http-equiv=refresh content='0;url=https://evil.example'>",
    "<base href=https://evil.example/>",
    "<form action=https://evil.example><input name=q></form>",
    "<style>@import 'https://evil.example/x.css'</style>",
    "</style><script>alert(1)</script>",
    "</title><script>alert(1)</script>",
    "<!--<script>alert(1)//--></script>",
    "<math><mi xlink:href='javascript:alert(1)'>x</mi></math>",
    "<details open ontoggle=alert(1)>",
    "<body onload=alert(1)>",
    "{{ 7 * 7 }}{% for x in () %}{% endfor %}",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "\u003cscript\u003ealert(1)\u003c/script\u003e",
    "![x](https://evil.example/x.png) [y](javascript:alert(1)) <https://evil.example>",
    "expression(alert(1)); background:url(https://evil.example/x)",
    "＜script＞alert(1)＜/script＞",
]
TAGS = {
    "html", "head", "meta", "title", "style", "body", "a", "header", "div", "p", "span", "h1", "h2", "h3", "h4", "dl", "dt", "dd",
    "nav", "ol", "ul", "li", "main", "section", "i", "b", "br", "figure", "figcaption", "img", "details", "summary", "table",
    "caption", "thead", "tbody", "tr", "th", "td", "small", "article", "aside", "footer", "picture", "source", "strong", "em", "code", "pre",
}  # fmt: skip


class Outline(HTMLParser):
    """What a page consists of."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.headings: list[int] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        if re.fullmatch(r"h[1-6]", tag):
            self.headings.append(int(tag[1]))
        if tag not in {"meta", "img", "br", "source"}:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def attributes(self, name: str) -> list[str]:
        return [attributes[name] or "" for _, attributes in self.tags if name in attributes]


def assert_inert(html: str) -> None:
    outline = Outline(html)
    assert {tag for tag, _ in outline.tags} <= TAGS
    assert [name for _, attributes in outline.tags for name in attributes if name.startswith("on")] == []
    assert [href for href in outline.attributes("href") if not href.startswith("#")] == []
    assert [source for source in outline.attributes("src") if not source.startswith("data:image/")] == []
    assert [source for source in outline.attributes("srcset") if not source.startswith("data:image/")] == []
    assert outline.attributes("srcdoc") == outline.attributes("action") == []
    assert len([1 for tag, attributes in outline.tags if "http-equiv" in attributes]) == 1
    assert not [style for style in outline.attributes("style") if not re.fullmatch(r"(left|width|[\d.%:;])+", style)]


@pytest.fixture(scope="module")
def html() -> str:
    return sample.report()


def test_a_report_of_some_sessions_speaks_of_these_and_not_of_all():
    html = sample.report(only="device: mobile")
    summary = html[html.index('id="summary"') : html.index('id="chapter-00"')]
    assert (
        "3.10% of these sessions ended in “Order”" in summary and "The conversion rate of these sessions is" in summary
    )
    assert "of all sessions" not in summary


def test_the_page_is_told_in_order(html):
    places = [html.index(f'id="{name}"') for name in ("summary", "chapter-00", "chapter-04", "methods", "glossary")]
    assert places == sorted(places)
    assert html.index("<h1") < places[0]


def test_the_summary_names_the_true_rate_beside_the_naive_one(html):
    summary = html[html.index('id="summary"') : html.index('id="chapter-00"')]
    assert "3.10% of all sessions ended in “Order”. Of those that could have, 4.11% did." in summary
    assert "Those who could buy" in summary and "3.25% to 6.55% with its uncertainty" in summary
    assert (
        "€31,000 to €52,000 of revenue lost in this period" in summary and "Accept spaces in card numbers." in summary
    )
    assert "12% of orders show no product page<" in summary and "Guides are read." in summary


def test_three_findings_at_most_are_told_first():
    many = [{**sample.findings()[0], "id": f"F-{n}"} for n in range(9)]
    html = page.render([], many, sample.about())
    assert "Only sessions with" not in html
    assert "<dt>Only sessions with</dt><dd>Device: Mobile</dd>" in page.render(
        [], [], sample.about(only="Device: Mobile")
    )
    assert html.count("<h4>") == 3
    assert "6\u00a0further findings in the chapters" in html


def test_without_a_best_estimate_the_bounds_are_the_answer():
    head = sample.about()["headline"]
    true = head["true_conversion_rate"] | {"estimate": None, "gates": [{"name": "landings", "value": 12, "limit": 100}]}
    html = page.render([], [], sample.about(headline=head | {"true_conversion_rate": true}))
    # As chapter 3 tells it: the bounds alone are narrower, and hold only where the rules make no mistake.
    assert "Of those that could have, between 3.25% and 6.55% did." in html
    assert "3.25% – 6.55%" in html and "3.38% to 6.12% if the rules" in html


def test_an_upper_bound_of_all_says_nothing_and_is_not_told():
    head = sample.about()["headline"]
    true = head["true_conversion_rate"] | {"estimate": None, "upper": 1.0, "high": 1.0}
    html = page.render([], [], sample.about(headline=head | {"true_conversion_rate": true}))
    assert "Of those that could have, at least 3.25% did; how many more, the export does not say." in html
    assert "at least 3.25%" in html and "3.38% if the rules" in html and "– 100.00%" not in html


@pytest.mark.parametrize("head", [{}, {"naive_conversion_rate": None}, {"naive_conversion_rate": 0.0, "sessions": 3}])
def test_a_report_without_numbers_is_still_a_page(head):
    html = page.render([], [], {"client": "x", "headline": head})
    assert Outline(html).headings[0] == 1


def test_a_number_that_is_nan_is_never_shown_as_one(html):
    assert not re.search(r"\bnan\b|\bNone\b|\bNaN\b", re.sub(r"data:[^\"')]+", "", html))


def test_failed_and_skipped_chapters_say_why(html):
    assert "Not computed: something in the data was not as expected" in html
    assert "Not part of this report: there is no earlier run to compare with" in html
    assert "This report is partial" in html


def test_headings_are_in_order_and_there_is_one_h1(html):
    headings = Outline(html).headings
    assert headings.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(headings))


def test_the_page_asks_for_nothing(html):
    policy = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; font-src data:; base-uri 'none'; form-action 'none'"
    assert policy in html
    assert_inert(html)
    assert "http:" not in html and "https:" not in html and "<script" not in html
    assert not re.search(r"/home|/tmp|/work|Traceback|In \[|Out\[", html)


def test_every_figure_says_its_finding_in_words(html):
    pictures = [attributes for tag, attributes in Outline(html).tags if tag == "img"]
    assert [picture["alt"] for picture in pictures] == [
        "What rates_by_device shows",
        "What funnel shows",
        "What map shows",
    ]


def test_every_figure_has_its_table_one_click_below(html):
    for part in html.split('<figure class="figure">')[1:]:
        assert part.index("<details") < part.index("<table") < part.index("</figure>")


def test_every_table_has_a_caption_and_scopes(html):
    tables = re.findall(r"<table>.*?</table>", html, flags=re.DOTALL)
    assert tables and all(
        "<caption>" in table and 'scope="col"' in table and 'scope="row"' in table for table in tables
    )


def test_names_of_the_config_are_called_by_their_labels(html):
    assert '<th scope="row">Basket</th>' in html and "add_to_cart" not in html


def test_a_report_on_totals_explains_no_visits_and_points_at_no_chapter_that_is_not_there():
    only = {
        "kind": "observation",
        "chapter": "04",
        "severity": "medium",
        "claim": "totals.only",
        "id": "F-dama",
        "voids": ["00"],
    }
    html = page.render([], [only], {"client": "Ads"})
    assert "No stage is surely weaker" in html and "how small a loss" not in html
    methods = html[html.index('id="methods"') :]
    assert "What counts as weak" in methods
    assert "What counts as friction" not in methods and "Chapter 0" not in methods
    assert "What counts as weak" not in sample.report()


@pytest.mark.parametrize("detail", ["full", "board"])
@pytest.mark.parametrize("language", ["en", "de"])
def test_the_same_input_gives_the_same_bytes(language, detail):
    first, second = (sample.report(language=language, detail=detail) for _ in range(2))
    assert first == second
    assert f'<html lang="{language}">' in first


def test_the_german_page_speaks_german():
    html = sample.report(language="de")
    assert "Was wir gefunden haben" in html and "4,11\u00a0%" in html and "2. März – 26. April 2026" in html
    for english in ("What we found", "Next step", "The numbers behind this", "How this was counted", "Glossary"):
        assert english not in html


def test_the_board_sees_one_figure_a_chapter_and_no_references():
    html = sample.report(detail="board")
    assert "Ref. " not in html and html.count("<table>") == 1
    assert "One more." not in html


def test_the_consultants_commentary_is_shown_and_the_review_is_counted(html):
    assert "We saw this <strong>often</strong>." in html
    assert "1\u00a0finding was set aside after review" in html
    assert "The review mentions F-zzzz" in html and "the nearest finding is F-3k9a" in html


@pytest.mark.parametrize("payload", PAYLOADS)
def test_whatever_the_export_or_the_client_writes_is_inert(payload):
    frame = pd.DataFrame({payload: [payload], "step": [payload], "conversion_rate": [0.5]})
    bundles = bundles_of(frame, name=payload, claim=payload, read=payload, card={payload: payload})
    bundles += [
        {
            "kind": "figure",
            "svg": payload,
            "svg_narrow": payload,
            "alt": payload,
            "claim": payload,
            "read": payload,
            "name": payload,
        }
    ]
    bundles += bundles_of(payload)
    bundles += [{"kind": "markdown", "text": payload}]
    text = dict.fromkeys(
        ("claim", "title", "note", "next_step", "verdict", "owner", "effort", "status", "kind"), payload
    )
    finding = {
        **text, "id": payload, "chapter": "01", "severity": payload, "values": {"x": payload}, "segment": {payload: payload},
        "gates": [{"name": payload, "passed": payload}], "since": payload,
    }  # fmt: skip
    about = sample.about(
        client=payload,
        labels={payload: payload, "step": payload},
        prepared_for=payload,
        prepared_on="2026-01-01",
        agency={"name": payload, "contact": payload, "footer": payload, "logo": payload},
        logo=payload,
        trust=[payload],
        questions=[payload],
        notes={"01": payload},
        review={"hidden": 1, "orphans": [{"id": payload, "nearest": payload}]},
        headline={**sample.about()["headline"], "goal": payload},
    )
    chapter = {
        "number": "01",
        "name": payload,
        "question": payload,
        "status": "failed",
        "reason": payload,
        "bundles": bundles,
    }
    assert_inert(page.render([chapter, {**chapter, "number": payload}], [finding], about))


def test_only_what_show_displayed_leaves_a_notebook():
    notebook = {
        "metadata": {},
        "cells": [
            {"cell_type": "markdown", "source": "# The question?\nFor the analyst."},
            {
                "cell_type": "code",
                "source": "1",
                "outputs": [
                    {"output_type": "stream", "name": "stdout", "text": "secret"},
                    {"output_type": "execute_result", "data": {"text/html": "<table>secret</table>"}},
                    {"output_type": "display_data", "data": {MIME: {"kind": "text", "text": "told"}}},
                    {"output_type": "error", "ename": "E", "evalue": "secret", "traceback": ["secret"]},
                ],
            },
        ],
    }
    chapter = page.chapter("07", "07_own_chapter", "complete", notebook)
    assert chapter == {
        "number": "07",
        "name": "07_own_chapter",
        "question": "The question?",
        "status": "complete",
        "reason": "",
        "bundles": [{"kind": "text", "text": "told"}],
    }
    html = page.render([chapter], [], sample.about(review={}))
    assert "secret" not in html and "For the analyst" not in html and "The question?" in html
    own = {**notebook, "metadata": {"audit": {"export_markdown": True}}}
    assert "For the analyst" in page.render([page.chapter("07", "07_own", "ok", own)], [], sample.about())


def test_what_is_only_noted_stands_in_a_short_list(html):
    assert re.search(r"<h3[^>]*>Also noted</h3><ul class=\"asides\">\s*<li>29 orders came twice\.", html)


def test_a_noted_claim_and_its_next_step_are_two_sentences():
    noted = {"id": "F-n2", "chapter": "00", "kind": "observation", "severity": "info"}
    both = [
        {**noted, "claim": f"{end} come twice{mark}", "next_step": f"{end} of it."}
        for end, mark in (("Some", ""), ("All", "."))
    ]
    html = page.render(sample.chapters(), both, sample.about())
    assert 'Some come twice. <span class="quiet">Some of it.' in html and 'All come twice. <span class="quiet">' in html


def with_bundles(number: str, bundles: list, **about) -> str:
    chapter = page.chapter(number, f"{number}_x", "ok", None) | {"bundles": bundles}
    return page.render([chapter], [], sample.about(**about))


def test_the_summary_says_once_what_stops_visitors_as_its_chapter_does():
    few = bundles_of("Too few sessions to say whether people are stopped", name="stopped")
    assert '<p class="stopped">' in with_bundles("04", few)
    assert "Nothing was found that stops" not in with_bundles("04", few)
    assert "Nothing was found that stops" in with_bundles("04", [])


def test_the_scale_of_rates_ends_at_all_sessions():
    true = {"estimate": 0.5, "low": 0.1, "high": 1.0, "lower": 0.5, "upper": 1.0}
    told = with_bundles(
        "04", [], headline={"goal": "purchase", "naive_conversion_rate": 0.5, "true_conversion_rate": true}
    )
    assert "100.0%" in told and "108.0%" not in told


def test_a_detail_is_told_in_one_line_and_its_table_stands_in_the_workbook():
    frame = pd.DataFrame({"page": ["/a"], "sessions": [7]})
    detail = bundles_of(frame, name="pages_left", claim="<b>Most</b> leave from /a", detail=True)
    html = with_bundles("02", detail)
    assert re.search(r"<li>&lt;b&gt;Most&lt;/b&gt; leave from /a <span class=\"ref\">pages_left</span></li>", html)
    assert "<table>" not in html
    assert "pages_left" not in with_bundles("02", detail, detail="board")
    assert list(export.tables([{"number": "02", "bundles": detail}])) == ["pages_left"]
    empty = bundles_of(frame.head(0), name="pages_left", claim="The pages they left from", detail=True)
    assert 'The pages they left from <span class="ref">nothing found</span></li>' in with_bundles("02", empty)


def test_what_moved_since_the_last_audit_stands_on_the_first_page():
    worse = Finding(
        kind="observation", chapter="06", claim="Worse: mobile at payment.", severity="high", verdict="certain"
    )
    html = with_bundles("06", [*bundles_of("“Order” fell.", name="since_last"), *bundles_of([worse])])
    first = html[html.index('id="summary"') : html.index('id="chapter-06"')]
    assert "Since the last audit" in first and "“Order” fell." in first and "Worse: mobile at payment." in first
    assert "Since the last audit" not in sample.report()


def test_a_segment_of_everyone_begins_its_sentence_with_a_capital():
    finding = {
        "id": "F-1",
        "kind": "friction",
        "claim": "friction.friction",
        "step": "pay",
        "rate": 0.6,
        "benchmark": 0.9,
    }
    assert claim_of(finding) == "Everyone: only 60% go on to “pay”, against 90% of comparable visitors"
    mobile = finding | {"segment": {"device": "mobile", "os": "iOS"}}
    assert claim_of(mobile) == "Mobile, iOS: only 60% go on to “pay”, against 90% of comparable visitors"
    new = finding | {"segment": {"is_new": "true", "device": "mobile"}}
    assert claim_of(new).startswith("New visitors, Mobile: only 60%"), "'true: only 60%' says nothing of who that is"


def test_a_check_of_a_finding_says_what_it_ruled_out_and_whether_it_passed():
    gates = [{"gate": "machines", "passed": True}, {"gate": "mechanism", "passed": False}]
    told = finding_view({"id": "F-1", "claim": "friction.friction", "gates": gates})["gates"]
    assert told == [("not explained by bots", "passed"), ("something recorded goes with it", "not passed")]


def test_a_price_is_not_more_exact_than_it_is_known():
    finding = sample.findings()[0] | {"revenue": {"low": 32419.7, "estimate": 36000, "high": 40582.1}}
    assert "€32,000 to €41,000 of revenue lost in this period" in page.render([], [finding], sample.about())


def test_a_price_in_completions_is_the_count_the_chapters_tell():
    finding = Finding(
        kind="friction", chapter="04", claim="", lost_orders={"low": 91.6, "estimate": 114, "high": 136.2}
    )
    assert cost_of(finding.record()) == "92 to 136 completions lost in this period"


def test_a_finding_whose_sentence_lacks_a_value_is_told_plainly():
    finding = Finding(kind="friction", chapter="01", claim="page.cost_revenue", next_step="no.such_key")
    html = page.render([page.chapter("01", "01_define_goals", "ok", None)], [finding], sample.about())
    assert "Something worth looking at: Friction" in html and "no.such_key" not in html


def test_findings_may_be_records_or_findings():
    finding = Finding(kind="strength", chapter="01", claim="page.trust_good")
    html = page.render([page.chapter("01", "01_define_goals", "ok", None)], [finding], sample.about())
    assert "No fault of the data was found" in html and finding.id in html


@pytest.mark.parametrize("color", ["#ffff00", "#ffffff", "#00ff00", "#0f5b66", "#888888"])
def test_an_accent_that_nobody_could_read_is_darkened(color):
    accent = page.readable(color)
    parts = [int(accent[n : n + 2], 16) / 255 for n in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    luminance = sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))
    assert 1.05 / (luminance + 0.05) >= 4.5


def test_a_logo_is_a_picture_in_the_page_or_nothing():
    with_logo = sample.report(logo="data:image/png;base64,AAAA")
    assert 'src="data:image/png;base64,AAAA"' in with_logo
    assert "evil" not in sample.report(logo="//evil.example/logo.png")


def test_the_cover_says_that_bounces_cannot_be_told_where_the_export_has_no_page_views():
    from conversion_audit.report import summary

    shown = summary._facts({"sessions": 2000, "visitors": 900, "bounces": None, "orders": 96})
    assert shown[-1] == ("cannot be told", "who leaves at once: no page views")
    assert summary._facts({"sessions": 2000, "bounces": 500, "orders": 96})[-1] == ("25.0%", "leave at once")
