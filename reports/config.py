"""The settings of a report. Imports nothing heavy."""

from __future__ import annotations

from dataclasses import dataclass

from reports.registry import SECTIONS
from search_spaces.common.settings import setting


@dataclass(frozen=True)
class ReportConfig:
    """A report.

    Attributes:
        out: Folder to write; an earlier report in it is replaced. Default: "report" in the run folder, or beside the
            first of several runs.
        sections: Sections to show, in this order: {names}. It comes behind the run folders, because all words after it
            are names.

    """

    out: str = ""
    sections: tuple[str, ...] = setting(tuple(SECTIONS), registry="reports.registry:SECTIONS")
