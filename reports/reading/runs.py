"""Run folders as data. Missing or broken files are noted; only a folder that is no run raises."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import pandas as pd
import yaml

from scaling.experiment.rates import phases_at
from search_spaces.common.settings import value_at
from search_spaces.networks.arch import Arch
from studies.runs.folder import LEDGER

if TYPE_CHECKING:
    from studies.ledger.trial import Record

T = TypeVar("T")


class Kind(StrEnum):
    """What kind of experiment a run folder holds."""

    SEARCH = "search"
    GRID = "grid"
    CURVES = "curves"


# The ledger's studies of each kind, in the order of their trainings.
STUDIES = {Kind.SEARCH: ("search", "finalists"), Kind.GRID: ("grid", "choice"), Kind.CURVES: ("curves",)}
# The same where networks have learning rates of their own: each is a study for every rate.
WITH_RATES = {Kind.GRID: ("grid", "paper", "choice"), Kind.CURVES: ("curves",)}


@dataclass(frozen=True)
class RunData:
    """A run folder as it is found; parts that are missing or broken are empty, and `notes` say so.

    folder    where it lies
    kind      search, grid or curves
    config    config.yaml
    manifest  manifest.json: status, sessions with command, versions, commit, machine
    trials    by study, one row a trial (see studies.ledger.frame): from the CSV files, or from the ledger of a run
              that is not finished
    result    result.json (search), coefficients.json (grid) or curves.json (curves)
    table     networks.csv (grid) or curves.csv (curves); empty for a search
    notes     what could not be read, a line each
    label     what the run is called in a report, where its folder's name will not do
    """

    folder: Path
    kind: Kind
    config: Mapping[str, Any]
    manifest: Mapping[str, Any]
    trials: Mapping[str, pd.DataFrame]
    result: Mapping[str, Any]
    table: pd.DataFrame
    notes: list[str] = field(default_factory=list)
    label: str = ""
    _known: dict[str, list[Record]] = field(default_factory=dict, repr=False, compare=False)

    @property
    def name(self) -> str:
        """What the run is called: its folder's name, unless it was given a label."""
        return self.label or self.folder.resolve().name

    @property
    def status(self) -> str:
        """As the manifest has it: running, finished, interrupted, failed."""
        return str(self.manifest.get("status", "unknown"))

    def setting(self, name: str, default: Any = None) -> Any:
        """The value of a setting of config.yaml by its dotted name; the default where it is missing or null."""
        value = value_at(self.config, name)
        return default if value is None else value

    def arch(self, name: str) -> Arch | None:
        """An arch file of the run (best.json, choice.json); None, with a note, where it is missing or broken."""
        return self._tried(name, Arch.load)

    def records(self, study: str) -> list[Record]:
        """The trials of a study of the ledger with their rungs, notes and archs; none where there is no ledger."""
        if study not in self._known:
            self._known[study] = _records(self.folder, study, self.notes)
        return self._known[study]

    def _tried(self, name: str, read: Callable[[Path], T]) -> T | None:
        return _tried(self.folder / name, read, self.notes)


def read_run(folder: str | Path) -> RunData:
    """A run folder, finished or running. Raises ValueError, in one line, where the folder is none of a known kind."""
    path = Path(folder)
    if not path.is_dir():
        raise ValueError(f"{path} is no run folder: it does not exist")
    notes: list[str] = []
    config = _tried(path / "config.yaml", lambda file: yaml.safe_load(file.read_text()), notes)
    manifest = _tried(path / "manifest.json", lambda file: json.loads(file.read_text()), notes)
    config, manifest = (value if isinstance(value, dict) else {} for value in (config, manifest))
    kind = _kind(config)
    if kind is None:
        raise ValueError(f"{path} holds no run of nas.search, scaling.grid or scaling.curves")
    names = {Kind.SEARCH: "result.json", Kind.GRID: "coefficients.json", Kind.CURVES: "curves.json"}
    result = _optional(path / names[kind], lambda file: json.loads(file.read_text()), notes)
    tables = {Kind.GRID: "networks.csv", Kind.CURVES: "curves.csv"}
    table = _optional(path / tables[kind], _whole_csv, notes) if kind in tables else None
    known: dict[str, list[Record]] = {}
    finished = manifest.get("status") == "finished"
    trials = {study: _trials(path, study, finished, known, notes) for study in _studies(kind, config)}
    empty = pd.DataFrame()
    return RunData(
        path, kind, config, manifest, trials, result if isinstance(result, dict) else {},
        empty if table is None else table, notes, _known=known,
    )  # fmt: skip


def _kind(config: Mapping[str, Any]) -> Kind | None:
    # A proxy study has a target, too, and a training that it compares with.
    if "target_flops" in config and "against" not in config:
        return Kind.SEARCH
    if "choice_seeds" in config:
        return Kind.GRID
    return Kind.CURVES if "multiples" in config else None


def _studies(kind: Kind, config: Mapping[str, Any]) -> Sequence[str]:
    factors = config.get("lr_factors")
    if not config.get("lr_per_network") or not isinstance(factors, list):
        return STUDIES[kind]
    numbers = [float(factor) for factor in factors if isinstance(factor, int | float)]
    return [study for phase in WITH_RATES.get(kind, ()) for study in phases_at(phase, numbers)]


def _trials(path: Path, study: str, finished: bool, known: dict[str, list[Record]], notes: list[str]) -> pd.DataFrame:
    """A study's trials from its CSV file, or from the ledger of an unfinished run, whose CSV file has too few.

    What was read of the ledger joins `known`.
    """
    name = {"search": "trials.csv", "finalists": "finalists.csv"}.get(study, f"{study}-trials.csv")
    found = _optional(path / name, _whole_csv, notes)
    if found is not None and finished:
        return found
    from studies.ledger.frame import rows_of

    known[study] = _records(path, study, notes)
    return pd.DataFrame(rows_of(known[study])) if known[study] or found is None else found


def _whole_csv(path: Path) -> pd.DataFrame:
    """A CSV file. Raises ValueError if it was cut off: the rest of its last line could pass for a trial."""
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - 1))
        if file.read() not in (b"\n", b""):
            raise ValueError("it ends in the middle of a line")
    # "nan" is an outcome; only what is empty is missing.
    return pd.read_csv(path, keep_default_na=False, na_values=[""])


def _records(path: Path, study: str, notes: list[str]) -> list[Record]:
    from studies.ledger.ledger import Ledger
    from studies.ledger.storage import sqlite_url

    database = path / LEDGER
    if not database.exists():
        return []
    try:
        with Ledger.open(sqlite_url(database), study, {}, read_only=True) as ledger:
            return ledger.records()
    except ValueError as error:
        if "holds no study" not in str(error):
            notes.append(f"{database}: {error}")
        return []


def _optional(path: Path, read: Callable[[Path], T], notes: list[str]) -> T | None:
    """What `read` makes of a file; None where there is none yet, or, with a note, where it is broken."""
    return _tried(path, read, notes) if path.exists() else None


def _tried(path: Path, read: Callable[[Path], T], notes: list[str]) -> T | None:
    try:
        return read(path)
    except (OSError, ValueError, yaml.YAMLError) as error:
        notes.append(f"{path.name} cannot be read: {' '.join(str(error).split())[:200]}")
        return None
