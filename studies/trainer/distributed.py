"""Data parallel training: batch norms, losses and gradients of a batch of which each rank has a part.

N ranks take the same steps as one process. torch's SyncBatchNorm refuses tensors of a CPU; the class here does not.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, distributed, nn

from studies.data.splits import View, steps
from studies.trainer.recipe import Recipe


def synchronise_norms(model: nn.Module, view: View) -> nn.Module:
    """The model with batch norms that take their statistics from the whole batch, the parts of all ranks together.

    Parameters and state dict stay as they are. A single process keeps its ordinary batch norms.
    """
    if view.world_size == 1:
        return model
    if view.device.type == "cuda":
        synced: nn.Module = nn.SyncBatchNorm.convert_sync_batchnorm(model)  # type: ignore[no-untyped-call]
        return synced
    for module in model.modules():
        if type(module) is nn.BatchNorm2d:
            # A change of class keeps the parameters, the hooks and the module's place in its parents.
            module.__class__ = SyncedBatchNorm2d
    return model


class SyncedBatchNorm2d(nn.BatchNorm2d):
    """nn.BatchNorm2d with the statistics of all ranks' images [N, C, H, W] in training.

    The variance is computed from deviations from the mean. That takes two sums over the ranks instead of one, but no
    difference of large numbers, which would lose digits.
    """

    def forward(self, input: Tensor) -> Tensor:
        """As nn.BatchNorm2d. All ranks must call it, each with at least one image."""
        if not self.training:
            return super().forward(input)
        # With mixed precision the maps have few digits. Their statistics need more.
        maps = input.to(torch.promote_types(input.dtype, torch.float32))
        sums = _differentiable_sum(torch.cat([maps.sum((0, 2, 3)), maps.new_tensor([maps.numel() / maps.shape[1]])]))
        count = sums[-1].detach()
        centred = maps - (mean := sums[:-1] / count)[:, None, None]
        variance = _differentiable_sum(centred.square().sum((0, 2, 3))) / count
        self._track(mean.detach(), variance.detach() * count / (count - 1))
        scale = self.weight * (variance + self.eps).rsqrt()
        return (centred * scale[:, None, None] + self.bias[:, None, None]).to(input.dtype)

    @torch.no_grad()
    def _track(self, mean: Tensor, variance: Tensor) -> None:
        """Update the running statistics, with the unbiased variance, as torch does."""
        assert self.momentum is not None
        assert self.running_mean is not None
        assert self.running_var is not None
        assert self.num_batches_tracked is not None
        self.num_batches_tracked += 1
        self.running_mean.lerp_(mean, self.momentum)
        self.running_var.lerp_(variance, self.momentum)


class _Sum(torch.autograd.Function):
    """Sum over the ranks. Each rank's values are part of every rank's loss, so the gradients are summed too."""

    @staticmethod
    def forward(_ctx: Any, values: Tensor) -> Tensor:
        result = values.clone()
        distributed.all_reduce(result)
        return result

    @staticmethod
    def backward(_ctx: Any, *gradients: Tensor) -> Tensor:
        result = gradients[0].contiguous().clone()
        distributed.all_reduce(result)
        return result


def _differentiable_sum(values: Tensor) -> Tensor:
    result: Tensor = _Sum.apply(values)
    return result


def sum_over_ranks(view: View, *values: Tensor | float) -> list[float]:
    """The sum of each value over all ranks. All ranks must call it, and all get the same result."""
    own = [float(value) for value in values]
    if view.world_size == 1:
        return own
    sums = torch.tensor(own, dtype=torch.float64, device=view.device)
    distributed.all_reduce(sums)
    return [float(value) for value in sums]


def count_parts(images: int, recipe: Recipe, view: View) -> int:
    """The number of parts, of at most `micro_batch` images, in which a rank's images go through the network.

    It is the same on all ranks: with unequal numbers of forward passes one rank would wait for ever in a batch norm.
    """
    if not recipe.micro_batch:
        return 1
    largest = torch.tensor(images, device=view.device)
    if view.world_size > 1:
        distributed.all_reduce(largest, distributed.ReduceOp.MAX)
    return steps(int(largest), recipe.micro_batch)


def loss_weight(images: int, recipe: Recipe, view: View) -> float:
    """The weight of a rank's mean loss, in proportion to its number of images; 1 for a single process.

    The loss is weighted before the backward pass, because synchronised batch norms sum the ranks' gradients in it.
    `sum_gradients` divides by the sum of the weights.
    """
    return images * view.world_size / recipe.batch_size if view.world_size > 1 else 1.0


def sum_gradients(model: nn.Module, weight: float, view: View) -> None:
    """Replace each rank's gradients of its weighted loss by those of the mean loss over all images, on all ranks."""
    if view.world_size == 1:
        return
    gradients = [parameter.grad for parameter in model.parameters() if parameter.grad is not None]
    flat = torch.cat([gradient.flatten() for gradient in gradients] + [torch.tensor([weight], device=view.device)])
    distributed.all_reduce(flat)
    sizes = [gradient.numel() for gradient in gradients]
    parts = torch.split(flat[:-1] / flat[-1], sizes)
    for gradient, part in zip(gradients, parts, strict=True):
        gradient.copy_(part.view(gradient.shape))
