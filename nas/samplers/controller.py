"""MnasNet's controller: a small recurrent network that writes a network choice by choice, and how it learns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from search_spaces.spaces import Ints

HIDDEN = 64
RATE = 0.01
EPOCHS, CLIP = 6, 0.2  # PPO, Schulman et al. 2017 (arXiv 1707.06347), section 3
ENTROPY = 0.01
DECAY = 0.9  # of the moving baseline


class Controller(nn.Module):
    """An LSTM that reads the choices made so far and gives the probabilities of the next one's values.

    `radices` [k] are the numbers of values of the choices. It starts with nearly equal probabilities.
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
        self._optimiser = torch.optim.Adam(self.parameters(), lr=RATE)
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

        What counts is by how much a reward exceeds the moving mean of earlier batches, in units of their spread.
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
            gain = torch.minimum(ratio * advantage, clipped * advantage).mean() + ENTROPY * entropy
            self._optimiser.zero_grad()
            loss: Any = -gain
            loss.backward()
            self._optimiser.step()
        self._baseline = DECAY * self._baseline + (1 - DECAY) * mean
        self._scale = DECAY * self._scale + (1 - DECAY) * spread

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
