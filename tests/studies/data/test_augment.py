"""Random operations on images and mixing of batches: torchvision's, and the same in any order and after a resume."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torchvision.transforms import v2

from studies.data.augment import apply_each, mixed, policy
from studies.data.load import load
from studies.data.splits import TensorSplit, View

POLICIES = ("autoaugment", "randaugment")


def mix(images: Tensor, labels: Tensor, *, mixup: float = 0.0, cutmix: float = 0.0, seed: int) -> tuple[Tensor, Tensor]:
    return mixed(images, labels, mixup=mixup, cutmix=cutmix, classes=5, seed=seed)


def pictures(count: int, channels: int = 3, side: int = 12) -> Tensor:
    shape = (count, side, side, channels)
    return torch.randint(256, shape, dtype=torch.uint8, generator=torch.Generator().manual_seed(count))


def test_the_policies_are_torchvisions() -> None:
    assert policy("none", 9) is policy("crop-flip", 9) is None
    assert isinstance(policy("autoaugment", 0), v2.AutoAugment)
    random = policy("randaugment", 8.6)
    assert isinstance(random, v2.RandAugment)
    assert (random.num_ops, random.magnitude, random.num_magnitude_bins) == (2, 9, 31)
    assert policy("randaugment", 30)(pictures(1)[0].permute(2, 0, 1)).dtype is torch.uint8  # type: ignore[misc]


@pytest.mark.parametrize("augment", POLICIES)
@pytest.mark.parametrize("channels", [1, 3])
def test_the_change_of_an_image_does_not_depend_on_the_others(augment: str, channels: int) -> None:
    change, images = policy(augment, 15), pictures(20, channels)
    assert change is not None
    whole = apply_each(change, images, torch.arange(20), seed=7)
    assert whole.shape == images.shape
    assert whole.dtype is torch.uint8
    assert not torch.equal(whole, images)
    chosen = torch.tensor([13, 2, 5])
    assert torch.equal(apply_each(change, images[chosen], chosen, seed=7), whole[chosen])
    assert not torch.equal(apply_each(change, images, torch.arange(20), seed=8), whole)


def test_equal_images_are_changed_differently() -> None:
    change = policy("randaugment", 15)
    assert change is not None
    images = pictures(1).expand(30, -1, -1, -1)
    found = {tuple(image.flatten().tolist()) for image in apply_each(change, images, torch.arange(30), seed=0)}
    assert len(found) > 10


def test_the_callers_random_numbers_are_left_alone() -> None:
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    change = policy("autoaugment", 0)
    assert change is not None
    apply_each(change, pictures(3), torch.arange(3), seed=1)
    mix(torch.rand(4, 3, 8, 8, generator=torch.Generator()), torch.arange(4), mixup=1.0, seed=2)
    assert torch.equal(torch.rand(3), expected)


@pytest.mark.parametrize("augment", POLICIES)
def test_a_pass_over_images_in_memory_can_start_in_its_middle(augment: str) -> None:
    small = load("fashion-mnist-mini").train.take(60, seed=0)
    assert isinstance(small, TensorSplit)
    view = View(20)
    whole = list(small.train_batches(view, 20, seed=5, augment=augment, magnitude=10))
    rest = list(small.train_batches(view, 20, seed=5, augment=augment, magnitude=10, start=1))
    assert [len(labels) for _, labels in whole] == [20, 20, 20]
    for (mine, mine_labels), (theirs, their_labels) in zip(rest, whole[1:], strict=True):
        assert torch.equal(mine, theirs)
        assert torch.equal(mine_labels, their_labels)
    other = next(iter(small.train_batches(view, 20, seed=6, augment=augment, magnitude=10)))[0]
    assert not torch.equal(other, whole[0][0])


def test_another_batch_size_sees_the_same_images() -> None:
    """An image's augmentation depends on the epoch's seed and its own index."""
    small = load("fashion-mnist-mini").train.take(60, seed=0)
    passes = [
        torch.cat(
            [images for images, _ in small.train_batches(View(28), size, seed=5, augment="randaugment", magnitude=9)]
        )
        for size in (60, 7)
    ]
    assert torch.equal(*passes)


def test_without_alphas_a_batch_stays_as_it_is() -> None:
    images, labels = torch.rand(4, 3, 8, 8), torch.arange(4)
    same = mix(images, labels, seed=0)
    assert same[0] is images
    assert same[1] is labels


@pytest.mark.parametrize("layout", [torch.channels_last, torch.contiguous_format])
def test_mixup_takes_of_each_image_what_it_takes_of_its_label(layout: torch.memory_format) -> None:
    images = torch.rand(4, 3, 8, 8).contiguous(memory_format=layout)
    labels = torch.tensor([0, 1, 2, 4])
    both, shares = mix(images, labels, mixup=0.4, seed=3)
    part = float(shares[0, 0])
    assert 0 < part < 1
    assert shares.shape == (4, 5)
    torch.testing.assert_close(shares.sum(1), torch.ones(4))
    torch.testing.assert_close(both, part * images + (1 - part) * images.roll(1, 0))
    assert both.is_contiguous(memory_format=layout)
    again, _ = mix(images, labels, mixup=0.4, seed=3)
    assert torch.equal(both, again)


def test_cutmix_pastes_as_many_pixels_as_it_takes_of_the_label() -> None:
    images = torch.arange(4.0).view(4, 1, 1, 1).expand(4, 3, 8, 8).contiguous()
    labels = torch.tensor([0, 1, 2, 3])
    both, shares = mix(images, labels, cutmix=1.0, seed=4)
    for index in range(4):
        neighbour = (index - 1) % 4
        assert set(both[index].flatten().tolist()) <= {float(index), float(neighbour)}
        pasted = float((both[index, 0] == neighbour).double().mean())
        assert float(shares[index, neighbour]) == pytest.approx(pasted, abs=1e-6)


def test_with_both_each_batch_has_one_of_them() -> None:
    images = torch.arange(4.0).view(4, 1, 1, 1).expand(4, 3, 8, 8).contiguous()
    whole = [
        set(mix(images, torch.arange(4), mixup=0.5, cutmix=0.5, seed=seed)[0][1].unique().tolist()) <= {0.0, 1.0}
        for seed in range(40)
    ]
    assert 8 < sum(whole) < 32
