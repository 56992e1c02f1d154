"""The segments of a run, and the seeds of their random numbers."""

from __future__ import annotations

from studies.trainer.segments import derive_seed, segments


def test_segments_cover_every_step_once() -> None:
    plan = segments(steps_per_epoch=7, epochs=3, per_epoch=2)
    assert [step for segment in plan for step in range(segment.first, segment.last)] == list(range(21))
    assert {segment.total for segment in plan} == {21}
    assert [(segment.epoch, segment.start) for segment in plan] == [(0, 0), (0, 4), (1, 0), (1, 4), (2, 0), (2, 4)]
    assert len(segments(steps_per_epoch=2, epochs=1, per_epoch=5)) == 2


def test_derived_seeds_differ() -> None:
    assert len({derive_seed(seed, epoch, 0) for seed in range(20) for epoch in range(20)}) == 400
    assert 0 <= derive_seed(2**63) < 2**63
