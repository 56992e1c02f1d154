"""The covariance of Jacobians (Mellor et al., first version of arXiv 2006.04647)."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn

# The authors' constant, added because eigenvalues of a correlation matrix may be zero.
EPSILON = 1e-5


def score(network: nn.Module, images: Tensor, _labels: Tensor) -> float:
    """-sum(ln(v + e) + 1 / (v + e)) over the eigenvalues v of the correlations of the images' Jacobians, e = 1e-5.

    The Jacobian of an image is the gradient of the sum of its logits by its pixels; images [N, C, H, W]. Batch norm is
    in training mode, as in the authors' program. Labels are not used. nan if the gradient of an image is constant.
    """
    model = copy.deepcopy(network).train()
    inputs = images.detach().clone().requires_grad_(True)
    (gradient,) = torch.autograd.grad(model(inputs).sum(), inputs)
    correlations = torch.corrcoef(gradient.flatten(1).double())
    if not torch.isfinite(correlations).all():
        return float("nan")
    eigenvalues = torch.linalg.eigvalsh(correlations).clamp_min(0) + EPSILON
    return -float((eigenvalues.log() + 1 / eigenvalues).sum())
