"""Samplers of this project and of other packages on one table, under the rules of `python -m nas.benchmark`.

python benchmarks/samplers.py --table nas-bench-201:cifar100 [--samplers random predictor syne-tune-rea ...]
    [further flags of nas.benchmark]

Default: all samplers. Peers need `pip install 'triaxis[peers]'`, NePS 'triaxis[neps]' in an environment of its own,
Optuna's samplers nothing; each has the settings that its authors recommend. A sampler whose package is not installed is
left out, with a line on stderr. predictor-no-prior is the predictor without its prior that larger networks are better.
"""

from __future__ import annotations

import dataclasses
import random
import sys
import tempfile
import warnings
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from nas.benchmark.config import BenchmarkConfig
from nas.benchmark.objective import TableObjective
from nas.benchmark.optimizers import SamplerOptimizer, make_optimizer
from nas.benchmark.run import run_benchmark
from nas.benchmark.simulate import Optimizer
from nas.samplers import registry as samplers
from nas.samplers.predictor.sampler import PredictorSampler
from search_spaces.common import cli
from search_spaces.common.suggest import nearest
from search_spaces.spaces.space import Ints, Space

NO_PRIOR = "predictor-no-prior"
POPULATION = 20  # NSGA-II for 200 trials: its defaults of 50 and 100 leave it too few generations


class SyneTuneOptimizer:
    """A scheduler of Syne Tune over the choices' values."""

    def __init__(self, scheduler: str, space: Space, trials: int, seed: int) -> None:
        from syne_tune.config_space import choice
        from syne_tune.optimizer import baselines
        from syne_tune.optimizer.schedulers.ask_tell_scheduler import AskTellScheduler

        self._space = space
        config_space = {name: choice(list(values)) for name, values in space.choices.items()}
        made = getattr(baselines, scheduler)(config_space, metric="score", do_minimize=False, random_seed=seed)
        self._scheduler = AskTellScheduler(made)
        self._trial: Any = None

    def ask(self) -> Ints:
        self._trial = self._scheduler.ask()
        return self._space.encode({name: self._trial.config[name] for name in self._space.choices})

    def tell(self, value: float, *, repeat: bool = False) -> None:
        self._scheduler.tell(self._trial, {"score": value})

    def recommend(self) -> Ints | None:
        return None


class PymooOptimizer:
    """pymoo's NSGA-II on positions of values, with its operators for whole numbers."""

    def __init__(self, method: str, space: Space, trials: int, seed: int) -> None:
        from pymoo.algorithms.moo.nsga2 import NSGA2
        from pymoo.core.problem import Problem
        from pymoo.operators.crossover.sbx import SBX
        from pymoo.operators.mutation.pm import PM
        from pymoo.operators.repair.rounding import RoundingRepair
        from pymoo.operators.sampling.rnd import IntegerRandomSampling

        highest = np.array(space.radices) - 1
        problem = Problem(n_var=len(highest), n_obj=1, xl=np.zeros_like(highest), xu=highest, vtype=int)
        self._algorithm = NSGA2(
            pop_size=POPULATION,
            sampling=IntegerRandomSampling(),
            crossover=SBX(prob=1.0, eta=3.0, vtype=float, repair=RoundingRepair()),
            mutation=PM(prob=1.0, eta=3.0, vtype=float, repair=RoundingRepair()),
            eliminate_duplicates=True,
        )
        self._algorithm.setup(problem, termination=("n_gen", 10**9), seed=seed, verbose=False)
        self._generation: Any = self._algorithm.ask()
        self._values: list[float] = []

    def ask(self) -> Ints:
        if len(self._values) == len(self._generation):
            self._generation.set("F", -np.array(self._values)[:, None])
            self._algorithm.tell(infills=self._generation)
            self._generation, self._values = self._algorithm.ask(), []
        return np.asarray(self._generation[len(self._values)].X, dtype=np.int64)

    def tell(self, value: float, *, repeat: bool = False) -> None:
        self._values.append(value)

    def recommend(self) -> Ints | None:
        return None


class SmacOptimizer:
    """SMAC's facade for hyperparameters (random forest, log expected improvement), told that evaluations are noisy."""

    def __init__(self, method: str, space: Space, trials: int, seed: int) -> None:
        from ConfigSpace import Categorical, ConfigurationSpace
        from smac import HyperparameterOptimizationFacade, Scenario

        self._space = space
        self._folder = tempfile.TemporaryDirectory()  # SMAC writes its history somewhere
        config_space = ConfigurationSpace(seed=seed)
        config_space.add([Categorical(f"c{place}", range(radix)) for place, radix in enumerate(space.radices)])
        scenario = Scenario(
            config_space, n_trials=trials, seed=seed, deterministic=False, output_directory=Path(self._folder.name)
        )
        self._smac = HyperparameterOptimizationFacade(scenario, self._never, overwrite=True, logging_level=False)
        self._trial: Any = None

    def ask(self) -> Ints:
        self._trial = self._smac.ask()
        return self._encoding(self._trial.config)

    def tell(self, value: float, *, repeat: bool = False) -> None:
        from smac.runhistory.dataclasses import TrialValue

        self._smac.tell(self._trial, TrialValue(cost=-value))

    def recommend(self) -> Ints | None:
        """SMAC's incumbent, the best by the mean over the evaluations that it chose to repeat."""
        incumbent = self._smac.intensifier.get_incumbent()
        return None if incumbent is None else self._encoding(incumbent)

    def _never(self, config: Any, seed: int = 0) -> float:
        """The evaluation, which SMAC does not call when it is asked and told."""
        raise AssertionError

    def _encoding(self, config: Any) -> Ints:
        return np.array([config[f"c{place}"] for place in range(len(self._space.radices))], dtype=np.int64)


class NepsOptimizer:
    """NePS' Bayesian optimisation, which it chooses itself for spaces without fidelities or priors."""

    def __init__(self, method: str, space: Space, trials: int, seed: int) -> None:
        import torch
        from neps import AskAndTell, HPOCategorical, SearchSpace
        from neps.optimizers import load_optimizer

        # NePS draws from the global generators.
        random.seed(seed)
        np.random.seed(seed)
        torch.manual_seed(seed)
        self._space = space
        names = {f"c{place}": HPOCategorical(list(range(radix))) for place, radix in enumerate(space.radices)}
        self._neps = AskAndTell(load_optimizer(method, SearchSpace(names))[0])
        self._trial: Any = None

    def ask(self) -> Ints:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of its linear algebra
            self._trial = self._neps.ask()
        return np.array([self._trial.config[f"c{place}"] for place in range(len(self._space.radices))])

    def tell(self, value: float, *, repeat: bool = False) -> None:
        self._neps.tell(self._trial, -value)

    def recommend(self) -> Ints | None:
        return None


class OptunaOptimizer(SamplerOptimizer):
    """One of Optuna's own samplers."""

    def __init__(self, method: str, space: Space, trials: int, seed: int) -> None:
        from optuna.samplers import NSGAIISampler, TPESampler

        tpe = method == "tpe"
        sampler = TPESampler(seed=seed) if tpe else NSGAIISampler(population_size=POPULATION, seed=seed)
        super().__init__(sampler, space)


# Name: the module that it needs, its optimizer, and the package's method that it uses.
PEERS: dict[str, tuple[str, Callable[[str, Space, int, int], Optimizer], str]] = {
    "optuna-tpe": ("optuna", OptunaOptimizer, "tpe"),
    "optuna-nsga2": ("optuna", OptunaOptimizer, "nsga2"),
    "syne-tune-rea": ("syne_tune", SyneTuneOptimizer, "REA"),
    "syne-tune-bore": ("syne_tune", SyneTuneOptimizer, "BORE"),
    "syne-tune-cqr": ("syne_tune", SyneTuneOptimizer, "CQR"),
    "smac": ("smac", SmacOptimizer, "hyperparameters"),
    "neps": ("neps", NepsOptimizer, "bayesian_optimization"),
    "pymoo-nsga2": ("pymoo", PymooOptimizer, "nsga2"),
}


def make(sampler: str, objective: TableObjective, trials: int, seed: int) -> Optimizer:
    """The optimizer of a sampler or a peer. Raises ValueError for a peer with a cost band."""
    if sampler == NO_PRIOR:
        space = objective.table.space
        return SamplerOptimizer(
            PredictorSampler(
                space,
                within=objective.band and {"macs": objective.band},
                seed=seed,
                factor=objective.factor,
                prior=False,
            ),
            space,
        )
    if sampler not in PEERS:
        return make_optimizer(sampler, objective, trials, seed)
    if objective.band is not None:
        raise ValueError(f"{sampler} does not support --cost-band: remove it, or the peers from --samplers")
    _, make_peer, method = PEERS[sampler]
    return make_peer(method, objective.table.space, trials, seed)


def main(argv: Sequence[str]) -> int:
    """Run the comparison."""
    config = cli.parse(BenchmarkConfig, argv, prog="python benchmarks/samplers.py", description=str(__doc__))
    known = (*samplers.SAMPLERS, NO_PRIOR, *PEERS)
    for name in config.samplers:
        if name not in known:
            raise ValueError(f"unknown sampler '{name}'{nearest(name, known)}")
    asked = config.samplers or known
    there = tuple(name for name in asked if name not in PEERS or find_spec(PEERS[name][0]))
    for name in asked:
        if name not in there:
            print(f"{name} is left out: {PEERS[name][0]} is not installed", file=sys.stderr)
    if not there:
        raise ValueError("none of these samplers is installed: pip install 'triaxis[peers]'")
    run_benchmark(dataclasses.replace(config, samplers=there), make, there)
    return 0


if __name__ == "__main__":
    raise SystemExit(cli.run(main))
