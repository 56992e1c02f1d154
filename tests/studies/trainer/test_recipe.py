"""Recipes and proxies: what they refuse, and the small networks that are trained in place of large ones."""

from __future__ import annotations

import subprocess
import sys

import pytest

from search_spaces.networks.arch import Arch, Stage
from search_spaces.networks.layers import walk
from studies.trainer.recipe import Proxy, Recipe

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
        ("precision", "bfloat"),
        ("clip_norm", -1.0),
        ("micro_batch", -1),
        ("patience", -2),
        ("decay", 1.5),
        ("decay_epochs", 0),
        ("magnitude", 31),
        ("mixup", float("inf")),
        ("size", 0.0),
        ("start_dropout", 1.0),
        ("stages", 0),
    ],
)
def test_a_wrong_field_is_one_line_that_names_it(field: str, value: object) -> None:
    with pytest.raises(ValueError, match=field) as caught:
        Recipe(**{field: value})  # type: ignore[arg-type]
    assert "\n" not in str(caught.value)


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
    assert Proxy().replace(epochs=3).recipe(Recipe(epochs=50)).epochs == 3


@pytest.mark.parametrize(
    ("field", "value"),
    [("width", 0), ("width", 17), ("resolution", 0), ("resolution", 3), ("epochs", 0), ("images", -1), ("min_map", 29)],
)
def test_a_wrong_field_of_a_proxy_is_named(field: str, value: int) -> None:
    with pytest.raises(ValueError, match=field):
        Proxy(**{field: value})


def test_fewer_epochs_than_stages_are_refused_in_one_line() -> None:
    with pytest.raises(ValueError, match="^epochs .* 4.* 3") as caught:
        Recipe(stages=4, epochs=3)
    assert "\n" not in str(caught.value)
    assert Recipe(stages=4, epochs=4).stages == 4


def test_another_length_keeps_the_course_of_the_learning_rate() -> None:
    """0.97 every 2.4 of 350 epochs is 0.97 every 0.24 of 35; other schedules are shares of the run in any case."""
    paper = Recipe(schedule="exponential", decay=0.97, decay_epochs=2.4, epochs=350)
    short = paper.lasting(35)
    assert short.decay_epochs == pytest.approx(0.24)
    assert short == paper.replace(epochs=35, decay_epochs=short.decay_epochs)
    assert Recipe(schedule="cosine").lasting(35) == Recipe(schedule="cosine", epochs=35)


def test_recipes_and_data_set_names_need_no_torch() -> None:
    light = ("trainer.registry", "trainer.progressive", "data.registry", "trainer.evaluation")
    names = ", ".join(f"studies.{name}" for name in light)
    code = f"import sys, {names}; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_every_field_has_its_help() -> None:
    for kind in (Recipe, Proxy):
        for field in kind.__dataclass_fields__:
            assert f"        {field}: " in (kind.__doc__ or ""), f"{kind.__name__}.{field} has no help"
