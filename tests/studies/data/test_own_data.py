"""The contract of data sets, which one suite checks for the rows of the registry and for a user's own."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from studies.data.image_source import ImageSource, read_own
from studies.data.load import load
from studies.data.registry import BUNDLED, DATASETS, class_count, native_pixels, read_source

OWN = ("outside_images:load", "outside_rows:NOISE")
pytestmark = pytest.mark.usefixtures("outside")


@pytest.mark.parametrize("name", [BUNDLED, *OWN])
def test_what_a_reader_returns_and_what_its_row_says(name: str, tmp_path: Path) -> None:
    source = read_source(name, tmp_path)
    assert class_count(name, tmp_path) == len(source.classes)
    side = native_pixels(name, tmp_path)
    for images, labels in (source.train, source.test()):
        assert (images.dtype, labels.dtype) == (torch.uint8, torch.int64)
        assert images.shape == (len(labels), images.shape[1], side, side)
        assert set(labels.tolist()) == set(range(len(source.classes)))


@pytest.mark.parametrize("name", OWN)
def test_an_own_data_set_is_split_as_others_are(name: str) -> None:
    data = load(name, seed=3, validation=100)
    assert (data.name, data.classes, data.resolution) == (name, ("dark", "bright"), 12)
    assert (len(data.train), len(data.validation), len(data.test())) == (300, 100, 100)
    row = DATASETS.row(name)
    assert (row.label, row.classes) == (("dark and bright noise", 2) if name == OWN[1] else (name, 0))


def test_the_reader_gets_the_data_folder_and_reads_once(tmp_path: Path) -> None:
    seen = []
    source = read_source(OWN[0], tmp_path)

    def reader(root: Path) -> ImageSource:
        seen.append(root)
        return source

    assert read_own("dataset a:b", reader, tmp_path).classes == source.classes
    assert seen == [tmp_path]
    assert read_source(OWN[0], tmp_path) is source


IMAGES, LABELS = torch.zeros(4, 1, 6, 6, dtype=torch.uint8), torch.tensor([0, 1, 0, 1])
SOUND = ImageSource(("a", "b"), (IMAGES, LABELS), lambda: (IMAGES, LABELS))


def fails(_root: Path = Path()) -> Any:
    raise KeyError("two\nlines")


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"classes": ("a",)}, "2 classes"),
        ({"classes": ["a", "b"]}, "classes must be a tuple"),
        ({"test": (IMAGES, LABELS)}, "test must be a function"),
        ({"train": IMAGES}, "two tensors"),
        ({"train": (IMAGES.numpy(), LABELS)}, "ndarray, Tensor"),
        ({"train": (IMAGES.float(), LABELS)}, "torch.float32"),
        ({"train": (IMAGES[..., :5], LABELS)}, "4, 1, 6, 5"),
        ({"train": (IMAGES.expand(4, 2, 6, 6), LABELS)}, "4, 2, 6, 6"),
        ({"train": (IMAGES[:0], LABELS[:0])}, "0, 1, 6, 6"),
        ({"train": (IMAGES, LABELS.int())}, "torch.int32"),
        ({"train": (IMAGES, LABELS[:3])}, "4 images and 3 labels"),
        ({"train": (IMAGES, LABELS + 1)}, "got 1 to 2"),
    ],
    ids=lambda value: value.replace(" ", "-") if isinstance(value, str) else "",
)
def test_training_images_that_break_the_contract_are_refused(changes: dict[str, Any], named: str) -> None:
    with pytest.raises(ValueError, match="dataset a:b") as caught:
        read_own("dataset a:b", lambda _: dataclasses.replace(SOUND, **changes), Path())
    assert named in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "test",
    [fails, lambda: None, lambda: (IMAGES.float(), LABELS), lambda: (IMAGES[..., :5, :5], LABELS)],
    ids=["raises", "nothing", "floats", "smaller"],
)
def test_test_images_are_checked_when_they_are_read(test: Callable[[], Any]) -> None:
    source = read_own("dataset a:b", lambda _: dataclasses.replace(SOUND, test=test), Path())
    with pytest.raises(ValueError, match="dataset a:b") as caught:
        source.test()
    assert "\n" not in str(caught.value)


def test_a_reader_that_fails_is_named_with_its_error() -> None:
    with pytest.raises(ValueError, match=r"dataset a:b: fails failed in test_own_data.py.*KeyError: 'two") as caught:
        read_own("dataset a:b", fails, Path())
    assert "\n" not in str(caught.value)


def test_a_row_that_says_something_else_than_its_images_is_refused(outside: Path) -> None:
    (outside / "outside_wrong_rows.py").write_text(
        "from studies.data.registry import DatasetInfo\n"
        "ROW = DatasetInfo(name='x', code='outside_images:load', label='x', classes=3)\n"
        "NO_CODE = DatasetInfo(name='x', code='outside_images', label='x')\n"
        "NUMBER = DatasetInfo(name='x', code='outside_images:torch', label='x')\n"
    )
    for row, named in (("ROW", "3 classes"), ("NO_CODE", "module:name"), ("NUMBER", "data folder")):
        with pytest.raises(ValueError, match=f"outside_wrong_rows:{row}.*{named}"):
            load(f"outside_wrong_rows:{row}")


@pytest.mark.parametrize("name", ["outside_images:read", "outside_images:torch", "outside_images:laod", "no_module:x"])
def test_what_is_no_reader_is_refused_before_anything_is_read(name: str) -> None:
    with pytest.raises(ValueError, match=f"dataset {name}"):
        DATASETS.row(name)


def test_a_folder_that_looks_like_a_module_is_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert not DATASETS.is_own("imagefolder:flowers")
    with pytest.raises(ValueError, match="image folder flowers does not exist"):
        load("imagefolder:flowers")
    assert DATASETS.own_code("outside_rows:NOISE") == ("outside_rows:NOISE", "outside_images:load")
