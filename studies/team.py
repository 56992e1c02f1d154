"""Workers that train one network together: each takes its part of every batch, and all hold the same weights.

A View says which of how many workers this one is; alone, nothing here does anything. The workers' processes have
joined torch's default process group (`studies.parallel` sees to that).

Gradients are summed in one piece after the backward pass: plain, exact for parts of unequal size, and slower than
DistributedDataParallel, which overlaps the two, where the network between machines is slow.
"""

from __future__ import annotations

import torch
from torch import Tensor, distributed, nn

from studies.recipe import Recipe
from studies.splits import View, steps
from studies.synced_norm import synchronise


def join(model: nn.Module, view: View) -> nn.Module:
    """The model with batch norms that take their statistics from all workers' parts of a batch."""
    return synchronise(model, view.device) if view.workers > 1 else model


def summed(view: View, *values: Tensor | float) -> list[float]:
    """Each value's sum over all workers; the same on all of them."""
    own = [float(value) for value in values]
    if view.workers == 1:
        return own
    sums = torch.tensor(own, dtype=torch.float64, device=view.device)
    distributed.all_reduce(sums)
    return [float(value) for value in sums]


def parts_of(images: int, recipe: Recipe, view: View) -> int:
    """In how many parts a worker's images go through the network: of at most `micro_batch`, as many on all workers.

    Workers with unequal numbers of forward passes would wait for each other in a batch norm for ever.
    """
    if not recipe.micro_batch:
        return 1
    most = torch.tensor(images, device=view.device)
    if view.workers > 1:
        distributed.all_reduce(most, distributed.ReduceOp.MAX)
    return steps(int(most), recipe.micro_batch)


def weight_of(images: int, recipe: Recipe, view: View) -> float:
    """What a worker's mean loss counts: its share of the batch (in any unit: `average_gradients` divides).

    It has to be there before the backward pass, as synchronised batch norms mix the workers' gradients in it.
    """
    return images * view.workers / recipe.batch_size if view.workers > 1 else 1.0


def average_gradients(model: nn.Module, weight: float, view: View) -> None:
    """From every worker's gradients of its weighted loss, those of the mean loss over all images, on all workers."""
    if view.workers == 1:
        return
    gradients = [parameter.grad for parameter in model.parameters() if parameter.grad is not None]
    flat = torch.cat([gradient.flatten() for gradient in gradients] + [torch.tensor([weight], device=view.device)])
    distributed.all_reduce(flat)
    sizes = [gradient.numel() for gradient in gradients]
    parts = torch.split(flat[:-1] / flat[-1], sizes)
    for gradient, part in zip(gradients, parts, strict=True):
        gradient.copy_(part.view(gradient.shape))
