"""The covariance of Jacobians (Mellor et al., first version of arXiv 2006.04647): are images treated differently?"""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn

# The authors' constant: eigenvalues of a correlation matrix may be zero.
EPSILON = 1e-5


def measure_jacob_cov(network: nn.Module, images: Tensor, _labels: Tensor) -> float:
    """-sum(ln(v + e) + 1 / (v + e)) over the eigenvalues v of the correlations of the images' Jacobians, e = 1e-5.

    An image's Jacobian is the gradient of the sum of its logits by its pixels. Batch norm is in training mode, as in
    the authors' program; the labels play no part. nan where an image has no gradient, or the same for all pixels.
    """
    model = copy.deepcopy(network).train()
    inputs = images.detach().clone().requires_grad_(True)
    (gradient,) = torch.autograd.grad(model(inputs).sum(), inputs)
    correlations = torch.corrcoef(gradient.flatten(1).double())
    if not torch.isfinite(correlations).all():
        return float("nan")
    eigenvalues = torch.linalg.eigvalsh(correlations).clamp_min(0) + EPSILON
    return -float((eigenvalues.log() + 1 / eigenvalues).sum())
