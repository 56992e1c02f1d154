"""What every sampler is: an Optuna sampler that proposes whole networks inside the cost band."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any

import numpy as np
from optuna import Study
from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler
from optuna.trial import FrozenTrial, TrialState, create_trial

from nas.samplers.history import Factor, Reader, checked
from nas.samplers.parameters import distributions, to_params
from nas.samplers.registry import check
from search_spaces.counting.band import Band, Of
from search_spaces.spaces.mutation import into_band, mutants
from search_spaces.spaces.space import Ints, Space

UNIFORM = "uniform"
NEARBY = 64  # mutants that are looked at in place of a network that was trained before


class SpaceSampler(BaseSampler):
    """Proposes a choice for all of a space's names at once.

    The contract, which one conformance suite checks for every sampler:
    - every proposal is a member of the space and, where a band (lowest and highest multiply-adds, both included) is
      given, lies inside it;
    - a proposal depends on the seed, the trial's number and what the study holds, on nothing else: a search that died
      and one that did not propose the same;
    - failed, pruned, repeated and running trials are fine; so are parameters fixed by an enqueued trial;
    - `how(number)` says how trial `number` of this process was drawn: `uniform`, or the sampler's own name;
    - `ranking(study)` ranks what was completed by what the sampler believes after the noise; `recommend(study)` is the
      first of it.

    `factor` is the reward's known part, if there is one: reward = accuracy * factor(encodings [n, k]) [n]; finite and
    above 0, or a proposal raises ValueError. Samplers that predict then predict the accuracy only; the others do not
    look at it. `retrain` says whether a network which
    is proposed again is trained again, with another seed, or given its recorded value; None is yes, until the study
    holds a trial that took over a recorded value. With `by_draw` trials count in the order in which they were drawn and
    not as they ended, so that proposals do not depend on which worker was faster.
    """

    name: str

    def __init__(
        self,
        space: Space,
        *,
        band: Band | None = None,
        seed: int = 0,
        factor: Factor | None = None,
        retrain: bool | None = None,
        by_draw: bool = False,
    ) -> None:
        self._space = space
        self._band = band
        self._seed = seed
        self._factor = None if factor is None else checked(factor)
        self._retrain = retrain
        self._reader = Reader(space, by_draw=by_draw)
        self._distributions: dict[str, BaseDistribution] = dict(distributions(space))
        self._how: dict[int, str] = {}

    @abstractmethod
    def propose(self, study: Study, trial: FrozenTrial, rng: np.random.Generator) -> tuple[dict[str, Any], str]:
        """The parameters to try and how they were drawn. `rng` is seeded by (seed, trial number)."""

    def draw(self, study: Study, entropy: Sequence[int]) -> tuple[dict[str, Any], str]:
        """A proposal for a trial that the study does not hold yet, and how it was drawn.

        Raises ValueError where the study has more objectives than the sampler can take.
        """
        self._check(study)
        return self.propose(study, create_trial(state=TrialState.RUNNING), np.random.default_rng(list(entropy)))

    def how(self, number: int) -> str:
        """How the trial was drawn; `given` where its parameters were fixed beforehand."""
        return self._how.get(number, "given")

    def infer_relative_search_space(self, study: Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        return self._distributions

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        self._check(study)
        rng = np.random.default_rng([self._seed, trial.number])
        params, self._how[trial.number] = self.propose(study, trial, rng)
        return params

    def sample_independent(
        self, study: Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        raise ValueError(f"'{param_name}' is not a choice of space {self._space.name}")

    def recommend(self, study: Study) -> dict[str, Any]:
        """The parameters of the network that the sampler takes for the best.

        Raises ValueError where no trial is complete.
        """
        ranked = self.ranking(study)
        if not ranked:
            raise ValueError("no trial is complete, so there is no best network: see the outcomes of the trials")
        return self.params(ranked[0][0])

    def ranking(self, study: Study) -> list[tuple[Ints, float]]:
        """Each network with a complete trial, as its encoding [k], and what it is worth; best first.

        That is the mean over its complete trials, or what the sampler believes the value to be.
        """
        values: dict[bytes, list[float]] = {}
        encodings: dict[bytes, Ints] = {}
        for entry in self._reader.entries(study):
            if entry.value is not None:
                encodings[entry.key] = entry.encoding
                values.setdefault(entry.key, []).append(entry.value)
        means = {key: float(np.mean(measured)) for key, measured in values.items()}
        return [(encodings[key], means[key]) for key in sorted(means, key=lambda key: -means[key])]

    def params(self, encoding: Ints) -> dict[str, Any]:
        """The parameters of an encoding [k]."""
        return to_params(self._space, self._space.choice(encoding))

    def new_near(self, rng: np.random.Generator, encoding: Ints, known: set[bytes]) -> Ints | None:
        """The network of an encoding [k] if it is in the band and not among `known`, else one a few changes away."""
        start = into_band(self._space, rng, encoding, self._band)
        if start is None:
            return None
        steps = mutants(self._space, rng, start[None], NEARBY, self._band)
        for row in self._space.canonical(np.concatenate([start[None], steps])):
            if row.tobytes() not in known:
                return np.asarray(row)
        return None

    def _check(self, study: Study) -> None:
        check(self.name, len(study.directions))

    def uniform(self, rng: np.random.Generator) -> dict[str, Any]:
        """Parameters drawn uniformly: from the different networks of the band, or from all the space's encodings."""
        of: Of = "encodings" if self._band is None else "networks"
        return self.params(self._space.sample(rng, 1, macs=self._band, of=of)[0])
