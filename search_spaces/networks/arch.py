"""A whole network as data: `Stage` (one row of a paper's network table) and `Arch` (the table)."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from search_spaces.common.checks import check_whole
from search_spaces.common.files import atomic_write
from search_spaces.common.suggest import nearest
from search_spaces.networks.registry import OPERATORS, operator

SKIPS = ("identity", "pool", "projection", "none")
ACTIVATIONS = ("relu", "relu6", "silu", "hardswish", "gelu")
FORMAT = "triaxis-arch-1"
# The usual stem. Files and keys leave out fields that have these values.
USUAL_STEM = {"stem_kernel": 3, "stem_pool": 1}


@dataclass(frozen=True, slots=True)
class Stage:
    """One row of a network table: the same layer repeated `layers` times, the first one with `stride`.

    op         what a layer is made of: the name of an operator (`networks.registry`), or a user's own as module:name
    kernel     odd kernel size of the spatial convolution
    stride     of the stage's first layer; the others have stride 1
    channels   output channels of every layer
    layers     number of layers
    expansion  mbconv's and fused's hidden channels over their input channels (1 leaves the expansion out; fused is then
               conv); bottleneck's output channels over its hidden ones
    se         squeeze-and-excitation: squeezed channels over the layer's INPUT channels; 0 is none
    skip       identity (a residual where stride is 1 and channels agree), pool (a parameter-free shortcut in every
               layer: average pooling by the stride, missing channels zero-padded, surplus ones cut), projection (in
               every layer: a residual, where none fits a 1x1 convolution by the stride and a batch norm) or none
    """

    op: str
    kernel: int
    stride: int
    channels: int
    layers: int
    expansion: float = 1.0
    se: float = 0.0
    skip: str = "identity"

    def __post_init__(self) -> None:
        expands = operator(str(self.op)).expands
        _check_name("skip", self.skip, SKIPS)
        for field in ("kernel", "stride", "channels", "layers"):
            check_whole(f"a stage's {field}", getattr(self, field), 1)
        if self.kernel % 2 == 0:
            raise ValueError(f"a stage's kernel must be odd, got {self.kernel}")
        if not 1 <= self.expansion < math.inf:
            raise ValueError(f"a stage's expansion must be at least 1, got {self.expansion}")
        if self.expansion != 1 and not expands:
            having = ", ".join(row.name for row in OPERATORS.values() if row.expands)
            raise ValueError(f"only {having} have an expansion, got {self.expansion} for op {self.op}")
        if not 0 <= self.se <= 1:
            raise ValueError(f"a stage's se ratio must lie between 0 and 1, got {self.se}")


@dataclass(frozen=True, slots=True)
class Arch:
    """A network: stem, stages, 1x1 head, global average pooling, one linear layer.

    Hashable, JSON in and out. `key` is the same for all descriptions of one network by the same number of stages.
    `stem` and `head` are channels; a head of 0 means none: the last stage is then pooled. `resolution` is the side
    of the square input in pixels, `norm_eps` the batch norms' epsilon. The stem is a convolution of `stem_kernel` and
    `stem_stride`, then 3x3 max pooling by `stem_pool` pixels (1: no pooling).
    """

    stages: tuple[Stage, ...]
    stem: int
    head: int
    resolution: int
    classes: int = 1000
    activation: str = "relu"
    stem_stride: int = 2
    in_channels: int = 3
    norm_eps: float = 1e-5
    name: str = ""
    stem_kernel: int = 3
    stem_pool: int = 1

    def __post_init__(self) -> None:
        if not isinstance(self.stages, tuple) or not all(isinstance(stage, Stage) for stage in self.stages):
            raise ValueError("an arch's stages must be a tuple of Stage, so that the arch can be hashed")
        if not self.stages:
            raise ValueError("an arch needs at least one stage, got none")
        for field in ("stem", "resolution", "classes", "stem_stride", "stem_kernel", "stem_pool", "in_channels"):
            check_whole(f"an arch's {field}", getattr(self, field), 1)
        check_whole("an arch's head", self.head, 0)
        if self.stem_kernel % 2 == 0:
            raise ValueError(f"an arch's stem_kernel must be odd, got {self.stem_kernel}")
        _check_name("activation", self.activation, ACTIVATIONS)
        if not 0 < self.norm_eps < math.inf:
            raise ValueError(f"an arch's norm_eps must be positive, got {self.norm_eps}")

    @property
    def key(self) -> str:
        """16 hexadecimal digits that name the network: equal for equal canonical forms, whatever the name."""
        return _key(self)

    @property
    def total_stride(self) -> int:
        """Input pixels a side for one pixel of the last feature map."""
        total = self.stem_stride * self.stem_pool
        for stage in self.stages:
            total *= stage.stride
        return total

    @property
    def widths(self) -> tuple[int, ...]:
        """Channels of the stem, of every stage and, if there is one, of the head."""
        return (self.stem, *(stage.channels for stage in self.stages), *((self.head,) if self.head else ()))

    def inputs(self) -> Iterator[tuple[Stage, int]]:
        """Each stage with the number of channels that enter it."""
        channels = self.stem
        for stage in self.stages:
            yield stage, channels
            channels = stage.channels

    def canonical(self) -> Arch:
        """The same network in its one canonical description (equivalent ops and skips merged)."""
        stages = tuple(canonical_stage(stage, channels) for stage, channels in self.inputs())
        return self.replace(stages=stages, norm_eps=float(self.norm_eps))

    def replace(self, **changes: Any) -> Arch:
        """A copy with some fields changed, validated again."""
        return dataclasses.replace(self, **changes)

    def to_json(self) -> str:
        """The arch as JSON text; `from_json` gives back an equal arch."""
        return json.dumps({"format": FORMAT, **self._fields()}, indent=2) + "\n"

    def _fields(self) -> dict[str, Any]:
        fields = _shallow(self) | {"stages": [_shallow(stage) for stage in self.stages]}
        return {name: value for name, value in fields.items() if name not in USUAL_STEM or value != USUAL_STEM[name]}

    @classmethod
    def from_json(cls, text: str) -> Arch:
        """Read what `to_json` wrote. Raises ValueError, in one line, for anything else."""
        try:
            fields = json.loads(text)
        except json.JSONDecodeError as error:
            raise ValueError(f"no arch: not JSON ({error})") from None
        if not isinstance(fields, dict) or fields.pop("format", None) != FORMAT:
            raise ValueError(f'no arch: expected a JSON object with "format": "{FORMAT}"')
        try:
            stages = tuple(Stage(**row) for row in fields.pop("stages"))
            return cls(stages=stages, **fields)
        except (TypeError, KeyError) as error:
            raise ValueError(f"no arch: {error}") from None

    def save(self, path: str | Path) -> None:
        """Write the arch as a JSON file, atomically."""
        atomic_write(path, self.to_json())

    @classmethod
    def load(cls, path: str | Path) -> Arch:
        """Read an arch file. Raises ValueError, naming the file, if it is missing or holds no arch."""
        try:
            return cls.from_json(Path(path).read_text())
        except OSError as error:
            raise ValueError(f"cannot read arch file {path}: {error.strerror}") from None
        except UnicodeDecodeError:
            raise ValueError(f"{path}: no arch: not text") from None
        except ValueError as error:
            raise ValueError(f"{path}: {error}") from None


def canonical_stage(stage: Stage, in_channels: int) -> Stage:
    """The stage's canonical description, given the channels that enter it.

    An mbconv without expansion is a sepconv, a fused one a conv. If the first layer can hold a residual, pool and
    projection become identity. If it cannot and the stage has no other layer, identity becomes none. A basic block
    without shortcut and SE is two convolutions.
    """
    op, skip, layers = stage.op, stage.skip, stage.layers
    if stage.expansion == 1:
        op = operator(op).unexpanded or op
    residual = stage.stride == 1 and in_channels == stage.channels
    if skip in ("pool", "projection") and residual:
        skip = "identity"
    elif skip == "identity" and not residual and stage.layers == 1:
        skip = "none"
    if op == "basic" and skip == "none" and not stage.se:
        op, layers = "conv", 2 * stage.layers
    # 6 and 6.0 are equal but print differently, and the key is made of the printed form.
    expansion, se = float(stage.expansion), float(stage.se)
    return dataclasses.replace(stage, op=op, skip=skip, layers=layers, expansion=expansion, se=se)


@lru_cache(maxsize=4096)
def _key(arch: Arch) -> str:
    """An analysis asks for the keys of the same networks again and again."""
    fields = arch.canonical()._fields()
    del fields["name"]
    return hashlib.sha256(json.dumps(fields, sort_keys=True).encode()).hexdigest()[:16]


def _shallow(row: Arch | Stage) -> dict[str, Any]:
    """A dataclass as a mapping; `dataclasses.asdict` would copy every value."""
    return {field.name: getattr(row, field.name) for field in dataclasses.fields(row)}


def _check_name(what: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise ValueError(f"unknown {what} '{value}'{nearest(str(value), known)}")
