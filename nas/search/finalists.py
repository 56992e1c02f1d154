"""The finalists: which candidates are trained longer, with which seeds, and with the controls beside them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from nas.controls.control import Control
from nas.objectives.form import Objective
from nas.objectives.trial import metrics_at
from nas.search.config import SearchConfig
from search_spaces.metrics.compute import compute_all
from studies.ledger.trial import Proposal, Record
from studies.outcome import Outcome
from studies.trainer.registry import get_recipe

PHASE, CONTROL_PHASE = "finalist", "control"
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


def proposals(chosen: Sequence[Record], controls: Sequence[Control], config: SearchConfig) -> list[Proposal]:
    """Each finalist and each control with each seed, seed by seed, so that an interrupted run has whole blocks.

    A control that is a finalist too is trained once.
    """
    keys = {record.key for record in chosen}
    others = [control for control in controls if control.arch.key not in keys]
    return [
        wanted
        for block in range(config.finalist.seeds)
        for wanted in (
            *(_finalist(record, config, block) for record in chosen),
            *(_control(control, config, block) for control in others),
        )
    ]


def _finalist(record: Record, config: SearchConfig, block: int) -> Proposal:
    return Proposal(
        choice=record.choice,
        key=record.key,
        arch=record.arch,
        metrics=record.metrics,
        phase=PHASE,
        seed=config.seed + FIRST_SEED + block,
        proposed_by=record.proposed_by,
        notes={"candidate": record.number},
    )


def _control(control: Control, config: SearchConfig, block: int) -> Proposal:
    return Proposal(
        choice={},
        key=control.arch.key,
        arch=control.arch.to_json(),
        metrics=compute_all(control.arch, get_recipe(config.recipe).conditions, config.metrics),
        phase=CONTROL_PHASE,
        seed=config.seed + FIRST_SEED + block,
        proposed_by=control.name,
    )
