"""Reinforcement learning as in MnasNet (arXiv 1807.11626, section 3.2): a recurrent controller trained with PPO."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from optuna import Study
from optuna.trial import FrozenTrial

from nas import samplers
from nas.samplers.base import UNIFORM, SpaceSampler
from nas.samplers.history import Entry, judged, seen
from search_spaces.mutation import inside
from search_spaces.spaces import Ints

if TYPE_CHECKING:
    from nas.samplers.controller import Controller

BATCH = samplers.STARTUP["ppo"]
DRAWS = 64  # networks drawn at once, until one is new and in the band


class PpoSampler(SpaceSampler):
    """Draws from a controller that has learned from every full batch of `BATCH` trials, in the order they ended.

    What the controller knows follows from the study: another process that opens it replays its batches, some
    hundredths of a second each. Trials that came to nothing count as the worst of those before them.
    """

    name = "ppo"
    _controller: Controller | None = None
    _learned: tuple[int, ...] = ()  # numbers of the trials the controller has learned from
    _study = ""

    def propose(self, study: Study, trial: FrozenTrial, rng: np.random.Generator) -> tuple[dict[str, Any], str]:
        entries = self._reader.entries(study)
        controller = self._taught(study.study_name, judged(entries))
        if not self._learned:
            return self.uniform(rng), UNIFORM
        drawn = self._space.canonical(controller.sample(rng, DRAWS))
        known = seen(entries)
        for row, within in zip(drawn, inside(self._space, drawn, self._band), strict=True):
            if within and row.tobytes() not in known:
                return self.params(row), self.name
        found = self.new_near(rng, drawn[0], known)
        return (self.uniform(rng), UNIFORM) if found is None else (self.params(found), self.name)

    def _taught(self, study: str, trials: Sequence[Entry]) -> Controller:
        """The controller after all full batches; begun anew where the study is not the one it has learned from."""
        from nas.samplers.controller import Controller

        usable = trials[: len(trials) // BATCH * BATCH]
        numbers = tuple(entry.number for entry in usable)
        if self._controller is None or self._study != study or numbers[: len(self._learned)] != self._learned:
            self._controller, self._learned, self._study = Controller(self._space.radices, self._seed), (), study
        for begin in range(len(self._learned), len(usable), BATCH):
            rewards = _rewards(usable[: begin + BATCH])[begin:]
            self._controller.learn(_encodings(usable[begin : begin + BATCH]), rewards)
        self._learned = numbers
        return self._controller


def _encodings(entries: Sequence[Entry]) -> Ints:
    return np.array([entry.encoding for entry in entries], dtype=np.int64)


def _rewards(entries: Sequence[Entry]) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Values [n]; the last rung's of a trial stopped early, the worst of all for one that came to nothing."""
    values = [
        entry.value if entry.value is not None else entry.rungs[max(entry.rungs)] if entry.rungs else np.nan
        for entry in entries
    ]
    array = np.array(values, dtype=np.float64)
    worst = 0.0 if np.isnan(array).all() else float(np.nanmin(array))
    return np.where(np.isnan(array), worst, array)
