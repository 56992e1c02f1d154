"""Initial weights: which files are loaded, which are refused, and what becomes of the classifier."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torchvision.models import mobilenet_v2

import search_spaces as ss
from studies.trainer.pretrained import initialise_from, read_weights
from tests.studies.tiny import TINY

ARCH = TINY.replace(classes=10)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "weights.pth"


def test_a_classifier_for_as_many_classes_is_loaded(path: Path) -> None:
    source, network = ss.build(ARCH), ss.build(ARCH.replace(resolution=32))
    torch.save(source.state_dict(), path)
    assert initialise_from(network, path) is None
    assert all(torch.equal(tensor, source.state_dict()[name]) for name, tensor in network.state_dict().items())


@pytest.mark.parametrize("suffix", ["pth", "safetensors"])
def test_a_classifier_for_other_classes_is_left_as_it_is(tmp_path: Path, suffix: str) -> None:
    source, network = ss.build(ARCH.replace(classes=7)).state_dict(), ss.build(ARCH)
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    path = tmp_path / f"weights.{suffix}"
    (save_file if suffix == "safetensors" else torch.save)(source, path)
    assert initialise_from(network, path) == 7
    for name, tensor in network.state_dict().items():
        assert torch.equal(tensor, (before if name.startswith("classifier") else source)[name]), name


@pytest.mark.parametrize(("classes", "found"), [(10, 1000), (1000, None)])
def test_torchvisions_state_dicts_are_loaded(path: Path, classes: int, found: int | None) -> None:
    torch.save(mobilenet_v2(num_classes=1000).state_dict(), path)
    network = ss.build(ss.get("mobilenet_v2").replace(classes=classes, resolution=32))
    assert initialise_from(network, path) == found


def test_tensors_that_do_not_fit_are_named_with_both_shapes(path: Path) -> None:
    torch.save(ss.build(ARCH.replace(stem=10)).state_dict(), path)
    with pytest.raises(ValueError, match=r"features\.0\.0\.weight .*\[10, 3, 3, 3\] .*\[8, 3, 3, 3\]") as caught:
        initialise_from(ss.build(ARCH), path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("suffix", ["pth", "safetensors"])
def test_a_file_without_weights_is_one_line(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"text.{suffix}"
    for content in (b"", b"no weights"):
        path.write_bytes(content)
        with pytest.raises(ValueError, match=path.name) as caught:
            read_weights(path)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("value", [[1.0], {"epoch": 3}, {"state_dict": {"weight": torch.zeros(1)}}])
def test_a_file_of_something_else_is_refused(path: Path, value: Any) -> None:
    torch.save(value, path)
    with pytest.raises(ValueError, match=path.name):
        read_weights(path)


@pytest.mark.parametrize("name", ["nowhere.pth", "nowhere.safetensors", "."])
def test_a_missing_file_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match=name):
        read_weights(tmp_path / name)
