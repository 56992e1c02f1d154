"""The baseline of a scaling experiment, the network that is trained for it, and the size of the images."""

from __future__ import annotations

from dataclasses import dataclass

from scaling.experiment.config import ExperimentConfig
from search_spaces.metrics.counts import cost
from search_spaces.metrics.registry import METRICS
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
    def of(cls, settings: ExperimentConfig, max_resolution: float) -> Baseline:
        """The baseline of an experiment with resolution multipliers up to `max_resolution`.

        Raises ValueError for an unknown baseline or data set, or images below the network's stride at any stage.
        """
        original = find(settings.baseline)
        if settings.resolution:
            original = at_resolution(original, settings.resolution)
        images = settings.data.dataset, settings.data.root
        pixels, classes = native_pixels(*images), class_count(*images)
        trained = settings.proxy.of(original, pixels=pixels, max_resolution=max_resolution, classes=classes)
        check_sizes(settings.schedule, trained, "proxy.resolution")
        return cls(original, trained, pixels)

    def describe(self) -> str:
        """One line: the baseline or its proxy, and the cost of the network that is trained."""
        metric = METRICS["macs"]
        spent = f"{metric.describe(cost(self.trained).macs)} ({metric.unit})"
        name = self.original.name or self.original.key
        if self.trained.key == self.original.replace(classes=self.trained.classes).key:
            return f"{name} at {self.trained.resolution} px, {spent}"
        width = self.trained.widths[-1] / self.original.widths[-1]
        return (
            f"{name}, trained as a proxy baseline of width x{width:.3g} at {self.trained.resolution} px, {spent}: "
            f"the images have {self.pixels} px; coefficients found on it are applied to the whole network"
        )
