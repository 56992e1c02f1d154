"""What every scaling experiment stands on: the baseline, the network trained in its place, the images' own size."""

from __future__ import annotations

from dataclasses import dataclass

from scaling.experiment.config import ExperimentConfig
from search_spaces.common.units import format_count
from search_spaces.metrics.counts import cost
from search_spaces.networks.arch import Arch
from search_spaces.resizing.compound import at_resolution
from search_spaces.zoo.registry import find
from studies.data.registry import class_count, native_pixels
from studies.trainer.progressive import check_sizes


@dataclass(frozen=True)
class Baseline:
    """The baseline as named, the network that is scaled and trained for it, and the side of the images in pixels."""

    original: Arch
    trained: Arch
    pixels: int

    @classmethod
    def of(cls, settings: ExperimentConfig, room: float) -> Baseline:
        """The baseline of an experiment that will ask for resolution multipliers up to `room`.

        Raises ValueError for an unknown baseline or data set, or images below the network's stride at any stage.
        """
        original = find(settings.baseline)
        if settings.resolution:
            original = at_resolution(original, settings.resolution)
        pixels, classes = native_pixels(settings.dataset), class_count(settings.dataset)
        trained = settings.proxy.of(original, pixels=pixels, room=room, classes=classes)
        check_sizes(settings.schedule, trained, "proxy.resolution")
        return cls(original, trained, pixels)

    def describe(self) -> str:
        """One line: the baseline, its cost and, where another network is trained in its place, that one's."""
        spent = f"{format_count(cost(self.trained).macs, 4)} FLOPs (multiply-adds)"
        name = self.original.name or self.original.key
        if self.trained.key == self.original.replace(classes=self.trained.classes).key:
            return f"{name} at {self.trained.resolution} px, {spent}"
        width = self.trained.widths[-1] / self.original.widths[-1]
        return (
            f"{name}, trained as a proxy baseline of width x{width:.3g} at {self.trained.resolution} px, {spent}: "
            f"the images have {self.pixels} px; coefficients found on it are applied to the whole network"
        )
