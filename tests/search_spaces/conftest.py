"""Random archs for property tests, and a user's own package, which the suites of all kinds run over as well.

`strategies.from_type(Arch)` draws small archs of every operator, skip and stride, the user's own operator included.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import strategies as st

from search_spaces.networks.arch import ACTIVATIONS, SKIPS, Arch, Stage
from search_spaces.networks.registry import OPERATORS

OWN = "triaxis_tests_own"
# One file for each kind: one function, and one row where a row says more than the function.
OWN_FILES = {
    "operators": '''
"""Ghost modules (arXiv 1911.11907) with an expansion: a narrow convolution, then a cheap depthwise one."""

from search_spaces.networks.blocks import conv_norm
from search_spaces.networks.registry import Operator


def ghost(stage, site):
    hidden = round(site.in_channels * stage.expansion)
    narrow = conv_norm(
        f"{site.name}.narrow", site.in_channels, hidden, site.in_size, kernel=1, activation=site.activation
    )
    cheap = conv_norm(
        f"{site.name}.cheap", hidden, hidden, site.in_size, kernel=stage.kernel, stride=site.stride, groups=hidden
    )
    wide = conv_norm(f"{site.name}.wide", hidden, stage.channels, cheap.out_size, kernel=1)
    return narrow, cheap, wide


GHOST = Operator(name="ghost", code=f"{__name__}:ghost", label="Ghost", source="arXiv 1911.11907", expands=True)
''',
    "spaces": f'''
"""A space of two stages, one of them with the operator of the file beside it."""

from search_spaces.networks.arch import Arch, Stage
from search_spaces.spaces.stage_choices import StageChoices
from search_spaces.spaces.staged import StagedSpace


def ghosts(resolution=16, classes=10):
    first = StageChoices(
        stride=1, op=("conv", "mbconv3"), kernel=(3, 5), se=(0.0, 0.25), skip=("identity", "none"), filters=(1.0, 2.0),
        layers=(1, 2), channels=(8, 16),
    )
    second = StageChoices(
        stride=2, op=("{OWN}.operators:GHOST:2", "{OWN}.operators:GHOST:4", "sepconv"), kernel=(3, 5), se=(0.0,),
        skip=("identity", "pool"), filters=(1.0, 1.5), layers=(1, 2, 3), channels=(16, 24),
    )
    stages = (Stage("conv", 3, 1, 8, 1), Stage("conv", 3, 2, 16, 1))
    reference = Arch(stages, stem=8, head=32, resolution=resolution, classes=classes)
    return StagedSpace("ghosts", (first, second), reference)
''',
    "strategies": '''
"""Depth first: three quarters of the growth."""

from search_spaces.resizing.registry import ScalingStrategy
from search_spaces.resizing.strategy import Strategy


def deep():
    return Strategy("deep", 3, 1, 0, depth_weights=(0, 1, 1))


DEEP = ScalingStrategy(name="deep", code=f"{__name__}:deep", label="mostly depth", source="ours")
''',
}


@pytest.fixture(scope="session", autouse=True)
def _own_package(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The package lies outside the repository, in a folder that Python searches."""
    folder = tmp_path_factory.mktemp("own")
    package = folder / OWN
    package.mkdir()
    for name, text in {"__init__": "", **OWN_FILES}.items():
        (package / f"{name}.py").write_text(text)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(folder))
        yield


_FIELDS = {
    "kernel": st.sampled_from((1, 3, 5, 7)),
    "stride": st.integers(1, 3),
    "channels": st.integers(1, 12),
    "layers": st.integers(1, 3),
    "se": st.sampled_from((0.0, 0.1, 0.25, 1.0)),
    "skip": st.sampled_from(SKIPS),
}
_PLAIN = [row.name for row in OPERATORS.values() if not row.expands]
_EXPANDING = [*(row.name for row in OPERATORS.values() if row.expands), f"{OWN}.operators:GHOST"]
_STAGES = st.builds(Stage, op=st.sampled_from(_PLAIN), **_FIELDS) | st.builds(
    Stage, op=st.sampled_from(_EXPANDING), expansion=st.sampled_from((1.0, 1.5, 3.0, 4.0, 6.0)), **_FIELDS
)

st.register_type_strategy(Stage, _STAGES)
st.register_type_strategy(
    Arch,
    st.builds(
        Arch,
        stages=st.lists(_STAGES, min_size=1, max_size=4).map(tuple),
        stem=st.integers(1, 12),
        head=st.integers(0, 20),
        resolution=st.integers(1, 40),
        classes=st.integers(1, 12),
        activation=st.sampled_from(ACTIVATIONS),
        stem_stride=st.integers(1, 2),
        in_channels=st.integers(1, 4),
        stem_kernel=st.sampled_from((1, 3, 7)),
        stem_pool=st.integers(1, 3),
    ),
)
