"""The results of a training run: sums over its segments, and what a loss that is not finite makes of them."""

from __future__ import annotations

import math

import pytest

from studies.outcome import Outcome
from studies.trainer.evaluation import Evaluation

SEGMENT = {
    "epoch": 0.5, "accuracy": 0.25, "loss": 2.0, "train_loss": 2.5, "images": 64, "train_seconds": 3.0,
    "eval_seconds": 1.0, "lr": 0.1, "cpu_seconds": 2.75,
}  # fmt: skip


def test_images_and_seconds_add_up_and_the_rest_is_the_last() -> None:
    second = Evaluation.none(seed=7).next(**SEGMENT).next(**SEGMENT | {"epoch": 1.0, "accuracy": 0.5, "lr": 0.05})
    assert second == Evaluation(
        step=2,
        epoch=1.0,
        accuracy=0.5,
        loss=2.0,
        train_loss=2.5,
        images=128,
        train_seconds=6.0,
        eval_seconds=2.0,
        seed=7,
        outcome=Outcome.COMPLETE,
        lr=0.05,
        cpu_seconds=5.5,
    )


@pytest.mark.parametrize("name", ["loss", "train_loss"])
@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_loss_that_is_not_finite_has_no_accuracy(name: str, value: float) -> None:
    found = Evaluation.none(seed=0).next(**SEGMENT | {name: value})
    assert (found.outcome, found.accuracy, found.images) == (Outcome.NAN, 0.0, 64)
