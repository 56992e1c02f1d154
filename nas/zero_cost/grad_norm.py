"""The norm of gradients after one batch (Abdelfattah et al. 2021, arXiv 2101.08134, section 3)."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn
from torch.nn import functional


def measure_grad_norm(network: nn.Module, images: Tensor, labels: Tensor) -> float:
    """Sum over convolution and linear layers of the Euclidean norm of the cross-entropy's gradient by their weights.

    One batch, batch norm in training mode, no label smoothing.
    """
    model = copy.deepcopy(network).train()
    weights = [parameter for parameter in model.parameters() if parameter.dim() >= 2]
    loss = functional.cross_entropy(model(images), labels)
    gradients = torch.autograd.grad(loss, weights, allow_unused=True)
    return sum(float(gradient.norm()) for gradient in gradients if gradient is not None)
