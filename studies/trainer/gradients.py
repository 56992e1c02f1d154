"""A batch's gradients, from all of its images at once or from parts of it, and the type a network computes in."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from studies.data.splits import steps
from studies.trainer.recipe import Recipe

TYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}


def compute_type(precision: str, device: torch.device) -> torch.dtype:
    """The type of a recipe's `precision` on a device. Raises ValueError for float16 on a CPU."""
    if precision == "auto":
        if device.type != "cuda":
            return torch.float32
        return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16
    if precision == "float16" and device.type == "cpu":
        raise ValueError("precision float16 needs a GPU: choose bfloat16, float32 or auto on a CPU")
    return TYPES[precision]


def computing(precision: str, device: torch.device) -> torch.autocast:
    """Within, convolutions and matrix products compute in the recipe's `precision`; weights and sums stay float32."""
    kind = compute_type(precision, device)
    mixed = kind is not torch.float32
    return torch.autocast(device.type, dtype=kind if mixed else torch.bfloat16, enabled=mixed)


def gradient_scaler(precision: str, device: torch.device) -> torch.amp.GradScaler:
    """What keeps float16's gradients from vanishing; it does nothing in the other types."""
    return torch.amp.GradScaler(device.type, enabled=compute_type(precision, device) is torch.float16)


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
