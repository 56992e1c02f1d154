"""Seeds of trials, as functions of the study's seed, the trial's phase and its proposal's index in that phase."""

from __future__ import annotations

import zlib

import numpy as np

NEVER_PRUNED_SHARE = 0.1


def trial_seed(study_seed: int, phase: str, proposal_index: int) -> int:
    """The training seed of a proposal: 31 bits."""
    return int(_words(study_seed, phase, proposal_index)[0] >> 1)


def is_never_pruned(study_seed: int, phase: str, proposal_index: int) -> bool:
    """Whether the pruner never stops the proposal's trial: about one in ten, and always the same ones."""
    return bool(_words(study_seed, phase, proposal_index)[1] < NEVER_PRUNED_SHARE * 2**32)


def _words(study_seed: int, phase: str, proposal_index: int) -> list[int]:
    sequence = np.random.SeedSequence((study_seed, zlib.crc32(phase.encode()), proposal_index))
    words: list[int] = sequence.generate_state(2).tolist()
    return words
