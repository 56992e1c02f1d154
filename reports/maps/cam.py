"""Class activation maps (Zhou et al. 2016, section 2; EN section 5.3 uses them to compare scaling methods).

A network that ends in global average pooling and a linear layer gives a class's logit as the mean, over the last
feature map's pixels, of the class's weights times the features, plus the bias. Before the mean, that is the map.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from torch import Tensor
    from torch.nn import Linear

    from search_spaces.networks.module import Network
    from studies.data.dataset import Dataset
    from studies.data.splits import Split

Floats = NDArray[np.float64]
MAX_IMAGES = 6
# Images are drawn among so many, so that there are images of different classes.
POOL_SIZE = 60
# Side of the pictures; more would make the report heavy.
MAX_PIXELS = 96


@dataclass(frozen=True)
class ActivationMap:
    """The class activation map of an image.

    map        [h, w] of the last feature map: contribution of each place to the true class's logit, without the bias
    predicted  name of the class with the highest logit
    """

    map: Floats
    predicted: str


@dataclass(frozen=True)
class Images:
    """Test images that no network was trained or chosen on, one a class, drawn by the seed and not picked by eye.

    pixels   [N, S, S, 3], 0..1
    classes  name of each image's true class; labels: its number
    split, places  where they came from, so that each network can see them at its own resolution
    names    of all classes, by label
    """

    pixels: Floats
    classes: tuple[str, ...]
    labels: tuple[int, ...]
    split: Split
    places: tuple[int, ...]
    names: tuple[str, ...]


def read_images(dataset: str, root: Path, seed: int, side: int) -> Images:
    """At most MAX_IMAGES test images of a data set, shown as networks of `side` pixels see them, or more sharply.

    ValueError, in one line, where the data set is not on this machine: nothing is downloaded.
    """
    from studies.data.image_files import MAX_KEPT_RESOLUTION
    from studies.data.load import load
    from studies.data.registry import DATASETS, native_pixels

    if dataset in DATASETS and (folder := DATASETS[dataset].folder) and not (root / folder).exists():
        raise ValueError(f"data set {dataset} is not under {root}")
    # Beyond MAX_KEPT_RESOLUTION image files are cut otherwise than below: a picture shows what the networks were shown.
    side = max(side, min(native_pixels(dataset, root), MAX_KEPT_RESOLUTION))
    # No training file is looked at, so none needs to be known as corrupt.
    return choose_images(load(dataset, seed=seed, root=root, corrupt=()), seed, side)


def choose_images(data: Dataset, seed: int, side: int) -> Images:
    """The first image of each of MAX_IMAGES classes, spread evenly, among POOL_SIZE test images; see `read_images`."""
    split = data.test().take(POOL_SIZE, seed)
    images, labels = _batch(split, min(side, MAX_PIXELS))
    first: dict[int, int] = {}
    for place, label in enumerate(labels.tolist()):
        first.setdefault(label, place)
    found = sorted(first)
    spread = np.linspace(0, len(found) - 1, min(MAX_IMAGES, len(found))).round().astype(int)
    chosen = tuple(found[index] for index in spread)
    places = tuple(first[label] for label in chosen)
    pixels = _pictures(images[list(places)], split)
    return Images(pixels, tuple(data.classes[label] for label in chosen), chosen, split, places, data.classes)


def activation_maps(network: Network, images: Images) -> list[ActivationMap]:
    """The true class's map and the predicted class, of each image at the network's own resolution.

    ValueError where the network and the data set have other classes.
    """
    import torch

    if network.arch.classes != len(images.names):
        raise ValueError(f"network of {network.arch.classes} classes, data set of {len(images.names)}")
    pixels, _ = _batch(images.split, network.arch.resolution)
    with torch.inference_mode():
        maps = class_maps(network.eval(), pixels[list(images.places)])
    logits = maps.mean((2, 3)) + _linear(network).bias.detach()
    return [
        ActivationMap(maps[index, label].double().numpy(), images.names[int(logits[index].argmax())])
        for index, label in enumerate(images.labels)
    ]


def class_maps(network: Network, pixels: Tensor) -> Tensor:
    """Maps [N, classes, h, w] for images [N, 3, H, W]: the mean of a class's map, plus its bias, is its logit."""
    import torch

    return torch.einsum("kc,nchw->nkhw", _linear(network).weight.detach(), network.features(pixels))


def _linear(network: Network) -> Linear:
    from torch.nn import Linear

    layer = network.classifier[-1]
    assert isinstance(layer, Linear)
    return layer


def enlarged(values: Floats, side: int) -> Floats:
    """A map [h, w] at [side, side], bilinear, its values spread over 0..1; a constant one becomes 0."""
    import torch

    span = float(values.max() - values.min())
    scaled = (values - values.min()) / span if span > 0 else np.zeros_like(values)
    tensor = torch.from_numpy(scaled)[None, None]
    large = torch.nn.functional.interpolate(tensor, (side, side), mode="bilinear", align_corners=False)
    return np.asarray(large[0, 0].numpy(), dtype=np.float64)


def _batch(split: Split, resolution: int) -> tuple[Tensor, Tensor]:
    """All images of a small split [N, 3, S, S], normalised, and their labels [N]."""
    import torch

    from studies.data.splits import View

    batches: Sequence[tuple[Tensor, Tensor]] = list(split.batches(View(resolution, channels_last=False), POOL_SIZE))
    return torch.cat([images for images, _ in batches]), torch.cat([labels for _, labels in batches])


def _pictures(images: Tensor, split: Split) -> Floats:
    """Normalised images [N, 3, S, S] of a split as they were, [N, S, S, 3] over 0..1."""
    import torch

    from studies.data.image_files import MEAN, STD
    from studies.data.splits import TensorSplit

    if isinstance(split, TensorSplit):
        mean, std = split.mean / 255, split.std / 255
    else:
        mean, std = torch.tensor(MEAN), torch.tensor(STD)
    pixels = images * std[:, None, None] + mean[:, None, None]
    return np.asarray(pixels.clamp(0, 1).permute(0, 2, 3, 1).double().numpy(), dtype=np.float64)
