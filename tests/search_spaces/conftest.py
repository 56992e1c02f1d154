"""Random archs for property tests.

`strategies.from_type(Arch)` draws small archs of every operator, skip and stride, the user's own operator included.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import strategies as st

from search_spaces.networks.arch import ACTIVATIONS, SKIPS, Arch, Stage
from search_spaces.networks.registry import OPERATORS


@pytest.fixture(scope="session", autouse=True)
def _outside(outside: Path) -> None:
    """Every suite can import the user's own operator."""


_FIELDS = {
    "kernel": st.sampled_from((1, 3, 5, 7)),
    "stride": st.integers(1, 3),
    "channels": st.integers(1, 12),
    "layers": st.integers(1, 3),
    "se": st.sampled_from((0.0, 0.1, 0.25, 1.0)),
    "skip": st.sampled_from(SKIPS),
}
_PLAIN = [row.name for row in OPERATORS.values() if not row.expands]
_EXPANDING = [*(row.name for row in OPERATORS.values() if row.expands), "outside_operator:CHEAP"]
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
