"""Class activation maps: their mean is the logit; which images are shown."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
import torch

import search_spaces as ss
from reports.maps.cam import MAX_IMAGES, Images, activation_maps, choose_images, class_maps, enlarged, read_images
from search_spaces.networks.module import Network, build
from studies.data.dataset import Dataset
from studies.data.load import load
from studies.data.registry import read_source
from studies.data.splits import View

ARCH = ss.get("triaxis_small").replace(classes=10, resolution=32)


@pytest.fixture(scope="module")
def data() -> Dataset:
    return load("fashion-mnist-mini")


@pytest.fixture(scope="module")
def images(data: Dataset) -> Images:
    return choose_images(data, seed=0, side=28)


def network(resolution: int = 32, classes: int = 10) -> Network:
    torch.manual_seed(0)
    built = build(ARCH.replace(resolution=resolution, classes=classes)).eval()
    # Fresh weights give logits near 0; a bias tells whether it is left out of the map and put into the logit.
    torch.nn.init.normal_(built.classifier[-1].weight)
    torch.nn.init.normal_(built.classifier[-1].bias)
    return built


@pytest.mark.parametrize("resolution", [16, 32])
def test_a_maps_mean_and_the_bias_are_the_logit(resolution: int):
    built = network(resolution)
    pixels = torch.randn(3, 3, resolution, resolution)
    with torch.inference_mode():
        maps = class_maps(built, pixels)
        logits = built(pixels)
    assert maps.shape[:2] == (3, 10)
    torch.testing.assert_close(maps.mean((2, 3)) + built.classifier[-1].bias, logits, rtol=1e-4, atol=1e-4)


def test_each_image_gets_its_true_classs_map_and_the_networks_own_prediction(data: Dataset, images: Images):
    built = network()
    seen = activation_maps(built, images)
    pixels, labels = next(iter(images.split.batches(View(32), 100)))
    pixels, labels = pixels[list(images.places)], labels[list(images.places)]
    assert labels.tolist() == list(images.labels)
    with torch.inference_mode():
        logits, maps = built(pixels), class_maps(built, pixels)
    assert [one.predicted for one in seen] == [data.classes[label] for label in logits.argmax(1).tolist()]
    for index, (one, label) in enumerate(zip(seen, images.labels, strict=True)):
        np.testing.assert_allclose(one.map, maps[index, label].numpy(), rtol=1e-3, atol=1e-4)


def test_images_are_test_images_one_a_class_and_the_same_every_time(data: Dataset, images: Images):
    again = choose_images(data, seed=0, side=28)
    assert images.classes == again.classes
    np.testing.assert_array_equal(images.pixels, again.pixels)
    assert len(set(images.classes)) == len(images.classes) == MAX_IMAGES
    assert images.pixels.shape == (MAX_IMAGES, 28, 28, 3)
    # Each shown image is one of the bundled test images, to the byte.
    test, labels = read_source("fashion-mnist-mini", Path()).test()
    for picture, label in zip(images.pixels, images.labels, strict=True):
        shown = torch.from_numpy(np.rint(255 * picture[..., 0])).to(torch.uint8)
        assert (test[labels == label][:, 0] == shown).all(dim=(1, 2)).any()


def test_other_classes_are_refused(images: Images):
    with pytest.raises(ValueError, match="7 classes.* 10"):
        activation_maps(network(classes=7), images)


@pytest.mark.parametrize("name", ["cifar10", "cifar100", "imagefolder:{}/none", "no-such-set"])
def test_a_data_set_that_is_not_here_is_not_downloaded(tmp_path: Path, name: str):
    named = name.format(tmp_path)
    with pytest.raises(ValueError, match=re.escape(named.removeprefix("imagefolder:"))):
        read_images(named, tmp_path, 0, 32)
    assert not list(tmp_path.iterdir())


def test_an_enlarged_map_fills_its_range_and_keeps_its_places():
    large = enlarged(np.array([[0.0, 1.0], [2.0, 5.0]]), 8)
    assert large.shape == (8, 8)
    assert (large.min(), large.max()) == (0, 1)
    assert (large[7, 7], large[0, 0]) == (1, 0)
    assert large[0, 7] < large[7, 0]
    assert not enlarged(np.full((2, 2), 3.0), 4).any()
