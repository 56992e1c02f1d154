"""Synaptic flow (Tanaka et al. 2020, arXiv 2006.05467, section 5): how much can flow through all weights together."""

from __future__ import annotations

import copy
import math

import torch
from torch import Tensor, nn
from torchvision.ops import SqueezeExcitation

# The flow is that of a linear network: what bends it is passed by.
_BENDS = (nn.ReLU, nn.ReLU6, nn.SiLU, nn.Hardswish, nn.GELU, nn.Sigmoid, nn.Dropout, SqueezeExcitation)


def measure_synflow(network: nn.Module, images: Tensor, _labels: Tensor) -> float:
    """Ln of the sum of |w * dR/dw| over all weights, R being the output's sum for |w| and an input of ones.

    The labels and the images' content play no part. Weights are those of convolution and linear layers. Batch norm
    stands in eval mode: with fresh statistics it changes nothing (but for its epsilon). Activations are passed by, as
    ReLU is on a positive flow; ReLU6 would cut it off at 6, and a gate of squeeze-and-excitation is no linear flow, so
    the whole of it passes its input on. In float64: the sum outgrows float32. -inf where nothing flows.
    """
    model = copy.deepcopy(network).double().eval()
    _straighten(model)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.abs_()
    weights = [parameter for parameter in model.parameters() if parameter.dim() >= 2]
    ones = torch.ones_like(images[:1], dtype=torch.float64)
    gradients = torch.autograd.grad(model(ones).sum(), weights, allow_unused=True)
    pairs = ((w, g) for w, g in zip(weights, gradients, strict=True) if g is not None)
    flow = math.fsum(float((weight.detach() * gradient).abs().sum()) for weight, gradient in pairs)
    return math.log(flow) if flow > 0 else -math.inf


def _straighten(module: nn.Module) -> None:
    """Put identities in place of what bends the flow."""
    for name, child in module.named_children():
        if isinstance(child, _BENDS):
            setattr(module, name, nn.Identity())
        else:
            _straighten(child)
