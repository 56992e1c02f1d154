"""The overlap of activation patterns (Mellor et al. 2021, arXiv 2006.04647, section 3)."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

# Activations with a linear and a flat side. The gates of squeeze-and-excitation have no such sides.
UNITS = (nn.ReLU, nn.ReLU6, nn.SiLU, nn.Hardswish, nn.GELU)


def score(network: nn.Module, images: Tensor, _labels: Tensor) -> float:
    """ln |det K| with K[i, j] = units - Hamming distance of the codes of images i and j.

    The code of an image [C, H, W] has a bit for each activation unit: whether its input is positive. This is the
    paper's code for ReLU. The second kink of ReLU6 is ignored; SiLU, Hardswish and GELU have no kink and bend there.
    Batch norm is in training mode, as in the authors' program. Labels are not used. -inf if two images have one code.
    """
    model = copy.deepcopy(network).train()
    kernel = torch.zeros(len(images), len(images), dtype=torch.float64, device=images.device)

    def note(_module: nn.Module, inputs: Sequence[Any]) -> None:
        # Before the activation: it may work in place.
        bits = (inputs[0].flatten(1) > 0).float()
        kernel.add_(bits @ bits.T).add_((1 - bits) @ (1 - bits).T)

    for module in model.modules():
        if isinstance(module, UNITS):
            module.register_forward_pre_hook(note)
    with torch.no_grad():
        model(images)
    return float(torch.linalg.slogdet(kernel).logabsdet)
