"""What one block of a network holds in memory: elements of one image that autograd saves, and that live at a time.

The rules are torch's, for the modules that `network.build` makes (tools/autograd/derivatives.yaml of torch 2): a
convolution saves its input, a batch norm in training its input, relu (in place) its result, every other activation its
input (relu6 too: in place, it saves a copy), a multiplication both factors, max pooling its input and the places of the
maxima; additions and average poolings save nothing.
A tensor that two operations save is there once. Vectors of one number a channel are left out, except in
squeeze-and-excitation (SE).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass

from search_spaces.networks.blocks import Block, Classifier, ConvNorm, MaxPool, Part, SqueezeExcite

RESULT_SAVED = ("relu",)
# A maximum's place is an int64: as much as two float32 elements.
PLACE = 2


@dataclass(frozen=True, slots=True)
class BlockMemory:
    """A block's numbers. All but `params`, `statistics` and `out_size` are elements of one image.

    statistics  elements of the batch norms' running means and variances
    given       the block's input
    saved       kept for the backward pass: the block's input included, its output not (the next block counts it)
    left        of `saved`, what is still there at the moment that needs most, and its output where that is saved
    temporary   what else is there at that moment, above all gradients of activations
    forward     the most that lives at a time in a forward pass without gradients, the block's input included
    out_size    side of the output map in pixels
    keeps_output  whether what makes the output saves it
    """

    params: int
    statistics: int
    given: int
    saved: int
    left: int
    temporary: int
    forward: int
    out_size: int
    keeps_output: bool


@dataclass(frozen=True, slots=True)
class Step:
    """One operation's backward pass: gradients that it reads and writes, and saved elements that are freed after it.

    lent  saved elements that it needs too, but that the next block counts
    """

    gradients: int
    frees: int
    lent: int = 0


@dataclass(frozen=True, slots=True)
class Passes:
    """A block's steps in the order of the forward pass: of its parts, of a projection, of the activation at the end."""

    parts: tuple[Step, ...]
    projection: tuple[Step, ...]
    end: tuple[Step, ...]

    @property
    def frees(self) -> int:
        """Elements that the whole block saves."""
        return sum(step.frees for step in (*self.parts, *self.projection, *self.end))


def block_footprint(block: Block, *, of_images: bool = False) -> BlockMemory:
    """What a block of convolutions holds; `of_images` is the stem, whose input needs no gradient."""
    layers = block.layers
    given = layers[0].in_elements
    first, *others = _steps(block)
    if of_images:
        first = dataclasses.replace(first, gradients=first.gradients - given)
    passes = Passes((first, *others), tuple(_projection_steps(block)), tuple(_end_step(block)))
    left, temporary = max(_moments(block, passes), key=sum)
    return BlockMemory(
        params=sum(layer.params for layer in layers),
        statistics=sum(2 * layer.out_channels for layer in layers if layer.kind == "norm"),
        given=given,
        saved=passes.frees,
        left=left,
        temporary=temporary,
        forward=given + _forward(block),
        out_size=block.out_size,
        keeps_output=_keeps_output(block),
    )


def classifier_footprint(classifier: Classifier, *, keeps_output: bool) -> BlockMemory:
    """What pooling, linear layer and cross-entropy hold; `keeps_output` is that of the block before."""
    pool, linear = classifier.layers
    given, pooled, logits = pool.in_elements, linear.in_elements, linear.out_elements
    # The pooled map if what made it saved it, the pooled vector, and the logarithms of the probabilities.
    saved = (given if keeps_output else 0) + pooled + logits
    return BlockMemory(
        params=linear.params,
        statistics=0,
        given=given,
        saved=saved,
        left=saved,
        temporary=max(2 * logits, logits + pooled, pooled + given),
        forward=given + pooled + logits,
        out_size=1,
        keeps_output=False,
    )


def _steps(block: Block) -> Iterator[Step]:
    """The backward passes of the parts' large operations, in the order of the forward pass."""
    saved = False
    for part in block.parts:
        if not isinstance(part, ConvNorm):
            yield _multiply_step(part, saved) if isinstance(part, SqueezeExcite) else _max_step(part, saved)
            saved = False
            continue
        # The last map is the next block's input, which counts it; before an addition it is a tensor of its own.
        inside = part is not block.parts[-1] or block.add is not None
        yield from _conv_steps(part, input_saved=saved, inside=inside)
        saved = _saves_result(part)


def _conv_steps(part: ConvNorm, *, input_saved: bool, inside: bool) -> Iterator[Step]:
    given, out = part.conv.in_elements, part.norm.out_elements
    yield Step(given + out, 0 if input_saved else given)
    yield Step(2 * out, out)
    if part.activation:
        counted = inside or not _saves_result(part)
        yield Step(2 * out, out if counted else 0, lent=0 if counted else out)


def _projection_steps(block: Block) -> Iterator[Step]:
    """Those of the shortcut's convolution and norm; the block's input is counted by the parts."""
    if block.projection:
        yield from _conv_steps(block.projection, input_saved=True, inside=True)


def _end_step(block: Block) -> Iterator[Step]:
    """That of the activation behind the addition; what it saves is its input's copy, or the next block's input."""
    if block.activation:
        out = block.activation.out_elements
        kept = _keeps_output(block)
        yield Step(2 * out, 0 if kept else out, lent=out if kept else 0)


def _max_step(part: MaxPool, input_saved: bool) -> Step:
    given, out = part.pool.in_elements, part.pool.out_elements
    return Step(given + out, PLACE * out + (0 if input_saved else given))


def _multiply_step(part: SqueezeExcite, input_saved: bool) -> Step:
    """SE's multiplication, which computes both factors' gradients at the map's size before it sums up the gate's."""
    given = part.multiply.in_elements
    # Saved in between: the pooled vector, the squeezed one (by relu once, else also before it), the gate.
    squeezed = part.squeeze.out_elements * (1 if part.activation.function in RESULT_SAVED else 2)
    vectors = part.squeeze.in_elements + squeezed + part.gate.out_elements
    return Step(3 * given, vectors + (0 if input_saved else given))


def _moments(block: Block, passes: Passes) -> Iterator[tuple[int, int]]:
    """(saved elements that are left, temporary ones) at every step from the block's end to its beginning."""
    left = passes.frees
    for step in passes.end:
        yield left + step.lent, step.gradients
        left -= step.frees
    given, waiting = block.layers[0].in_elements, 0
    if block.add and (block.pool or block.projection):
        # The forward addition: the parts' result, the shortcut's and the sum. Going back, pooling needs no more.
        yield left, 3 * block.add.out_elements
    for step in reversed(passes.projection):
        yield left, step.gradients + waiting
        left -= step.frees
        # The sum's gradient, which the projection's last step has read, waits for the parts.
        waiting = block.projection.norm.out_elements if block.projection else 0
    waiting = given if block.pool or block.projection else 0
    for step in reversed(passes.parts):
        yield left + step.lent, step.gradients + waiting
        left -= step.frees
        # The shortcut's gradient waits for the parts'; an identity's is the very one that their last step reads.
        waiting = given if block.add else 0


def _forward(block: Block) -> int:
    """Elements that live at a time beyond the block's input; every part holds its own input while it runs."""
    given = most = 0
    for part in block.parts:
        most = max(most, given + _part_forward(part))
        given = _out_elements(part)
    if block.add is None:
        return most
    # A projection's convolution and norm take what its result and the sum take.
    shortcut = block.add.out_elements if block.pool or block.projection else 0
    return max(most, given + shortcut + block.add.out_elements)


def _part_forward(part: Part) -> int:
    """The convolution's map and the norm's; the multiplication's and the gate; the maxima and their places."""
    if isinstance(part, SqueezeExcite):
        return part.multiply.out_elements + part.gate.out_elements
    if isinstance(part, MaxPool):
        return (1 + PLACE) * part.pool.out_elements
    return 2 * part.norm.out_elements


def _out_elements(part: Part) -> int:
    return part.out_channels * part.out_size**2


def _keeps_output(block: Block) -> bool:
    """Whether the block's last operation saves its own result."""
    last = block.parts[-1]
    return _saves_result(block) or (block.add is None and isinstance(last, ConvNorm) and _saves_result(last))


def _saves_result(activated: ConvNorm | Block) -> bool:
    return activated.activation is not None and activated.activation.function in RESULT_SAVED
