"""Batch norm over the parts of a batch that several ranks hold, so that N ranks train as one does.

On GPUs torch's SyncBatchNorm does that; it refuses tensors of a CPU, for which there is a small class here.
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
    """nn.BatchNorm2d whose statistics in training are of all ranks' images [N, C, H, W] together.

    The mean is settled before deviations from it are squared: two sums over the ranks instead of one, and no
    difference of large numbers.
    """

    def forward(self, input: Tensor) -> Tensor:
        """As nn.BatchNorm2d; every rank must call it, with at least one image."""
        if not self.training:
            return super().forward(input)
        # Under mixed precision the maps are coarse; their statistics must not be.
        maps = input.to(torch.promote_types(input.dtype, torch.float32))
        sums = _sum_over_ranks(torch.cat([maps.sum((0, 2, 3)), maps.new_tensor([maps.numel() / maps.shape[1]])]))
        count = sums[-1].detach()
        centred = maps - (mean := sums[:-1] / count)[:, None, None]
        variance = _sum_over_ranks(centred.square().sum((0, 2, 3))) / count
        self._track(mean.detach(), variance.detach() * count / (count - 1))
        scale = self.weight * (variance + self.eps).rsqrt()
        return (centred * scale[:, None, None] + self.bias[:, None, None]).to(input.dtype)

    @torch.no_grad()
    def _track(self, mean: Tensor, variance: Tensor) -> None:
        """The running statistics, with the unbiased variance, as torch keeps them."""
        assert self.momentum is not None
        assert self.running_mean is not None
        assert self.running_var is not None
        assert self.num_batches_tracked is not None
        self.num_batches_tracked += 1
        self.running_mean.lerp_(mean, self.momentum)
        self.running_var.lerp_(variance, self.momentum)


class _Sum(torch.autograd.Function):
    """Sum over the ranks. What each gives enters every rank's loss alike, so gradients are summed too."""

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


def _sum_over_ranks(values: Tensor) -> Tensor:
    result: Tensor = _Sum.apply(values)
    return result


def summed(view: View, *values: Tensor | float) -> list[float]:
    """Each value's sum over all ranks; the same on all of them."""
    own = [float(value) for value in values]
    if view.world_size == 1:
        return own
    sums = torch.tensor(own, dtype=torch.float64, device=view.device)
    distributed.all_reduce(sums)
    return [float(value) for value in sums]


def parts_of(images: int, recipe: Recipe, view: View) -> int:
    """In how many parts a rank's images go through the network: of at most `micro_batch`, as many on all ranks.

    Ranks with unequal numbers of forward passes would wait for each other in a batch norm for ever.
    """
    if not recipe.micro_batch:
        return 1
    most = torch.tensor(images, device=view.device)
    if view.world_size > 1:
        distributed.all_reduce(most, distributed.ReduceOp.MAX)
    return steps(int(most), recipe.micro_batch)


def weight_of(images: int, recipe: Recipe, view: View) -> float:
    """The weight of a rank's mean loss: its share of the batch (in any unit: `sum_gradients` divides).

    It has to be there before the backward pass, as synchronised batch norms mix the ranks' gradients in it.
    """
    return images * view.world_size / recipe.batch_size if view.world_size > 1 else 1.0


def sum_gradients(model: nn.Module, weight: float, view: View) -> None:
    """From every rank's gradients of its weighted loss, those of the mean loss over all images, on all ranks."""
    if view.world_size == 1:
        return
    gradients = [parameter.grad for parameter in model.parameters() if parameter.grad is not None]
    flat = torch.cat([gradient.flatten() for gradient in gradients] + [torch.tensor([weight], device=view.device)])
    distributed.all_reduce(flat)
    sizes = [gradient.numel() for gradient in gradients]
    parts = torch.split(flat[:-1] / flat[-1], sizes)
    for gradient, part in zip(gradients, parts, strict=True):
        gradient.copy_(part.view(gradient.shape))
