"""Faster training on a CPU without a compiler: the same network, with other algorithms for its slow layers."""

from __future__ import annotations

import ctypes
import sys

from torch import nn

from studies.trainer.kernels.depthwise import DepthwiseConv2d, is_depthwise
from studies.trainer.kernels.pointwise import PointwiseConv2d, is_pointwise

# mallopt's parameters (malloc.h).
M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_MAX = -1, -2, -4
# Extra bytes of every request for memory to the kernel.
TOP_PAD_BYTES = 64 << 20


def accelerate(model: nn.Module) -> nn.Module:
    """Change the classes of the model's convolutions to faster ones for the CPU, in place.

    Parameters, state dict and hooks do not change, and results only by rounding, because sums are taken in another
    order. On a GPU, in float64, without gradients, or if torch's own kernels are faster, the layers use those.
    """
    for module in model.modules():
        if type(module) is nn.Conv2d and is_depthwise(module):
            # A change of class keeps the parameters, the hooks and the module's place in its parents.
            module.__class__ = DepthwiseConv2d
        elif type(module) is nn.Conv2d and is_pointwise(module):
            module.__class__ = PointwiseConv2d
        elif isinstance(module, (nn.SiLU, nn.Hardswish)):
            # Their gradient needs the input, so autograd would copy it before an in-place operation.
            module.inplace = False
    return model


def keep_freed_memory() -> None:
    """Make glibc keep freed memory for the next allocation. With other C libraries nothing happens.

    By default glibc returns every large freed block to the kernel, which supplies it again at every training step, page
    by page, filled with zeros. The peak memory of the process does not change, but it is not returned.
    """
    if not sys.platform.startswith("linux"):
        return
    library = ctypes.CDLL(None)
    if hasattr(library, "mallopt") and hasattr(library, "gnu_get_libc_version"):
        library.mallopt(M_MMAP_MAX, 0)
        library.mallopt(M_TRIM_THRESHOLD, -1)
        library.mallopt(M_TOP_PAD, TOP_PAD_BYTES)
