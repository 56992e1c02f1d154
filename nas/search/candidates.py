"""The candidates of a search: proposed by a sampler, trained as proxies, scored at the cost of the full network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nas.objectives.form import Objective
from nas.objectives.trial import metrics_at
from nas.region import SearchRegion
from nas.samplers import registry as samplers
from nas.samplers.base import SpaceSampler
from nas.samplers.history import Factor
from nas.samplers.parameters import distributions, to_choice
from nas.search.config import SearchConfig
from search_spaces.metrics.compute import compute_all
from search_spaces.networks.arch import Arch
from search_spaces.spaces.space import Ints, Space
from studies.ledger.ledger import Ledger
from studies.ledger.trial import Proposal, Record
from studies.outcome import Rung
from studies.trainer.registry import get_recipe


@dataclass(frozen=True)
class Candidates:
    """Proposes candidates and scores them, as a queue of trials needs."""

    config: SearchConfig
    region: SearchRegion
    sampler: SpaceSampler
    ledger: Ledger

    @classmethod
    def of(cls, config: SearchConfig, region: SearchRegion, ledger: Ledger) -> Candidates:
        """The candidates of a configuration."""
        sampler = samplers.make(
            config.sampler_name,
            region.space,
            within=region.within,
            seed=config.seed,
            factor=known_factor(config.objective_function, region.space),
            # A network that is proposed again takes its recorded value.
            retrain=False,
            by_proposal=config.deterministic,
        )
        return cls(config, region, sampler, ledger)

    def draw(self, number: int, entropy: tuple[int, ...]) -> Proposal:
        """The next candidate; `number` is its proposal index."""
        params, how = self.sampler.draw(self.ledger.study, entropy)
        return propose(self.region.space, params, how, self.config)

    def posterior_means(self) -> dict[str, float]:
        """The sampler's value of each complete candidate, by key (`SpaceSampler.ranking`); empty for two objectives."""
        if len(self.config.objective_function.directions) > 1:
            return {}
        space, ranking = self.region.space, self.sampler.ranking(self.ledger.study)
        return {space.key(space.choice(encoding)): value for encoding, value in ranking}

    def score(self, record: Record, rung: Rung) -> float | tuple[float, ...]:
        """The objective at a rung: the proxy's accuracy with the full network's cost."""
        values = self.config.objective_function.values(rung["accuracy"], metrics_at(record, rung))
        return values[0] if len(values) == 1 else values


def known_factor(objective: Objective, space: Space) -> Factor | None:
    """The reward's known part: the factor of the accuracy, from metrics; None if there is none."""
    if not objective.is_product:
        return None

    def factor(encodings: Ints) -> NDArray[np.float64]:
        values = zip(*(space.values(encodings, name).tolist() for name in objective.metrics), strict=True)
        return np.array([objective.reward(1.0, dict(zip(objective.metrics, row, strict=True))) for row in values])

    return factor


def propose(space: Space, params: dict[str, Any], how: str, config: SearchConfig) -> Proposal:
    """The proposal for a network of the space, with its key and metrics."""
    arch: Arch = space.decode(to_choice(space, params))
    return Proposal(
        choice=params,
        key=arch.key,
        arch=arch.to_json(),
        metrics=compute_all(arch, get_recipe(config.recipe).conditions, config.metrics),
        proposed_by=how,
    )


def choices(space: Space) -> dict[str, tuple[Any, ...]]:
    """The space's choices as the ledger stores them."""
    return {name: tuple(distribution.choices) for name, distribution in distributions(space).items()}
