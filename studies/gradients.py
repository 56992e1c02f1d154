"""A batch's gradients, from all of its images at once or from parts of it, and the step they make."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from studies.precision import computing
from studies.recipe import Recipe
from studies.splits import steps


def accumulate(
    model: nn.Module,
    scaler: torch.amp.GradScaler,
    recipe: Recipe,
    images: Tensor,
    labels: Tensor,
    *,
    parts: int = 0,
    weight: float = 1.0,
) -> Tensor:
    """Add the gradients of the batch's mean loss to the parameters'; returns that loss, detached.

    Images are [N, C, H, W], labels [N], or probabilities [N, classes]. They go through the network in `parts` (by
    default of at most `micro_batch`), as equal as can be, each weighted by its share of the batch. The gradients are
    multiplied by `weight`, the loss is not.
    """
    parts = parts or steps(len(images), recipe.micro_batch or len(images))
    whole = torch.zeros((), device=images.device)
    for some, theirs in zip(images.tensor_split(parts), labels.tensor_split(parts), strict=True):
        with computing(recipe.precision, images.device):
            loss = functional.cross_entropy(model(some), theirs, label_smoothing=recipe.label_smoothing)
        loss = loss * (len(some) / len(images) * weight)
        scaler.scale(loss).backward()  # type: ignore[no-untyped-call]
        whole += loss.detach()
    return whole / weight


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
