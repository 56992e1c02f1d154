"""The norm of gradients after one batch (Abdelfattah et al. 2021, arXiv 2101.08134, section 3)."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn
from torch.nn import functional


def score(network: nn.Module, images: Tensor, labels: Tensor) -> float:
    """Sum of the Euclidean norms of the gradient of cross-entropy by the weights of each convolution and linear layer.

    One batch of images [N, C, H, W] and labels [N]; batch norm in training mode, no label smoothing.
    """
    model = copy.deepcopy(network).train()
    weights = [parameter for parameter in model.parameters() if parameter.dim() >= 2]
    loss = functional.cross_entropy(model(images), labels)
    gradients = torch.autograd.grad(loss, weights, allow_unused=True)
    return sum(float(gradient.norm()) for gradient in gradients if gradient is not None)
