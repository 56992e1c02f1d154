"""Peak memory of a network in training and in inference, computed from its layers without allocating anything.

`python -m search_spaces.memory NAME` prints it, also for other kernels and activation functions.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from search_spaces.common.checks import check_whole
from search_spaces.common.suggest import nearest
from search_spaces.metrics.footprint import BlockMemory, block_memory, classifier_memory
from search_spaces.metrics.registry import Conditions
from search_spaces.networks.arch import Arch, Stage
from search_spaces.networks.blocks import Block, Classifier
from search_spaces.networks.layers import STEM, head_blocks, stage_layer, stem_block
from search_spaces.networks.operators import Context

# Numbers that the optimiser keeps for every weight, and copies of all weights that its step makes for a moment:
# torch's fused sgd (with momentum) and adamw make none, its multi-tensor rmsprop decays the gradients and takes the
# averages' roots out of place.
OPTIMIZERS = {"sgd": (1, 0), "rmsprop": (2, 2), "adamw": (2, 0)}


FLOAT32_BYTES = 4


@dataclass(frozen=True, slots=True)
class Memory:
    """Bytes of each kind at the moment when their sum is largest.

    weights      parameters, the batch norms' running statistics and, if kept, the moving average of both
    gradients    of the weights, as far as the backward pass has computed them
    optimizer    the optimiser's state
    activations  tensors saved for the backward pass, the images included; in inference all live maps
    workspace    gradients of activations, the optimiser's temporary copies
    """

    weights: int
    gradients: int
    optimizer: int
    activations: int
    workspace: int

    @property
    def total(self) -> int:
        """The peak in bytes."""
        return self.weights + self.gradients + self.optimizer + self.activations + self.workspace


@dataclass(frozen=True, slots=True)
class PeakCandidate:
    """Numbers (elements, not bytes) that live at one moment: a fixed part, and a part for each image of the batch."""

    weights: int
    gradients: int
    optimizer: int
    copies: int
    image_activations: int
    image_workspace: int

    @property
    def fixed(self) -> int:
        """Elements that do not depend on the batch."""
        return self.weights + self.gradients + self.optimizer + self.copies

    @property
    def image(self) -> int:
        """Elements for each image of the batch; at least the image's own."""
        return self.image_activations + self.image_workspace

    def memory(self, batch_size: int, width: int) -> Memory:
        """The moment in bytes, at `width` bytes an element."""
        return Memory(
            weights=width * self.weights,
            gradients=width * self.gradients,
            optimizer=width * self.optimizer,
            activations=width * self.image_activations * batch_size,
            workspace=width * (self.copies + self.image_workspace * batch_size),
        )


def training_memory(
    arch: Arch, batch_size: int, *, optimizer: str = "sgd", bytes_per_element: int = 4, ema: bool = False
) -> Memory:
    """Peak memory of a training step at the arch's own resolution, once the optimiser has its state.

    optimizer          sgd (with momentum), rmsprop (with momentum) or adamw
    bytes_per_element  of every number; 4 is float32
    ema                whether a moving average of the weights is kept too

    The numbers hold for the plain network of `networks.module.build` without stochastic depth. They do not include the
    faster convolutions of training on a CPU, a library's scratch memory, or an allocator's rounding and fragments.
    Raises ValueError for a batch below 1 and an unknown optimiser.
    """
    check_whole("a batch size", batch_size, 1)
    return _peak(training_moments(arch, optimizer, ema), batch_size, bytes_per_element)


def inference_memory(arch: Arch, batch_size: int, *, bytes_per_element: int = 4) -> Memory:
    """Peak memory of a forward pass without gradients in evaluation mode, the images included.

    Raises ValueError for a batch below 1.
    """
    check_whole("a batch size", batch_size, 1)
    return _peak(inference_moments(arch), batch_size, bytes_per_element)


def training_bytes(arch: Arch, conditions: Conditions) -> int:
    """The total of `training_memory` under some conditions, in float32."""
    return training_memory(arch, conditions.batch_size, optimizer=conditions.optimizer, ema=conditions.ema).total


def section_memory(blocks: Sequence[Block | Classifier]) -> tuple[int, int]:
    """Bytes of inference on one image, in float32: what the network holds for some blocks all the time, and their peak.

    Blocks are those of the stem, of a stage, of the head or of the classifier. The sum of the first over all of them,
    and the largest of the second, is the total of `inference_memory`.
    """
    memories = [_inference_of(block) for block in blocks]
    weights = sum(memory.params + memory.statistics for memory in memories)
    first, *later = memories
    # The images stay; a stage's input stays until the stage ends.
    peak = max([first.forward, *(first.input + memory.forward for memory in later)])
    images = first.input if isinstance(blocks[0], Block) and blocks[0].name == STEM else 0
    return FLOAT32_BYTES * (weights + images), FLOAT32_BYTES * (peak - images)


def _inference_of(block: Block | Classifier) -> BlockMemory:
    return block_memory(block) if isinstance(block, Block) else classifier_memory(block, input_saved=False)


def largest_batch(
    arch: Arch,
    budget_bytes: int,
    *,
    training: bool = True,
    optimizer: str = "sgd",
    bytes_per_element: int = 4,
    ema: bool = False,
) -> int:
    """The largest batch whose peak memory is at most `budget_bytes`; 0 if not even one image fits.

    Raises ValueError for a negative budget and an unknown optimiser.
    """
    check_whole("a memory budget in bytes", budget_bytes, 0)
    check_whole("bytes_per_element", bytes_per_element, 1)
    moments = training_moments(arch, optimizer, ema) if training else inference_moments(arch)
    room = budget_bytes // bytes_per_element
    # At every moment memory grows linearly with the batch; the moment that allows the fewest images decides.
    return max(0, min((room - moment.fixed) // moment.image for moment in moments))


def training_moments(arch: Arch, optimizer: str = "sgd", ema: bool = False) -> Iterator[PeakCandidate]:
    """The peak in the backward pass of every block, from the last to the first, then the optimiser's step.

    The forward pass is left out: it never needs more than the beginning of the backward pass.
    """
    if optimizer not in OPTIMIZERS:
        raise ValueError(f"unknown optimizer '{optimizer}'{nearest(optimizer, OPTIMIZERS)}")
    states, copies = OPTIMIZERS[optimizer]
    blocks = [block for group in block_memories(arch) for block in group]
    params = sum([block.params for block in blocks])
    weights = (params + sum([block.statistics for block in blocks])) * (2 if ema else 1)
    saved = sum([block.saved for block in blocks])
    gradients = 0
    for block in reversed(blocks):
        saved -= block.saved
        gradients += block.params
        yield PeakCandidate(weights, gradients, states * params, 0, saved + block.peak_saved, block.peak_gradients)
    # The caller still holds the images.
    yield PeakCandidate(weights, params, states * params, copies * params, blocks[0].input, 0)


def inference_moments(arch: Arch) -> Iterator[PeakCandidate]:
    """The peak in every block's forward pass. The images stay; a stage's input stays until the stage ends."""
    groups = list(block_memories(arch))
    weights = sum([block.params + block.statistics for group in groups for block in group])
    images = 0
    for group in groups:
        held = images
        for block in group:
            yield PeakCandidate(weights, 0, 0, 0, held + block.forward, 0)
            held = images + group[0].input
        images = groups[0][0].input


def block_memories(arch: Arch) -> Iterator[tuple[BlockMemory, ...]]:
    """The memory of the network's blocks: the stem, each stage's layers, the head if there is one, the classifier."""
    last = block_memory(stem_block(arch), of_images=True)
    yield (last,)
    size = last.out_size
    for stage, given in arch.inputs():
        layer = dataclasses.replace(stage, layers=1)
        first = layer_memory(layer, Context("", given, size, stage.stride, arch.activation))
        size = first.out_size
        later = layer_memory(layer, Context("", stage.channels, size, 1, arch.activation))
        last = first if stage.layers == 1 else later
        yield first, *[later] * (stage.layers - 1)
    head, classifier = head_blocks(arch, arch.stages[-1].channels, size)
    for block in head:
        last = block_memory(block)
        yield (last,)
    yield (classifier_memory(classifier, input_saved=last.saves_output),)


# The networks of a scaling grid share most layers.
@lru_cache(maxsize=2**15)
def layer_memory(stage: Stage, site: Context) -> BlockMemory:
    """The memory of one layer of a stage in its context."""
    return block_memory(stage_layer(stage, site))


def _peak(moments: Iterable[PeakCandidate], batch_size: int, width: int) -> Memory:
    check_whole("bytes_per_element", width, 1)
    return max(moments, key=lambda moment: moment.fixed + moment.image * batch_size).memory(batch_size, width)
