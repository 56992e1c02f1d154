"""An experiment: scaled networks trained on the workers, each with the same seeds, everything in the run's ledger."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from rich.console import Console

from scaling.experiment.config import ExperimentConfig
from scaling.experiment.rates import OWN, ChosenRates, best_factors, peak, phase_at
from scaling.experiment.regularisation import for_multiple
from search_spaces.metrics.compute import compute_all
from search_spaces.metrics.registry import METRICS
from search_spaces.networks.arch import Arch
from studies.data.dataset import Dataset
from studies.ledger.halving import Halving
from studies.ledger.ledger import Ledger
from studies.ledger.storage import sqlite_url
from studies.ledger.trial import Proposal, Record
from studies.outcome import Outcome, Rung
from studies.runs.folder import LEDGER, RunFolder
from studies.trainer.recipe import Recipe
from studies.workers.pool import WorkerPool
from studies.workers.protocol import Evaluate
from studies.workers.queue import Fixed
from studies.workers.training_job import Training, evaluate
from studies.workers.trial_batch import TrialBatch, run_trials

WEIGHTS = "weights"
"""The folder of trained weights in the run folder; another factor on the learning rate has its own."""


@dataclass(frozen=True)
class ExperimentNetwork:
    """A network of an experiment.

    arch      what is trained, as it is
    label     shown to people
    multiple  of the baseline's cost that it was made for: decides the regularisation
    notes     further plain JSON values, kept with its trials
    """

    arch: Arch
    label: str
    multiple: float
    notes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Experiment:
    """What the phases of a grid, or of curves, share.

    identity  settings that must not differ when a run resumes
    factor    on the recipe's peak learning rate
    """

    settings: ExperimentConfig
    identity: Mapping[str, Any]
    run: RunFolder
    console: Console
    data: Dataset
    workers: WorkerPool
    work: Evaluate = evaluate
    factor: float = OWN

    def at(self, factor: float) -> Experiment:
        """The experiment with another factor on the recipe's peak learning rate.

        Its phases, and so its trials, and its weights have places of their own.
        """
        return replace(self, factor=factor)

    @property
    def training(self) -> Training:
        """How networks are trained."""
        settings = self.settings
        return Training.of(
            *(settings.data, self.data, settings.schedule, self.run.path(phase_at(WEIGHTS, self.factor))),
            split_seed=settings.seed,
            images=settings.images,
            validation=settings.validation,
        )

    def train(
        self,
        phase: str,
        wanted: Sequence[tuple[ExperimentNetwork, int]],
        *,
        keep_weights: bool = False,
        test: bool = False,
        halving: int = 0,
    ) -> list[Record]:
        """Train networks with seeds; those that the ledger already has are not trained again.

        Args:
            phase: names its ledger study and its CSV file, together with the factor on the learning rate
            wanted: networks with seeds, in the order of their training (see `blocks`)
            keep_weights: keep the trained weights under the run's weights/
            test: score the trained networks on the test images
            halving: ASHA: one in so many trainings continues after each epoch; 0 is no early stopping

        Returns the trials of `wanted`. Raises ValueError if none was trained to its end, unless other learning rates
        are tried, too.

        """
        recipe, also, phase = self.training.recipe, self.settings.limited, phase_at(phase, self.factor)
        proposals = [proposal(member, seed, phase, recipe, also, self.factor) for member, seed in wanted]
        identities = {one.identity for one in proposals}
        training = self._prepared(keep_weights, test)
        with self._ledger(phase, halving) as ledger:
            table = self.run.path(f"{phase}-trials.csv")
            batch = TrialBatch(
                *(phase, len(identities), Fixed(proposals), training, _accuracy, _describe_best, table),
                counts=lambda record: record.identity in identities,
                work=self.work,
            )
            records = run_trials(batch, ledger, self.workers, self.console)
        ours = [record for record in records if record.identity in identities]
        if not self.settings.lr_per_network and not any(record.outcome is Outcome.COMPLETE for record in ours):
            raise ValueError(f"no network was trained to the end: see the outcomes in {table}")
        return ours

    def _prepared(self, keep_weights: bool, test: bool) -> Training:
        return replace(self.training, keep_weights=keep_weights, test=test)

    def _ledger(self, phase: str, halving: int) -> Ledger:
        rungs = tuple(range(1, self.settings.epochs))
        return Ledger.open(
            sqlite_url(self.run.path(LEDGER)),
            phase,
            {},
            pruner=Halving(rungs, factor=halving, phase=phase) if halving and rungs else None,
            settings=self.identity,
            seed=self.settings.seed,
        )


def blocks(members: Sequence[ExperimentNetwork], seeds: Sequence[int]) -> list[tuple[ExperimentNetwork, int]]:
    """Every network with every seed, seed by seed, so that an interrupted run has whole blocks."""
    return [(member, seed) for seed in seeds for member in members]


@dataclass(frozen=True)
class TrainedAtRates:
    """The same trainings at several factors on the recipe's peak learning rate.

    records  the trials by factor, the recipe's own rate first
    rates    the rate that counts for each network
    """

    records: Mapping[float, Sequence[Record]]
    rates: ChosenRates

    @property
    def best(self) -> list[Record]:
        """The trials of each network at the rate that counts for it."""
        chosen = self.rates.chosen
        return [
            record
            for factor, records in self.records.items()
            for record in records
            if chosen.get(record.key, OWN) == factor
        ]


def train_at_rates(
    experiment: Experiment,
    phase: str,
    wanted: Sequence[tuple[ExperimentNetwork, int]],
    *,
    keep_weights: bool = False,
    test: bool = False,
    halving: int = 0,
) -> TrainedAtRates:
    """Train networks at every learning rate of the settings, each with the same seeds; see `Experiment.train`."""
    settings = experiment.settings
    records = {
        factor: experiment.at(factor).train(phase, wanted, keep_weights=keep_weights, test=test, halving=halving)
        for factor in settings.factors
    }
    chosen = best_factors({factor: accuracies(trials) for factor, trials in records.items()})
    return TrainedAtRates(records, ChosenRates(settings.schedule.lr, settings.factors, chosen))


def proposal(
    member: ExperimentNetwork,
    seed: int,
    phase: str,
    recipe: Recipe,
    also: Iterable[str] = (),
    factor: float = OWN,
) -> Proposal:
    """The trial of a network with a seed, at a factor on the recipe's peak learning rate.

    Its metrics are all that are computed, and those named in `also`.
    """
    changes = for_multiple(recipe, member.multiple)
    if factor != OWN:
        changes["lr"] = peak(recipe.lr, factor)
    return Proposal(
        choice={},
        key=member.arch.key,
        arch=member.arch.to_json(),
        metrics=compute_all(member.arch, recipe.conditions, also),
        phase=phase,
        seed=seed,
        proposed_by=member.label,
        notes={**member.notes, "multiple": member.multiple, "recipe": changes},
    )


def accuracies(records: Sequence[Record]) -> dict[str, dict[int, float]]:
    """Validation accuracy of every complete training, by network key and seed."""
    found: dict[str, dict[int, float]] = {}
    for record in records:
        if record.outcome is Outcome.COMPLETE and record.accuracy is not None:
            found.setdefault(record.key, {})[record.seed] = record.accuracy
    return found


def scores_on_test(records: Sequence[Record]) -> dict[str, dict[int, float]]:
    """Accuracy on the test images of every training that was scored on them, by network key and seed."""
    found: dict[str, dict[int, float]] = {}
    for record in records:
        if record.outcome is Outcome.COMPLETE and "test_accuracy" in record.rungs[-1]:
            found.setdefault(record.key, {})[record.seed] = record.rungs[-1]["test_accuracy"]
    return found


def _accuracy(_: Record, rung: Rung) -> float:
    return float(rung["accuracy"])


def _describe_best(record: Record, accuracy: float) -> tuple[float, str]:
    return accuracy, f"best {accuracy:.1%} ({record.proposed_by}, {METRICS['macs'].describe(record.metrics['macs'])})"
