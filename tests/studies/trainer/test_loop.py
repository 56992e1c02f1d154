"""The training loop: it learns, is repeatable bit for bit, resumes exactly, and ends if a loss is not finite."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path

import pytest
import torch
from torch import nn

from search_spaces.networks.arch import Stage
from studies.data.dataset import Dataset
from studies.data.splits import View
from studies.outcome import Outcome
from studies.trainer.loop import classes_of, new_network, train
from studies.trainer.recipe import Recipe
from studies.trainer.scoring import score
from tests.studies.tiny import TINY, without_times

RECIPE = Recipe(
    epochs=2, batch_size=32, ema_decay=0.9, dropout=0.2, stochastic_depth=0.2, label_smoothing=0.1, norm_momentum=0.3
)


def test_it_learns(data: Dataset) -> None:
    recipe = Recipe(epochs=2, batch_size=32, schedule="one-cycle", warmup=0.3, norm_momentum=0.3, augment="none")
    curve = list(train(TINY, data, recipe, seed=0, images=1000))
    assert [row.step for row in curve] == [1, 2]
    assert [row.images for row in curve] == [1000, 2000]
    assert curve[-1].accuracy > 0.6
    assert curve[-1].outcome is Outcome.COMPLETE
    assert curve[1].train_seconds > curve[0].train_seconds > 0
    assert curve[1].cpu_seconds > curve[0].cpu_seconds > 0


def test_two_runs_are_equal_bit_for_bit(data: Dataset) -> None:
    runs = [without_times(list(train(TINY, data, RECIPE, seed=seed, images=200))) for seed in (0, 0, 1)]
    assert runs[0] == runs[1]
    assert runs[0][-1].loss != runs[2][-1].loss


def test_the_callers_random_numbers_are_left_alone(data: Dataset) -> None:
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    for _ in train(TINY, data, RECIPE, seed=0, images=64):
        pass
    assert torch.equal(torch.rand(3), expected)


@pytest.mark.parametrize("optimizer", ["sgd", "rmsprop", "adamw"])
def test_a_resumed_run_has_the_curve_of_an_unbroken_one(data: Dataset, optimizer: str, tmp_path: Path) -> None:
    recipe = RECIPE.replace(optimizer=optimizer, lr=0.01)
    options = {"seed": 3, "images": 150, "rungs_per_epoch": 2}
    whole = list(train(TINY, data, recipe, **options))  # type: ignore[arg-type]
    path = tmp_path / "run" / "state.pt"
    broken = train(TINY, data, recipe, checkpoint=path, **options)  # type: ignore[arg-type]
    first = next(broken)
    broken.close()
    resumed = list(train(TINY, data, recipe, checkpoint=path, **options))  # type: ignore[arg-type]
    assert resumed[0] == first
    assert without_times(resumed) == without_times(whole)
    assert [row.epoch for row in resumed] == pytest.approx([0.5, 1.0, 1.5, 2.0], abs=0.11)
    again = list(train(TINY, data, recipe, checkpoint=path, **options))  # type: ignore[arg-type]
    assert again == resumed
    assert list(path.parent.iterdir()) == [path]


def test_another_runs_checkpoint_is_refused(data: Dataset, tmp_path: Path) -> None:
    path = tmp_path / "state.pt"
    for _ in train(TINY, data, RECIPE, seed=0, images=64, checkpoint=path):
        pass
    with pytest.raises(ValueError, match=r"\bseed\b.* 0, .* 1\b"):
        next(train(TINY, data, RECIPE, seed=1, images=64, checkpoint=path))
    with pytest.raises(ValueError, match=r"recipe\.lr .*0\.1, .*0\.2"):
        next(train(TINY, data, RECIPE.replace(lr=0.2), seed=0, images=64, checkpoint=path))


def test_a_broken_checkpoint_is_one_line(data: Dataset, tmp_path: Path) -> None:
    path = tmp_path / "state.pt"
    path.write_bytes(b"no checkpoint")
    with pytest.raises(ValueError, match=path.name) as caught:
        next(train(TINY, data, RECIPE, seed=0, images=64, checkpoint=path))
    assert "\n" not in str(caught.value)


def test_a_loss_that_is_not_finite_ends_the_run(data: Dataset, tmp_path: Path) -> None:
    recipe = RECIPE.replace(lr=1e30, ema_decay=0.0)
    path = tmp_path / "state.pt"
    curve = list(train(TINY, data, recipe, seed=0, images=128, checkpoint=path))
    assert [row.outcome for row in curve] == [Outcome.NAN]
    assert curve[0].accuracy == 0
    assert not math.isfinite(curve[0].loss) or not math.isfinite(curve[0].train_loss)
    assert [row.outcome for row in train(TINY, data, recipe, seed=0, images=128, checkpoint=path)] == [Outcome.NAN]


def test_a_module_holds_the_weights_that_were_evaluated_last(data: Dataset) -> None:
    model = new_network(TINY, RECIPE, seed=0)
    curve = list(train(model, data, RECIPE, seed=0, images=200))
    judged = score(model, data.validation, View(28))
    assert (judged.top1, judged.loss) == (curve[-1].accuracy, curve[-1].loss)
    by_arch = list(train(TINY, data, RECIPE, seed=0, images=200))
    assert without_times(by_arch) == without_times(curve)


def test_networks_that_differ_elsewhere_begin_with_the_same_weights() -> None:
    first, last = TINY.stages
    deeper = TINY.replace(stages=(dataclasses.replace(first, layers=4), last))
    wider = TINY.replace(stages=(first, dataclasses.replace(last, channels=24)))
    states = [dict(new_network(arch, RECIPE, seed=7).named_parameters()) for arch in (TINY, deeper, wider)]
    plain, *others = ({name: weight.detach() for name, weight in state.items()} for state in states)
    for other, least in zip(others, (len(plain), len(plain) - 6), strict=True):
        shared = [name for name in plain if name in other and other[name].shape == plain[name].shape]
        assert len(shared) >= least
        assert all(torch.equal(plain[name], other[name]) for name in shared)


def test_draws_differ_between_layers_and_seeds_and_have_the_asked_spread() -> None:
    arch = TINY.replace(stages=(Stage("conv", 3, 1, 64, 3),), stem=64)
    network = new_network(arch, RECIPE, seed=7)
    convs = [module.weight for module in network.modules() if isinstance(module, nn.Conv2d)]
    same = [weight for weight in convs if weight.shape == (64, 64, 3, 3)]
    assert len(same) == 3
    assert not torch.equal(same[0], same[1])
    # Kaiming normal by fan-out: variance 2 / (64 * 9).
    assert same[0].std().item() == pytest.approx(math.sqrt(2 / (64 * 9)), rel=0.03)
    other = [m.weight for m in new_network(arch, RECIPE, seed=8).modules() if isinstance(m, nn.Conv2d)]
    assert not torch.equal(convs[0], other[0])


def test_drawing_weights_leaves_the_global_generator_alone() -> None:
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    weights = [next(new_network(TINY, RECIPE, seed=1).parameters()) for _ in range(2)]
    assert torch.equal(torch.rand(3), expected)
    assert torch.equal(*weights)


@pytest.mark.gpu
def test_mixed_precision_on_a_gpu(data: Dataset) -> None:
    recipe = Recipe(epochs=2, batch_size=32, schedule="one-cycle", norm_momentum=0.3, augment="none")
    curve = list(train(TINY, data, recipe, seed=0, view=View(28, torch.device("cuda")), images=1000))
    assert curve[-1].accuracy > 0.6


@pytest.mark.gpu
def test_out_of_memory_is_raised_as_it_is(data: Dataset) -> None:
    huge = TINY.replace(stem=1 << 14, resolution=4096)
    with pytest.raises(torch.OutOfMemoryError):
        next(train(huge, data, Recipe(batch_size=512), seed=0, view=View(4096, torch.device("cuda")), images=512))


def test_the_classes_are_the_outputs_of_the_last_linear_layer() -> None:
    assert classes_of(nn.Sequential(nn.Flatten(), nn.Linear(4, 7), nn.ReLU(), nn.Linear(7, 5))) == 5
    with pytest.raises(ValueError, match="mixup"):
        classes_of(nn.Conv2d(3, 3, 1))
