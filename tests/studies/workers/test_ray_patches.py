"""Ray's internals are used in one file only, and put back afterwards. (That they work: test_faults.py.)"""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]


def test_no_other_file_uses_rays_internals() -> None:
    files = [path for folder in ("studies", "nas", "scaling", "benchmarks") for path in (ROOT / folder).rglob("*.py")]
    using = {path.name for path in files if "ray._private" in path.read_text() or "_base_exc" in path.read_text()}
    assert using == {"ray_patches.py"}


def test_what_is_replaced_is_put_back() -> None:
    ray = pytest.importorskip("ray")
    from studies.workers.ray_patches import loopback_only, quiet

    def state() -> tuple[object, object]:
        return ray._private.ray_constants.ENABLE_RAY_CLUSTER, ray._private.worker.print_to_stdstream

    before = state()
    with loopback_only(), quiet():
        clusters, printer = state()
        assert clusters is False
        assert printer is not before[1]
    assert state() == before
    with pytest.raises(LookupError), loopback_only(), quiet():
        raise LookupError
    assert state() == before


def test_the_exception_of_a_worker_is_found() -> None:
    pytest.importorskip("ray")
    from ray.train.v2._internal.exceptions import UserExceptionWithTraceback

    from studies.workers.ray_patches import worker_exception

    error = ValueError("a bad checkpoint")
    assert worker_exception(UserExceptionWithTraceback(error, "")) is error
    assert worker_exception(error) is error
