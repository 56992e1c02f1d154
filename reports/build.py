"""Make a report of finished or running runs: `python -m reports.build runs/search runs/curves`."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from reports.config import ReportConfig
from reports.registry import SECTIONS, SectionEntry
from search_spaces.common import cli
from search_spaces.common.folders import OutputFolder
from search_spaces.common.text import one_line

if TYPE_CHECKING:
    from reports.page.content import Section
    from reports.reading.runs import RunData

DESCRIPTION = (
    "Make a report of run folders (of nas.search, scaling.grid, scaling.curves), finished or running. Writes "
    "report.html, one self-contained page, every figure as SVG and PNG, every table as CSV, and report.md for a pull "
    "request. Trains nothing."
)
USAGE = "python -m reports.build RUN [RUN ...]"
FOLDER = "report"
FORMAT, INDEX = "triaxis-report-1", "report.json"


def main(argv: Sequence[str]) -> int:
    """Run the command. Raises ValueError for a user's mistake, before anything is written."""
    folders, flags = split(argv)
    config = cli.parse(ReportConfig, flags, prog=USAGE, description=DESCRIPTION)
    if not folders:
        raise ValueError(f"no run folder given: {USAGE}")
    from reports.page import page

    entries = [SECTIONS.row(name) for name in config.sections]
    out = OutputFolder(Path(config.out) if config.out else default_out(folders), FORMAT, INDEX)
    out.check()
    runs = read(folders)
    sections = gather(runs, entries)
    files = page.write_up(*headings(runs), sections)
    missing = [line for section in sections for line in section.missing]
    out.replace(files, {"runs": [str(run.folder.resolve()) for run in runs], "missing": missing})
    print(f"report    {out.path / page.PAGE}")
    for place, line in enumerate(missing):
        print(f"{'missing' if not place else '':<10}{line}")
    return 0


def split(argv: Sequence[str]) -> tuple[list[str], list[str]]:
    """Run folders, and flags with their values."""
    folders: list[str] = []
    flags: list[str] = []
    words = iter(argv)
    for word in words:
        if not word.startswith("-"):
            folders.append(word)
            continue
        flags.append(word)
        if word in ("--out", "--config"):
            flags.extend(value for value in [next(words, None)] if value is not None)
        elif word == "--sections":
            flags.extend(words)
    return folders, flags


def default_out(folders: Sequence[str]) -> Path:
    """The default folder of a report on these runs."""
    first = Path(folders[0])
    return first / FOLDER if len(folders) == 1 else first.parent / FOLDER


def read(folders: Sequence[str]) -> list[RunData]:
    """The runs, each folder once, under unique names. Raises ValueError for a folder that is no run."""
    from reports.reading.runs import read_run

    different = {Path(name).resolve(): Path(name) for name in folders}
    runs = [read_run(path) for path in different.values()]
    return [dataclasses.replace(run, label=label) for run, label in zip(runs, labels(list(different)), strict=True)]


def labels(paths: Sequence[Path]) -> list[str]:
    """The folders' names, preceded by parent folders as far as needed to make them unique."""
    for depth in range(1, max(len(path.parts) for path in paths)):
        names = ["/".join(path.parts[-depth:]) for path in paths]
        if len(set(names)) == len(names):
            return names
    return [str(path) for path in paths]


def headings(runs: Sequence[RunData]) -> tuple[str, str]:
    """The page's title and the line below it."""
    data = list(dict.fromkeys(str(run.setting("data.dataset", "unknown data")) for run in runs))
    words = {"search": "architecture search", "grid": "scaling coefficients", "curves": "scaling curves"}
    kinds = list(dict.fromkeys(words[run.kind] for run in runs))
    listed = ", ".join(f"{run.name} ({run.status})" for run in runs)
    title = ", ".join(kinds)
    return f"{title[0].upper()}{title[1:]} on {', '.join(data)}", f"Made of {listed}."


def gather(runs: Sequence[RunData], entries: Iterable[SectionEntry] = tuple(SECTIONS.values())) -> list[Section]:
    """All sections of a report, in the page's order. A section that fails is replaced by one with the error."""
    return [section for entry in entries for section in _made(entry, runs)]


def _made(entry: SectionEntry, runs: Sequence[RunData]) -> list[Section]:
    from reports.page.content import Section

    try:
        made = entry.make(runs)
        if not isinstance(made, list) or not all(isinstance(one, Section) for one in made):
            raise TypeError("it must return a list of Section (reports.page.content)")
        return made
    except Exception as error:  # a run may be broken in unforeseen ways; the rest of the page is still worth reading
        line = f"the section {entry.name} could not be made: {type(error).__name__}: {one_line(str(error))}"
        return [Section(f"{entry.name}-failed".replace(":", "-"), entry.name.capitalize(), missing=[line])]


if __name__ == "__main__":
    raise SystemExit(cli.run(main))
