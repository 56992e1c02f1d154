"""Image files that are streamed, kept in memory and transformed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from PIL import Image
from torchvision.transforms import v2

from studies.data.image_files import centre_square, image_transform, read_image
from studies.data.load import load
from studies.data.splits import View
from tests.studies.data.images import folder_of_noise


@pytest.fixture
def threads() -> Iterator[None]:
    """Restores the number of threads afterwards."""
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


@pytest.mark.usefixtures("threads")
def test_streamed_images_do_not_depend_on_the_number_of_workers(tmp_path: Path) -> None:
    train = load(f"imagefolder:{folder_of_noise(tmp_path)}").train
    passes = []
    for workers in (1, 2):
        torch.set_num_threads(workers)
        batches = train.train_batches(View(72), 4, seed=7, augment="randaugment", magnitude=12)
        passes.append(torch.cat([images for images, _ in batches]))
    assert passes[0].shape == (len(train), 3, 72, 72)
    assert torch.equal(*passes)


def test_a_streamed_pass_is_set_by_its_seed_and_can_start_in_its_middle(tmp_path: Path) -> None:
    data = load(f"imagefolder:{folder_of_noise(tmp_path)}")
    first, second, rest = (
        list(data.train.train_batches(View(72), 4, seed=7, augment="crop-flip", start=start)) for start in (0, 0, 1)
    )
    assert sum(len(labels) for _, labels in first) == len(data.train)
    for (images, labels), (again, same) in zip([*first, *first[1:]], [*second, *rest], strict=True):
        assert torch.equal(images, again)
        assert torch.equal(labels, same)
    assert next(data.validation.batches(View(72), 4))[0].shape[1:] == (3, 72, 72)


def test_ranks_share_the_streamed_batches(tmp_path: Path) -> None:
    validation = load(f"imagefolder:{folder_of_noise(tmp_path)}", validation=5).validation
    whole = next(validation.batches(View(72), 5))
    parts = [next(validation.batches(View(72, rank=rank, world_size=2), 5)) for rank in (0, 1)]
    assert [len(labels) for _, labels in parts] == [3, 2]
    for index in (0, 1):
        assert torch.equal(torch.cat([part[index] for part in parts]), whole[index])


def test_training_images_go_through_crop_mirror_and_policy() -> None:
    kinds = [type(step) for step in image_transform(72, "autoaugment").transforms]
    assert [kinds.index(kind) for kind in (v2.RandomResizedCrop, v2.RandomHorizontalFlip, v2.AutoAugment)] == [1, 2, 3]
    assert v2.RandAugment not in [type(step) for step in image_transform(72, "none", 9).transforms]


def test_evaluation_sees_seven_eighths_of_an_image() -> None:
    image = Image.new("RGB", (64, 64), (255, 255, 255))
    image.paste((0, 0, 0), (4, 4, 60, 60))  # black but for a frame of 4 of 64 pixels
    pixels = image_transform(56, "none")(image)
    assert pixels.shape == (3, 56, 56)
    black = [-mean / std for mean, std in ((0.485, 0.229), (0.456, 0.224), (0.406, 0.225))]
    torch.testing.assert_close(pixels, torch.tensor(black)[:, None, None].expand(3, 56, 56))


def test_the_centre_square_is_cut_from_the_middle(tmp_path: Path) -> None:
    image = Image.new("RGB", (50, 30), (255, 0, 0))
    image.paste((0, 0, 255), (10, 0, 40, 30))
    image.save(tmp_path / "a.png")
    blue = torch.tensor([0, 0, 255], dtype=torch.uint8)[:, None, None]
    assert torch.equal(centre_square(str(tmp_path / "a.png"), 30), blue.expand(3, 30, 30))


def test_a_jpeg_is_decoded_at_a_fraction_of_its_size(tmp_path: Path) -> None:
    path = str(tmp_path / "a.jpg")
    Image.new("RGB", (320, 240)).save(path)
    assert [read_image(path, at_least).size for at_least in (0, 100, 30)] == [(320, 240), (160, 120), (40, 30)]


def test_an_image_that_cannot_be_decoded_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"no image")
    with pytest.raises(ValueError, match="a.png"):
        read_image(str(tmp_path / "a.png"))


def test_a_subset_keeps_the_shares_of_the_classes(tmp_path: Path) -> None:
    train = load(f"imagefolder:{folder_of_noise(tmp_path)}", validation=6).train
    (_, labels), *_ = train.take(4, seed=0).batches(View(8), 99)
    assert labels.tolist() == [0, 0, 1, 1]
    assert train.take(10, seed=0) is train
