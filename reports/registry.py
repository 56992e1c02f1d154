"""The sections of a report, a row each, in the order of the page."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from search_spaces.common.registry import Registry, Row

if TYPE_CHECKING:
    from reports.page.content import Section
    from reports.reading.runs import RunData

Make = Callable[[Sequence["RunData"]], "list[Section]"]
"""Makes the sections of all runs; none if it has nothing to show."""


@dataclass(frozen=True, kw_only=True)
class SectionEntry(Row):
    """A kind of section. Its code is the function that makes it (see `Make`).

    reads    the command, or the file, that it needs; "all" for any run
    content  what it shows
    """

    reads: str = ""
    content: str = ""

    @property
    def make(self) -> Make:
        """The function, imported on use."""
        make: Make = self.load()
        return make


def adopt(name: str, found: Any) -> SectionEntry:
    """The row of a user's section."""
    try:
        inspect.signature(found).bind([])
    except (TypeError, ValueError):
        raise ValueError(
            "must be a function of one argument, the runs, that returns a list of Section (reports.page.content)"
        ) from None
    return SectionEntry(name=name, code=name, label=name)


SECTIONS = Registry(
    "section",
    [
        SectionEntry(
            name="summary",
            code="reports.summary.section:sections",
            label="answers in a few sentences",
            reads="all",
            content="the question; the answer in two sentences with intervals; worker hours, images trained on; "
            "data, machine, versions, seeds, commit; the command that repeats it",
        ),
        SectionEntry(
            name="search",
            code="reports.search.section:sections",
            label="candidates and finalists",
            reads="nas.search",
            content="the verdict over controls, reward over trials and compute, accuracy against FLOPs with the Pareto "
            "front, finalists, the winner's table, importance of the choices",
        ),
        SectionEntry(
            name="scaling",
            code="reports.curves.section:sections",
            label="scaling curves",
            reads="scaling.curves",
            content="accuracy against cost by scaling strategy, the differences with intervals, the fitted law, "
            "EN's Figures 3 and 4 on this baseline",
        ),
        SectionEntry(
            name="grid",
            code="reports.grid.section:sections",
            label="the grid of scaling coefficients",
            reads="scaling.grid",
            content="the networks in order, those not significantly different from the best, the choice beside the "
            "paper's",
        ),
        SectionEntry(
            name="family",
            code="reports.family.section:sections",
            label="the family of scaled networks",
            reads="coefficients",
            content="the networks for phi = 0, 1, 2, ...",
        ),
        SectionEntry(
            name="maps",
            code="reports.maps.section:sections",
            label="class activation maps",
            reads="weights of scaling.curves",
            content="class activation maps: what the networks look at",
        ),
        SectionEntry(
            name="health",
            code="reports.health.section:sections",
            label="how the runs went",
            reads="all",
            content="outcomes, retries, seconds per training, busy times of workers, and warnings",
        ),
    ],
    adopt,
)
