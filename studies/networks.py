"""What a training reads off a network, any torch module, and what it sets in one."""

from __future__ import annotations

from torch import nn

from search_spaces.arch import Arch


def total_stride(network: Arch | nn.Module) -> int:
    """The arch's total stride, or that of the arch a module was built from; 1 where there is none to know it by."""
    arch = network if isinstance(network, Arch) else getattr(network, "arch", None)
    return arch.total_stride if isinstance(arch, Arch) else 1


def classes_of(model: nn.Module) -> int:
    """The number of classes that a network tells apart: the outputs of its last linear layer."""
    linear = [module for module in model.modules() if isinstance(module, nn.Linear)]
    if not linear:
        raise ValueError("mixup and cutmix need a network with a linear layer at its end: set both to 0 for this one")
    return linear[-1].out_features


def set_dropout(model: nn.Module, probability: float) -> None:
    """Give all of the model's dropout layers this probability."""
    for module in model.modules():
        if isinstance(module, nn.Dropout):
            module.p = probability


def set_norm_momentum(model: nn.Module, momentum: float) -> None:
    """Give all of the model's batch norms this momentum: the share of the newest batch."""
    for module in model.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            module.momentum = momentum
