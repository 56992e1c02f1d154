"""How a network is trained (`Recipe`) and the cheaper stand-in that ranks candidates (`Proxy`). Imports no torch."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import Any, Literal

from search_spaces.arch import Arch
from search_spaces.naming import nearest
from search_spaces.resize import shrink

SHARES = ("momentum", "warmup", "label_smoothing", "ema_decay", "stochastic_depth", "dropout", "norm_momentum")


@dataclass(frozen=True)
class Recipe:
    """How a network is trained.

    Attributes:
        optimizer: sgd (Nesterov momentum), rmsprop (decay 0.9, as EfficientNet's) or adamw.
        lr: Peak learning rate, for the batch size below.
        momentum: Of sgd and rmsprop; adamw's beta1.
        weight_decay: Of weights with two or more dimensions; biases and norms have none.
        schedule: cosine (linear warm-up, then half a cosine down to 0) or one-cycle (cosine up from lr/25 and down to
            lr/250000, as torch's OneCycleLR; momentum stays).
        warmup: Share of all steps in which the learning rate rises.
        label_smoothing: Probability spread evenly over all classes.
        ema_decay: Of the moving average of weights that is evaluated and kept; 0 is none. It warms up:
            the average over n steps decays by at most (1 + n) / (10 + n).
        stochastic_depth: Probability that the last residual block is dropped; earlier ones proportionally less.
        dropout: Before the last linear layer.
        norm_momentum: Share of the newest batch in batch norm's running statistics (torch's convention; EfficientNet's
            0.99 is 0.01 here). Short runs need more: at torch's 0.1 the statistics lag tens of steps behind.
        batch_size: Images a step.
        epochs: Passes over the training images.
        augment: none, or crop-flip (random shifts by up to an eighth of the side and mirrored images; for image
            folders random resized crops and mirrored images).
        amp: Mixed precision on a GPU; the CPU computes in float32.
        channels_last: Memory layout of images and weights; the faster one for convolutions.

    """

    optimizer: Literal["sgd", "rmsprop", "adamw"] = "sgd"
    lr: float = 0.1
    momentum: float = 0.9
    weight_decay: float = 5e-4
    schedule: Literal["cosine", "one-cycle"] = "cosine"
    warmup: float = 0.1
    label_smoothing: float = 0.0
    ema_decay: float = 0.0
    stochastic_depth: float = 0.0
    dropout: float = 0.0
    norm_momentum: float = 0.1
    batch_size: int = 64
    epochs: int = 10
    augment: Literal["none", "crop-flip"] = "crop-flip"
    amp: bool = True
    channels_last: bool = True

    def __post_init__(self) -> None:
        _check_choice("optimizer", self.optimizer, ("sgd", "rmsprop", "adamw"))
        _check_choice("schedule", self.schedule, ("cosine", "one-cycle"))
        _check_choice("augment", self.augment, ("none", "crop-flip"))
        _check_positive("lr", self.lr)
        _check_positive("batch_size", self.batch_size)
        _check_positive("epochs", self.epochs)
        for field in SHARES:
            _check_share(field, getattr(self, field))
        if not (math.isfinite(self.weight_decay) and self.weight_decay >= 0):
            raise ValueError(f"weight_decay must be 0 or more, got {self.weight_decay}")

    def replace(self, **changes: Any) -> Recipe:
        """A copy with some fields changed, validated again."""
        return dataclasses.replace(self, **changes)


@dataclass(frozen=True)
class Proxy:
    """The cheaper stand-in that ranks candidates: a narrower network on fewer, smaller images for fewer epochs.

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
    images: int = 4000
    epochs: int = 2
    min_map: int = 4
    divisor: int = 4

    def __post_init__(self) -> None:
        for field in ("width", "resolution", "epochs", "min_map", "divisor"):
            _check_positive(field, getattr(self, field))
        if self.resolution < self.min_map:
            raise ValueError(f"a proxy's resolution must be at least min_map ({self.min_map}), got {self.resolution}")
        if self.images < 0:
            raise ValueError(f"images must be 0 (all) or more, got {self.images}")

    def arch(self, full: Arch, classes: int | None = None) -> Arch:
        """The small network that stands in for `full`, with the data set's number of classes."""
        small = shrink(full, width=self.width, resolution=self.resolution, min_map=self.min_map, divisor=self.divisor)
        return small if classes is None else small.replace(classes=classes)

    def recipe(self, recipe: Recipe) -> Recipe:
        """The recipe with the proxy's epochs."""
        return recipe.replace(epochs=self.epochs)

    def replace(self, **changes: Any) -> Proxy:
        """A copy with some fields changed, validated again."""
        return dataclasses.replace(self, **changes)


def get_recipe(name: str) -> Recipe:
    """The recipe of that name. ValueError, with the near name, where there is none."""
    if name not in RECIPES:
        raise ValueError(f"unknown recipe '{name}'{nearest(name, RECIPES)}")
    return RECIPES[name]


def _check_choice(field: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise ValueError(f"unknown {field} '{value}'{nearest(value, known)}")


def _check_positive(field: str, value: float) -> None:
    if not (math.isfinite(value) and value > 0):
        raise ValueError(f"{field} must be greater than 0, got {value}")


def _check_share(field: str, value: float) -> None:
    if not 0 <= value < 1:
        raise ValueError(f"{field} must lie between 0 and 1 (1 excluded), got {value}")


# One pass, or a few, over a few thousand small images: what ranks the candidates of a search. Chosen on
# fashion-mnist-mini among 18 (lr, batch, optimiser, augmentation, norm momentum) by the accuracy of two proxies. The
# average of weights makes an early rung, at the height of the learning rate, a fair one.
_QUICK = Recipe(
    schedule="one-cycle",
    warmup=0.3,
    label_smoothing=0.1,
    norm_momentum=0.3,
    weight_decay=2e-3,
    batch_size=32,
    augment="none",
    ema_decay=0.98,
)

RECIPES: dict[str, Recipe] = {
    "quick": _QUICK,
    # Ten epochs or more on small images: the same, with what keeps a longer training from learning them by heart.
    "standard": _QUICK.replace(augment="crop-flip", stochastic_depth=0.1, dropout=0.1, epochs=10),
    # EfficientNet, arXiv 1905.11946, section 5, with a cosine in place of its stepwise decay; lr 0.256 for batch 4096.
    "efficientnet": Recipe(
        optimizer="rmsprop",
        lr=0.016,
        weight_decay=1e-5,
        warmup=5 / 350,
        label_smoothing=0.1,
        ema_decay=0.9999,
        stochastic_depth=0.2,
        dropout=0.2,
        norm_momentum=0.01,
        batch_size=256,
        epochs=350,
    ),
}
