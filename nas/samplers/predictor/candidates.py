"""Candidate generation: uniform draws and mutants of the best networks, then hill climbing from the best of these."""

from __future__ import annotations

import numpy as np

from nas.samplers.predictor.acquisition import Score
from search_spaces.counting.band import Within
from search_spaces.spaces.mutation import mutants
from search_spaces.spaces.space import Ints, Space

# Candidates to begin with: uniform draws, and mutants of so many best networks.
UNIFORM_DRAWS, MUTANTS, PARENTS = 300, 500, 10
# Each round of hill climbing keeps so many candidates and adds so many mutants of them.
CLIMBERS, MUTANTS_PER_ROUND, MAX_ROUNDS = 5, 200, 6


def best_new(
    space: Space, rng: np.random.Generator, score: Score, centres: Ints, seen: set[bytes], within: Within | None
) -> Ints | None:
    """The network with the highest score that is not in `seen` (canonical encodings as bytes); None for none new.

    centres  the best networks so far [m, k], whose mutants are candidates
    """
    wide = space.sample(rng, UNIFORM_DRAWS, within=within, of="encodings" if within is None else "networks")
    near = mutants(space, rng, centres, MUTANTS, within)
    candidates = _new(space, np.concatenate([wide, near]), seen)
    if not len(candidates):
        return None
    scores = score(candidates)
    for _ in range(MAX_ROUNDS):
        top = np.argsort(-scores, kind="stable")[:CLIMBERS]
        candidates, scores = candidates[top], scores[top]
        known = seen | {row.tobytes() for row in candidates}
        steps = _new(space, mutants(space, rng, candidates, MUTANTS_PER_ROUND, within), known)
        if not len(steps):
            break
        reached = score(steps)
        done = reached.max() <= scores[0]
        candidates, scores = np.concatenate([candidates, steps]), np.concatenate([scores, reached])
        if done:
            break
    return np.asarray(candidates[int(np.argmax(scores))])


def _new(space: Space, rows: Ints, seen: set[bytes]) -> Ints:
    """The different networks among encodings, without those seen."""
    rows = np.unique(space.canonical(rows), axis=0)
    return rows[[row.tobytes() not in seen for row in rows]]
