"""Predicted against free memory: at the resolutions of training and evaluation, and in mixed precision."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from search_spaces import get
from search_spaces.metrics.memory import inference_memory, training_memory
from studies.train.job import TrainingJob
from studies.train.ray_train import check_here
from studies.trainer.memory import MemoryDemand, check_memory, check_parts, free_memory
from studies.trainer.recipe import Recipe
from studies.trainer.registry import get_recipe
from studies.workers.training_job import Training
from tests.studies.tiny import TINY

S = get("efficientnetv2_s")


def test_the_largest_batch_that_fits_does_fit() -> None:
    recipe = Recipe(batch_size=256)
    room = training_memory(TINY, 160).total
    with pytest.raises(ValueError, match="--batch-size 160$"):
        check_memory(MemoryDemand(TINY, recipe), room)
    check_memory(MemoryDemand(TINY, recipe.replace(batch_size=160)), room)
    check_memory(MemoryDemand(TINY, recipe, workers=2), room)
    with pytest.raises(ValueError, match="each worker.*--batch-size 320$"):
        check_memory(MemoryDemand(TINY, recipe.replace(batch_size=400), workers=2), room)
    check_memory(MemoryDemand(TINY, recipe.replace(micro_batch=160)), room)
    with pytest.raises(ValueError, match=r"\b1 image\b"):
        check_memory(MemoryDemand(TINY, recipe), 1000)


def test_a_progressive_step_is_predicted_at_the_largest_size_trained() -> None:
    """EfficientNetV2-S trains at 300 px at most and is evaluated at 384."""
    recipe = get_recipe("efficientnetv2_s").replace(batch_size=24)
    needed = training_memory(S.replace(resolution=300), 24, optimizer="rmsprop", ema=True).total
    check_memory(MemoryDemand(S, recipe), needed)
    with pytest.raises(ValueError, match="24 images at 300 px .*--batch-size 23$"):
        check_memory(MemoryDemand(S, recipe), needed - 1)


def test_evaluation_needs_its_memory_at_its_own_size() -> None:
    """100 images at 384 px, beside weights, their average and the optimiser's two numbers for each."""
    recipe = Recipe(batch_size=1, size=0.25, ema_decay=0.9, optimizer="adamw")
    there, step = inference_memory(S, 100), training_memory(S, 1, optimizer="adamw", ema=True)
    needed = there.total - there.weights + step.weights + step.optimizer
    check_memory(MemoryDemand(S, recipe), needed)
    with pytest.raises(ValueError, match="evaluation at 384 px "):
        check_memory(MemoryDemand(S, recipe), needed - 1)


def test_mixed_precision_is_refused_only_what_half_the_memory_cannot_hold() -> None:
    demand, needed = MemoryDemand(TINY, Recipe()), training_memory(TINY, 64).total
    assert check_memory(demand, needed, mixed=True) == ()
    assert len(check_memory(demand, needed - 1, mixed=True)) == 1
    assert len(check_memory(demand, needed // 2, mixed=True)) == 1
    with pytest.raises(ValueError, match="--batch-size"):
        check_memory(demand, needed // 2 - 1, mixed=True)
    with pytest.raises(ValueError, match="--batch-size"):
        check_memory(demand, needed - 1)


@pytest.mark.parametrize(
    ("recipe", "workers", "side", "refused"),
    [
        (Recipe(batch_size=1), 1, 8, True),
        (Recipe(batch_size=2), 1, 8, True),
        (Recipe(batch_size=3), 1, 8, False),
        (Recipe(batch_size=9, micro_batch=2), 1, 8, True),
        (Recipe(batch_size=9, micro_batch=3), 1, 8, False),
        # TINY's last map is an eighth: 2 pixels a side.
        (Recipe(batch_size=1), 1, 16, False),
        # The smallest stage decides, here of 8 px.
        (Recipe(batch_size=2, stages=2, start_size=0.5), 1, 16, True),
        # Several workers take their statistics together.
        (Recipe(batch_size=4), 2, 8, False),
    ],
)
def test_no_image_is_left_on_its_own(recipe: Recipe, workers: int, side: int, refused: bool) -> None:
    demand = MemoryDemand(TINY.replace(resolution=side), recipe, workers)
    if not refused:
        check_parts(demand)
        return
    with pytest.raises(ValueError, match=rf"{demand.flag} .*\b{demand.min_images}\b"):
        check_parts(demand)


def test_no_batch_is_recommended_that_would_be_refused() -> None:
    arch, recipe = TINY.replace(resolution=8), Recipe(batch_size=9000)
    with pytest.raises(ValueError, match="3 images"):
        check_memory(MemoryDemand(arch, recipe), training_memory(arch, 2).total)
    with pytest.raises(ValueError, match="2 images"):
        check_memory(MemoryDemand(arch, recipe, workers=2), training_memory(arch, 1).total)


def test_the_workers_of_a_machine_share_its_memory() -> None:
    """Four workers have a quarter each; what is free changes while the test runs."""
    assert free_memory("cpu", 4) == pytest.approx(free_memory("cpu", 1) / 4, rel=0.2)


def test_a_worker_elsewhere_checks_its_own_machine(tmp_path: Path) -> None:
    """The batch is divided by all workers, the machine's memory by those that run on it."""
    work = TrainingJob(TINY, 0, Training("fashion-mnist-mini", Recipe(batch_size=120), folder=str(tmp_path)))
    check_here(work, 3, torch.device("cpu"), beside=1)
    for workers, images in ((3, 40), (2, 60)):
        with pytest.raises(ValueError, match=f"{images} images.* each worker"):
            check_here(work, workers, torch.device("cpu"), beside=10**9)
