"""The operators by name, a row each: what the layers of a stage are made of."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any

from search_spaces.common.registry import Registry, Row
from search_spaces.common.user_code import called, is_user_code
from search_spaces.networks.blocks import ConvNorm, MaxPool, SqueezeExcite

if TYPE_CHECKING:
    from collections.abc import Callable

    from search_spaces.networks.arch import Arch, Stage
    from search_spaces.networks.blocks import Part
    from search_spaces.networks.operators import Context

    Parts = Callable[[Stage, Context], tuple[Part, ...]]

KINDS = (ConvNorm, SqueezeExcite, MaxPool)


@dataclass(frozen=True, kw_only=True)
class Operator(Row):
    """An operator's row. Its code is a function of `Stage` and `Context`: the parts of one layer, in sequence.

    The shortcut around the parts is no part of the operator. The first part takes the context's channels and size, the
    last one gives the stage's channels at 1 / stride of the size, rounded up.

    label            as the papers write it, such as MBConv
    about            what one layer is made of
    expands          whether it has an expansion; a space's choice names it behind the operator, such as mbconv6
    unexpanded       the operator that it equals with an expansion of 1; empty if none
    activated_after  whether its last convolution is linear and the layer is activated after the shortcut is added
    """

    about: str = ""
    expands: bool = False
    unexpanded: str = ""
    activated_after: bool = False

    @cached_property
    def parts(self) -> Parts:
        """The function. A user's own raises ValueError if its parts do not fit together."""
        make: Parts = self.load()
        return _checked(self.name, make) if is_user_code(self.name) else make


def _checked(name: str, make: Parts) -> Parts:
    def parts(stage: Stage, site: Context) -> tuple[Part, ...]:
        made = called(f"operator {name}", make, stage, site)
        if not (isinstance(made, tuple) and made and all(isinstance(part, KINDS) for part in made)):
            kinds = ", ".join(kind.__name__ for kind in KINDS)
            raise ValueError(f"operator {name} must return a tuple of parts ({kinds}), got {made!r:.80}")
        given, size = site.in_channels, site.in_size
        for part in made:
            first = part.layers[0]
            if (first.in_channels, first.in_size) != (given, size):
                raise ValueError(
                    f"operator {name}: {first.name} must take {given} channels of {size} px, as it is given, "
                    f"got {first.in_channels} of {first.in_size}"
                )
            given, size = part.out_channels, part.out_size
        asked = stage.channels, -(-site.in_size // site.stride)
        if (given, size) != asked:
            raise ValueError(
                f"operator {name} must end with the stage's {asked[0]} channels of {asked[1]} px, got {given} of {size}"
            )
        names = [layer.name for part in made for layer in part.layers]
        if len(set(names)) < len(names) or not all(one.startswith(f"{site.name}.") for one in names):
            raise ValueError(
                f"operator {name} must give its layers different names that begin with the context's, got "
                f"{', '.join(names)}"
            )
        return made

    return parts


def adopt(name: str, found: Any) -> Operator:
    """The row of a user's function."""
    try:
        inspect.signature(found).bind(None, None)
    except (TypeError, ValueError):
        raise ValueError("must be a function of a Stage and a Context that returns the parts of a layer") from None
    return Operator(name=name, code=name, label=name.partition(":")[2])


_CODE = "search_spaces.networks.operators"
OPERATORS = Registry(
    "operator",
    [
        Operator(
            name="conv",
            code=f"{_CODE}:conv",
            label="Conv",
            about="regular convolution",
        ),
        Operator(
            name="sepconv",
            code=f"{_CODE}:sepconv",
            label="SepConv",
            source="MnasNet, arXiv 1807.11626, Figure 7",
            about="depthwise convolution, linear 1x1 projection",
        ),
        Operator(
            name="mbconv",
            code=f"{_CODE}:mbconv",
            label="MBConv",
            source="MobileNetV2, arXiv 1801.04381, Figure 3",
            about="mobile inverted bottleneck: 1x1 expansion, depthwise convolution, linear 1x1 projection",
            expands=True,
            unexpanded="sepconv",
        ),
        Operator(
            name="fused",
            code=f"{_CODE}:fused",
            label="Fused-MBConv",
            source="EfficientNetV2, arXiv 2104.00298, Figure 2",
            about="a regular convolution expands, linear 1x1 projection",
            expands=True,
            unexpanded="conv",
        ),
        Operator(
            name="dwsep",
            code=f"{_CODE}:dwsep",
            label="DWSep",
            source="MobileNetV1, arXiv 1704.04861, Figure 3",
            about="depthwise convolution, activated 1x1 convolution",
        ),
        Operator(
            name="basic",
            code=f"{_CODE}:basic",
            label="Basic",
            source="ResNet, arXiv 1512.03385, Figure 5 left",
            about="two regular convolutions, activated after the addition",
            activated_after=True,
        ),
        Operator(
            name="bottleneck",
            code=f"{_CODE}:bottleneck",
            label="Bottleneck",
            source="ResNet, arXiv 1512.03385, Figure 5 right",
            about="1x1 reduction, regular convolution, 1x1 expansion, activated after the addition",
            expands=True,
            activated_after=True,
        ),
    ],
    adopt,
)


@cache
def operator(name: str) -> Operator:
    """The row of an operator, or of a user's own `module:name`. The walk asks for it at every layer.

    Raises ValueError, in one line, for anything else.
    """
    return OPERATORS.row(name)


def own_operators(*archs: Arch) -> tuple[str, ...]:
    """The user's own operators that networks are made of, and their code, as module:name."""
    ops = dict.fromkeys(stage.op for arch in archs for stage in arch.stages)
    return tuple(dict.fromkeys(code for op in ops for code in OPERATORS.own_code(op)))
