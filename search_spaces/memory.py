"""Print the memory of a network and of its variants: `python -m search_spaces.memory NAME`."""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Iterator, Sequence

from search_spaces.common import cli
from search_spaces.common.text import Row, align_columns
from search_spaces.common.units import format_bytes, format_count, parse_bytes
from search_spaces.metrics.counts import cost
from search_spaces.metrics.memory import OPTIMIZERS, inference_memory, largest_batch, training_memory
from search_spaces.networks.arch import ACTIVATIONS, Arch
from search_spaces.zoo import registry as catalog
from search_spaces.zoo.registry import find

KERNELS = (3, 5, 7)
NOTE = (
    "Peak of one training step (weights, gradients, optimiser, saved activations, gradients of activations) and of a\n"
    "forward pass, images included, in float32. Not counted: scratch memory of libraries, the allocator's fragments,\n"
    "the process itself. `saved` is the share of saved activations. MACs are for one image."
)


def variants(arch: Arch, kernels: Sequence[int], activations: Sequence[str]) -> Iterator[tuple[str, Arch]]:
    """The network, then with every stage's kernel set to each size, then with each activation function."""
    yield "as it is", arch
    for kernel in kernels:
        stages = tuple(dataclasses.replace(stage, kernel=kernel) for stage in arch.stages)
        yield f"kernels {kernel}", arch.replace(stages=stages)
    for activation in activations:
        yield activation, arch.replace(activation=activation)


def memory_table(
    networks: Sequence[tuple[str, Arch]], batch_size: int, optimizer: str = "sgd", budget_bytes: int | None = None
) -> str:
    """A row for each named network; with a budget also the largest batches of training and of inference within it."""
    limits = () if budget_bytes is None else ("largest batch", "in inference")
    header = ("network", "params", "MACs", "training", "saved", "inference", *limits)
    rows = [_row(name, arch, batch_size, optimizer, budget_bytes) for name, arch in networks]
    return align_columns(header, rows, left=("network",))


def main(argv: Sequence[str]) -> int:
    """Print the table that the arguments ask for."""
    arguments = _parser().parse_args(argv)
    arch = find(arguments.network)
    budget = None if arguments.budget is None else parse_bytes(arguments.budget)
    if budget is not None:
        _check_budget(arch, budget, arguments.optimizer)
    networks = tuple(variants(arch, arguments.kernels, arguments.activations))
    table = memory_table(networks, arguments.batch_size, arguments.optimizer, budget)
    print(_heading(arch, arguments.network, arguments.batch_size, arguments.optimizer, budget))
    print(f"\n{table}\n\n{NOTE}")
    return 0


def _heading(arch: Arch, name: str, batch_size: int, optimizer: str, budget_bytes: int | None) -> str:
    within = "" if budget_bytes is None else f", largest batch within {format_bytes(budget_bytes)}"
    return f"{arch.name or name}: {arch.resolution} px, {arch.activation}, batch {batch_size}, {optimizer}{within}"


def _row(name: str, arch: Arch, batch_size: int, optimizer: str, budget_bytes: int | None) -> Row:
    whole = cost(arch)
    training = training_memory(arch, batch_size, optimizer=optimizer)
    row = (
        name,
        format_count(whole.params, 4),
        format_count(whole.macs, 4),
        format_bytes(training.total, 4),
        f"{training.activations / training.total:.1%}",
        format_bytes(inference_memory(arch, batch_size).total, 4),
    )
    if budget_bytes is None:
        return row
    trained = largest_batch(arch, budget_bytes, optimizer=optimizer)
    return (*row, f"{trained:,}", f"{largest_batch(arch, budget_bytes, training=False):,}")


def _check_budget(arch: Arch, budget_bytes: int, optimizer: str) -> None:
    if largest_batch(arch, budget_bytes, optimizer=optimizer):
        return
    needed = format_bytes(training_memory(arch, 1, optimizer=optimizer).total, 3)
    raise ValueError(
        f"no batch trains within --budget {format_bytes(budget_bytes)}: one image needs {needed}; give a larger budget"
    )


def _parser() -> argparse.ArgumentParser:
    parser = cli.Parser(
        prog="python -m search_spaces.memory",
        description="Print the peak memory of training and inference, also for other kernels and activations.",
        epilog=f"The command computes the memory and allocates none. Published networks: {', '.join(catalog.names())}.",
    )
    parser.add_argument("network", metavar="NAME|FILE", help="a published network or an arch file (JSON)")
    parser.add_argument("--batch-size", type=int, default=64, metavar="IMAGES", help="images in a step (default: 64)")
    parser.add_argument("--optimizer", default="sgd", help=f"{', '.join(OPTIMIZERS)} (default: sgd with momentum)")
    parser.add_argument("--budget", metavar="BYTES", help="memory such as 8GiB: also print the largest batch within it")
    parser.add_argument(
        "--kernels",
        type=int,
        nargs="*",
        default=KERNELS,
        metavar="K",
        help="kernel sizes, each set in all stages (default: 3 5 7)",
    )
    parser.add_argument(
        "--activations",
        nargs="*",
        default=ACTIVATIONS,
        metavar="NAME",
        help=f"activation functions (default: {' '.join(ACTIVATIONS)})",
    )
    return parser


if __name__ == "__main__":
    raise SystemExit(cli.run(main))
