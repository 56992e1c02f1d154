"""The trainings of a search: candidates, then finalists beside controls; an interrupted search resumes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from rich.console import Console

from nas.controls.control import Controls
from nas.objectives.trial import metrics_at
from nas.region import SearchRegion
from nas.search import finalists
from nas.search.candidates import Candidates, choices
from nas.search.config import SearchConfig
from nas.search.step_times import step_times
from studies.data.dataset import Dataset
from studies.ledger.halving import Halving
from studies.ledger.ledger import Ledger
from studies.ledger.storage import sqlite_url
from studies.ledger.trial import Record
from studies.runs.folder import LEDGER, RunFolder
from studies.timing.step_time import StepTimes
from studies.trainer.registry import get_recipe
from studies.workers.pool import WorkerPool
from studies.workers.queue import Draws, Fixed, Score, TrialPlan
from studies.workers.training_job import Training
from studies.workers.trial_batch import TrialBatch, run_trials

TABLES = {"search": "trials.csv", "finalists": "finalists.csv"}


@dataclass(frozen=True)
class SearchRun:
    """A search in its run folder: its phases, candidates and then finalists with controls, and what they share."""

    config: SearchConfig
    region: SearchRegion
    run: RunFolder
    console: Console
    data: Dataset
    workers: WorkerPool
    controls: Controls = field(default_factory=Controls)

    @property
    def storage(self) -> str:
        """The ledger's address."""
        return self.config.storage or sqlite_url(self.run.path(LEDGER))

    @property
    def training(self) -> Training:
        """How candidates are trained."""
        return Training.of(
            *(self.config.data, self.data, get_recipe(self.config.recipe), self._folder("checkpoints")),
            proxy=self.config.proxy,
            split_seed=self.config.seed,
            step_times=self._step_times,
        )

    @property
    def finalist_training(self) -> Training:
        """How finalists are trained: the same proxy, longer, on all training images; their weights are kept."""
        proxy = replace(self.config.proxy, images=0, epochs=self.config.finalist.epochs)
        return replace(self.training, proxy=proxy, folder=str(self._folder("weights")), keep_weights=True)

    def open(self, study: str) -> Ledger:
        """One of the run's two ledgers: `search` or `finalists`."""
        config = self.config
        rungs = tuple(range(1, config.proxy.epochs))
        stops = study == "search" and not config.no_early_stopping
        halving = Halving(rungs, factor=config.reduction_factor, generation=config.generation)
        return Ledger.open(
            self.storage,
            f"{self.run.folder.name}: {study}" if config.storage else study,
            choices(self.region.space),
            directions=config.objective_function.directions,
            pruner=halving if stops else None,
            settings=config.identity(),
            seed=config.seed,
        )

    def search(self) -> list[Record]:
        """Train candidates until there are enough. Returns all of them, earlier sessions' included."""
        with self.open("search") as ledger:
            candidates = Candidates.of(self.config, self.region, ledger)
            total = self.config.trials
            plan = Draws(total, candidates.draw, generation=self.config.generation)
            batch = self._batch("search", total, plan, self.training, candidates.score)
            return run_trials(batch, ledger, self.workers, self.console, time_budget=self.config.seconds)

    def finalists(self, records: Sequence[Record]) -> list[Record]:
        """The best candidates, best first. Raises ValueError if none was trained to the end."""
        with self.open("search") as ledger:
            posterior_means = Candidates.of(self.config, self.region, ledger).posterior_means()
        chosen = finalists.choose(records, self.config.objective_function, self.config.finalist.number, posterior_means)
        if not chosen:
            raise ValueError(f"no candidate was trained to the end: see the outcomes in {self.run.path('trials.csv')}")
        return chosen

    def final(self, records: Sequence[Record]) -> list[Record]:
        """Train the best candidates longer, with each finalist seed, and the controls beside them.

        With --only-controls there are no candidates. Returns the trainings of these finalists and controls.
        """
        chosen = [] if self.config.controls.only else self.finalists(records)
        wanted = finalists.proposals(chosen, self.controls.all, self.config)
        with self.open("finalists") as ledger:
            candidates = Candidates.of(self.config, self.region, ledger)
            keys = frozenset(proposal.key for proposal in wanted)
            batch = self._batch("finalists", len(wanted), Fixed(wanted), self.finalist_training, candidates.score)
            batch = replace(batch, counts=lambda record: record.key in keys)
            trainings = run_trials(batch, ledger, self.workers, self.console)
        return [record for record in trainings if record.key in keys]

    @property
    def _step_times(self) -> StepTimes | None:
        if not self.config.objective_function.needs_step_times:
            return None
        return step_times(self.config, self.region, str(self._folder("steptimes")))

    def _batch(self, title: str, total: int, plan: TrialPlan, training: Training, score: Score) -> TrialBatch:
        return TrialBatch(title, total, plan, training, score, self._describe_best, self.run.path(TABLES[title]))

    def _describe_best(self, record: Record, accuracy: float) -> tuple[float, str]:
        value = self.config.objective_function.reward(accuracy, metrics_at(record, record.rungs[-1]))
        metric = self.config.target_metric
        return value, describe_best(value, accuracy, metric.describe(record.metrics[metric.name]))

    def _folder(self, name: str) -> Path:
        base = Path(self.config.storage_path) / self.run.folder.name if self.config.storage_path else self.run.folder
        return base.resolve() / name


def describe_best(reward: float, accuracy: float, cost: str) -> str:
    """The best trial so far in a few words."""
    return f"best reward {reward:.4f} (proxy accuracy {accuracy:.1%}, {cost})"
