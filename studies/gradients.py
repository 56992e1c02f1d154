"""A batch's gradients, from all of its images at once or from parts of it, and the step they make."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from studies.precision import computing
from studies.recipe import Recipe


def accumulate(
    model: nn.Module, scaler: torch.amp.GradScaler, recipe: Recipe, images: Tensor, labels: Tensor
) -> Tensor:
    """Add the gradients of the batch's mean loss to the parameters'; returns that loss, detached.

    Images are [N, C, H, W], labels [N], or probabilities [N, classes]. They go through the network in parts of at most
    `micro_batch`, as equal as can be, each weighted by its share of the batch.
    """
    parts = -(-len(images) // recipe.micro_batch) if recipe.micro_batch else 1
    whole = torch.zeros((), device=images.device)
    for some, theirs in zip(images.tensor_split(parts), labels.tensor_split(parts), strict=True):
        with computing(recipe.precision, images.device):
            loss = functional.cross_entropy(model(some), theirs, label_smoothing=recipe.label_smoothing)
        loss = loss * (len(some) / len(images))
        scaler.scale(loss).backward()  # type: ignore[no-untyped-call]
        whole += loss.detach()
    return whole


def advance(
    model: nn.Module, optimizer: torch.optim.Optimizer, scaler: torch.amp.GradScaler, clip_norm: float = 0.0
) -> None:
    """One step along the gradients, shortened to a norm of `clip_norm` (0: as they are), which are then dropped."""
    if clip_norm:
        scaler.unscale_(optimizer)
        nn.utils.clip_grad_norm_(model.parameters(), clip_norm)
    scaler.step(optimizer)
    scaler.update()
    optimizer.zero_grad()
