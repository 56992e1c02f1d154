"""Reinforcement learning as in MnasNet (arXiv 1807.11626, section 3.2): a recurrent controller trained with PPO."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from optuna import Study
from optuna.trial import FrozenTrial
from torch import Tensor, nn

from nas.samplers.base import UNIFORM, SpaceSampler
from nas.samplers.history import Entry, judged, seen
from nas.samplers.registry import SAMPLERS
from search_spaces.spaces.mutation import inside
from search_spaces.spaces.space import Ints

HIDDEN = 64  # units of the controller's LSTM
LEARNING_RATE = 0.01
EPOCHS, CLIP = 6, 0.2  # PPO, Schulman et al. 2017 (arXiv 1707.06347), section 3
ENTROPY_WEIGHT = 0.01
BASELINE_DECAY = 0.9
BATCH = SAMPLERS["ppo"].startup  # trials of one update of the controller
DRAWS = 64  # networks drawn at once; the first that is new and in the band is proposed


class Controller(nn.Module):
    """An LSTM that reads the choices made so far and predicts the probabilities of the next choice's values.

    `radices` [k] are the numbers of values of the choices. The first probabilities are nearly equal.
    """

    def __init__(self, radices: Sequence[int], seed: int) -> None:
        super().__init__()
        self._offsets = np.concatenate([[0], np.cumsum(radices)]).tolist()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            # One embedding for the beginning, one for each value of each choice.
            self.embedding = nn.Embedding(1 + sum(radices), HIDDEN)
            self.cell = nn.LSTMCell(HIDDEN, HIDDEN)
            self.heads = nn.ModuleList(_head(radix) for radix in radices)
        self._optimizer = torch.optim.Adam(self.parameters(), lr=LEARNING_RATE)
        self._baseline: float | None = None
        self._scale = 0.0

    @torch.no_grad()
    def sample(self, rng: np.random.Generator, n: int) -> Ints:
        """Encodings [n, k] drawn from the controller's probabilities."""
        columns: list[Tensor] = []
        state, read = None, torch.zeros(n, dtype=torch.long)
        for place, head in enumerate(self.heads):
            state = self.cell(self.embedding(read), state)
            logits = head(state[0])
            # The largest of logit + Gumbel noise is a draw from the softmax.
            columns.append((logits + torch.from_numpy(rng.gumbel(size=tuple(logits.shape)))).argmax(dim=1))
            read = 1 + self._offsets[place] + columns[-1]
        return np.asarray(torch.stack(columns, dim=1).numpy(), dtype=np.int64)

    def learn(self, encodings: Ints, rewards: NDArray[np.float64]) -> None:
        """One batch [n, k] with rewards [n]: `EPOCHS` steps on PPO's clipped objective, with an entropy bonus.

        The advantage of a network is its reward minus the moving mean of earlier batches, in units of their spread.
        """
        mean, spread = float(rewards.mean()), float(rewards.std())
        if self._baseline is None:
            self._baseline, self._scale = mean, spread
        advantage = torch.from_numpy((rewards - self._baseline) / max(self._scale, 1e-9)).clamp(-3, 3)
        chosen = torch.from_numpy(encodings)
        with torch.no_grad():
            before, _ = self._score(chosen)
        for _ in range(EPOCHS):
            log_probability, entropy = self._score(chosen)
            ratio = (log_probability - before).exp()
            clipped = ratio.clamp(1 - CLIP, 1 + CLIP)
            gain = torch.minimum(ratio * advantage, clipped * advantage).mean() + ENTROPY_WEIGHT * entropy
            self._optimizer.zero_grad()
            loss: Any = -gain
            loss.backward()
            self._optimizer.step()
        self._baseline = BASELINE_DECAY * self._baseline + (1 - BASELINE_DECAY) * mean
        self._scale = BASELINE_DECAY * self._scale + (1 - BASELINE_DECAY) * spread

    def _score(self, chosen: Tensor) -> tuple[Tensor, Tensor]:
        """Log probabilities [n] of encodings [n, k], and the mean entropy of a choice."""
        total, entropy = torch.zeros(len(chosen)), torch.zeros(())
        state, read = None, torch.zeros(len(chosen), dtype=torch.long)
        for place, head in enumerate(self.heads):
            state = self.cell(self.embedding(read), state)
            logs = head(state[0]).log_softmax(dim=1)
            total = total + logs.gather(1, chosen[:, place : place + 1])[:, 0]
            entropy = entropy - (logs.exp() * logs).sum(dim=1).mean()
            read = 1 + self._offsets[place] + chosen[:, place]
        return total, entropy / len(self.heads)


def _head(radix: int) -> nn.Linear:
    head = nn.Linear(HIDDEN, radix)
    nn.init.zeros_(head.bias)
    nn.init.normal_(head.weight, std=0.01)
    return head


class PpoSampler(SpaceSampler):
    """Draws from a controller that is trained on every full batch of `BATCH` trials, in the order they ended.

    The controller's state follows from the study: another process that opens the study replays its batches, some
    hundredths of a second each. Trials without a value count as the worst of the trials before them.
    """

    name = "ppo"
    startup = BATCH
    _controller: Controller | None = None
    _trained_on: tuple[int, ...] = ()  # numbers of the trials that the controller was trained on
    _study = ""

    def propose(self, study: Study, trial: FrozenTrial, rng: np.random.Generator) -> tuple[dict[str, Any], str]:
        entries = self._reader.entries(study)
        controller = self._trained(study.study_name, judged(entries))
        if not self._trained_on:
            return self.uniform(rng), UNIFORM
        drawn = self._space.canonical(controller.sample(rng, DRAWS))
        known = seen(entries)
        for row, is_inside in zip(drawn, inside(self._space, drawn, self._within), strict=True):
            if is_inside and row.tobytes() not in known:
                return self.params(row), self.name
        found = self.new_near(rng, drawn[0], known)
        return (self.uniform(rng), UNIFORM) if found is None else (self.params(found), self.name)

    def _trained(self, study: str, trials: Sequence[Entry]) -> Controller:
        """The controller after all full batches; a new one if the study is not the one that it was trained on."""
        usable = trials[: len(trials) // BATCH * BATCH]
        numbers = tuple(entry.number for entry in usable)
        if self._controller is None or self._study != study or numbers[: len(self._trained_on)] != self._trained_on:
            self._controller, self._trained_on, self._study = Controller(self._space.radices, self._seed), (), study
        for begin in range(len(self._trained_on), len(usable), BATCH):
            rewards = _rewards(usable[: begin + BATCH])[begin:]
            self._controller.learn(_encodings(usable[begin : begin + BATCH]), rewards)
        self._trained_on = numbers
        return self._controller


def _encodings(entries: Sequence[Entry]) -> Ints:
    return np.array([entry.encoding for entry in entries], dtype=np.int64)


def _rewards(entries: Sequence[Entry]) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Values [n]; the last rung's of a trial stopped early, the worst of all for a trial without a value."""
    values = [
        entry.value if entry.value is not None else entry.rungs[max(entry.rungs)] if entry.rungs else np.nan
        for entry in entries
    ]
    array = np.array(values, dtype=np.float64)
    worst = 0.0 if np.isnan(array).all() else float(np.nanmin(array))
    return np.where(np.isnan(array), worst, array)
