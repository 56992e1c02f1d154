"""A benchmark's run folder: the finished searches of an interrupted command, and the results."""

from __future__ import annotations

import fcntl
import hashlib
import inspect
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, TextIO

import numpy as np
import yaml

import nas
import search_spaces
import studies
from nas.benchmark.analysis import BenchmarkResult, frame, plain_results
from nas.benchmark.config import BenchmarkConfig
from nas.benchmark.objective import TableObjective
from nas.benchmark.simulate import MakeOptimizer, Trace
from nas.tables.table import BenchmarkTable
from search_spaces.common import cli
from search_spaces.common.differences import describe_differences
from search_spaces.common.files import atomic_write
from studies.runs.folder import LEDGER, MANIFEST
from studies.runs.manifest import versions

CONFIG, SEARCHES = "config.yaml", "searches.jsonl"
# Files of other commands' run folders.
FOREIGN = (MANIFEST, LEDGER)
CURVES = ("observed", "recommended", "seconds")
FINGERPRINT_DIGITS = 12


@dataclass(frozen=True, eq=False)
class FinishedSearches:
    """The finished searches of a run folder; made by `opened`.

    path    the file: settings, then the traces of finished searches, a line each
    file    open and locked
    traces  the traces of earlier commands
    """

    path: Path
    file: TextIO
    traces: tuple[Trace, ...]

    def add(self, trace: Trace) -> None:
        """Write the trace of a finished search, so that the next command has it if this one dies."""
        curves = {name: getattr(trace, name).tolist() for name in CURVES}
        self.file.write(json.dumps(asdict(trace) | curves) + "\n")
        self.file.flush()

    def discard(self) -> None:
        """Delete the file, once the results are written; the next command searches anew."""
        self.path.unlink()


@contextmanager
def opened(folder: str | Path, settings: Mapping[str, Any], *, anew: bool = False) -> Iterator[FinishedSearches]:
    """The finished searches of a run folder, which is made if it does not exist; no other command writes to it within.

    `settings` are the plain values that searches depend on; `anew` drops earlier searches. Raises ValueError, in one
    line and with nothing written, if the folder is not a benchmark's, is in use, cannot be written, or holds searches
    with other settings.
    """
    path = Path(folder) / SEARCHES
    _check(path.parent)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.open("a+")
    except OSError as error:
        raise ValueError(f"cannot write to run folder {folder}: {error.strerror}") from None
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise ValueError(
                f"run folder {folder} is in use: wait for the other command, or use another --run"
            ) from None
        head, traces = ({}, ()) if anew else _read(file)
        if traces and (text := describe_differences(head, settings)):
            raise ValueError(
                f"run folder {folder} holds searches with other settings: {text}; use another --run, or --new to drop "
                "them"
            )
        if not traces:
            file.truncate(0)
            file.write(json.dumps(settings) + "\n")
            file.flush()
        yield FinishedSearches(path, file, traces)


def write_files(
    config: BenchmarkConfig, results: Sequence[BenchmarkResult], objectives: Sequence[TableObjective], report: str
) -> None:
    """Write config.yaml, results.json, curves.csv, regret.svg and report.txt."""
    from nas.benchmark.figure import draw

    folder, config = Path(config.run), replace(config, new=False)
    largest = {objective.name: objective.regret_of_largest for objective in objectives}
    plain = {
        "config": cli.plain(config),
        "largest_network": largest,
        "results": plain_results(results, config.reported_trials),
    }
    atomic_write(folder / CONFIG, cli.to_yaml(config))
    atomic_write(folder / "results.json", json.dumps(plain, indent=1) + "\n")
    atomic_write(folder / "curves.csv", frame(results).to_csv(index=False, float_format="%.6g"))
    atomic_write(folder / "regret.svg", draw(results, objectives))
    atomic_write(folder / "report.txt", report)


def fingerprint(table: BenchmarkTable, make: MakeOptimizer) -> dict[str, str]:
    """Digests of what searches depend on besides settings: the table, and the program with its packages."""
    program = hashlib.sha256(repr(versions()).encode())
    packages = [Path(str(package.__file__)).parent for package in (nas, search_spaces, studies)]
    files = [path for folder in packages for path in sorted(folder.rglob("*.py"))]
    for path in (*files, Path(inspect.getfile(make))):
        program.update(path.read_bytes())
    held = hashlib.sha256(repr(sorted(table.choices.items())).encode())
    for array in (table.network, table.measured, table.macs, table.params):
        held.update(b"-" if array is None else np.ascontiguousarray(array).tobytes())
    return {"contents": held.hexdigest()[:FINGERPRINT_DIGITS], "program": program.hexdigest()[:FINGERPRINT_DIGITS]}


def _check(folder: Path) -> None:
    """Raise ValueError for a folder that is not a benchmark's."""
    if not folder.exists():
        return
    if not folder.is_dir():
        raise ValueError(f"run folder {folder} is a file: choose another --run")
    names = {entry.name for entry in folder.iterdir()}
    ours = not names or SEARCHES in names or _is_config(folder / CONFIG)
    if not ours or names.intersection(FOREIGN):
        raise ValueError(f"folder {folder} is not empty and holds no benchmark: choose another --run")


def _is_config(path: Path) -> bool:
    """Whether a file is the configuration of a benchmark."""
    try:
        found = yaml.safe_load(path.read_text())
    except (OSError, UnicodeDecodeError, yaml.YAMLError):
        return False
    return isinstance(found, dict) and {"table", "samplers", "scores"} <= set(found)


def _read(file: TextIO) -> tuple[dict[str, Any], tuple[Trace, ...]]:
    """The settings and the traces; an incomplete last line is cut off."""
    file.seek(0)
    lines, end = [], 0
    while (line := file.readline()).endswith("\n"):
        lines.append(line)
        end = file.tell()
    file.truncate(end)
    try:
        head, *others = [json.loads(line) for line in lines] or [{}]
        return head, tuple(Trace(**row | {name: np.array(row[name]) for name in CURVES}) for row in others)
    except (ValueError, TypeError, KeyError):
        raise ValueError(f"cannot read {file.name}: choose another --run, or use --new to drop it") from None
