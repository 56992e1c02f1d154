"""Seeds of trials, as functions of the study's seed and the trial's draw."""

from __future__ import annotations

import zlib

import numpy as np

EXEMPT_SHARE = 0.1


def trial_seed(study_seed: int, kind: str, draw: int) -> int:
    """The training seed of a kind's draw: 31 bits."""
    return int(_words(study_seed, kind, draw)[0] >> 1)


def is_exempt(study_seed: int, kind: str, draw: int) -> bool:
    """Whether early stopping leaves the draw alone: about one in ten, and always the same ones."""
    return bool(_words(study_seed, kind, draw)[1] < EXEMPT_SHARE * 2**32)


def _words(study_seed: int, kind: str, draw: int) -> list[int]:
    words: list[int] = np.random.SeedSequence((study_seed, zlib.crc32(kind.encode()), draw)).generate_state(2).tolist()
    return words
