"""Memory of one block of a network: elements of one image that autograd saves, and the most that live at a time.

A block is lowered to operations on named tensors, each with what autograd saves for it. The rules are torch's, for the
modules that `networks.module.build` makes (tools/autograd/derivatives.yaml of torch 2). One pass backwards over the
operations then finds the moment of the peak. Vectors of one number a channel are left out, except in
squeeze-and-excitation (SE).

A new kind of part needs one function here that lowers it, and an entry in `_LOWERINGS`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from search_spaces.networks.blocks import Block, Classifier, ConvNorm, Layer, MaxPool, SqueezeExcite

# Activations that work in place and save their result; every other one saves its input.
RESULT_SAVED = ("relu",)
# A maximum's place is an int64: as much as two float32 elements.
PLACE = 2


@dataclass(frozen=True, slots=True)
class BlockMemory:
    """A block's numbers. All but `params`, `statistics` and `out_size` are elements of one image.

    statistics      elements of the batch norms' running means and variances
    input           the block's input
    saved           kept for the backward pass, the input included, the output not: the next block counts it
    peak_saved      of `saved`, what still lives at the peak, and the output if it is saved
    peak_gradients  what else lives at the peak: gradients of activations
    forward         the most that lives at a time in a forward pass without gradients, the input included
    out_size        side of the output map in pixels
    saves_output    whether the operation that makes the output saves it
    """

    params: int
    statistics: int
    input: int
    saved: int
    peak_saved: int
    peak_gradients: int
    forward: int
    out_size: int
    saves_output: bool


@dataclass(frozen=True, eq=False, slots=True)
class Tensor:
    """A tensor with its number of elements for one image. Tensors are compared by identity, not by size."""

    elements: int


@dataclass(frozen=True, slots=True)
class Op:
    """An operation. Its backward pass reads the gradient of `output` and writes those of `inputs`.

    saves      tensors that autograd keeps for it until its backward pass
    workspace  further elements of its backward pass
    adds       whether it is an addition, which passes the gradient on unchanged
    """

    inputs: tuple[Tensor, ...]
    output: Tensor
    saves: tuple[Tensor, ...] = ()
    workspace: int = 0
    adds: bool = False


@dataclass(frozen=True, slots=True)
class Lowered:
    """A part's operations in the order of the forward pass, and the elements live in inference beyond its input."""

    ops: tuple[Op, ...]
    forward: int


def block_memory(block: Block, *, of_images: bool = False) -> BlockMemory:
    """The memory of a block of convolutions. `of_images` marks the stem, whose input needs no gradient."""
    layers = block.layers
    images = Tensor(layers[0].in_elements)
    ops, forward = _lowered(block, images)
    output = ops[-1].output
    saved = {tensor for op in ops for tensor in op.saves}
    moments = _backward(ops, images if of_images else None)
    peak_saved, peak_gradients = max(moments, key=sum)
    return BlockMemory(
        params=sum(layer.params for layer in layers),
        statistics=sum(2 * layer.out_channels for layer in layers if layer.kind == "norm"),
        input=images.elements,
        saved=_size(saved - {output}),
        peak_saved=peak_saved,
        peak_gradients=peak_gradients,
        forward=images.elements + forward,
        out_size=block.out_size,
        saves_output=output in ops[-1].saves,
    )


def classifier_memory(classifier: Classifier, *, input_saved: bool) -> BlockMemory:
    """Memory of pooling, linear layer and cross-entropy. `input_saved`: whether the block before saves its output."""
    pool, linear = classifier.layers
    given, pooled, logits = pool.in_elements, linear.in_elements, linear.out_elements
    # The linear layer saves the pooled vector, cross-entropy the logarithms of the probabilities.
    saved = (given if input_saved else 0) + pooled + logits
    return BlockMemory(
        params=linear.params,
        statistics=0,
        input=given,
        saved=saved,
        peak_saved=saved,
        peak_gradients=max(2 * logits, logits + pooled, pooled + given),
        forward=given + pooled + logits,
        out_size=1,
        saves_output=False,
    )


def _lowered(block: Block, given: Tensor) -> tuple[list[Op], int]:
    """A block's operations, and the elements that live at a time in inference beyond its input."""
    ops: list[Op] = []
    here, held, forward = given, 0, 0
    for part in block.parts:
        lowered = _lower(part, here)
        ops += lowered.ops
        # A part holds its input while it runs; the block's input is counted by the caller.
        forward = max(forward, held + lowered.forward)
        here = ops[-1].output
        held = here.elements
    if block.add:
        shortcut = _shortcut(block, given)
        ops += shortcut
        beside = shortcut[-1].output if shortcut else given
        # In inference a projection's map and norm take as much as its result and the sum.
        forward = max(forward, held + (beside.elements if shortcut else 0) + block.add.out_elements)
        ops.append(Op((here, beside), Tensor(block.add.out_elements), adds=True))
        here = ops[-1].output
    if block.activation:
        ops.append(_activation(block.activation, here))
    return ops, forward


def _lower(part: Any, given: Tensor) -> Lowered:
    """A part as operations. Raises TypeError for a kind of part that has no rule."""
    if type(part) not in _LOWERINGS:
        raise TypeError(f"no memory rule for parts of kind {type(part).__name__}: add one to metrics/footprint.py")
    return _LOWERINGS[type(part)](part, given)


def _lower_conv_norm(part: ConvNorm, given: Tensor) -> Lowered:
    """A convolution saves its input, a batch norm in training too."""
    out = part.norm.out_elements
    convolved = Tensor(out)
    ops = [Op((given,), convolved, saves=(given,)), Op((convolved,), Tensor(out), saves=(convolved,))]
    if part.activation:
        ops.append(_activation(part.activation, ops[-1].output))
    return Lowered(tuple(ops), forward=2 * out)


def _lower_squeeze_excite(part: SqueezeExcite, given: Tensor) -> Lowered:
    """The multiplication saves both factors, and computes the gate's gradient at the map's size before it sums it."""
    # Saved in between: the pooled vector, the squeezed one (by relu once, else also before it), the gate.
    squeezed = part.squeeze.out_elements * (1 if part.activation.function in RESULT_SAVED else 2)
    vectors = Tensor(part.squeeze.in_elements + squeezed + part.gate.out_elements)
    out = Tensor(part.multiply.out_elements)
    multiply = Op((given,), out, saves=(given, vectors), workspace=given.elements)
    return Lowered((multiply,), forward=out.elements + part.gate.out_elements)


def _lower_max_pool(part: MaxPool, given: Tensor) -> Lowered:
    """Max pooling saves its input and the places of the maxima."""
    out = part.pool.out_elements
    return Lowered((Op((given,), Tensor(out), saves=(given, Tensor(PLACE * out))),), forward=(1 + PLACE) * out)


_LOWERINGS: dict[type, Callable[[Any, Tensor], Lowered]] = {
    ConvNorm: _lower_conv_norm,
    SqueezeExcite: _lower_squeeze_excite,
    MaxPool: _lower_max_pool,
}


def _activation(layer: Layer, given: Tensor) -> Op:
    result = Tensor(layer.out_elements)
    return Op((given,), result, saves=(result if layer.function in RESULT_SAVED else given,))


def _shortcut(block: Block, given: Tensor) -> tuple[Op, ...]:
    """The operations of a shortcut; an identity has none. Average pooling saves nothing."""
    if block.projection:
        return _lower(block.projection, given).ops
    return (Op((given,), Tensor(block.pool.out_elements)),) if block.pool else ()


def _backward(ops: list[Op], images: Tensor | None) -> Iterator[tuple[int, int]]:
    """(saved elements that are left, elements of gradients) at every operation, from the last to the first.

    `images` is an input that needs no gradient.
    """
    # Gradients that were written and not yet read; those of an addition's inputs are one buffer.
    waiting: dict[Tensor, list[Tensor]] = {ops[-1].output: [Tensor(ops[-1].output.elements)]}
    for index in range(len(ops) - 1, -1, -1):
        op = ops[index]
        left = _size({tensor for before in ops[: index + 1] for tensor in before.saves})
        read = waiting.pop(op.output)
        if op.adds:
            # The forward addition: its inputs, but for the block's own, and the sum.
            made = {before.output for before in ops[:index]}
            yield left, _size(made & set(op.inputs)) + op.output.elements
            written = dict.fromkeys(op.inputs, read)
        else:
            written = {tensor: [Tensor(tensor.elements)] for tensor in op.inputs if tensor is not images}
            buffers = {buffer for group in (*waiting.values(), read, *written.values()) for buffer in group}
            yield left, _size(buffers) + op.workspace
        for tensor, group in written.items():
            waiting[tensor] = [*waiting.get(tensor, []), *group]


def _size(tensors: set[Tensor]) -> int:
    return sum(tensor.elements for tensor in tensors)
