"""Folders of image files, good and bad."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from studies.data.load import load
from studies.data.splits import View
from tests.studies.data.images import folder_of_images


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


def test_a_missing_val_folder_is_refused(tmp_path: Path) -> None:
    folder_of_images(tmp_path / "train", {"cat": 2, "dog": 2})
    with pytest.raises(ValueError, match=str(tmp_path / "val")):
        load(f"imagefolder:{tmp_path}")


def test_a_class_of_test_images_alone_is_refused(tmp_path: Path) -> None:
    folder_of_images(tmp_path / "train", {"cat": 9, "dog": 9})
    folder_of_images(tmp_path / "val", {"cat": 1, "cow": 1})
    with pytest.raises(ValueError, match="'cow'"):
        load(f"imagefolder:{tmp_path}")


@pytest.mark.parametrize(("layout", "count"), [("", 4), ("train", 4)])
def test_a_handful_of_images_is_refused(layout: str, count: int, tmp_path: Path) -> None:
    """A fifth of four images is none, and no validation or test image could be held out."""
    folder_of_images(tmp_path / layout, {"cat": count - 1, "dog": 1})
    if layout:
        folder_of_images(tmp_path / "val", {"cat": 1, "dog": 1})
    with pytest.raises(ValueError, match=f"got {count}"):
        load(f"imagefolder:{tmp_path}")


def test_a_corrupt_image_is_named_and_skipped(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    folder_of_images(tmp_path, {"a": 100, "b": 100}, size=(4, 4))
    corrupt = tmp_path / "a" / "007.png"
    whole = corrupt.read_bytes()
    corrupt.write_bytes(whole[: len(whole) // 2])
    with caplog.at_level(logging.WARNING):
        data = load(f"imagefolder:{tmp_path}")
    assert len(data.train) + len(data.validation) + len(data.test()) == 199
    (warning,) = caplog.messages
    assert str(corrupt.relative_to(tmp_path)) in warning
    assert data.corrupt == (str(corrupt),)


def test_corrupt_test_images_are_skipped(tmp_path: Path) -> None:
    folder_of_images(tmp_path / "train", {"a": 10, "b": 10}, size=(4, 4))
    folder_of_images(tmp_path / "val", {"a": 100, "b": 100}, size=(4, 4))
    (tmp_path / "val" / "b" / "000.png").write_bytes(b"not an image")
    data = load(f"imagefolder:{tmp_path}")
    assert data.corrupt == ()
    assert len(data.test()) == 199


def test_known_corrupt_images_are_left_out_and_no_file_is_decoded(tmp_path: Path) -> None:
    """A worker is told what the driver found: decoding a large folder once more would take hours."""
    folder_of_images(tmp_path, {"a": 20, "b": 20}, size=(4, 4))
    (tmp_path / "b" / "005.png").write_bytes(b"not an image, as decoding it would show")
    data = load(f"imagefolder:{tmp_path}", corrupt=[str(tmp_path / "a" / "003.png")])
    assert len(data.train) + len(data.validation) + len(data.test()) == 39
    assert data.corrupt == (str(tmp_path / "a" / "003.png"),)


def test_many_corrupt_images_are_an_error(tmp_path: Path) -> None:
    folder_of_images(tmp_path, {"a": 20, "b": 20}, size=(4, 4))
    for number in range(7):
        (tmp_path / "b" / f"{number:03}.png").write_bytes(b"not an image")
    with pytest.raises(ValueError, match=r"7 of 40 .*b/000\.png.*b/004\.png and 2 more"):
        load(f"imagefolder:{tmp_path}")
