"""What Optuna's Gaussian process is fitted to."""

from __future__ import annotations

import optuna
import pytest
from optuna.distributions import FloatDistribution
from optuna.trial import create_trial

from nas.samplers.gp import latest_and_best


@pytest.mark.parametrize(("direction", "sign"), [("maximize", 1), ("minimize", -1)])
def test_it_is_fitted_to_the_best_and_the_latest_trials(direction: str, sign: int):
    study = optuna.create_study(direction=direction)
    for number in range(200):
        value = sign * (1.0 if 20 <= number < 50 else number / 1000)
        study.add_trial(create_trial(params={"x": 0.5}, distributions={"x": FloatDistribution(0, 1)}, value=value))
    fitted = [trial.number for trial in latest_and_best(study, study.get_trials())]
    assert fitted == [*range(20, 50), *range(170, 200)]
    assert len(latest_and_best(study, study.get_trials()[:60])) == 60
