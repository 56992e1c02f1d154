"""The sections of a report, a row each, in the order of the page."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from search_spaces.common.lazy import resolve

if TYPE_CHECKING:
    from reports.page.content import Section
    from reports.reading.runs import RunData

Make = Callable[[Sequence["RunData"]], "list[Section]"]
"""Makes the sections of all runs; none if it has nothing to show."""


@dataclass(frozen=True, slots=True)
class SectionEntry:
    """A kind of section: its name, and "module:attribute" of the function that makes it (see `Make`)."""

    name: str
    code: str

    @property
    def make(self) -> Make:
        """The function, imported on use."""
        make: Make = resolve(self.code)
        return make


SECTIONS = (
    SectionEntry("summary", "reports.summary.section:sections"),
    SectionEntry("search", "reports.search.section:sections"),
    SectionEntry("scaling", "reports.curves.section:sections"),
    SectionEntry("grid", "reports.grid.section:sections"),
    SectionEntry("family", "reports.family.section:sections"),
    SectionEntry("maps", "reports.maps.section:sections"),
    SectionEntry("health", "reports.health.section:sections"),
)
