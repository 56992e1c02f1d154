"""Faster training on a CPU without a compiler: the same network, its slow layers computed in another way."""

from __future__ import annotations

import ctypes
import sys

from torch import nn

from studies.trainer.kernels.depthwise import DepthwiseConv2d, is_depthwise
from studies.trainer.kernels.pointwise import PointwiseConv2d, is_pointwise

# mallopt's parameters (malloc.h).
M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_MAX = -1, -2, -4


def accelerate(model: nn.Module) -> nn.Module:
    """Give the model's convolutions their faster CPU classes, in place.

    Parameters, state dict, hooks and results stay (sums are taken in another order); on a GPU, in float64, without
    gradients, or where torch's own kernels are faster, the layers do what they did.
    """
    for module in model.modules():
        if type(module) is nn.Conv2d and is_depthwise(module):
            # A change of class keeps the parameters, the hooks and the module's place in its parents.
            module.__class__ = DepthwiseConv2d
        elif type(module) is nn.Conv2d and is_pointwise(module):
            module.__class__ = PointwiseConv2d
        elif isinstance(module, (nn.SiLU, nn.Hardswish)):
            # Their gradient needs the input, so autograd copies it before an in-place operation.
            module.inplace = False
    return model


def keep_freed_memory() -> None:
    """Tell the C library (glibc; elsewhere nothing happens) to keep freed memory for the next allocation.

    By default it hands every large freed block back to the kernel, which has to supply it again page by page, zeroed,
    at every training step. The process's peak stays what it was; it keeps it.
    """
    if not sys.platform.startswith("linux"):
        return
    library = ctypes.CDLL(None)
    if hasattr(library, "mallopt") and hasattr(library, "gnu_get_libc_version"):
        library.mallopt(M_MMAP_MAX, 0)
        library.mallopt(M_TRIM_THRESHOLD, -1)
        library.mallopt(M_TOP_PAD, 64 << 20)
