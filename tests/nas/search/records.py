"""Ledger records of a few networks."""

from __future__ import annotations

from optuna.trial import TrialState

import search_spaces as ss
from nas.controls.control import Control
from nas.objectives.registry import make_objective
from nas.objectives.rewards import Aim
from studies.ledger.trial import Record
from studies.outcome import Outcome

ARCHS = [ss.get("mobilenet_v2").replace(stem=stem) for stem in (24, 32, 40, 48)]
ACCURACY = make_objective("accuracy", Aim(400))


def record(number: int, accuracies: list[float], outcome: Outcome = Outcome.COMPLETE, **changes: object) -> Record:
    arch = ARCHS[number % len(ARCHS)]
    fields = {
        "number": number, "phase": "candidate", "choice": {}, "key": arch.key, "arch": arch.to_json(),
        "metrics": {"macs": 400 + number, "params": 1, "activations": 1},
        "proposal_index": number, "seed": 0, "replicate": False,
        "proposed_by": "uniform", "never_pruned": False, "state": TrialState.COMPLETE, "outcome": outcome, "reason": "",
        "values": None, "rungs": tuple({"step": i, "accuracy": a} for i, a in enumerate(accuracies, start=1)),
        "seconds": 1.0, "worker": "", "repeat_of": None, "retry_of": None, "notes": {}, "owner": {},
    }  # fmt: skip
    return Record(**{**fields, **changes})  # type: ignore[arg-type]


def trained(number: int, values: list[float], **changes: object) -> list[Record]:
    """A network with a complete training for each seed."""
    return [record(number, [value], seed=seed, **changes) for seed, value in enumerate(values)]


def control(number: int, name: str = "", *, is_random: bool = False) -> Control:
    """One of the networks as a control."""
    arch = ARCHS[number % len(ARCHS)]
    return Control(name or f"control{number}", arch, is_random, 400, 1.0, 17, None if is_random else 1.25)
