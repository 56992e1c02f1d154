"""Stratified splits, and batches of images in memory."""

from __future__ import annotations

import pytest
import torch

from studies.data.load import load
from studies.data.splits import TensorSplit, View, stratified

VIEW = View(28)


@pytest.fixture(scope="module")
def mini() -> TensorSplit:
    split = load("fashion-mnist-mini").train
    assert isinstance(split, TensorSplit)
    return split


def test_stratified_keeps_shares() -> None:
    labels = torch.tensor([0] * 70 + [1] * 20 + [2] * 10)
    chosen, rest = stratified(labels, 30, seed=0)
    assert labels[chosen].bincount().tolist() == [21, 6, 3]
    assert sorted([*chosen.tolist(), *rest.tolist()]) == list(range(100))


def test_batches_are_normalised_three_channel_and_complete(mini: TensorSplit) -> None:
    seen, total, squares = 0, 0.0, 0.0
    for images, labels in mini.batches(VIEW, 300):
        assert images.shape == (len(labels), 3, 28, 28)
        assert images.is_contiguous(memory_format=torch.channels_last)
        assert torch.equal(images[:, 0], images[:, 2])
        seen += len(labels)
        total += float(images.double().sum())
        squares += float(images.double().square().sum())
    assert seen == len(mini)
    assert total / (seen * 3 * 784) == pytest.approx(0, abs=1e-4)
    assert squares / (seen * 3 * 784) == pytest.approx(1, abs=1e-4)


def test_a_training_pass_sees_every_image_once_in_an_order_set_by_the_seed(mini: TensorSplit) -> None:
    small = mini.take(100, seed=0)
    orders = [
        torch.cat([images.flatten(1) for images, _ in small.train_batches(VIEW, 32, seed=seed, augment="none")])
        for seed in (0, 0, 1)
    ]
    assert torch.equal(orders[0], orders[1])
    assert not torch.equal(orders[0], orders[2])
    plain = torch.cat([images.flatten(1) for images, _ in small.batches(VIEW, 32)])
    assert torch.equal(plain.sort(0).values, orders[2].sort(0).values)
    sizes = [len(labels) for _, labels in small.train_batches(VIEW, 32, seed=0, augment="none")]
    assert sizes == [25, 25, 25, 25]


def test_a_pass_can_start_in_its_middle(mini: TensorSplit) -> None:
    small = mini.take(100, seed=0)
    whole = list(small.train_batches(VIEW, 30, seed=5, augment="crop-flip"))
    rest = list(small.train_batches(VIEW, 30, seed=5, augment="crop-flip", start=2))
    assert len(rest) == len(whole) - 2
    for (mine, _), (theirs, _) in zip(rest, whole[2:], strict=True):
        assert torch.equal(mine, theirs)


def test_crops_are_shifts_and_mirrors_of_the_padded_image() -> None:
    picture = torch.arange(1, 65, dtype=torch.uint8).view(1, 1, 8, 8)
    split = TensorSplit(picture, torch.zeros(1, dtype=torch.long), torch.zeros(1), torch.ones(1))
    padded = torch.zeros(10, 10)
    padded[1:9, 1:9] = picture[0, 0]
    expected = {
        tuple((window.flip(1) if mirrored else window).flatten().tolist())
        for top in range(3)
        for left in range(3)
        for mirrored in (False, True)
        for window in [padded[top : top + 8, left : left + 8]]
    }
    found = set()
    for seed in range(300):
        for images, _ in split.train_batches(View(8), 1, seed=seed, augment="crop-flip"):
            found.add(tuple(images[0, 0].flatten().tolist()))
    assert found == expected


def test_images_are_resized(mini: TensorSplit) -> None:
    images, _ = next(mini.take(8, seed=0).batches(View(32), 8))
    assert images.shape == (8, 3, 32, 32)
