"""Learning rates and SGD against torch, RMSProp against TensorFlow's formula in numpy; decay and the average."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from studies.trainer.optimizers import (
    TensorFlowRMSprop,
    learning_rate,
    make_optimizer,
    moving_average,
    parameter_groups,
)
from studies.trainer.recipe import Recipe


def tensorflow(
    weight: np.ndarray, gradients: np.ndarray, rates: list[float], momentum: float, weight_decay: float
) -> np.ndarray:
    """tf.raw_ops.ApplyRMSProp, as its kernel documents it, with rms from ones and momentum from zeros."""
    rho, epsilon = 0.9, 1e-3
    weight, ms, mom = weight.copy(), np.ones_like(weight), np.zeros_like(weight)
    for gradient, lr in zip(gradients, rates, strict=True):
        whole = gradient + weight_decay * weight
        ms += (whole * whole - ms) * (1 - rho)
        mom = momentum * mom + lr * whole / np.sqrt(ms + epsilon)
        weight -= mom
    return weight


def stepped(optimizer: torch.optim.Optimizer, weight: nn.Parameter, gradients: np.ndarray, rates: list[float]) -> None:
    for gradient, lr in zip(gradients, rates, strict=True):
        optimizer.param_groups[0]["lr"] = lr
        weight.grad = torch.from_numpy(gradient)
        optimizer.step()


@given(
    st.integers(0, 2**32 - 1),
    st.floats(0, 0.95),
    st.sampled_from([0.0, 1e-5, 0.1]),
    st.lists(st.floats(1e-4, 0.5), min_size=1, max_size=12),
)
def test_it_is_tensorflows(seed: int, momentum: float, weight_decay: float, rates: list[float]) -> None:
    random = np.random.default_rng(seed)
    start = random.normal(size=(3, 2))
    gradients = random.normal(size=(len(rates), 3, 2)) * 10.0 ** random.integers(-5, 3)
    weight = nn.Parameter(torch.from_numpy(start.copy()))
    stepped(TensorFlowRMSprop([weight], 0.1, momentum=momentum, weight_decay=weight_decay), weight, gradients, rates)
    expected = tensorflow(start, gradients, rates, momentum, weight_decay)
    np.testing.assert_allclose(weight.detach().numpy(), expected, rtol=1e-9, atol=1e-12)


def test_two_steps_by_hand() -> None:
    """Gradient 1 keeps the mean square at 1: steps of lr / sqrt(1.001), the second with 0.9 of the first on top."""
    weight = nn.Parameter(torch.zeros(1, dtype=torch.float64))
    stepped(TensorFlowRMSprop([weight], 0.1), weight, np.ones((2, 1)), [0.1, 0.05])
    one = 1 / math.sqrt(1.001)
    assert weight.item() == pytest.approx(-(0.1 * one) - (0.9 * 0.1 * one + 0.05 * one), rel=1e-12)


def test_torchs_own_is_another() -> None:
    """A first gradient of 0.001 makes TensorFlow's step lr * 0.001 / sqrt(0.9 + 0.001), and torch's 721 times that."""
    steps = []
    for kind in (TensorFlowRMSprop, torch.optim.RMSprop):
        weight = nn.Parameter(torch.zeros(1, dtype=torch.float64))
        options = {"decay": 0.9} if kind is TensorFlowRMSprop else {"alpha": 0.9}
        optimizer = kind([weight], lr=1.0, momentum=0.9, eps=1e-3, **options)
        stepped(optimizer, weight, np.full((1, 1), 1e-3), [1.0])
        steps.append(-weight.item())
    assert steps[0] == pytest.approx(1e-3 / math.sqrt(0.9 + 1e-7 + 1e-3))
    assert steps[1] == pytest.approx(1e-3 / (math.sqrt(0.1) * 1e-3 + 1e-3))
    assert steps[1] / steps[0] == pytest.approx(721, abs=1)


def test_its_state_is_kept_and_taken_up() -> None:
    random = np.random.default_rng(0)
    start, gradients = random.normal(size=4), random.normal(size=(6, 4))
    whole = nn.Parameter(torch.from_numpy(start.copy()))
    stepped(TensorFlowRMSprop([whole], 0.1), whole, gradients, [0.1] * 6)
    part = nn.Parameter(torch.from_numpy(start.copy()))
    first = TensorFlowRMSprop([part], 0.1)
    stepped(first, part, gradients[:3], [0.1] * 3)
    second = TensorFlowRMSprop([part], 0.1)
    second.load_state_dict(first.state_dict())
    stepped(second, part, gradients[3:], [0.1] * 3)
    assert torch.equal(part, whole)


def test_parameters_without_a_gradient_stay() -> None:
    moved, still = nn.Parameter(torch.ones(2)), nn.Parameter(torch.ones(2))
    optimizer = TensorFlowRMSprop([moved, still], 0.1)
    moved.grad = torch.ones(2)
    optimizer.step()
    assert torch.equal(still, torch.ones(2))
    assert not torch.equal(moved, torch.ones(2))


def test_the_recipes_rmsprop_is_this_one() -> None:
    optimizer = make_optimizer(nn.Linear(2, 2), Recipe(optimizer="rmsprop", lr=0.3, momentum=0.8, weight_decay=1e-5))
    assert isinstance(optimizer, TensorFlowRMSprop)
    group = optimizer.param_groups[0]
    assert (group["lr"], group["decay"], group["momentum"], group["eps"]) == (0.3, 0.9, 0.8, 1e-3)
    assert [group["weight_decay"] for group in optimizer.param_groups] == [1e-5, 0.0]


@pytest.mark.parametrize("total", [10, 63, 400])
def test_one_cycle_is_torchs(total: int) -> None:
    recipe = Recipe(schedule="one-cycle", warmup=0.3, lr=0.5)
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.5)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.5, total_steps=total, cycle_momentum=False)
    for step in range(total):
        assert learning_rate(recipe, step, total) == pytest.approx(optimizer.param_groups[0]["lr"], rel=1e-6)
        optimizer.step()
        if step < total - 1:
            schedule.step()


def test_cosine_rises_and_falls() -> None:
    recipe = Recipe(schedule="cosine", warmup=0.1, lr=1.0)
    rates = [learning_rate(recipe, step, 100) for step in range(100)]
    assert rates[0] == pytest.approx(1 / 11)
    assert max(rates) == rates[10] == pytest.approx(1.0)
    assert rates[55] == pytest.approx(0.5)
    assert 0 < rates[99] < 0.001


def test_biases_and_norms_do_not_decay() -> None:
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Linear(4, 2))
    decaying, others = parameter_groups(model, 0.1)
    assert [tuple(weight.shape) for weight in decaying["params"]] == [(4, 3, 3, 3), (2, 4)]  # type: ignore[attr-defined]
    assert decaying["weight_decay"] == 0.1
    assert others["weight_decay"] == 0.0
    assert len(others["params"]) == 4  # type: ignore[arg-type]


def test_sgd_is_torchs_nesterov() -> None:
    weight = nn.Parameter(torch.ones(2, 2))
    module = nn.Module()
    module.weight = weight
    optimizer = make_optimizer(module, Recipe(lr=0.1, momentum=0.9, weight_decay=0.0))
    for _ in range(2):
        weight.grad = torch.ones(2, 2)
        optimizer.step()
    # Velocities 1 and 1.9; Nesterov steps by gradient + 0.9 * velocity: 1.9, then 2.71.
    torch.testing.assert_close(weight.detach(), torch.full((2, 2), 1 - 0.1 * (1.9 + 2.71)))


def test_the_average_warms_up() -> None:
    model = nn.Linear(1, 1, bias=False)
    average = moving_average(model, 0.999)
    assert average is not None
    expected = 0.0
    for step in range(5):
        nn.init.constant_(model.weight, float(step))
        average.update_parameters(model)
        decay = min(0.999, (1 + step) / (10 + step)) if step else 0.0
        expected = decay * expected + (1 - decay) * step
    assert average.module.weight.item() == pytest.approx(expected)
    assert moving_average(model, 0.0) is None
