"""In which floating-point type a network computes."""

from __future__ import annotations

import torch

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
