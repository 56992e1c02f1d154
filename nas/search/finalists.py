"""The finalists: which candidates are trained longer, and with which seeds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from nas.objectives.form import Objective
from nas.objectives.trial import metrics_at
from nas.search.config import SearchConfig
from studies.ledger.trial import Proposal, Record
from studies.outcome import Outcome

PHASE = "finalist"
FIRST_SEED = 1000  # of finalists, apart from the seeds of candidates


def choose(
    records: Sequence[Record], objective: Objective, number: int, posterior_means: Mapping[str, float] | None = None
) -> list[Record]:
    """The `number` different networks with the highest reward at the end of their training, best first.

    Candidates are ranked by the sampler's posterior mean, by key, if it has one, otherwise by the measured reward.
    """
    complete = [r for r in records if r.outcome is Outcome.COMPLETE and r.repeat_of is None and r.accuracy is not None]
    values = {record.key: reward(record, objective) for record in complete} | dict(posterior_means or {})
    ranked = sorted(complete, key=lambda record: (-values[record.key], record.number))
    return ranked[:number]


def reward(record: Record, objective: Objective) -> float:
    """The reward at a trial's last rung: the proxy's accuracy with the full network's cost."""
    assert record.accuracy is not None
    return objective.reward(record.accuracy, metrics_at(record, record.rungs[-1]))


def proposals(chosen: Sequence[Record], config: SearchConfig) -> list[Proposal]:
    """Each finalist with each seed, seed by seed, so that an interrupted run has whole blocks."""
    return [
        Proposal(
            choice=record.choice,
            key=record.key,
            arch=record.arch,
            metrics=record.metrics,
            phase=PHASE,
            seed=config.seed + FIRST_SEED + block,
            proposed_by=record.proposed_by,
            notes={"candidate": record.number},
        )
        for block in range(config.finalist.seeds)
        for record in chosen
    ]
