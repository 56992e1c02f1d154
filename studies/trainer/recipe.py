"""How a network is trained (`Recipe`), and the cheaper training that ranks candidates (`Proxy`). Imports no torch."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import Any, Literal

from search_spaces.common.suggest import nearest
from search_spaces.metrics.registry import Conditions
from search_spaces.networks.arch import Arch
from search_spaces.resizing.shrink import shrink
from studies.data.policies import AUGMENTS, MAX_MAGNITUDE

OPTIMIZERS = ("sgd", "rmsprop", "adamw")
SCHEDULES = ("cosine", "one-cycle", "exponential")
PRECISIONS = ("auto", "float32", "bfloat16", "float16")
# Fields by the values that they may have: greater than 0, at least 0 and below 1, at least 0.
POSITIVE_FIELDS = ("lr", "batch_size", "epochs", "decay_epochs", "stages", "size", "start_size")
SHARE_FIELDS = (
    "momentum", "warmup", "label_smoothing", "ema_decay", "stochastic_depth", "dropout", "start_dropout",
    "norm_momentum",
)  # fmt: skip
NON_NEGATIVE_FIELDS = (
    "weight_decay", "clip_norm", "micro_batch", "patience", "mixup", "cutmix", "start_mixup", "start_cutmix",
)  # fmt: skip
# No machine has the memory for a larger factor on a network's widths: it is a typing error.
MAX_WIDTH_FACTOR = 16


@dataclass(frozen=True)
class Recipe:
    """How a network is trained.

    With more than one stage the training is progressive (ENv2, section 4.2): size, magnitude, mixup, cutmix and
    dropout grow evenly from their `start_` values in the first stage to their own values in the last.

    Attributes:
        optimizer: sgd (Nesterov momentum), rmsprop (TensorFlow's, decay 0.9, as in EfficientNet) or adamw.
        lr: Peak learning rate, for batches of `batch_size` images.
        momentum: Momentum of sgd and rmsprop; beta1 of adamw.
        weight_decay: Weight decay of parameters with two or more dimensions; biases and norms have none.
        schedule: cosine (linear warm-up, then half a cosine down to 0), one-cycle (cosine up from lr/25 and down to
            lr/250000, as torch's OneCycleLR, with constant momentum), exponential (linear warm-up, then down in steps).
        warmup: Share of all steps in which the learning rate rises.
        decay: Factor on the learning rate at each step of the exponential schedule.
        decay_epochs: Epochs from one of these steps to the next, counted from the beginning of the run.
        label_smoothing: Probability spread evenly over all classes.
        ema_decay: Decay per step of the moving average of weights, which is evaluated and kept. After n steps the
            decay is at most (1 + n) / (10 + n). 0 is no average.
        stochastic_depth: Probability that the last residual block is dropped; earlier ones proportionally less.
        dropout: Probability of dropout before the last linear layer.
        norm_momentum: Share of the newest batch in batch norm's running statistics (torch's convention; EfficientNet's
            0.99 is 0.01 here). Short runs need a larger one: at torch's 0.1 the statistics lag tens of steps behind.
        clip_norm: Largest norm of all gradients together; longer gradients are shortened to it. 0 is no limit.
        batch_size: Images per step.
        micro_batch: Images per forward pass. The gradients of a batch's parts are summed, which needs less memory.
            Batch norm sees one part at a time. 0 is the whole batch at once.
        epochs: Passes over the training images.
        patience: Early stopping: the run stops after this many epochs of the last stage without a better validation
            accuracy, and keeps the weights of the best evaluation. 0 never stops early and keeps the last weights.
        augment: none, crop-flip (random shifts by up to an eighth of the side and mirrored images; for image
            folders random resized crops and mirrored images), or crop-flip followed by autoaugment (its ImageNet
            policy) or randaugment (two random operations).
        magnitude: Strength of randaugment's operations, 0 to 30.
        mixup: Alpha of the Beta distribution of the shares in which two images are mixed; 0 is no mixing.
        cutmix: Alpha for rectangles pasted from one image into another; with mixup, each batch gets one of the two.
        precision: auto (bfloat16 on a GPU that has it, else float16; float32 on a CPU), float32, bfloat16, or
            float16 (on a GPU). Except with float32 the precision is mixed: weights and sums stay float32.
        channels_last: Whether images and weights have the channels-last memory layout, which makes convolutions faster.
        stages: Number of stages of equal length; 1 is ordinary training.
        size: Side of the training images as a share of the side of the evaluated images.
        start_size: The size in the first of several stages.
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
        for field in POSITIVE_FIELDS:
            _check_positive(field, getattr(self, field))
        for field in SHARE_FIELDS:
            _check_share(field, getattr(self, field))
        for field in NON_NEGATIVE_FIELDS:
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
        """A copy with some fields changed; it is validated too."""
        return dataclasses.replace(self, **changes)

    def with_dropout(self, dropout: float) -> Recipe:
        """The recipe with another dropout in its last stage; earlier stages never have more."""
        return self.replace(dropout=dropout, start_dropout=min(self.start_dropout, dropout))

    @property
    def conditions(self) -> Conditions:
        """What a network's memory in training depends on, besides the network."""
        return Conditions(self.batch_size, self.optimizer, bool(self.ema_decay))

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
        epochs: Passes over the proxy's training images.
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
        if self.width > MAX_WIDTH_FACTOR:
            raise ValueError(f"width must be at most {MAX_WIDTH_FACTOR}, got {self.width:g}")
        if self.resolution < self.min_map:
            raise ValueError(f"resolution must be at least {self.min_map} (min_map), got {self.resolution}")
        if self.images < 0:
            raise ValueError(f"images must be 0 (all) or more, got {self.images}")

    def arch(self, full: Arch, classes: int | None = None) -> Arch:
        """The small network that is trained in place of `full`, with another number of classes if one is given."""
        small = shrink(full, width=self.width, resolution=self.resolution, min_map=self.min_map, divisor=self.divisor)
        return small if classes is None else small.replace(classes=classes)

    def recipe(self, recipe: Recipe) -> Recipe:
        """The recipe with the proxy's epochs."""
        return recipe.lasting(self.epochs)

    def replace(self, **changes: Any) -> Proxy:
        """A copy with some fields changed; it is validated too."""
        return dataclasses.replace(self, **changes)


def _check_choice(field: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise ValueError(f"unknown {field} '{value}'{nearest(value, known)}")


def _check_positive(field: str, value: float) -> None:
    if not (math.isfinite(value) and value > 0):
        raise ValueError(f"{field} must be greater than 0, got {value:g}")


def _check_share(field: str, value: float) -> None:
    if not 0 <= value < 1:
        raise ValueError(f"{field} must be at least 0 and less than 1, got {value}")


def _check_at_least_0(field: str, value: float) -> None:
    if not (math.isfinite(value) and value >= 0):
        raise ValueError(f"{field} must be 0 or more, got {value}")
