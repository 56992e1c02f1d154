"""A network's table, as the papers print it, with the cost of every row: `python -m search_spaces.table NAME`."""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterable, Sequence
from pathlib import Path

from search_spaces import catalog, commandline
from search_spaces.arch import EXPANDING, Arch, Stage
from search_spaces.audit import Audit, audit
from search_spaces.costs import Cost, cost, total
from search_spaces.layers import POOL_KERNEL, sections
from search_spaces.naming import nearest
from search_spaces.parts import Block, Layer
from search_spaces.units import format_count, parse_count

CONVENTION = "FLOPs here are multiply-adds of convolution and linear layers for one image, as the papers count them."
_OPERATORS = {
    "conv": "Conv",
    "sepconv": "SepConv",
    "mbconv": "MBConv",
    "fused": "Fused-MBConv",
    "dwsep": "DWSep",
    "basic": "Basic",
    "bottleneck": "Bottleneck",
}
_COSTS = ("params", "MACs", "share", "activations")
_LEFT = ("layer", "stage", "operator", "input", "shortcut", "operation", "unit")

Row = tuple[str, ...]


def operator_name(stage: Stage) -> str:
    """The stage's operator as the papers write it, such as "MBConv6 k3 SE0.25"."""
    expansion = f"{stage.expansion:g}" if stage.op in EXPANDING else ""
    squeeze = f" SE{stage.se:g}" if stage.se else ""
    return f"{_OPERATORS[stage.op]}{expansion} k{stage.kernel}{squeeze}"


def stem_name(arch: Arch) -> str:
    """The stem in the same way, such as "Conv k7, max pool k3"."""
    return f"Conv k{arch.stem_kernel}" + (f", max pool k{POOL_KERNEL}" if arch.stem_pool > 1 else "")


def shortcut_name(block: Block) -> str:
    """What a layer's shortcut is: identity, projection or pool; empty where it has none."""
    if block.add is None:
        return ""
    return "projection" if block.projection else "pool" if block.pool else "identity"


def layer_table(arch: Arch) -> str:
    """Every layer of every stage in a row of its own: operator, input, output channels, stride, shortcut, cost."""
    stem, stages, head, classifier = sections(arch)
    whole = cost(arch).macs
    rows = [_row(stem, stem_name(arch), whole)]
    for stage, blocks in zip(arch.stages, stages, strict=True):
        rows += [_row(block, operator_name(stage), whole) for block in blocks]
    rows += [_row(block, "Conv k1", whole) for block in head]
    rows.append(_classifier_row(classifier.layers, whole))
    return align(("layer", "operator", "input", "out", "stride", "shortcut", *_COSTS), rows)


def stage_table(arch: Arch) -> str:
    """The paper's table, a row for each stage: operator, input, output channels, layers, stride, skip, cost."""
    stem, stages, head, classifier = sections(arch)
    whole = cost(arch).macs
    rows = [_stage_row("stem", stem_name(arch), (stem,), "", whole)]
    for index, (stage, members) in enumerate(zip(arch.stages, stages, strict=True), start=1):
        skip = stage.skip if any(block.add for block in members) else ""
        rows.append(_stage_row(str(index), operator_name(stage), members, skip, whole))
    rows += [_stage_row("head", "Conv k1", (block,), "", whole) for block in head]
    _, operator, given, out, *rest = _classifier_row(classifier.layers, whole)
    rows.append(("", operator, given, out, "1", *rest))
    return align(("stage", "operator", "input", "out", "layers", "stride", "skip", *_COSTS), rows)


def totals(arch: Arch) -> str:
    """The network's cost, rounded and to the digit, and what FLOPs means."""
    whole = cost(arch)
    rows = [
        ("FLOPs (multiply-adds)", format_count(whole.macs, 4), f"{whole.macs:,}"),
        ("parameters", format_count(whole.params, 4), f"{whole.params:,}"),
        ("activations", format_count(whole.activations, 4), f"{whole.activations:,}"),
    ]
    return f"{align((), rows)}\n{CONVENTION}"


def audit_table(result: Audit) -> str:
    """Ours, fvcore's and torch's figures by kind of operation, and in words where they differ."""
    rows = [
        (row.name, f"{row.work:,}", row.unit, f"{row.macs:,}", f"{row.fvcore:,}", f"{row.torch:,}")
        for row in result.operations
    ]
    rows.append(("total", "", "", f"{result.macs:,}", f"{result.fvcore:,}", f"{result.torch:,}"))
    rows.append(("unexplained", "", "", "", f"{result.fvcore_remainder:,}", f"{result.torch_remainder:,}"))
    table = align(("operation", "work", "unit", "ours", "fvcore", "torch"), rows)
    return f"{table}\n\n{_in_words(result)}"


def align(header: Sequence[str], rows: Iterable[Row]) -> str:
    """Columns of equal width, numbers to the right. An empty header is left out."""
    lines = [*([tuple(header)] if header else []), *rows]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    left = [name in _LEFT for name in header] or [True] + [False] * (len(widths) - 1)
    return "\n".join(
        "  ".join(
            cell.ljust(width) if to_left else cell.rjust(width)
            for cell, width, to_left in zip(line, widths, left, strict=True)
        ).rstrip()
        for line in lines
    )


def find(network: str) -> Arch:
    """The arch that a published name or an arch file means. Raises ValueError for neither."""
    if network in catalog.names():
        return catalog.get(network)
    if Path(network).exists() or "/" in network or network.endswith(".json"):
        return Arch.load(network)
    raise ValueError(f"'{network}' is neither a published network nor an arch file{nearest(network, catalog.names())}")


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
    parser = commandline.Parser(
        prog="python -m search_spaces.table",
        description="Print a network layer by layer, with what each layer costs.",
        epilog=f"{CONVENTION} Published networks: {', '.join(catalog.names())}.",
    )
    parser.add_argument("network", metavar="NAME|FILE", help="a published network or an arch file (JSON)")
    parser.add_argument("--resolution", metavar="PX", help="side of the input image (default: the network's own)")
    parser.add_argument("--stages", action="store_true", help="a row for each stage, as in the papers")
    parser.add_argument("--audit", action="store_true", help="set the count beside fvcore's and torch's, explained")
    return parser


def _resolution(text: str) -> int:
    try:
        value = parse_count(text)
    except ValueError:
        value = 0
    if value < 1:
        raise ValueError(f"--resolution must be a whole number of pixels of at least 1, got {text}")
    return value


def _row(block: Block, operator: str, whole: int) -> Row:
    return (block.name, operator, *_shape((block,)), shortcut_name(block), *_costs(total(block.layers), whole))


def _stage_row(name: str, operator: str, blocks: Sequence[Block], skip: str, whole: int) -> Row:
    given, out, stride = _shape(blocks)
    spent = total(layer for block in blocks for layer in block.layers)
    return (name, operator, given, out, str(len(blocks)), stride, skip, *_costs(spent, whole))


def _classifier_row(layers: Sequence[Layer], whole: int) -> Row:
    pool, linear = layers
    given = f"{pool.in_size}x{pool.in_size}x{pool.in_channels}"
    return ("classifier", "pool, linear", given, f"{linear.out_channels}", "", "", *_costs(total(layers), whole))


def _shape(blocks: Sequence[Block]) -> tuple[str, str, str]:
    """Input, output channels and stride of some blocks in sequence."""
    first, stride = blocks[0].layers[0], math.prod(block.stride for block in blocks)
    return f"{first.in_size}x{first.in_size}x{first.in_channels}", f"{blocks[-1].parts[-1].out_channels}", f"{stride}"


def _costs(spent: Cost, whole: int) -> Row:
    counts = (format_count(value, 4) for value in (spent.params, spent.macs, spent.activations))
    params, macs, activations = counts
    return params, macs, f"{spent.macs / whole:.1%}", activations


def _in_words(result: Audit) -> str:
    if result.fvcore_remainder or result.torch_remainder:
        return "The rules that should explain the counters do not: a part of their figures is unexplained (last row)."
    extras = [f"{row.name} {format_count(row.fvcore, 4)}" for row in result.operations if row.fvcore and not row.macs]
    above = result.fvcore / result.macs - 1
    return (
        f"fvcore's FlopCountAnalysis reads {above:.1%} above ours: it counts a multiply-add once, as we do, and adds\n"
        f"{' and '.join(extras)}.\n"
        "torch's FlopCounterMode reads twice ours: a multiply-add is two flops to it, and it counts nothing else.\n"
        "Activations, max pooling, SE's multiplication and shortcuts' additions are counted by none of the three."
    )


if __name__ == "__main__":
    raise SystemExit(commandline.run(main))
