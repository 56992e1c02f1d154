"""Early stopping: when it ends a run, which weights it keeps, and that a resumed run ends alike."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import pytest
import torch
from torch import nn

from search_spaces.networks.arch import Arch, Stage
from studies.data.dataset import Dataset
from studies.data.splits import View
from studies.trainer.early_stopping import BestWeights, should_stop
from studies.trainer.evaluation import Evaluation
from studies.trainer.loop import new_network, train
from studies.trainer.recipe import Recipe
from studies.trainer.scoring import score
from tests.studies.tiny import without_times

TINY = Arch(stages=(Stage("mbconv", 3, 2, 8, 1, 2.0),), stem=8, head=16, resolution=28, classes=10)
# A rate that goes on learning too fast: the accuracy goes up and down from the beginning.
WILD = Recipe(
    *("sgd", 0.6), epochs=12, patience=2, batch_size=20, schedule="exponential", warmup=0.0, norm_momentum=0.3
)


def curve_of(accuracies: Sequence[float], an_epoch: int = 1) -> list[Evaluation]:
    rows = enumerate(accuracies, start=1)
    return [dataclasses.replace(Evaluation.none(0), step=n, epoch=n / an_epoch, accuracy=value) for n, value in rows]


@pytest.mark.parametrize(
    ("accuracies", "over"),
    [
        ([], False),
        ([0.5], False),
        ([0.5, 0.4], False),
        ([0.5, 0.4, 0.3], True),
        ([0.5, 0.4, 0.6], False),
        ([0.5, 0.4, 0.5], True),  # as good is not better
        ([0.1, 0.5, 0.4, 0.45], True),
        ([0.1, 0.2, 0.3, 0.4, 0.5], False),
    ],
)
def test_two_epochs_without_a_better_one_end_a_run_of_patience_2(accuracies: list[float], over: bool) -> None:
    assert should_stop(curve_of(accuracies), Recipe(patience=2)) is over
    assert not should_stop(curve_of(accuracies), Recipe())


def test_patience_counts_epochs_not_evaluations() -> None:
    accuracies = [0.1, 0.5, 0.4, 0.4, 0.4]
    assert not should_stop(curve_of(accuracies, an_epoch=2), Recipe(patience=2))
    assert should_stop(curve_of([*accuracies, 0.4], an_epoch=2), Recipe(patience=2))


def test_only_the_last_stage_can_be_over() -> None:
    """Eight epochs in two stages: what the first reached does not count against the second."""
    recipe = Recipe(patience=2, stages=2, epochs=8)
    assert not should_stop(curve_of([0.9, 0.1, 0.1, 0.1]), recipe)
    assert not should_stop(curve_of([0.9, 0.1, 0.1, 0.1, 0.3, 0.2]), recipe)
    assert should_stop(curve_of([0.9, 0.1, 0.1, 0.1, 0.3, 0.2, 0.2]), recipe)


def test_the_best_weights_are_copies_of_the_first_best() -> None:
    model, best = nn.Linear(1, 1), BestWeights()
    for accuracy, value in ((0.3, 1.0), (0.7, 2.0), (0.7, 3.0), (0.6, 4.0)):
        nn.init.constant_(model.weight, value)
        best.offer(model, accuracy)
    assert best.weights["weight"].item() == 2.0
    other = BestWeights()
    other.load_state_dict(best.state_dict())
    other.offer(model, 0.65)
    assert other.weights["weight"].item() == 2.0


def test_a_run_ends_early_and_keeps_its_best_weights(data: Dataset) -> None:
    model = new_network(TINY, WILD, seed=1)
    curve = list(train(model, data, WILD, seed=1, images=200))
    assert len(curve) < WILD.epochs
    accuracies = [row.accuracy for row in curve]
    best = accuracies.index(max(accuracies))
    assert best == len(curve) - 1 - WILD.patience
    judged = score(model, data.validation, View(28))
    assert (judged.top1, judged.loss) == (curve[best].accuracy, curve[best].loss)
    unstopped = list(train(TINY, data, WILD.replace(patience=0), seed=1, images=200))
    assert without_times(unstopped)[: len(curve)] == without_times(curve)


@pytest.mark.parametrize("broken_after", [1, 2])
def test_a_resumed_run_ends_where_the_unbroken_one_does(data: Dataset, broken_after: int, tmp_path: Path) -> None:
    path = tmp_path / "state.pt"
    whole_model, model = new_network(TINY, WILD, seed=1), new_network(TINY, WILD, seed=1)
    whole = list(train(whole_model, data, WILD, seed=1, images=200))
    broken = train(TINY, data, WILD, seed=1, images=200, checkpoint=path)
    for _ in range(broken_after):
        next(broken)
    broken.close()
    resumed = list(train(model, data, WILD, seed=1, images=200, checkpoint=path))
    assert without_times(resumed) == without_times(whole)
    again = new_network(TINY, WILD, seed=1)
    assert list(train(again, data, WILD, seed=1, images=200, checkpoint=path)) == resumed
    for other in (model, again):
        state = other.state_dict()
        assert all(torch.equal(state[name], tensor) for name, tensor in whole_model.state_dict().items())
