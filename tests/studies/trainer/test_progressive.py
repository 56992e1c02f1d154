"""Progressive learning: the schedule against ENv2's numbers, and a training that follows it."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from search_spaces.networks.arch import Arch, Stage
from studies.data.dataset import Dataset
from studies.data.splits import View
from studies.trainer.loop import new_network, train
from studies.trainer.progressive import last_stage_start, stage_at, training_stages
from studies.trainer.recipe import Recipe
from studies.trainer.registry import get_recipe
from tests.studies.tiny import without_times

TINY = Arch(
    stages=(Stage("mbconv", 3, 2, 8, 1, 2.0), Stage("mbconv", 3, 1, 16, 1, 2.0)),
    stem=8,
    head=16,
    resolution=28,
    classes=10,
)
GROWING = Recipe(
    epochs=3,
    stages=3,
    batch_size=32,
    norm_momentum=0.3,
    augment="randaugment",
    start_size=0.5,
    size=0.9,
    start_magnitude=5.0,
    magnitude=15.0,
    mixup=0.4,
    cutmix=0.4,
    start_dropout=0.1,
    dropout=0.5,
    stochastic_depth=0.1,
    ema_decay=0.9,
)


def test_efficientnetv2_s_in_four_stages() -> None:
    """ENv2, Algorithm 1 by hand: 128 to 300 px in steps of 57 1/3, magnitude in steps of 3 1/3."""
    stages = training_stages(get_recipe("efficientnetv2_s"), 384)
    assert [stage.resolution for stage in stages] == [128, 185, 243, 300]
    assert [stage.magnitude for stage in stages] == pytest.approx([5, 8 + 1 / 3, 11 + 2 / 3, 15])
    assert [stage.dropout for stage in stages] == pytest.approx([0.1, 0.1 + 0.2 / 3, 0.1 + 0.4 / 3, 0.3])
    assert {stage.mixup for stage in stages} == {0}
    assert [(stage.first, stage.last) for stage in stages] == [(0, 87), (87, 175), (175, 262), (262, 350)]
    assert last_stage_start(get_recipe("efficientnetv2_s")) == 262


def test_efficientnetv2_l_in_four_stages() -> None:
    stages = training_stages(get_recipe("efficientnetv2_l"), 480)
    assert [stage.resolution for stage in stages] == [128, 212, 296, 380]
    assert [stage.mixup for stage in stages] == pytest.approx([0, 0.5 / 3, 1 / 3, 0.5])


def test_small_images_keep_the_shares() -> None:
    """A third to 25/32 of the images, whatever their size."""
    assert [stage.resolution for stage in training_stages(get_recipe("efficientnetv2_s"), 32)] == [11, 15, 20, 25]


@given(st.integers(1, 9), st.integers(0, 60), st.floats(0.1, 1), st.floats(0.1, 1))
def test_stages_share_the_epochs_and_grow_evenly(stages: int, more: int, start: float, end: float) -> None:
    recipe = Recipe(stages=stages, epochs=stages + more, start_size=min(start, end), size=max(start, end))
    plan = training_stages(recipe, 224)
    assert [epoch for stage in plan for epoch in range(stage.first, stage.last)] == list(range(recipe.epochs))
    lengths = [stage.last - stage.first for stage in plan]
    assert max(lengths) - min(lengths) <= 1
    sizes = [stage.resolution for stage in plan]
    assert sizes == sorted(sizes)
    assert sizes[-1] == round(224 * recipe.size)
    steps = [after - before for before, after in pairwise(sizes)]
    assert not steps or max(steps) - min(steps) <= 2
    assert all(stage_at(plan, epoch).first <= epoch < stage_at(plan, epoch).last for epoch in range(recipe.epochs))
    assert plan[-1].first == last_stage_start(recipe)


def test_images_below_the_networks_total_stride_are_refused_in_one_line(data: Dataset) -> None:
    """94 / 3 rounds to 31, 95 / 3 to 32."""
    with pytest.raises(ValueError, match="^resolution 32 .* 11 px.* 32; .* 95, .*--recipe$") as caught:
        training_stages(get_recipe("efficientnetv2_s"), 32, total_stride=32)
    assert "\n" not in str(caught.value)
    assert training_stages(get_recipe("efficientnetv2_s"), 95, total_stride=32)[0].resolution == 32
    with pytest.raises(ValueError, match=r"\b95\b"):
        training_stages(get_recipe("efficientnetv2_s"), 94, total_stride=32)
    with pytest.raises(ValueError, match="^resolution 3 .* 3 px.* 4; .* 4$"):
        next(train(TINY, data, Recipe(), seed=0, view=View(3), images=32))
    with pytest.raises(ValueError, match="stage 1 of 3 .* 3 px.* 4"):
        next(train(new_network(TINY, GROWING, 0), data, GROWING.replace(start_size=0.1), seed=0, images=32))


@given(st.integers(1, 64), st.floats(0.05, 1), st.floats(0.05, 1), st.integers(1, 3))
def test_the_resolution_that_is_named_is_the_smallest_that_works(
    stride: int, start: float, end: float, stages: int
) -> None:
    recipe = Recipe(stages=stages, epochs=3, start_size=start, size=end)
    fitting = [side for side in range(1, 2000) if _fits(recipe, side, stride)]
    for side in {1, fitting[0] - 1} - {0, fitting[0]}:
        with pytest.raises(ValueError, match=f"; [a-z ]+ {fitting[0]}(,|$)"):
            training_stages(recipe, side, stride)


def _fits(recipe: Recipe, resolution: int, stride: int) -> bool:
    return all(stage.resolution >= stride for stage in training_stages(recipe, resolution, 0))


def test_a_training_sees_each_stages_images_and_dropout(data: Dataset) -> None:
    model = new_network(TINY, GROWING, seed=0)
    seen: list[tuple[bool, int, float]] = []
    drop = next(module for module in model.modules() if isinstance(module, nn.Dropout))

    def note(_: nn.Module, inputs: tuple[torch.Tensor, ...]) -> None:
        seen.append((model.training, inputs[0].shape[-1], drop.p))

    model.register_forward_pre_hook(note)
    recipe = GROWING.replace(ema_decay=0.0)
    curve = list(train(model, data, recipe, seed=0, images=64))
    training = [(side, round(p, 6)) for learning, side, p in seen if learning]
    # 64 images are two steps an epoch: half of 28 px, 0.7 and 0.9 of it; dropout 0.1, 0.3, 0.5.
    assert training == [(14, 0.1)] * 2 + [(20, 0.3)] * 2 + [(25, 0.5)] * 2
    assert {side for learning, side, _ in seen if not learning} == {28}
    assert [row.images for row in curve] == [64, 128, 192]


@pytest.mark.parametrize("broken_after", [1, 2, 3, 4, 5])
def test_a_progressive_run_goes_on_bit_for_bit_wherever_it_broke(
    data: Dataset, broken_after: int, tmp_path: Path
) -> None:
    options = {"seed": 3, "images": 100, "rungs_per_epoch": 2}
    whole = list(train(TINY, data, GROWING, **options))  # type: ignore[arg-type]
    assert len(whole) == 6
    broken = train(TINY, data, GROWING, checkpoint=tmp_path / "state.pt", **options)  # type: ignore[arg-type]
    for _ in range(broken_after):
        next(broken)
    broken.close()
    resumed = list(train(TINY, data, GROWING, checkpoint=tmp_path / "state.pt", **options))  # type: ignore[arg-type]
    assert without_times(resumed) == without_times(whole)


def test_a_checkpoint_of_another_schedule_is_refused(data: Dataset, tmp_path: Path) -> None:
    next(train(TINY, data, GROWING, seed=0, images=64, checkpoint=tmp_path / "state.pt"))
    with pytest.raises(ValueError, match=r"recipe\.magnitude .*15\.0.*20\.0"):
        next(train(TINY, data, GROWING.replace(magnitude=20.0), seed=0, images=64, checkpoint=tmp_path / "state.pt"))


def test_one_stage_of_full_size_is_ordinary_training(data: Dataset) -> None:
    """Only the last stage's values count then, whatever a first one would begin with."""
    plain = Recipe(epochs=1, batch_size=32, dropout=0.2)
    odd = plain.replace(start_size=0.5, start_dropout=0.9, start_mixup=1.0)
    curves = [without_times(list(train(TINY, data, recipe, seed=0, images=64))) for recipe in (plain, odd)]
    assert curves[0] == curves[1]
