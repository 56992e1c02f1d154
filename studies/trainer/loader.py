"""The batches of a training: their order, the size and augmentation of their images, mixup and cutmix."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice

from studies.data.augment import mixed
from studies.data.splits import Batch, Split, View, steps
from studies.trainer.progressive import TrainingStage, stage_at, training_stages
from studies.trainer.recipe import Recipe
from studies.trainer.segments import Segment, derive_seed, segments

# Takes the place of the epoch in the seeds of mixup and cutmix. No epoch is as large, so no other seed is the same.
MIXING_EPOCH = 1 << 40


@dataclass(frozen=True, eq=False)
class Loader:
    """The batches of a training. They depend only on these values, so a run that resumes gets the same ones.

    split            the training images
    recipe           batch size, epochs, augmentation and stages
    view             how the evaluated images reach the network; training images have the resolution of their stage
    seed             of the order of the images, their augmentation, and dropout and stochastic depth
    rungs_per_epoch  segments of each epoch, each followed by an evaluation
    """

    split: Split
    recipe: Recipe
    view: View
    seed: int
    rungs_per_epoch: int = 1

    def segments(self) -> list[Segment]:
        """All segments of the training."""
        return segments(steps(len(self.split), self.recipe.batch_size), self.recipe.epochs, self.rungs_per_epoch)

    def stage(self, segment: Segment) -> TrainingStage:
        """The stage of progressive learning that holds the segment."""
        return stage_at(training_stages(self.recipe, self.view.resolution), segment.epoch)

    def batches(self, segment: Segment, classes: int = 0) -> Iterator[Batch]:
        """Yields this rank's part of every batch of the segment: images [N, 3, S, S], labels [N].

        With mixup or cutmix the labels are probabilities [N, classes].
        """
        stage = self.stage(segment)
        batches = self.split.train_batches(
            replace(self.view, resolution=stage.resolution),
            self.recipe.batch_size,
            seed=derive_seed(self.seed, segment.epoch),
            augment=self.recipe.augment,
            magnitude=stage.magnitude,
            start=segment.start,
        )
        for step, (images, labels) in enumerate(islice(batches, segment.last - segment.first), segment.first):
            seed = derive_seed(self.seed, MIXING_EPOCH, step)
            yield mixed(images, labels, mixup=stage.mixup, cutmix=stage.cutmix, classes=classes, seed=seed)

    def random_seed(self, segment: Segment) -> int:
        """The seed of dropout and stochastic depth in a segment; rank 0 has that of a single process."""
        ranks = (self.view.rank,) if self.view.rank else ()
        return derive_seed(self.seed, segment.epoch, segment.start, *ranks)
