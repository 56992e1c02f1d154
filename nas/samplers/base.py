"""What every strategy is: an Optuna sampler that proposes whole networks inside the cost band."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any

import numpy as np
from optuna import Study
from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler
from optuna.trial import FrozenTrial, TrialState, create_trial

from nas.parameters import distributions, to_params
from search_spaces.counting import Band, Of
from search_spaces.spaces import Space

UNIFORM = "uniform"


class SpaceSampler(BaseSampler):
    """Proposes a choice for all of a space's names at once.

    The contract, which one conformance suite checks for every strategy:
    - every proposal is a member of the space and, where a band (lowest and highest multiply-adds, both included) is
      given, lies inside it;
    - a proposal depends on the seed, the trial's number and what the study holds, on nothing else: a search that died
      and one that did not propose the same;
    - failed, pruned, repeated and running trials are fine; so are parameters fixed by an enqueued trial;
    - `how(number)` says how trial `number` of this process was drawn: `uniform`, or the strategy's own name.
    """

    name: str

    def __init__(self, space: Space, *, band: Band | None = None, seed: int = 0) -> None:
        self._space = space
        self._band = band
        self._seed = seed
        self._distributions: dict[str, BaseDistribution] = dict(distributions(space))
        self._how: dict[int, str] = {}

    @abstractmethod
    def propose(self, study: Study, trial: FrozenTrial, rng: np.random.Generator) -> tuple[dict[str, Any], str]:
        """The parameters to try and how they were drawn. `rng` is seeded by (seed, trial number)."""

    def draw(self, study: Study, entropy: Sequence[int]) -> tuple[dict[str, Any], str]:
        """A proposal for a trial that the study does not hold yet, and how it was drawn."""
        return self.propose(study, create_trial(state=TrialState.RUNNING), np.random.default_rng(list(entropy)))

    def how(self, number: int) -> str:
        """How the trial was drawn; `given` where its parameters were fixed beforehand."""
        return self._how.get(number, "given")

    def infer_relative_search_space(self, study: Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        return self._distributions

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        rng = np.random.default_rng([self._seed, trial.number])
        params, self._how[trial.number] = self.propose(study, trial, rng)
        return params

    def sample_independent(
        self, study: Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        raise ValueError(f"'{param_name}' is not a choice of space {self._space.name}")

    def uniform(self, rng: np.random.Generator) -> dict[str, Any]:
        """Parameters drawn uniformly: from the different networks of the band, or from all the space's encodings."""
        of: Of = "encodings" if self._band is None else "networks"
        encoding = self._space.sample(rng, 1, macs=self._band, of=of)[0]
        return to_params(self._space, self._space.choice(encoding))
