"""The default sampler: a Gaussian process predicts accuracies, and the network with the highest acquisition is next."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import numpy as np
from optuna import Study
from optuna.trial import FrozenTrial

from nas.samplers.base import UNIFORM, SpaceSampler
from nas.samplers.history import Entry, Factor, seen
from nas.samplers.predictor.acquisition import Improvement
from nas.samplers.predictor.candidates import PARENTS, best_new
from nas.samplers.predictor.features import features
from nas.samplers.predictor.kernel import Hyperparameters
from nas.samplers.predictor.model import Model, fit_latest_and_best
from nas.samplers.predictor.observations import Observations, accuracies, observations
from nas.samplers.registry import SAMPLERS
from search_spaces.counting.band import Within
from search_spaces.spaces.space import Ints, Space

STARTUP = SAMPLERS["predictor"].startup
FIRST_DRAWS = 256  # networks that the first one, a large one, is chosen from
REFIT_GROWTH = 1.1  # hyperparameters are fitted again after so many times as many observations
FIRST_SLOPE = (
    0.05  # relative accuracy that one standard deviation of log cost is assumed to gain, for the first network
)


class PredictorSampler(SpaceSampler):
    """Gaussian process over architecture features with noisy expected improvement; see docs/samplers.md.

    Only the accuracy is predicted: with `factor`, the reward's known part, reward = accuracy * factor(encodings [n, k])
    [n]. `prior` (larger networks are better) makes the first network a large one and gives the model's mean a slope in
    log cost, where the space computes costs from tables; False switches both off. Unless `retrain` is False, a network
    is trained again where that is expected to raise the best posterior mean by more than a new network.
    """

    name = "predictor"
    startup = STARTUP

    def __init__(
        self,
        space: Space,
        *,
        within: Within | None = None,
        seed: int = 0,
        factor: Factor | None = None,
        prior: bool = True,
        retrain: bool | None = None,
        by_proposal: bool = False,
    ) -> None:
        super().__init__(space, within=within, seed=seed, factor=factor, retrain=retrain, by_proposal=by_proposal)
        self._prior = prior
        self._fitted: tuple[bytes, Hyperparameters] | None = None

    def propose(self, study: Study, trial: FrozenTrial, rng: np.random.Generator) -> tuple[dict[str, Any], str]:
        entries = self._reader.entries(study)
        judged = accuracies(entries, self._factor)
        known = observations(judged)
        if known is None or len(judged) < STARTUP:
            return self._start(entries, rng)
        improvement = self._improvement(judged, known, entries)
        order = np.argsort(-improvement.rewards, kind="stable")[:PARENTS]
        found = best_new(self._space, rng, improvement, known.encodings[order], seen(entries), self._within)
        if self._may_retrain(entries):
            again, gain = improvement.best_retraining()
            found = again if found is None or gain > improvement.gain_of(found) else found
        return (self.uniform(rng), UNIFORM) if found is None else (self.params(found), self.name)

    def ranking(self, study: Study) -> list[tuple[Ints, float]]:
        entries = self._reader.entries(study)
        judged = accuracies(entries, self._factor)
        known = observations(judged)
        if known is None or len(known.values) < STARTUP:
            return super().ranking(study)
        complete = {e.key: e.encoding for e in entries if e.value is not None}
        encodings = np.array(list(complete.values()))
        rewards = self._improvement(judged, known, ()).expected(encodings)
        return [(encodings[place], float(rewards[place])) for place in np.argsort(-rewards, kind="stable")]

    def _improvement(self, judged: Sequence[Entry], known: Observations, entries: Sequence[Entry]) -> Improvement:
        described = features(self._space, self._within)
        pending = [entry for entry in entries if not entry.state.is_finished()]
        model = Model(described, known, self._hyper(judged, known), prior=self._prior)
        if pending:
            model.condition_on_pending(np.array([entry.encoding for entry in pending]))
        return Improvement(model, known.transform, self._factor, known.encodings)

    def _may_retrain(self, entries: Sequence[Entry]) -> bool:
        return not any(entry.repeat for entry in entries) if self._retrain is None else self._retrain

    def _hyper(self, judged: Sequence[Entry], known: Observations) -> Hyperparameters:
        """Hyperparameters fitted to the first observations, whose number grows in steps of a tenth.

        So they depend on the study alone. Keeping the last ones only saves time.
        """
        first = observations(judged[: _step(len(judged))]) or known
        digest = hashlib.sha256(b"".join(part.tobytes() for part in first[:3])).digest()
        if self._fitted is None or self._fitted[0] != digest:
            described = features(self._space, self._within)
            self._fitted = digest, fit_latest_and_best(described, first, len(self._space.radices), prior=self._prior)
        return self._fitted[1]

    def _start(self, entries: Sequence[Entry], rng: np.random.Generator) -> tuple[dict[str, Any], str]:
        """Uniform draws; with the prior, the first network is a large one."""
        if entries or not self._prior or not features(self._space, self._within).has_costs:
            return self.uniform(rng), UNIFORM
        of = "encodings" if self._within is None else "networks"
        rows = self._space.sample(rng, FIRST_DRAWS, within=self._within, of=of)  # type: ignore[arg-type]
        return self.params(self._largest(rows)), self.name

    def _largest(self, rows: Ints) -> Ints:
        size = features(self._space, self._within)(rows).size
        factors = np.ones(len(rows)) if self._factor is None else self._factor(rows)
        return np.asarray(rows[int(np.argmax(factors * (1 + FIRST_SLOPE * size)))])


def _step(number: int) -> int:
    """The largest count of the sequence STARTUP, one tenth more, ... that is no more than `number`."""
    count = STARTUP
    while (larger := max(count + 1, int(count * REFIT_GROWTH))) <= number:
        count = larger
    return count
