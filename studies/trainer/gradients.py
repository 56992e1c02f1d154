"""The gradients of a batch, whole or in parts, and the number type that a network computes in."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from studies.data.splits import View
from studies.trainer.distributed import count_parts, loss_weight, sum_gradients
from studies.trainer.recipe import Recipe

COMPUTE_TYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}


def compute_type(precision: str, device: torch.device) -> torch.dtype:
    """The number type that a recipe's `precision` means on a device. Raises ValueError for float16 on a CPU."""
    if precision == "auto":
        if device.type != "cuda":
            return torch.float32
        return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16
    if precision == "float16" and device.type == "cpu":
        raise ValueError("precision float16 needs a GPU: on a CPU use bfloat16, float32 or auto")
    return COMPUTE_TYPES[precision]


def autocast(precision: str, device: torch.device) -> torch.autocast:
    """A context in which convolutions and matrix products use a recipe's `precision`. Weights and sums are float32."""
    kind = compute_type(precision, device)
    mixed = kind is not torch.float32
    return torch.autocast(device.type, dtype=kind if mixed else torch.bfloat16, enabled=mixed)


def gradient_scaler(precision: str, device: torch.device) -> torch.amp.GradScaler:
    """Scales the loss so that small gradients do not become 0 in float16; does nothing for other types."""
    return torch.amp.GradScaler(device.type, enabled=compute_type(precision, device) is torch.float16)


def backward(
    model: nn.Module, scaler: torch.amp.GradScaler, recipe: Recipe, images: Tensor, labels: Tensor, view: View
) -> Tensor:
    """Add the gradients of a batch's mean loss to the parameters'. Returns the mean loss of this rank's images.

    Images are this rank's [N, 3, S, S], labels [N], or probabilities [N, classes]. They go through the network in parts
    of at most `micro_batch`, as equal as can be, each weighted by its share of the images. The gradients are those of
    the whole batch, the same on all ranks. The loss is detached.
    """
    parts, weight = count_parts(len(images), recipe, view), loss_weight(len(images), recipe, view)
    total = torch.zeros((), device=images.device)
    for part, targets in zip(images.tensor_split(parts), labels.tensor_split(parts), strict=True):
        with autocast(recipe.precision, images.device):
            loss = functional.cross_entropy(model(part), targets, label_smoothing=recipe.label_smoothing)
        loss = loss * (len(part) / len(images) * weight)
        scaler.scale(loss).backward()  # type: ignore[no-untyped-call]
        total += loss.detach()
    sum_gradients(model, weight, view)
    return total / weight


def optimizer_step(
    model: nn.Module, optimizer: torch.optim.Optimizer, scaler: torch.amp.GradScaler, clip_norm: float = 0.0
) -> None:
    """One step of the optimizer, with gradients clipped to the norm `clip_norm` (0: not clipped). Clears gradients."""
    if clip_norm:
        scaler.unscale_(optimizer)
        nn.utils.clip_grad_norm_(model.parameters(), clip_norm)
    scaler.step(optimizer)
    scaler.update()
    optimizer.zero_grad()
