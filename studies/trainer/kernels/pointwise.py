"""1x1 convolutions that train faster on a CPU where oneDNN's convolution kernels are poor.

On maps of up to four pixels a 1x1 convolution is a product of two small matrices, but the convolution kernels rearrange
all of the weight before every call: oneDNN's matrix product is about three times as fast. If many channels of large
maps become few (such as 48 to 8 channels at 28x28), the gradient of the weight takes ten times as long as the equal
matrix product. Both replacements are exact except for rounding, because sums are taken in another order.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

# Maps of up to so many pixels are convolved by a matrix product.
MAX_SMALL_MAP_PIXELS = 4
# oneDNN's gradient of the weight is slow with at most so many output channels, at least so many input channels, and an
# input of at least so many numbers (measured with AVX-512; on other CPUs the matrix product is not slower).
MAX_FEW_OUTPUTS, MIN_MANY_INPUTS, MIN_LARGE_ELEMENTS = 15, 32, 1_200_000

_HAS_ONEDNN_LINEAR = torch._C._has_mkldnn and hasattr(torch.ops.mkldnn, "_linear_pointwise")


class PointwiseConv2d(nn.Conv2d):
    """A 1x1 `nn.Conv2d` with the same parameters, state dict and results, faster on a CPU."""

    def forward(self, images: Tensor) -> Tensor:
        """Maps [N, C_in, H, W] to [N, C_out, H, W]."""
        if is_faster(images, self.weight):
            result: Tensor = _Pointwise.apply(images, self.weight)
            return result if self.bias is None else result + self.bias[:, None, None]
        return super().forward(images)


def is_pointwise(module: nn.Conv2d) -> bool:
    """Whether it is a 1x1 convolution with stride 1, without groups and padding."""
    return module.kernel_size == (1, 1) and module.stride == (1, 1) and module.groups == 1 and module.padding == (0, 0)


def is_faster(images: Tensor, weight: Tensor) -> bool:
    """Whether the matrix product is faster for maps [N, C_in, H, W] and a weight [C_out, C_in, 1, 1]."""
    small = images.shape[2] * images.shape[3] <= MAX_SMALL_MAP_PIXELS
    return (
        (small or _slow_weight_gradient(images, weight))
        and images.device.type == "cpu"
        and images.dtype == torch.float32
        and torch.is_grad_enabled()
        and images.is_contiguous(memory_format=torch.channels_last)
    )


def _slow_weight_gradient(images: Tensor, weight: Tensor) -> bool:
    outputs, inputs = weight.shape[:2]
    return outputs <= MAX_FEW_OUTPUTS and inputs >= MIN_MANY_INPUTS and images.numel() >= MIN_LARGE_ELEMENTS


class _Pointwise(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, images: Tensor, weight: Tensor) -> Tensor:
        ctx.save_for_backward(images, weight)
        return _unfold(_product(_rows(images), weight.flatten(1)), images)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, Tensor | None]:
        images, weight = ctx.saved_tensors
        matrix, outputs, inputs = weight.flatten(1), _rows(gradient), _rows(images)
        for_images = _unfold(_product(outputs, matrix.t()), images) if ctx.needs_input_grad[0] else None
        if not ctx.needs_input_grad[1]:
            return for_images, None
        if len(inputs) > len(images) * MAX_SMALL_MAP_PIXELS:
            return for_images, (outputs.t() @ inputs).view_as(weight)
        return for_images, _product(outputs.t(), inputs.t()).view_as(weight)


def _rows(maps: Tensor) -> Tensor:
    """Maps [N, C, H, W] as a matrix [N * H * W, C]; a view of channels_last maps."""
    return maps.permute(0, 2, 3, 1).reshape(-1, maps.shape[1])


def _unfold(rows: Tensor, like: Tensor) -> Tensor:
    """The matrix [N * H * W, C] as channels_last maps [N, C, H, W], with the N, H and W of `like`."""
    count, _, height, width = like.shape
    return rows.view(count, height, width, -1).permute(0, 3, 1, 2)


def _product(left: Tensor, right: Tensor) -> Tensor:
    """The product of left [m, k] and the transpose of right [n, k]."""
    if _HAS_ONEDNN_LINEAR and left.dtype == torch.float32:
        # torch's compiler calls this for a linear layer. The public F.linear uses MKL, with half the speed on AMD.
        result: Tensor = torch.ops.mkldnn._linear_pointwise(left, right, None, "none", [], "")
        return result
    return left @ right.t()
