"""The page in a real browser: headless Chromium, driven by playwright."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from reports import build
from reports.page.content import Column, Figure, Section, Table
from reports.page.page import write_up
from search_spaces.common.folders import OutputFolder

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not CHROMIUM, reason="NOT RUN: there is no Chromium here to open the page in"),
]
SIZES = ((1280, 900), (390, 844))


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    api = pytest.importorskip("playwright.sync_api", reason="NOT RUN: playwright is not installed")
    with api.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield chromium
        chromium.close()


def draw(axes: Any) -> None:
    import numpy as np

    axes[0].imshow(np.eye(3))
    axes[1].plot([1, 2, 3], label="a line")
    axes[1].legend()


@pytest.fixture(scope="module")
def page_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page with everything that a page can have."""
    columns = [
        Column("name", "Name"),
        Column("macs", "FLOPs", "M", lambda value: f"{value / 1e6:.1f}", "multiply-adds of one image"),
        Column("note", "A remark that makes the table wide"),
    ]
    rows = [
        {"name": name, "macs": macs, "note": "a long remark " * 6}
        for name, macs in (("b", 9_000_000), ("c", 10_000_000), ("<b>a</b>", None), ("d", 200_000))
    ]
    items = [
        "A paragraph on a proxy with `code` and averyveryverylongname" + "x" * 120 + ".",
        "`python -m nas.search --target-flops 400M --a-very-long-flag " + "y" * 200 + "`",
        Table("few", "Few rows", columns, rows, marked=lambda row: row["name"] == "b"),
        Table("many", "Many rows", columns, rows * 20),
        Figure("drawn", "Drawn", "a caption", "its text", draw, (1, 2), (9.0, 3.0)),
    ]
    section = Section("first", "First", items, ["<script>window.evil = 1</script>"], ["x"], {"proxy": "a stand-in"})
    out = tmp_path_factory.mktemp("page") / "report"
    files = write_up("A title", "and what is below", [section, Section("second", "Second", ["text"])])
    OutputFolder(out, build.FORMAT, build.INDEX).replace(files, {})
    return out / "report.html"


@pytest.fixture
def opened(browser: Any, page_file: Path) -> Iterator[Any]:
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.goto(page_file.as_uri())
    yield page
    context.close()


def visit(browser: Any, file: Path, size: tuple[int, int], scheme: str) -> tuple[Any, list[str], list[str]]:
    """The page, its console's errors, and its requests for anything but itself."""
    context = browser.new_context(viewport={"width": size[0], "height": size[1]}, color_scheme=scheme)
    page = context.new_page()
    errors: list[str] = []
    requests: list[str] = []
    page.on("console", lambda message: errors.append(message.text) if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("request", lambda request: requests.append(request.url))
    page.goto(file.as_uri())
    page.wait_for_load_state("networkidle")
    return page, errors, [url for url in requests if url != file.as_uri() and not url.startswith("data:")]


def column(page: Any, place: int) -> list[str]:
    cells = page.locator(f"table[data-name=few] tbody tr > :nth-child({place})")
    return [text.strip() for text in cells.all_text_contents()]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
def test_no_errors_no_requests_nothing_overflows(browser: Any, page_file: Path, size: tuple[int, int], scheme: str):
    page, errors, requests = visit(browser, page_file, size, scheme)
    assert errors == []
    assert requests == []
    assert page.evaluate("window.evil") is None
    page.locator("details").evaluate_all("all => all.forEach(one => { one.open = true })")
    assert page.evaluate("document.documentElement.scrollWidth") <= size[0]
    # Whatever reaches beyond the screen lies in a box of its own that scrolls.
    outside = page.evaluate(
        "[...document.querySelectorAll('main *')].filter(one => !one.closest('.scroll, .visually-hidden')"
        " && one.getBoundingClientRect().right > innerWidth + 1).map(one => one.outerHTML.slice(0, 80))"
    )
    assert outside == []
    page.context.close()


def test_every_picture_loads_and_says_what_is_in_it(opened: Any):
    assert opened.locator("figure svg[role=img]").count() == 1
    assert opened.locator("figure svg").get_attribute("aria-label") == "its text"
    assert opened.locator("figure svg").evaluate("one => one.getBoundingClientRect().height") > 100
    hrefs = opened.locator("figure svg image").evaluate_all("all => all.map(one => one.href.baseVal)")
    assert hrefs
    for href in hrefs:
        wide = "href => new Promise(done => { const one = new Image(); one.onload = () => done(one.width);"
        assert opened.evaluate(wide + " one.onerror = () => done(0); one.src = href })", href) > 0


def test_a_click_sorts_numbers_as_numbers_and_again_turns_them_round(opened: Any):
    button = opened.locator("table[data-name=few] th button").nth(1)
    header = opened.locator("table[data-name=few] thead th").nth(1)
    button.click()
    assert column(opened, 2) == ["0.2", "9.0", "10.0", ""]
    assert header.get_attribute("aria-sort") == "ascending"
    button.click()
    assert column(opened, 2) == ["10.0", "9.0", "0.2", ""]
    assert header.get_attribute("aria-sort") == "descending"


def test_the_keyboard_sorts_too(opened: Any):
    button = opened.locator("table[data-name=few] th button").first
    button.focus()
    opened.keyboard.press("Enter")
    assert column(opened, 1) == ["<b>a</b>", "b", "c", "d"]
    assert opened.locator("table[data-name=few] thead th").nth(1).get_attribute("aria-sort") is None


def test_the_keyboard_reaches_everything(opened: Any):
    seen = set()
    for _ in range(40):
        opened.keyboard.press("Tab")
        seen.add(opened.evaluate("document.activeElement.textContent.trim().slice(0, 30)"))
    assert {"Skip to the report", "First", "Second", "Download as CSV", "80 rows"} <= seen


def test_dark_is_dark_and_figures_follow(browser: Any, page_file: Path):
    grounds, inks = {}, {}
    for scheme in ("light", "dark"):
        page, _, _ = visit(browser, page_file, SIZES[0], scheme)
        grounds[scheme] = page.evaluate("getComputedStyle(document.body).backgroundColor")
        inks[scheme] = page.locator("figure svg [style*=currentColor]").first.evaluate(
            "one => [getComputedStyle(one).fill, getComputedStyle(one).stroke, getComputedStyle(one).color]"
        )
        page.context.close()
    assert grounds == {"light": "rgb(255, 255, 255)", "dark": "rgb(18, 22, 27)"}
    assert inks["light"] != inks["dark"]


def test_the_table_can_be_taken_along_as_csv(opened: Any):
    with opened.expect_download() as download:
        opened.locator("button.download").first.click()
    lines = Path(download.value.path()).read_text().splitlines()
    assert download.value.suggested_filename == "few.csv"
    assert lines[0] == "name,macs,note"
    assert lines[1].startswith("b,9000000,")


def test_a_term_leads_to_its_definition(opened: Any):
    opened.locator("a.term", has_text="proxy").click()
    assert opened.evaluate("location.hash") == "#term-proxy"
    assert opened.locator("dt#term-proxy + dd").text_content() == "a stand-in"


def test_print_is_light_and_shows_tables_whole(browser: Any, page_file: Path):
    page, _, _ = visit(browser, page_file, SIZES[0], "dark")
    page.emulate_media(media="print", color_scheme="dark")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert page.locator(".scroll").first.evaluate("one => getComputedStyle(one).overflowX") == "visible"
    assert not page.locator("button.download").first.is_visible()
    page.context.close()


def test_a_whole_report_opens_without_errors(browser: Any, make_search: Any):
    search = make_search("<b>search<∕b>")
    assert build.main([str(search)]) == 0
    page, errors, requests = visit(browser, search / "report" / "report.html", SIZES[1], "light")
    assert (errors, requests) == ([], [])
    assert page.evaluate("document.documentElement.scrollWidth") <= SIZES[1][0]
    assert page.locator("h2", has_text="Run health").count() == 1
    page.context.close()
