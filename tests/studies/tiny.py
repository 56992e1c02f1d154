"""A network of three layers, and curves without what differs from run to run."""

from __future__ import annotations

import dataclasses

from search_spaces.networks.arch import Arch, Stage
from studies.trainer.evaluation import Evaluation

TINY = Arch(
    stages=(Stage("mbconv", 5, 2, 8, 2, 2.0, se=0.25), Stage("mbconv", 3, 2, 16, 1, 2.0)),
    stem=8,
    head=32,
    resolution=28,
    classes=10,
)


def without_times(curve: list[Evaluation]) -> list[Evaluation]:
    return [dataclasses.replace(row, train_seconds=0.0, eval_seconds=0.0, cpu_seconds=0.0) for row in curve]
