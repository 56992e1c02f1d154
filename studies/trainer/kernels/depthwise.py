"""Depthwise convolutions that train faster on a CPU, composed of torch's own convolutions.

oneDNN, torch's convolution library, has fast kernels for the gradient of a depthwise convolution's weight if the
convolution's kernel is at most 3 wide and not higher than the map. Otherwise it uses a general algorithm that is many
times slower than the forward pass. All other cases are therefore reduced to the fast one:

- weights that only meet padding are cropped, and the convolution of a 1x1 map is an element-wise product;
- a kernel wider than 3 is cut into windows of 3 columns, each a convolution over the same zero-padded copy of the
  input, read with an offset of a few pixels;
- a map lower than the kernel is padded with rows of zeros;
- the gradient of the input, at stride 1, is the forward convolution with the flipped kernel.

All of this is exact except for rounding, because sums are taken in another order. Weights keep their names and shapes.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional

# Columns of the widest kernel for which oneDNN's fast algorithm exists (AVX2 and AVX-512).
MAX_FAST_WIDTH = 3
# Size of the input, in numbers, from which the forward convolution with a flipped kernel of up to that width is faster
# than oneDNN's gradient of the input (measured).
MIN_FLIPPED_ELEMENTS = 2_000_000


class DepthwiseConv2d(nn.Conv2d):
    """A depthwise `nn.Conv2d` with the same parameters, state dict and results, and a faster backward pass."""

    def forward(self, images: Tensor) -> Tensor:
        """Maps [N, C, H, W] to [N, C, H / stride, W / stride], rounded up."""
        if self.bias is None and is_supported(images):
            return depthwise_conv2d(images, self.weight, self.stride[0])
        return super().forward(images)


def is_depthwise(module: nn.Conv2d) -> bool:
    """Whether there is one filter per channel, a square odd kernel, zero padding of half of it, and no dilation."""
    kernel = module.kernel_size[0]
    return (
        module.groups == module.in_channels == module.out_channels > 1
        and kernel > 1
        and kernel % 2 == 1
        and module.kernel_size == (kernel, kernel)
        and module.padding == (kernel // 2, kernel // 2)
        and module.padding_mode == "zeros"
        and module.stride[0] == module.stride[1]
        and module.dilation == (1, 1)
    )


def is_supported(images: Tensor) -> bool:
    """Whether `depthwise_conv2d` can be faster for these maps: float32 on the CPU, channels-last, with gradients."""
    return (
        images.device.type == "cpu"
        and images.dtype == torch.float32
        and torch.is_grad_enabled()
        and images.is_contiguous(memory_format=torch.channels_last)
        and torch._C._has_mkldnn
    )


def depthwise_conv2d(images: Tensor, weight: Tensor, stride: int = 1) -> Tensor:
    """Convolve maps [N, C, H, W] with a weight [C, 1, K, K], K odd, and zero padding of K // 2 on all sides."""
    side = max(images.shape[2:])
    middle = weight.shape[2] // 2
    if side == 1:
        return images * weight[:, 0, middle, middle, None, None]
    if middle >= side:
        weight = weight[:, :, middle - side + 1 : middle + side, middle - side + 1 : middle + side]
    if not is_faster(images, weight.shape[2], stride):
        return functional.conv2d(images, weight, None, stride, weight.shape[2] // 2, 1, len(weight))
    result: Tensor = _Depthwise.apply(images, weight, stride)
    return result


def is_faster(images: Tensor, kernel: int, stride: int) -> bool:
    """Whether our gradients are faster than torch's, the overhead of an autograd function included."""
    if kernel > min(MAX_FAST_WIDTH, images.shape[2]):
        return True
    return stride == 1 and images.numel() >= MIN_FLIPPED_ELEMENTS


class _Depthwise(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, images: Tensor, weight: Tensor, stride: int) -> Tensor:
        ctx.save_for_backward(images, weight)
        ctx.stride = stride
        return functional.conv2d(images, weight, None, stride, weight.shape[2] // 2, 1, len(weight))

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, Tensor | None, None]:
        images, weight = ctx.saved_tensors
        gradient = gradient.contiguous(memory_format=torch.channels_last)
        for_images = input_gradient(gradient, images, weight, ctx.stride) if ctx.needs_input_grad[0] else None
        for_weight = weight_gradient(gradient, images, weight, ctx.stride) if ctx.needs_input_grad[1] else None
        return for_images, for_weight, None


def input_gradient(gradient: Tensor, images: Tensor, weight: Tensor, stride: int) -> Tensor:
    """The gradient of the input [N, C, H, W], given the gradient of the output [N, C, H / stride, W / stride]."""
    middle = weight.shape[2] // 2
    if stride == 1:
        return functional.conv2d(gradient, weight.flip(2, 3), None, 1, middle, 1, len(weight))
    return _convolution_backward(
        gradient, images, weight, stride=stride, padding=(middle, middle), wanted=[True, False, False]
    )[0]


def weight_gradient(gradient: Tensor, images: Tensor, weight: Tensor, stride: int) -> Tensor:
    """The gradient of the weight [C, 1, K, K], given the gradient of the output [N, C, H / stride, W / stride]."""
    kernel, height = weight.shape[2], images.shape[2]
    middle = kernel // 2
    if kernel <= min(MAX_FAST_WIDTH, height):
        return _convolution_backward(
            gradient, images, weight, stride=stride, padding=(middle, middle), wanted=[False, True, False]
        )[1]
    rows = middle if height < kernel else 0
    width = min(middle + 1, MAX_FAST_WIDTH)
    padded = PaddedMaps(images, rows=rows, columns=middle, spare=kernel)
    # A window's output may be wider than the convolution's: the surplus gets a gradient of zero.
    surplus = (padded.row - width) // stride + 1 - gradient.shape[3]
    if surplus:
        gradient = functional.pad(gradient, (0, surplus)).contiguous(memory_format=torch.channels_last)
    window = weight.new_empty(len(weight), 1, kernel, width)
    padding = (0 if rows else middle, 0)
    parts = [
        _convolution_backward(
            gradient, padded.shifted(start), window, stride=stride, padding=padding, wanted=[False, True, False]
        )[1]
        for start in range(0, kernel, width)
    ]
    return torch.cat(parts, 3)[..., :kernel]


class PaddedMaps:
    """A copy of channels_last maps with `columns` zeros between its rows, and `rows` rows of zeros above and below.

    The zeros at the end of a row are also those at the start of the next row. So `shifted(n)`, which starts n pixels
    later in memory, is again a dense channels_last tensor: the same maps, moved n columns to the left. `spare` pixels
    of zeros at the end allow n up to `columns` + `spare`.
    """

    def __init__(self, maps: Tensor, *, rows: int, columns: int, spare: int) -> None:
        count, channels, height, width = maps.shape
        self.row = width + columns
        self.shape = (count, channels, height + 2 * rows, self.row)
        line = self.row * channels
        self.strides = (self.shape[2] * line, 1, line, channels)
        lines = count * self.shape[2]
        self.memory = maps.new_empty(lines * line + (columns + spare) * channels)
        if rows:
            self.memory.zero_()
        else:
            self.memory[: columns * channels].zero_()
            self.memory[lines * line :].zero_()
            self.memory.as_strided((lines, columns * channels), (line, 1), line).zero_()
        inner = self.memory.as_strided(
            (count, height, width, channels), (self.strides[0], line, channels, 1), rows * line + columns * channels
        )
        inner.copy_(maps.permute(0, 2, 3, 1))

    def shifted(self, columns: int) -> Tensor:
        """A view of the padded maps, moved so many columns to the left."""
        return self.memory.as_strided(self.shape, self.strides, columns * self.shape[1])


def _convolution_backward(
    gradient: Tensor, images: Tensor, weight: Tensor, *, stride: int, padding: tuple[int, int], wanted: list[bool]
) -> tuple[Tensor, Tensor, Tensor]:
    result: tuple[Tensor, Tensor, Tensor] = torch.ops.aten.convolution_backward(
        gradient, images, weight, None, [stride] * 2, list(padding), [1, 1], False, [0, 0], len(weight), wanted
    )
    return result
