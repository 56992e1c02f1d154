"""How a network is trained (`Recipe`), and the cheaper training that ranks candidates (`Proxy`). Imports no torch."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import Any, Literal

from search_spaces.common.suggest import nearest
from search_spaces.networks.arch import Arch
from search_spaces.resizing.shrink import shrink
from studies.data.policies import AUGMENTS, MAX_MAGNITUDE

OPTIMIZERS = ("sgd", "rmsprop", "adamw")
SCHEDULES = ("cosine", "one-cycle", "exponential")
PRECISIONS = ("auto", "float32", "bfloat16", "float16")
POSITIVE = ("lr", "batch_size", "epochs", "decay_epochs", "stages", "size", "start_size")
SHARES = (
    *("momentum", "warmup", "label_smoothing", "ema_decay", "stochastic_depth", "dropout", "start_dropout"),
    "norm_momentum",
)
AMOUNTS = (
    *("weight_decay", "clip_norm", "micro_batch", "patience"),
    *("mixup", "cutmix", "start_mixup", "start_cutmix"),
)
# The largest factor on a network's widths. No machine has the memory for more: a larger value is a typing error.
MAX_WIDTH = 16


@dataclass(frozen=True)
class Recipe:
    """How a network is trained.

    With more than one stage it learns progressively (ENv2, section 4.2): size, magnitude, mixup, cutmix and dropout
    grow evenly from their `start_` values, in the first stage, to their own in the last.

    Attributes:
        optimizer: sgd (Nesterov momentum), rmsprop (TensorFlow's, decay 0.9, as EfficientNet's) or adamw.
        lr: Peak learning rate, for the batch size below.
        momentum: Of sgd and rmsprop; adamw's beta1.
        weight_decay: Of weights with two or more dimensions; biases and norms have none.
        schedule: cosine (linear warm-up, then half a cosine down to 0), one-cycle (cosine up from lr/25 and down to
            lr/250000, as torch's OneCycleLR; momentum stays) or exponential (linear warm-up, then down in steps).
        warmup: Share of all steps in which the learning rate rises.
        decay: Factor on the learning rate at each step of the exponential schedule.
        decay_epochs: Epochs from one of these steps to the next, counted from the beginning of the run.
        label_smoothing: Probability spread evenly over all classes.
        ema_decay: Of the moving average of weights that is evaluated and kept; 0 is none. It warms up:
            the average over n steps decays by at most (1 + n) / (10 + n).
        stochastic_depth: Probability that the last residual block is dropped; earlier ones proportionally less.
        dropout: Before the last linear layer.
        norm_momentum: Share of the newest batch in batch norm's running statistics (torch's convention; EfficientNet's
            0.99 is 0.01 here). Short runs need more: at torch's 0.1 the statistics lag tens of steps behind.
        clip_norm: Largest norm of all gradients together; longer gradients are shortened to it. 0 is no limit.
        batch_size: Images per step.
        micro_batch: Images per forward pass. The gradients of a batch's parts are summed, which needs less memory.
            Batch norm sees one part at a time. 0 is the whole batch at once.
        epochs: Passes over the training images.
        patience: Early stopping: the run stops after this many epochs without a better validation accuracy, counted
            within the last stage, and keeps the weights of the best evaluation. 0 never stops early and keeps the last
            weights.
        augment: none, crop-flip (random shifts by up to an eighth of the side and mirrored images; for image
            folders random resized crops and mirrored images), or crop-flip followed by autoaugment (its ImageNet
            policy) or randaugment (two random operations).
        magnitude: Strength of randaugment's operations, 0 to 30.
        mixup: Alpha of the Beta distribution that two images are mixed by; 0 is no mixing.
        cutmix: The same for rectangles pasted from one image into another; with mixup, one of both for each batch.
        precision: auto (bfloat16 on a GPU that has it, else float16; float32 on a CPU), float32, bfloat16, or
            float16 (on a GPU). All but float32 are mixed precision: weights and sums stay float32.
        channels_last: Memory layout of images and weights; the faster one for convolutions.
        stages: Parts of equal length into which the epochs are cut; 1 is ordinary training.
        size: Side of the training images as a share of that of the images that are evaluated.
        start_size: The same in the first of several stages.
        start_magnitude: The magnitude in the first of several stages.
        start_mixup: The mixup in the first of several stages.
        start_cutmix: The cutmix in the first of several stages.
        start_dropout: The dropout in the first of several stages.

    """

    optimizer: Literal["sgd", "rmsprop", "adamw"] = "sgd"
    lr: float = 0.1
    momentum: float = 0.9
    weight_decay: float = 5e-4
    schedule: Literal["cosine", "one-cycle", "exponential"] = "cosine"
    warmup: float = 0.1
    decay: float = 0.97
    decay_epochs: float = 2.4
    label_smoothing: float = 0.0
    ema_decay: float = 0.0
    stochastic_depth: float = 0.0
    dropout: float = 0.0
    norm_momentum: float = 0.1
    clip_norm: float = 0.0
    batch_size: int = 64
    micro_batch: int = 0
    epochs: int = 10
    patience: int = 0
    augment: Literal["none", "crop-flip", "autoaugment", "randaugment"] = "crop-flip"
    magnitude: float = 9.0
    mixup: float = 0.0
    cutmix: float = 0.0
    precision: Literal["auto", "float32", "bfloat16", "float16"] = "auto"
    channels_last: bool = True
    stages: int = 1
    size: float = 1.0
    start_size: float = 1.0
    start_magnitude: float = 9.0
    start_mixup: float = 0.0
    start_cutmix: float = 0.0
    start_dropout: float = 0.0

    def __post_init__(self) -> None:
        known = {"optimizer": OPTIMIZERS, "schedule": SCHEDULES, "augment": AUGMENTS, "precision": PRECISIONS}
        for field, names in known.items():
            _check_choice(field, getattr(self, field), names)
        for field in POSITIVE:
            _check_positive(field, getattr(self, field))
        for field in SHARES:
            _check_share(field, getattr(self, field))
        for field in AMOUNTS:
            _check_at_least_0(field, getattr(self, field))
        for field in ("magnitude", "start_magnitude"):
            if not 0 <= getattr(self, field) <= MAX_MAGNITUDE:
                raise ValueError(f"{field} must lie between 0 and {MAX_MAGNITUDE}, got {getattr(self, field)}")
        if not 0 < self.decay <= 1:
            raise ValueError(f"decay must be greater than 0 and at most 1, got {self.decay}")
        if self.epochs < self.stages:
            raise ValueError(
                f"epochs must be at least {self.stages}, one for each stage, got {self.epochs}: use more epochs or "
                "another --recipe"
            )

    def replace(self, **changes: Any) -> Recipe:
        """A copy with some fields changed, validated again."""
        return dataclasses.replace(self, **changes)

    def with_dropout(self, dropout: float) -> Recipe:
        """The recipe with another dropout; with several stages, in the last one. Earlier stages have at most that."""
        return self.replace(dropout=dropout, start_dropout=min(self.start_dropout, dropout))

    def lasting(self, epochs: int) -> Recipe:
        """The recipe for another number of epochs, with the same shape of the learning-rate schedule.

        Warm-up is a share of the run; the steps of the exponential schedule are scaled to the new length.
        """
        if self.schedule != "exponential":
            return self.replace(epochs=epochs)
        return self.replace(epochs=epochs, decay_epochs=self.decay_epochs * epochs / self.epochs)


@dataclass(frozen=True)
class Proxy:
    """The cheaper training that ranks candidates: a narrower network on fewer, smaller images for fewer epochs.

    A candidate's cost is always that of the full network at the target resolution.

    Attributes:
        width: Factor on every number of channels.
        resolution: Side of the training images in pixels; early strides are dropped so that the last map keeps min_map.
        images: Training images of one epoch; 0 is all of them.
        epochs: Passes over those images.
        min_map: Smallest side of the last feature map in pixels.
        divisor: Channels are rounded to a multiple of this.

    """

    width: float = 0.25
    resolution: int = 28
    images: int = 2000
    epochs: int = 2
    min_map: int = 4
    divisor: int = 4

    def __post_init__(self) -> None:
        for field in ("width", "resolution", "epochs", "min_map", "divisor"):
            _check_positive(field, getattr(self, field))
        if self.width > MAX_WIDTH:
            raise ValueError(f"width must be at most {MAX_WIDTH}, got {self.width:g}")
        if self.resolution < self.min_map:
            raise ValueError(f"resolution must be at least {self.min_map} (min_map), got {self.resolution}")
        if self.images < 0:
            raise ValueError(f"images must be 0 (all) or more, got {self.images}")

    def arch(self, full: Arch, classes: int | None = None) -> Arch:
        """The small network that stands in for `full`, with the data set's number of classes."""
        small = shrink(full, width=self.width, resolution=self.resolution, min_map=self.min_map, divisor=self.divisor)
        return small if classes is None else small.replace(classes=classes)

    def recipe(self, recipe: Recipe) -> Recipe:
        """The recipe with the proxy's epochs."""
        return recipe.lasting(self.epochs)

    def replace(self, **changes: Any) -> Proxy:
        """A copy with some fields changed, validated again."""
        return dataclasses.replace(self, **changes)


def _check_choice(field: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise ValueError(f"unknown {field} '{value}'{nearest(value, known)}")


def _check_positive(field: str, value: float) -> None:
    if not (math.isfinite(value) and value > 0):
        raise ValueError(f"{field} must be greater than 0, got {value:g}")


def _check_share(field: str, value: float) -> None:
    if not 0 <= value < 1:
        raise ValueError(f"{field} must lie between 0 and 1 (1 excluded), got {value}")


def _check_at_least_0(field: str, value: float) -> None:
    if not (math.isfinite(value) and value >= 0):
        raise ValueError(f"{field} must be 0 or more, got {value}")
