"""The private parts of Optuna that samplers need. No other file names one; pyproject.toml pins Optuna for this file.

Optuna's public `sample_relative` of TPE and of the Gaussian process writes its proposal into the trial, in the storage.
`SpaceSampler.draw` proposes for a trial that no storage holds yet, and TPE draws again until it meets the cost band. So
both need the step before that write. NSGA-II needs nothing private: see `nas.samplers.nsga2`.
"""

from __future__ import annotations

import warnings
from collections.abc import Container, Iterator, Mapping, Sequence
from typing import Any

from optuna import Study
from optuna.distributions import BaseDistribution
from optuna.exceptions import ExperimentalWarning
from optuna.samplers import GPSampler, TPESampler
from optuna.trial import FrozenTrial, TrialState


def tpe_proposals(
    study: Study,
    trials: Sequence[FrozenTrial],
    trial: FrozenTrial,
    distributions: Mapping[str, BaseDistribution],
    seed: int,
) -> Iterator[dict[str, Any]]:
    """Parameters that multivariate TPE proposes for `trial`, one proposal after another, from these trials alone.

    Uses `TPESampler._sample_relative(study, trial, search_space)`, and the method `_get_trials` of the study that it is
    given. If Optuna renames the first, this raises AttributeError. If TPE reads a study otherwise, it sees all trials
    of the study: parameters of another tool then raise KeyError or ValueError.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)
        sampler = TPESampler(multivariate=True, n_startup_trials=0, seed=seed)
    view: Any = _SelectedTrials(study, trials)
    while True:
        yield sampler._sample_relative(view, trial, dict(distributions))


def gp_proposal(
    study: Study,
    complete: Sequence[FrozenTrial],
    running: Sequence[FrozenTrial],
    distributions: Mapping[str, BaseDistribution],
    seed: int,
) -> dict[str, Any]:
    """Parameters that Optuna's Gaussian process proposes from these trials. A distribution must have several values.

    Uses `GPSampler._sample_relative_impl(study, completed, running, search_space)`. If Optuna renames it, this raises
    AttributeError; if Optuna reads further trials from the study there, the fit takes longer as a study grows.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        sampler = GPSampler(seed=seed, n_startup_trials=0)
        return sampler._sample_relative_impl(study, list(complete), list(running), dict(distributions))


class _SelectedTrials:
    """A study with some of its trials only: others may hold another tool's choices under the same names."""

    def __init__(self, study: Study, trials: Sequence[FrozenTrial]) -> None:
        self._study = study
        self._trials = trials

    def _get_trials(self, deepcopy: bool, states: Container[TrialState], use_cache: bool) -> list[FrozenTrial]:
        return [trial for trial in self._trials if trial.state in states]

    def __getattr__(self, name: str) -> Any:
        return getattr(self._study, name)
