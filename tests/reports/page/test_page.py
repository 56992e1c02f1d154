"""What a page is made of: text that stays text, tables, figures, the files beside them."""

from __future__ import annotations

import csv
import io
import math
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.page import prose, tables
from reports.page.content import Column, Figure, Section, Table
from reports.page.page import glossary_of, write_up

EVIL = "<script>alert('x')</script>"


class Seen(HTMLParser):
    """Elements and texts of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


def page_of(*sections: Section) -> tuple[str, str, dict[str, str | bytes]]:
    files = write_up("Title", "below it", sections)
    page, markdown = files["report.html"], files["report.md"]
    assert isinstance(page, str)
    assert isinstance(markdown, str)
    return page, markdown, files


def table(rows: list[dict[str, Any]], **changes: Any) -> Table:
    columns = [Column("name", "Name"), Column("share", "Share", "%", lambda value: f"{100 * value:.1f}", "a share")]
    return Table("shares", "Shares", columns, rows, **changes)


def figure(draw: Any = None, name: str = "f", **changes: Any) -> Figure:
    return Figure(name, "Drawn", "its caption", "its text", draw or (lambda axes: axes[0].plot([1, 2])), **changes)


def test_names_from_a_run_are_text_everywhere():
    section = Section(
        "s", EVIL, [EVIL, table([{"name": EVIL, "share": 0.5}], note=EVIL)],
        warnings=[EVIL], missing=[EVIL], terms={EVIL: EVIL},
    )  # fmt: skip
    page, markdown, _ = page_of(section, Section("t", "T", [Figure("f", EVIL, EVIL, EVIL, lambda axes: None)]))
    assert EVIL not in page
    assert "<script>" not in markdown
    assert len(Seen(page).all("script")) == 1
    assert Seen(page).text.count("alert('x')") >= 8


@given(st.text())
def test_any_text_comes_back_from_the_page_as_it_was(text: str):
    seen = Seen(str(prose.html(text.replace("`", ""), {"term": "what it means"}, set())))
    # The parser reads line ends as a browser does.
    assert seen.text == text.replace("`", "")


def test_code_stands_between_backticks():
    assert prose.html("run `a < b` now", {}, set()) == "run <code>a &lt; b</code> now"
    assert prose.is_command("`python -m x`")
    assert not prose.is_command("`a` and `b`")
    assert prose.markdown("run `a_b|c` on x_y") == r"run `a_b|c` on x\_y"


def test_the_first_mention_of_a_term_leads_to_the_glossary():
    seen: set[str] = set()
    linked = prose.html("A proxy, one Proxy more, and proxies.", {"proxy": "a stand-in"}, seen)
    assert linked == ('A <a class="term" href="#term-proxy" title="a stand-in">proxy</a>, one Proxy more, and proxies.')
    assert "term" not in prose.html("A proxy again", {"proxy": "a stand-in"}, seen)


def test_every_term_is_in_the_glossary_once():
    found = glossary_of(
        [Section("a", "A", terms={"Rung": "one", "arch": "two"}), Section("b", "B", terms={"rung": "3"})]
    )
    assert found == {"arch": "two", "Rung": "one"}
    page, markdown, _ = page_of(Section("a", "A", terms=found))
    assert 'id="term-Rung"' in page
    assert "**arch**: two" in markdown


def test_numbers_stand_right_with_their_unit_in_the_header():
    rows = [{"name": "a", "share": 0.125}, {"name": "b", "share": None}]
    page, markdown, _ = page_of(Section("s", "S", [table(rows)]))
    headers = Seen(page).all("th")
    assert [one.get("class") for one in headers[:2]] == [None, "number"]
    assert '<td class="number" data-value="0.125">12.5</td>' in page
    assert '<span class="unit">(%)</span>' in page
    assert "| Name | Share (%) |\n| --- | ---: |\n| a | 12.5 |\n| b |  |\n" in markdown


def test_a_list_of_facts_does_not_sort():
    rows = [{"name": "a", "share": 0.1}]
    page, _, _ = page_of(Section("s", "S", [table(rows, sortable=False)]))
    assert not Seen(page).all("button")
    page, _, _ = page_of(Section("s", "S", [table(rows)]))
    assert len(Seen(page).all("button")) == 2


@pytest.mark.parametrize(("rows", "folded", "cut"), [(30, False, False), (31, True, False), (501, True, True)])
def test_long_tables_are_folded_and_very_long_ones_cut(rows: int, folded: bool, cut: bool):
    whole = table([{"name": str(i), "share": i / 1000} for i in range(rows)])
    page, _, files = page_of(Section("s", "S", [whole]))
    assert (f"<summary>{rows} rows" in page) is folded
    assert len(Seen(page).all("tr")) == 1 + min(rows, 500)
    assert ("all are in tables/shares.csv" in page) is cut
    text = files["tables/shares.csv"]
    assert isinstance(text, str)
    assert len(text.splitlines()) == rows + 1


@given(st.lists(st.tuples(st.text(st.characters(exclude_characters="\r\x00")), st.floats(allow_nan=False) | st.none())))
def test_csv_gives_the_raw_values_back(rows: list[tuple[str, float | None]]):
    text = tables.to_csv(table([{"name": name, "share": share} for name, share in rows]))
    back = list(csv.DictReader(io.StringIO(text, newline="")))
    assert [(row["name"], float(row["share"]) if row["share"] else None) for row in back] == rows


def test_what_is_missing_is_empty_and_leaves_a_column_numeric():
    shown = tables.shown(table([{"name": "a", "share": math.nan}, {"name": "b"}, {"name": "c", "share": 1.0}]), "x.csv")
    assert [row.cells[1].text for row in shown.rows] == ["", "", "100.0"]
    assert list(shown.numeric) == [False, True]


def test_marked_rows_stand_out():
    page, markdown, _ = page_of(
        Section(
            "s",
            "S",
            [table([{"name": "a", "share": 0.1}, {"name": "b", "share": 0.2}], marked=lambda r: r["name"] == "b")],
        )
    )
    assert page.count('<tr class="marked">') == 1
    assert "| **b** | 20.0 |" in markdown


def test_a_value_that_cannot_be_shown_is_shown_as_it_is():
    assert tables.shown(table([{"name": "a", "share": "broken"}]), "x.csv").rows[0].cells[1].text == "broken"


def test_equal_names_get_different_files_and_ids():
    page, _, files = page_of(Section("s", "S", [figure(), figure(), table([]), table([])]), Section("s", "T"))
    assert {"figures/f.svg", "figures/f-2.svg", "tables/shares.csv", "tables/shares-2.csv"} <= set(files)
    ids = [attributes["id"] for _, attributes in Seen(page).tags if "id" in attributes]
    assert len(ids) == len(set(ids))


def test_a_name_is_no_way_out_of_the_folder():
    _, _, files = page_of(Section("s", "S", [figure(name="../../x y")]))
    assert "figures/x-y.svg" in files


def test_a_figure_that_cannot_be_drawn_is_a_line_that_says_so():
    def broken(axes: Any) -> None:
        raise KeyError("accuracy")

    page, markdown, files = page_of(Section("s", "S", ["before", figure(broken), "after"]))
    for text in (page, markdown):
        assert "could not be drawn (KeyError" in text
        assert "after" in text
    assert not [name for name in files if name.startswith("figures/")]


def test_the_page_may_run_its_own_script_only_and_load_nothing():
    page, _, _ = page_of(Section("s", "S", [figure()]))
    policy = next(one["content"] for one in Seen(page).all("meta") if "http-equiv" in one)
    assert policy is not None
    assert "default-src 'none'" in policy
    assert "script-src 'sha256-" in policy
    for tag, attributes in Seen(page).tags:
        for name in ("src", "href"):
            assert str(attributes.get(name) or "#")[:5] in ("data:", "#") or str(attributes[name]).startswith("#"), tag
