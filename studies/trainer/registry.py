"""The recipes by name, a row each, and dropout that grows with a network. Imports no torch.

docs/recipes.md says where each recipe differs from its source.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from search_spaces.common.registry import Registry, Row
from search_spaces.common.user_code import called
from search_spaces.networks.arch import Arch
from search_spaces.zoo.efficientnet import PUBLISHED, efficientnet
from studies.trainer.recipe import Recipe

# EN, section 5: dropout rises linearly from 0.2 (B0) to 0.5 (B7), whose multiply-adds are 2^6.6 times B0's.
DROPOUT_PER_DOUBLING = 0.3 / 6.6
MAX_DROPOUT = 0.5


@dataclass(frozen=True, kw_only=True)
class RecipeInfo(Row):
    """A recipe's row. Its code is a `Recipe`, or a function without arguments that returns one."""

    @property
    def recipe(self) -> Recipe:
        """The recipe's settings."""
        found: Recipe | Callable[[], Recipe] = self.load()
        return found if isinstance(found, Recipe) else found()


def adopt(name: str, found: Any) -> RecipeInfo:
    """The row of a user's recipe."""
    made = called(f"recipe {name}", found) if callable(found) else found
    if not isinstance(made, Recipe):
        raise ValueError(
            "must be a Recipe (studies.trainer.recipe), or a function without arguments that returns one, got "
            f"{type(made).__name__}"
        )
    return RecipeInfo(name=name, code=name, label=name)


RECIPES = Registry(
    "recipe",
    [
        RecipeInfo(
            name="quick",
            code="studies.trainer.recipes:QUICK",
            label="a few passes over a few thousand small images",
            source="ours, chosen on fashion-mnist-mini",
        ),
        RecipeInfo(
            name="standard",
            code="studies.trainer.recipes:STANDARD",
            label="ten epochs or more on small images",
            source="ours: quick with what a longer training needs",
        ),
        RecipeInfo(
            name="one-cycle",
            code="studies.trainer.recipes:ONE_CYCLE",
            label="one rise and fall of the learning rate to a high peak",
            source="Smith and Topin, arXiv 1708.07120",
        ),
        RecipeInfo(
            name="efficientnet",
            code="studies.trainer.recipes:EFFICIENTNET",
            label="350 epochs on ImageNet, as EfficientNet",
            source="EfficientNet, arXiv 1905.11946, section 5, and its released code",
        ),
        RecipeInfo(
            name="efficientnetv2_s",
            code="studies.trainer.recipes:EFFICIENTNETV2_S",
            label="350 epochs on ImageNet in four stages, as EfficientNetV2-S",
            source="EfficientNetV2-S, arXiv 2104.00298, section 5.1 and Table 6",
        ),
        RecipeInfo(
            name="efficientnetv2_m",
            code="studies.trainer.recipes:EFFICIENTNETV2_M",
            label="350 epochs on ImageNet in four stages, as EfficientNetV2-M",
            source="EfficientNetV2-M, arXiv 2104.00298, section 5.1 and Table 6",
        ),
        RecipeInfo(
            name="efficientnetv2_l",
            code="studies.trainer.recipes:EFFICIENTNETV2_L",
            label="350 epochs on ImageNet in four stages, as EfficientNetV2-L",
            source="EfficientNetV2-L, arXiv 2104.00298, section 5.1 and Table 6",
        ),
    ],
    adopt,
)


def get_recipe(name: str) -> Recipe:
    """The recipe of that name, or a user's own module:name. Raises ValueError, with the nearest name, for others."""
    return RECIPES.row(name).recipe


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
