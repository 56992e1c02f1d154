"""How well each way to score networks ranks them, against a reference: Kendall's tau, its interval, its price."""

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
    """One way to score networks, and what it gave.

    name       what people call it
    kind       "cost", "measure" (training-free), "proxy" (a cheap training) or "reference" (trained again)
    scores     of the networks it has scored
    seconds    median wall-clock seconds of a network on one worker; None for costs, which are known
    early      scores after the first of several epochs, which is what early stopping goes by
    proxy      how networks were trained, for trainings
    different  different networks that were trained in the place of the sample's; None where that says nothing
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
    """How well one way to score networks agrees with the reference.

    networks    that have both scores
    tau         Kendall's tau-b with its 95 % bootstrap interval; None for fewer than 8 networks, or equal scores
    early       likewise after the first epoch
    gain        tau minus that of each cost measure, by its name, paired over networks
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
        """Tau for each second a network costs; None where either is unknown."""
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


def again(first: Scores, others: Sequence[Scores], seed: int = 0) -> Estimate | None:
    """How well the reference agrees with itself: its first seed with the mean of its others. None for one seed."""
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
    """Scores [ways, networks] of the networks that have all; None where they can't be ranked.

    So are fewer than 8 networks, and scores that are all equal.
    """
    keys = sorted(set(scores[0]).intersection(*scores[1:]))
    columns = np.array([[each[key] for key in keys] for each in scores], dtype=np.float64)
    if len(keys) < MIN_NETWORKS or (np.ptp(columns, axis=1) == 0).any():
        return None
    return columns
