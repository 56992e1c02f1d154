"""The base class of samplers: an Optuna sampler that proposes whole networks within the bands of metrics."""

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
from nas.samplers.parameters import distributions, to_choice, to_params
from search_spaces.common.user_code import called, is_user_code
from search_spaces.counting.band import Of, Within, whole_bounds
from search_spaces.spaces.mutation import inside, into_band, mutants
from search_spaces.spaces.space import Ints, Space

UNIFORM = "uniform"
MAX_NEARBY = 64  # mutants that may replace a network that was trained before


class SpaceSampler(BaseSampler):
    """Proposes a choice for all of a space's names at once.

    The contract, which one conformance suite checks for every sampler:
    - every proposal is a member of the space and, where bands of metrics are given (`within`, see `Space.sample`), lies
      within them;
    - a proposal depends on the seed, the trial's number and the trials of the study alone: an interrupted search that
      resumes proposes the same networks as one that was not interrupted;
    - failed, pruned, repeated and running trials are allowed; so are parameters fixed by an enqueued trial;
    - `how(number)` is how trial `number` of this process was proposed: `uniform`, or the sampler's own name;
    - `ranking(study)` ranks the completed networks by the sampler's posterior mean, if it has one, otherwise by their
      mean value; `recommend(study)` is the first of the ranking.

    `factor` is the reward's known part, if there is one: reward = accuracy * factor(encodings [n, k]) [n]. It must be
    finite and above 0, otherwise a proposal raises ValueError. Samplers with a model then predict the accuracy alone;
    the others ignore it. `retrain` says whether a network that is proposed again is trained again, with another seed,
    or takes its recorded value; None means trained again, until the study holds a trial with a recorded value. With
    `by_proposal` trials count in the order of their proposals instead of the order in which they ended, so that
    proposals do not depend on which worker was faster.

    A user's own sampler is a subclass with a method `propose`. Helpers for it: `uniform`, `new_near`, `params`,
    `ranking` and, for what the study holds, `nas.samplers.history`. `registry.make` sets its `name`, as it was given,
    and checks its proposals. Class attributes say what it needs: `startup` is the number of trials that it proposes
    before it learns from results, `multi_objective` whether it supports more than one objective.
    """

    name: str = "own"
    startup: int = 0
    multi_objective: bool = False

    def __init__(
        self,
        space: Space,
        *,
        within: Within | None = None,
        seed: int = 0,
        factor: Factor | None = None,
        retrain: bool | None = None,
        by_proposal: bool = False,
    ) -> None:
        self._space = space
        self._within = whole_bounds(None, within) or None
        self._seed = seed
        self._factor = None if factor is None else checked(factor)
        self._retrain = retrain
        self._reader = Reader(space, by_proposal=by_proposal)
        self._distributions: dict[str, BaseDistribution] = dict(distributions(space))
        self._how: dict[int, str] = {}

    @abstractmethod
    def propose(self, study: Study, trial: FrozenTrial, rng: np.random.Generator) -> tuple[dict[str, Any], str]:
        """The parameters to try and how they were proposed. `rng` is seeded by (seed, trial number)."""

    def draw(self, study: Study, entropy: Sequence[int]) -> tuple[dict[str, Any], str]:
        """A proposal for a trial that the study does not hold yet, and how it was proposed.

        Raises ValueError if the study has more objectives than the sampler supports.
        """
        self._check(study)
        return self._proposed(study, create_trial(state=TrialState.RUNNING), np.random.default_rng(list(entropy)))

    def how(self, number: int) -> str:
        """How the trial was proposed; `given` if its parameters were fixed beforehand."""
        return self._how.get(number, "given")

    def infer_relative_search_space(self, study: Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        return self._distributions

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        self._check(study)
        rng = np.random.default_rng([self._seed, trial.number])
        params, self._how[trial.number] = self._proposed(study, trial, rng)
        return params

    def sample_independent(
        self, study: Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        raise ValueError(f"'{param_name}' is not a choice of space {self._space.name}")

    def recommend(self, study: Study) -> dict[str, Any]:
        """The parameters of the best network by `ranking`.

        Raises ValueError if no trial is complete.
        """
        ranked = self.ranking(study)
        if not ranked:
            raise ValueError("no trial is complete, so there is no best network: see the outcomes of the trials")
        return self.params(ranked[0][0])

    def ranking(self, study: Study) -> list[tuple[Ints, float]]:
        """Each network with a complete trial, as its encoding [k], and its value; best first.

        The value is the mean over its complete trials, or the sampler's posterior mean.
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
        """The network of an encoding [k] if it is within the bands and not in `known`, or one a few changes away."""
        start = into_band(self._space, rng, encoding, self._within)
        if start is None:
            return None
        steps = mutants(self._space, rng, start[None], MAX_NEARBY, self._within)
        for row in self._space.canonical(np.concatenate([start[None], steps])):
            if row.tobytes() not in known:
                return np.asarray(row)
        return None

    def _check(self, study: Study) -> None:
        if len(study.directions) > 1 and not self.multi_objective:
            raise ValueError(
                f"sampler {self.name} maximises one number, got {len(study.directions)} objectives: choose another one"
            )

    def _proposed(self, study: Study, trial: FrozenTrial, rng: np.random.Generator) -> tuple[dict[str, Any], str]:
        """A proposal; that of a user's own sampler is checked. Raises ValueError if it fails or breaks the contract."""
        if not is_user_code(self.name):
            return self.propose(study, trial, rng)
        found = called(f"sampler {self.name}", self.propose, study, trial, rng)
        try:
            params, how = found
            encoding = self._space.encode(to_choice(self._space, params))
        except (KeyError, TypeError, ValueError, AttributeError):
            raise ValueError(
                f"sampler {self.name}: propose must return the parameters of a network of space {self._space.name} and "
                f"how it was proposed, got {found!r:.80}"
            ) from None
        if not inside(self._space, encoding[None], self._within)[0]:
            raise ValueError(f"sampler {self.name}: propose must return a network within the bands {self._within}")
        return params, str(how)

    def uniform(self, rng: np.random.Generator) -> dict[str, Any]:
        """Parameters drawn uniformly: from the networks within the bands, or without bands from all encodings."""
        of: Of = "encodings" if self._within is None else "networks"
        return self.params(self._space.sample(rng, 1, within=self._within, of=of)[0])
