"""The settings of a report. Imports nothing heavy."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ReportConfig:
    """A report.

    Attributes:
        out: Folder to write; an earlier report in it is replaced. Default: "report" in the run folder, or beside the
            first of several runs.

    """

    out: str = ""
