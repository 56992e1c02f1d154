"""Labelled image files as a Split: decoded once if they are small enough to keep in memory, otherwise streamed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.utils.data import DataLoader, Dataset
from torchvision.transforms import v2

from studies.data.augment import policy
from studies.data.splits import Batch, TensorSplit, View, steps, stratified

# Means and standard deviations of ImageNet's channels, where white is 1. Torchvision's pretrained weights use them.
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
# Share of an image's side that evaluation shows: the central 224 of 256 pixels, as is usual on ImageNet.
CENTRE_SHARE = 7 / 8
# Images are decoded once and kept in memory up to this side in pixels and this size of the whole split.
MAX_KEPT_RESOLUTION = 64
MAX_KEPT_BYTES = 1 << 30
# Processes that decode images.
MAX_LOADERS = 8


@dataclass(frozen=True, eq=False)
class FileSplit:
    """Labelled image files; see `Split`.

    Up to MAX_KEPT_RESOLUTION pixels, and if they fit into MAX_KEPT_BYTES, the images' centre squares are decoded once
    and kept in memory, shared by all subsets, and augmented like other images in memory (shifted and mirrored).
    Otherwise every pass decodes them in DataLoader workers, as many as the caller has threads but at most MAX_LOADERS,
    and training uses random resized crops.

    paths   of the files
    labels  [N], int64
    kept    decoded images of bytes [3, side, side] by path and side
    """

    paths: tuple[str, ...]
    labels: Tensor
    kept: dict[tuple[str, int], Tensor] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.paths)

    def at(self, indices: Tensor) -> FileSplit:
        """The images at these indices."""
        return FileSplit(tuple(self.paths[index] for index in indices.tolist()), self.labels[indices], self.kept)

    def take(self, count: int, seed: int) -> FileSplit:
        """A stratified random subset of `count` images; all of them if there are no more."""
        return self if count >= len(self) else self.at(stratified(self.labels, count, seed)[0])

    def train_batches(
        self, view: View, batch_size: int, *, seed: int, augment: str, magnitude: float = 0.0, start: int = 0
    ) -> Iterator[Batch]:
        """One shuffled, augmented pass; see `Split`."""
        if self._fits(view.resolution):
            split = self.decoded(view.resolution)
            return split.train_batches(view, batch_size, seed=seed, augment=augment, magnitude=magnitude, start=start)
        order = torch.randperm(len(self), generator=torch.Generator().manual_seed(seed))
        batches = order.tensor_split(steps(len(self), batch_size))[start:]
        return self._stream(batches, image_transform(view.resolution, augment, magnitude), view, seed)

    def batches(self, view: View, batch_size: int) -> Iterator[Batch]:
        """One pass in order, unchanged; see `Split`."""
        if self._fits(view.resolution):
            return self.decoded(view.resolution).batches(view, batch_size)
        batches = torch.arange(len(self)).tensor_split(steps(len(self), batch_size))
        return self._stream(batches, image_transform(view.resolution, "none"), view, seed=0)

    def decoded(self, side: int) -> TensorSplit:
        """The images' centre squares at `side` pixels, in memory; each file is decoded the first time only."""
        missing = [path for path in self.paths if (path, side) not in self.kept]
        with ThreadPoolExecutor(torch.get_num_threads()) as pool:
            squares = pool.map(lambda path: centre_square(path, side), missing)
            self.kept.update(zip([(path, side) for path in missing], squares, strict=True))
        images = torch.stack([self.kept[path, side] for path in self.paths])
        return TensorSplit(images, self.labels, 255 * torch.tensor(MEAN), 255 * torch.tensor(STD))

    def _fits(self, resolution: int) -> bool:
        return resolution <= MAX_KEPT_RESOLUTION and len(self) * 3 * resolution**2 <= MAX_KEPT_BYTES

    def _stream(self, batches: Sequence[Tensor], transform: v2.Transform, view: View, seed: int) -> Iterator[Batch]:
        """The images with these indices, decoded in other processes; of each batch the rows of the view's rank."""
        loader = DataLoader(
            _Files(self.paths, self.labels.tolist(), transform, seed),
            batch_sampler=[view.local_batch(batch).tolist() for batch in batches],
            num_workers=min(MAX_LOADERS, torch.get_num_threads()),
            pin_memory=view.device.type == "cuda",
        )
        layout = torch.channels_last if view.channels_last else torch.contiguous_format
        for images, labels in loader:
            moved = images.to(view.device, non_blocking=True).contiguous(memory_format=layout)
            yield moved, labels.to(view.device, non_blocking=True)


class _Files(Dataset[tuple[Tensor, int]]):
    """Decoded and transformed images. An image's augmentation depends on the seed and its index alone."""

    def __init__(self, paths: Sequence[str], labels: Sequence[int], transform: v2.Transform, seed: int) -> None:
        self.paths, self.labels, self.transform, self.seed = paths, labels, transform, seed

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.seed ^ index)
            pixels: Tensor = self.transform(read_image(self.paths[index]))
        return pixels, self.labels[index]


def image_transform(resolution: int, augment: str, magnitude: float = 0.0) -> v2.Transform:
    """From an RGB image to the network's input [3, S, S]; `augment` and `magnitude` are those of a Recipe."""
    if augment == "none":
        resized = round(resolution / CENTRE_SHARE)
        changes: list[v2.Transform] = [v2.Resize(resized, antialias=True), v2.CenterCrop(resolution)]
    else:
        changes = [v2.RandomResizedCrop(resolution, antialias=True), v2.RandomHorizontalFlip()]
        operations = policy(augment, magnitude)
        changes += [operations] if operations else []
    return v2.Compose([v2.ToImage(), *changes, v2.ToDtype(torch.float32, scale=True), v2.Normalize(MEAN, STD)])


def read_image(path: str, at_least: int = 0) -> Image.Image:
    """The image in RGB. Raises ValueError, which names the file, if it cannot be decoded.

    With `at_least` a JPEG is decoded at a fraction of its size, with both sides at least so many pixels long.
    """
    try:
        with Image.open(path) as image:
            if at_least:
                image.draft("RGB", (at_least, at_least))
            return image.convert("RGB")
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise ValueError(f"cannot read image {path}: {error}") from None


def centre_square(path: str, side: int) -> Tensor:
    """The image's largest centred square, resized to bytes [3, side, side]."""
    image = read_image(path, at_least=2 * side)
    edge = min(image.size)
    left, top = (image.width - edge) // 2, (image.height - edge) // 2
    square = image.resize((side, side), Image.Resampling.BILINEAR, (left, top, left + edge, top + edge))
    return torch.from_numpy(np.asarray(square).copy()).permute(2, 0, 1).contiguous()
