"""Figures as SVG and PNG."""

from __future__ import annotations

import io
import re
import xml.etree.ElementTree as ET
from typing import Any

import numpy as np
from PIL import Image

from reports.page.content import Figure
from reports.page.render import render
from reports.page.style import INK


def line(axes: Any) -> None:
    axes[0].plot([0, 1, 2], marker="o", label="a line")
    axes[0].set_xlabel("cost (M multiply-adds)")
    axes[0].legend()


def dots(count: int) -> Any:
    values = np.linspace(0, 1, count)
    return lambda axes: axes[0].scatter(values, values)


def figure(draw: Any, **changes: Any) -> Figure:
    return Figure("f", "A title", "a caption", 'it says "so" & more', draw, **changes)


def test_the_page_gets_its_own_colours_and_the_file_keeps_its_own():
    picture = render(figure(line), "one")
    assert "currentColor" in picture.inline
    assert INK not in picture.inline
    assert INK in picture.svg
    assert 'fill="#ffffff"' in picture.svg
    assert 'fill="#ffffff"' not in picture.inline


def test_both_are_well_formed_and_the_inline_one_says_what_is_seen():
    picture = render(figure(line), "one")
    ET.fromstring(picture.svg)
    root = ET.fromstring(picture.inline.replace("var(--line)", "#000000"))
    assert root.attrib["aria-label"] == 'it says "so" & more'
    assert root.attrib["role"] == "img"
    assert "width" not in root.attrib


def test_ids_of_two_figures_never_meet_and_all_references_are_kept():
    first, second = (render(figure(line), name).inline for name in ("one", "two"))
    ids = [set(re.findall(r'\bid="([^"]*)"', text)) for text in (first, second)]
    assert ids[0]
    assert not ids[0] & ids[1]
    for text, own in zip((first, second), ids, strict=True):
        assert set(re.findall(r'href="#([^"]*)"', text)) <= own
        assert set(re.findall(r"url\(#([^)]*)\)", text)) <= own


def test_the_png_has_the_figures_size_on_white():
    picture = render(figure(line, size=(4.0, 2.0)), "one")
    image = Image.open(io.BytesIO(picture.png)).convert("RGB")
    assert image.size == (600, 300)
    assert image.getpixel((0, 0)) == (255, 255, 255)


def test_thousands_of_points_are_a_picture_inside_the_svg():
    few, many = render(figure(dots(2000)), "few").svg, render(figure(dots(20_000)), "many").svg
    assert "<image" not in few
    assert "<image" in many
    assert len(many) < len(few) < 1_000_000


def test_the_same_figure_gives_the_same_bytes():
    assert render(figure(line), "one") == render(figure(line), "one")


def test_panels_are_handed_over_in_reading_order():
    def draw(axes: Any) -> None:
        assert len(axes) == 6
        corners = [(ax.get_subplotspec().rowspan.start, ax.get_subplotspec().colspan.start) for ax in axes]
        assert corners == [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2)]

    render(figure(draw, panels=(2, 3)), "panels")
