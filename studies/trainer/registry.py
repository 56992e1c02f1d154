"""The recipes by name, each with its source, and dropout that grows with a network. Imports no torch.

docs/recipes.md says where each of them differs from its source.
"""

from __future__ import annotations

from search_spaces.common.suggest import nearest
from search_spaces.networks.arch import Arch
from search_spaces.zoo.efficientnet import PUBLISHED, efficientnet
from studies.trainer.recipe import Recipe

# EN, section 5: dropout rises linearly from 0.2 (B0) to 0.5 (B7), whose multiply-adds are 2^6.6 times B0's.
DROPOUT_A_DOUBLING = 0.3 / 6.6
MAX_DROPOUT = 0.5
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
# Ten epochs or more on small images: the same, with what keeps a longer training from learning them by heart.
_STANDARD = _QUICK.replace(augment="crop-flip", stochastic_depth=0.1, dropout=0.1, epochs=10)
# Super-convergence, Smith and Topin, arXiv 1708.07120: one rise and fall to a high peak, with little else that
# regularises. The peak is the 0.4 at 512 images of the fast CIFAR-10 trainings that followed the paper.
_ONE_CYCLE = Recipe(schedule="one-cycle", lr=0.1, batch_size=128, warmup=0.3, epochs=24)
# EN, arXiv 1905.11946, section 5, and its released code; lr 0.256 for batch 4096. Survival 0.8 is dropping by 0.2.
# No paper states how patient its early stopping is: 20 epochs are ours.
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
# ENv2, arXiv 2104.00298, section 5.1 and Table 6: the optimiser and schedule of EN, learned in 4 stages. Sizes are
# shares of those at which the networks are evaluated, 384 (S) and 480 (M, L).
_EFFICIENTNETV2 = _EFFICIENTNET.replace(augment="randaugment", stages=4, start_magnitude=5.0, start_dropout=0.1)
_S = {"start_size": 128 / 384, "size": 300 / 384, "magnitude": 15.0, "mixup": 0.0, "dropout": 0.3}
_M = {"start_size": 128 / 480, "size": 380 / 480, "magnitude": 20.0, "mixup": 0.2, "dropout": 0.4}
_L = {"start_size": 128 / 480, "size": 380 / 480, "magnitude": 25.0, "mixup": 0.5, "dropout": 0.5}
RECIPES: dict[str, Recipe] = {
    "quick": _QUICK,
    "standard": _STANDARD,
    "one-cycle": _ONE_CYCLE,
    "efficientnet": _EFFICIENTNET,
    "efficientnetv2_s": _EFFICIENTNETV2.replace(**_S),
    "efficientnetv2_m": _EFFICIENTNETV2.replace(**_M),
    "efficientnetv2_l": _EFFICIENTNETV2.replace(**_L),
}
# Where each recipe's numbers come from.
SOURCES: dict[str, str] = {
    "quick": "ours, chosen on fashion-mnist-mini",
    "standard": "ours: quick with what a longer training needs",
    "one-cycle": "Smith and Topin, arXiv 1708.07120",
    "efficientnet": "EfficientNet, arXiv 1905.11946, section 5, and its released code",
    "efficientnetv2_s": "EfficientNetV2-S, arXiv 2104.00298, section 5.1 and Table 6",
    "efficientnetv2_m": "EfficientNetV2-M, arXiv 2104.00298, section 5.1 and Table 6",
    "efficientnetv2_l": "EfficientNetV2-L, arXiv 2104.00298, section 5.1 and Table 6",
}


def get_recipe(name: str) -> Recipe:
    """The recipe of that name. ValueError, with the near name, where there is none."""
    if name not in RECIPES:
        raise ValueError(f"unknown recipe '{name}'{nearest(name, RECIPES)}")
    return RECIPES[name]


def grown_dropout(phi: float, start: float = 0.2) -> float:
    """EN's dropout for a network of 2^phi times its baseline's multiply-adds, where the baseline's is `start`.

    It rises by 0.045 a doubling, to 0.5 at most, and does not fall for smaller networks.
    """
    return max(start, min(MAX_DROPOUT, start + DROPOUT_A_DOUBLING * phi))


def published_dropout(arch: Arch) -> tuple[str, float] | None:
    """Name and dropout of the published EfficientNet that this is, at any image size and number of classes.

    From EN's released code: 0.2 (B0, B1) to 0.5 (B6 and larger). None for all other networks.
    """
    for name, row in PUBLISHED.items():
        if efficientnet(name).replace(resolution=arch.resolution, classes=arch.classes).key == arch.key:
            return name, row.dropout
    return None
