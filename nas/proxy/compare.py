"""How well scores of networks agree with a reference: Kendall's tau with its interval, and seconds per network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from nas.proxy.config import MIN_NETWORKS
from studies.statistics.intervals import Estimate, kendall, kendall_difference
from studies.trainer.recipe import Proxy

Scores = Mapping[str, float]
"""A number for each network, by key; more is better."""


@dataclass(frozen=True)
class Scored:
    """One way to score networks, and the scores.

    name       in tables
    kind       "cost", "zero-cost", "proxy" (a cheap training) or "reference"
    scores     of the networks that it scored
    seconds    median wall-clock seconds of a network on one worker; None for costs
    early      scores after the first of two or more epochs, which early stopping uses
    proxy      how networks were trained, for trainings
    different  number of different networks that were trained in place of the sample's, for trainings
    """

    name: str
    kind: str
    scores: Scores
    seconds: float | None = None
    early: Scores = field(default_factory=dict)
    proxy: Proxy | None = None
    different: int | None = None


@dataclass(frozen=True)
class ProxyRow:
    """The agreement of one way to score networks with the reference.

    networks    number of networks with both scores
    tau         Kendall's tau-b with its 95 % bootstrap interval; None for fewer than 8 networks, or equal scores
    early       tau after the first epoch
    gain        tau minus that of multiply-adds and of parameters, by name, paired over networks
    behind      tau of the proxy with the highest tau minus this one's, paired over networks
    """

    scored: Scored
    networks: int
    tau: Estimate | None
    early: Estimate | None = None
    gain: Mapping[str, Estimate] = field(default_factory=dict)
    behind: Estimate | None = None

    @property
    def per_second(self) -> float | None:
        """Tau per second of a network; None if either is unknown."""
        if self.tau is None or not self.scored.seconds:
            return None
        return self.tau.value / self.scored.seconds


def compare(scored: Sequence[Scored], reference: Scores, seed: int = 0) -> list[ProxyRow]:
    """A row for each way to score networks, in their order. `seed` is that of the bootstrap."""
    taus = [_tau(one.scores, reference, seed) for one in scored]
    proxies = [(tau.value, index) for index, tau in enumerate(taus) if tau and scored[index].kind == "proxy"]
    best = scored[max(proxies)[1]].scores if proxies else None
    costs = {one.name: one.scores for one in scored if one.kind == "cost"}
    return [
        ProxyRow(
            scored=one,
            networks=len(one.scores.keys() & reference.keys()),
            tau=tau,
            early=_tau(one.early, reference, seed),
            gain=_gains(one, costs, reference, seed),
            behind=None if best is None else _difference(best, one.scores, reference, seed),
        )
        for one, tau in zip(scored, taus, strict=True)
    ]


def self_agreement(first: Scores, others: Sequence[Scores], seed: int = 0) -> Estimate | None:
    """Tau of the reference's first seed with the mean of its other seeds; None for one seed."""
    if not others:
        return None
    keys = set(first).intersection(*others)
    return _tau(first, {key: sum(other[key] for other in others) / len(others) for key in keys}, seed)


def _gains(one: Scored, costs: Mapping[str, Scores], reference: Scores, seed: int) -> dict[str, Estimate]:
    if one.kind == "cost":
        return {}
    found = {name: _difference(one.scores, scores, reference, seed) for name, scores in costs.items()}
    return {name: gain for name, gain in found.items() if gain is not None}


def _tau(scores: Scores, reference: Scores, seed: int) -> Estimate | None:
    columns = _columns(reference, scores)
    return None if columns is None else kendall(columns[1], columns[0], np.random.default_rng(seed))


def _difference(first: Scores, second: Scores, reference: Scores, seed: int) -> Estimate | None:
    columns = _columns(reference, first, second)
    if columns is None:
        return None
    return kendall_difference(columns[1], columns[2], columns[0], np.random.default_rng(seed))


def _columns(*scores: Scores) -> NDArray[np.float64] | None:
    """Scores [ways, networks] of the networks that have all of them.

    None for fewer than 8 networks, and for scores that are all equal: they cannot be ranked.
    """
    keys = sorted(set(scores[0]).intersection(*scores[1:]))
    columns = np.array([[each[key] for key in keys] for each in scores], dtype=np.float64)
    if len(keys) < MIN_NETWORKS or (np.ptp(columns, axis=1) == 0).any():
        return None
    return columns
