"""Data sets: the bundled one, its splits and batches, image folders good and bad."""

from __future__ import annotations

import gzip
import logging
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from studies.data import sources
from studies.data.load import load
from studies.data.splits import TensorSplit, View, stratified
from tests.studies.data.images import folder_of_images

VIEW = View(28)


@pytest.fixture(scope="module")
def mini() -> TensorSplit:
    split = load("fashion-mnist-mini").train
    assert isinstance(split, TensorSplit)
    return split


def test_the_bundled_set_is_balanced_and_split_without_overlap() -> None:
    data = load("fashion-mnist-mini", seed=3)
    train, validation, test = data.train, data.validation, data.test()
    assert (len(train), len(validation), len(test)) == (8000, 2000, 5000)
    assert isinstance(train, TensorSplit)
    assert isinstance(validation, TensorSplit)
    assert isinstance(test, TensorSplit)
    assert test.labels.bincount().tolist() == [500] * 10
    assert validation.labels.bincount().tolist() == [200] * 10
    rows = torch.cat([train.images, validation.images]).flatten(1)
    # Fashion-MNIST itself holds a few equal images; that all 10 000 are there is told by their sum.
    assert rows.shape == (10_000, 784)
    whole = np.load(sources.BUNDLED_FILE)["train_images"].astype(np.int64).sum()
    assert int(rows.long().sum()) == whole
    assert data.classes[9] == "Ankle boot"


def test_the_bundled_images_are_those_of_the_original_files() -> None:
    if not sources.DEBIAN_FASHION_MNIST.is_dir():
        pytest.skip("NOT RUN: the original files are not here")
    original = load("fashion-mnist", root="nowhere").test()
    assert isinstance(original, TensorSplit)
    mini_test = load("fashion-mnist-mini").test()
    assert isinstance(mini_test, TensorSplit)
    first_shoes = original.images[original.labels == 9][:500]
    assert torch.equal(mini_test.images[mini_test.labels == 9], first_shoes)


def test_the_same_seed_holds_out_the_same_images() -> None:
    first, again, other = (load("fashion-mnist-mini", seed=seed, validation=500).validation for seed in (0, 0, 1))
    assert isinstance(first, TensorSplit)
    assert isinstance(again, TensorSplit)
    assert isinstance(other, TensorSplit)
    assert torch.equal(first.images, again.images)
    assert not torch.equal(first.images, other.images)


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


def test_data_that_cannot_be_downloaded_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from torchvision import datasets

    def offline(*args: object, **keywords: object) -> None:
        raise OSError("no route\nto host")

    monkeypatch.setattr(datasets, "CIFAR10", offline)
    with pytest.raises(ValueError, match="cifar10 is not under .* fashion-mnist-mini") as caught:
        load("cifar10", root=tmp_path)
    assert "\n" not in str(caught.value)


def test_a_broken_local_copy_is_named(tmp_path: Path) -> None:
    (tmp_path / "train-images-idx3-ubyte.gz").write_bytes(gzip.compress(b"\0\0\x08\x03")[:-3])
    with pytest.raises(ValueError, match="train-images-idx3-ubyte.gz"):
        load("fashion-mnist", root=tmp_path)


def test_too_large_a_validation_part_is_refused() -> None:
    with pytest.raises(ValueError, match="between 1 and 9999"):
        load("fashion-mnist-mini", validation=10_000)


def test_imagenets_layout(tmp_path: Path) -> None:
    folder_of_images(tmp_path / "train", {"cat": 20, "dog": 20})
    folder_of_images(tmp_path / "val", {"cat": 3, "dog": 4})
    data = load(f"imagefolder:{tmp_path}", validation=10)
    assert data.classes == ("cat", "dog")
    assert (len(data.train), len(data.validation), len(data.test())) == (30, 10, 7)
    images, labels = next(data.train.batches(View(16), 30))
    assert images.shape == (30, 3, 16, 16)
    # The files of "dog" are grey 60, those of "cat" black.
    black = (0 - 0.485) / 0.229
    assert images[labels == 0, 0].unique().item() == pytest.approx(black, abs=1e-5)
    assert images[labels == 1, 0].unique().item() == pytest.approx((60 / 255 - 0.485) / 0.229, abs=1e-5)


def test_one_folder_is_split_three_ways(tmp_path: Path) -> None:
    data = load(f"imagefolder:{folder_of_images(tmp_path / 'all', {'a': 50, 'b': 50})}")
    assert (len(data.train), len(data.validation), len(data.test())) == (64, 16, 20)


def test_large_images_are_streamed_and_repeatable(tmp_path: Path) -> None:
    root = tmp_path / "all"
    for name in ("a", "b"):
        (root / name).mkdir(parents=True)
        for number in range(8):
            noise = np.random.default_rng(number).integers(0, 255, (90, 110, 3), dtype=np.uint8)
            Image.fromarray(noise).save(root / name / f"{number}.jpg")
    data = load(f"imagefolder:{root}")
    passes = [list(data.train.train_batches(View(72), 4, seed=7, augment="crop-flip")) for _ in range(2)]
    assert sum(len(labels) for _, labels in passes[0]) == len(data.train)
    for (first, _), (second, _) in zip(*passes, strict=True):
        assert first.shape[1:] == (3, 72, 72)
        assert torch.equal(first, second)
    assert next(data.validation.batches(View(72), 4))[0].shape[1:] == (3, 72, 72)


def test_a_missing_val_folder_is_refused(tmp_path: Path) -> None:
    folder_of_images(tmp_path / "train", {"cat": 2, "dog": 2})
    with pytest.raises(ValueError, match="val with the test images is missing"):
        load(f"imagefolder:{tmp_path}")


def test_a_handful_of_images_is_refused(tmp_path: Path) -> None:
    """A validation part of no images can judge nothing."""
    with pytest.raises(ValueError, match="4 training images are too few"):
        load(f"imagefolder:{folder_of_images(tmp_path / 'x', {'cat': 3, 'dog': 1})}")


def test_a_corrupt_image_is_named_and_skipped(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    folder_of_images(tmp_path / "all", {"a": 100, "b": 100}, size=(4, 4))
    whole = (tmp_path / "all" / "a" / "007.png").read_bytes()
    (tmp_path / "all" / "a" / "007.png").write_bytes(whole[: len(whole) // 2])
    with caplog.at_level(logging.WARNING):
        data = load(f"imagefolder:{tmp_path / 'all'}")
    assert len(data.train) + len(data.validation) + len(data.test()) == 199
    assert "1 of 200 images" in caplog.text
    assert "007.png" in caplog.text
    assert data.corrupt == (str(tmp_path / "all" / "a" / "007.png"),)


def test_known_corrupt_images_are_left_out_without_a_look(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker takes the driver's word for it: decoding a large folder once more would take hours."""
    folder = folder_of_images(tmp_path / "all", {"a": 20, "b": 20}, size=(4, 4))
    monkeypatch.setattr("studies.data.folders._is_readable", lambda path: pytest.fail(f"decoded {path}"))
    data = load(f"imagefolder:{folder}", corrupt=[str(tmp_path / "all" / "a" / "003.png")])
    assert len(data.train) + len(data.validation) + len(data.test()) == 39


def test_many_corrupt_images_are_an_error(tmp_path: Path) -> None:
    folder_of_images(tmp_path / "all", {"a": 20, "b": 20}, size=(4, 4))
    (tmp_path / "all" / "b" / "003.png").write_bytes(b"not an image")
    with pytest.raises(ValueError, match=r"1 of 40 images .*003\.png.* too many"):
        load(f"imagefolder:{tmp_path / 'all'}")
