"""The candidates of a search: proposed by a sampler, trained as proxies, scored at the cost of the full network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nas.objectives import Objective, Relative
from nas.region import SearchRegion
from nas.samplers import registry as samplers
from nas.samplers.base import SpaceSampler
from nas.samplers.history import Factor
from nas.samplers.parameters import distributions, to_choice
from nas.search.config import SearchConfig
from search_spaces.metrics.counts import counts
from search_spaces.networks.arch import Arch
from search_spaces.spaces.space import Ints, Space
from studies.ledger.ledger import Ledger
from studies.ledger.trial import Proposal, Record
from studies.outcome import Rung


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
            within={"macs": region.band},
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
        return propose(self.region.space, params, how)

    def posterior_means(self) -> dict[str, float]:
        """The sampler's value of each complete candidate, by key (`SpaceSampler.ranking`); empty for two objectives."""
        if len(self.config.objective_function.directions) > 1:
            return {}
        space, ranking = self.region.space, self.sampler.ranking(self.ledger.study)
        return {space.key(space.choice(encoding)): value for encoding, value in ranking}

    def score(self, record: Record, rung: Rung) -> float | tuple[float, ...]:
        """The objective at a rung: the proxy's accuracy with the full network's cost."""
        macs = round(record.metrics["macs"])
        values = self.config.objective_function.values(rung["accuracy"], macs, Relative.of(rung))
        return values[0] if len(values) == 1 else values


def known_factor(objective: Objective, space: Space) -> Factor | None:
    """The reward's known part: the factor of the accuracy, from the cost; None if there is none."""
    if objective.kind not in ("soft", "hard"):
        return None

    def factor(encodings: Ints) -> NDArray[np.float64]:
        return np.array([objective.reward(1.0, macs) for macs in space.costs(encodings).macs.tolist()])

    return factor


def propose(space: Space, params: dict[str, Any], how: str) -> Proposal:
    """The proposal for a network of the space, with its key and cost."""
    arch: Arch = space.decode(to_choice(space, params))
    return Proposal(
        choice=params,
        key=arch.key,
        arch=arch.to_json(),
        metrics=counts(arch),
        proposed_by=how,
    )


def choices(space: Space) -> dict[str, tuple[Any, ...]]:
    """The space's choices as the ledger stores them."""
    return {name: tuple(distribution.choices) for name, distribution in distributions(space).items()}
