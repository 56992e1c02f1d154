"""The settings of a search: one frozen dataclass for Python, YAML and the command line. Imports nothing heavy."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Any

from nas.objectives import PARAMS_WEIGHT, TRAINING_AWARE, USED_BY, WEIGHT, Objective
from nas.region import RegionConfig
from nas.samplers import registry as samplers
from search_spaces.common import cli
from search_spaces.common.checks import as_flags, check_minimum, flag_of, parsed
from search_spaces.common.suggest import nearest
from search_spaces.common.units import format_count, parse_duration
from studies.data.registry import BUNDLED
from studies.timing.step_time import SOURCES
from studies.trainer.recipe import Proxy
from studies.trainer.registry import get_recipe
from studies.workers.config import PLACEMENT, TrialConfig
from studies.workers.resources import Execution

SCHEDULERS = ("asha", "none")
GENERATION = 8
MINIMUM = {
    "trials": 1, "finalists": 1, "finalist_seeds": 1, "finalist_epochs": 1, "reduction_factor": 2, "resolution": 0,
    "retries": 0, "seed": 0, "step_batch": 0,
}  # fmt: skip
# Settings of the training-aware objective, which say nothing to others.
STEP_TIME_SETTINGS = frozenset(name for name, objectives in USED_BY.items() if objectives == (TRAINING_AWARE,))
# Settings that say how much to do and where, not what is being judged: a run may go on with others.
EXTENDABLE = frozenset({"trials", "finalists", "finalist_seeds"})
RESUMABLE = EXTENDABLE | PLACEMENT | {"time_budget", "storage", "storage_path"}


@dataclass(frozen=True)
class SearchConfig(RegionConfig, TrialConfig):
    """A search for a baseline network near a target cost.

    Attributes:
        target_flops: Target cost of the full network, T, such as 400M. FLOPs are multiply-adds, as in the papers.
        space: Search space: mnasnet, small for 28 to 64 px images, or efficientnetv2.
        reference: Network that the space varies; for mnasnet mobilenet_v2 (unless given) or mnasnet_a1, for
            efficientnetv2 efficientnet_b4 (unless given), efficientnet_b0, efficientnetv2_b0 or efficientnetv2_s.
        resolution: Input side in pixels of the full network, which cost and target speak of; 0 is the space's default.
        width: Factor on the widths of the network that the space varies.
        sampler: predictor (nsga2 with objective pareto) unless given; random, tpe, nsga2, gp, evolution or ppo:
            docs/samplers.md says when to use which.
        objective: soft (MnasNet reward), hard (no reward lost below T, T/FLOPs above), accuracy, pareto, or
            training-aware (EfficientNetV2's accuracy * S^w * P^v: training-step time and parameters of the full
            network, over those of the network that the space varies).
        weight: soft, pareto and training-aware, exponent w of the soft reward, or of the step time S.
        params_weight: training-aware, exponent v of the parameters P.
        step_times: training-aware, measured (steps of each full network) or layers (the sum of its layers' times, each
            layer's shape measured once).
        step_batch: training-aware, images in a step; 0 is the largest power of two up to 32 that fits 2GiB.
        cost_band: Candidates' multiply-adds, lowest and highest, as multiples of the target.
        dataset: fashion-mnist-mini (bundled), fashion-mnist, cifar10, cifar100, or imagefolder:DIR.
        data_root: Where downloaded data sets lie.
        proxy: The cheaper network that ranks candidates.
        recipe: How networks are trained, by name: quick, standard, one-cycle, efficientnet, efficientnetv2_s, _m or _l.
        scheduler: asha (candidates behind at a rung are stopped) or none.
        reduction_factor: asha: one in so many candidates goes on from a rung.
        trials: Candidates to judge.
        deterministic: Draw candidates in generations of 8, so that any number of workers gives the same trials; workers
            wait at the end of each generation.
        time_budget: Seconds, or 10m, 2h: start no candidate after this; 0 is no limit.
        finalists: How many of the best are trained longer, with several seeds, before the winner is named.
        finalist_seeds: Seeds a finalist; under 2 there are no intervals.
        finalist_epochs: Passes over all training images for a finalist.
        workers: Candidates trained at once; by default as many as fit. 0: one by one in this process, without Ray.
        cpus_per_trial: CPU cores (and threads) of a candidate.
        gpus_per_trial: GPUs of a candidate, fractions allowed; a GPU is shared evenly among the workers unless given.
        ray_address: An existing Ray cluster, such as auto or host:6379; this machine alone unless given.
        retries: How often a candidate whose worker died is tried again.
        storage: Optuna storage URL of the ledger, where the run folder's name is the study's, so that several machines
            can share it; ledger.db in the run folder unless given.
        storage_path: Folder, seen by all workers and drivers, for checkpoints and weights; the run folder unless given.
        tensorboard: Write TensorBoard logs of all trainings into the run folder.
        seed: Of everything that is drawn.
        run: Run folder.
        new: Begin anew; an old run in the folder is moved aside, under a name with its date.
        dry_run: Print the plan and end.

    """

    target_flops: int | str = "400M"
    space: str = "mnasnet"
    reference: str | None = None
    resolution: int = 0
    width: float = 1.0
    sampler: str | None = None
    objective: str = "soft"
    weight: float = WEIGHT
    params_weight: float = PARAMS_WEIGHT
    step_times: str = SOURCES[0]
    step_batch: int = 0
    cost_band: tuple[float, float] = (0.8, 1.05)
    dataset: str = BUNDLED
    data_root: str = "data"
    proxy: Proxy = field(default_factory=Proxy)
    recipe: str = "quick"
    scheduler: str = "asha"
    reduction_factor: int = 2
    trials: int = 64
    deterministic: bool = False
    time_budget: int | float | str = 0
    finalists: int = 3
    finalist_seeds: int = 3
    finalist_epochs: int = 3
    workers: int | None = None
    cpus_per_trial: int = 1
    gpus_per_trial: float | None = None
    ray_address: str | None = None
    retries: int = 1
    storage: str | None = None
    storage_path: str | None = None
    tensorboard: bool = False
    seed: int = 0
    run: str = "runs/search"
    new: bool = False
    dry_run: bool = False

    def __post_init__(self) -> None:
        recipe = get_recipe(self.recipe)
        if self.step_times not in SOURCES:
            raise ValueError(f"unknown --step-times '{self.step_times}'{nearest(self.step_times, SOURCES)}")
        if self.scheduler not in SCHEDULERS:
            raise ValueError(f"unknown scheduler '{self.scheduler}'{nearest(self.scheduler, SCHEDULERS)}")
        check_minimum(self, MINIMUM)
        self.check_region()
        if self.finalists > self.trials:
            raise ValueError(f"--finalists must not exceed --trials ({self.trials}), got {self.finalists}")
        if self.new and (self.storage or self.storage_path):
            raise ValueError("--new cannot empty a shared --storage or --storage-path: choose another --run")
        samplers.check(self.sampler_name, len(self.objective_function.directions), self.trials)
        self._check_used()
        if self.no_early_stopping and self.reduction_factor != SearchConfig.reduction_factor:
            raise ValueError(
                f"--reduction-factor {self.reduction_factor} says nothing where no candidate is stopped early "
                f"({self.no_early_stopping}): leave it out"
            )
        # These raise where a recipe's stages are more than the epochs.
        with as_flags({"epochs": "proxy.epochs"}):
            self.proxy.recipe(recipe)
        with as_flags({"epochs": "finalist_epochs"}):
            recipe.lasting(self.finalist_epochs)
        # These raise where target, objective, weight, durations or resources make no sense.
        self.seconds, self.execution  # noqa: B018

    @property
    def objective_function(self) -> Objective:
        """The objective with its target."""
        return Objective(self.objective, self.target, self.weight, self.params_weight)

    @property
    def sampler_name(self) -> str:
        """The sampler by name, the default where none is given."""
        return self.sampler or samplers.default(len(self.objective_function.directions))

    @property
    def no_early_stopping(self) -> str:
        """Why no candidate is stopped early; empty where ASHA stops those that are behind."""
        if self.scheduler == "none":
            return "--scheduler none"
        if len(self.objective_function.directions) > 1:
            return "--objective pareto has no one order of them"
        return "one epoch has no rungs" if self.proxy.epochs == 1 else ""

    @property
    def generation(self) -> int:
        """Candidates that are drawn together; 1 is each when a worker is free."""
        return GENERATION if self.deterministic else 1

    @property
    def seconds(self) -> float | None:
        """The time budget in seconds; None is no limit."""
        return parsed("time_budget", parse_duration, self.time_budget) or None

    @property
    def execution(self) -> Execution:
        """How the trials are executed."""
        return dataclasses.replace(super().execution, storage_path=self.storage_path and f"{self.storage_path}/ray")

    def settings(self) -> dict[str, Any]:
        """The configuration as it is written down: what reproduces the run."""
        target = format_count(self.target)
        normal = dataclasses.replace(self, new=False, target_flops=target, sampler=self.sampler_name)
        return self.said(cli.plain(normal))

    def said(self, values: dict[str, Any]) -> dict[str, Any]:
        """The settings without those that the objective does not look at."""
        return {
            key: value
            for key, value in values.items()
            if key not in STEP_TIME_SETTINGS or self.objective_function.needs_step_times
        }

    def identity(self) -> dict[str, Any]:
        """What decides what a trial means, the recipe's numbers included; a study goes on only under the same."""
        values = {key: value for key, value in self.said(dataclasses.asdict(self)).items() if key not in RESUMABLE}
        recipe = {"name": self.recipe, **get_recipe(self.recipe).identity()}
        return values | {"recipe": recipe, "target_flops": self.target, "sampler": self.sampler_name}

    def _check_used(self) -> None:
        """Raise ValueError for a setting, other than it is unless given, that the objective does not look at."""
        for name, objectives in USED_BY.items():
            value = getattr(self, name)
            if self.objective not in objectives and value != getattr(SearchConfig, name):
                raise ValueError(
                    f"{flag_of(name)} is no setting of --objective {self.objective}, got {value}: leave it out, or "
                    f"choose {' or '.join(objectives)}"
                )
