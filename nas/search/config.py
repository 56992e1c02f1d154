"""The settings of a search: one frozen dataclass for Python, YAML and the command line. Imports nothing heavy."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Any

from nas.controls.control import NONE
from nas.objectives.form import Objective
from nas.objectives.registry import OBJECTIVES, USED_BY_SOME, make_objective, users_of
from nas.objectives.rewards import PARAMS_WEIGHT, WEIGHT, Aim
from nas.region import RegionConfig
from nas.samplers import registry as samplers
from search_spaces.common import cli
from search_spaces.common.checks import as_flags, check_minimum, parsed
from search_spaces.common.settings import flag_of, flat, own_code, setting, without
from search_spaces.common.suggest import nearest
from search_spaces.common.units import parse_duration
from search_spaces.common.user_code import digests
from search_spaces.metrics.registry import METRICS
from studies.data.config import DataConfig
from studies.timing.step_time import SOURCES
from studies.trainer.recipe import Proxy
from studies.trainer.registry import get_recipe
from studies.workers.config import PLACEMENT, WorkersConfig, with_code_folders

SCHEDULERS = ("asha", "none")
GENERATION = 8
MINIMUM = {
    "trials": 1, "finalist.number": 1, "finalist.seeds": 1, "finalist.epochs": 1, "reduction_factor": 2,
    "resolution": 0, "seed": 0, "controls.random": 0,
}  # fmt: skip
# Settings of how much is done: a run resumes with more.
EXTENDABLE = frozenset({"trials", "finalist.number", "finalist.seeds", "controls.random"})
# Settings of which networks the result is about: with others a finished run trains what is missing and is judged again.
JUDGED = frozenset({"controls.names", "controls.adopt"})
# Settings that may change between two commands of one run.
RESUMABLE = EXTENDABLE | JUDGED | PLACEMENT | {"time_budget", "storage", "storage_path"}


@dataclass(frozen=True)
class ObjectiveConfig:
    """What is maximised.

    Attributes:
        name: {labels}. T is the target.
        weight: Exponent w of the cost in the soft reward (also used by pareto), or of the step time S in the
            training-aware reward.
        params_weight: Exponent v of the parameters P in the training-aware reward.
        axes: Metrics that --objective pareto minimises beside accuracy: {names}. Default: that of the target.
        step_times: Source of the step times of --objective training-aware: measured (steps of each full network) or
            layers (the sum of the times of its layers, each shape measured once).
        step_batch: Images in a training step of --objective training-aware. 0: the largest power of two up to 32 that
            fits 2GiB.

    """

    name: str = setting("soft", flag="objective", registry="nas.objectives.registry:OBJECTIVES")
    weight: float = WEIGHT
    params_weight: float = PARAMS_WEIGHT
    axes: tuple[str, ...] = setting((), registry="search_spaces.metrics.registry:COMPUTED")
    step_times: str = SOURCES[0]
    step_batch: int = 0

    def __post_init__(self) -> None:
        check_minimum(self, {"step_batch": 0})
        if self.step_times not in SOURCES:
            raise ValueError(f"unknown --step-times '{self.step_times}'{nearest(self.step_times, SOURCES)}")


@dataclass(frozen=True)
class FinalistConfig:
    """The finalists, and how they are trained.

    Attributes:
        number: Number of best candidates that are trained longer, with more than one seed, to find the winner.
        seeds: Number of training seeds per finalist. At least 2 are needed for confidence intervals.
        epochs: Epochs of a finalist's training, on all training images.

    """

    number: int = setting(3, flag="finalists")
    seeds: int = 3
    epochs: int = 1


@dataclass(frozen=True)
class ControlsConfig:
    """Networks that the search does not find, trained beside the finalists with the same seeds to judge its gain.

    Attributes:
        names: Published networks, arch files or module:name that are scaled to the target, by width first, and trained
            beside the finalists, with the network that the space varies; none for none of them. Default:
            mobilenet_v2 mnasnet_a1 efficientnet_b0, without those that cannot reach the target or exceed a limit.
        random: Number of networks that are drawn uniformly from the cost band and trained beside the finalists.
        adopt: Write the best control to best.json if its reward is higher than that of the winner.
        only: Search nothing; find out which of the named controls is best.

    """

    names: tuple[str, ...] = setting((), flag="controls")
    random: int = setting(2, flag="random-controls")
    adopt: bool = setting(False, flag="adopt-control")
    only: bool = setting(False, flag="only-controls")


@dataclass(frozen=True)
class SearchConfig(RegionConfig):
    """A search for a baseline network near a target cost.

    Attributes:
        target_flops: Target cost T of the full network in multiply-adds, such as 400M. Default: 400M.
        target: Target of another metric, in place of --target-flops: NAME=VALUE, such as params=5M. Names: {names}.
        space: Search space: {names}; small is for images of 28 to 64 px.
        reference: Network that the space varies: {names}.
        resolution: Input side in pixels at which the cost of the full network is counted. 0: the space's default.
        width: Factor on the widths of the network that the space varies.
        sampler: Sampler that proposes candidates: {names} (docs/samplers.md). Default: predictor; nsga2 with
            --objective pareto.
        objective: What is maximised.
        cost_band: Lowest and highest cost of candidates, in the target's metric, as multiples of the target.
        max_params: Highest number of parameters of a candidate's full network, such as 5M. Default: no limit.
        max_memory: Highest memory of the full network in inference on one image, such as 64MiB. Default: no limit.
        limits: Upper limits on other metrics, NAME=VALUE each, such as activations=6M. Names: {names}.
        data: Images to train on.
        proxy: The cheaper network that is trained in place of a candidate.
        recipe: Training recipe of proxies: {names}.
        scheduler: Early stopping of candidates: asha (stops the worse ones after each epoch) or none.
        reduction_factor: With --scheduler asha, one in so many candidates continues after an epoch.
        trials: Number of candidates.
        deterministic: Propose candidates in generations of 8, so that any number of workers gives the same trials.
            Workers then wait for the end of each generation.
        time_budget: Start no candidate after this time, in seconds or such as 10m or 2h. 0: no limit.
        finalist: The best candidates, trained longer to find the winner.
        controls: Networks that the search does not find, trained beside the finalists.
        workers: Workers, and what each gets.
        storage: Optuna storage URL of the ledger, with the name of the run folder as the study's name, so that
            machines can share a study. Default: ledger.db in the run folder.
        storage_path: Folder for checkpoints and weights that all workers and drivers reach. Default: the run folder.
        seed: Random seed.
        run: Run folder.
        new: Start a new run; an old run in the folder is renamed with its date.
        dry_run: Print the plan and exit.

    """

    target_flops: int | str | None = None
    target: str | None = setting(None, registry="search_spaces.metrics.registry:COMPUTED")
    space: str = setting("mnasnet", registry="search_spaces.spaces.registry:SPACES")
    reference: str | None = setting(None, registry="search_spaces.spaces.registry:REFERENCES")
    resolution: int = 0
    width: float = 1.0
    sampler: str | None = setting(None, registry="nas.samplers.registry:SAMPLERS")
    objective: ObjectiveConfig = flat(ObjectiveConfig)
    cost_band: tuple[float, float] = (0.8, 1.05)
    max_params: str | None = None
    max_memory: str | None = None
    limits: tuple[str, ...] = setting((), registry="search_spaces.metrics.registry:COMPUTED")
    data: DataConfig = flat(DataConfig)
    proxy: Proxy = field(default_factory=Proxy)
    recipe: str = setting("quick", registry="studies.trainer.registry:RECIPES")
    scheduler: str = "asha"
    reduction_factor: int = 2
    trials: int = 64
    deterministic: bool = False
    time_budget: int | float | str = 0
    finalist: FinalistConfig = field(default_factory=FinalistConfig)
    controls: ControlsConfig = flat(ControlsConfig)
    workers: WorkersConfig = flat(WorkersConfig)
    storage: str | None = None
    storage_path: str | None = None
    seed: int = 0
    run: str = "runs/search"
    new: bool = False
    dry_run: bool = False

    def __post_init__(self) -> None:
        recipe = get_recipe(self.recipe)
        if self.scheduler not in SCHEDULERS:
            raise ValueError(f"unknown scheduler '{self.scheduler}'{nearest(self.scheduler, SCHEDULERS)}")
        check_minimum(self, MINIMUM)
        self.check_region()
        if self.finalist.number > self.trials:
            raise ValueError(f"--finalists must not exceed --trials ({self.trials}), got {self.finalist.number}")
        if self.new and (self.storage or self.storage_path):
            raise ValueError("--new cannot empty a shared --storage or --storage-path: choose another --run")
        self._check_controls()
        samplers.check(self.sampler_name, len(self.objective_function.directions), self.trials)
        self._check_used()
        if self.no_early_stopping and self.reduction_factor != SearchConfig.reduction_factor:
            raise ValueError(
                f"--reduction-factor has no effect without early stopping ({self.no_early_stopping}), "
                f"got {self.reduction_factor}: remove it"
            )
        # These raise if a recipe has more stages than epochs.
        with as_flags({"epochs": "proxy.epochs"}):
            self.proxy.recipe(recipe)
        with as_flags({"epochs": "finalist.epochs"}):
            recipe.lasting(self.finalist.epochs)
        self.seconds  # noqa: B018 - raises for what is no duration

    @property
    def objective_function(self) -> Objective:
        """The objective that the flags describe, with its target."""
        asked = self.objective
        aim = Aim(self.target_value, self.target_metric.name, asked.weight, asked.params_weight, asked.axes)
        with as_flags({"weight": "weight", "params_weight": "params_weight"}):
            return make_objective(asked.name, aim)

    @property
    def objective_text(self) -> str:
        """The objective's formula and, if it has T, the value of T."""
        formula = str(self.objective_function)
        if not OBJECTIVES.row(self.objective.name).targeted:
            return formula
        return f"{formula}, T = {self.target_metric.format(self.target_value)}"

    @property
    def metrics(self) -> tuple[str, ...]:
        """The names of the metrics that target, limits and objective look at."""
        return tuple(dict.fromkeys([*self.region_metrics, *self.objective_function.metrics]))

    @property
    def sampler_name(self) -> str:
        """The name of the sampler, given or default."""
        return self.sampler or samplers.default(len(self.objective_function.directions))

    @property
    def no_early_stopping(self) -> str:
        """The setting that excludes early stopping; empty if candidates are stopped early."""
        if self.scheduler == "none":
            return "--scheduler none"
        if self.objective_function.axes:
            return f"--objective {self.objective.name}"
        return "--proxy.epochs 1" if self.proxy.epochs == 1 else ""

    @property
    def generation(self) -> int:
        """Candidates that are proposed together; with 1 each is proposed when a worker is free."""
        return GENERATION if self.deterministic else 1

    @property
    def seconds(self) -> float | None:
        """The time budget in seconds; None is no limit."""
        return parsed("time_budget", parse_duration, self.time_budget) or None

    @property
    def ray_folder(self) -> str | None:
        """The folder for Ray Tune's own files, if all workers share one."""
        return self.storage_path and f"{self.storage_path}/ray"

    def settings(self) -> dict[str, Any]:
        """The configuration as it is stored in the run folder: it reproduces the run."""
        normal = dataclasses.replace(
            with_code_folders(self), new=False, sampler=self.sampler_name, **self.region_settings()
        )
        return self._used(cli.plain(normal))

    def _used(self, values: dict[str, Any]) -> dict[str, Any]:
        """The settings without those that the objective does not look at."""
        uses = OBJECTIVES.row(self.objective.name).uses
        return without(values, {f"objective.{name}" for name in USED_BY_SOME if name not in uses})

    def identity(self) -> dict[str, Any]:
        """The settings that trials depend on, the recipe's numbers and the digests of the user's own code included.

        A study resumes only with the same.
        """
        values = without(self._used(dataclasses.asdict(self)), RESUMABLE)
        recipe = {"name": self.recipe, **dataclasses.asdict(get_recipe(self.recipe))}
        values |= {"recipe": recipe, "sampler": self.sampler_name, "code": digests(own_code(self))}
        return values | self.region_settings()

    def _check_controls(self) -> None:
        """Raise ValueError for controls that contradict each other."""
        asked = self.controls
        none = NONE in asked.names
        if none and len(asked.names) > 1:
            raise ValueError(f"--controls none stands alone, got {' '.join(asked.names)}: remove none, or the others")
        for flag, given in {"--only-controls": asked.only, "--adopt-control": asked.adopt}.items():
            if none and given:
                raise ValueError(f"{flag} needs controls, got --controls none: name some, or remove {flag}")

    def _check_used(self) -> None:
        """Raise ValueError for a setting, other than its default, that the objective does not use."""
        uses = OBJECTIVES.row(self.objective.name).uses
        for name in USED_BY_SOME:
            value = getattr(self.objective, name)
            if name not in uses and value != getattr(ObjectiveConfig, name):
                raise ValueError(
                    f"{flag_of(name)} is not used by --objective {self.objective.name}, got {value}: remove it, or "
                    f"choose --objective {' or '.join(users_of(name))}"
                )
        measured = [axis for axis in self.objective_function.axes if METRICS.row(axis).is_measured]
        if measured:
            raise ValueError(f"--axes {measured[0]} is measured on a worker, but axes need metrics that are computed")
