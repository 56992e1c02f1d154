"""Figures as pictures: SVG for the page in the reader's own text colour, SVG and PNG files on white."""

from __future__ import annotations

import io
import re
import warnings
from dataclasses import dataclass
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.collections import Collection, QuadMesh
from matplotlib.figure import Figure as Canvas

from reports.page.content import Figure
from reports.page.style import INK, MUTED, RC

PNG_DPI = 150
# As vectors, more marks than that weigh more than a picture of them.
MAX_VECTORS = 2000
MAX_LINES = 300


@dataclass(frozen=True)
class Picture:
    """A figure as it is written: `svg` (a file's text) and `png` on white, `inline` (for the page) on no ground."""

    svg: str
    png: bytes
    inline: str


def render(figure: Figure, name: str) -> Picture:
    """Draw a figure; `name` keeps its ids apart from those of the page's other figures.

    Whatever the figure's `draw` raises comes out as it is.
    """
    settings: Any = RC
    with mpl.rc_context(settings), warnings.catch_warnings():
        # Names are data: letters that the font has not become boxes, in silence.
        warnings.filterwarnings("ignore", message="Glyph .* missing")
        canvas = Canvas(figsize=figure.size, layout="constrained")
        axes = np.ravel(canvas.subplots(*figure.panels, squeeze=False))
        figure.draw(list(axes))
        for ax in canvas.axes:
            _lighten(ax)
        text, png = io.StringIO(), io.BytesIO()
        canvas.savefig(text, format="svg", dpi=PNG_DPI, metadata={"Date": None, "Title": figure.title})
        # The PNG has the SVG's layout, which need not be computed twice.
        canvas.set_layout_engine("none")
        canvas.savefig(png, format="png", dpi=PNG_DPI, facecolor="white")
    svg = text.getvalue()
    return Picture(_on_white(svg), png.getvalue(), _inline(svg, name, figure.alt))


def _lighten(ax: Axes) -> None:
    """Have what would be thousands of vectors drawn as a picture inside the SVG."""
    many = len(ax.lines) > MAX_LINES
    for line in ax.lines:
        line.set_rasterized(many or len(np.asarray(line.get_xdata())) > MAX_VECTORS)
    for collection in ax.collections:
        # Cells of a colour bar, as vectors, show seams.
        collection.set_rasterized(isinstance(collection, QuadMesh) or _marks(collection) > MAX_VECTORS)
    if len(ax.patches) > MAX_VECTORS:
        _rasterize(ax.patches)


def _rasterize(artists: object) -> None:
    for artist in artists:  # type: ignore[attr-defined]
        assert isinstance(artist, Artist)
        artist.set_rasterized(True)


def _marks(collection: Collection) -> int:
    return max(len(np.asarray(collection.get_offsets())), len(collection.get_paths()))


def _on_white(svg: str) -> str:
    return re.sub(r"(<svg\b[^>]*>)", r'\1<rect width="100%" height="100%" fill="#ffffff"/>', svg, count=1)


def _inline(svg: str, name: str, alt: str) -> str:
    """The SVG for an HTML page: own ids, the page's colours, no prolog, as wide as it may be."""
    body = svg[svg.index("<svg") :]
    body = re.sub(r"<metadata>.*?</metadata>|<title>.*?</title>|<style\b.*?</style>", "", body, flags=re.DOTALL)
    body = re.sub(r'\bid="', f'id="{name}-', body)
    body = re.sub(r'\b(?:xlink:)?href="#', f'href="#{name}-', body)
    body = body.replace("url(#", f"url(#{name}-")
    body = re.sub(INK, "currentColor", body, flags=re.IGNORECASE)
    body = re.sub(MUTED, "var(--line)", body, flags=re.IGNORECASE)
    box = re.search(r'viewBox="([^"]*)"', body)
    assert box, "matplotlib writes a viewBox"
    attributes = f'viewBox="{box[1]}" role="img" aria-label="{_attribute(alt)}"'
    return re.sub(r"<svg\b[^>]*>", lambda _: f'<svg xmlns="http://www.w3.org/2000/svg" {attributes}>', body, count=1)


def _attribute(text: str) -> str:
    from markupsafe import escape

    return str(escape(" ".join(text.split())))
