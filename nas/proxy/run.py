"""The trainings of a proxy study and its zero-cost proxies, run on the workers and kept in the ledger of the run."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property, partial

from rich.console import Console

from nas.proxy.config import ProxyConfig
from nas.proxy.grid import different, name_of
from nas.zero_cost.job import score_network
from search_spaces.common.units import format_count
from search_spaces.metrics.compute import compute_all
from search_spaces.networks.arch import Arch
from studies.data.dataset import Dataset
from studies.ledger.ledger import Ledger
from studies.ledger.storage import sqlite_url
from studies.ledger.trial import Proposal, Record
from studies.outcome import Rung
from studies.runs.folder import LEDGER, RunFolder
from studies.trainer.recipe import Proxy
from studies.trainer.registry import get_recipe
from studies.workers.pool import WorkerPool
from studies.workers.protocol import Evaluate
from studies.workers.queue import Fixed
from studies.workers.training_job import Training, evaluate
from studies.workers.trial_batch import TrialBatch, run_trials

# The phases of trials other than those of proxies. They enter the seeds, so their texts may not change.
REFERENCE, ZERO_COST = "reference", "measures"
FOLDER = "trainings"
# The reference's seeds differ from the proxies' seed: a common seed would look like agreement.
REFERENCE_SEEDS = 1000


@dataclass(frozen=True)
class Setting:
    """One way to train or score the networks of the sample.

    name    of its ledger study and files; for proxies also what people call it
    seeds   each network is trained with each of them
    work    what a worker does with a network: it trains it, by default
    """

    name: str
    proxy: Proxy
    recipe: str
    seeds: tuple[int, ...]
    work: Evaluate = evaluate

    @property
    def file(self) -> str:
        """The name as a file's."""
        return self.name.replace(" ", "-")


@dataclass(frozen=True)
class ProxyStudy:
    """A proxy study in its run folder.

    archs         the sample, in the order of training
    train         what a worker does with a network of the trainings
    score         the same of the zero-cost proxies; by default it computes them
    """

    config: ProxyConfig
    archs: Sequence[Arch]
    run: RunFolder
    console: Console
    data: Dataset
    workers: WorkerPool
    train: Evaluate = evaluate
    score: Evaluate | None = None

    @cached_property
    def settings(self) -> tuple[Setting, ...]:
        """Everything that is run: zero-cost proxies, the reference, the different proxies, the cheapest first."""
        config = self.config
        seeds = tuple(config.seed + REFERENCE_SEEDS + index for index in range(config.against_seeds))
        reference = Setting(REFERENCE, config.against, config.against_recipe, seeds, self.train)
        score = self.score or partial(score_network, names=config.zero_cost)
        zero_cost = Setting(ZERO_COST, config.against, config.against_recipe, (config.seed,), score)
        return (zero_cost, reference, *self.proxies)

    @cached_property
    def proxies(self) -> tuple[Setting, ...]:
        """The different proxies of the grid, the least work first."""
        ordered = different(self.config.proxies, self.archs, len(self.data.train))
        return tuple(Setting(name_of(p), p, self.config.recipe, (self.config.seed,), self.train) for p in ordered)

    def carry_out(self) -> dict[str, list[Record]]:
        """Train what is missing, until the time budget ends. Returns each setting's trials of this sample."""
        began, budget = time.monotonic(), self.config.seconds
        found: dict[str, list[Record]] = {}
        for setting in self.settings:
            left = None if budget is None else budget - (time.monotonic() - began)
            found[setting.name] = self._train(setting, left)
        return found

    def is_complete(self, found: dict[str, list[Record]]) -> bool:
        """Whether every training was tried."""
        return all(
            sum(record.is_final for record in found[setting.name]) >= len(self.archs) * len(setting.seeds)
            for setting in self.settings
        )

    def _train(self, setting: Setting, seconds: float | None) -> list[Record]:
        """One setting; with no seconds left only the trials that the ledger holds already."""
        metrics = self.config.region_metrics
        wanted = [proposal(arch, setting, seed, metrics) for seed in setting.seeds for arch in self.archs]
        identities = {one.identity for one in wanted}
        table = self.run.path(f"{FOLDER}/{setting.file}.csv")
        table.parent.mkdir(exist_ok=True)
        batch = TrialBatch(
            *(setting.name, len(identities), Fixed(wanted), self._training(setting), _objective, _describe_best, table),
            counts=lambda record: record.identity in identities,
            work=setting.work,
        )
        with self._ledger(setting) as ledger:
            if seconds is None or seconds > 0:
                records = run_trials(batch, ledger, self.workers, self.console, time_budget=seconds)
            else:
                records = ledger.records()
        return [record for record in records if record.identity in identities]

    def _training(self, setting: Setting) -> Training:
        folder = self.run.path(f"checkpoints/{setting.file}")
        config, recipe = self.config, get_recipe(setting.recipe)
        return Training.of(config.data, self.data, recipe, folder, proxy=setting.proxy, split_seed=config.seed)

    def _ledger(self, setting: Setting) -> Ledger:
        settings = {**self.config.identity(), "trained": asdict(setting.proxy)}
        url = sqlite_url(self.run.path(LEDGER))
        return Ledger.open(url, setting.name, {}, settings=settings, seed=self.config.seed)


def proposal(arch: Arch, setting: Setting, seed: int, metrics: Iterable[str] = ()) -> Proposal:
    """The trial of a network with a seed; `metrics` are names of further ones to store."""
    return Proposal(
        choice={},
        key=arch.key,
        arch=arch.to_json(),
        metrics=compute_all(arch, get_recipe(setting.recipe).conditions, metrics),
        phase=setting.name,
        seed=seed,
        proposed_by="uniform in its slice of the band",
    )


def _objective(_: Record, rung: Rung) -> float:
    """The accuracy of a training; 0 for zero-cost proxies, which train nothing."""
    return float(rung.get("accuracy", 0.0))


def _describe_best(record: Record, accuracy: float) -> tuple[float, str]:
    spent = format_count(round(record.metrics["macs"]), digits=4)
    return accuracy, f"best {accuracy:.1%} ({spent} FLOPs)"
