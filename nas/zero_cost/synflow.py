"""Synaptic flow (Tanaka et al. 2020, arXiv 2006.05467, section 5): the flow through all weights."""

from __future__ import annotations

import copy
import math

import torch
from torch import Tensor, nn
from torchvision.ops import SqueezeExcitation

# The flow is that of a linear network, so these modules are replaced by identities.
_NONLINEAR = (nn.ReLU, nn.ReLU6, nn.SiLU, nn.Hardswish, nn.GELU, nn.Sigmoid, nn.Dropout, SqueezeExcitation)


def score(network: nn.Module, images: Tensor, _labels: Tensor) -> float:
    """ln of the sum of |w * dR/dw| over all weights w; R is the sum of outputs for weights |w|, input 1.

    Labels and the content of the images [N, C, H, W] are not used. Weights are those of convolution and linear layers.
    Batch norm is in eval mode, where fresh statistics change nothing (except for its epsilon). Activations and
    squeeze-and-excitation are identities: ReLU is one on a positive flow, ReLU6 would cap it at 6, and a gate is not
    linear. In float64, because the sum exceeds the range of float32. -inf if the flow is zero.
    """
    model = copy.deepcopy(network).double().eval()
    _make_linear(model)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.abs_()
    weights = [parameter for parameter in model.parameters() if parameter.dim() >= 2]
    ones = torch.ones_like(images[:1], dtype=torch.float64)
    gradients = torch.autograd.grad(model(ones).sum(), weights, allow_unused=True)
    pairs = ((w, g) for w, g in zip(weights, gradients, strict=True) if g is not None)
    flow = math.fsum(float((weight.detach() * gradient).abs().sum()) for weight, gradient in pairs)
    return math.log(flow) if flow > 0 else -math.inf


def _make_linear(module: nn.Module) -> None:
    """Replace the nonlinear modules by identities."""
    for name, child in module.named_children():
        if isinstance(child, _NONLINEAR):
            setattr(module, name, nn.Identity())
        else:
            _make_linear(child)
