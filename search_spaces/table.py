"""Print a network as a table: `python -m search_spaces.table efficientnet_b0 --stages`."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from search_spaces.common import cli
from search_spaces.common.units import parse_count
from search_spaces.metrics.audit import audit
from search_spaces.metrics.counts import CONVENTION
from search_spaces.metrics.tables import audit_table, layer_table, stage_table, totals
from search_spaces.zoo import registry as catalog
from search_spaces.zoo.registry import find


def main(argv: Sequence[str]) -> int:
    """Print the table that the arguments ask for."""
    arguments = _parser().parse_args(argv)
    arch = find(arguments.network)
    if arguments.resolution is not None:
        arch = arch.replace(resolution=_resolution(arguments.resolution))
    print(f"{arch.name or arguments.network}: {arch.resolution} px, {arch.classes} classes, {arch.activation}\n")
    print(stage_table(arch) if arguments.stages else layer_table(arch))
    print(f"\n{totals(arch)}")
    if not arguments.audit:
        return 0
    result = audit(arch)
    print(f"\nAudit: flops of one image's forward pass\n\n{audit_table(result)}")
    return 1 if result.fvcore_remainder or result.torch_remainder else 0


def _parser() -> argparse.ArgumentParser:
    parser = cli.Parser(
        prog="python -m search_spaces.table",
        description="Print the layers of a network and the cost of each.",
        epilog=f"{CONVENTION} Published networks: {', '.join(catalog.names())}.",
    )
    parser.add_argument("network", metavar="NAME|FILE", help="a published network or an arch file (JSON)")
    parser.add_argument("--resolution", metavar="PX", help="side of the input image (default: the network's own)")
    parser.add_argument("--stages", action="store_true", help="a row for each stage, as in the papers")
    parser.add_argument(
        "--audit", action="store_true", help="compare the count with fvcore's and torch's and explain the differences"
    )
    return parser


def _resolution(text: str) -> int:
    try:
        value = parse_count(text)
    except ValueError:
        value = 0
    if value < 1:
        raise ValueError(f"--resolution must be a whole number of pixels of at least 1, got {text}")
    return value


if __name__ == "__main__":
    raise SystemExit(cli.run(main))
