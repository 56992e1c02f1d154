"""Recipes and proxies: what they refuse, and the small networks that stand in for large ones."""

from __future__ import annotations

import subprocess
import sys

import pytest

from search_spaces.arch import Arch, Stage
from search_spaces.layers import walk
from studies.recipe import RECIPES, Proxy, Recipe, get_recipe

FULL = Arch(
    stages=(Stage("sepconv", 3, 1, 16, 1), Stage("mbconv", 5, 2, 24, 2, 6.0), Stage("mbconv", 3, 2, 40, 1, 6.0)),
    stem=32,
    head=1280,
    resolution=224,
)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("lr", 0.0),
        ("lr", float("nan")),
        ("epochs", 0),
        ("batch_size", -1),
        ("dropout", 1.0),
        ("ema_decay", -0.1),
        ("weight_decay", -1e-4),
        ("optimizer", "sdg"),
        ("schedule", "cosin"),
        ("augment", "flip"),
    ],
)
def test_a_wrong_field_is_one_line_that_names_it(field: str, value: object) -> None:
    with pytest.raises(ValueError, match=field) as caught:
        Recipe(**{field: value})  # type: ignore[arg-type]
    assert "\n" not in str(caught.value)


def test_a_misspelt_recipe_is_answered_with_the_near_name() -> None:
    with pytest.raises(ValueError, match="did you mean 'standard'"):
        get_recipe("standart")
    assert get_recipe("standard") is RECIPES["standard"]


def test_the_papers_recipe_has_the_papers_numbers() -> None:
    paper = RECIPES["efficientnet"]
    assert (paper.optimizer, paper.momentum, paper.weight_decay) == ("rmsprop", 0.9, 1e-5)
    assert (paper.stochastic_depth, paper.dropout, paper.ema_decay) == (0.2, 0.2, 0.9999)
    # Keras's momentum of 0.99 is the share of the old value, torch's of the new one.
    assert paper.norm_momentum == pytest.approx(1 - 0.99)


def test_the_proxy_is_narrower_and_keeps_its_last_map() -> None:
    small = Proxy(width=0.5, resolution=28, min_map=4).arch(FULL, classes=10)
    # 28 px over a total stride of 8 would leave 4 px: no stride needs to go.
    assert small.total_stride == FULL.total_stride == 8
    assert (small.resolution, small.classes, small.stages[2].channels) == (28, 10, 20)
    smaller = Proxy(width=0.5, resolution=16, min_map=4).arch(FULL)
    assert smaller.total_stride == 4
    assert smaller.classes == FULL.classes
    assert [layer.out_size for layer in walk(smaller)][-3:][0] >= 4


def test_the_proxy_sets_the_epochs() -> None:
    assert Proxy(epochs=3).recipe(Recipe(epochs=50)).epochs == 3


@pytest.mark.parametrize("field", ["width", "resolution", "epochs"])
def test_a_proxy_refuses_nothing(field: str) -> None:
    with pytest.raises(ValueError, match=field):
        Proxy(**{field: 0})


def test_recipes_and_data_set_names_need_no_torch() -> None:
    code = "import sys, studies.recipe, studies.datasets, studies.evaluation; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_every_field_has_its_help() -> None:
    for kind in (Recipe, Proxy):
        for field in kind.__dataclass_fields__:
            assert f"        {field}: " in (kind.__doc__ or ""), f"{kind.__name__}.{field} has no help"
