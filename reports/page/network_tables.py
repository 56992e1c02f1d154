"""A network's stages and layers as rows of raw numbers, for tables and figures."""

from __future__ import annotations

import math
from collections.abc import Sequence

from reports.page.content import Cell
from search_spaces.metrics.counts import cost, total
from search_spaces.metrics.tables import operator_name, shortcut_name, stem_name
from search_spaces.networks.arch import Arch
from search_spaces.networks.blocks import Block, Layer
from search_spaces.networks.layers import sections

Row = dict[str, Cell]


def stage_rows(arch: Arch) -> list[Row]:
    """A row a stage, as in the papers' tables: stage, operator, input, out, layers, stride, skip, and its cost.

    Costs are params, macs, share (of the network's multiply-adds, 0..1) and activations.
    """
    stem, stages, head, classifier = sections(arch)
    whole = cost(arch).macs
    rows = [_row("stem", stem_name(arch), (stem,), "", whole)]
    for index, (stage, members) in enumerate(zip(arch.stages, stages, strict=True), start=1):
        skip = stage.skip if any(block.add for block in members) else ""
        rows.append(_row(str(index), operator_name(stage), members, skip, whole))
    rows += [_row("head", "Conv k1", (block,), "", whole) for block in head]
    return [*rows, _classifier(classifier.layers, whole)]


def layer_rows(arch: Arch) -> list[Row]:
    """A row a layer of every stage, with the columns of `stage_rows`."""
    stem, stages, head, classifier = sections(arch)
    whole = cost(arch).macs
    rows = [_row("stem", stem_name(arch), (stem,), "", whole)]
    for stage, members in zip(arch.stages, stages, strict=True):
        for block in members:
            name, skip = block.name.removeprefix("stage"), shortcut_name(block)
            rows.append(_row(name, operator_name(stage), (block,), skip, whole))
    rows += [_row("head", "Conv k1", (block,), "", whole) for block in head]
    return [*rows, _classifier(classifier.layers, whole)]


def _row(name: str, operator: str, blocks: Sequence[Block], skip: str, whole: int) -> Row:
    stride = math.prod(block.stride for block in blocks)
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
