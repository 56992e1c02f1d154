"""Gradient accumulation, clipping and precision."""

from __future__ import annotations

import copy
import math

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from studies.data.dataset import Dataset
from studies.data.splits import View
from studies.trainer.gradients import autocast, backward, compute_type, gradient_scaler, optimizer_step
from studies.trainer.loop import new_network, train
from studies.trainer.recipe import Recipe
from studies.trainer.scoring import score
from tests.studies.tiny import TINY

CPU = torch.device("cpu")
OFF = gradient_scaler("float32", CPU)
VIEW = View(28)


def plain_network() -> nn.Sequential:
    """Without batch norm, whose statistics depend on what is in a batch."""
    torch.manual_seed(0)
    layers = nn.Conv2d(3, 4, 3), nn.SiLU(), nn.Flatten(), nn.Linear(4 * 6 * 6, 5)
    return nn.Sequential(*layers).double()


def batch(count: int) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(1)
    images = torch.randn(count, 3, 8, 8, dtype=torch.float64, generator=generator)
    return images, torch.randint(5, (count,), generator=generator)


@pytest.mark.parametrize("micro_batch", [1, 3, 4, 10, 100])
@pytest.mark.parametrize("probabilities", [False, True])
def test_parts_of_a_batch_have_its_gradients(micro_batch: int, probabilities: bool) -> None:
    model, (images, labels) = plain_network(), batch(10)
    if probabilities:
        labels = functional.one_hot(labels, 5).double() * 0.7 + 0.3 / 5
    expected = functional.cross_entropy(model(images), labels, label_smoothing=0.1)
    expected.backward()
    other = plain_network()
    recipe = Recipe(label_smoothing=0.1, micro_batch=micro_batch)
    assert backward(other, OFF, recipe, images, labels, VIEW).item() == pytest.approx(expected.item(), rel=1e-6)
    for mine, theirs in zip(other.parameters(), model.parameters(), strict=True):
        torch.testing.assert_close(mine.grad, theirs.grad, rtol=1e-10, atol=1e-12)


def test_no_forward_pass_has_more_images_than_asked() -> None:
    model, sizes = plain_network(), []
    model.register_forward_pre_hook(lambda _, inputs: sizes.append(len(inputs[0])))
    backward(model, OFF, Recipe(micro_batch=4), *batch(10), VIEW)
    assert sizes == [4, 3, 3]


def test_a_training_in_parts_is_the_training(data: Dataset) -> None:
    """On a network without batch norm and random layers, to within float32's rounding."""

    def network() -> nn.Module:
        torch.manual_seed(0)
        return nn.Sequential(nn.Conv2d(3, 8, 3, 2), nn.ReLU(), nn.Flatten(), nn.Linear(8 * 13 * 13, 10))

    recipe = Recipe(epochs=2, batch_size=32, lr=0.02, clip_norm=1.0)
    whole, parts = (
        list(train(network(), data, recipe.replace(micro_batch=micro), seed=0, images=200)) for micro in (0, 5)
    )
    for one, other in zip(whole, parts, strict=True):
        assert (one.loss, one.train_loss) == pytest.approx((other.loss, other.train_loss), rel=1e-4)
        assert one.images == other.images


def test_gradients_are_shortened_to_the_norm_asked_for() -> None:
    model, (images, labels) = plain_network(), batch(10)
    backward(model, OFF, Recipe(), images, labels, VIEW)
    gradients = [weight.grad.clone() for weight in model.parameters() if weight.grad is not None]
    norm = math.sqrt(sum(float(gradient.square().sum()) for gradient in gradients))
    for limit, factor in ((norm / 4, 0.25), (norm * 2, 1.0)):
        clipped = copy.deepcopy(model)
        for weight, gradient in zip(clipped.parameters(), gradients, strict=True):
            weight.grad = gradient.clone()
        optimizer_step(clipped, torch.optim.SGD(clipped.parameters(), lr=1.0), OFF, clip_norm=limit)
        for after, before, gradient in zip(clipped.parameters(), model.parameters(), gradients, strict=True):
            torch.testing.assert_close(after, before - factor * gradient, rtol=1e-5, atol=1e-8)
            assert after.grad is None


def test_a_step_without_a_limit_is_the_optimizers() -> None:
    model = plain_network()
    twin = copy.deepcopy(model)
    for network in (model, twin):
        backward(network, OFF, Recipe(), *batch(10), VIEW)
    optimizer_step(model, torch.optim.SGD(model.parameters(), lr=0.1), OFF)
    torch.optim.SGD(twin.parameters(), lr=0.1).step()
    assert all(torch.equal(*pair) for pair in zip(model.parameters(), twin.parameters(), strict=True))


def test_types_on_a_cpu() -> None:
    assert compute_type("auto", CPU) is compute_type("float32", CPU) is torch.float32
    assert compute_type("bfloat16", CPU) is torch.bfloat16
    layer, images = nn.Conv2d(1, 1, 1), torch.ones(1, 1, 2, 2)
    for precision, kind in (("auto", torch.float32), ("float32", torch.float32), ("bfloat16", torch.bfloat16)):
        with autocast(precision, CPU):
            assert layer(images).dtype is kind


def test_float16_on_a_cpu_is_refused_in_one_line(data: Dataset) -> None:
    with pytest.raises(ValueError, match="float16") as caught:
        next(train(TINY, data, Recipe(precision="float16"), seed=0, view=VIEW, images=32))
    assert "\n" not in str(caught.value)


def test_bfloat16_trains_on_a_cpu(data: Dataset) -> None:
    recipe = Recipe(epochs=2, batch_size=32, schedule="one-cycle", warmup=0.3, norm_momentum=0.3, augment="none")
    model = new_network(TINY, recipe, seed=0)
    curve = list(train(model, data, recipe.replace(precision="bfloat16"), seed=0, view=VIEW, images=1000))
    assert curve[-1].accuracy > 0.5
    assert {weight.dtype for weight in model.parameters()} == {torch.float32}
    full = list(train(TINY, data, recipe, seed=0, view=VIEW, images=1000))
    assert full[-1].loss != curve[-1].loss
    assert full[-1].loss == pytest.approx(curve[-1].loss, rel=0.1)
    judged = score(model, data.validation, VIEW, precision="bfloat16")
    assert (judged.top1, judged.loss) == (curve[-1].accuracy, curve[-1].loss)


@pytest.mark.gpu
@pytest.mark.parametrize("precision", ["float32", "bfloat16", "float16"])
def test_every_precision_trains_on_a_gpu(data: Dataset, precision: str) -> None:
    recipe = Recipe(epochs=2, batch_size=32, schedule="one-cycle", norm_momentum=0.3, augment="none", clip_norm=5.0)
    recipe = recipe.replace(precision=precision, micro_batch=16)
    curve = list(train(TINY, data, recipe, seed=0, view=View(28, torch.device("cuda")), images=1000))
    assert curve[-1].accuracy > 0.5
