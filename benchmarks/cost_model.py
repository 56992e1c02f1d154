"""Networks a second of the cost model against fvcore, torch's FlopCounterMode and torchinfo, in one run on one core.

The counters get networks that are already built, in eval mode, and count one image at 224 px. All count the first
networks of the same sample, drawn uniformly from the 320M to 420M band of the MnasNet space; the vectorised model
counts the whole sample, the layer walk its first thousand. Each figure is the best of some repetitions.

Usage: python benchmarks/cost_model.py [--encodings 1000000] [--networks 8]
"""

from __future__ import annotations

import argparse
import logging
import os
import time
from collections.abc import Callable

os.environ["OMP_NUM_THREADS"] = "1"  # numpy reads it when it is imported

import numpy as np
import torch
import torchinfo
from fvcore.nn import FlopCountAnalysis
from torch.utils.flop_counter import FlopCounterMode

from search_spaces.metrics.counts import cost
from search_spaces.networks.module import build
from search_spaces.spaces.mnasnet import mnasnet_space

BAND = (320_000_000, 420_000_000)


def main() -> None:
    arguments = _arguments()
    torch.set_num_threads(1)
    logging.getLogger("fvcore").setLevel(logging.ERROR)
    space = mnasnet_space()
    encodings = space.sample(np.random.default_rng(0), arguments.encodings, macs=BAND)
    archs = [space.decode(space.choice(encoding)) for encoding in encodings[:1000]]
    networks = [build(arch).eval() for arch in archs[: arguments.networks]]
    image = torch.zeros(1, 3, 224, 224)
    rates = {
        "`space.costs(encodings)`": _rate(lambda: space.costs(encodings), len(encodings), repetitions=7),
        "`cost(arch)`": _rate(lambda: [cost(arch) for arch in archs], len(archs), repetitions=3),
        "torch FlopCounterMode": _rate(lambda: [_torch_macs(net, image) for net in networks], len(networks)),
        "torchinfo": _rate(lambda: [_torchinfo_macs(net) for net in networks], len(networks)),
        "fvcore": _rate(lambda: [_fvcore_macs(net, image) for net in networks], len(networks)),
    }
    ours = space.costs(encodings[: len(networks)]).macs.tolist()
    assert ours == [cost(arch).macs for arch in archs[: len(networks)]]
    assert ours == [_torch_macs(net, image) for net in networks]
    _print(rates)


def _torch_macs(network: torch.nn.Module, image: torch.Tensor) -> int:
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        network(image)
    return counter.get_total_flops() // 2


def _torchinfo_macs(network: torch.nn.Module) -> int:
    return torchinfo.summary(network, (1, 3, 224, 224), verbose=0).total_mult_adds


def _fvcore_macs(network: torch.nn.Module, image: torch.Tensor) -> int:
    return FlopCountAnalysis(network, image).unsupported_ops_warnings(False).uncalled_modules_warnings(False).total()


def _rate(count: Callable[[], object], networks: int, repetitions: int = 2) -> float:
    """Networks a second, after one call to warm up."""
    count()
    return networks / min(_seconds(count) for _ in range(repetitions))


def _seconds(count: Callable[[], object]) -> float:
    start = time.perf_counter()
    count()
    return time.perf_counter() - start


def _print(rates: dict[str, float]) -> None:
    fastest = rates["`space.costs(encodings)`"]
    print("| counter | networks/s, one core | `space.costs` is faster by |")
    print("|---|---|---|")
    for name, rate in rates.items():
        print(f"| {name} | {rate:,.{0 if rate > 100 else 1}f} | {fastest / rate:,.0f} x |")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--encodings", type=int, default=1_000_000, help="networks for space.costs")
    parser.add_argument("--networks", type=int, default=8, help="networks for the counters that run a network")
    return parser.parse_args()


if __name__ == "__main__":
    main()
