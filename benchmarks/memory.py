"""Peak memory as the walk predicts it against what torch allocates, for published networks at their resolutions.

The oracle is torch's memory tracker (torch.distributed._tools.mem_tracker) under fake tensors: it follows every tensor
that one training step, or one forward pass, makes, and allocates none. The networks and optimisers are those that
studies.trainer.loop uses, without the faster convolutions that it takes on a CPU.

Usage: python benchmarks/memory.py [--optimizer sgd]
"""

from __future__ import annotations

import argparse
import time

import torch
from torch import Tensor
from torch._subclasses import FakeTensorMode
from torch.distributed._tools.mem_tracker import MemTracker
from torch.nn import functional

from search_spaces import Arch, build, get, inference_memory, training_memory
from studies.trainer.optimizers import make_optimizer
from studies.trainer.recipe import Recipe

NETWORKS = (
    *(f"efficientnet_b{index}" for index in range(5)),
    "mobilenet_v2",
    "mobilenet_v1",
    "resnet50",
    "efficientnetv2_s",
)
BATCHES = (8, 32, 128)


def training_peak(arch: Arch, batch_size: int, optimizer: str = "sgd") -> int:
    """Bytes at the peak of a training step, the optimiser's state being there, by torch's memory tracker."""
    with FakeTensorMode():
        images, labels = _batch(arch, batch_size)
        network = build(arch)
        stepper = make_optimizer(network, Recipe(optimizer=optimizer))  # type: ignore[arg-type]
        _fill_state(network, stepper)
        with MemTracker() as tracker:
            tracker.track_external(network, stepper, images, labels)
            functional.cross_entropy(network(images), labels).backward()
            stepper.step()
            return _peak(tracker)


def inference_peak(arch: Arch, batch_size: int) -> int:
    """Bytes at the peak of a forward pass without gradients, by torch's memory tracker."""
    with FakeTensorMode(), torch.no_grad(), MemTracker() as tracker:
        images, _ = _batch(arch, batch_size)
        network = build(arch).eval()
        tracker.track_external(network, images)
        network(images)
        return _peak(tracker)


def _fill_state(network: torch.nn.Module, stepper: torch.optim.Optimizer) -> None:
    """Let the optimiser make its state, as a first training step would."""
    for parameter in network.parameters():
        parameter.grad = torch.zeros_like(parameter)
    stepper.step()
    stepper.zero_grad()


def _batch(arch: Arch, batch_size: int) -> tuple[Tensor, Tensor]:
    images = torch.empty(batch_size, arch.in_channels, arch.resolution, arch.resolution)
    return images, torch.empty(batch_size, dtype=torch.long)


def _peak(tracker: MemTracker) -> int:
    return sum(int(kinds["Total"]) for kinds in tracker.get_tracker_snapshot("peak").values())


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--optimizer", default="sgd")
    optimizer = parser.parse_args().optimizer
    print("| network | batch | training: predicted | torch | error | inference: predicted | torch | error |")
    print("|---|---|---|---|---|---|---|---|")
    for name in NETWORKS:
        for batch_size in BATCHES:
            print(_row(name, batch_size, optimizer), flush=True)
    print(f"\n`training_memory(get('efficientnet_b0'), 64)` takes {_microseconds():.0f} microseconds.")


def _row(name: str, batch_size: int, optimizer: str) -> str:
    arch = get(name)
    pairs = (
        (training_memory(arch, batch_size, optimizer=optimizer).total, training_peak(arch, batch_size, optimizer)),
        (inference_memory(arch, batch_size).total, inference_peak(arch, batch_size)),
    )
    cells = [f"{_mebi(ours)} | {_mebi(theirs)} | {_error(ours, theirs)}" for ours, theirs in pairs]
    return f"| {name} | {batch_size} | {' | '.join(cells)} |"


def _mebi(size: int) -> str:
    return f"{size / 2**20:,.0f} MiB"


def _error(ours: int, theirs: int) -> str:
    return f"{round(ours / theirs - 1, 4) + 0.0:+.2%}"  # adding 0 turns -0 into 0


def _microseconds(calls: int = 1000) -> float:
    arch = get("efficientnet_b0")
    began = time.perf_counter()
    for _ in range(calls):
        training_memory(arch, 64)
    return (time.perf_counter() - began) / calls * 1e6


if __name__ == "__main__":
    main()
