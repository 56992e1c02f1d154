"""RMSProp as TensorFlow computes it, which EfficientNet's settings are meant for."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor


class TensorFlowRMSprop(torch.optim.Optimizer):
    """RMSProp with momentum, as tf.compat.v1.train.RMSPropOptimizer (its ApplyRMSProp kernel):

        square   <- decay * square + (1 - decay) * gradient^2, from 1
        velocity <- momentum * velocity + lr * gradient / sqrt(square + eps), from 0
        weight   <- weight - velocity

    torch.optim.RMSprop differs in three ways that none of its parameters undo: it adds eps outside of the root, lets
    square begin at 0, and multiplies the whole velocity by the newest lr. With EfficientNet's eps of 0.001 a gradient
    that stays far below sqrt(eps) = 0.03 gives steps in proportion to itself here; torch would divide by its size down
    to 0.001, and its first step is 3.2 times the lr however small the gradient.

    params        parameters, or groups of them, as of all of torch's optimisers
    weight_decay  times the weights is added to their gradients (the gradient of an L2 loss)
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
        """One step along the gradients that the parameters hold; returns what the closure, if any, gives."""
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
