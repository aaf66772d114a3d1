"""The page in a real browser: accessible, nothing overflows, nothing is asked for, nothing injected runs, prints well."""

from __future__ import annotations

import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path

import pandas as pd
import pytest
import report_sample as sample

from conversion_audit.report import page
from conversion_audit.report.show import bundles_of

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
WIDTHS = [1280, 390]
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed"),
    pytest.mark.skipif(find_spec("playwright") is None, reason="the extra 'browser' is not installed"),
]


@pytest.fixture(scope="module")
def browser():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def report(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("report") / "report.html"
    path.write_text(sample.report(), encoding="utf-8")
    return path


def opened(browser, path: Path, width: int):
    """Return the page as a window of this width shows it, with every detail open, and what it asked for or said."""
    said: list[str] = []
    window = browser.new_page(viewport={"width": width, "height": 900})
    window.on("request", lambda request: said.append(request.url) if request.url != path.as_uri() else None)
    window.on("dialog", lambda dialog: (said.append(f"dialog {dialog.message}"), dialog.dismiss()))
    window.on("pageerror", lambda error: said.append(str(error)))
    window.goto(path.as_uri())
    return window, said


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("language", ["en", "de"])
def test_axe_finds_no_violation(browser, tmp_path, width, language):
    axe = pytest.importorskip("axe_playwright_python.base", reason="the extra 'browser' is not installed")
    path = tmp_path / "report.html"
    path.write_text(sample.report(language=language), encoding="utf-8")
    window, _ = opened(browser, path, width)
    window.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
    window.evaluate(axe.AXE_FILE_PATH.read_text(encoding="utf-8"))
    tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
    found = window.evaluate("tags => axe.run(document, {runOnly: {type: 'tag', values: tags}})", tags)
    assert [(one["id"], one["nodes"][0]["html"][:120]) for one in found["violations"]] == []
    window.close()


@pytest.mark.parametrize("width", WIDTHS)
def test_nothing_overflows(browser, report, width):
    window, _ = opened(browser, report, width)
    window.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
    assert window.evaluate("document.documentElement.scrollWidth") <= width
    window.close()


def test_a_table_of_five_rates_with_their_ranges_fits_a_phone(browser, tmp_path):
    """A range goes over two lines there: on one it held each column to its own width, and the last ones out of sight."""
    rates = {f"{name}_{end}": [0.121] for name in ("left", "kept", "won") for end in ("rate", "low", "high")}
    told = pd.DataFrame({"landing_page": ["/returns"], "sessions": [26_983], **rates})
    chapter = {
        "number": "02",
        "question": "?",
        "status": "ok",
        "bundles": bundles_of(told, name="pages", claim="A claim"),
    }
    path = tmp_path / "table.html"
    path.write_text(page.render([chapter], [], sample.about()), encoding="utf-8")
    window, _ = opened(browser, path, 390)
    assert window.evaluate("(one => one.scrollWidth - one.clientWidth)(document.querySelector('.scroll'))") <= 0
    window.close()


def test_no_table_is_cut_on_a_wide_screen(browser, report):
    window, _ = opened(browser, report, 1280)
    window.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
    tables = "[...document.querySelectorAll('.scroll')]"
    assert window.evaluate(f"{tables}.filter(one => one.scrollWidth > one.clientWidth + 1).length") == 0
    window.close()


def test_a_number_stands_below_the_end_of_its_heading(browser, report):
    window, _ = opened(browser, report, 1280)
    window.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
    apart = window.evaluate(
        """() => {
            const end = one => one.getBoundingClientRect().right - parseFloat(getComputedStyle(one).paddingRight);
            const pairs = [...document.querySelectorAll('table')].flatMap(table =>
                [...table.rows[0].cells].map((head, n) => [head, table.rows[1]?.cells[n]]));
            return pairs.filter(([head, cell]) => head.matches('.n') && cell && Math.abs(end(head) - end(cell)) > 1).length;
        }"""
    )
    assert apart == 0
    window.close()


@pytest.mark.parametrize("width", WIDTHS)
def test_long_words_and_wide_tables_do_not_push_the_page_aside(browser, tmp_path, width):
    wide = pd.DataFrame({f"a_column_with_a_long_name_{n}": ["x" * 200] for n in range(12)})
    chapter = page.chapter("01", "01_define_goals", "complete", None) | {
        "bundles": bundles_of(wide) + bundles_of("w" * 300)
    }
    path = tmp_path / "report.html"
    path.write_text(page.render([chapter], [], sample.about(client="Ü" * 80)), encoding="utf-8")
    window, _ = opened(browser, path, width)
    assert window.evaluate("document.documentElement.scrollWidth") <= width
    window.close()


@pytest.mark.parametrize("width", WIDTHS)
def test_the_page_asks_for_nothing_and_says_nothing(browser, report, width):
    window, said = opened(browser, report, width)
    assert [one for one in said if not one.startswith("data:")] == []
    window.close()


def test_scripts_injected_into_the_page_itself_do_not_run(browser, tmp_path):
    path = tmp_path / "report.html"
    evil = "<script>document.title='run'</script><img src=x onerror=\"document.title='run'\"><svg onload=\"document.title='run'\">"
    evil += '<iframe src="https://evil.example"></iframe><img src="https://evil.example/x.png">'
    path.write_text(sample.report().replace("<main>", f"<main>{evil}"), encoding="utf-8")
    window, said = opened(browser, path, 1280)
    window.wait_for_timeout(300)
    assert window.title() == "Micro-conversion audit: Northlight Outfitters"
    assert [one for one in said if one.startswith("dialog")] == []
    window.close()


def test_the_font_of_the_page_is_the_one_it_brings(browser, report):
    window, _ = opened(browser, report, 1280)
    window.evaluate("document.fonts.ready.then(() => true)")
    assert window.evaluate("[...document.fonts].map(font => font.family + ' ' + font.status)") == ["Inter loaded"]
    window.close()


def test_the_contents_stay_in_view_on_a_wide_screen(browser, report):
    window, _ = opened(browser, report, 1280)
    window.evaluate("window.scrollTo(0, 3000)")
    window.wait_for_timeout(700)
    assert window.evaluate("document.querySelector('nav').getBoundingClientRect().top") >= 0
    window.close()


def printed(path: Path, pdf: Path) -> bytes:
    subprocess.run(
        [
            CHROMIUM,
            *FLAGS,
            "--no-pdf-header-footer",
            f"--user-data-dir={pdf.parent / 'profile'}",
            f"--print-to-pdf={pdf}",
            path.as_uri(),
        ],
        capture_output=True,
        timeout=120,
        check=True,
    )
    return pdf.read_bytes()


def test_the_printed_report_is_tagged(report, tmp_path):
    assert b"/MarkInfo" in printed(report, tmp_path / "report.pdf")


def test_the_boards_report_is_at_most_twelve_pages(tmp_path):
    path = tmp_path / "report.html"
    path.write_text(sample.report(detail="board"), encoding="utf-8")
    pdf = printed(path, tmp_path / "report.pdf")
    pages = pdf.count(b"/Type /Page\n") + pdf.count(b"/Type /Page/") + pdf.count(b"/Type /Page ")
    assert 2 <= pages <= 12


def test_no_figure_or_heading_is_cut_in_print(browser, report):
    """Print layout leaves no unbroken block taller than a page, and every heading may not be left behind."""
    window, _ = opened(browser, report, 1280)
    window.emulate_media(media="print")
    blocks = "[...document.querySelectorAll('figure.figure, .finding, .rates, .first li')]"
    assert set(window.evaluate(f"{blocks}.map(one => getComputedStyle(one).breakInside)")) == {"avoid"}
    headings = "[...document.querySelectorAll('main h2, main h3, main h4')]"
    assert set(window.evaluate(f"{headings}.map(one => getComputedStyle(one).breakAfter)")) == {"avoid"}
    assert window.evaluate(f"Math.max(...{blocks}.map(one => one.offsetHeight))") < 900
    # The summary takes the paper's width: held to a screen's measure, its last lines went to a page of their own.
    told = "[...document.querySelectorAll('.first h4, .first .next')]"
    assert set(window.evaluate(f"{told}.map(one => getComputedStyle(one).maxWidth)")) == {"none"}
    window.close()
