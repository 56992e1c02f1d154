"""The recipes by name, a row each, and dropout that grows with a network. Imports no torch.

docs/recipes.md says where each recipe differs from its source.
"""

from __future__ import annotations

from dataclasses import dataclass

from search_spaces.common.suggest import nearest
from search_spaces.networks.arch import Arch
from search_spaces.zoo.efficientnet import PUBLISHED, efficientnet
from studies.trainer.recipe import Recipe

# EN, section 5: dropout rises linearly from 0.2 (B0) to 0.5 (B7), whose multiply-adds are 2^6.6 times B0's.
DROPOUT_PER_DOUBLING = 0.3 / 6.6
MAX_DROPOUT = 0.5


@dataclass(frozen=True)
class RecipeInfo:
    """A recipe's row.

    recipe  its settings
    source  where they come from
    """

    recipe: Recipe
    source: str


# For a few passes over a few thousand small images, which rank the candidates of a search. It had the best accuracy of
# two proxies among 18 combinations of lr, batch size, optimizer, augmentation and norm momentum. An early rung is
# evaluated while the learning rate is high; the average of weights makes its accuracy a fair one.
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
# EN, section 5: lr 0.256 for batch 4096; survival 0.8 of stochastic depth is dropping by 0.2. No paper states the
# patience of its early stopping: 20 epochs are ours.
_EFFICIENTNET = Recipe(
    optimizer="rmsprop",
    lr=0.016,
    weight_decay=1e-5,
    schedule="exponential",
    warmup=5 / 350,
    decay=0.97,
    decay_epochs=2.4,
    label_smoothing=0.1,
    ema_decay=0.9999,
    stochastic_depth=0.2,
    dropout=0.2,
    norm_momentum=0.01,
    batch_size=256,
    epochs=350,
    patience=20,
    augment="autoaugment",
)


def _efficientnetv2(evaluated: int, *, size: int, magnitude: float, mixup: float, dropout: float) -> Recipe:
    """A column of ENv2's Table 6: EN's optimizer and schedule in 4 stages, from 128 px to `size` px.

    The recipe has sizes as shares of `evaluated`, the side in pixels at which the network is evaluated.
    """
    return _EFFICIENTNET.replace(
        augment="randaugment",
        stages=4,
        start_size=128 / evaluated,
        size=size / evaluated,
        start_magnitude=5.0,
        magnitude=magnitude,
        mixup=mixup,
        start_dropout=0.1,
        dropout=dropout,
    )


RECIPES = {
    "quick": RecipeInfo(_QUICK, "ours, chosen on fashion-mnist-mini"),
    # For ten epochs or more: quick with regularisation against overfitting.
    "standard": RecipeInfo(
        _QUICK.replace(augment="crop-flip", stochastic_depth=0.1, dropout=0.1, epochs=10),
        "ours: quick with what a longer training needs",
    ),
    # Super-convergence: one rise and fall to a high peak, with little other regularisation. The peak is 0.4 for 512
    # images, as in the fast CIFAR-10 trainings that followed the paper.
    "one-cycle": RecipeInfo(
        Recipe(schedule="one-cycle", lr=0.1, batch_size=128, warmup=0.3, epochs=24), "Smith and Topin, arXiv 1708.07120"
    ),
    "efficientnet": RecipeInfo(_EFFICIENTNET, "EfficientNet, arXiv 1905.11946, section 5, and its released code"),
    "efficientnetv2_s": RecipeInfo(
        _efficientnetv2(384, size=300, magnitude=15.0, mixup=0.0, dropout=0.3),
        "EfficientNetV2-S, arXiv 2104.00298, section 5.1 and Table 6",
    ),
    "efficientnetv2_m": RecipeInfo(
        _efficientnetv2(480, size=380, magnitude=20.0, mixup=0.2, dropout=0.4),
        "EfficientNetV2-M, arXiv 2104.00298, section 5.1 and Table 6",
    ),
    "efficientnetv2_l": RecipeInfo(
        _efficientnetv2(480, size=380, magnitude=25.0, mixup=0.5, dropout=0.5),
        "EfficientNetV2-L, arXiv 2104.00298, section 5.1 and Table 6",
    ),
}


def recipe_info(name: str) -> RecipeInfo:
    """The row of a recipe. Raises ValueError, with the nearest name, if there is none."""
    if name not in RECIPES:
        raise ValueError(f"unknown recipe '{name}'{nearest(name, RECIPES)}")
    return RECIPES[name]


def get_recipe(name: str) -> Recipe:
    """The recipe of that name. Raises ValueError, with the nearest name, if there is none."""
    return recipe_info(name).recipe


def grown_dropout(phi: float, start: float = 0.2) -> float:
    """EN's dropout for a network of 2^phi times its baseline's multiply-adds, where the baseline's is `start`.

    It rises by 0.045 per doubling, to 0.5 at most, and does not fall for smaller networks.
    """
    return max(start, min(MAX_DROPOUT, start + DROPOUT_PER_DOUBLING * phi))


def published_dropout(arch: Arch) -> tuple[str, float] | None:
    """Name and dropout of the published EfficientNet with this structure; None if it is not one.

    Image size and number of classes may differ. From EN's released code: 0.2 (B0, B1) to 0.5 (B6 and larger).
    """
    for name, row in PUBLISHED.items():
        if efficientnet(name).replace(resolution=arch.resolution, classes=arch.classes).key == arch.key:
            return name, row.dropout
    return None
