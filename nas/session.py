"""One search from beginning to end, or from where an earlier session of it was ended."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from rich.console import Console

from nas import finalists
from nas.candidates import Candidates, Field, choices
from nas.config import SearchConfig
from search_spaces.units import format_count
from studies.candidate import Training, evaluate
from studies.data import Dataset
from studies.execution import Execution
from studies.export import write_csv
from studies.jobs import Draws, Fixed, Jobs, Plan, Score
from studies.ledger import Ledger
from studies.outcome import Outcome
from studies.progress import Progress
from studies.recipe import get_recipe
from studies.record import Record
from studies.runs import Run
from studies.stopping import Halving
from studies.storage import sqlite_url
from studies.workers import execute

TABLES = {"search": "trials.csv", "finalists": "finalists.csv"}

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Phase:
    """One of a search's two phases: what is wanted and how it is trained. `keys` are the networks that count."""

    title: str
    total: int
    plan: Plan
    training: Training
    keys: frozenset[str] | None = None


@dataclass(frozen=True)
class Session:
    """What the two phases of a search, candidates and finalists, share."""

    config: SearchConfig
    field: Field
    run: Run
    console: Console
    data: Dataset
    workers: int | None = None

    @property
    def storage(self) -> str:
        """The ledger's address."""
        return self.config.storage or sqlite_url(self.run.path("ledger.db"))

    @property
    def training(self) -> Training:
        """How candidates are trained."""
        return Training(
            dataset=self.config.dataset,
            recipe=get_recipe(self.config.recipe),
            proxy=self.config.proxy,
            data_root=str(Path(self.config.data_root).resolve()),
            split_seed=self.config.seed,
            folder=str(self._folder("checkpoints")),
            corrupt=self.data.corrupt,
        )

    @property
    def longer(self) -> Training:
        """How finalists are trained: the same proxy, longer, on all training images; their weights are kept."""
        proxy = replace(self.config.proxy, images=0, epochs=self.config.finalist_epochs)
        return replace(self.training, proxy=proxy, folder=str(self._folder("weights")), keep_weights=True)

    def open(self, study: str) -> Ledger:
        """One of the run's two ledgers: `search` or `finalists`."""
        single = len(self.config.aim.directions) == 1
        rungs = range(1, self.config.proxy.epochs)
        stops = self.config.scheduler == "asha" and study == "search" and single
        return Ledger.open(
            self.storage,
            f"{self.run.folder.name}: {study}" if self.config.storage else study,
            choices(self.field.space),
            directions=self.config.aim.directions,
            pruner=Halving(tuple(rungs), factor=self.config.reduction_factor) if stops else None,
            settings=self.config.identity(),
            seed=self.config.seed,
        )

    def search(self) -> list[Record]:
        """Train candidates until there are enough. Returns all of them, earlier sessions' included."""
        with self.open("search") as ledger:
            candidates = Candidates.of(self.config, self.field, ledger)
            execution = replace(self.config.execution, time_budget=self.config.seconds)
            phase = Phase("search", self.config.trials, Draws(self.config.trials, candidates.draw), self.training)
            return self._execute(phase, ledger, candidates.score, execution)

    def final(self, records: Sequence[Record]) -> list[Record]:
        """Train the best candidates longer, with several seeds. Returns the trainings of these finalists."""
        chosen = finalists.choose(records, self.config.aim, self.config.finalists)
        if not chosen:
            raise ValueError(f"no candidate was trained to the end: see the outcomes in {self.run.path('trials.csv')}")
        wanted = finalists.proposals(chosen, self.config)
        with self.open("finalists") as ledger:
            candidates = Candidates.of(self.config, self.field, ledger)
            keys = frozenset(record.key for record in chosen)
            phase = Phase("finalists", len(wanted), Fixed(wanted), self.longer, keys)
            trainings = self._execute(phase, ledger, candidates.score, self.config.execution)
        return [record for record in trainings if record.key in keys]

    def _execute(self, phase: Phase, ledger: Ledger, score: Score, execution: Execution) -> list[Record]:
        wanted = [record for record in ledger.records() if phase.keys is None or record.key in phase.keys]
        done = min(phase.total, sum(record.is_final for record in wanted))
        with Progress(self.console, phase.title, phase.total, self.workers, done) as progress:
            watch = _Watch(ledger, phase.training, self.config, progress)
            jobs = Jobs(ledger, phase.plan, score, payload=phase.training.payload(), watch=watch)
            if not jobs.is_finished():
                usage = execute(jobs, evaluate, execution=execution)
                _log.info(
                    "%s: %d trials, %.1f %% of worker time spent training, first trial after %.0f s, then %.0f s",
                    *(phase.title, usage.jobs, 100 * usage.utilisation, usage.startup, usage.wall),
                )
        for record in ledger.records():
            # A worker of a killed driver may have written one after its trial was run again.
            phase.training.discard(record)
        write_csv(ledger, self.run.path(TABLES[phase.title]))
        return ledger.records()

    def _folder(self, name: str) -> Path:
        base = Path(self.config.storage_path) / self.run.folder.name if self.config.storage_path else self.run.folder
        return base.resolve() / name


class _Watch:
    """Told of every change of a trial: shows it, logs it, and removes checkpoints that are of no use any more."""

    def __init__(self, ledger: Ledger, training: Training, config: SearchConfig, progress: Progress) -> None:
        self._training, self._aim, self._progress = training, config.aim, progress
        self._seen: dict[int, int] = {}
        self._best: tuple[float, str] = (float("-inf"), "")
        for record in ledger.records():
            self._consider(record)
        progress.best = self._best[1]

    def __call__(self, event: str, record: Record) -> None:
        if event == "begin":
            self._progress.begun()
        elif event == "rung":
            images = record.rungs[-1].get("images", 0)
            self._progress.trained(images - self._seen.get(record.number, 0))
            self._seen[record.number] = images
        elif record.outcome is not None:
            self._ended(record, record.outcome)

    def _ended(self, record: Record, outcome: Outcome) -> None:
        self._consider(record)
        self._progress.ended(outcome, self._best[1])
        _log.info("trial %d %s %s %s", record.number, record.key, outcome, record.reason)
        self._training.discard(record)

    def _consider(self, record: Record) -> None:
        if record.outcome is not Outcome.COMPLETE or record.accuracy is None:
            return
        value = self._aim.reward(record.accuracy, record.macs)
        if value > self._best[0]:
            self._best = (value, describe_best(value, record.accuracy, record.macs))


def describe_best(reward: float, accuracy: float, macs: int) -> str:
    """The best trial so far in a few words."""
    return f"best reward {reward:.4f} (proxy accuracy {accuracy:.1%}, {format_count(macs, digits=4)} FLOPs)"
