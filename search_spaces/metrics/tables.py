"""A network as a table, layer by layer or stage by stage as in the papers, with the cost of each row."""

from __future__ import annotations

import math
from collections.abc import Sequence

from search_spaces.common.text import Row, align_columns
from search_spaces.common.units import format_count
from search_spaces.metrics.audit import Audit
from search_spaces.metrics.counts import CONVENTION, Cost, cost, total
from search_spaces.networks.arch import Arch, Stage
from search_spaces.networks.blocks import Block, Layer
from search_spaces.networks.layers import POOL_KERNEL, sections
from search_spaces.networks.registry import operator

_COSTS = ("params", "MACs", "share", "activations")
_LEFT = ("layer", "stage", "operator", "input", "shortcut", "operation", "unit")


def operator_name(stage: Stage) -> str:
    """The stage's operator as the papers write it, such as "MBConv6 k3 SE0.25"."""
    row = operator(stage.op)
    expansion = f"{stage.expansion:g}" if row.expands else ""
    squeeze = f" SE{stage.se:g}" if stage.se else ""
    return f"{row.label}{expansion} k{stage.kernel}{squeeze}"


def stem_name(arch: Arch) -> str:
    """The stem in the same way, such as "Conv k7, max pool k3"."""
    return f"Conv k{arch.stem_kernel}" + (f", max pool k{POOL_KERNEL}" if arch.stem_pool > 1 else "")


def shortcut_name(block: Block) -> str:
    """The kind of a layer's shortcut: identity, projection or pool; empty if it has none."""
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
    return align_columns(("layer", "operator", "input", "out", "stride", "shortcut", *_COSTS), rows, left=_LEFT)


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
    return align_columns(("stage", "operator", "input", "out", "layers", "stride", "skip", *_COSTS), rows, left=_LEFT)


def totals(arch: Arch) -> str:
    """The network's cost, rounded and to the digit, and the definition of FLOPs."""
    whole = cost(arch)
    rows = [
        ("FLOPs (multiply-adds)", format_count(whole.macs, 4), f"{whole.macs:,}"),
        ("parameters", format_count(whole.params, 4), f"{whole.params:,}"),
        ("activations", format_count(whole.activations, 4), f"{whole.activations:,}"),
    ]
    return f"{align_columns((), rows)}\n{CONVENTION}"


def audit_table(result: Audit) -> str:
    """Ours, fvcore's and torch's figures by kind of operation, and the differences in words."""
    rows = [
        (row.name, f"{row.work:,}", row.unit, f"{row.macs:,}", f"{row.fvcore:,}", f"{row.torch:,}")
        for row in result.operations
    ]
    rows.append(("total", "", "", f"{result.macs:,}", f"{result.fvcore:,}", f"{result.torch:,}"))
    rows.append(("unexplained", "", "", "", f"{result.fvcore_remainder:,}", f"{result.torch_remainder:,}"))
    table = align_columns(("operation", "work", "unit", "ours", "fvcore", "torch"), rows, left=_LEFT)
    return f"{table}\n\n{_in_words(result)}"


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
