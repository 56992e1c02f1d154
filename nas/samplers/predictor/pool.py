"""Where to look for the next network: all over the space, around the best ones, and uphill from there."""

from __future__ import annotations

import numpy as np

from nas.samplers.predictor.acquisition import Score
from search_spaces.counting.band import Band
from search_spaces.spaces.mutation import mutants
from search_spaces.spaces.space import Ints, Space

UNIFORM, AROUND, PARENTS = 300, 500, 10
CLIMBERS, STEP, ROUNDS = 5, 200, 6


def best_new(
    space: Space, rng: np.random.Generator, score: Score, centres: Ints, seen: set[bytes], band: Band | None
) -> Ints | None:
    """The network with the highest score that is not in `seen` (canonical encodings as bytes); None for none new.

    centres  the most promising measured networks [m, k], whose mutants are looked at
    """
    wide = space.sample(rng, UNIFORM, macs=band, of="encodings" if band is None else "networks")
    near = mutants(space, rng, centres, AROUND, band)
    pool = _new(space, np.concatenate([wide, near]), seen)
    if not len(pool):
        return None
    scores = score(pool)
    for _ in range(ROUNDS):
        top = np.argsort(-scores, kind="stable")[:CLIMBERS]
        pool, scores = pool[top], scores[top]
        known = seen | {row.tobytes() for row in pool}
        steps = _new(space, mutants(space, rng, pool, STEP, band), known)
        if not len(steps):
            break
        reached = score(steps)
        done = reached.max() <= scores[0]
        pool, scores = np.concatenate([pool, steps]), np.concatenate([scores, reached])
        if done:
            break
    return np.asarray(pool[int(np.argmax(scores))])


def _new(space: Space, rows: Ints, seen: set[bytes]) -> Ints:
    """The different networks among encodings, without those seen."""
    rows = np.unique(space.canonical(rows), axis=0)
    return rows[[row.tobytes() not in seen for row in rows]]
