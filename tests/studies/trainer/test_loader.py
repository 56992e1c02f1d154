"""The batches of a training: the same however it is cut into segments, and shared out between ranks."""

from __future__ import annotations

import pytest
import torch

from studies.data.dataset import Dataset
from studies.data.splits import View
from studies.trainer.loader import Loader
from studies.trainer.recipe import Recipe

RECIPE = Recipe(epochs=2, stages=2, batch_size=16, start_size=0.5, mixup=0.4, start_mixup=0.4, cutmix=0.4)


def loader(data: Dataset, rungs_per_epoch: int = 1, rank: int = 0, world_size: int = 1) -> Loader:
    view = View(28, rank=rank, world_size=world_size)
    return Loader(data.train.take(50, seed=0), RECIPE, view, 3, rungs_per_epoch)


def batches(one: Loader) -> list[tuple[torch.Tensor, torch.Tensor]]:
    return [batch for segment in one.segments() for batch in one.batches(segment, classes=10)]


@pytest.mark.parametrize("rungs_per_epoch", [2, 3, 9])
def test_segments_have_the_batches_of_whole_epochs(data: Dataset, rungs_per_epoch: int) -> None:
    whole, cut = batches(loader(data)), batches(loader(data, rungs_per_epoch))
    # 50 images are four batches an epoch; the first stage trains on half of 28 px.
    assert [images.shape[-1] for images, _ in whole] == [14] * 4 + [28] * 4
    for ours, theirs in zip(cut, whole, strict=True):
        assert torch.equal(ours[0], theirs[0])
        assert torch.equal(ours[1], theirs[1])


def test_mixed_labels_are_probabilities(data: Dataset) -> None:
    for _, labels in batches(loader(data)):
        assert labels.shape[1] == 10
        torch.testing.assert_close(labels.sum(1), torch.ones(len(labels)))


def test_ranks_share_the_images_and_draw_other_dropout(data: Dataset) -> None:
    alone, ranks = loader(data), [loader(data, rank=rank, world_size=2) for rank in (0, 1)]
    segment = alone.segments()[0]
    sizes = [[len(images) for images, _ in batches(one)] for one in ranks]
    assert [sum(pair) for pair in zip(*sizes, strict=True)] == [len(images) for images, _ in batches(alone)]
    assert ranks[0].random_seed(segment) == alone.random_seed(segment) != ranks[1].random_seed(segment)
