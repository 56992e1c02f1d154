"""Labelled images in batches: what every split does, and images in memory, augmented on the training device."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor
from torch.nn import functional

from studies.data.augment import apply_each, policy

Batch = tuple[Tensor, Tensor]
"""Images [N, 3, S, S] and their labels [N]; see `Split`."""

CPU = torch.device("cpu")


@dataclass(frozen=True)
class View:
    """How a network gets its images.

    Attributes:
        resolution: Side in pixels; images of another size are resized (bilinear, antialiased).
        device: Device of the batches.
        channels_last: Memory layout of the batches.
        rank: Number of this process among `world_size`, from 0 on.
        world_size: Processes that share each batch. All of them iterate over the same batches at the same time.

    """

    resolution: int
    device: torch.device = CPU
    channels_last: bool = True
    rank: int = 0
    world_size: int = 1

    def local_batch(self, batch: Tensor) -> Tensor:
        """The rows of a batch that belong to this rank; the numbers of rows differ by at most one between ranks."""
        return batch if self.world_size == 1 else batch.tensor_split(self.world_size)[self.rank]


class Split(Protocol):
    """Labelled images of one part of a data set.

    `train_batches` passes over all images once, from batch number `start` on. Their order and augmentation depend on
    `seed` alone; `augment` and `magnitude` are those of a Recipe. `batches` passes over them in their order, unchanged.
    Both yield images [N, 3, S, S] as normalised float32 and labels [N] as int64, on the view's device. The sizes of
    batches differ by at most one. Of each batch they yield only the rows of the view's rank.
    """

    def __len__(self) -> int: ...

    def take(self, count: int, seed: int) -> Split:
        """A stratified random subset of `count` images; all of them if there are no more."""
        ...

    def train_batches(
        self, view: View, batch_size: int, *, seed: int, augment: str, magnitude: float = 0.0, start: int = 0
    ) -> Iterator[Batch]: ...

    def batches(self, view: View, batch_size: int) -> Iterator[Batch]: ...


def steps(images: int, batch_size: int) -> int:
    """The number of batches of at most `batch_size` in one pass over the images."""
    return -(-images // batch_size)


def stratified(labels: Tensor, count: int, seed: int) -> tuple[Tensor, Tensor]:
    """Indices of `count` images drawn at random, and those of the rest, both ascending.

    Classes keep their shares to within one image: each image gets its place in the random order of its class, divided
    by the size of the class, and the images with the lowest places are drawn. `labels` are [N].
    """
    generator = torch.Generator().manual_seed(seed)
    place = torch.empty(len(labels))
    for label in sorted(set(labels.tolist())):
        members = (labels == label).nonzero().flatten()
        order = torch.randperm(len(members), generator=generator)
        place[members[order]] = (torch.arange(len(members)) + 0.5) / len(members)
    ranked = place.argsort(stable=True)
    return ranked[:count].sort().values, ranked[count:].sort().values


@dataclass(frozen=True, eq=False)
class TensorSplit:
    """Labelled images in memory; see `Split`.

    images  bytes [N, C, H, W], where C is 3, or 1 for grey, which is repeated to 3
    labels  [N], int64
    mean    [C], in units of the bytes, 0 to 255
    std     [C], in the same units
    """

    images: Tensor
    labels: Tensor
    mean: Tensor
    std: Tensor

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, count: int, seed: int) -> TensorSplit:
        """A stratified random subset of `count` images; all of them if there are no more."""
        return self if count >= len(self) else self.at(stratified(self.labels, count, seed)[0])

    def at(self, indices: Tensor) -> TensorSplit:
        """The images at these indices."""
        return TensorSplit(self.images[indices], self.labels[indices], self.mean, self.std)

    def to(self, device: torch.device) -> TensorSplit:
        """The same split on another device."""
        return TensorSplit(*(part.to(device) for part in (self.images, self.labels, self.mean, self.std)))

    def train_batches(
        self, view: View, batch_size: int, *, seed: int, augment: str, magnitude: float = 0.0, start: int = 0
    ) -> Iterator[Batch]:
        """One shuffled, augmented pass; see `Split`."""
        split = self.to(view.device)
        generator = torch.Generator().manual_seed(seed)
        order = torch.randperm(len(self), generator=generator)
        crops = _Crops.draw(split.images, generator) if augment != "none" else None
        change = policy(augment, magnitude)
        for indices in list(order.tensor_split(steps(len(self), batch_size)))[start:]:
            local = view.local_batch(indices)
            chosen = local.to(view.device)
            pixels = crops.cut(chosen) if crops else split.images[chosen].permute(0, 2, 3, 1)
            if change:
                pixels = apply_each(change, pixels, local, seed)
            yield split._normalise(pixels, view), split.labels[chosen]

    def batches(self, view: View, batch_size: int) -> Iterator[Batch]:
        """One pass in order, unchanged; see `Split`."""
        count = steps(len(self), batch_size)
        for images, labels in zip(self.images.tensor_split(count), self.labels.tensor_split(count), strict=True):
            pixels = view.local_batch(images).to(view.device).permute(0, 2, 3, 1)
            yield self._normalise(pixels, view), view.local_batch(labels).to(view.device)

    def _normalise(self, pixels: Tensor, view: View) -> Tensor:
        """Bytes [N, H, W, C] to the network's input [N, 3, S, S]."""
        device = view.device
        images = pixels.float().sub_(self.mean.to(device)).div_(self.std.to(device)).permute(0, 3, 1, 2)
        if images.shape[-2:] != (view.resolution, view.resolution):
            shrinking = view.resolution < max(images.shape[-2:])
            images = functional.interpolate(
                images, (view.resolution, view.resolution), mode="bilinear", antialias=shrinking
            )
        layout = torch.channels_last if view.channels_last else torch.contiguous_format
        return images.expand(-1, 3, -1, -1).contiguous(memory_format=layout)


@dataclass(frozen=True, eq=False)
class _Crops:
    """One random shift and mirroring of every image; one gather per batch cuts them from zero-padded images.

    padded   bytes [N, C, H + 2 P, W + 2 P], where P is an eighth of the longer side
    rows     [N, H], of the padded image, for each image
    columns  [N, W], the same for columns, in descending order if the image is mirrored
    """

    padded: Tensor
    rows: Tensor
    columns: Tensor

    @classmethod
    def draw(cls, images: Tensor, generator: torch.Generator) -> _Crops:
        """The crops of images [N, C, H, W]."""
        count, _, height, width = images.shape
        pad = max(height, width) // 8
        top, left = torch.randint(2 * pad + 1, (2, count, 1), generator=generator)
        mirrored = torch.rand(count, 1, generator=generator) < 0.5
        across = torch.arange(width)
        rows = top + torch.arange(height)
        columns = left + torch.where(mirrored, across.flip(0), across)
        return cls(functional.pad(images, (pad, pad, pad, pad)), rows.to(images.device), columns.to(images.device))

    def cut(self, chosen: Tensor) -> Tensor:
        """The crops [N, H, W, C] of the chosen images."""
        rows, columns = self.rows[chosen][:, :, None], self.columns[chosen][:, None, :]
        return self.padded[chosen[:, None, None], :, rows, columns]
