"""A benchmark's run folder: that it is one, and the games that are over, so that the same command goes on."""

from __future__ import annotations

import fcntl
import hashlib
import inspect
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TextIO

import numpy as np
import yaml

import nas
import search_spaces
import studies
from nas.benchmark.simulate import MakeOptimizer, Trace
from nas.tables.table import BenchmarkTable
from search_spaces.common.differences import describe_differences
from studies.runs.manifest import versions

CONFIG, GAMES = "config.yaml", "games.jsonl"
# What other commands leave in a folder of theirs.
OTHERS = ("manifest.json", "ledger.db")
CURVES = ("observed", "recommended", "seconds")
SHORT = 12  # digits of a fingerprint


@dataclass(frozen=True, eq=False)
class FinishedSearches:
    """The games of a run folder; made by `opened`.

    path    the file: settings, then the traces of games that are over, a line each
    file    open and locked
    played  the traces of earlier commands
    """

    path: Path
    file: TextIO
    played: tuple[Trace, ...]

    def add(self, trace: Trace) -> None:
        """Keep a game that is over: whatever happens to this process, the next command has it."""
        curves = {name: getattr(trace, name).tolist() for name in CURVES}
        self.file.write(json.dumps(asdict(trace) | curves) + "\n")
        self.file.flush()

    def discard(self) -> None:
        """Forget them, as what came out is written down; the next command plays anew."""
        self.path.unlink()


@contextmanager
def opened(folder: str | Path, settings: Mapping[str, Any], *, anew: bool = False) -> Iterator[FinishedSearches]:
    """The games of a run folder, which is made if it is not there; nobody else writes to them within.

    `settings` are plain values that decide how a game goes; `anew` drops what was played before. Raises ValueError, in
    one line and with nothing written, where the folder is another's, is in use, cannot be written, or holds games of
    other settings.
    """
    path = Path(folder) / GAMES
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
            raise ValueError(f"run folder {folder} is in use: wait for it, or choose another --run") from None
        head, traces = ({}, ()) if anew else _read(file)
        if traces and (text := describe_differences(head, settings)):
            raise ValueError(
                f"run folder {folder} holds unfinished games of other settings: {text}; choose another --run, or give "
                "--new to drop them"
            )
        if not traces:
            file.truncate(0)
            file.write(json.dumps(settings) + "\n")
            file.flush()
        yield FinishedSearches(path, file, traces)


def fingerprint(table: BenchmarkTable, make: MakeOptimizer) -> dict[str, str]:
    """What a game depends on besides its settings, in short: the table, the program and its packages."""
    program = hashlib.sha256(repr(versions()).encode())
    packages = [Path(str(package.__file__)).parent for package in (nas, search_spaces, studies)]
    files = [path for folder in packages for path in sorted(folder.rglob("*.py"))]
    for path in (*files, Path(inspect.getfile(make))):
        program.update(path.read_bytes())
    held = hashlib.sha256(repr(sorted(table.choices.items())).encode())
    for array in (table.network, table.measured, table.macs, table.params):
        held.update(b"-" if array is None else np.ascontiguousarray(array).tobytes())
    return {"contents": held.hexdigest()[:SHORT], "program": program.hexdigest()[:SHORT]}


def _check(folder: Path) -> None:
    """Raise ValueError where a folder is another's."""
    if not folder.exists():
        return
    if not folder.is_dir():
        raise ValueError(f"run folder {folder} is a file: choose another --run")
    names = {entry.name for entry in folder.iterdir()}
    ours = not names or GAMES in names or _is_config(folder / CONFIG)
    if not ours or names.intersection(OTHERS):
        raise ValueError(f"folder {folder} is not empty and holds no benchmark: choose another --run")


def _is_config(path: Path) -> bool:
    """Whether a file is the configuration of a benchmark."""
    try:
        found = yaml.safe_load(path.read_text())
    except (OSError, UnicodeDecodeError, yaml.YAMLError):
        return False
    return isinstance(found, dict) and {"table", "samplers", "scores"} <= set(found)


def _read(file: TextIO) -> tuple[dict[str, Any], tuple[Trace, ...]]:
    """The settings and the traces; a last line that was not written to its end is cut off."""
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
        raise ValueError(f"cannot read {file.name}: choose another --run, or give --new to drop it") from None
