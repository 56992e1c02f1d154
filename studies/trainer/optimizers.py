"""A recipe's optimizer: parameter groups, learning rate at each step, moving average of the weights."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

from studies.trainer.recipe import Recipe

Tensors = tuple[Tensor, ...] | list[Tensor]


def parameter_groups(model: nn.Module, weight_decay: float) -> list[dict[str, object]]:
    """Two groups of parameters: weights with two or more dimensions decay, biases and norms do not."""
    parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
    groups: list[dict[str, object]] = [
        {"params": [parameter for parameter in parameters if parameter.dim() > 1], "weight_decay": weight_decay},
        {"params": [parameter for parameter in parameters if parameter.dim() <= 1], "weight_decay": 0.0},
    ]
    return [group for group in groups if group["params"]]


def make_optimizer(model: nn.Module, recipe: Recipe) -> torch.optim.Optimizer:
    """The recipe's optimizer of the model's parameters, with fused or multi-tensor kernels."""
    groups = parameter_groups(model, recipe.weight_decay)
    if recipe.optimizer == "sgd":
        return torch.optim.SGD(groups, lr=recipe.lr, momentum=recipe.momentum, nesterov=recipe.momentum > 0, fused=True)
    if recipe.optimizer == "adamw":
        return torch.optim.AdamW(groups, lr=recipe.lr, betas=(recipe.momentum, 0.999), fused=True)
    # eps 1e-3 and decay 0.9 are EfficientNet's (EN, section 5, and its released code).
    return TensorFlowRMSprop(groups, lr=recipe.lr, decay=0.9, momentum=recipe.momentum, eps=1e-3)


def learning_rate(recipe: Recipe, step: int, total: int) -> float:
    """The recipe's learning rate at step 0 <= step < total."""
    warmup_steps = recipe.warmup * total
    if recipe.schedule == "one-cycle":
        # As torch.optim.lr_scheduler.OneCycleLR with its defaults; Smith and Topin, arXiv 1708.07120.
        peak, last = max(warmup_steps - 1, 0), total - 1
        low, end = recipe.lr / 25, recipe.lr / 250_000
        if step <= peak and peak > 0:
            return _cosine(low, recipe.lr, step / peak)
        return _cosine(recipe.lr, end, (step - peak) / max(last - peak, 1))
    if step < warmup_steps:
        return recipe.lr * (step + 1) / (warmup_steps + 1)
    if recipe.schedule == "exponential":
        # Decays in whole steps counted from the start of the run, as EN's released code. 1e-9 is added because a
        # product such as 2.4 * 5 can be below the epoch that it means by a rounding error.
        return recipe.lr * recipe.decay ** math.floor(step / total * recipe.epochs / recipe.decay_epochs + 1e-9)
    return _cosine(recipe.lr, 0.0, (step - warmup_steps) / (total - warmup_steps))


def _cosine(start: float, end: float, share: float) -> float:
    return end + (start - end) * (1 + math.cos(math.pi * share)) / 2


def set_learning_rate(optimizer: torch.optim.Optimizer, rate: float) -> None:
    """Give all parameter groups this learning rate."""
    for group in optimizer.param_groups:
        group["lr"] = rate


def moving_average(model: nn.Module, decay: float) -> AveragedModel | None:
    """The exponential moving average of the model's weights and buffers; None for decay 0.

    In short runs an average with a decay of 0.9999 would stay near the initial weights. The decay at step n is
    therefore at most (1 + n) / (10 + n), as in tf.train.ExponentialMovingAverage.
    """
    return AveragedModel(model, multi_avg_fn=_average_update(decay), use_buffers=True) if decay else None


def _average_update(decay: float) -> Callable[[Tensors, Tensors, Tensor | int], None]:
    @torch.no_grad()
    def update(averages: Tensors, current: Tensors, count: Tensor | int) -> None:
        number = float(count)
        weight = 1 - min(decay, (1 + number) / (10 + number))
        if averages[0].is_floating_point():
            torch._foreach_lerp_(averages, current, weight)
        else:
            torch._foreach_copy_(averages, current)

    return update


class TensorFlowRMSprop(torch.optim.Optimizer):
    """RMSProp with momentum, as tf.compat.v1.train.RMSPropOptimizer (its ApplyRMSProp kernel):

        square   <- decay * square + (1 - decay) * gradient^2, from 1
        velocity <- momentum * velocity + lr * gradient / sqrt(square + eps), from 0
        weight   <- weight - velocity

    torch.optim.RMSprop differs in three ways that its parameters cannot change: it adds eps outside of the root, starts
    square at 0, and multiplies the whole velocity by the newest lr. With EfficientNet's eps of 0.001, steps here are
    proportional to a gradient that stays far below sqrt(eps) = 0.03. torch divides by the gradient's size down to
    0.001, and its first step is up to 3.2 times the lr.

    params        parameters, or groups of parameters, as for all of torch's optimizers
    weight_decay  weight_decay * weight is added to each gradient (the gradient of an L2 loss)
    """

    def __init__(
        self,
        params: Iterable[Tensor] | Iterable[dict[str, Any]],
        lr: float,
        *,
        decay: float = 0.9,
        momentum: float = 0.9,
        eps: float = 1e-3,
        weight_decay: float = 0.0,
    ) -> None:
        settings = {"lr": lr, "decay": decay, "momentum": momentum, "eps": eps, "weight_decay": weight_decay}
        super().__init__(params, settings)

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:  # type: ignore[override]
        """One step with the parameters' gradients. Returns the loss that the closure returns, if there is one."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            weights = [weight for weight in group["params"] if weight.grad is not None]
            if weights:
                self._update(group, weights)
        return loss

    def _update(self, group: dict[str, Any], weights: list[Tensor]) -> None:
        squares, velocities = [self._square(weight) for weight in weights], [self._velocity(w) for w in weights]
        gradients = [weight.grad for weight in weights if weight.grad is not None]
        if group["weight_decay"]:
            gradients = list(torch._foreach_add(gradients, weights, alpha=group["weight_decay"]))
        torch._foreach_mul_(squares, group["decay"])
        torch._foreach_addcmul_(squares, gradients, gradients, 1 - group["decay"])
        roots = torch._foreach_add(squares, group["eps"])
        torch._foreach_sqrt_(roots)
        torch._foreach_mul_(velocities, group["momentum"])
        torch._foreach_addcdiv_(velocities, gradients, roots, group["lr"])
        torch._foreach_sub_(weights, velocities)

    def _square(self, weight: Tensor) -> Tensor:
        if "square" not in self.state[weight]:
            self.state[weight]["square"] = torch.ones_like(weight)
        square: Tensor = self.state[weight]["square"]
        return square

    def _velocity(self, weight: Tensor) -> Tensor:
        if "velocity" not in self.state[weight]:
            self.state[weight]["velocity"] = torch.zeros_like(weight)
        velocity: Tensor = self.state[weight]["velocity"]
        return velocity
