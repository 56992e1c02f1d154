"""Compare our multiply-adds with the counts of fvcore and torch, and explain the differences for each operation."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from search_spaces.metrics.counts import Cost, total
from search_spaces.networks.arch import Arch
from search_spaces.networks.blocks import Layer
from search_spaces.networks.layers import walk


class Rule(NamedTuple):
    """How many flops each counter charges for one unit of an operation's work.

    kinds are the walk's kinds of layer, work the Layer attribute that measures them; `fvcore` and `torch` are flops
    per unit of work (0: not counted), and the names are those under which the counters report the operation.
    """

    operation: str
    kinds: tuple[str, ...]
    work: str
    unit: str
    fvcore: int = 0
    torch: int = 0
    fvcore_names: tuple[str, ...] = ()
    torch_names: tuple[str, ...] = ()


# fvcore 0.1.5, nn/flop_count.py and nn/jit_handles.py; torch/utils/flop_counter.py. Neither counts biases.
RULES = (
    Rule("convolution", ("conv",), "macs", "multiply-adds", 1, 2, ("conv",), ("convolution",)),
    Rule("linear", ("linear",), "macs", "multiply-adds", 1, 2, ("linear", "addmm"), ("addmm", "mm")),
    Rule("batch norm", ("norm",), "out_elements", "elements", 2, 0, ("batch_norm",)),
    Rule("global pooling", ("global_pool",), "in_elements", "input elements", 1, 0, ("adaptive_avg_pool2d",)),
    Rule("shortcut pooling", ("pool",), "in_elements", "input elements"),
    Rule("max pooling", ("max_pool",), "out_elements", "elements"),
    Rule("activations", ("activation",), "out_elements", "elements"),
    Rule("SE and shortcuts", ("multiply", "add"), "out_elements", "elements"),
)


@dataclass(frozen=True, slots=True)
class Operation:
    """One kind of operation in one network.

    `work` is how much of it the walk finds, in `unit`. `fvcore` and `torch` are what the counters report for it;
    `fvcore_rule` and `torch_rule` are what they should report by their own rules.
    """

    name: str
    work: int
    unit: str
    macs: int
    fvcore: int
    torch: int
    fvcore_rule: int
    torch_rule: int


@dataclass(frozen=True, slots=True)
class Audit:
    """A network's cost by the walk and by two independent counters, for one image.

    `fvcore` is FlopCountAnalysis' total: one flop a multiply-add, with batch norm and pooling. `torch` is
    FlopCounterMode's: two flops a multiply-add, nothing else. `operations` explains both.
    """

    name: str
    resolution: int
    cost: Cost
    fvcore: int
    torch: int
    operations: tuple[Operation, ...]

    @property
    def macs(self) -> int:
        """Ours: multiply-adds of convolution and linear layers."""
        return self.cost.macs

    @property
    def fvcore_remainder(self) -> int:
        """Flops by which fvcore's figures differ from the explanation; 0 when the whole difference is explained."""
        counted = sum(row.fvcore for row in self.operations)
        return abs(self.fvcore - counted) + sum(abs(row.fvcore - row.fvcore_rule) for row in self.operations)

    @property
    def torch_remainder(self) -> int:
        """The same for torch's figures."""
        counted = sum(row.torch for row in self.operations)
        return abs(self.torch - counted) + sum(abs(row.torch - row.torch_rule) for row in self.operations)


def audit(arch: Arch) -> Audit:
    """Count the forward pass of one image, at the arch's resolution, with fvcore and with torch.

    It runs the network once without gradients: 3 s for EfficientNet-B0, 10 s for B7. The weights take no memory.
    """
    layers = walk(arch)
    fvcore, torch = _count(arch)
    operations = tuple(_operation(rule, layers, fvcore, torch) for rule in RULES)
    return Audit(arch.name, arch.resolution, total(layers), sum(fvcore.values()), sum(torch.values()), operations)


def _operation(rule: Rule, layers: tuple[Layer, ...], fvcore: Mapping[str, int], torch: Mapping[str, int]) -> Operation:
    chosen = [layer for layer in layers if layer.kind in rule.kinds]
    work = sum(getattr(layer, rule.work) for layer in chosen)
    return Operation(
        rule.operation,
        work,
        rule.unit,
        macs=sum(layer.macs for layer in chosen),
        fvcore=sum(fvcore.get(name, 0) for name in rule.fvcore_names),
        torch=sum(torch.get(name, 0) for name in rule.torch_names),
        fvcore_rule=rule.fvcore * work,
        torch_rule=rule.torch * work,
    )


def _count(arch: Arch) -> tuple[dict[str, int], dict[str, int]]:
    """Flops by operator as fvcore and torch name them."""
    shape = (1, arch.in_channels, arch.resolution, arch.resolution)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch and fvcore warn about tracing, which does not concern the user
        import torch
        from fvcore.nn import FlopCountAnalysis
        from torch.utils.flop_counter import FlopCounterMode

        from search_spaces.networks.module import build

        with torch.no_grad(), torch.device("meta"), FlopCounterMode(display=False) as counter:
            network = build(arch).eval()
            network(torch.empty(shape))
        with torch.no_grad():
            # fvcore traces the network, which meta tensors don't allow.
            analysis = FlopCountAnalysis(_hollow(network), torch.zeros(shape))
            analysis.unsupported_ops_warnings(False).uncalled_modules_warnings(False)
            by_fvcore = analysis.by_operator()
    by_torch = counter.get_flop_counts()["Global"]
    return (
        {name: int(flops) for name, flops in by_fvcore.items()},
        {str(operator.__name__): int(flops) for operator, flops in by_torch.items()},
    )


def _hollow(network: Any) -> Any:
    """The meta network on the CPU. Each tensor is a view of a single zero, because counting needs no weights."""
    import torch

    return network._apply(lambda tensor: torch.zeros((), dtype=tensor.dtype).expand(tensor.shape))
