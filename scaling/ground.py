"""What every scaling experiment stands on: the baseline, the network trained in its place, the images' own size."""

from __future__ import annotations

from dataclasses import dataclass

from scaling.compound import at_resolution
from scaling.settings import Settings
from search_spaces.arch import Arch
from search_spaces.costs import cost
from search_spaces.table import find
from search_spaces.units import format_count
from studies.datasets import class_count, native_pixels
from studies.progressive import check_sizes


@dataclass(frozen=True)
class Ground:
    """The baseline as named, what is scaled and trained for it, and the side of the images in pixels."""

    baseline: Arch
    trained: Arch
    pixels: int

    @classmethod
    def of(cls, settings: Settings, room: float) -> Ground:
        """The ground of an experiment that will ask for resolution multipliers up to `room`.

        Raises ValueError for an unknown baseline or data set, or images below the network's stride at any stage.
        """
        baseline = find(settings.baseline)
        if settings.resolution:
            baseline = at_resolution(baseline, settings.resolution)
        pixels, classes = native_pixels(settings.dataset), class_count(settings.dataset)
        trained = settings.standin.of(baseline, pixels=pixels, room=room, classes=classes)
        check_sizes(settings.schedule, trained, "standin.resolution")
        return cls(baseline, trained, pixels)

    def describe(self) -> str:
        """One line: the baseline, its cost and, where another network is trained in its place, that one's."""
        spent = f"{format_count(cost(self.trained).macs, 4)} FLOPs (multiply-adds)"
        name = self.baseline.name or self.baseline.key
        if self.trained.key == self.baseline.replace(classes=self.trained.classes).key:
            return f"{name} at {self.trained.resolution} px, {spent}"
        width = self.trained.widths[-1] / self.baseline.widths[-1]
        return (
            f"{name}, trained as a stand-in of width x{width:.3g} at {self.trained.resolution} px, {spent}: "
            f"the images have {self.pixels} px; coefficients found on it are applied to the whole network"
        )
