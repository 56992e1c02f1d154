"""The registry of data sets: every row is complete, and what is known of an image folder before it is read."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest

from search_spaces.common.lazy import resolve
from studies.data.load import load
from studies.data.registry import DATASETS, DatasetInfo, class_count, native_pixels
from tests.studies.data.images import folder_of_images


@pytest.mark.parametrize("info", DATASETS.values(), ids=DATASETS)
def test_a_row_is_complete_and_its_reader_takes_the_data_folder(info: DatasetInfo) -> None:
    assert info.classes > 1
    assert info.pixels > 0
    assert len(inspect.signature(resolve(info.code)).parameters) == 1


@pytest.mark.parametrize(
    ("name", "pixels", "classes"),
    [("fashion-mnist-mini", 28, 10), ("fashion-mnist", 28, 10), ("cifar10", 32, 10), ("cifar100", 32, 100)],
)
def test_published_numbers_of_named_data_sets(name: str, pixels: int, classes: int) -> None:
    assert (native_pixels(name), class_count(name)) == (pixels, classes)


@pytest.mark.parametrize(
    ("name", "named"),
    [
        ("fashion-mnist-mimi", "fashion-mnist-mini"),
        ("imagenet", "imagenet"),
        ("imagefolder:", "imagefolder:"),
        ("imagefolder:/no/such/folder", "/no/such/folder"),
    ],
)
def test_a_wrong_name_is_one_line(name: str, named: str) -> None:
    for check in (class_count, native_pixels, load):
        with pytest.raises(ValueError, match=named) as caught:
            check(name)
        assert "\n" not in str(caught.value)


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "train" / "cat").mkdir(parents=True)
    with pytest.raises(ValueError, match=str(tmp_path)):
        class_count(f"imagefolder:{tmp_path}")


def test_one_class_is_refused(tmp_path: Path) -> None:
    folder_of_images(tmp_path, {"cat": 3})
    with pytest.raises(ValueError, match="'cat'"):
        class_count(f"imagefolder:{tmp_path}")


def test_hidden_folders_and_other_files_are_no_classes(tmp_path: Path) -> None:
    folder_of_images(tmp_path, {"cat": 1, "dog": 1, ".cache": 1})
    (tmp_path / "empty").mkdir()
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "a.txt").write_text("")
    assert class_count(f"imagefolder:{tmp_path}") == 2


def test_native_pixels_of_a_folder_are_the_median_shorter_side(tmp_path: Path) -> None:
    folder_of_images(tmp_path / "train", {"a": 5, "b": 4}, size=(40, 30))
    folder_of_images(tmp_path / "train", {"c": 8}, size=(64, 90))
    assert native_pixels(f"imagefolder:{tmp_path}") == 30  # nine of 30 px, eight of 64
    (tmp_path / "train" / "a" / "000.png").write_bytes(b"no image")
    (tmp_path / "train" / "a" / "001.png").write_bytes(b"")
    assert native_pixels(f"imagefolder:{tmp_path}") == 64  # without the two broken ones, seven against eight
    assert class_count(f"imagefolder:{tmp_path}") == 3


def test_a_folder_without_a_readable_image_has_no_pixels(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "0.png").write_bytes(b"no image")
    with pytest.raises(ValueError, match=str(tmp_path)):
        native_pixels(f"imagefolder:{tmp_path}")
