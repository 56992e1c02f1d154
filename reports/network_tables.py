"""A network's stages and layers as rows of raw numbers, for tables and figures."""

from __future__ import annotations

from collections.abc import Sequence

from reports.content import Cell
from search_spaces.arch import Arch
from search_spaces.costs import cost, total
from search_spaces.layers import structure
from search_spaces.parts import Block, Layer
from search_spaces.table import operator_name

Row = dict[str, Cell]


def stage_rows(arch: Arch) -> list[Row]:
    """A row a stage, as in the papers' tables: stage, operator, input, out, layers, stride, skip, and its cost.

    Costs are params, macs, share (of the network's multiply-adds, 0..1) and activations.
    """
    (stem, *blocks, head), classifier = structure(arch)
    whole, rows, rest = cost(arch).macs, [], iter(blocks)
    rows.append(_row("stem", "Conv k3", (stem,), "", whole))
    for index, stage in enumerate(arch.stages, start=1):
        members = [next(rest) for _ in range(stage.layers)]
        skip = stage.skip if any(block.add for block in members) else ""
        rows.append(_row(str(index), operator_name(stage), members, skip, whole))
    rows.append(_row("head", "Conv k1", (head,), "", whole))
    return [*rows, _classifier(classifier.layers, whole)]


def layer_rows(arch: Arch) -> list[Row]:
    """A row a layer of every stage, with the columns of `stage_rows`."""
    (stem, *blocks, head), classifier = structure(arch)
    whole, operators = cost(arch).macs, [operator_name(stage) for stage in arch.stages for _ in range(stage.layers)]
    rows = [_row("stem", "Conv k3", (stem,), "", whole)]
    for block, operator in zip(blocks, operators, strict=True):
        skip = "" if block.add is None else "identity" if block.pool is None else "pool"
        rows.append(_row(block.name.removeprefix("stage"), operator, (block,), skip, whole))
    return [*rows, _row("head", "Conv k1", (head,), "", whole), _classifier(classifier.layers, whole)]


def _row(name: str, operator: str, blocks: Sequence[Block], skip: str, whole: int) -> Row:
    convs = [layer for block in blocks for layer in block.layers if layer.kind == "conv"]
    stride = 1
    for conv in convs:
        stride *= conv.stride
    layers = [layer for block in blocks for layer in block.layers]
    first = blocks[0].layers[0]
    out = blocks[-1].parts[-1].out_channels
    return _cells(name, operator, first, out, layers, whole) | {"layers": len(blocks), "stride": stride, "skip": skip}


def _classifier(layers: tuple[Layer, ...], whole: int) -> Row:
    pool, linear = layers
    row = _cells("classifier", "pool, linear", pool, linear.out_channels, layers, whole)
    return row | {"layers": 1, "stride": None, "skip": ""}


def _cells(name: str, operator: str, first: Layer, out: int, layers: Sequence[Layer], whole: int) -> Row:
    spent = total(layers)
    return {
        "stage": name, "operator": operator, "input": f"{first.in_size}x{first.in_size}x{first.in_channels}",
        "out": out, "params": spent.params, "macs": spent.macs, "share": spent.macs / whole,
        "activations": spent.activations,
    }  # fmt: skip
