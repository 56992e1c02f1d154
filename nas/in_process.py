"""Search in one process, for notebooks and tables: no Ray, no files."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import optuna
from optuna.trial import FrozenTrial, TrialState

from nas.samplers import registry as samplers
from nas.samplers.parameters import distributions, to_choice
from search_spaces.counting.band import whole_bounds
from search_spaces.spaces.space import Space

if TYPE_CHECKING:
    import pandas as pd

    from nas.samplers.base import SpaceSampler
    from nas.samplers.history import Factor
    from search_spaces.counting.band import Band, Within

# A search ends after so many repeated proposals in a row: the sampler, or the space, has no new network.
MAX_REPEATS = 200


@dataclass(frozen=True)
class SearchStudy:
    """The result of an in-process search. `study` is the Optuna study, repeats and failures included."""

    space: Space
    study: optuna.Study
    sampler: SpaceSampler

    @property
    def best_choice(self) -> dict[str, Any]:
        """The choice with the highest value. Raises ValueError if no trial has a value."""
        return to_choice(self.space, self._best.params)

    @property
    def best_arch(self) -> Any:
        """What the space decodes the best choice to."""
        return self.space.decode(self.best_choice)

    @property
    def recommended_choice(self) -> dict[str, Any]:
        """The choice that the sampler recommends. Raises ValueError if no trial has a value.

        The predictor recommends the highest posterior mean, the others the best choice.
        """
        return to_choice(self.space, self.sampler.recommend(self.study))

    @property
    def recommended_arch(self) -> Any:
        """What the space decodes the recommended choice to."""
        return self.space.decode(self.recommended_choice)

    @property
    def best_value(self) -> float:
        """The highest value."""
        value = self._best.value
        assert value is not None
        return value

    def frame(self) -> pd.DataFrame:
        """One row per trial: number, value, outcome, proposed_by, and the values of the choice under their names."""
        import pandas as pd

        rows = [self._row(trial) for trial in self.study.get_trials(deepcopy=False)]
        return pd.DataFrame(rows)

    def _row(self, trial: FrozenTrial) -> dict[str, Any]:
        value = trial.value if trial.state is TrialState.COMPLETE else math.nan
        return {"number": trial.number, "value": value, **trial.user_attrs, **to_choice(self.space, trial.params)}

    @property
    def _best(self) -> FrozenTrial:
        if not self.study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,)):
            raise ValueError("no trial has a value: every one failed, see frame()")
        return self.study.best_trial


def optimize(
    space: Space,
    evaluate: Callable[[Any], float],
    *,
    sampler: str | None = None,
    trials: int = 100,
    seed: int = 0,
    macs: Band | None = None,
    within: Within | None = None,
    factor: Factor | None = None,
) -> SearchStudy:
    """Maximise `evaluate(space.decode(choice))` over a space, with `trials` evaluations at most.

    `sampler` is a name of `nas.samplers.registry` or your own module:name, by default the default one. `macs` is the
    band of multiply-adds (lowest, highest) and `within` those of other metrics, for spaces that have costs (see
    `Space.sample`). `factor` is the known part of the value, if there is one: value = accuracy * factor(encodings
    [n, k]) [n], as in MnasNet's reward; samplers with a model then predict the accuracy alone. A choice whose canonical
    key was evaluated before takes its recorded value and costs no trial; the search ends early if proposals only
    repeat. A value that is not finite is recorded as outcome `nan`; an exception of `evaluate` is passed on. Same seed,
    same trials.

    Raises ValueError for an unknown sampler, fewer trials than its startup, bands without a network, or a factor that
    is not finite and above 0.
    """
    if trials < 1:
        raise ValueError(f"trials must be at least 1, got {trials}")
    name = samplers.default() if sampler is None else sampler
    samplers.check(name, trials=trials)
    proposer = samplers.make(name, space, within=whole_bounds(macs, within), seed=seed, factor=factor, retrain=False)
    study = quiet_study(proposer)
    known: dict[str, float] = {}
    repeats = 0
    while len(known) < trials and repeats < MAX_REPEATS:
        trial = study.ask(dict(distributions(space)))
        choice = to_choice(space, trial.params)
        key = space.key(choice)
        repeats = repeats + 1 if key in known else 0
        if key not in known:
            known[key] = float(evaluate(space.decode(choice)))
        trial.set_user_attr("proposed_by", proposer.how(trial.number))
        trial.set_user_attr("repeat", repeats > 0)
        _tell(study, trial, known[key])
    return SearchStudy(space, study, proposer)


def _tell(study: optuna.Study, trial: optuna.Trial, value: float) -> None:
    trial.set_user_attr("outcome", "complete" if math.isfinite(value) else "nan")
    if math.isfinite(value):
        study.tell(trial, value)
    else:
        # Pruned without a value is what Optuna's samplers count as the worst; a failed trial they would not learn from.
        study.tell(trial, state=TrialState.PRUNED)


def quiet_study(sampler: optuna.samplers.BaseSampler) -> optuna.Study:
    """A study in memory that maximises; Optuna does not announce it."""
    verbosity = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        return optuna.create_study(direction="maximize", sampler=sampler)
    finally:
        optuna.logging.set_verbosity(verbosity)
